"""SHACL over the statement table: results of an engine become findings at the line of the record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
from msgspec import Struct
from msgspec.structs import replace

from lodpipe.config.vocabulary import Vocabulary, read_turtle
from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin, Severity
from lodpipe.documents.readers import inside
from lodpipe.engine.statements import Statements
from lodpipe.rdf.namespaces import RDF, RDFS, SH
from lodpipe.rdf.terms import parse_literal, plain_text
from lodpipe.shacl.shapes_graph import ShapesGraph, read_model
from lodpipe.shacl.supported import (
    is_passed_over,
    is_rdf_1_2,
    problems,
    rdf_1_2_finding,
    undefined,
    undefined_findings,
)
from lodpipe.shacl.validation_report import Report, ValidationResult

if TYPE_CHECKING:
    import _duckdb as duckdb
    import rdflib

Triple = tuple[str, str, str]
_NUMBERED = "<urn:shape:"
_TO_A_SHAPE = frozenset(
    f"<{SH}{item}>" for item in ("property", "node", "not", "qualifiedValueShape")
)
_SHAPE_CLASSES = (f"<{SH}NodeShape>", f"<{SH}PropertyShape>")
_PATHS = ("inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
_OF_A_PATH = frozenset({*(f"<{SH}{item}>" for item in _PATHS), f"<{RDF}first>"})
SEVERITIES = {"Violation": Severity.ERROR, "Warning": Severity.WARNING, "Info": Severity.INFO}


class Result(Struct, frozen=True, order=True):
    """One sh:ValidationResult: terms in N-Triples spelling, the path empty where there is none or
    it is no plain predicate.
    """

    focus: str
    path: str
    value: str
    component: str
    shape: str
    severity: str
    messages: tuple[str, ...] = ()


class Shapes(Struct, frozen=True, dict=True):
    """The triples of a shapes graph, the messages of each shape by language, and its file; shapes
    without an IRI are numbered.
    """

    triples: tuple[Triple, ...]
    messages: Mapping[str, Mapping[str, str]]
    origins: Mapping[str, str]
    findings: tuple[Finding, ...] = ()  # warnings

    @property
    def ntriples(self) -> str:
        """The shapes graph as N-Triples."""
        return ntriples(self.triples)

    @cached_property
    def model(self) -> ShapesGraph:
        """The shapes as the engine `columns` reads them. Raises InvalidDeclaration (LP605) for
        invalid ones.
        """
        return read_model(self.triples, self.place)

    @cached_property
    def parts(self) -> dict[tuple[str, str], list[str]]:
        """The values of each property of SHACL (its local name) of each node."""
        parts: dict[tuple[str, str], list[str]] = {}
        for s, p, o in self.triples:
            parts.setdefault((s, p[1:-1].removeprefix(SH)), []).append(o)
        return parts

    def place(self, shape: str) -> Origin:
        """The file of a shape."""
        return Origin(self.origins.get(shape, "shapes"))

    def members(self, head: str) -> list[str]:
        """The members of an RDF list."""
        members: list[str] = []
        while head != f"<{RDF}nil>" and len(members) < 1000:
            members += self.parts.get((head, f"{RDF}first"), [])
            head = next(iter(self.parts.get((head, f"{RDF}rest"), [])), f"<{RDF}nil>")
        return members

    def name(self, shape: str, vocabulary: Vocabulary) -> str:
        """What a shape is called: its IRI in short, or its file where it has none."""
        return (
            self.origins.get(shape, "shapes/")
            if not shape.startswith("<") or shape.startswith(_NUMBERED)
            else vocabulary.compact(shape[1:-1])
        )

    def origin(self, shape: str, root: Path) -> Origin:
        """The line on which a shape is described first."""
        file = self.origins.get(shape, "shapes")
        described = re.compile(
            rf"^\s*(<[^<>]*|[\w.-]*:){re.escape(re.split(r'[/#:]', shape[1:-1])[-1])}>?\s"
        )
        path = root / file
        lines = path.read_text("utf-8", errors="replace").split("\n") if path.is_file() else []
        return Origin(
            file, next((number for number, line in enumerate(lines, 1) if described.match(line)), 0)
        )


def read_shapes(
    root: Path, base: str, folder: str = "shapes", allowed: Collection[str] = ()
) -> Shapes:
    """Reads the *.ttl of a folder with the base IRI; `allowed` are terms that are not supported and
    may be ignored.

    Raises InvalidDeclaration with every broken file (LP603) and every term that would be passed
    over (LP606, LP607).
    """
    findings: list[Finding] = []
    triples: list[tuple[str, str, str]] = []
    origins: dict[str, str] = {}
    sources: dict[str, tuple[list[Triple], str]] = {}
    for number, path in enumerate(sorted((root / folder).glob("[!.]*.ttl"))):
        name = path.relative_to(root).as_posix()
        try:
            statements = read_turtle(inside(path, root, name), name, base)
        except (InvalidDeclaration, InvalidData) as error:
            findings += error.findings
            continue
        source = path.read_text("utf-8")
        if any(is_rdf_1_2(o) for _, _, o in statements):
            findings.append(rdf_1_2_finding(name, source))
            continue
        findings += problems(statements, name, source, allowed)
        statements = _numbered(statements, number)
        sources[name] = statements, source
        triples += statements
        origins |= {s: name for s, _, _ in statements}
    findings += _pathless(triples, origins)
    if findings:
        raise InvalidDeclaration(findings)
    return Shapes(
        tuple(triples), _messages(triples), origins, tuple(undefined_findings(triples, sources))
    )


def _numbered(triples: list[tuple[str, str, str]], file: int) -> list[tuple[str, str, str]]:
    """Names for the shapes without an IRI, by file and place: engines rename blank nodes, and a
    result must lead back to its shape.

    Lists and paths stay blank, for a path with an IRI would be a predicate. Blank nodes of two
    files never meet.
    """
    aimed = {o for _, p, o in triples if p in _TO_A_SHAPE}
    shapes = {
        s
        for s, p, o in triples
        if p.startswith(f"<{SH}target") or (p == f"<{RDF}type>" and o in _SHAPE_CLASSES)
    }
    shapes |= {o for _, p, o in triples if p == f"<{RDF}first>"} - {
        s for s, p, _ in triples if p in _OF_A_PATH
    }
    names: dict[str, str] = {}

    def name(term: str) -> str:
        if not term.startswith("_:"):
            return term
        form = f"{_NUMBERED}{file}-{{}}>" if term in aimed or term in shapes else f"_:f{file}x{{}}"
        return names.setdefault(term, form.format(len(names)))

    return [(name(s), p, name(o)) for s, p, o in triples]


def _pathless(triples: list[tuple[str, str, str]], origins: Mapping[str, str]) -> list[Finding]:
    """Property shapes without exactly one path (SHACL, 2.3), which engines may pass over in
    silence.
    """
    paths = Counter(s for s, p, _ in triples if p == f"<{SH}path>")
    owners = {o: s for s, p, o in triples if p == f"<{SH}property>"}
    described = {s for s, _, _ in triples}
    wrong = [shape for shape in owners if paths[shape] != 1 and shape in described]
    return [
        Finding(
            "LP605",
            Origin(origins.get(shape) or origins.get(owners[shape], "shapes")),
            {"detail": f"{shape} has {paths[shape]} paths, not one"},
        )
        for shape in wrong
    ]


def _messages(triples: list[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """The sh:message of each shape by language; those of a SPARQL constraint count for its shape."""
    owner = {o: s for s, p, o in triples if p == f"<{SH}sparql>"}
    texts: dict[str, dict[str, str]] = {}
    for s, p, o in triples:
        if p == f"<{SH}message>":
            message = parse_literal(o)
            if message:
                texts.setdefault(owner.get(s, s), {})[message.language] = message.text
    return texts


# -- engines ---------------------------------------------------------------------------------------


def _run_pyshacl(connection: duckdb.DuckDBPyConnection, shapes: Shapes) -> list[Result]:
    """pySHACL, the reference; imported only here, for it takes most of a second."""
    import rdflib

    namespace = rdflib.Namespace(SH)
    report = _pyshacl_report(connection, shapes)
    top = set(report.objects(None, namespace.result))
    results = []
    for node in top:

        def term(name: str, node: rdflib.term.Node = node) -> str:
            value = report.value(node, namespace[name])
            return value.n3() if value is not None else ""

        path = report.value(node, namespace.resultPath)
        results.append(
            Result(
                term("focusNode"),
                path.n3() if isinstance(path, rdflib.URIRef) else "",
                _canonical(term("value")),
                term("sourceConstraintComponent")[1:-1].rsplit("#", 1)[-1],
                term("sourceShape"),
                term("resultSeverity")[1:-1].rsplit("#", 1)[-1],
                tuple(
                    sorted(
                        str(message) for message in report.objects(node, namespace.resultMessage)
                    )
                ),
            )
        )
    return results


def _canonical(term: str) -> str:
    """A term of rdflib's n3() in the spelling of canonical N-Triples (rdflib writes short numbers
    and long strings).
    """
    if not term or term[0] in "<_":
        return term
    (quad,) = ox.parse(f"<a:a> <a:a> {term} .", format=ox.RdfFormat.TURTLE)
    return str(quad.object)


def _pyshacl_report(connection: duckdb.DuckDBPyConnection, shapes: Shapes) -> rdflib.Graph:
    """The report as a graph. Raises InvalidDeclaration (LP609) where pySHACL ends with an error of
    its own.
    """
    import pyshacl
    import rdflib

    rdflib.NORMALIZE_LITERALS = False
    data = connection.execute("SELECT s, p, o FROM triples").fetchall()
    missing = set(
        undefined(shapes.triples)
    )  # property shapes that are not defined demand nothing (LP611); it would refuse them
    rules = [
        triple
        for triple in shapes.triples
        if not is_passed_over(triple)
        and (triple[1] != f"<{SH}property>" or triple[2] not in missing)
    ]
    # Its targets by SPARQL belong to what it calls advanced; rules and expressions, which do as
    # well, are left out above.
    advanced = any(p == f"<{SH}target>" for _, p, _ in rules)
    try:
        graphs = [
            rdflib.Graph().parse(data=ntriples(triples), format="nt") for triples in (data, rules)
        ]
        _, report, _ = pyshacl.validate(
            graphs[0], shacl_graph=graphs[1], advanced=advanced, inplace=True
        )
    except Exception as error:  # it has no class of its own for all that it cannot work with
        detail = " ".join(str(error).split())[:300] or type(error).__name__
        raise InvalidDeclaration([Finding("LP609", None, {"detail": detail})]) from None
    assert isinstance(report, rdflib.Graph), report
    return report


def _run_columns(connection: duckdb.DuckDBPyConnection, shapes: Shapes) -> list[Result]:
    """Our own engine: shapes compiled to queries over the table of statements
    (pipeline/lodpipe/shacl).
    """
    from lodpipe import shacl

    return [result_of(result) for result in shacl.validate(connection, shapes.model).results]


def ntriples(triples: Iterable[Triple]) -> str:
    """Triples as N-Triples text."""
    return "".join(f"{s} {p} {o} .\n" for s, p, o in triples)


def result_of(validation_result: ValidationResult) -> Result:
    """A result of our own engine in the words that all engines share."""
    path = (
        validation_result.path.iri
        if validation_result.path and validation_result.path.kind == "predicate"
        else ""
    )
    component, severity = (
        iri[1:-1].rsplit("#", 1)[-1]
        for iri in (validation_result.component, validation_result.severity)
    )
    messages = (parse_literal(message) for message in validation_result.messages)
    return Result(
        validation_result.focus,
        path,
        validation_result.value,
        component,
        validation_result.shape,
        severity,
        tuple(sorted(message.text for message in messages if message)),
    )


DEFAULT = "columns"
_LAST = "validation report"
ENGINES: dict[str, Callable[[duckdb.DuckDBPyConnection, Shapes], list[Result]]] = {
    "columns": _run_columns,
    "pyshacl": _run_pyshacl,
}
"""Each takes a connection with the table `triples` (s, p, o)."""


def validated(
    statements: Statements, shapes: Shapes, engine: str = DEFAULT
) -> tuple[list[Result], Reasons]:
    """The results on a table of statements, and why nested shapes are not met."""
    from lodpipe.shacl.data_graph import distinct_triples

    connection = statements.session.connection
    inner: Reasons = {}
    with distinct_triples(connection):
        if engine == DEFAULT:
            validation_results = _report(statements, shapes).results
            results = sorted(result_of(item) for item in validation_results)
            inner = _details(validation_results)
        else:
            results = run_on(connection, shapes, engine)
        return results, reasons(
            results,
            shapes,
            statements,
            lambda narrowed: run_on(connection, narrowed, engine),
            inner,
        )


def _report(statements: Statements, shapes: Shapes) -> Report:
    """The report of our own engine; a session that remembers has the one before, and the triples
    that it is about, so that only what their difference reaches is validated again.
    """
    from lodpipe import shacl
    from lodpipe.shacl.data_graph import changed_triples, keep_triples

    session = statements.session
    if not session.remembers:
        return shacl.validate(session.connection, shapes.model)
    before = session.last(_LAST)
    if before is None:
        report = shacl.validate(session.connection, shapes.model)
    else:
        with changed_triples(session.connection) as changed:
            report = shacl.revalidate(session.connection, shapes.model, before, changed)
    keep_triples(session.connection)
    session.remember(_LAST, report)
    return report


def _details(results: Iterable[ValidationResult]) -> Reasons:
    """The details of all results, and their own."""
    details: Reasons = {}
    waiting = [entry for entry in results if entry.details]
    for item in waiting:
        if (result := result_of(item)) not in details:
            details[result] = [result_of(detail) for detail in item.details]
            waiting += [detail for detail in item.details if detail.details]
    return details


def run_on(
    connection: duckdb.DuckDBPyConnection, shapes: Shapes, engine: str = DEFAULT
) -> list[Result]:
    """The validation results on the table `triples` of a connection, in order. Raises
    InvalidDeclaration (LP605) for invalid shapes.
    """
    return sorted(ENGINES[engine](connection, shapes))


class Validator(Struct, frozen=True):
    """An engine, and the connection beside whose tables it may work, which starts faster than a
    database of its own.
    """

    engine: str = DEFAULT
    connection: duckdb.DuckDBPyConnection | None = None

    def run(self, data: Iterable[Triple], shapes: Shapes) -> list[Result]:
        """The validation results on triples, in order."""
        from lodpipe.shacl.data_graph import load_triples

        with closing(self.connection.cursor()) if self.connection else _connected() as own:
            load_triples(own, data)
            return run_on(own, shapes, self.engine)


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    from lodpipe.shacl.data_graph import connect

    with connect() as connection:
        yield connection


# -- reasons ---------------------------------------------------------------------------------------

Reasons = dict[Result, list[Result]]
_DEEPEST = 4


def reasons(
    results: Iterable[Result],
    shapes: Shapes,
    statements: Statements,
    rerun: Callable[[Shapes], list[Result]],
    known: Reasons,
) -> Reasons:
    """Why a nested shape is not met: for each result of sh:node, sh:and, sh:or, sh:xone or a
    qualified count, the results inside.

    An engine may leave out sh:detail (SHACL, 3.6.2.4): what is not `known` is found by running each
    nested shape by itself, with the value in question as its target, level by level; only where
    there are such results at all.
    """
    causes = dict(known)
    level = list(results)
    for _ in range(_DEEPEST):
        nested = _nested([entry for entry in level if entry not in causes], shapes, statements)
        if not nested:
            break
        inner = _run_on(
            sorted({pair for pairs in nested.values() for pair in pairs}), shapes, rerun
        )
        for item, pairs in nested.items():
            causes[item] = list(
                dict.fromkeys(result for pair in pairs for result in inner.get(pair, []))
            )
        level = [result for entry in nested for result in causes[entry] if result not in causes]
    return causes


def _nested(
    results: Iterable[Result], shapes: Shapes, statements: Statements
) -> dict[Result, list[tuple[str, str]]]:
    """For each result on nested shapes, the pairs of a node and a nested shape that it was to meet."""
    nested: dict[Result, list[tuple[str, str]]] = {}
    counted: dict[str, list[Result]] = {}
    for result in results:
        kind = result.component.removesuffix("ConstraintComponent")
        if kind == "QualifiedMinCount" and result.path:
            counted.setdefault(result.path, []).append(result)
        elif inner := _inner(result, kind, shapes):
            nested[result] = [(result.value or result.focus, shape) for shape in inner]
    for path, some in counted.items():
        values: dict[str, list[str]] = {}
        for focus, value in statements.values(path, sorted({entry.focus for entry in some})):
            values.setdefault(focus, []).append(value)
        for item in some:
            wanted = shapes.parts.get((item.shape, "qualifiedValueShape"), [])
            if pairs := [
                (value, shape) for value in values.get(item.focus, [])[:20] for shape in wanted
            ]:
                nested[item] = pairs
    return nested


def _inner(result: Result, kind: str, shapes: Shapes) -> list[str]:
    """The shapes that a result's constraint names."""
    if kind == "Node":
        return shapes.parts.get((result.shape, "node"), [])
    if kind in ("And", "Or", "Xone"):
        return [
            inner
            for head in shapes.parts.get((result.shape, kind.lower()), [])
            for inner in shapes.members(head)
        ]
    return []


