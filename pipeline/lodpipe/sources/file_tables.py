"""Files that a mapping names itself: where they may be, and on which line a record of them is."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    Severity,
    SourceError,
)
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.csv_dialect import COMMAS, Dialect
from lodpipe.documents.readers import read_text, read_tree_as, unbounded
from lodpipe.documents.tree import Mapping, Node, Sequence
from lodpipe.sources.access import WORKING_DIRECTORY
from lodpipe.sources.folders import Folders
from lodpipe.sources.jsonpath import parse, walk
from lodpipe.sources.record_tables import FILE_BITS, ROW_BITS, cell_origin, header_of
from lodpipe.sources.xml_records import XmlTable


@dataclass
class FileTable:
    """A file (or an iterator over one) as a table of records."""

    name: str
    number: int
    path: Path
    kind: str
    origin: Origin
    iterator: str = "$"
    dialect: Dialect = COMMAS

    @property
    def header(self) -> list[str]:
        """The column names of a CSV file."""
        return header_of(self.path, self.name, self.dialect)

    def read(self) -> Node | None:
        """The tree of a JSON or YAML file. Raises InvalidData with what is wrong with it."""
        return read_tree_as(self.kind, self.path, self.name)

    def documents(self) -> list[str]:
        """The texts of the JSON documents in the file. Raises InvalidData where it is not UTF-8."""
        with unbounded(self.path):
            content = read_text(self.path, self.name)
        return (
            [line for line in content.split("\n") if line.strip()]
            if self.kind == "jsonl"
            else [content]
        )

    def unfollowed(self) -> Iterator[Finding]:
        """The finding for an iterator that leads to no record, unless it ends in an empty list."""
        root = self.read()
        nodes = [] if root is None else [root]
        if root is None and self.kind == "json":
            raise InvalidData(
                [
                    Finding(
                        "LP102",
                        Origin(self.name, 1),
                        {"format": "JSON", "detail": "the file is empty"},
                    )
                ]
            )
        for step in parse(self.iterator):
            above, nodes = nodes, [node for item in nodes for node in walk(item, (step,))]
            if not nodes and (
                isinstance(step, str) or not any(isinstance(item, Sequence) for item in above)
            ):
                keys = {key for item in above if isinstance(item, Mapping) for key in item.items}
                near = nearest(step, sorted(keys)) if isinstance(step, str) else ""
                yield Finding(
                    "LP309",
                    self.origin,
                    {"iterator": self.iterator, "file": self.name, "suggestion": near},
                    Severity.WARNING,
                )
                return
        if nodes:  # members of an object, which the engine does not take for items of a list
            words = {"iterator": self.iterator, "file": self.name, "suggestion": ""}
            yield Finding("LP309", self.origin, words, Severity.WARNING)

    @cached_property
    def nodes(self) -> list[Node]:
        """The records of a JSON or YAML file with their places; read only when a finding asks."""
        try:
            root = self.read()
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
            return cell_origin((self.name, self.path), row, self.header, column, self.dialect)
        if self.kind not in ("json", "jsonl", "yaml") or row >= len(self.nodes):
            return Origin(self.name, row + 1 if self.kind == "parquet" else 0)
        node = self.nodes[row]
        value = next(walk(node, parse(column)), node) if column else node
        return Origin(self.name, value.line, value.column)


@dataclass
class FileGroup:
    """Several files as one table of records, whose numbers have that of the file in them."""

    files: tuple[FileTable | XmlTable, ...]

    def locate(self, record: int, column: str | None = None) -> Origin:
        """As that of the file with the record."""
        number = (record >> ROW_BITS) & ((1 << FILE_BITS) - 1)
        return self.files[number].locate(record, column)


def common_columns(headers: Iterable[tuple[str, Iterable[str]]], origin: Origin) -> tuple[str, ...]:
    """All columns of files with the names of the files.

    Raises InvalidDeclaration (LP602) where a file lacks one that those before it have.
    """
    columns: dict[str, None] = {}
    first = ""
    for name, header in headers:
        own = set(header)
        if columns and (lacking := [column for column in columns if column not in own]):
            detail = f"{name} has no column `{lacking[0]}`, which {first} has"
            raise InvalidDeclaration([Finding("LP602", origin, {"detail": detail})])
        first = first or name
        columns |= dict.fromkeys(header)
    return tuple(columns)


def find_files(
    named: str, origin: Origin, folders: Folders, root: str = ""
) -> list[tuple[Path, str]]:
    """The files of a source in the order of their names: that file, those in a folder, or those
    that a name with `*`, `?` or `[…]` stands for. Names that begin with `.` or `_` are left out of
    the latter two, as what other programs leave there. `root` is that of the source (`Access`).

    Raises what `find` raises.
    """
    base = folders.of_root(root)
    if "://" in named or not _is_many(base / named, named):
        return [find(named, origin, folders, root)]
    if (Path(named).is_absolute() and not folders.named) or ".." in Path(named).parts:
        raise InvalidDeclaration([Finding("LP107", origin, {"path": named})])
    files = {
        name: path
        for item in _matching(base, named)
        if item.is_file() and not item.name.startswith((".", "_"))
        for path, name in [find(str(item.absolute()), origin, folders, root)]
    }
    if not files:
        raise SourceError(
            [Finding("LP106", origin, {"file": named, "detail": "there is no such file"})]
        )
    return [(path, name) for name, path in sorted(files.items())]


def _matching(base: Path, named: str) -> Iterator[Path]:
    """What is in a folder, or what a pattern stands for; only the name itself is a pattern."""
    if (base / named).is_dir():
        return (base / named).iterdir()
    path = Path(named)
    if path.is_absolute():
        return Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return base.glob(named)


def _is_many(path: Path, named: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # no path at all, as `find` reports
        return not path.is_file() and (path.is_dir() or bool(re.search(r"[*?\[]", named)))
    return False


def find(named: str, origin: Origin, folders: Folders, root: str = "") -> tuple[Path, str]:
    """The path of a source below its folder, and the name it is reported by.

    Raises InvalidDeclaration where it leads out of the folders or is an address (LP107),
    SourceError where there is no such file (LP106).
    """
    base = folders.of_root(root)
    try:
        path = (base / named).resolve()
        path.stat()
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # links in a circle, a name that is too long, a NUL in it
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            detail = (
                error.strerror
                if isinstance(error, OSError) and error.strerror
                else "its path cannot be resolved, for example because of circular links"
            )
            raise SourceError(
                [Finding("LP106", origin, {"file": named, "detail": detail})]
            ) from None
    if "://" in named or not folders.may_read(path, root):
        raise InvalidDeclaration([Finding("LP107", origin, {"path": named})])
    if not path.is_file():
        words = {"file": named, "detail": _absent(named, folders, root)}
        raise SourceError([Finding("LP106", origin, words)])
    is_below = path.is_relative_to(base.resolve())
    return path, (path.relative_to(base.resolve()) if is_below else path).as_posix()


def _absent(named: str, folders: Folders, root: str) -> str:
    """That there is no file, or where it is instead."""
    if root == WORKING_DIRECTORY and (folders.mapping / named).is_file():
        return (
            "there is no such file in the working directory; beside the mapping there is one: "
            "`rml:root rml:MappingDirectory`"
        )
    return "there is no such file"
