"""Names as they are compared: spelling that says nothing about identity is left out, and the words
of a name weigh as much as they distinguish.

"Stadt Musterstadt" and "Musterstadt, Stadt" are the same; of "University of Siegen" and "University of
Siena", the words in common occur in thousands of names and weigh little.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

_WORD = re.compile(r"[^\W_]+")
_ADDITION = re.compile(r"\s*\([^()]*\)$")
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))
_FUZZY = 5  # letters from which a word may differ by one
_VERY_FUZZY = 10  # letters from which it may differ by two
_FUZZY_SHARE = 0.9  # of the weight of a word that is spelt otherwise
_LEAST_LETTERS = 0.45  # below, no words make names similar
_JOINED = 0.97  # the same letters, in other words
MOST_WORDS = 40  # of a name; the rest is left out


@functools.lru_cache(maxsize=200_000)
def folded(text: str) -> str:
    """A text without case, accents and umlauts, in whichever way they are written.

    >>> folded("Köln"), folded("KOELN"), folded("Straße")
    ('koln', 'koln', 'strasse')
    """
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    for pair, letter in _UMLAUTS:
        plain = plain.replace(pair, letter)
    return plain


@dataclass(frozen=True, slots=True)
class Form:
    """A name in words, in the order of the alphabet; `joined` are its letters in their own order."""

    name: str
    words: tuple[str, ...]
    joined: str
    key: str  # equal for names that are the same but for spelling

    @property
    def is_short(self) -> bool:
        """Whether the name is an abbreviation, which many bodies share."""
        return len(self.joined) < _FUZZY


class Forms:
    """Makes forms of names, without the words to ignore, such as legal forms."""

    def __init__(self, ignore: Iterable[str] = ()) -> None:
        phrases = {tuple(_WORD.findall(folded(phrase))) for phrase in ignore}
        self._words = {phrase[0] for phrase in phrases if len(phrase) == 1}
        self._phrases = sorted((item for item in phrases if len(item) > 1), key=len, reverse=True)

    def of(self, name: str) -> Form:
        """The form of a name; a name of ignored words alone keeps them.

        >>> Forms(["e. V."]).of("Bürger-Verein Musterstadt e.V.").key
        'burger musterstadt verein'
        """
        words = _WORD.findall(folded(name))[:MOST_WORDS]
        for phrase in self._phrases:
            if phrase[0] in words:
                words = _without(words, phrase)
        telling = [word for word in words if word not in self._words]
        joined = "".join(telling or words)
        words = sorted(telling or words)
        return Form(name, tuple(words), joined, " ".join(words))


def spellings(names: Iterable[str]) -> list[str]:
    """Names, and behind them those with an addition in brackets without it.

    >>> spellings(["Lautertal (Odenwald)", "Lautertal"])
    ['Lautertal (Odenwald)', 'Lautertal']
    """
    several = list(names)
    bare = [_ADDITION.sub("", name) for name in several]
    return list(dict.fromkeys(name for name in (*several, *bare) if name))


def place_forms(forms: Forms, names: Iterable[str]) -> tuple[Form, ...]:
    """The forms of names of places."""
    return tuple(form for name in spellings(names) if (form := forms.of(name)).words)


def _without(words: list[str], phrase: tuple[str, ...]) -> list[str]:
    """The words without a phrase, wherever it occurs, unless nothing would be left."""
    length = len(phrase)
    for at in range(len(words) - length, -1, -1):
        if tuple(words[at : at + length]) == phrase and len(words) > length:
            del words[at : at + length]
    return words


class Weights:
    """How much words distinguish: the logarithm of how few of the names have them."""

    def __init__(self) -> None:
        self.names = 0
        self._counts: Counter[str] = Counter()
        self._weights: dict[str, float] = {}

    def add(self, form: Form) -> None:
        """Counts a name."""
        self.names += 1
        self._counts.update(set(form.words))
        self._weights.clear()

    def of(self, word: str) -> float:
        """The weight of a word, more than 0; the highest for a word that no name has."""
        weight = self._weights.get(word)
        if weight is None:
            weight = math.log(1 + self.names / (1 + self._counts.get(word, 0))) + 0.1
            self._weights[word] = weight
        return weight

    def knows(self, word: str) -> bool:
        """Whether a name has the word."""
        return word in self._counts


def similarity(first: Form, second: Form, weights: Weights) -> float:
    """How similar two names are, from 0 to 1: the mean of the share of letters that they have in
    common (rapidfuzz's ratio, in any order of the words) and of the share of words, by weight.

    The letters alone take "University of Siena" for "University of Siegen", the words alone do not
    see how much of a long name is misspelt.
    """
    if first.words == second.words:
        return 1.0
    if first.joined == second.joined:
        return _JOINED
    letters = max(fuzz.ratio(first.key, second.key), fuzz.ratio(first.joined, second.joined)) / 100
    if letters < _LEAST_LETTERS:
        return 0.0
    return (letters + _words_in_common(first, second, weights)) / 2


def _words_in_common(first: Form, second: Form, weights: Weights) -> float:
    """The weight of the words in common (one or two letters apart in longer words) as a share of
    the weight of all words.

    Soft TF-IDF (Cohen, Ravikumar, Fienberg 2003) with optimal string alignment for words, and the
    Dice coefficient instead of the cosine, whose figures are easier to explain.
    """
    left, right = list(first.words), list(second.words)
    common = 0.0
    for word in first.words:
        if word in right:
            left.remove(word)
            right.remove(word)
            common += 2 * weights.of(word)
    total = common + sum(map(weights.of, left))
    for word in sorted(left, key=len, reverse=True):
        near = _nearest(word, right)
        if near is None:
            continue
        right.remove(near)
        weight = weights.of(near)
        total += 2 * weight - weights.of(word)  # a misspelt word weighs what the right one does
        common += 2 * weight * _FUZZY_SHARE
    total += sum(map(weights.of, right))
    return common / total if total else 0.0


def _nearest(word: str, others: Sequence[str]) -> str | None:
    """The word among others that is a spelling of this one; digits must be the same."""
    if len(word) < _FUZZY or any(map(str.isdigit, word)):
        return None
    most = 2 if len(word) >= _VERY_FUZZY else 1
    nearest: tuple[int, str] | None = None
    for other in others:
        if len(other) >= _FUZZY and abs(len(word) - len(other)) <= most:
            distance = OSA.distance(word, other, score_cutoff=most)
            if distance <= most and (nearest is None or distance < nearest[0]):
                nearest = distance, other
    return nearest[1] if nearest else None
