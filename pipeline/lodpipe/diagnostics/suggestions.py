"""Suggestions for words that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like a misspelt one, empty if none is similar.

    >>> nearest("nmae", ["name", "kind"])
    'name'
    """
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.6)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as the end of a message, empty if none is similar.

    >>> did_you_mean("nmae", ["name", "kind"])
    '; did you mean `name`?'
    """
    near = nearest(word, known)
    return f"; did you mean `{near}`?" if near else ""
