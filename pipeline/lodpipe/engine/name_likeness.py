"""How well names fit what was typed, from 0 to 100.

Each word that was typed looks for its best word in the name: the same, one that begins so, one with a
typo, one that contains it. Rare words count more than frequent ones, and of names that fit alike, the
one with less besides comes first:

    "workshop oakfeild"  →  81  workshop oakfield and its neighbours   (both words, one with a typo)
                            33  workshop northtown                     (the frequent one alone)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

_ONE_TYPO, _TWO_TYPOS, _INSIDE = 0.9, 0.78, 0.6
_SHORTEST = 4  # letters of a word that may be misspelt
_LONG_WORD, _LONG_NAME = 7, 14  # letters: shorter ones with a typo may be others
_OTHERS = 0.25  # what words of the name cost that were not typed
_TEXT_ALONE = 10.0  # the words are in texts, not in names
_ALMOST = 99.0  # the most that another spelling gets
_WORD_BEGINS, _NAME_BEGINS = 80.0, 100.0


class Typed(NamedTuple):
    """A folded text, and its words without legal forms with their weights."""

    text: str
    words: tuple[tuple[str, float], ...]


def most_typos(word: str) -> int:
    """How many letters of a word may be wrong."""
    if len(word) < _SHORTEST:
        return 0
    return 1 if len(word) < 8 else 2


def likeness(typed: Typed, name: str, words: Sequence[str]) -> float:
    """How well a folded name fits; `words` are those of it without legal forms.

    >>> typed = Typed("workshop oakfeild", (("workshop", 1.2), ("oakfeild", 2.0)))
    >>> names = ("workshop oakfield and its neighbours", "workshop northtown")
    >>> [round(likeness(typed, name, name.split())) for name in names]
    [81, 33]
    """
    if typed.text == name:
        return 100.0
    if not typed.words or not words:
        return _TEXT_ALONE
    reached_by = [0.0] * len(words)
    reached = 0.0
    for word, weight in typed.words:
        fits = [_word_likeness(word, other) for other in words]
        best = max(fits)
        if best:
            place = fits.index(best)
            reached_by[place] = max(reached_by[place], best)
            reached += weight * best
    covered = sum(len(word) * fit for word, fit in zip(words, reached_by, strict=True))
    share = covered / sum(map(len, words))
    of_typed = reached / sum(weight for _, weight in typed.words)
    return max(_TEXT_ALONE, min(_ALMOST, 100 * of_typed * (1 - _OTHERS + _OTHERS * share)))


def _word_likeness(word: str, other: str) -> float:
    """How well a word of a name fits one that was typed, 0 to 1."""
    if word == other:
        return 1.0
    if other.startswith(word):
        return 0.7 + 0.25 * len(word) / len(other)
    most = most_typos(word)
    if not most:
        return 0.0
    distance = OSA.distance(word, other, score_cutoff=most)
    if distance <= most:
        return _ONE_TYPO if distance == 1 else _TWO_TYPOS
    if word in other or OSA.distance(word, other[: len(word)], score_cutoff=1) <= 1:
        return _INSIDE
    return 0.0


def beginning(typed: Typed, name: str, words: Sequence[str]) -> float:
    """How well a name fits what was typed so far: names that begin so, then names with a word that
    does, then those that fit by words.
    """
    missing = min(len(name) - len(typed.text), 40) / 4
    if name.startswith(typed.text):
        return _NAME_BEGINS - missing
    if f" {typed.text}" in f" {name}":
        return _WORD_BEGINS - missing
    return likeness(typed, name, words) * 0.7


def similarity(key: str, other: str) -> float:
    """How alike two names are (their keys): letters, and words in any order; words that only `key`
    has cost more than words that only the other has.
    """
    if key == other:
        return 100.0
    words, known = key.split(), set(other.split())
    covered = sum(len(word) for word in words if word in known) / sum(map(len, words))
    return max(
        fuzz.ratio(key, other),
        fuzz.token_sort_ratio(key, other) * 0.99,
        fuzz.token_set_ratio(key, other) * (0.6 + 0.32 * covered),
    )


def typo_at(words: Sequence[str], other: Sequence[str]) -> int | None:
    """The place of the only word in which two long names differ, where that is by a typo: in a long word,
    not in its first letter, and not in figures. None for other differences.

    >>> typo_at("open wrokshop oakfield".split(), "open workshop oakfield".split())
    1
    >>> typo_at("school of bern".split(), "school of bonn".split())
    """
    if len(words) != len(other) or len(words) < 2 or sum(map(len, words)) < _LONG_NAME:
        return None
    places = [at for at, pair in enumerate(zip(words, other, strict=True)) if pair[0] != pair[1]]
    if len(places) != 1:
        return None
    word, right = words[places[0]], other[places[0]]
    is_long = min(len(word), len(right)) >= _LONG_WORD and (word + right).isalpha()
    is_typo = word[0] == right[0] and OSA.distance(word, right, score_cutoff=1) <= 1
    return places[0] if is_long and is_typo else None
