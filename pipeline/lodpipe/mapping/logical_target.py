"""Files that statements are written to besides the default output (RML-IO, Logical Target), and the
words by which formats, compressions and encodings are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from lodpipe.diagnostics.finding import Origin

WORKING_FOLDER, MAPPING_FOLDER = "CurrentWorkingDirectory", "MappingDirectory"
"""The roots that RML names; any other root is a path."""


class TargetFormat(NamedTuple):
    """A serialization: its name in http://www.w3.org/ns/formats/, the key of its writer, and
    whether it keeps the graph of each statement.
    """

    name: str
    suffix: str
    graphs: bool = False


FORMATS: Mapping[str, TargetFormat] = {
    row.name: row
    for row in (
        TargetFormat("N-Quads", "nq", graphs=True),
        TargetFormat("N-Triples", "nt"),
        TargetFormat("Turtle", "ttl"),
        TargetFormat("TriG", "trig", graphs=True),
        TargetFormat("JSON-LD", "jsonld", graphs=True),
        TargetFormat("RDF_XML", "rdf"),
        TargetFormat("RDF_JSON", "rj"),
        TargetFormat("N3", "n3"),
    )
}
COMPRESSIONS: Mapping[str, str] = {
    "none": "", "gzip": ".gz", "zip": ".zip", "targz": ".tar.gz", "tarxz": ".tar.xz",
}  # fmt: skip
"""Each compression with the suffix of its files, which their one member does not have."""
ENCODINGS = ("UTF-8", "UTF-16")


class LogicalTarget(Struct, frozen=True):
    """A file for statements: its path as the mapping has it, below a root (WORKING_FOLDER,
    MAPPING_FOLDER or a path), and how it is written.
    """

    path: str
    origin: Origin
    root: str = WORKING_FOLDER
    format: TargetFormat = FORMATS["N-Quads"]
    compression: str = "none"
    encoding: str = "UTF-8"


def format_of(name: str) -> TargetFormat | None:
    """The format of a name in any spelling; YARRRML has them without hyphens.

    >>> format_of("rdfxml").name, format_of("N-Quads").suffix, format_of("rdfa")
    ('RDF_XML', 'nq', None)
    """
    return next((row for row in FORMATS.values() if _letters(row.name) == _letters(name)), None)


def _letters(name: str) -> str:
    return re.sub("[-_]", "", name).lower()
