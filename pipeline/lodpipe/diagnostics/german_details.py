"""The German of details: what findings say in their parameters, by its English template; the
table is german_details.csv.

`{}` stands for a part that is taken over as it is, or translated itself if it is a detail; `{1}` in
the German text is the second one. What parsers, databases and operating systems say of their own is
quoted: it is what search engines know.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Mapping
from pathlib import Path

_TRANSLATED = frozenset({"detail", "expected", "found", "limit", "datatype"})
_SUGGESTED = re.compile(r"^(.*); did you mean `(.*)`\?$", re.S)


def _pattern(template: str) -> re.Pattern[str]:
    """What a template fits; a part between grave accents has none of them itself."""
    first, *others = template.split("{}")
    pattern = re.escape(first)
    for before, after in zip((first, *others), others, strict=False):
        quoted = before.endswith("`") and after.startswith("`")
        pattern += ("([^`]+)" if quoted else "(.+?)") + re.escape(after)
    return re.compile(pattern, re.S)


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The rows of the table, in its order: the first that fits is taken."""
    table = Path(__file__).with_name("german_details.csv").read_text("utf-8")
    return [(_pattern(row["en"]), row["de"]) for row in csv.DictReader(table.splitlines())]


def in_german(detail: str) -> str:
    """A detail in German; one that no template fits stays as it is.

    >>> in_german("coverage: there is no table `townz`; did you mean `towns`?")
    'coverage: es gibt keine Tabelle `townz`; gemeint ist vielleicht `towns`'
    """
    if suggested := _SUGGESTED.match(detail):
        return f"{in_german(suggested[1])}; gemeint ist vielleicht `{suggested[2]}`"
    for pattern, german in _patterns():
        if match := pattern.fullmatch(detail):
            return german.format(*(in_german(part) for part in match.groups()))
    path, colon, rest = detail.partition(": ")
    if colon and re.fullmatch(r"[\w.]+", path) and (translated := in_german(rest)) != rest:
        return f"{path}: {translated}"  # `languages.0: …`
    return detail


def german_parameters(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a finding with those in German that are words."""
    return {
        name: in_german(value) if name in _TRANSLATED else value for name, value in params.items()
    }
