"""Declarations without effect or in conflict: unused terms, shapes without a match, prefixes, terms
of shapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from lodpipe.checks.records import term_finding
from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.statements import Statements
from lodpipe.rdf.namespaces import OWL, RDF, RDFS, SH
from lodpipe.rdf.terms import TYPE
from lodpipe.shacl.shapes import Shapes
from lodpipe.sources import Table
from lodpipe.sources.record_declaration import Field

_TERMS = frozenset(
    f"<{term}>"
    for term in (
        RDF + "Property", RDFS + "Class", RDFS + "Datatype",
        OWL + "Class", OWL + "ObjectProperty", OWL + "DatatypeProperty", OWL + "AnnotationProperty",
    )
)  # fmt: skip
_SHAPE_TERMS = tuple(
    f"<{SH}{name}>"
    for name in ("path", "class", "datatype", "targetClass", "targetSubjectsOf", "targetObjectsOf")
)
_PREFIX = re.compile(r"^\s*@?prefix\s+([\w.-]*):\s*<([^<>\s]*)>", re.IGNORECASE | re.MULTILINE)


def lint_findings(
    statements: Statements,
    vocabulary: Vocabulary,
    shapes: Shapes,
    prefixes: Mapping[str, str],
    project: Project,
    tables: Iterable[Table] = (),
) -> Iterator[Finding]:
    """All checks of this module; `prefixes` are those of the mapping, `tables` the declared record
    tables, whose types are terms too.
    """
    root, graph = project.root, _Graph(statements, vocabulary)
    types = {name for table in tables for name in _types(table.fields.values())}
    yield from unused_terms(graph, vocabulary, root, types)
    yield from unmatched_shapes(graph, shapes, vocabulary, project)
    yield from shape_terms(shapes, vocabulary, root)
    yield from redefined_prefixes(vocabulary, prefixes, root)
    yield from missing_superclasses(statements, vocabulary)


class _Graph:
    """Which predicates, classes and datatypes the statements of the records use, queried once."""

    def __init__(self, statements: Statements, vocabulary: Vocabulary) -> None:
        self.session = statements.session
        self.predicates: set[str] = {
            row[0] for row in self.session.rows("SELECT DISTINCT p FROM statements")
        }
        # The ontology's own statements have no rule; a term that only describes itself is not used.
        self.used: set[str] = {
            row[0]
            for row in self.session.rows(
                "SELECT DISTINCT p FROM statements WHERE rule IS NOT NULL UNION SELECT DISTINCT o FROM statements WHERE rule IS NOT NULL AND p = ? "
                "UNION SELECT DISTINCT regexp_extract(o, '(<[^<>]*>)$', 1) FROM statements WHERE rule IS NOT NULL AND o LIKE '\"%>'",
                [TYPE],
            )
        }
        self.used |= {
            o for _, p, o, _ in vocabulary.triples if p.startswith(f"<{RDFS}") and o.startswith("<")
        }
        self.used |= {p for _, p, _, _ in vocabulary.triples}
        self.classes: set[str] = {
            row[0]
            for row in self.session.rows("SELECT DISTINCT o FROM statements WHERE p = ?", [TYPE])
        }
        above = {s: o for s, p, o, _ in vocabulary.triples if p == f"<{RDFS}subClassOf>"}
        for name in list(self.classes):
            while name in above and above[name] not in self.classes:
                name = above[name]
                self.classes.add(name)

    def has_node(self, term: str) -> bool:
        """Whether a statement has the node as subject or object."""
        return bool(
            self.session.rows("SELECT 1 FROM statements WHERE s = ? OR o = ? LIMIT 1", [term, term])
        )


# -- terms -----------------------------------------------------------------------------------------


def unused_terms(
    graph: _Graph, vocabulary: Vocabulary, root: Path, types: Collection[str] = ()
) -> Iterator[Finding]:
    """Own properties, classes and datatypes that no statement of a record, no other term and no
    field uses: a warning. `types` are those of the fields, as prefixed names.
    """
    own = {s for s, p, o, _ in vocabulary.triples if p == TYPE and o in _TERMS}
    for term in sorted(own - graph.used):
        if (name := vocabulary.compact(term[1:-1])) not in types:
            yield Finding("LP508", vocabulary.origin(term, root), {"term": name}, Severity.WARNING)


def _types(fields: Iterable[Field]) -> Iterator[str]:
    """The types of fields, those in lists and maps included."""
    for entry in fields:
        if entry.kind == "value":
            yield entry.target
        yield from _types([*entry.fields.values(), *([entry.item] if entry.item else [])])


def missing_superclasses(statements: Statements, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Classes stated without a superclass that their term list names: a query for the superclass
    finds only a part.
    """
    for name, superclass, count, rule in statements.without_superclass(vocabulary.superclasses):
        where = statements.rules[rule].origin if rule is not None else Origin("ontology")
        params = {
            "term": vocabulary.compact(name[1:-1]), "superclass": vocabulary.compact(superclass[1:-1]), "count": f"{count:,}",
        }  # fmt: skip
        yield Finding("LP515", where, params, Severity.WARNING)


