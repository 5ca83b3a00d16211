"""Which entries of a register may be which records: by names, places, websites and keys, each with
a score and the reasons for it.

The records are indexed, the entries are read one after the other, and of each record the best
candidates are kept: the memory is bounded by the records, however long the register is.

A pair is compared if its names share one of their rare words, or the beginning or end of one, which
a misspelt word keeps. Two names that are similar enough share one of the words that remain when as
many frequent ones are left out as could not make them similar (prefix filtering; Chaudhuri, Ganti,
Kaushik 2006).
"""

from __future__ import annotations

import functools
import math
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lodpipe.workflow.linking.name_forms import Form, Weights, similarity

MOST = 5  # candidates of a record
_MOST_POSTINGS = 2_000  # names that a word may lead to; more say nothing
_NEAR, _FAR = 25.0, 75.0  # km
# What each reason adds to the likeness of the names.
_POINTS = {
    "same-website": 0.10, "same-place-key": 0.15, "same-place": 0.05, "near": 0.05, "same-country": 0.0,
    "other-place": -0.10, "other-place-key": -0.25, "other-country": -0.30,
}  # fmt: skip
_SHORT = -0.35  # an abbreviation without an agreeing place or website
_AGREEING = {"same-website", "same-place-key", "same-place", "near"}
_LEAST_LIKENESS = 0.5
Point = tuple[float, float]


