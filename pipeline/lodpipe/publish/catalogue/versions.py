"""The documents of closed releases, which are resources like others:

    dataset/1.1.0          the IRI of a release, which answers 303 with one of
    dataset/1.1.0.ttl, .jsonld, .rdf, .nt
    distribution/1.1.0/ttl.gz   a file of it: the same documents describe it

They say what `catalog.ttl` in the folder of the release says, which never changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyoxigraph as ox

from lodpipe.publish.catalogue.graph import Graph
from lodpipe.releases.ledger import Release

VERSION = r"[0-9]+\.[0-9]+\.[0-9]+"
OF_CATALOGUE = "dataset|service|feed|distribution/.*"
"""What the catalogue describes besides itself, as a pattern of local names."""
OF_VERSION = f"(?:distribution|release)/({VERSION})(?:/.*)?"
"""What the document of a release describes besides the release: its files, and its entry in the Atom
feed.
"""
_OF_CATALOGUE, _OF_VERSION = re.compile(OF_CATALOGUE), re.compile(OF_VERSION)


def document_of(local: str) -> str:
    """The address of the document that describes a resource, without suffix.

    >>> document_of("distribution/ttl.gz"), document_of("distribution/1.1.0/ttl.gz")
    ('catalog', 'dataset/1.1.0')
    >>> document_of("release/1.1.0")
    'dataset/1.1.0'
    >>> document_of("dataset"), document_of("dataset/1.1.0"), document_of("thing/x")
    ('catalog', 'dataset/1.1.0', 'thing/x')
    """
    if version := _OF_VERSION.fullmatch(local):
        return f"dataset/{version[1]}"
    return "catalog" if _OF_CATALOGUE.fullmatch(local) else local


def write_versions(releases: Sequence[Release], base: str, folder: Path) -> None:
    """The documents of the releases whose folders are below a new dist/."""
    for release in releases:
        path = folder / release.folder / "catalog.ttl"
        if path.is_file():
            (folder / "dataset").mkdir(exist_ok=True)
            _read(path, base).write(folder / "dataset", release.version, base)


def _read(path: Path, base: str) -> Graph:
    """A catalogue as it was written."""
    graph = Graph()
    quads = ox.parse(path=path, format=ox.RdfFormat.TURTLE, base_iri=base)
    graph.add((str(quad.subject), str(quad.predicate), str(quad.object)) for quad in quads)
    return graph