# -- shapes ----------------------------------------------------------------------------------------


def unmatched_shapes(
    graph: _Graph, shapes: Shapes, vocabulary: Vocabulary, project: Project
) -> Iterator[Finding]:
    """Shapes whose targets all match nothing: a warning, because such a check never runs;
    `unmatched_shapes` in publication.yaml names exceptions.
    """
    targets: dict[str, list[tuple[bool, str]]] = {}
    off = {s for s, p, o in shapes.triples if p == f"<{SH}deactivated>" and o.startswith('"true"')}
    for s, p, o in shapes.triples:
        kind = p.removeprefix(f"<{SH}target").removesuffix(">")
        if kind == "Class":
            targets.setdefault(s, []).append((o in graph.classes, f"no {_short(o, vocabulary)}"))
        elif kind in ("SubjectsOf", "ObjectsOf"):
            targets.setdefault(s, []).append((o in graph.predicates, f"no {_short(o, vocabulary)}"))
        elif kind == "Node":
            targets.setdefault(s, []).append((graph.has_node(o), f"no {_short(o, vocabulary)}"))
    for shape, matches in targets.items():
        name = shapes.name(shape, vocabulary)
        if (
            shape not in off
            and name not in project.publication.unmatched_shapes
            and not any(hit for hit, _ in matches)
        ):
            words = {"shape": name, "detail": ", ".join(miss for _, miss in matches)}
            yield Finding("LP509", shapes.origin(shape, project.root), words, Severity.WARNING)


def _short(term: str, vocabulary: Vocabulary) -> str:
    return vocabulary.compact(term[1:-1]) if term.startswith("<") else term


def shape_terms(shapes: Shapes, vocabulary: Vocabulary, root: Path) -> Iterator[Finding]:
    """Terms in shapes that their vocabulary does not have: such a shape can never be satisfied, or
    never be violated.
    """
    seen: set[tuple[str, str]] = set()
    for s, p, o in shapes.triples:
        if (
            p not in _SHAPE_TERMS
            or not o.startswith("<")
            or o.startswith("<urn:shape:")
            or (o, shapes.origins.get(s, "")) in seen
        ):
            continue
        seen.add((o, shapes.origins.get(s, "")))
        iri = o[1:-1]
        if (
            iri.startswith(vocabulary.base)
            or (finding := term_finding(iri, vocabulary, Origin(""))) is None
        ):
            continue
        file = shapes.origins.get(s, "shapes")
        yield Finding(
            finding.code, Origin(file, _line_of(root / file, iri, vocabulary)), finding.params
        )


def _line_of(path: Path, iri: str, vocabulary: Vocabulary) -> int:
    """The first line of a file that names an IRI, in full or in short."""
    short = vocabulary.compact(iri)
    local = re.split(r"[/#]", iri)[-1]
    lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else []
    for name in (f"<{iri}>", short, f":{local}"):
        for number, line in enumerate(lines, 1):
            if (
                name
                and re.search(rf"{re.escape(name)}(?![\w-])", line)
                and not line.lstrip().lower().startswith(("@prefix", "prefix"))
            ):
                return number
    return 0


# -- prefixes --------------------------------------------------------------------------------------


def redefined_prefixes(
    vocabulary: Vocabulary, mapping: Mapping[str, str], root: Path
) -> Iterator[Finding]:
    """Prefixes that mean one namespace in the context or the term lists and another one in a Turtle
    file or the mapping: a warning.
    """
    known = vocabulary.prefixes
    for path in sorted(
        [*(root / "ontology").glob("[!.]*.ttl"), *(root / "shapes").glob("[!.]*.ttl")]
    ):
        text = path.read_text("utf-8", errors="replace")
        for match in _PREFIX.finditer(text):
            prefix, namespace = match.groups()
            absolute = (
                namespace
                if re.match(r"[A-Za-z][\w+.-]*:", namespace)
                else vocabulary.base + namespace
            )
            if known.get(prefix, absolute) != absolute:
                params = {"prefix": prefix, "namespace": absolute, "other": known[prefix]}
                line = text.count("\n", 0, match.start(1)) + 1
                yield Finding(
                    "LP514",
                    Origin(path.relative_to(root).as_posix(), line),
                    params,
                    Severity.WARNING,
                )
    for prefix, namespace in mapping.items():
        if known.get(prefix, namespace) != namespace:
            file = root / "source/mapping.yaml"
            lines = file.read_text("utf-8", errors="replace").split("\n") if file.is_file() else []
            line = next(
                (
                    number
                    for number, text in enumerate(lines, 1)
                    if re.search(rf"(^|[\s{{,]){re.escape(prefix)}:\s", text)
                ),
                0,
            )
            params = {"prefix": prefix, "namespace": namespace, "other": known[prefix]}
            yield Finding("LP514", Origin("source/mapping.yaml", line), params, Severity.WARNING)
