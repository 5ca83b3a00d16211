"""Validates RDF files with SHACL by themselves, without a project."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from pipeline import shacl, shapes
from pipeline.errors import Finding, InvalidDeclaration, Origin, Severity
from pipeline.faults import whole_file
from pipeline.shacl.data import FORMATS, broken, connect, load_change, load_files
from pipeline.shacl.model import RDF, SH, XSD, Triple, literal
from pipeline.turtle import TermWriter, write_turtle

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]
# Measured (benchmarks/validation.py): below it the start of the database costs more than the other engine's whole run.
COLUMNS_FROM = 5_000_000  # bytes


def validate_files(
    data: Sequence[Path], shape_files: Sequence[Path], *, engine: str | None = None, report: Path | None = None, memory: str = "4GB",
    since: Sequence[Path] = (), say: Progress = lambda _: None,
) -> list[Finding]:  # fmt: skip
    """The results as findings, in order; writes the validation report as RDF where a file is named.

    With `since`, files of the same data as they were before, only what changed in between is validated: the focus nodes that it can reach.
    All others have the results that they had. Raises InvalidDeclaration for shapes that cannot be used (LP605) and SourceError for files that
    are no RDF.
    """
    say("reading shapes")
    triples, origins = _shape_triples(shape_files)
    model = shacl.read_model(triples, lambda name: Origin(origins.get(name, str(shape_files[0]))))
    size = sum(path.stat().st_size for path in (*data, *since) if path.is_file())
    chosen = engine or ("columns" if size >= COLUMNS_FROM or report or since else "shacl")
    if (report or since) and chosen != "columns":
        detail = f"{'--report' if report else '--since'} needs the engine columns"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder, connect(memory, folder, size) as connection:
        say("reading data")
        if since:
            load_change(connection, since, data)
        else:
            load_files(connection, data)
        say(f"validating with {chosen}")
        if chosen != "columns":
            rules = shapes.Shapes("".join(f"{s} {p} {o} .\n" for s, p, o in triples), {}, origins)
            return [_finding(one, data) for one in shapes.run(_ntriples(connection), rules, chosen)]
        whole = shacl.revalidate(connection, model, shacl.Report({}), "changed") if since else shacl.validate(connection, model)
        found = whole.results
    if report is not None:
        say("writing the report")
        write_report(found, report)
    return [_finding(shapes.told(one), data, one.messages) for one in found]


def _shape_triples(paths: Sequence[Path]) -> tuple[list[Triple], dict[str, str]]:
    triples: list[Triple] = []
    origins: dict[str, str] = {}
    for number, path in enumerate(paths):
        suffix = path.suffix[1:].lower()
        if suffix not in FORMATS or not path.is_file():
            raise InvalidDeclaration([Finding("LP601", None, {"detail": f"{path} is no RDF file"})])
        try:
            quads = list(ox.parse(path=str(path), format=FORMATS[suffix], base_iri=path.resolve().as_uri()))
        except SyntaxError as error:
            raise broken(path, error) from None
        found = [tuple(_apart(str(one), number) for one in (quad.subject, quad.predicate, quad.object)) for quad in quads]
        triples += found  # type: ignore[arg-type]  # three terms each
        origins |= {one[0]: str(path) for one in found}
    return triples, origins


def _apart(term: str, number: int) -> str:
    """Blank nodes of two files stay apart."""
    return f"_:s{number}x{term[2:]}" if term.startswith("_:") else term


def _ntriples(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute("SELECT s || ' ' || p || ' ' || o || ' .' FROM triples").fetchall()
    return "".join(row[0] + "\n" for row in rows)


def _finding(one: shapes.Result, data: Sequence[Path], messages: Sequence[str] = ()) -> Finding:
    """A result as a finding, with the shape's message in the language of the reader where it has one."""
    said = [value for message in messages if (value := literal(message))]
    by_language = {value.language or "": value.value for value in said}
    english = by_language.get("en") or by_language.get("") or " ".join(one.messages) or one.component
    shown = f" ({one.value})" if one.value and one.value != one.focus and len(one.value) < 120 else ""
    path = f" {one.path}" if one.path else ""
    words = {
        "message_en": english + shown, "message_de": by_language.get("de", english) + shown, "shape": one.shape, "focus": one.focus + path,
        "component": one.component,
    }  # fmt: skip
    return Finding("LP401", Origin(str(data[0])) if len(data) == 1 else None, words, shapes.SEVERITIES.get(one.severity, Severity.ERROR))


def write_report(results: Iterable[shacl.ValidationResult], path: Path) -> None:
    """The validation report, as N-Triples or Turtle by the suffix of the file."""
    triples = sorted(shacl.report_triples(list(results)))
    with whole_file(path) as made, made.open("w", encoding="utf-8", newline="\n") as out:
        if path.suffix == ".nt":
            out.writelines(f"{s} {p} {o} .\n" for s, p, o in triples)
        else:
            write_turtle(triples, out, TermWriter("urn:x-report:", {"sh": SH, "rdf": RDF, "xsd": XSD}))