def _run_on(
    pairs: list[tuple[str, str]], shapes: Shapes, rerun: Callable[[Shapes], list[Result]]
) -> dict[tuple[str, str], list[Result]]:
    """The results of shapes on given nodes, without the targets that the shapes have otherwise."""
    classes = (f"<{RDFS}Class>", "<http://www.w3.org/2002/07/owl#Class>")
    statements = [
        t for t in shapes.triples if not t[1].startswith(f"<{SH}target") and t[2] not in classes
    ]
    narrowed = replace(
        shapes,
        triples=(*statements, *((shape, f"<{SH}targetNode>", node) for node, shape in pairs)),
    )
    results: dict[tuple[str, str], list[Result]] = {}
    owners: dict[str, set[str]] = {}
    for shape in dict.fromkeys(shape for _, shape in pairs):
        for home in (shape, *shapes.parts.get((shape, "property"), [])):
            owners.setdefault(home, set()).add(shape)
    wanted = set(pairs)
    for item in rerun(narrowed):
        for shape in sorted(owners.get(item.shape, ())):
            if (item.focus, shape) in wanted:
                results.setdefault((item.focus, shape), []).append(item)
    return results


# -- findings --------------------------------------------------------------------------------------


def findings(
    results: Iterable[Result],
    shapes: Shapes,
    statements: Statements,
    vocabulary: Vocabulary,
    inner: Reasons | None = None,
) -> list[Finding]:
    """Each result as a finding at the field that made the value, or at the record that misses one;
    `inner` gives the reasons why nested shapes fail.
    """
    results = list(results)
    places = _places(results, shapes, statements, inner or {})
    result_findings = []
    for result in results:
        words = _message_words(result, shapes, vocabulary, inner or {}) | {
            "shape": shapes.name(result.shape, vocabulary),
            "focus": vocabulary.compact(result.focus[1:-1]),
            "component": result.component,
            "value": plain_text(result.value),
        }
        result_findings.append(
            Finding("LP401", places[result], words, SEVERITIES.get(result.severity, Severity.ERROR))
        )
    return result_findings


