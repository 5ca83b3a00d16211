"""Triples maps that describe the same file get the same logical source, so that it is read once.

A mapping of 300 triples maps often has 300 descriptions of one file, which differ in their lines
alone.
"""

from __future__ import annotations

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Origin
from lodpipe.mapping.model import LogicalSource, MappingDocument

_NOWHERE = Origin("")
_FILES = frozenset({"csv", "json", "jsonl", "yaml", "parquet", "xml"})


def with_shared_sources(document: MappingDocument) -> MappingDocument:
    """The same mapping; equal sources have the place of the first."""
    first: dict[LogicalSource, LogicalSource] = {}
    maps = {
        name: replace(
            entry, source=first.setdefault(replace(entry.source, origin=_NOWHERE), entry.source)
        )
        if entry.source.kind in _FILES
        else entry
        for name, entry in document.triples_maps.items()
    }
    return replace(document, triples_maps=maps)
