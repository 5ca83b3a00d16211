"""Whatever texts the records hold, what `map` writes is N-Quads that two other parsers read, and as
the same statements.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.engine import nquads_writer as lines
from lodpipe.engine import parallel_writer as blocks
from lodpipe.rdf.datatypes import IRI, LANGUAGE_TAG
from lodpipe.workflow.mapping_run import MappingOptions, map_file

MAPPING = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix ex: <http://example.com/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@base <http://example.com/mapping/> .
<row> a rml:TriplesMap ;
  rml:logicalSource [ rml:referenceFormulation rml:CSV ;
    rml:source [ a rml:RelativePathSource ; rml:root rml:MappingDirectory ; rml:path "rows.csv" ] ] ;
  rml:subjectMap [ rml:template "http://example.com/{a}/{b}#x" ; rml:graphMap [ rml:template "http://{a}:80/g" ] ] ;
  rml:predicateObjectMap
    [ rml:predicate ex:text ; rml:objectMap [ rml:reference "a" ] ] ,
    [ rml:predicate ex:both ; rml:objectMap [ rml:template "{a} {b}" ; rml:termType rml:Literal ] ] ,
    [ rml:predicate ex:link ; rml:objectMap [ rml:reference "b" ; rml:termType rml:IRI ] ] ,
    [ rml:predicate ex:uri ; rml:objectMap [ rml:reference "a" ; rml:termType rml:URI ] ] ,
    [ rml:predicate ex:made ; rml:objectMap [ rml:template "{a}:{b}" ] ] ,
    [ rml:predicate ex:port ; rml:objectMap [ rml:template "http://example.com:{b}/" ] ] ,
    [ rml:predicate ex:node ; rml:objectMap [ rml:reference "a" ; rml:termType rml:BlankNode ] ] ,
    [ rml:predicate ex:tagged ; rml:objectMap [ rml:reference "a" ; rml:languageMap [ rml:reference "b" ] ] ] ,
    [ rml:predicate ex:typed ; rml:objectMap [ rml:reference "a" ; rml:datatypeMap [ rml:reference "b" ] ] ] ,
    [ rml:predicate ex:day ; rml:objectMap [ rml:reference "b" ; rml:datatype xsd:date ] ] ,
    [ rml:predicateMap [ rml:reference "b" ] ; rml:objectMap [ rml:reference "a" ] ] .
"""
PIECES = (
    "http://", "//", ":", "@", "[::1]/", "#", "?", "%41", "%zz", "%", "ü", "\ue000", "\ufffe", "\u202e", "\x7f", "\x85", '"', "\\", "\n",
    "\r\n", "\t", "<", ">", " ", "^^<x>", "@de", ".", "{", "}", "'", "de", "-", "2020-01-01", "urn:x", "0", "\U0001f600", "\x01", "1e5", "_:b",
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)


def plain(text: str) -> str:
    """Without NUL, and without the spaces beyond ASCII that RFC 3987 allows in an IRI (2.2,
    ucschar) and rdflib does not read there.
    """
    return "".join(
        character
        for character in text
        if character != "\0" and (character.isascii() or not character.isspace())
    )


TABLES = st.lists(st.tuples(TEXTS.map(plain), TEXTS.map(plain)), min_size=1, max_size=12)


def spelled(term: object) -> tuple[str, ...]:
    """A term of either parser; blank nodes are all alike."""
    if isinstance(term, ox.BlankNode | rdflib.BNode):
        return ("blank",)
    if isinstance(term, ox.Literal):
        return (
            "literal",
            term.value,
            (term.language or "").lower(),
            "" if term.language else term.datatype.value,
        )
    if isinstance(term, rdflib.Literal):
        return (
            "literal",
            str(term),
            (term.language or "").lower(),
            "" if term.language else str(term.datatype or rdflib.XSD.string),
        )
    return ("iri", term.value if isinstance(term, ox.NamedNode) else str(term))


def by_oxigraph(data: bytes) -> set[tuple[tuple[str, ...], ...]]:
    quads = ox.parse(data, format=ox.RdfFormat.N_QUADS)
    return {
        tuple(map(spelled, (quad.subject, quad.predicate, quad.object, quad.graph_name)))
        for quad in quads
    }


def by_rdflib(data: bytes) -> set[tuple[tuple[str, ...], ...]]:
    dataset = rdflib.Dataset()
    dataset.parse(data=data.decode(), format="nquads")
    return {
        (
            spelled(s),
            spelled(p),
            spelled(o),
            spelled(rdflib.URIRef(str(getattr(g, "identifier", g)))),
        )
        for s, p, o, g in dataset.quads()
    }