Statement = tuple[str, str, str]


def _places(
    results: Iterable[Result], shapes: Shapes, statements: Statements, inner: Reasons
) -> dict[Result, Origin | None]:
    """Where results come from: the one place of all inner reasons, else its own value, else its
    record. All are looked up together.

    What another file states is right by itself; wrong is the field that leads to it.
    """
    every = dict.fromkeys(results)
    for item in (waiting := list(every)):
        waiting += [
            reason
            for reason in inner.get(item, [])
            if reason not in every and every.setdefault(reason) is None
        ]
    routes = _statements_of(list(every), shapes, statements)
    steps = list(dict.fromkeys(step for route in routes.values() for step in route))
    origins = dict(zip(steps, statements.origins(steps), strict=True))
    own = {
        result: _own_place([origins[step] for step in route]) for result, route in routes.items()
    }
    own |= _named_places(own, statements)

    def place(result: Result) -> Origin | None:
        if not result.component.startswith(("Or", "Xone")):
            places = {origin for reason in inner.get(result, []) if (origin := place(reason))}
            if len(places) == 1:
                return _own_place([own[result], places.pop()])
        return own[result]

    return {entry: place(entry) for entry in every}


def _own_place(steps: Sequence[Origin | None]) -> Origin | None:
    """The last of the places on a way that is in the file where it begins."""
    start = next((step for step in steps if step), None)
    return next(
        (step for step in reversed(steps) if step and start and step.file == start.file), None
    )


