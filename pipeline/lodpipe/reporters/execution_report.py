"""Findings as RDF by the RML Execution Report vocabulary (RER, https://w3id.org/dre/rer), in Turtle.

A value that makes no IRI, in line 3 of people.csv, where the mapping refers to it in line 9:

    [] a rer:RmlExecutionReport ;
      rer:isSuccess false ;
      rer:hasError [
        a rer:InvalidIRI ;
        dcterms:identifier "LP301" ;
        rer:data "a b" ;
        rer:mappingStatement [ a ptr:TextFilePointer ; ptr:path "people.yaml" ; … ] ;
        dcterms:source [ a ptr:TextFilePointer ; ptr:path "people.csv" ; … ] ] .

RER points to mappings only; a place in a source has the same form under `dcterms:source`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from lodpipe.diagnostics.finding import Origin, Severity
from lodpipe.reporters import text
from lodpipe.reporters.report import RenderedFinding, Report

_PREFIXES = """\
@prefix rer: <https://w3id.org/dre/rer#> .
@prefix ptr: <https://w3id.org/dre/ptr#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
"""
# The class of an error by the code of the broken rule; any other is an rer:Error.
_ERRORS = {
    **dict.fromkeys(("LP101", "LP102", "LP103", "LP105", "LP108"), "UnparseableDataError"),
    **dict.fromkeys(("LP106", "LP107"), "SourceAccessError"),
    **dict.fromkeys(("LP104", "LP309", "LP604"), "LogicalSourceError"),
    "LP301": "InvalidIRI",
    "LP302": "IllTypedLiteralError",
    "LP303": "NotWellFormedLanguageTagError",
    **dict.fromkeys(("LP304", "LP307"), "DataError"),
    **dict.fromkeys(("LP305", "LP308"), "ReferenceFormulationExecutionError"),
    "LP601": "ConfigurationError",
    "LP602": "MappingError",
    "LP603": "RDFMappingSyntaxError",
    "LP613": "MissingDependency",
    "LP707": "OutOfMemory",
}
_LOGS = {Severity.WARNING: "Warning", Severity.INFO: "Information"}
_LEFT_OUT = {"LP301", "LP302", "LP303", "LP305"}
"""Codes of values whose statements are left out."""
_OF_MAPPINGS = {"LP308", "LP309", "LP310", "LP602", "LP603", "LP604"}
"""Codes of findings whose place is one in a mapping."""


def write(report: Report, version: str) -> str:
    """The report as Turtle; the same findings give the same bytes, so that it has no time."""
    failed = report.exit_code != 0
    incomplete = failed or any(finding.code in _LEFT_OUT for finding in report.rendered)
    lines = [
        "[] a rer:RmlExecutionReport",
        f"  rer:processorName {_literal('lodpipe')}",
        f"  rer:processorVersion {_literal(version)}",
        f"  rer:isSuccess {_boolean(not failed)}",
        f"  rer:isComplete {_boolean(not incomplete)}",
    ]
    lines += [
        f"  rer:{'hasError' if finding.severity is Severity.ERROR else 'hasLog'} [\n    "
        + " ;\n    ".join(_log(finding, number, report.language))
        + "\n  ]"
        for number, finding in enumerate(report.rendered, 1)
    ]
    return f"{_PREFIXES}\n" + " ;\n".join(lines) + " .\n"


def _log(finding: RenderedFinding, number: int, language: str) -> Iterator[str]:
    """What is stated of a finding."""
    yield f"a rer:{_class_of(finding)}"
    yield f"rer:order {number}"
    yield f"dcterms:identifier {_literal(finding.code)}"
    yield f"rer:message {_literal(finding.message, language)}"
    yield f"rer:potentialSolution {_literal(finding.help, language)}"
    if finding.code.startswith("LP3") and "value" in finding.params:
        yield f"rer:data {_literal(finding.params['value'])}"
    if finding.code in ("LP305", "LP308") and "key" in finding.params:
        yield f"rer:reference {_literal(finding.params['key'])}"
    place = Origin(finding.file, finding.line, finding.column)
    if finding.mapping:
        yield f"rer:mappingStatement {_pointer(finding.mapping)}"
    if not finding.file:
        return
    property_ = "rer:mappingStatement" if finding.code in _OF_MAPPINGS else "dcterms:source"
    yield f"{property_} {_pointer(place, finding.end_column)}"


def _class_of(finding: RenderedFinding) -> str:
    of_records = "DataError" if finding.code.startswith("LP2") else "Error"
    return _LOGS.get(finding.severity) or _ERRORS.get(finding.code, of_records)


def _pointer(place: Origin, end_column: int = 0) -> str:
    """A place in a file; lines and columns are counted from 1."""
    path = f"a ptr:TextFilePointer ; ptr:path {_literal(place.file)}"
    if not place.line:
        return f"[ {path} ]"
    start = _point(place.line, place.column)
    end = f" ; ptr:end {_point(place.line, end_column)}" if end_column else ""
    return f"[ {path} ; ptr:range [ a ptr:Range ; ptr:start {start}{end} ] ]"


def _point(line: int, column: int) -> str:
    columns = f" ; ptr:column {column}" if column else ""
    return f"[ a ptr:Point ; ptr:line {line}{columns} ]"


def _literal(value: str, language: str = "") -> str:
    """A text without characters that could change a terminal; the escapes of JSON are Turtle's."""
    quoted = json.dumps(text.plain(value), ensure_ascii=False)
    return f"{quoted}@{language}" if language else quoted


def _boolean(value: bool) -> str:
    return "true" if value else "false"
