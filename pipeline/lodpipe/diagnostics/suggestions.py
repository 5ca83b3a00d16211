"""Suggestions for words that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MANY = 2_000  # words that take too long to compare letter by letter


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like a misspelt one, empty if none is similar.

    >>> nearest("nmae", ["name", "kind"])
    'name'
    """
    words = list(known)
    if len(words) > _MANY:
        words = [other for other in words if _shares_half(word, other)]
    return next(iter(difflib.get_close_matches(word, words, 1, 0.6)), "")


def _shares_half(word: str, other: str) -> bool:
    """Whether two words begin or end alike: one slip of the pen leaves a half as it is.

    >>> _shares_half("brandis", "brandys"), _shares_half("brandis", "naunhof")
    (True, False)
    """
    half = len(word) // 2
    return other[:half] == word[:half] or other[-half or len(other) :] == word[-half or len(word) :]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as the end of a message, empty if none is similar.

    >>> did_you_mean("nmae", ["name", "kind"])
    '; did you mean `name`?'
    """
    near = nearest(word, known)
    return f"; did you mean `{near}`?" if near else ""