def _named_places(
    own: Mapping[Result, Origin | None], statements: Statements
) -> dict[Result, Origin]:
    """Where the nodes come from that queries name as ?value, unless a field of the focus node refers
    to them: a role that overlaps with another one of its person, not the person.
    """
    named = [
        item
        for item in own
        if item.component.startswith("SPARQL")
        and not item.path
        and item.value.startswith("<")
        and item.value != item.focus
    ]
    if not named:
        return {}
    of_focus = statements.origins([(item.focus, "", "") for item in named])
    of_value = statements.origins([(item.value, "", "") for item in named])
    return {
        item: value
        for item, focus, value in zip(named, of_focus, of_value, strict=True)
        if value is not None and own[item] in (focus, None)
    }


def _statements_of(
    results: Sequence[Result], shapes: Shapes, statements: Statements
) -> dict[Result, tuple[Statement, ...]]:
    """The statement that each result is about; on a path of several steps those that lead to its
    value, or as far as there are any.
    """
    triples: dict[Result, tuple[Statement, ...]] = {}
    walking: dict[str, list[Result]] = {}
    for result in results:
        path = "" if result.path else next(iter(shapes.parts.get((result.shape, "path"), [])), "")
        inverse = shapes.parts.get((path, "inversePath"))
        if inverse and result.value:
            triples[result] = ((result.value, inverse[0], result.focus),)
        elif (path, f"{RDF}first") in shapes.parts:
            walking.setdefault(path, []).append(result)
        elif path:
            triples[result] = ((result.focus, "", ""),)
        else:
            triples[result] = ((result.focus, result.path, result.value),)
    for path, some in walking.items():
        triples |= _walked(some, shapes.members(path), statements)
    return {item: triples[item] for item in results}


