"""Patterns of dates: those of Java, in which GREL writes them, as those of the engine (strftime)."""

from __future__ import annotations

import re

_LETTERS = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yy": "%y", "uu": "%y",
    "MMMM": "%B", "LLLL": "%B", "MMM": "%b", "LLL": "%b", "MM": "%m", "M": "%-m",
    "dd": "%d", "d": "%-d", "DDD": "%j", "EEEE": "%A", "EEE": "%a", "E": "%a",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "a": "%p", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
    "SSS": "%g", "SSSSSS": "%f", "Z": "%z", "XXX": "%z", "XX": "%z", "X": "%z",
}  # fmt: skip
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'")


class PatternError(ValueError):
    """A pattern with a letter that has no meaning here."""


def strptime_pattern(pattern: str) -> str:
    """A pattern of Java's DateTimeFormatter as one of strftime; one with `%` is taken as it is.

    Raises PatternError.

    >>> strptime_pattern("dd.MM.yyyy 'um' HH:mm")
    '%d.%m.%Y um %H:%M'
    """
    if "%" in pattern:
        return pattern
    parts = []
    for match in _TOKEN.finditer(pattern):
        if match[1] is not None:
            parts.append(match[1].replace("''", "'") or "'")
        elif match[2]:
            if match[0] not in _LETTERS:
                raise PatternError(
                    f"`{match[0]}` has no meaning in a pattern; quote letters that are meant"
                )
            parts.append(_LETTERS[match[0]])
        elif match[0] == "'":
            raise PatternError("a quote is not closed")
        else:
            parts.append(match[0])
    return "".join(parts)
