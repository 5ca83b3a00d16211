"""Files that a mapping names itself: where they may lie, and on which line a record of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import Finding, InvalidDeclaration, LodpipeError, Origin, SourceError
from pipeline.reading.files import read_tree
from pipeline.reading.tree import Node, Sequence
from pipeline.sources.jsonpath import parse, walk
from pipeline.sources.tables import ROW_BITS, cell_origin, header_of


@dataclass
class FileTable:
    """A file (or an iterator over one) as a table of records."""

    name: str
    number: int
    path: Path
    kind: str
    iterator: str = "$"

    @property
    def header(self) -> list[str]:
        """The column names of a CSV file."""
        return header_of(self.path, self.name)

    @cached_property
    def nodes(self) -> list[Node]:
        """The records of a JSON or YAML file with their places; read only when a finding asks."""
        try:
            root = read_tree(self.path, self.name)
        except LodpipeError:
            return []
        if root is None:
            return []
        if self.kind == "jsonl":
            return list(root.items) if isinstance(root, Sequence) else []
        return list(walk(root, parse(self.iterator)))

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The line of a record; in JSON and YAML that of the value which a reference leads to."""
        row = record & ((1 << ROW_BITS) - 1)
        if self.kind == "csv":
            return cell_origin(self.name, self.path, row, self.header, column)
        if self.kind not in ("json", "jsonl", "yaml") or row >= len(self.nodes):
            return Origin(self.name, row + 1 if self.kind == "parquet" else 0)
        node = self.nodes[row]
        value = next(walk(node, parse(column)), node) if column else node
        return Origin(self.name, value.line, value.column)


def find(named: str, origin: Origin, root: Path) -> tuple[Path, str]:
    """The path of a source below the root, and the name it is told by.

    Raises InvalidDeclaration where it leads out of the root or is an address (LP107), SourceError where there is no such file (LP106).
    """
    path = (root / named).resolve()
    if "://" in named or not path.is_relative_to(root.resolve()):
        raise InvalidDeclaration([Finding("LP107", origin, {"path": named})])
    if not path.is_file():
        raise SourceError([Finding("LP106", origin, {"file": named, "detail": "there is no such file"})])
    return path, path.relative_to(root.resolve()).as_posix()
