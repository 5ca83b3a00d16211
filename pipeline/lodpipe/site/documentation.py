"""Pages about the publication itself: its own terms, its shapes, its sample queries, each from the
declarations that the build obeys.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lodpipe.queries.samples import Query, result_file
from lodpipe.rdf.namespaces import RDFS, SH, SKOS
from lodpipe.rdf.terms import TYPE
from lodpipe.shacl.shapes import Shapes
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.names import Names, chosen, literal
from lodpipe.site.values import Value, is_safe, of_cell, readable_iri

ROWS = 200  # rows of a result on its page
_CLASSES = {f"<{RDFS}Class>": "classes", "<http://www.w3.org/2002/07/owl#Class>": "classes"}
_GROUPS = _CLASSES | {
    "<http://www.w3.org/2002/07/owl#ObjectProperty>": "properties",
    "<http://www.w3.org/2002/07/owl#DatatypeProperty>": "properties",
    "<http://www.w3.org/1999/02/22-rdf-syntax-ns#Property>": "properties",
    f"<{RDFS}Datatype>": "datatypes",
    f"<{SKOS}ConceptScheme>": "concept_schemes",
}
_MEANING = (f"<{SKOS}definition>", f"<{RDFS}comment>", "<http://purl.org/dc/terms/description>")


@dataclass
class Term:
    """An own term as the vocabulary shows it."""

    value: Value
    short: str
    meaning: Value
    domain: list[Value]
    range: list[Value]
    members: list[Value]


@dataclass
class Rule:
    """A constraint of a shape on one property."""

    path: Value
    name: str
    constraints: list[str]
    message: Value


@dataclass
class ShapePage:
    """A shape with its rules."""

    iri: str
    page: str
    name: str
    targets: list[Value]
    rules: list[Rule]


class Documentation:
    """What is declared, in one language."""

    def __init__(self, names: Names, addresses: Addresses, language: str) -> None:
        self.names, self.addresses, self.language = names, addresses, language
        self.suffix = addresses.suffix(language) + ".html"
        self.declared: dict[tuple[str, str], list[str]] = {}
        self._by_shape: dict[str, dict[str, list[str]]] = {}
        for s, p, o, _ in names.vocabulary.triples:
            self.declared.setdefault((s, p), []).append(o)

    # -- terms -------------------------------------------------------------------------------------

    def vocabulary(self) -> dict[str, list[Term]]:
        """The own terms in groups; concepts are under their scheme."""
        groups: dict[str, list[Term]] = {
            "classes": [],
            "properties": [],
            "datatypes": [],
            "concept_schemes": [],
        }
        for (s, p), classes in sorted(self.declared.items()):
            if p == TYPE:
                for group in {_GROUPS[class_] for class_ in classes if class_ in _GROUPS}:
                    groups[group].append(self._term(s, members=group == "concept_schemes"))
        return {
            name: sorted(terms, key=lambda term: term.value.text.casefold())
            for name, terms in groups.items()
            if terms
        }

    def _term(self, s: str, *, members: bool) -> Term:
        inside = (
            [
                item
                for (item, p), schemes in sorted(self.declared.items())
                if p == f"<{SKOS}inScheme>" and s in schemes
            ]
            if members
            else []
        )
        return Term(
            self._link(s, ""),
            self.names.compact(s),
            next(
                (self._text(self.declared[s, p]) for p in _MEANING if (s, p) in self.declared),
                Value(""),
            ),
            [self._link(item, "") for item in self.declared.get((s, f"<{RDFS}domain>"), ())],
            [self._link(item, "") for item in self.declared.get((s, f"<{RDFS}range>"), ())],
            [self._link(item, "") for item in inside],
        )

    def _text(self, literals: list[str]) -> Value:
        """The text in the language of the page, else the first."""
        texts = {tag: text for text, tag, _ in map(literal, literals)}
        text = chosen(texts, self.language)
        tag = next((tag for tag, item in texts.items() if item == text), "")
        return Value(text, lang=tag if tag != self.language else "")

    def _link(self, iri: str, root: str) -> Value:
        own = iri[1:-1] in self.names.vocabulary.own_terms
        page = self.addresses.page(iri[1:-1]) if own else None
        if page:
            return Value(self.names.term(iri, self.language), root + href(page) + self.suffix)
        return Value(self.names.compact(iri), iri[1:-1] if is_safe(iri[1:-1]) else None, away=True)

    # -- shapes ------------------------------------------------------------------------------------

    def shapes(self, shapes: Shapes) -> list[str]:
        """Every node shape that can have a page."""
        pages = {
            s
            for s, p, o in shapes.triples
            if p == TYPE and o == f"<{SH}NodeShape>" and self.addresses.page(s[1:-1])
        }
        return sorted(pages)

    def shape(self, shapes: Shapes, s: str, root: str | None = None) -> ShapePage:
        """A shape with its rules; links begin with `root` (default: for its own page)."""
        page = self.addresses.page(s[1:-1]) or ""
        root = up(page) if root is None else root
        kinds = ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf")
        targets = [
            self._link(part, root) for kind in kinds for part in shapes.parts.get((s, kind), ())
        ]
        rules = [self._rule(shapes, part, root) for part in shapes.parts.get((s, "property"), ())]
        if any(
            (s, name) in shapes.parts for name in ("message", "sparql", "nodeKind", "or", "not")
        ):
            rules.append(self._rule(shapes, s, root))
        return ShapePage(s[1:-1], page, self._name(shapes, s), targets, rules)

    def _name(self, shapes: Shapes, shape: str) -> str:
        labels = shapes.parts.get((shape, f"{RDFS}label"), [])
        return self._text(labels).text if labels else self.names.compact(shape)

    def _rule(self, shapes: Shapes, shape: str, root: str) -> Rule:
        paths = shapes.parts.get((shape, "path"), [])
        path = (
            self._link(paths[0], root)
            if paths and paths[0].startswith("<")
            else Value("…" if paths else "")
        )
        names = shapes.parts.get((shape, "name"), [])
        messages = shapes.parts.get((shape, "message"), [])
        return Rule(
            path,
            self._text(names).text if names else "",
            list(self._constraints(shapes, shape)),
            self._text(messages) if messages else Value(""),
        )

    def _constraints(self, shapes: Shapes, shape: str) -> Iterator[str]:
        """The constraints in short form, in the spelling of SHACL."""
        passed = {
            "path",
            "name",
            "message",
            "property",
            "targetClass",
            "targetNode",
            "targetSubjectsOf",
            "targetObjectsOf",
            "order",
            "group",
        }
        for part, values in sorted(self._parts(shapes).get(shape, {}).items()):
            if part not in passed and "://" not in part:
                text = ", ".join(self._short(shapes, value) for value in values)
                yield f"{part} {text}" if part != "severity" else f"severity {text}"

    def _parts(self, shapes: Shapes) -> dict[str, dict[str, list[str]]]:
        """The parts of each shape."""
        if not self._by_shape:
            for (s, part), values in shapes.parts.items():
                self._by_shape.setdefault(s, {})[part] = values
        return self._by_shape

    def _short(self, shapes: Shapes, term: str) -> str:
        if term.startswith("<"):
            return self.names.compact(term)
        if term.startswith('"'):
            return literal(term)[0]
        members = shapes.members(term)
        return (
            "(" + " ".join(self._short(shapes, member) for member in members) + ")"
            if members
            else "[…]"
        )

    # -- queries -----------------------------------------------------------------------------------

    def query(self, query: Query, root: Path) -> dict[str, Any]:
        """A sample query with its stored result."""
        path = root / "queries/results" / Path(result_file(query)).name
        result = path.read_text("utf-8") if path.is_file() else None
        view: dict[str, Any] = {
            "name": query.name, "title": chosen(query.title, self.language), "description": chosen(query.description, self.language),
            "text": plain(query.text), "federated": query.federated or "", "head": [], "rows": [], "total": 0, "raw": "", "form": query.form,
        }  # fmt: skip
        if result is not None and path.suffix == ".csv":
            rows = list(csv.reader(io.StringIO(result)))
            head = rows[0] if rows else []
            titles = [
                chosen(column.title, self.language) if (column := query.columns.get(name)) else ""
                for name in head
            ]
            names = [title or name for title, name in zip(titles, head, strict=True)]
            view |= {"head": names, "total": max(0, len(rows) - 1)}
            view["rows"] = [self._row(query, head, row) for row in rows[1 : ROWS + 1]]
        elif result is not None:
            lines = result.splitlines()
            view |= {"raw": "\n".join(lines[: 2 * ROWS]), "total": len(lines)}
        return view

    def _row(self, query: Query, head: Sequence[str], row: Sequence[str]) -> list[Value]:
        """The cells of a row, numbers with the units that the query declares."""
        values = dict(zip(head, row, strict=True))
        units = [query.columns[name].unit if name in query.columns else "" for name in head]
        return [
            self._cell(cell, values.get(unit[1:], "") if unit.startswith("?") else unit)
            for cell, unit in zip(row, units, strict=True)
        ]

    def _cell(self, cell: str, unit: str) -> Value:
        if not is_safe(cell):
            return of_cell(cell, unit, self.language)
        page = self.addresses.page(cell)
        if page:
            return Value(cell.removeprefix(self.addresses.base), "../" + href(page) + self.suffix)
        return Value(readable_iri(cell), cell, away=True)


def plain(text: str) -> str:
    """A query without its header lines."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#+")).strip() + "\n"


def closure(about: Mapping[str, list[tuple[str, str]]], shape: str) -> list[tuple[str, str, str]]:
    """Everything that a shape says (from `about`), with its property shapes and what they hold;
    blank nodes are numbered in the order of the file.
    """
    names: dict[str, str] = {}
    triples: list[tuple[str, str, str]] = []
    waiting, seen = [shape], {shape}
    while waiting:
        s = waiting.pop(0)
        for p, o in about.get(s, ()):
            triples.append((s, p, o))
            inner = o.startswith("_:") or (p == f"<{SH}property>" and o in about)
            if inner and o not in seen:
                seen.add(o)
                waiting.append(o)
                if o.startswith("_:"):
                    names[o] = f"_:b{len(names)}"
    return sorted({(names.get(s, s), p, names.get(o, o)) for s, p, o in triples})


def about(shapes: Shapes) -> dict[str, list[tuple[str, str]]]:
    """The statements about each node of the shapes graph, in the order of the files."""
    described: dict[str, list[tuple[str, str]]] = {}
    for s, p, o in shapes.triples:
        described.setdefault(s, []).append((p, o))
    return described
