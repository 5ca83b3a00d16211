"""Mappings in another notation: what is written means what was read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance import suites
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import InvalidDeclaration, LodpipeError
from lodpipe.documents.readers import READERS, read_tree
from lodpipe.mapping.model import MappingDocument
from lodpipe.mapping.rml.rml_reader import read_rml, read_rml_text
from lodpipe.mapping.writers.write_rml import write_rml
from lodpipe.mapping.writers.write_yarrrml import write_yarrrml
from lodpipe.mapping.yarrrml.yarrrml_reader import read_yarrrml
from mapping_effects import effects
from support import ROOT, TESTS

BASE = "http://example.com/base/"
PREFIXES = {
    "ex": "https://example.org/ns#",
    "other": "https://example.com/other/",
    "def": "https://example.org/def/",
}


def from_yarrrml(text: str) -> MappingDocument:
    return read_yarrrml(READERS[".yaml"](text, "written.yaml"), "written.yaml", {})


def through_rml(document: MappingDocument) -> MappingDocument | None:
    """A mapping written as RML and read again; None where RML cannot say it."""
    text, unsaid = write_rml(document)
    return None if unsaid else read_rml_text(text, "written.ttl", BASE)


def through_yarrrml(document: MappingDocument) -> MappingDocument | None:
    """A mapping written as YARRRML and read again; None where YARRRML cannot say it."""
    text, unsaid = write_yarrrml(document)
    return None if unsaid else from_yarrrml(text)


def compared(documents: dict[str, MappingDocument]) -> tuple[int, int]:
    """How many documents came through RML, and through YARRRML; all of these as they were."""
    counts = []
    for way in (through_rml, through_yarrrml):
        written = {name: way(document) for name, document in documents.items()}
        different = [
            name
            for name, document in written.items()
            if document is not None and effects(document) != effects(documents[name])
        ]
        assert not different, f"{way.__name__}: {different}"
        counts.append(sum(document is not None for document in written.values()))
    return counts[0], counts[1]


def readable(paths: list[Path]) -> dict[str, MappingDocument]:
    """The mappings among files that are right."""
    documents = {}
    for path in paths:
        try:
            documents[f"{path.parent.name}/{path.name}"] = read_rml(path, path.name, BASE)
        except LodpipeError:
            continue
    return documents


def cases(name: str) -> list[Path]:
    (suite,) = [suite for suite in suites.ALL if suite.name == name]
    paths = sorted({case.mapping for case in suites.cases(suite)})
    if not paths:
        pytest.skip(f"{name}: {suites.HOW_TO_GET}")
    return paths


@pytest.mark.parametrize(
    ("suite", "read", "by_yarrrml"),
    [
        ("rml-core", 64, 56),
        ("rml-core-csv", 38, 36),
        ("rml-core-postgresql", 54, 0),
        ("r2rml-postgresql", 61, 39),
        ("rml-fnml", 17, 17),
        ("rml-cc", 35, 0),
    ],
)
def test_the_mappings_of_the_suites_come_through(suite: str, read: int, by_yarrrml: int) -> None:
    documents = readable(cases(suite))
    counts = compared(documents)
    print(suite, len(documents), counts)
    assert (len(documents), counts) == (read, (read, by_yarrrml))


def test_the_mappings_of_the_golden_cases_come_through() -> None:
    documents = {
        path.parent.name: read_yarrrml(read_tree(path, path.name), path.name, PREFIXES)
        for path in sorted((TESTS / "mapping").glob("*/mapping.yaml"))
        if not path.with_name("functions.yaml").exists()
    }
    counts = compared(documents)
    print(len(documents), counts)
    assert (len(documents), counts) == (36, (35, 36))


def test_the_real_mapping_comes_through() -> None:
    prefixes = read_vocabulary(ROOT, BASE).prefixes
    path = ROOT / "source" / "mapping.yaml"
    document = read_yarrrml(read_tree(path, path.name), path.name, prefixes)
    again = through_yarrrml(document)
    assert again is not None
    assert effects(again) == effects(document)
    assert len(document.triples_maps) > 10


def test_the_examples_of_the_documentation_come_through() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    texts = re.findall(r"<!-- mapping -->\n```yaml\n(.*?)```", page, re.DOTALL)
    prefixes = {
        "schema": "https://schema.org/",
        "org": "http://www.w3.org/ns/org#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
    }
    documents = {
        str(number): read_yarrrml(READERS[".yaml"](text, "x.yaml"), "x.yaml", prefixes)
        for number, text in enumerate(texts)
    }
    print(len(documents), compared(documents))
    assert len(documents) >= 7


def test_what_a_notation_cannot_say_is_reported_at_its_line() -> None:
    turtle = """@prefix rml: <http://w3id.org/rml/> .
<#a> rml:logicalSource [ rml:source "a.csv" ; rml:referenceFormulation rml:CSV ; rml:null "-" ] ;
    rml:subjectMap [ rml:reference "id" ;
        rml:termType rml:UnsafeIRI ] .
"""
    _, unsaid = write_yarrrml(read_rml_text(turtle, "a.ttl", BASE))
    assert [
        (finding.code, finding.where and finding.where.line, finding.params["detail"])
        for finding in unsaid
    ] == [
        ("LP617", 2, "texts that mean no value"),
        ("LP617", 3, "the term type unsafe-iri"),
    ]


def test_a_mapping_that_is_wrong_is_not_written() -> None:
    with pytest.raises(InvalidDeclaration):
        from_yarrrml("mappings: {a: {}}")
