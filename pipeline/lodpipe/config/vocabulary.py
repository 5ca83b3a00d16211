"""ontology/: own terms and concepts, the JSON-LD context, and the term lists of the vocabularies
that are used.
"""

from __future__ import annotations

import json
import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from msgspec import Struct, field

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    Origin,
    invalid_rdf,
)
from lodpipe.documents.readers import inside, read_text
from lodpipe.rdf.namespaces import SKOS, Namespaces
from lodpipe.rdf.terms import plain_text

VALUE_PATTERN = "https://schema.org/valuePattern"


class TermList(Struct, frozen=True):
    """The terms of an external vocabulary, as far as its list names them.

    `deprecated` has the successor of each superseded term (or an empty text), `superclasses` the
    classes to be stated beside a class.
    """

    prefix: str
    namespace: str
    terms: frozenset[str]
    deprecated: dict[str, str]
    superclasses: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Vocabulary(Struct, frozen=True, dict=True):
    """Everything that ontology/ declares; `triples` are (subject, predicate, object, file) in
    N-Triples spelling.
    """

    base: str
    triples: tuple[tuple[str, str, str, str], ...]
    context: dict[str, Any]
    lists: dict[str, TermList]

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """Prefix → namespace: those of the context, then those of the term lists."""
        listed = {list_.prefix: list_.namespace for list_ in self.lists.values()}
        named = {
            name: value
            for name, value in self.context.items()
            if isinstance(value, str) and value.endswith(("/", "#"))
        }
        return listed | named

    @cached_property
    def concepts(self) -> dict[str, tuple[str, ...]]:
        """Scheme → names of its concepts, both as the last part of their IRIs, in order."""
        members: dict[str, list[str]] = {}
        for s, p, o, _ in self.triples:
            if p == f"<{SKOS}inScheme>":
                members.setdefault(_last(o), []).append(_last(s))
        return {scheme: tuple(sorted(names)) for scheme, names in sorted(members.items())}

    @cached_property
    def patterns(self) -> dict[str, str]:
        """IRI of each own datatype → the pattern of its texts."""
        return {s[1:-1]: plain_text(o) for s, p, o, _ in self.triples if p == f"<{VALUE_PATTERN}>"}

    def concept_rows(self, languages: tuple[str, ...]) -> tuple[list[str], list[list[str | None]]]:
        """Columns and rows of the table `concepts`: scheme, name, and the label in each language,
        for queries of the mapping.
        """
        labels: dict[str, dict[str, str]] = {}
        for s, p, o, _ in self.triples:
            if p == f"<{SKOS}prefLabel>":
                value, _, language = o.rpartition("@")
                labels.setdefault(s, {})[language] = plain_text(value)
        schemes = [(s, o) for s, p, o, _ in self.triples if p == f"<{SKOS}inScheme>"]
        rows: list[list[str | None]] = [
            [
                _last(scheme),
                _last(concept),
                *(labels.get(concept, {}).get(language) for language in languages),
            ]
            for concept, scheme in schemes
        ]
        return ["scheme", "name", *(f"label_{language}" for language in languages)], rows

    @cached_property
    def superclasses(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a class and a superclass that is to be stated beside it, as IRIs."""
        return tuple(
            (list_.namespace + name, list_.namespace + superclass)
            for list_ in self.lists.values()
            for name, superclasses in list_.superclasses.items()
            for superclass in superclasses
        )

    @cached_property
    def own_terms(self) -> frozenset[str]:
        """IRIs that the ontology describes."""
        return frozenset(s[1:-1] for s, _, _, _ in self.triples)

    @cached_property
    def namespaces(self) -> Namespaces:
        """The prefixes of the context, and the base IRI."""
        return Namespaces(self.prefixes, self.base)

    def compact(self, iri: str) -> str:
        """An IRI in short form where a prefix or the base IRI allows."""
        return self.namespaces.shorten(iri)

    def origin(self, subject: str, root: Path) -> Origin:
        """The line on which an own term is described first."""
        file = next((file for s, _, _, file in self.triples if s == subject), "ontology")
        name = re.split(r"[/#]", subject[1:-1])[-1]
        described = re.compile(rf"^[^\s#]*[:/<]{re.escape(name)}>?\s")
        path = root / file
        lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else []
        return Origin(
            file, next((number for number, line in enumerate(lines, 1) if described.match(line)), 0)
        )


def _last(iri: str) -> str:
    """The last part of an IRI in N-Triples spelling."""
    return iri[1:-1].rsplit("/", 1)[-1]


def read_turtle(path: Path, name: str, base: str) -> list[tuple[str, str, str]]:
    """The triples of a Turtle file in N-Triples spelling, relative IRIs resolved against the base.
    Raises InvalidDeclaration (LP603).
    """
    try:
        parsed = ox.parse(read_text(path, name), format=ox.RdfFormat.TURTLE, base_iri=base)
        return [(str(q.subject), str(q.predicate), str(q.object)) for q in parsed]
    except SyntaxError as error:
        raise InvalidDeclaration([invalid_rdf(name, "Turtle", error)]) from None


def read_vocabulary(root: Path, base: str) -> Vocabulary:
    """Reads ontology/. Raises InvalidDeclaration with every problem of its files (LP601, LP603)."""
    folder = root / "ontology"
    findings: list[Finding] = []
    triples: list[tuple[str, str, str, str]] = []
    for path in sorted(folder.glob("[!.]*.ttl")):
        name = path.relative_to(root).as_posix()
        try:
            statements = read_turtle(inside(path, root, name), name, base)
        except (InvalidDeclaration, InvalidData) as error:
            findings += error.findings
            continue
        if any("_:" in (s[:2], o[:2]) for s, _, o in statements):
            unpublished = ValueError("blank nodes are not published; give each node an IRI")
            findings.append(invalid_rdf(name, "Turtle", unpublished))
        triples += [(*triple, name) for triple in statements]
    context = _read_context(folder / "context.jsonld", base, findings)
    lists = {item.namespace: item for item in _packaged_lists()}
    for path in sorted((folder / "vocabularies").glob("[!.]*.txt")):
        name = f"ontology/vocabularies/{path.name}"
        own = _read_terms(inside(path, root, name), name)
        lists[own.namespace] = own
    if findings:
        raise InvalidDeclaration(findings)
    return Vocabulary(base, tuple(sorted(set(triples))), context, lists)


def _read_context(path: Path, base: str, findings: list[Finding]) -> dict[str, Any]:
    """The JSON-LD context, with relative namespaces made absolute; empty where there is no file."""
    if not path.is_file():
        return {}
    try:
        context = json.loads(read_text(path, "ontology/context.jsonld"))["@context"]
    except InvalidData as error:
        findings += error.findings
        return {}
    except (ValueError, KeyError, TypeError) as error:
        line = getattr(error, "lineno", 0)
        findings.append(
            Finding(
                "LP601",
                Origin("ontology/context.jsonld", line),
                {"detail": f"no JSON with an @context: {error}"},
            )
        )
        return {}
    if not isinstance(context, dict) or any(
        isinstance(value, str) and key == "@import" for key, value in context.items()
    ):
        findings.append(
            Finding(
                "LP601",
                Origin("ontology/context.jsonld"),
                {"detail": "@context is a map without remote parts"},
            )
        )
        return {}
    relative = re.compile(r"[A-Za-z][\w-]*/")
    return {
        key: base + value if isinstance(value, str) and relative.fullmatch(value) else value
        for key, value in context.items()
    }


@cache
def _packaged_lists() -> tuple[TermList, ...]:
    """The term lists of well-known vocabularies, which are part of the package."""
    folder = Path(__file__).parent / "vocabularies"
    return tuple(_read_terms(path, path.name) for path in sorted(folder.glob("*.txt")))


def well_known_prefixes() -> dict[str, str]:
    """Prefix → namespace of the vocabularies that the package knows."""
    return {entry.prefix: entry.namespace for entry in _packaged_lists()}


def _read_terms(path: Path, name: str) -> TermList:
    """A term list: lines `# prefix: x`, `# namespace: …`, then `class X`, `class Y < X, Z`,
    `property y`, `property old -> new`. Raises InvalidDeclaration (LP601).
    """
    head: dict[str, str] = {}
    terms: set[str] = set()
    deprecated: dict[str, str] = {}
    superclasses: dict[str, tuple[str, ...]] = {}
    for line in read_text(path, name).split("\n"):
        if line.startswith("#"):
            key, _, value = line[1:].partition(":")
            head[key.strip()] = value.strip()
        elif line.strip():
            _, _, term = line.partition(" ")
            term, arrow, successor = term.partition("->")
            term, below, classes = term.partition("<")
            terms.add(term.strip())
            if arrow:
                deprecated[term.strip()] = successor.strip()
            if below:
                superclasses[term.strip()] = tuple(part.strip() for part in classes.split(","))
    if missing := {"prefix", "namespace"} - head.keys():
        raise InvalidDeclaration(
            [
                Finding(
                    "LP601",
                    Origin(name),
                    {"detail": f"a term list begins with `# {min(missing)}: …`"},
                )
            ]
        )
    unknown = sorted({class_ for classes in superclasses.values() for class_ in classes} - terms)
    if unknown:
        raise InvalidDeclaration(
            [
                Finding(
                    "LP601",
                    Origin(name),
                    {"detail": f"the superclass `{unknown[0]}` is not in this list"},
                )
            ]
        )
    return TermList(head["prefix"], head["namespace"], frozenset(terms), deprecated, superclasses)