@pytest.fixture(scope="module", autouse=True)
def literally() -> Iterator[None]:
    """rdflib keeps texts as they are written."""
    normal, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    yield
    rdflib.NORMALIZE_LITERALS = normal


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(TABLES, st.booleans())
def test_hostile_texts_leave_as_statements_that_all_parsers_read(
    table: list[tuple[str, str]], sort: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mapping.rml.ttl").write_text(MAPPING, "utf-8")
        with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows([("a", "b"), *table])
        map_file(
            folder / "mapping.rml.ttl",
            folder / "out.nq",
            MappingOptions(sort=sort, on_invalid_value="skip"),
        )
        data = (folder / "out.nq").read_bytes()
    assert by_oxigraph(data) == by_rdflib(data)
    if any(a and b for a, b in table):
        assert data


def cases(kind: str) -> list[tuple[str, bool]]:
    """What is valid and what is not, one a line."""
    rows = (Path(__file__).parent / "data" / f"{kind}.txt").read_text("utf-8").splitlines()
    return [(row[2:], row[0] == "+") for row in rows if row[:1] in ("+", "-")]


@pytest.mark.parametrize(
    ("kind", "pattern", "count"), [("iris", IRI, 40), ("language-tags", LANGUAGE_TAG, 24)]
)
def test_the_patterns_agree_with_a_parser(kind: str, pattern: str, count: int) -> None:
    samples = cases(kind)
    print(f"{len(samples)} {kind}")
    assert len(samples) >= count
    for value, valid in samples:
        line = (
            f"<{value}> <http://p> <http://o> ."
            if kind == "iris"
            else f'<http://s> <http://p> "o"@{value} .'
        )
        try:
            parsed = bool(list(ox.parse(line, format=ox.RdfFormat.N_QUADS)))
        except SyntaxError:
            parsed = False
        assert (bool(re.fullmatch(pattern, value)), parsed) == (valid, valid), value


def write(folder: Path, term: str, cells: str = "x") -> Path:
    (folder / "rows.csv").write_text(f"a\n{cells}\n", "utf-8")
    start = MAPPING.split("<row>", maxsplit=1)[0]
    source = MAPPING.split("rml:subjectMap", maxsplit=1)[0].removeprefix(start)
    more = f'rml:subjectMap [ rml:template "http://s/{{a}}" ] ; rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ {term} ] ] .'
    (folder / "mapping.rml.ttl").write_text(start + source + more, "utf-8")
    return folder / "mapping.rml.ttl"


@pytest.mark.parametrize(
    "value", ["http://example.com/%zz", "http://example.com/%4", "http://example.com:a/", "x#a#b"]
)
def test_an_iri_that_no_parser_takes_is_a_finding_at_its_line(value: str, tmp_path: Path) -> None:
    mapping = write(tmp_path, 'rml:reference "a" ; rml:termType rml:IRI', f"fine\n{value}")
    findings = map_file(mapping, tmp_path / "out.nq", MappingOptions(on_invalid_value="warn"))
    assert [
        (finding.code, finding.where.line if finding.where else 0, finding.params["value"])
        for finding in findings
    ] == [("LP301", 3, value)]
    by_oxigraph((tmp_path / "out.nq").read_bytes())


@pytest.mark.parametrize(
    "template", ["http://e/%{a}", "http://e/100%/{a}", "http://e/#{a}#", "http://e x/{a}"]
)
def test_a_template_that_makes_no_iri_is_refused(template: str, tmp_path: Path) -> None:
    mapping = write(tmp_path, f'rml:template "{template}"')
    with pytest.raises(InvalidDeclaration) as refused:
        map_file(mapping, tmp_path / "out.nq")
    assert [finding.code for finding in refused.value.findings] == ["LP602"]


def test_an_unsafe_iri_stays_within_its_line(tmp_path: Path) -> None:
    mapping = write(
        tmp_path,
        'rml:reference "a" ; rml:termType rml:UnsafeIRI',
        '"http://x> <http://y> . #\n<http://s> <http://p> <http://o"',
    )
    map_file(mapping, tmp_path / "out.nq")
    (line,) = (tmp_path / "out.nq").read_text("utf-8").splitlines()
    assert len(list(ox.parse(line, format=ox.RdfFormat.N_QUADS, lenient=True))) == 1
    assert line.split(" ")[2].startswith(
        r"<http://x\u003E\u0020\u003Chttp://y\u003E\u0020.\u0020#\u000A\u003Chttp://s\u003E"
    )


def test_a_line_that_is_no_statement_ends_the_run() -> None:
    lines._check_syntax([memoryview(b'<http://s> <http://p> "o" .\n<http://s> <http://p> 0')])
    with pytest.raises(RuntimeError, match="no N-Quads"):
        lines._check_syntax([memoryview(b"<http://s> <http://p> 0 .\n")])


def test_a_row_that_gets_no_text_ends_the_run() -> None:
    batch = (memoryview(bytes(8 * 4)).cast("q"), memoryview(b""))
    assert len(list(blocks._blocks([batch], 3))) == 1
    for rows in (2, 4):
        with pytest.raises(ValueError, match="rows of a table"):
            list(blocks._blocks([batch], rows))
