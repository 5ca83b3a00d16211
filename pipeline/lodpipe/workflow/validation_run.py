"""Validates RDF files with SHACL, without a project."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import _duckdb as duckdb
import pyoxigraph as ox

from lodpipe import shacl
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity
from lodpipe.rdf.namespaces import RDF, SH, XSD
from lodpipe.rdf.terms import parse_literal
from lodpipe.rdf.turtle import TermWriter, write_turtle
from lodpipe.runtime.machine import whole_file
from lodpipe.shacl import shapes
from lodpipe.shacl.data_graph import (
    FORMATS,
    broken,
    connect,
    load_change,
    load_files,
    source_of,
    sources_of,
)
from lodpipe.shacl.shapes_graph import Triple
from lodpipe.shacl.supported import is_rdf_1_2, problems, rdf_1_2_finding, undefined_findings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ValidationOptions:
    """How files are validated: the engine, the base IRI of relative IRIs, SHACL terms to ignore
    (local names), a limit on memory, and the Spark master that does it, if any.
    """

    engine: str = shapes.DEFAULT
    base: str = ""
    ignored_terms: frozenset[str] = frozenset()
    memory: str = "1GB"
    master: str = ""


def validate_files(
    data: Sequence[Path], shape_files: Sequence[Path], options: ValidationOptions = ValidationOptions(), *, report: Path | None = None,
    since: Sequence[Path] = (), on_progress: Progress = lambda _: None,
) -> list[Finding]:  # fmt: skip
    """The results as findings, in order; `report` is a file for the validation report as RDF.

    With `since`, an earlier version of the data, only the changes are validated: the focus nodes
    that they can reach. All others keep their results. Raises InvalidDeclaration for shapes that
    cannot be used (LP605 to LP608) and SourceError for files that are no RDF (LP603) or need RDF
    1.2 (LP608).
    """
    on_progress("reading shapes")
    rules = read_files(shape_files, options)
    columns = options.engine == shapes.DEFAULT
    for option, value in (("--report", report), ("--since", since), ("--on", options.master)):
        if value and not columns:
            raise _wrong_use(f"{option} needs the engine columns")
    if since and options.master:
        raise _wrong_use("--since and --on exclude each other")
    # Shapes are read before the data, so that their errors are reported without a wait.
    model = rules.model if columns else None
    size = sum(source_of(path).size for path in (*data, *since))
    notes: list[Finding] = []
    with (
        tempfile.TemporaryDirectory(prefix="lodpipe-") as folder,
        connect(options.memory, folder, size) as connection,
    ):
        on_progress("reading data")
        if since:
            load_change(connection, since, data, options.base)
        elif not options.master:
            load_files(connection, data, options.base)
        on_progress(f"validating with {options.engine}")
        if model is None:
            return [
                *rules.findings,
                *(
                    _finding(result, data)
                    for result in shapes.run_on(connection, rules, options.engine)
                ),
            ]
        if options.master:
            outcome, notes = _on_spark(connection, model, data, options)
        elif since:
            outcome = shacl.revalidate(connection, model, shacl.Report({}), "changed")
        else:
            outcome = shacl.validate(connection, model)
    if report is not None:
        on_progress("writing the report")
        write_report(outcome.results, report)
    return [
        *rules.findings,
        *notes,
        *(_finding(shapes.result_of(result), data, result.messages) for result in outcome.results),
    ]


def _wrong_use(detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP601", None, {"detail": detail})])


def _on_spark(
    connection: duckdb.DuckDBPyConnection,
    model: shacl.ShapesGraph,
    data: Sequence[Path],
    options: ValidationOptions,
) -> tuple[shacl.Report, list[Finding]]:
    """The report on data that Spark reads, and a note (LP614) for each shape whose reach is not
    bounded: it is validated here, on all statements.
    """
    from lodpipe.engine.spark.spark_session import session_on
    from lodpipe.shacl.on_spark import validate_on_spark

    with session_on(options.master, options.memory) as spark:
        outcome, whole = validate_on_spark(
            spark, model, sources_of(data), connection, memory=options.memory
        )
    notes = [Finding("LP614", model.origin(name), {"shape": name}, Severity.INFO) for name in whole]
    return outcome, notes


def read_files(paths: Sequence[Path], options: ValidationOptions) -> shapes.Shapes:
    """A shapes graph from files. Raises InvalidDeclaration for everything that the engine does not
    support (LP606 to LP608).
    """
    sources: dict[str, tuple[list[Triple], str]] = {}
    origins: dict[str, str] = {}
    findings: list[Finding] = []
    for number, path in enumerate(paths):
        suffix = path.suffix[1:].lower()
        if suffix not in FORMATS or not path.is_file():
            raise InvalidDeclaration(
                [Finding("LP601", None, {"detail": f"{path} is not an RDF file"})]
            )
        try:
            quads = list(
                ox.parse(
                    path=str(path),
                    format=FORMATS[suffix],
                    base_iri=options.base or path.resolve().as_uri(),
                )
            )
        except SyntaxError as error:
            raise broken(path, error) from None
        names: dict[str, str] = {}
        triples = [
            (
                _distinct(str(quad.subject), number, names),
                str(quad.predicate),
                _distinct(str(quad.object), number, names),
            )
            for quad in quads
        ]
        source = path.read_text("utf-8", errors="replace")
        if any(is_rdf_1_2(o) for _, _, o in triples):
            findings.append(rdf_1_2_finding(str(path), source))
        findings += problems(triples, str(path), source, options.ignored_terms)
        sources[str(path)] = triples, source
        origins |= {subject: str(path) for subject, _, _ in triples}
    if findings:
        raise InvalidDeclaration(findings)
    union = [triple for triples, _ in sources.values() for triple in triples]
    return shapes.Shapes(tuple(union), {}, origins, tuple(undefined_findings(union, sources)))


def _distinct(term: str, number: int, names: dict[str, str]) -> str:
    """Names the blank nodes of each file by its number and their order in it: the parser gives them
    random names, and reports of the same data are the same.
    """
    return names.setdefault(term, f"_:s{number}x{len(names)}") if term.startswith("_:") else term


def _finding(result: shapes.Result, data: Sequence[Path], messages: Sequence[str] = ()) -> Finding:
    """A result as a finding, with the shape's message in the reader's language where it has one."""
    texts = [text for message in messages if (text := parse_literal(message))]
    by_language = {text.language: text.text for text in texts}
    english = (
        by_language.get("en")
        or by_language.get("")
        or " ".join(result.messages)
        or result.component
    )
    value = (
        f" ({result.value})"
        if result.value and result.value != result.focus and len(result.value) < 120
        else ""
    )
    path = f" {result.path}" if result.path else ""
    words = {
        "message_en": english + value, "message_de": by_language.get("de", english) + value, "shape": result.shape,
        "focus": result.focus + path, "component": result.component,
    }  # fmt: skip
    origin = Origin(str(data[0])) if len(data) == 1 else None
    return Finding("LP401", origin, words, shapes.SEVERITIES.get(result.severity, Severity.ERROR))


def write_report(results: Iterable[shacl.ValidationResult], path: Path) -> None:
    """The validation report, as N-Triples or Turtle by the suffix of the file."""
    triples = sorted(shacl.report_triples(list(results)))
    with whole_file(path) as target, target.open("w", encoding="utf-8", newline="\n") as out:
        if path.suffix == ".nt":
            out.writelines(f"{s} {p} {o} .\n" for s, p, o in triples)
        else:
            write_turtle(
                triples, out, TermWriter("urn:x-report:", {"sh": SH, "rdf": RDF, "xsd": XSD})
            )
