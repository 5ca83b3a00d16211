"""Reconciliation of names with resources, apart from HTTP and from the versions of the protocol.

A question has names, identifiers, types and conditions on properties; its candidates have a score from
0 to 100. With conditions, the name counts three times as much as each of them:

    "Open Workshop"                       →  100  Open Workshop e. V.       match
    "Open Wrokshop"                       →   96  Open Workshop e. V.
    "Open Workshop", place: "Dresden"     →   75  Open Workshop e. V.

A match is stated where there is no doubt: the same name (spelling of umlauts, case and a missing legal
form aside), the type that was asked for, every condition, and no other resource that could be meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from rapidfuzz import fuzz

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.engine.name_folding import fold
from lodpipe.engine.search_index import EVERYTHING, Field, Filter, Hit, Resource, Selection
from lodpipe.engine.search_index_writer import number_of
from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.list_parameters import ParameterError
from lodpipe.releases.naming import words

MOST_CANDIDATES = 50
_COMPARED = 30  # candidates by name, before conditions
_NAME_WEIGHT = 3
_LEAST = 60.0  # names that are less alike are none
_DOUBTFUL = 97.0  # the most that a name gets which is not the same beyond doubt
_RIVAL = 98.9  # the same words in another order may name it, too
_TYPO_RIVAL = 5.0  # how much less alike others must be for a misspelt name to be certain
_AGREES = 0.95
_SIMILAR = 0.8
Languages = Sequence[str]
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Condition:
    """Values that a property should have: any of them, all, or none; `required` excludes others."""

    property: str
    values: tuple[str, ...]
    required: bool = False
    quantifier: str = "any"


@dataclass(frozen=True)
class Question:
    """What is looked for. `strict` says what several types mean: any or all of them, or `should`,
    where resources of other types score less.
    """

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    limit: int = 10
    strict: str = "any"
    required_name: bool = False


@dataclass(frozen=True)
class Candidate:
    """A resource that may be meant: its score (0 to 100), what that is made of, and whether there is
    no doubt. `name` is the name that fits best.
    """

    resource: Resource
    name: str
    score: float
    is_same: bool
    likeness: float | None = None
    agreements: tuple[float, ...] = ()
    match: bool = False

    @property
    def agrees(self) -> bool:
        """Whether all conditions are met."""
        return all(value >= _AGREES for value in self.agreements)


class TypeFacts(NamedTuple):
    """A type as the protocol names it: like `type` in the JSON of the API."""

    id: str
    iri: str
    name: str


class PropertyValue(NamedTuple):
    """A value of a property: a text with its language, or a resource; `kind` is that of the field."""

    text: str
    kind: str
    language: str = ""
    iri: str = ""


class Reconciliation:
    """The service of an API. Its methods raise IndexTimeout, and ParameterError for unknown names."""

    def __init__(self, api: ApiDocuments) -> None:
        self.api, self.index, self.context = api, api.index, api.documents.context

    # -- types and properties ----------------------------------------------------------------------

    @cached_property
    def type_names(self) -> Mapping[str, str]:
        """The identifiers of all types that resources have, with their IRIs."""
        return {self.context.class_name(iri): iri for iri in self.index.classes}

    def type_facts(self, iri: str, languages: Languages) -> TypeFacts:
        """A type and its name."""
        return TypeFacts(self.context.class_name(iri), iri, self._label(iri, languages))

    def _label(self, iri: str, languages: Languages) -> str:
        texts = self.api.terms.get(iri, {})
        for language in (*languages, *self.index.languages, ""):
            if language in texts:
                return texts[language]
        return next(iter(texts.values()), words(f"<{iri}>"))

    def default_types(self, languages: Languages) -> list[TypeFacts]:
        """The types of the collections that are not minor."""
        kinds = [iri for item in self.index.collections if not item.minor for iri in item.kinds]
        return [self.type_facts(iri, languages) for iri in dict.fromkeys(kinds)]

    def type_iri(self, given: str) -> str:
        """The IRI of a type, by its identifier or IRI. Raises ParameterError."""
        iri = self.type_names.get(given, given)
        if iri not in self.index.classes:
            known = did_you_mean(given, self.type_names)
            raise ParameterError("type", f"there is no type `{given}`{known}")
        return iri

    @cached_property
    def properties(self) -> Mapping[str, Field]:
        """The properties by their identifiers, the most frequent first."""
        fields: dict[str, Field] = {}
        for item in self.index.fields(EVERYTHING):
            fields.setdefault(item.term, item)
        return fields

    def property_of(self, given: str) -> Field:
        """A property, by its identifier or IRI. Raises ParameterError."""
        if given in self.properties:
            return self.properties[given]
        for item in self.properties.values():
            if item.iri == given:
                return item
        known = did_you_mean(given, self.properties)
        raise ParameterError("property", f"there is no property `{given}`{known}")

    def property_name(self, item: Field, languages: Languages) -> str:
        """What a property is called."""
        return self._label(item.iri, languages)

    def properties_of(self, type_iri: str) -> list[Field]:
        """The properties that resources of a type may have, the most frequent first."""
        names = self._collections_of([type_iri])
        fields = {item.term: item for name in names for item in self.index.fields(name)}
        return [item for term, item in self.properties.items() if term in fields]

    def _collections_of(self, types: Sequence[str]) -> list[str]:
        """The collections that may have resources of these types; all where that is not known."""
        wanted = set(types)
        own = [item.name for item in self.index.collections if wanted & set(item.kinds)]
        own_types = {iri for item in self.index.collections for iri in item.kinds}
        return (
            own if own and wanted <= own_types else [item.name for item in self.index.collections]
        )

    # -- candidates --------------------------------------------------------------------------------

    def candidates(self, question: Question) -> list[Candidate]:
        """The candidates, best first."""
        candidates = {item.resource.id: item for item in self._named(question)}
        judged = [self._judged(item, question) for item in candidates.values()]
        fitting = [item for item in judged if item is not None]
        fitting.sort(key=lambda item: -item.score)
        if sure := self._certain(fitting, question):
            fitting = [replace(item, match=item is sure) for item in fitting]
        if not question.types:
            minor = {item.name for item in self.index.collections if item.minor}
            fitting = [
                item
                for item in fitting
                if item.match or self.api.collection_of(item.resource.id) not in minor
            ]
        return fitting[: question.limit]

    def _certain(self, fitting: Sequence[Candidate], question: Question) -> Candidate | None:
        """The candidate that is meant beyond doubt: the only one of the same name; else the only one
        whose name it is with a typo, where no other is nearly as alike.
        """
        agreeing = [item for item in fitting if item.agrees]
        sure = [item for item in agreeing if item.is_same]
        rivals = [item for item in agreeing if (item.likeness or 0) >= _RIVAL]
        if sure or rivals:
            return sure[0] if len(sure) == 1 and all(item in sure for item in rivals) else None
        if len(question.names) != 1 or question.required_name or not agreeing:
            return None
        best = max(agreeing, key=lambda item: item.likeness or 0)
        near = (best.likeness or 0) - _TYPO_RIVAL
        alone = all(item is best or (item.likeness or 0) < near for item in fitting)
        fits = not question.types or bool(set(question.types) & self.index.types(best.resource))
        name = question.names[0]
        is_certain = alone and fits and self.index.is_misspelt_name(name, best.resource)
        return best if is_certain else None

    def _named(self, question: Question) -> Iterator[Candidate]:
        """Candidates by names; where there are none, by conditions; last by identifiers, which are
        beyond doubt.
        """
        types = () if question.strict == "should" else question.types
        collections = self._collections_of(types)
        for name in question.names:
            for hit in self.index.candidates(name, _COMPARED, collections, types):
                if hit.score >= _LEAST:
                    yield self._by_name(name, hit)
        if not question.names and not question.ids:
            yield from self._by_condition(question)
        for given in (*question.ids, *question.names):
            resource = self.index.find(given)
            if resource:
                label = resource.label(self.index.languages)
                yield Candidate(resource, label, 100.0, True, 100.0)

    def _by_name(self, name: str, hit: Hit) -> Candidate:
        is_same = hit.score >= 100 and self.index.is_same_name(name, hit.resource)
        score = hit.score if is_same else min(hit.score, _DOUBTFUL)
        return Candidate(hit.resource, hit.name, score, is_same, hit.score)

    def _by_condition(self, question: Question) -> Iterator[Candidate]:
        """Resources that have a value of the first condition that can be looked up."""
        for condition in question.conditions:
            item = self.property_of(condition.property)
            if not item.is_filter or condition.quantifier == "none":
                continue
            filters = [Filter(item.term, condition.values)]
            if question.types:
                filters.append(Filter("type", question.types, "type"))
            selection = Selection(filters=tuple(filters), limit=MOST_CANDIDATES)
            for resource in self.index.select(selection).resources:
                yield Candidate(resource, resource.label(self.index.languages), 0.0, False)
            return

    def _judged(self, item: Candidate, question: Question) -> Candidate | None:
        """A candidate with its score; None where something that is required is missing."""
        if question.required_name and not item.is_same:
            return None
        score = item.score
        if question.types:
            stated, wanted = self.index.types(item.resource), set(question.types)
            fits = wanted <= stated if question.strict == "all" else bool(wanted & stated)
            if not fits and question.strict != "should":
                return None
            if not fits:
                item, score = replace(item, is_same=False), score * 0.8
        if not question.conditions:
            return replace(item, score=score)
        values = [self._agreement(item.resource, condition) for condition in question.conditions]
        if any(
            condition.required and value < _AGREES
            for condition, value in zip(question.conditions, values, strict=True)
        ):
            return None
        weight = 0 if item.likeness is None else _NAME_WEIGHT
        whole = (score * weight + 100 * sum(values)) / (weight + len(values))
        return replace(item, score=whole, agreements=tuple(values))

    def _agreement(self, resource: Resource, condition: Condition) -> float:
        """How well the values of a resource meet a condition, 0 to 1."""
        own = self.values(resource, self.property_of(condition.property))
        names = self._names_of(own)
        best = [
            max((_likeness(given, value, names) for value in own), default=0.0)
            for given in condition.values
        ]
        if condition.quantifier == "all":
            return min(best, default=0.0)
        if condition.quantifier == "none":
            return float(max(best, default=0.0) < _AGREES)
        return max(best, default=0.0)

    def _names_of(self, values: Sequence[PropertyValue]) -> Mapping[str, list[str]]:
        """The names of the resources among values, by IRI."""
        resources = self.index.of_iris(value.iri for value in values if value.iri)
        names = self.index.names([item.id for item in resources.values()])
        return {iri: names[item.id] for iri, item in resources.items()}

    # -- values ------------------------------------------------------------------------------------

    def values(self, resource: Resource, item: Field) -> list[PropertyValue]:
        """The values of a property of a resource, in the order of its JSON."""
        return [*self._values(resource.node.get(item.term), item)]

    def _values(self, value: Any, item: Field, language: str = "") -> Iterator[PropertyValue]:
        if isinstance(value, list):
            for part in value:
                yield from self._values(part, item, language)
        elif isinstance(value, dict):
            yield from self._of_object(value, item)
        elif isinstance(value, bool):
            yield PropertyValue("true" if value else "false", "boolean")
        elif value is not None and not self.context.refers(item.term):
            kind = "number" if isinstance(value, int | float) else item.kind
            yield PropertyValue(str(value), kind, language)
        elif value is not None:
            yield PropertyValue(str(value), "reference", iri=str(value))

    def _of_object(self, value: Mapping[str, Any], item: Field) -> Iterator[PropertyValue]:
        if "@value" in value:
            yield from self._values(value["@value"], item, str(value.get("@language", "")))
        elif self.context.id in value:
            iri = str(value[self.context.id])
            yield PropertyValue(iri, "reference", iri=iri)
        elif self.context.is_language_map(item.term):
            for language, text in value.items():
                own = "" if language == "@none" else language
                yield from self._values(text, item, own)

    # -- suggestions -------------------------------------------------------------------------------

    def suggested_entities(self, prefix: str, types: Sequence[str], many: int) -> list[Hit]:
        """Resources for what was typed, also for their identifiers."""
        collections = self._collections_of(types) if types else ()
        hits = self.index.suggest(prefix, many, collections)
        if (resource := self.index.find(prefix)) is not None:
            hit = Hit(resource, resource.label(self.index.languages), 100.0)
            hits = [hit, *(item for item in hits if item.resource.id != resource.id)]
        return hits

    def suggested_types(self, prefix: str, languages: Languages) -> list[TypeFacts]:
        """Types whose identifier or name has words that begin so; all for an empty text."""
        facts = [self.type_facts(iri, languages) for iri in self.index.classes]
        return _beginning(prefix, [(item, tuple(item)) for item in facts])

    def suggested_properties(self, prefix: str, languages: Languages) -> list[Field]:
        """The same of properties."""
        fields = [
            (item, (item.term, item.iri, self.property_name(item, languages)))
            for item in self.properties.values()
        ]
        return _beginning(prefix, fields)


def _likeness(given: str, value: PropertyValue, names: Mapping[str, list[str]]) -> float:
    """How alike a given value and one of a resource are: 1 is equal, 0 is something else."""
    if value.iri:
        if given == value.iri or value.iri.endswith((f"/{given}", f"#{given}")):
            return 1.0
        return max((_text_likeness(given, name) for name in names.get(value.iri, ())), default=0.0)
    if value.kind == "number":
        return float(number_of(given) is not None and number_of(given) == number_of(value.text))
    if value.kind == "date":
        return float(bool(given) and value.text.startswith(given))
    return _text_likeness(given, value.text)


def _text_likeness(text: str, other: str) -> float:
    ratio = fuzz.ratio(fold(text), fold(other)) / 100 if text else 0.0
    return ratio if ratio >= _SIMILAR else 0.0


def _beginning(prefix: str, items: Sequence[tuple[_Item, Sequence[str]]]) -> list[_Item]:
    """The items with a text that is the given one, begins with it, or has words that do, in this order."""
    folded = fold(prefix)
    ranked: list[tuple[int, int, _Item]] = []
    for number, (item, texts) in enumerate(items):
        spelt = [fold(text) for text in texts]
        if prefix in texts or folded in spelt:
            ranked.append((0, number, item))
        elif any(text.startswith(folded) for text in spelt):
            ranked.append((1, number, item))
        elif any(f" {folded}" in text for text in spelt):
            ranked.append((2, number, item))
    return [item for _, _, item in sorted(ranked, key=lambda row: row[:2])]