@dataclass(frozen=True)
class Described:
    """What is compared, of a record or an entry; `key` names it, `keys` are identifiers by field."""

    key: str
    names: tuple[Form, ...]
    places: tuple[Form, ...] = ()
    place_keys: Mapping[str, str] = field(default_factory=dict)
    point: Point | None = None
    countries: tuple[str, ...] = ()
    websites: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why a pair is a candidate or not: a word of REASONS, and the value that it is about."""

    kind: str
    value: str = ""


@dataclass(frozen=True)
class Candidate:
    """An entry that may be a record; the score is from 0 to 100."""

    record: str
    entry: Described
    score: int
    reasons: tuple[Reason, ...]

    @property
    def order(self) -> tuple[str, int, str]:
        """By record, the best first."""
        return self.record, -self.score, self.entry.key


class Index:
    """The records by what their names, websites and keys have in them."""

    def __init__(self, records: Sequence[Described], weights: Weights, least: float) -> None:
        self.records, self.weights, self.least = records, weights, least
        self._names: dict[str, list[tuple[int, Form]]] = {}
        self._others: dict[str, list[int]] = {}
        for number, record in enumerate(records):
            for form in record.names:
                for key in set(self._keys(form)):
                    self._names.setdefault(key, []).append((number, form))
            for key in _other_keys(record):
                self._others.setdefault(key, []).append(number)

    def pairs(self, entry: Described) -> dict[int, set[tuple[Form, Form]]]:
        """The records that an entry is compared with, each with the names to compare."""
        by_record: dict[int, set[tuple[Form, Form]]] = {}
        for form in entry.names:
            if not self._may_have(form):
                continue
            for key in self._keys(form):
                postings = self._names.get(key, ())
                if len(postings) <= _MOST_POSTINGS:
                    for number, name in postings:
                        by_record.setdefault(number, set()).add((name, form))
        for key in _other_keys(entry):
            for number in self._others.get(key, ()):
                several = by_record.setdefault(number, set())
                if not several:
                    names = self.records[number].names
                    several.update((name, form) for name in names for form in entry.names)
        return by_record

    def _may_have(self, form: Form) -> bool:
        """Whether a word of a name is in the index, before its rare words are known."""
        names = self._names
        return f"={form.joined}" in names or any(
            word in names or any(part in names for part in _parts(word)) for word in form.words
        )

    def _keys(self, form: Form) -> Iterator[str]:
        yield f"={form.joined}"
        for word in self._rare(form):
            yield word
            yield from _parts(word)

    def _rare(self, form: Form) -> list[str]:
        """The words that no entry has, and of the others the rarest."""
        weights = self.weights
        known = [word for word in form.words if weights.knows(word)]
        known.sort(key=lambda word: (-weights.of(word), word))
        rest = sum(map(weights.of, known))
        enough = rest * self.least / (2 - self.least)
        rare = [word for word in form.words if not weights.knows(word)]
        for word in known:
            if rest < enough:
                break
            rest -= weights.of(word)
            rare.append(word)
        return rare


@functools.lru_cache(maxsize=200_000)
def _parts(word: str) -> tuple[str, ...]:
    """Beginning and end of a word: of a misspelt one, one of them is right. Longer words have longer
    ones, and both where a letter more or less makes the difference.
    """
    length = len(word)
    sizes = () if length < 5 else (4,) if length < 9 else (4, 5) if length < 11 else (5,)
    return tuple(part for size in sizes for part in (f"{word[:size]}-", f"-{word[-size:]}"))


def _other_keys(described: Described) -> Iterator[str]:
    yield from (f"@{name}" for name in described.websites)
    for keys in (described.place_keys, described.keys):
        yield from (f"#{name}:{value}" for name, value in keys.items())


@dataclass(frozen=True)
class Matching:
    """How candidates are chosen: the least score of 100, and how much words weigh."""

    weights: Weights
    threshold: int = 80

    @property
    def least(self) -> float:
        """How similar names must be for a pair to reach the threshold with all that may agree."""
        most = _POINTS["same-website"] + _POINTS["same-place-key"]
        return max(_LEAST_LIKENESS, self.threshold / 100 - most)

    def best(
        self, records: Sequence[Described], entries: Iterable[Described]
    ) -> dict[str, list[Candidate]]:
        """The best candidates of each record, the best first."""
        index = Index(records, self.weights, self.least)
        best: dict[str, list[Candidate]] = {}
        for entry in entries:
            for number, pairs in index.pairs(entry).items():
                if candidate := self.compared(records[number], entry, pairs):
                    several = best.setdefault(candidate.record, [])
                    insort(several, candidate, key=lambda item: item.order)
                    del several[MOST:]
        return best

    def compared(
        self, record: Described, entry: Described, pairs: Iterable[tuple[Form, Form]]
    ) -> Candidate | None:
        """The candidate that a record and an entry are by these names, None below the threshold."""
        if shared := _shared(record.keys, entry.keys):
            return Candidate(record.key, entry, 100, (Reason("same-key", shared),))
        likeness, reasons = self._names(pairs)
        if likeness < self.least:
            return None
        facts = list(_facts(record, entry))
        score = likeness + sum(_POINTS[fact.kind] for fact in facts)
        agrees = any(fact.kind in _AGREEING for fact in facts)
        if not agrees and any(reason.kind == "short-name" for reason in reasons):
            score += _SHORT
        points = round(100 * min(1.0, max(0.0, score)))
        if points < self.threshold:
            return None
        return Candidate(record.key, entry, points, (*reasons, *facts))

    def _names(self, pairs: Iterable[tuple[Form, Form]]) -> tuple[float, list[Reason]]:
        """How similar the most similar names are, and which they are; of equally similar ones the
        longest.
        """
        rated = [
            (
                similarity(record_form, entry_form, self.weights),
                len(record_form.joined),
                record_form.name,
                entry_form.name,
                record_form,
            )
            for record_form, entry_form in pairs
        ]
        if not rated:
            return 0.0, []
        likeness, _, record_name, entry_name, form = max(rated, key=lambda item: item[:4])
        reasons = (
            [Reason("same-name", entry_name)]
            if likeness == 1.0
            else [Reason("similar-name", f"{record_name} ~ {entry_name} ({round(100 * likeness)})")]
        )
        if form.is_short:
            reasons.append(Reason("short-name", record_name))
        return likeness, reasons


def _shared(first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """An identifier that both have, empty where there is none."""
    return next(
        (f"{name} {value}" for name, value in first.items() if second.get(name) == value), ""
    )


def _facts(record: Described, entry: Described) -> Iterator[Reason]:
    """What a record and an entry agree and disagree in besides their names."""
    if website := sorted(set(record.websites) & set(entry.websites)):
        yield Reason("same-website", website[0])
    if place := _place_reason(record, entry):
        yield place
    if record.countries and entry.countries:
        same = set(record.countries) & set(entry.countries)
        yield Reason("same-country" if same else "other-country", entry.countries[0])


def _place_reason(record: Described, entry: Described) -> Reason | None:
    if shared := _shared(record.place_keys, entry.place_keys):
        return Reason("same-place-key", shared)
    for name, value in entry.place_keys.items():
        if name in record.place_keys:
            return Reason("other-place-key", f"{name} {value}")
    record_places = {place.key for place in record.places}
    if common := [place.name for place in entry.places if place.key in record_places]:
        return Reason("same-place", common[0])
    if record.point and entry.point:
        distance = kilometres(record.point, entry.point)
        if distance <= _NEAR:
            return Reason("near", f"{distance:.0f} km")
        return Reason("other-place", f"{distance:.0f} km") if distance > _FAR else None
    if record_places and entry.places and entry.point is None:
        return Reason("other-place", entry.places[0].name)
    return None


def kilometres(first: Point, second: Point) -> float:
    """The distance of two points (latitude, longitude in degrees) on a sphere.

    >>> round(kilometres((51.34, 12.38), (51.34, 12.38)))
    0
    """
    lat1, lon1, lat2, lon2 = map(math.radians, (*first, *second))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * math.asin(min(1.0, math.sqrt(half)))


# How reasons are printed, in the languages of findings.
REASONS: dict[str, dict[str, str]] = {
    "same-key": {"en": "same identifier: {}", "de": "gleiche Kennung: {}"},
    "same-name": {"en": "same name: {}", "de": "gleicher Name: {}"},
    "similar-name": {"en": "similar name: {}", "de": "ähnlicher Name: {}"},
    "short-name": {"en": "abbreviation: {}", "de": "Abkürzung: {}"},
    "same-website": {"en": "same website: {}", "de": "gleiche Website: {}"},
    "same-place": {"en": "same place: {}", "de": "gleicher Ort: {}"},
    "same-place-key": {"en": "same place: {}", "de": "gleicher Ort: {}"},
    "other-place-key": {"en": "another place: {}", "de": "anderer Ort: {}"},
    "near": {"en": "near: {}", "de": "in der Nähe: {}"},
    "other-place": {"en": "another place: {}", "de": "anderer Ort: {}"},
    "same-country": {"en": "same country: {}", "de": "gleiches Land: {}"},
    "other-country": {"en": "another country: {}", "de": "anderes Land: {}"},
    "conflict": {"en": "conflict: the record has {}", "de": "Widerspruch: im Datensatz steht {}"},
}  # fmt: skip


def reason_text(reason: Reason, language: str) -> str:
    """A reason in a language, English where there is none."""
    texts = REASONS[reason.kind]
    return texts.get(language, texts["en"]).format(reason.value)
