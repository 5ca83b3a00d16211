"""Validates RDF files with SHACL by themselves, without a project."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from lodpipe import shacl
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity
from lodpipe.rdf.namespaces import RDF, SH, XSD
from lodpipe.rdf.turtle import TermWriter, write_turtle
from lodpipe.runtime.machine import whole_file
from lodpipe.shacl import shapes
from lodpipe.shacl.data_graph import FORMATS, broken, connect, load_change, load_files
from lodpipe.shacl.shapes_graph import Triple, literal
from lodpipe.shacl.supported import is_rdf_1_2, problems, rdf_1_2_finding, undefined_findings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How files are validated: the engine, the base IRI of relative ones, the terms of SHACL that may be ignored, and a bound on memory."""

    engine: str = shapes.DEFAULT
    base: str = ""
    allowed: frozenset[str] = frozenset()
    memory: str = "1GB"


def validate_files(
    data: Sequence[Path], shape_files: Sequence[Path], options: Options = Options(), *, report: Path | None = None,
    since: Sequence[Path] = (), say: Progress = lambda _: None,
) -> list[Finding]:  # fmt: skip
    """The results as findings, in order; writes the validation report as RDF where a file is named.

    With `since`, files of the same data as they were before, only what changed in between is validated: the focus nodes that it can reach.
    All others have the results that they had. Raises InvalidDeclaration for shapes that cannot be used (LP605 to LP608) and SourceError for
    files that are no RDF (LP603) or need RDF 1.2 (LP608).
    """
    say("reading shapes")
    rules = read_files(shape_files, options)
    columns = options.engine == shapes.DEFAULT
    if (report or since) and not columns:
        detail = f"{'--report' if report else '--since'} needs the engine columns"
        raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
    # Shapes are read before the data: what is wrong with them is found at once.
    model = rules.model if columns else None
    size = sum(path.stat().st_size for path in (*data, *since) if path.is_file())
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder, connect(options.memory, folder, size) as connection:
        say("reading data")
        if since:
            load_change(connection, since, data, options.base)
        else:
            load_files(connection, data, options.base)
        say(f"validating with {options.engine}")
        if model is None:
            return [*rules.findings, *(_finding(one, data) for one in shapes.run_on(connection, rules, options.engine))]
        whole = shacl.revalidate(connection, model, shacl.Report({}), "changed") if since else shacl.validate(connection, model)
        found = whole.results
    if report is not None:
        say("writing the report")
        write_report(found, report)
    return [*rules.findings, *(_finding(shapes.told(one), data, one.messages) for one in found)]


def read_files(paths: Sequence[Path], options: Options) -> shapes.Shapes:
    """A shapes graph from files. Raises InvalidDeclaration with everything that would be passed over (LP606 to LP608)."""
    sources: dict[str, tuple[list[Triple], str]] = {}
    origins: dict[str, str] = {}
    findings: list[Finding] = []
    for number, path in enumerate(paths):
        suffix = path.suffix[1:].lower()
        if suffix not in FORMATS or not path.is_file():
            raise InvalidDeclaration([Finding("LP601", None, {"detail": f"{path} is no RDF file"})])
        try:
            quads = list(ox.parse(path=str(path), format=FORMATS[suffix], base_iri=options.base or path.resolve().as_uri()))
        except SyntaxError as error:
            raise broken(path, error) from None
        found = [(_apart(str(one.subject), number), str(one.predicate), _apart(str(one.object), number)) for one in quads]
        source = path.read_text("utf-8", errors="replace")
        if any(is_rdf_1_2(o) for _, _, o in found):
            findings.append(rdf_1_2_finding(str(path), source))
        findings += problems(found, str(path), source, options.allowed)
        sources[str(path)] = found, source
        origins |= {one[0]: str(path) for one in found}
    if findings:
        raise InvalidDeclaration(findings)
    triples = [one for found, _ in sources.values() for one in found]
    return shapes.Shapes(tuple(triples), {}, origins, tuple(undefined_findings(triples, sources)))


def _apart(term: str, number: int) -> str:
    """Blank nodes of two files stay apart."""
    return f"_:s{number}x{term[2:]}" if term.startswith("_:") else term


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