def _walked(
    results: Sequence[Result], steps: Sequence[str], statements: Statements
) -> dict[Result, tuple[Statement, ...]]:
    """For results on a sequence path: all take each step together."""
    triples: dict[Result, tuple[Statement, ...]] = {
        result: ((result.focus, "", ""),) for result in results
    }
    nodes = {result: {result.focus} for result in results}
    for step in steps:
        if not step.startswith("<") or step.startswith(_NUMBERED):
            break
        onwards: dict[str, list[str]] = {}
        for s, o in statements.values(step, sorted(set().union(*nodes.values()))):
            onwards.setdefault(s, []).append(o)
        nodes = {
            entry: reached
            for entry, some in nodes.items()
            if (reached := {node for node in some if node in onwards})
        }
        for item, some in nodes.items():
            last = next((node for node in sorted(some) if item.value in onwards[node]), max(some))
            taken = (last, step, item.value)
            triples[item] = (taken,) if last == item.focus else (*triples[item], taken)
        nodes = {
            entry: {value for node in some for value in onwards[node]}
            for entry, some in nodes.items()
        }
    return triples


def _message_words(
    result: Result, shapes: Shapes, vocabulary: Vocabulary, inner: Reasons
) -> dict[str, str]:
    """The shape's own message by language, else what it demands; the value is shown where it is
    short, and why nested shapes fail.
    """
    own = shapes.messages.get(result.shape, {})
    own = {language: _filled(message, result.messages) for language, message in own.items()}
    fallback = own.get("en") or own.get("") or _demanded(result, shapes, vocabulary)
    values = (
        f" ({result.value})"
        if result.value and result.value != result.focus and len(result.value) < 120
        else ""
    )
    params = {"message_en": fallback + values, "message_de": own.get("de", fallback) + values}
    because = [
        _message_words(reason, shapes, vocabulary, inner) for reason in inner.get(result, [])
    ]
    if because:
        for key, word in (("message_en", "because"), ("message_de", "weil")):
            params[key] += f"; {word}: " + "; ".join(
                dict.fromkeys(words[key] for words in because[:5])
            )
    return params


