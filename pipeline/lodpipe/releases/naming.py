"""What changed resources, their kinds and their properties are called, for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import SiteKeys
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.namespaces import RDF, Namespaces
from lodpipe.rdf.terms import TYPE, parse_literal
from lodpipe.releases.change_set import ChangeSet

Texts = Mapping[str, str]
_NAME = {"de": "Name", "en": "name"}


@dataclass(frozen=True)
class KindName:
    """What resources of a class are called: one, several, and the properties that name them where
    they have no label.
    """

    label: Texts = field(default_factory=dict)
    plural: Texts = field(default_factory=dict)
    name: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """The declared names of classes and properties; terms in angle brackets."""

    namespaces: Namespaces = field(default_factory=lambda: Namespaces({"rdf": RDF}))
    kinds: Mapping[str, KindName] = field(default_factory=dict)
    properties: Mapping[str, Texts] = field(default_factory=dict)

    def kind(self, class_: str, language: str, *, many: bool = False) -> str:
        """What a resource of a class is called, or several of them."""
        name = self.kinds.get(class_)
        texts = (name.plural if many else name.label) if name else {}
        return in_language(texts, language) or words(class_)

    def property(self, term: str, language: str) -> str:
        """What a property is called."""
        name = _NAME if term in LABELS else {}
        return in_language(self.properties.get(term, name), language) or words(term)


def project_terms(project: Project, vocabulary: Vocabulary) -> Terms:
    """The names that publication.yaml (`site`) and the ontology declare."""
    declared = project.publication.site
    site = SiteKeys() if isinstance(declared, bool) else declared
    namespaces = vocabulary.namespaces

    def term(name: str) -> str:
        return f"<{namespaces.expand(name) or (name if '://' in name else vocabulary.base + name)}>"

    properties: dict[str, dict[str, str]] = {}
    for s, p, o, _ in vocabulary.triples:
        if p in LABELS and (text := parse_literal(o)):
            properties.setdefault(s, {}).setdefault(text.language, text.text)
    kinds = {
        term(kind.class_): KindName(
            kind.label, kind.plural or kind.label, tuple(term(name) for name in kind.name)
        )
        for kind in site.kinds
    }
    properties |= {term(name): dict(label) for name, label in site.terms.items()}
    return Terms(namespaces, kinds, properties)


class Names:
    """The labels and kinds of some resources, read from both versions of a change set."""

    def __init__(self, changes: ChangeSet, terms: Terms, subjects: Iterable[bytes]) -> None:
        self.terms = terms
        self._labels: dict[bytes, list[str]] = {}
        self._types: dict[bytes, list[str]] = {}
        self._parts: dict[bytes, dict[str, str]] = {}
        self._naming = {name for kind in terms.kinds.values() for name in kind.name}
        wanted = sorted(set(subjects))
        self._read(changes, wanted)
        parts = {
            value.encode()
            for values in self._parts.values()
            for value in values.values()
            if value.startswith("<")
        }
        self._read(changes, sorted(parts.difference(wanted)))

    def _read(self, changes: ChangeSet, subjects: Sequence[bytes]) -> None:
        ranks: dict[bytes, int] = {}
        # What the new version says is read first, and stays.
        for new in (True, False):
            known = set(self._labels) | set(self._types)
            missing = subjects if new else [name for name in subjects if name not in known]
            for line in changes.statements(missing, new=new):
                subject, predicate, rest = line.split(b" ", 2)
                name = predicate.decode()
                if name in LABELS:
                    rank = LABELS.index(name)
                    if rank < ranks.get(subject, len(LABELS)):
                        ranks[subject] = rank
                        self._labels[subject] = []
                    if rank == ranks[subject]:
                        self._labels[subject].append(object_of(rest))
                elif name == TYPE:
                    self._types.setdefault(subject, []).append(object_of(rest))
                elif name in self._naming:
                    self._parts.setdefault(subject, {}).setdefault(name, object_of(rest))

    def kind_of(self, subject: bytes) -> str | None:
        """The class by which a resource is called: the first declared one that it has, else its
        first.
        """
        types = self._types.get(subject, ())
        declared = next((name for name in self.terms.kinds if name in types), None)
        return declared or (types[0] if types else None)

    def kind(self, subject: bytes, language: str) -> str:
        """What kind of resource it is."""
        class_ = self.kind_of(subject)
        return self.terms.kind(class_, language) if class_ else ""

    def labels(self, subject: bytes) -> dict[str, str]:
        """The label of a resource by language; the empty key for a text without one."""
        texts = [parse_literal(term) for term in self._labels.get(subject, ())]
        return {text.language: text.text for text in reversed(texts) if text}

    def label(self, subject: bytes, language: str) -> str:
        """What a resource is called: its label, or the labels of what its kind is named by, or its
        short name.
        """
        if label := in_language(self.labels(subject), language):
            return label
        kind = self.terms.kinds.get(self.kind_of(subject) or "")
        parts = self._parts.get(subject, {})
        named = [parts[name] for name in (kind.name if kind else ()) if name in parts]
        if named:
            return " – ".join(self._plain(term, language) for term in named)
        return self.terms.namespaces.shorten(subject.decode().strip("<>"))

    def _plain(self, term: str, language: str) -> str:
        if term.startswith('"'):
            return value_text(term)
        return in_language(self.labels(term.encode()), language) or self.terms.namespaces.shorten(
            term.strip("<>")
        )

    def value(self, term: str, language: str) -> str:
        """An object as people read it: the text of a literal, the label of a resource."""
        return value_text(term) if term.startswith('"') else self.label(term.encode(), language)


def in_language(texts: Texts, language: str) -> str:
    """A text in a language, else in English, else any."""
    return (
        texts.get(language)
        or texts.get("")
        or texts.get("en")
        or next((texts[key] for key in sorted(texts)), "")
    )


def words(term: str) -> str:
    """The last part of an IRI as words.

    >>> words("<https://schema.org/containedInPlace>")
    'contained in place'
    """
    name = re.split(r"[/#:]", term.strip("<>").rstrip("/#"))[-1]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ")
    return spaced.lower() or term.strip("<>")


def value_text(term: str) -> str:
    """A literal as people read it, with its language where it has one.

    >>> value_text('"Haus"@de'), value_text('"3"^^<http://www.w3.org/2001/XMLSchema#integer>')
    ('Haus (de)', '3')
    """
    text = parse_literal(term)
    if text is None:
        return term
    return f"{text.text} ({text.language})" if text.language else text.text


_GRAPH = re.compile(r" (?:<[^<>\" ]*>|_:[^ ]+)$")


def object_of(rest: bytes) -> str:
    """The object of what follows the predicate in a line: object, graph (if any) and dot.

    >>> object_of(b'"a <b>" <https://example.org/g> .'), object_of(b"<https://example.org/o> .")
    ('"a <b>"', '<https://example.org/o>')
    """
    return split_object(rest)[0]


def split_object(rest: bytes) -> tuple[str, str]:
    """The same with the graph, which is empty in the default graph."""
    text = rest.decode().removesuffix(".").removesuffix(" ")
    if not text.startswith('"'):
        value, _, graph = text.partition(" ")
        return value, graph
    match = _GRAPH.search(text)
    return (text[: match.start()], match[0][1:]) if match else (text, "")
