"""What an editor most likely did where a YAML file cannot be read: libyaml names the place where it gave
up, often the line behind the mistake, and in the terms of its grammar.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Mistake(NamedTuple):
    """The place of a mistake, from 1, and what it is."""

    line: int
    column: int
    detail: str


_KEY = r"^[ ]*(?:- +)*(?P<key>[A-Za-z_][\w-]*)"
_WIDE_COLON = re.compile(_KEY + "[ ]*(?P<sign>[\uff1a\ufe55\ua789\u2236])")
_NO_SPACE_AFTER_COLON = re.compile(_KEY + r":(?P<sign>(?!//)[^\s])")
_NO_SPACE_AFTER_DASH = re.compile(r"^[ ]*-(?P<sign>[^\W\d_])")
_RESERVED = re.compile(r"^[ ]*(?:- +)*(?:[\w .-]+: +)?(?P<sign>[@`%])")
_INDENTED = re.compile(r"[ ]+[A-Za-z_][\w-]*:(?: |$)")
_NO_COLON = re.compile(r"^[ ]*(?:- +)*(?P<sign>[a-z_]+) +[^\s:#][^:]*$")


def likely_mistake(text: str, line: int, problem: str) -> Mistake | None:
    """The mistake at or just above a line (from 1) at which libyaml reports a problem.

    >>> likely_mistake("a: 1\\nrole:partner\\nb: 2\\n", 3, "could not find expected ':'")
    Mistake(line=2, column=6, detail='a space is missing after `role:`')
    """
    lines = text.split("\n")
    if "<document start>" in problem and line > 1 and _INDENTED.match(lines[line - 2]):
        return Mistake(line - 1, 1, "this line is indented, and the next one is not")
    for number in range(line, max(0, line - 3), -1):
        content = lines[number - 1] if number <= len(lines) else ""
        if match := _WIDE_COLON.search(content):
            detail = f"`{match['sign']}` is not the colon of YAML, which is `:`"
        elif match := _NO_SPACE_AFTER_COLON.search(content):
            detail = f"a space is missing after `{match['key']}:`"
        elif match := _NO_SPACE_AFTER_DASH.search(content):
            detail = "a space is missing after the dash"
        elif number == line and (match := _RESERVED.search(content)):
            sign = match["sign"]
            detail = f"a text that begins with {sign if sign == '`' else f'`{sign}`'} needs quotes"
        elif "expected ':'" in problem and number < line and (match := _NO_COLON.search(content)):
            detail = f"a colon is missing after `{match['sign']}`"
        else:
            continue
        return Mistake(number, match.start("sign") + 1, detail)
    return None