def _filled(message: str, results: Iterable[str]) -> str:
    """A message with the values of its variables: that of the result which was made of it."""
    parts = re.split(r"\{[?$]\w+\}", message)
    pattern = re.compile(".*".join(map(re.escape, parts)), re.S)
    return (
        next((result for result in results if pattern.fullmatch(result)), message)
        if len(parts) > 1
        else message
    )


def _demanded(result: Result, shapes: Shapes, vocabulary: Vocabulary) -> str:
    """What a shape without a message of its own demands, in its own terms: `schema:size:
    sh:maxInclusive 9`.
    """

    def short(term: str) -> str:
        if term.startswith(("_:", _NUMBERED)):
            return "…"
        return (
            vocabulary.compact(term[1:-1])
            if term.startswith("<")
            else re.sub(r"\^\^<[^<>]*>$", "", term).replace('"', "")
        )

    kind = result.component.removesuffix("ConstraintComponent")
    parameter = kind[:1].lower() + kind[1:]
    values = shapes.parts.get((result.shape, parameter), [])
    demand = (
        f"sh:{parameter} {', '.join(short(value) for value in values[:3])}".strip()
        if values
        else " ".join(result.messages) or result.component
    )
    return (
        f"{short(result.path)}: {demand}"
        if result.path
        else re.sub(rf"{_NUMBERED}[^<>]*>", "…", demand)
    )
