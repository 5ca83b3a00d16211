"""Every dump, read back by parsers that we did not write, is the same graph."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import duckdb
import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld

rdflib.NORMALIZE_LITERALS = False  # "01"^^xsd:integer stays what it is

BASE = "https://w3id.org/rogl/"
OX = {
    "nt": ox.RdfFormat.N_TRIPLES, "nq": ox.RdfFormat.N_QUADS, "ttl": ox.RdfFormat.TURTLE, "trig": ox.RdfFormat.TRIG,
    "rdf": ox.RdfFormat.RDF_XML, "jsonld": ox.RdfFormat.JSON_LD,
}  # fmt: skip
RAPPER = {"nt": "ntriples", "ttl": "turtle", "nq": "nquads", "trig": "trig", "rdf": "rdfxml"}


def canonical(quads: Iterable[ox.Quad], *, union: bool = True) -> str:
    """The RDFC-1.0 form of a graph as N-Triples (or of a dataset as N-Quads)."""
    dataset = ox.Dataset(
        ox.Quad(triple.subject, triple.predicate, triple.object) if union else triple
        for triple in quads
    )
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{quad!s} .\n" for quad in dataset))


def by_oxigraph(path: Path, suffix: str) -> list[ox.Quad]:
    return list(ox.parse(path=path, format=OX[suffix]))


def by_rdflib(data: bytes, suffix: str) -> list[ox.Quad]:
    formats = {
        "nt": "nt",
        "ttl": "turtle",
        "rdf": "xml",
        "nq": "nquads",
        "trig": "trig",
        "jsonld": "json-ld",
    }
    dataset = rdflib.Dataset()
    dataset.parse(data=data, format=formats[suffix])
    written = dataset.serialize(format="nquads")
    return list(ox.parse(written, format=ox.RdfFormat.N_QUADS))


@pytest.fixture(scope="module")
def truth(dist: Path) -> str:
    """The union of all graphs of the N-Quads, in canonical form."""
    return canonical(by_oxigraph(dist / "rogl.nq", "nq"))


@pytest.fixture(scope="module")
def truth_by_graph(dist: Path) -> str:
    return canonical(by_oxigraph(dist / "rogl.nq", "nq"), union=False)


def test_the_quads_are_in_their_canonical_form(dist: Path, truth_by_graph: str) -> None:
    assert (dist / "rogl.nq").read_bytes().decode("utf-8") == truth_by_graph


def test_the_triples_are_in_their_canonical_form(dist: Path, truth: str) -> None:
    assert (dist / "rogl.nt").read_bytes().decode("utf-8") == truth


@pytest.mark.parametrize("suffix", sorted(OX))
def test_oxigraph_reads_the_same_graph(dist: Path, truth: str, suffix: str) -> None:
    assert canonical(by_oxigraph(dist / f"rogl.{suffix}", suffix)) == truth


@pytest.mark.parametrize("suffix", sorted(OX))
def test_rdflib_reads_the_same_graph(dist: Path, truth: str, suffix: str) -> None:
    assert canonical(by_rdflib((dist / f"rogl.{suffix}").read_bytes(), suffix)) == truth


@pytest.mark.parametrize("suffix", sorted(RAPPER))
def test_rapper_reads_the_same_graph(dist: Path, truth: str, suffix: str) -> None:
    rapper = shutil.which("rapper")
    if rapper is None:
        pytest.skip("rapper (raptor2-utils) is not installed")
    done = subprocess.run(
        [rapper, "-q", "-i", RAPPER[suffix], "-o", "ntriples", dist / f"rogl.{suffix}"],
        capture_output=True,
        check=True,
    )
    assert canonical(ox.parse(done.stdout, format=ox.RdfFormat.N_TRIPLES)) == truth


def test_trig_keeps_every_statement_in_its_graph(dist: Path, truth_by_graph: str) -> None:
    assert canonical(by_oxigraph(dist / "rogl.trig", "trig"), union=False) == truth_by_graph


def test_parquet_holds_the_same_statements(dist: Path) -> None:
    rows = duckdb.sql(
        f"SELECT subject, predicate, object, graph FROM '{dist / 'rogl.parquet'}'"
    ).fetchall()
    lines = "".join(f"{s} {p} {o} {g} .\n" for s, p, o, g in rows)
    assert lines == (dist / "rogl.nq").read_text("utf-8")


def test_compressed_copies_hold_the_same_bytes(dist: Path) -> None:
    copies = sorted(dist.glob("*.gz"))
    print(f"{len(copies)} compressed copies")
    assert len(copies) == 6
    for copy in copies:
        assert gzip.decompress(copy.read_bytes()) == copy.with_suffix("").read_bytes(), copy.name
        assert copy.read_bytes()[4:8] == b"\0\0\0\0", f"{copy.name} holds a time"


def test_checksums_are_those_of_the_files(dist: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=dist,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        len((dist / "SHA256SUMS").read_text("utf-8").splitlines())
        == sum(path.is_file() for path in dist.rglob("*")) - 1
    )


@cache
def refuse(url: str, options: object = None) -> None:
    raise AssertionError(f"a remote document was asked for: {url}")


def by_pyld(document: object) -> str:
    quads = jsonld.to_rdf(document, {"documentLoader": refuse, "format": "application/n-quads"})
    return canonical(ox.parse(quads, format=ox.RdfFormat.N_QUADS))


def test_pyld_reads_the_same_graph(dist: Path, truth: str) -> None:
    assert by_pyld(json.loads((dist / "rogl.jsonld").read_text("utf-8"))) == truth


def test_every_tree_is_a_part_of_the_graph_for_every_parser(dist: Path, truth: str) -> None:
    trees = sorted((dist / "labs").glob("*.jsonld"))
    print(f"{len(trees)} trees")
    assert len(trees) == 13
    known = set(truth.splitlines())
    for path in trees:
        read = canonical(by_oxigraph(path, "jsonld"))
        assert read == by_pyld(json.loads(path.read_text("utf-8"))), path.name
        assert read == canonical(by_rdflib(path.read_bytes(), "jsonld")), path.name
        assert set(read.splitlines()) <= known, path.name


def test_a_tree_holds_its_memberships_and_their_organisations(dist: Path) -> None:
    for path in sorted((dist / "labs").glob("*.jsonld")):
        triples = {
            (str(triple.subject), str(triple.predicate), str(triple.object))
            for triple in by_oxigraph(path, "jsonld")
        }
        members = {o for s, p, o in triples if p == "<http://www.w3.org/ns/org#member>"}
        named = {s for s, p, _ in triples if p == "<http://www.w3.org/2004/02/skos/core#prefLabel>"}
        assert members, f"{path.name} names no members"
        assert members <= named, f"{path.name}: members without a name"


def test_no_dump_holds_a_blank_node(dist: Path) -> None:
    # The data; the catalogue has the one blank node that harvesters need (its dct:temporal), see
    # tests/test_catalogue.py.
    files = [
        path
        for path in [*sorted(dist.glob("rogl.*")), *sorted(dist.glob("labs/*"))]
        if path.suffix[1:] in OX
    ]
    print(f"{len(files)} files")
    assert len(files) == 7 + 13
    for path in files:
        blank = [
            triple
            for triple in ox.parse(path=path, format=OX[path.suffix[1:]])
            if ox.BlankNode in (type(triple.subject), type(triple.object))
        ]
        assert blank == [], path.name


def test_no_file_writes_schema_org_with_http(dist: Path) -> None:
    files = [
        path
        for path in sorted(dist.rglob("*"))
        if path.is_file() and path.suffix not in (".gz", ".parquet")
    ]
    assert files
    assert [path.name for path in files if b"http://schema.org/" in path.read_bytes()] == []


def test_no_json_ld_needs_the_network(dist: Path) -> None:
    # The data; dataset.jsonld and the RO-Crate name the contexts that their readers know by heart.
    files = [dist / "rogl.jsonld", dist / "catalog.jsonld", *sorted(dist.glob("labs/*.jsonld"))]
    assert len(files) == 15
    for path in files:
        context = json.loads(path.read_text("utf-8"))["@context"]
        assert isinstance(context, dict), f"{path.name} refers to a remote context"
        assert "@import" not in context
        assert not [
            term
            for term, value in context.items()
            if isinstance(value, dict) and isinstance(value.get("@context"), str)
        ], path.name


def test_json_ld_ids_are_absolute(dist: Path) -> None:
    document = json.loads((dist / "rogl.jsonld").read_text("utf-8"))
    ids = [node.get("@id") or node["id"] for node in document["@graph"]]
    assert len(ids) == len(set(ids)) > 500
    assert [id_ for id_ in ids if not id_.startswith(BASE)] == []
