"""Search by names in an index of the JSON API: full text finds resources by folded words, and words that no
name has by the nearest ones; `name_likeness.py` puts them in order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from lodpipe.engine.name_folding import (
    fold,
    name_key,
    same_legal_form,
    same_name,
    without_legal_form,
    words_of,
)
from lodpipe.engine.name_likeness import (
    Typed,
    beginning,
    likeness,
    most_typos,
    similarity,
    typo_at,
)
from lodpipe.engine.search_file import LAST, Collection, Hit, Resource, SearchFile

BM25 = "bm25(search, 10.0, 6.0, 1.0)"
"""How full text ranks: label, other names, texts."""
RERANKED = 200
"""Hits that are compared by their names."""
_MOST_WORDS = 12  # of a question
_LONG_BEGINNING = 5  # letters; shorter ones with a typo are the beginning of too many words
_ALTERNATIVES = 12  # for a word that no name has
_LEAST = 50.0  # the least that a hit without one of the words has to fit


@dataclass
class _Words:
    """A question: each word with the words that may stand for it."""

    alternatives: list[list[str]] = field(default_factory=list)

    def expression(self, operator: str = " AND ") -> str:
        """The question in the language of FTS5; letters and digits alone, so nothing is quoted."""
        return operator.join(
            "(" + " OR ".join(part for word in words for part in (f'"{word}"', f'"{word}" *')) + ")"
            for words in self.alternatives
        )


class NameSearch(SearchFile):
    """An index that is searched by names."""

    def is_same_name(self, name: str, resource: Resource) -> bool:
        """Whether a name is beyond doubt one of a resource, and no name of it has another legal form."""
        names = [
            other
            for other in self.names([resource.id])[resource.id]
            if name_key(other, self._ignored) == name_key(name, self._ignored)
        ]
        return bool(names) and all(same_name(name, other, self._ignored) for other in names)

    def is_misspelt_name(self, name: str, resource: Resource) -> bool:
        """Whether a name can only be one of a resource with a typo: the same words in the same order but
        for one, which is no word of any name.
        """
        words = without_legal_form(words_of(name), self._ignored)
        own = self.names([resource.id])[resource.id]
        for other in own:
            at = typo_at(words, without_legal_form(words_of(other), self._ignored))
            if at is not None and not self._is_word(words[at]):
                return same_legal_form(name, other, self._ignored)
        return False

    # -- words -------------------------------------------------------------------------------------

    def _questions(self, text: str) -> Iterator[_Words]:
        """What a text may ask: its very words, then with the nearest words in place of unknown
        ones.
        """
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        if not words:
            return
        yield _Words([[word] for word in words])
        nearest = [[word] if self._is_known(word) else self.nearest(word) for word in words]
        if all(nearest) and nearest != [[word] for word in words]:
            yield _Words(nearest)

    def _without_one_word(self, text: str) -> Iterator[_Words]:
        """The same without each of the words in turn, where at least two are left."""
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        if len(words) < 3:
            return
        meant = [[word] if self._is_known(word) else self.nearest(word) for word in words]
        for place in range(len(words)):
            rest = meant[:place] + meant[place + 1 :]
            if all(rest):
                yield _Words(rest)

    def _is_known(self, word: str) -> bool:
        """Whether any word begins with this one."""
        return bool(
            self._rows(
                "SELECT 1 FROM terms WHERE term >= ? AND term < ? LIMIT 1", (word, word + LAST)
            )
        )

    def nearest(self, word: str) -> list[str]:
        """Words of names that a misspelt word may mean, the nearest first: one or two letters
        differ, or the word is inside a compound.
        """
        grams = sorted({word[at : at + 3] for at in range(len(word) - 2)})
        expression = " OR ".join(f'"{gram}"' for gram in grams)
        near = (
            self._rows(
                "SELECT v.word, v.amount FROM trigrams AS t JOIN vocabulary AS v ON v.id = t.rowid WHERE trigrams MATCH ? ORDER BY rank LIMIT 200",
                (expression,),
            )
            if grams
            else []
        )
        if variants := _variants(word):
            marks = ", ".join("?" * len(variants))
            near += self._rows(
                f"SELECT word, amount FROM vocabulary WHERE word IN ({marks})", variants
            )
        near += self._rows(
            "SELECT word, amount FROM vocabulary WHERE word >= ? AND word < ? AND length(word) >= ? ORDER BY amount DESC LIMIT 1000",
            (word[:2], word[:2] + LAST, len(word) - 1),
        )
        most = most_typos(word)
        ranked = set()
        for other, amount in near:
            distance: float = OSA.distance(word, other, score_cutoff=most)
            if distance > most and len(word) >= _LONG_BEGINNING:  # of a longer word, misspelt
                of_beginning = OSA.distance(word, other[: len(word)], score_cutoff=1)
                distance = of_beginning + 0.5 if of_beginning <= 1 else distance
            if distance > most and len(word) >= 4 and word in other:
                distance = most
            if distance <= most + 0.5:
                ranked.add((distance, -amount, other))
        return [other for _, _, other in sorted(ranked)[:_ALTERNATIVES]]

    # -- search ------------------------------------------------------------------------------------

    def search(self, text: str, limit: int = 10, collections: Sequence[str] = ()) -> list[Hit]:
        """The resources that fit a text best, by all its words, else by all but one; what names them
        counts most.
        """
        fits = self._fits(likeness, text)
        parts = self._parts(collections)
        for words in self._questions(text):
            ids = [number for part in parts for number in self._ids(words.expression(), part)]
            if hits := self._ranked(ids, fits, limit):
                return hits
        expressions = [words.expression() for words in self._without_one_word(text)]
        lists = (self._ids(words, part) for words in expressions for part in parts)
        ids = [*dict.fromkeys(number for numbers in lists for number in numbers)]
        return [hit for hit in self._ranked(ids, fits, limit) if hit.score >= _LEAST]

    def suggest(self, typed: str, limit: int = 10, collections: Sequence[str] = ()) -> list[Hit]:
        """Names for what was typed so far: those that begin with it, then those with words that do."""
        fits = self._fits(beginning, typed)
        names = "{label other} : "
        for words in self._questions(typed):
            ids = [
                number
                for part in self._parts(collections)
                for number in self._ids(names + f"({words.expression()})", part)
            ]
            if hits := self._ranked(ids, fits, limit):
                return hits
        return []

    def _fits(
        self, measure: Callable[[Typed, str, Sequence[str]], float], text: str
    ) -> Callable[[str], float]:
        """How well names fit a text, by a measure of `name_likeness`."""
        typed = self._typed(text)

        def fit(name: str) -> float:
            words = words_of(name)
            return measure(typed, " ".join(words), without_legal_form(words, self._ignored))

        return fit

    def _typed(self, text: str) -> Typed:
        """The words of a text; one that is in each name weighs 1, one that is in none 2."""
        words = without_legal_form(words_of(text), self._ignored)[:_MOST_WORDS]
        amounts = [self._amount(word) for word in words]
        whole = math.log(max(2, self.everything.size + 1))
        weights = (2 - min(1.0, math.log(amount + 1) / whole) for amount in amounts)
        return Typed(fold(text), tuple(zip(words, weights, strict=True)))

    def _amount(self, word: str) -> int:
        """How many resources have a word in their names."""
        rows = self._rows("SELECT amount FROM vocabulary WHERE word = ?", (word,))
        return int(rows[0][0]) if rows else 0

    def candidates(
        self, name: str, limit: int = 10, collections: Sequence[str] = (), types: Sequence[str] = ()
    ) -> list[Hit]:
        """Resources that a name may mean, also where words are missing, added or misspelt; with
        `types`, those of one of these classes (IRIs) alone.
        """
        key = name_key(name, self._ignored)
        words = key.split()[:_MOST_WORDS]
        if not words:
            return []
        exact = [
            row[0]
            for row in self._rows("SELECT DISTINCT id FROM names WHERE key = ? LIMIT 100", (key,))
        ]
        meant = [[word] if self._is_word(word) else [word, *self.nearest(word)] for word in words]
        expression = "{label other} : (" + _Words(meant).expression(" OR ") + ")"
        parts = self._parts(collections)
        ids = [*exact, *(number for part in parts for number in self._ids(expression, part))]
        inside = [
            number
            for number in dict.fromkeys(ids)
            if any(part.first <= number <= part.last for part in parts)
        ]
        wanted = frozenset(types)
        allowed = (lambda item: bool(wanted & self.types(item))) if wanted else None
        return self._ranked(
            inside, lambda text: similarity(key, name_key(text, self._ignored)), limit, allowed
        )

    def types(self, resource: Resource) -> frozenset[str]:
        """All classes that are stated of a resource, as IRIs, its kind among them."""
        rows = self._rows("SELECT class FROM classes WHERE id = ?", (resource.id,))
        return frozenset(row[0] for row in rows)

    def _is_word(self, word: str) -> bool:
        return bool(self._rows("SELECT 1 FROM vocabulary WHERE word = ? LIMIT 1", (word,)))

    def _parts(self, collections: Sequence[str]) -> list[Collection]:
        """Collections by name; all that are not minor where none is named."""
        if collections:
            return [self.by_name[name] for name in collections]
        return [item for item in self.collections if not item.minor] or [*self.collections]

    def _ids(self, expression: str, part: Collection) -> list[int]:
        rows = self._rows(
            f"SELECT rowid FROM search WHERE search MATCH ? AND rowid BETWEEN ? AND ? ORDER BY {BM25}, rowid LIMIT ?",
            (expression, part.first, part.last, RERANKED),
        )
        return [row[0] for row in rows]

    def _scored(
        self, ids: Sequence[int], fits: Callable[[str], float]
    ) -> list[tuple[int, str, float]]:
        """The ids with the name that fits best and how well, best first; of equal ones the shorter
        name, then the order of ids.
        """
        names = self.names(ids)
        scored = []
        for place, number in enumerate(ids):
            score, _, name = max(
                ((fits(name), -len(name), name) for name in names[number]), default=(0.0, 0, "")
            )
            scored.append((-score, len(name), place, number, name))
        scored.sort()
        return [(number, name, -score) for score, _, _, number, name in scored]

    def _ranked(
        self,
        ids: Sequence[int],
        fits: Callable[[str], float],
        limit: int,
        allowed: Callable[[Resource], bool] | None = None,
    ) -> list[Hit]:
        """The best of `_scored` as hits."""
        scored = self._scored(ids, fits)
        hits: list[Hit] = []
        for at in range(0, len(scored), max(limit, 20)):
            some = scored[at : at + max(limit, 20)]
            resources = {item.id: item for item in self.of_ids([entry[0] for entry in some])}
            for number, name, score in some:
                if allowed is None or allowed(resources[number]):
                    hits.append(Hit(resources[number], name, score))
                    if len(hits) == limit:
                        return hits
        return hits


def _variants(word: str) -> list[str]:
    """A word with two neighbouring letters exchanged, or a letter left out: short words that are
    misspelt so share no trigram with the right one.

    >>> _variants("khel")[:2]
    ['hel', 'hkel']
    """
    if not 4 <= len(word) <= 12:
        return []
    places = range(len(word))
    exchanged = {f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in places[:-1]}
    shorter = {word[:at] + word[at + 1 :] for at in places}
    return sorted((exchanged | shorter) - {word})
