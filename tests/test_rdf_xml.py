"""RDF/XML of pages is what the library writes, byte by byte: of the statements of publications, of
terms that are hard to write, and of any choice among these.
"""

from __future__ import annotations

import random
from itertools import groupby
from pathlib import Path

import pyoxigraph as ox

from lodpipe.rdf.rdf_xml import RdfXml
from support import ROOT, TESTS

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "sdo": "https://schema.org/",
    "below": "https://schema.org/below/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "ex": "http://example.com/",
}
WRITER = RdfXml(PREFIXES.items())
HARD = TESTS / "site/rdf-xml.nt"


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").split("\n")[:-1]


def written(lines: list[str]) -> tuple[bytes, bytes]:
    """The document of ours and that of the library."""
    ntriples = "".join(f"{line}\n" for line in lines)
    triples = [(*line[:-2].split(" ", 2),) for line in lines]
    used = {name: iri for name, iri in PREFIXES.items() if f"<{iri}" in ntriples}
    parsed = (quad.triple for quad in ox.parse(ntriples, format=ox.RdfFormat.N_TRIPLES))
    library = ox.serialize(parsed, format=ox.RdfFormat.RDF_XML, prefixes=used)
    assert library is not None
    return WRITER.document(triples, ntriples), library


def test_terms_that_are_hard_to_write_alone_and_together() -> None:
    choices = random.Random(1)
    lines = lines_of(HARD)
    assert len(lines) == 17
    sets = [[], lines, *([line] for line in lines)]
    sets += [sorted(choices.sample(lines, choices.randrange(2, 8))) for _ in range(500)]
    for some in sets:
        ours, library = written(some)
        assert ours == library, some


def test_each_resource_of_a_publication() -> None:
    resources = groupby(lines_of(ROOT / "dist/rogl.nt"), key=lambda line: line.split(" ", 1)[0])
    documents = [written(list(lines)) for _, lines in resources]
    assert len(documents) > 1500
    assert all(ours == library for ours, library in documents)


def test_publications_of_other_data() -> None:
    files = [*TESTS.glob("init/*/expected.nt"), *TESTS.glob("targets/*/expected/*.nt")]
    files += [TESTS / "api/names.nt", TESTS / "reconcile/register.nt"]
    assert len(files) >= 20
    for path in files:
        ours, library = written(sorted(lines_of(path)))
        assert ours == library, path
