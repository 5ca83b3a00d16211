"""SHACL over the statement table: results of any engine become findings at the line of the record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from pipeline.errors import Finding, InvalidDeclaration, Origin, Severity
from pipeline.statements import Statements
from pipeline.vocabulary import Vocabulary, read_turtle

SH = "http://www.w3.org/ns/shacl#"
SEVERITIES = {"Violation": Severity.ERROR, "Warning": Severity.WARNING, "Info": Severity.INFO}


@dataclass(frozen=True, order=True)
class Result:
    """One sh:ValidationResult: terms in N-Triples spelling, the path empty where there is none or it is no plain predicate."""

    focus: str
    path: str
    value: str
    component: str
    shape: str
    severity: str
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shapes:
    """The shapes graph as N-Triples, and the messages of each named shape by language."""

    ntriples: str
    messages: Mapping[str, Mapping[str, str]]
    origins: Mapping[str, str]


def read_shapes(root: Path, base: str, folder: str = "shapes") -> Shapes:
    """Reads the *.ttl of a folder with the base IRI. Raises InvalidDeclaration with every broken file (LP603)."""
    findings: list[Finding] = []
    triples: list[tuple[str, str, str]] = []
    origins: dict[str, str] = {}
    for number, path in enumerate(sorted((root / folder).glob("*.ttl"))):
        name = path.relative_to(root).as_posix()
        try:
            found = read_turtle(path, name, base)
        except InvalidDeclaration as error:
            findings += error.findings
            continue
        # Blank nodes of two files must not meet.
        triples += [tuple(re.sub(r"^_:", f"_:f{number}x", term) for term in triple) for triple in found]  # type: ignore[misc]
        origins |= {s: name for s, _, _ in found if s.startswith("<")}
    findings += _pathless(triples, origins)
    if findings:
        raise InvalidDeclaration(findings)
    return Shapes("".join(f"{s} {p} {o} .\n" for s, p, o in triples), _messages(triples), origins)


def _pathless(triples: list[tuple[str, str, str]], origins: Mapping[str, str]) -> list[Finding]:
    """Property shapes without exactly one path (SHACL, 2.3), which engines may pass over in silence."""
    paths = Counter(s for s, p, _ in triples if p == f"<{SH}path>")
    owners = {o: s for s, p, o in triples if p == f"<{SH}property>"}
    wrong = [shape for shape in owners if paths[shape] != 1]
    return [
        Finding("LP605", Origin(origins.get(shape) or origins.get(owners[shape], "shapes")), {"detail": f"{shape} has {paths[shape]} paths, not one"})
        for shape in wrong
    ]


def _messages(triples: list[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """The sh:message of each shape by language; those of a SPARQL constraint count for its shape."""
    owner = {o: s for s, p, o in triples if p == f"<{SH}sparql>"}
    found: dict[str, dict[str, str]] = {}
    for s, p, o in triples:
        if p == f"<{SH}message>":
            literal = ox.parse(f"<a:a> <a:a> {o} .", format=ox.RdfFormat.N_TRIPLES)
            value = next(iter(literal)).object
            shape = owner.get(s, s)
            if isinstance(value, ox.Literal):
                found.setdefault(shape, {})[value.language or ""] = value.value
    return found


# -- engines -----------------------------------------------------------------------------------------------------------


def _run_shacl(data: str, shapes: Shapes) -> list[Result]:
    """The Rust engine of PyPI's `shacl`: fast, young, and held against pySHACL by the tests."""
    import shacl

    compiled = shacl.Shapes.from_text(shapes.ntriples, format="ntriples")
    report = compiled.validate_text(data, format="ntriples")
    return [
        Result(
            one.focus_node,
            one.path if one.path and re.fullmatch(r"<[^<>]*>", one.path) else "",
            one.value or "",
            one.component,
            one.source_shape or one.root_shape or "",
            one.severity,
            tuple(one.messages),
        )
        for one in report.results
    ]


def _run_pyshacl(data: str, shapes: Shapes) -> list[Result]:
    """pySHACL, the reference; needs the extra `pyshacl`."""
    import pyshacl
    import rdflib

    rdflib.NORMALIZE_LITERALS = False
    namespace = rdflib.Namespace(SH)
    data_graph, shapes_graph = (rdflib.Graph().parse(data=text, format="nt") for text in (data, shapes.ntriples))
    _, report, _ = pyshacl.validate(data_graph, shacl_graph=shapes_graph, advanced=False, inplace=True)
    top = set(report.objects(None, namespace.result))
    found = []
    for node in top:

        def term(name: str, node: object = node) -> str:
            value = report.value(node, namespace[name])
            return value.n3() if value is not None else ""

        path = report.value(node, namespace.resultPath)
        found.append(
            Result(
                term("focusNode"),
                path.n3() if isinstance(path, rdflib.URIRef) else "",
                _canonical(term("value")),
                term("sourceConstraintComponent")[1:-1].rsplit("#", 1)[-1],
                term("sourceShape"),
                term("resultSeverity")[1:-1].rsplit("#", 1)[-1],
                tuple(sorted(str(message) for message in report.objects(node, namespace.resultMessage))),
            )
        )
    return found


def _canonical(term: str) -> str:
    """A term of rdflib's n3() in the spelling of canonical N-Triples (rdflib writes short numbers and long strings)."""
    if not term or term[0] in "<_":
        return term
    (quad,) = ox.parse(f"<a:a> <a:a> {term} .", format=ox.RdfFormat.TURTLE)
    return str(quad.object)


ENGINES: dict[str, Callable[[str, Shapes], list[Result]]] = {"shacl": _run_shacl, "pyshacl": _run_pyshacl}


def run(data: str, shapes: Shapes, engine: str = "shacl") -> list[Result]:
    """The validation results of a data graph (N-Triples text), in order. Raises InvalidDeclaration (LP605) for broken shapes."""
    try:
        return sorted(ENGINES[engine](data, shapes))
    except ImportError as error:
        detail = f"engine `{engine}` needs the package {error.name}; for pyshacl: pip install 'lodpipe[pyshacl]'"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})]) from None
    except ValueError as error:
        raise InvalidDeclaration([Finding("LP605", Origin("shapes"), {"detail": str(error)})]) from None


# -- findings ----------------------------------------------------------------------------------------------------------


def findings(results: Iterable[Result], shapes: Shapes, statements: Statements, vocabulary: Vocabulary) -> list[Finding]:
    """Each result as a finding at the field that made the value, or at the record that misses one."""
    found = []
    for one in results:
        where = statements.origin(one.focus, one.path or None, one.value or None)
        words = _message_words(one, shapes) | {
            "shape": vocabulary.compact(one.shape[1:-1]) if one.shape.startswith("<") else shapes.origins.get(one.shape, "shapes/"),
            "focus": vocabulary.compact(one.focus[1:-1]),
            "component": one.component,
        }
        found.append(Finding("LP401", where, words, SEVERITIES.get(one.severity, Severity.ERROR)))
    return found


def _message_words(one: Result, shapes: Shapes) -> dict[str, str]:
    """The shape's own message by language, else what the engine says; the value is shown where it is short."""
    own = shapes.messages.get(one.shape, {})
    fallback = own.get("en") or own.get("") or " ".join(one.messages) or one.component
    shown = f" ({one.value})" if one.value and one.value != one.focus and len(one.value) < 120 else ""
    return {"message_en": fallback + shown, "message_de": own.get("de", fallback) + shown}
