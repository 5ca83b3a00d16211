"""The types of plain scalars in YAML 1.2's core schema."""

from __future__ import annotations

import math
import re

from lodpipe.documents.tree import Scalar

_MOST_DIGITS = 300
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# What the first letter of a plain scalar is that may be no text.
MAY_BE_TYPED = frozenset("0123456789+-.~nNtTfF")


def typed(text: str, line: int, column: int) -> Scalar:
    """A plain scalar with the type that YAML 1.2's core schema gives it.

    >>> typed("007", 1, 1).value, typed("007", 1, 1).text, typed("no", 1, 1).value, typed("2020-06-16", 1, 1).value
    (7, '007', 'no', '2020-06-16')
    """
    if text and text[0] not in MAY_BE_TYPED:
        return Scalar(text, text, line, column)
    if text in _CONSTANTS:
        constant = _CONSTANTS[text]
        return Scalar(None if constant is None else str(constant).lower(), constant, line, column)
    if len(text) <= _MOST_DIGITS and _INTEGER.fullmatch(text):
        return Scalar(text, int(text), line, column)
    if len(text) <= _MOST_DIGITS and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return Scalar(text, float(text), line, column)
    return Scalar(text, text, line, column)
