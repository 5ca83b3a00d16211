"""The files that a case of RML-IO expects from its targets, and what is wrong with those of a run."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox

INTEGER = "^^<http://www.w3.org/2001/XMLSchema#integer>"
DATATYPES_ONLY = "makes the expected graph, with datatypes that the expected file does not have"
OUTDATED = "The expected file is older than"
"""What the reasons of such expected failures begin with."""
PARSERS = {
    ".nq": ox.RdfFormat.N_QUADS,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".n3": ox.RdfFormat.N3,
    ".ttl": ox.RdfFormat.TURTLE,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".rdfxml": ox.RdfFormat.RDF_XML,
}


def expected_files(folder: Path) -> list[Path]:
    """The files that the targets of a case make: dump1.nq, dump2.ttl, …"""
    return sorted(folder.glob("dump*"))


def complaint(expected: Sequence[Path], folder: Path, others: set[str]) -> str | None:
    """What is wrong with the files in a folder, each of which is expected or one of the others."""
    names = {path.name for path in expected}
    actual = {path.name for path in folder.iterdir()} - others
    if names != actual:
        return f"lacks the files {sorted(names - actual)}, has {sorted(actual - names)}"
    differences = [item for path in expected if (item := _difference(path, folder / path.name))]
    return next(
        (item for item in differences if item != DATATYPES_ONLY), next(iter(differences), None)
    )


def _difference(expected: Path, actual: Path) -> str | None:
    """What is wrong with a file: its archive, its encoding, or its statements."""
    (kind, member, wanted), (other_kind, other_member, data) = map(_unpacked, (expected, actual))
    if (kind, member) != (other_kind, other_member):
        return f"{actual.name}: {other_kind} with {other_member}, expected {kind} with {member}"
    if _encoding(wanted) != _encoding(data):
        return f"{actual.name}: encoded in {_encoding(data)}, expected {_encoding(wanted)}"
    form = Path(member or expected.name).suffix
    statements, others = (
        Counter(_canonical(item.decode(_encoding(item)), form)) for item in (wanted, data)
    )
    if statements == others:
        return None
    without = Counter(line.replace(INTEGER, "") for line in others.elements())
    if statements == without:
        return DATATYPES_ONLY
    lacks, has = sorted(statements - others), sorted(others - statements)
    return f"{actual.name}: lacks {lacks}, has {has}"


def _unpacked(path: Path) -> tuple[str, str, bytes]:
    """How a file is packed, the name of its member, and its content."""
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            return "zip", name, archive.read(name)
    for kind in ("gz", "xz"):
        try:
            with tarfile.open(path, f"r:{kind}") as archive:
                (entry,) = archive.getmembers()
                content = archive.extractfile(entry)
                assert content is not None
                return f"tar.{kind}", entry.name, content.read()
        except tarfile.ReadError:
            continue
    if data.startswith(b"\x1f\x8b"):
        return "gzip", path.stem, gzip.decompress(data)
    return "plain", path.name, data


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _canonical(text: str, form: str) -> list[str]:
    """The statements with blank nodes named by RDFC-1.0."""
    dataset = ox.Dataset(
        _rdf_json(json.loads(text))
        if form == ".rdfjson"
        else ox.parse(io.BytesIO(text.encode()), format=PARSERS[form], base_iri="http://e/")
    )
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return [str(quad) for quad in dataset]


def _rdf_json(document: dict[str, dict[str, list[dict[str, object]]]]) -> Iterator[ox.Quad]:
    """The statements of RDF/JSON; a value that is a number, which the format does not have, is its
    text.
    """
    for subject, properties in document.items():
        for predicate, values in properties.items():
            for value in values:
                assert value["type"] == "literal", "the cases have nothing else"
                datatype = value.get("datatype")
                term = ox.Literal(
                    str(value["value"]), datatype=ox.NamedNode(str(datatype)) if datatype else None
                )
                yield ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), term)
