"""Patterns that RE2 does not know (lookaround, backreferences): Python's `re` in a process of its
own that can be ended.

A backtracking matcher may take time that grows exponentially with the text, and it cannot be
interrupted from within. So a child process matches the texts, and what it has not done within
`LIMIT` seconds of processor time ends with it (docs/decisions/0050).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

LIMIT = 5.0  # seconds of one text
_AT_ONCE = 5_000  # texts

# The child writes the number of each text before it looks at it: the last one is the one that took
# too long. It ends itself by a limit of the
# system on processor time, which a busy machine does not use up; where there is none (Windows), the
# parent ends it by the clock.
_CHILD = """
import json, re, sys
given = json.load(sys.stdin)
try:
    import resource
except ImportError:
    resource = None
flags = sum(value for name, value in (("i", re.I), ("m", re.M), ("s", re.S), ("x", re.X)) if name in given["flags"])
pattern = re.compile(given["pattern"], flags)
found = []
for number, text in enumerate(given["texts"]):
    if resource and number % 100 == 0:
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + given["limit"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    sys.stderr.write(f"{number}\\n")
    sys.stderr.flush()
    if pattern.search(text):
        found.append(number)
json.dump(found, sys.stdout)
"""


class TooSlow(Exception):
    """A text, shortened, that takes longer than the limit."""


def matches(pattern: str, flags: str, texts: Sequence[str]) -> set[str]:
    """The texts in which a pattern is found. Raises re.error where it is none, TooSlow where a text
    takes longer than the limit.
    """
    import re

    re.compile(pattern)
    matching: set[str] = set()
    for at in range(0, len(texts), _AT_ONCE):
        matching |= _matching(pattern, flags, texts[at : at + _AT_ONCE])
    return matching


def _matching(pattern: str, flags: str, texts: Sequence[str]) -> set[str]:
    given = json.dumps({"pattern": pattern, "flags": flags, "texts": texts, "limit": LIMIT})
    try:
        # No limit of the clock while the system has one of its own: on a busy machine it would end
        # what is only waiting.
        clock = LIMIT if sys.platform == "win32" else LIMIT * 100
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD],
            input=given,
            capture_output=True,
            text=True,
            timeout=clock,
            check=False,
        )
        failed, begun = done.returncode != 0, done.stderr
    except subprocess.TimeoutExpired as error:
        failed, begun = (
            True,
            (error.stderr or b"").decode()
            if isinstance(error.stderr, bytes)
            else (error.stderr or ""),
        )
    if failed:
        last = begun.split()[-1:] or ["0"]
        value = texts[int(last[0])] if last[0].isdigit() else ""
        raise TooSlow(value if len(value) <= 60 else value[:60] + "…")
    return {texts[number] for number in json.loads(done.stdout)}
