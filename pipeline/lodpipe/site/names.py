"""What things are called: terms by declarations and by their own names, resources by their labels,
each in the language of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lodpipe.config.vocabulary import Vocabulary
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.namespaces import OWL, SH, SKOS
from lodpipe.rdf.terms import Literal, parse_literal
from lodpipe.releases.naming import words
from lodpipe.shacl.shapes import Shapes
from lodpipe.site.declaration import Kind, Site, Texts


def literal(term: str) -> Literal:
    """A literal; of any other term its spelling."""
    return parse_literal(term) or Literal(term)


# What the program states itself, of withdrawn resources and of events.
_WITHDRAWN = {
    f"<{OWL}deprecated>": {"de": "Zurückgezogen", "en": "Withdrawn"},
    f"<{SKOS}changeNote>": {"de": "Anmerkung zur Änderung", "en": "Change note"},
    "<http://purl.org/dc/terms/isReplacedBy>": {"de": "Ersetzt durch", "en": "Replaced by"},
    "<http://www.w3.org/ns/org#ChangeEvent>": {
        "de": "Veränderung von Organisationen",
        "en": "Change of organisations",
    },
    "<http://www.w3.org/ns/org#changedBy>": {"de": "Verändert durch", "en": "Changed by"},
    "<http://www.w3.org/ns/org#resultedFrom>": {
        "de": "Hervorgegangen aus",
        "en": "Resulted from",
    },
    "<http://www.w3.org/ns/org#originalOrganization>": {
        "de": "Frühere Organisation",
        "en": "Former organisation",
    },
    "<http://www.w3.org/ns/org#resultingOrganization>": {
        "de": "Hervorgegangene Organisation",
        "en": "Resulting organisation",
    },
}


def chosen(texts: Texts, language: str) -> str:
    """A text in a language, else in any, in the order of the declaration."""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def slug(text: str) -> str:
    """A text as part of an address.

    >>> slug("Öffentliche Stelle (Land)")
    'oeffentliche-stelle-land'
    """
    folded = text.lower().translate({228: "ae", 246: "oe", 252: "ue", 223: "ss"})
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")


@dataclass
class Names:
    """Labels of classes, properties and graphs."""

    site: Site
    vocabulary: Vocabulary
    shapes: Shapes
    _terms: dict[str, dict[str, str]] = field(default_factory=dict)
    _short: dict[str, str] = field(default_factory=dict)
    _inverse: dict[str, str] = field(default_factory=dict)
    _called: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kinds: Mapping[str, Kind] = {item.iri: item for item in self.site.kinds}
        self._learn((s, p, o) for s, p, o, _ in self.vocabulary.triples)
        for (
            s,
            p,
            o,
        ) in self.shapes.triples:  # a shape's name for a property is a name of the property
            if p == f"<{SH}name>":
                for path in self.shapes.parts.get((s, "path"), ()):
                    text, language, _ = literal(o)
                    self._terms.setdefault(path, {}).setdefault(language, text)

    def _learn(self, triples: Iterable[tuple[str, str, str]]) -> None:
        for s, p, o in triples:
            if p in LABELS and o.startswith('"'):
                text, language, _ = literal(o)
                self._terms.setdefault(s, {}).setdefault(language, text)
            elif p == f"<{OWL}inverseOf>":
                self._inverse.setdefault(s, o)
                self._inverse.setdefault(o, s)

    def inverse(self, iri: str, language: str, otherwise: str) -> str:
        """What a property is called on the page that it points to; `otherwise` is what is written
        around its own name where it has no name in that direction.
        """
        declared = self.site.inverse.get(iri)
        if declared:
            return chosen(declared, language)
        if iri in self._inverse:
            return self.term(self._inverse[iri], language)
        return otherwise.replace("%s", self.term(iri, language), 1)

    def term(self, iri: str, language: str) -> str:
        """What a property or class is called."""
        name = self._called.get((iri, language))
        if name is None:
            name = self._called[iri, language] = self._term(iri, language)
        return name

    def _term(self, iri: str, language: str) -> str:
        declared = self.site.properties.get(iri)
        if declared:
            return chosen(declared, language)
        known = self._terms.get(iri) or _WITHDRAWN.get(iri)
        return chosen(known, language) if known else words(iri)

    def kind(self, iri: str | None, language: str, *, many: bool = False) -> str:
        """What a resource of a class is called, or several of them."""
        if iri is None:
            return ""
        kind = self.kinds.get(iri)
        texts = (kind.plural or kind.label) if kind and many else kind.label if kind else {}
        return chosen(texts, language) if texts else self.term(iri, language)

    def counted(self, iri: str, language: str) -> str:
        """What the number of resources of a class counts."""
        kind = self.kinds.get(iri)
        texts = kind.counted if kind else {}
        return chosen(texts, language) if texts else self.kind(iri, language, many=True)

    def compact(self, iri: str) -> str:
        """A short name."""
        if iri not in self._short:
            self._short[iri] = self.vocabulary.compact(iri.strip("<>"))
        return self._short[iri]


def label(labels: Sequence[str | None], place: int, iri: str, base: str) -> tuple[str, str]:
    """The label of a resource in the language of that place, and the language that it is really in;
    its short IRI where it has none.
    """
    given = labels[place] or next((item for item in labels if item), None)
    if given is None:
        return iri.strip("<>").removeprefix(base), ""
    text, language, _ = literal(given)
    return text or iri.strip("<>").removeprefix(base), language
