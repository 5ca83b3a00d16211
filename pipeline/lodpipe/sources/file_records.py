"""One file of a record table: its records as rows of texts, each with its line, and what is wrong
with them.

What a file gives depends on its bytes, its path and the declarations alone, so that files can be
read in any order, by several processes, and what was read once can be stored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.diagnostics.suggestions import nearest, other_spelling
from lodpipe.documents.readers import READERS, decoded
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Sequence, describe, place_of
from lodpipe.sources.file_patterns import suffix_of
from lodpipe.sources.record_cells import (
    Cells,
    Place,
    as_written,
    cell_of,
    cell_place,
    items_at,
    items_of,
    reading_of,
    unread_of,
    written,
)
from lodpipe.sources.record_declaration import (
    FILE,
    PARENT,
    POSITION,
    Column,
    Field,
    List,
    Table,
    columns_of,
    item_columns,
    lists_of,
)
from lodpipe.sources.schema import Lexicon, RecordChecker, pattern_of

Row = list[int | str | None]  # number of the parent's row in its part, line, column, then cells


class SourceFile(Struct, frozen=True):
    """A file of a table: its name in findings, the root, its path below that, what the captures of its
    pattern have.
    """

    name: str
    root: str
    local: str
    captures: Mapping[str, str] = {}

    @property
    def address(self) -> str:
        """Where it is, as a text: paths are slow to make for many files."""
        return f"{self.root}/{self.local}"

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.address)

    @property
    def suffix(self) -> str:
        """The suffix of its name."""
        return suffix_of(self.local)


class Part(Struct, frozen=True):
    """A table that records fill: the records' own, or that of a list in them.

    `lists` are those in its items, each with the number of its part.
    """

    name: str
    columns: tuple[Column, ...]
    lists: tuple[tuple[List, int], ...]
    in_list: bool

    @property
    def knows_parent(self) -> bool:
        """Whether a cell has a value of the record that has the list."""
        return any(column.path[:1] == (PARENT,) for column in self.columns)


def parts_of(table: Table, languages: tuple[str, ...]) -> list[Part]:
    """The table of the records, and those of their lists, in the order of their numbers."""
    parts: list[Part] = []

    def add(name: str, columns: tuple[Column, ...], fields: dict[str, Field]) -> int:
        number = len(parts)
        parts.append(Part(name, columns, (), number > 0))
        lists = []
        for entry in lists_of(fields):
            inner = item_columns(entry.item, entry.is_keyed, languages)
            below = add("_".join((name, *entry.names)), inner, entry.item.fields)
            lists.append((entry, below))
        parts[number] = Part(name, columns, tuple(lists), number > 0)
        return number

    add(table.name, tuple(columns_of(table.fields, languages)), table.fields)
    return parts


class Key(Struct, array_like=True):
    """The key of a record, and where it is."""

    text: str | None
    line: int
    column: int


# Of each part and row, line and column of each cell; 0 and 0 where it is where the row is.
_Places = list[list[list[int]]]
_PLACES = msgspec.msgpack.Decoder(_Places)
_NO_PLACES = msgspec.Raw(msgspec.msgpack.encode([]))


class FileRecords(Struct, array_like=True):
    """The records of a file: their keys, the rows of each part, how often there are keys that are
    not read, and the places of the cells, which few of the files are asked for.
    """

    keys: list[Key] = []
    rows: list[list[Row]] = []
    unread: dict[str, int] = {}
    places: msgspec.Raw = _NO_PLACES


def read_places(encoded: msgspec.Raw) -> _Places:
    """The places of the cells of a file."""
    return _PLACES.decode(encoded)


class ReadFile(Struct):
    """What reading a file gave: records, findings, and the nodes of the rows of each part.

    `numbered` are the rows of each part as they were in its table the last time, with the numbers
    that were given to the first one and to the first that may hold them.
    """

    records: FileRecords
    findings: list[Finding]
    nodes: list[list[Node]]
    numbered: dict[int, tuple[int, int | None, list[Row]]] = {}

    def numbered_rows(self, part: int, first: int, above: int | None) -> list[Row]:
        """The rows of a part for its table, with numbers that count from `first`; numbers of parents
        count from `above` (None: these are records).
        """
        known = self.numbered.get(part)
        if known is None or known[:2] != (first, above):
            rows = numbered_rows(self.records.rows[part], first, above)
            known = self.numbered[part] = first, above, rows
        return known[2]


def numbered_rows(rows: Iterable[Row], first: int, above: int | None) -> list[Row]:
    """The same for some rows of a part."""
    if above is None:
        return [[record, None, *row[3:]] for record, row in enumerate(rows, first)]
    return [
        [record, above + row[0], *row[3:]]  # type: ignore[operator]  # a number
        for record, row in enumerate(rows, first)
    ]


class _Reading:
    """What has been read of a file; `key` is that of the record that is being read."""

    def __init__(self, file: SourceFile, parts: int) -> None:
        self.file = file
        self.key: str | None = None
        self.keys: list[Key] = []
        self.rows: list[list[Row]] = [[] for _ in range(parts)]
        self.places: _Places = [[] for _ in range(parts)]
        self.nodes: list[list[Node]] = [[] for _ in range(parts)]
        self.unread: Counter[str] = Counter()
        self.findings: list[Finding] = []

    @property
    def whole(self) -> ReadFile:
        """The same once all is read."""
        places = msgspec.Raw(msgspec.msgpack.encode(self.places))
        records = FileRecords(self.keys, self.rows, dict(self.unread), places)
        return ReadFile(records, self.findings, self.nodes)


class FileReader:
    """Reads the files of a table. Raises InvalidDeclaration where the declaration names unknown
    schemes or datatypes.
    """

    def __init__(self, table: Table, lexicon: Lexicon) -> None:
        self.table, self._lexicon = table, lexicon
        self.parts = parts_of(table, lexicon.languages)
        self.parents = {
            below: at for at, part in enumerate(self.parts) for _, below in part.lists
        }  # of each part in a list, the part that has the list
        root = as_written(table.root_field)
        self._reading, self._unread = reading_of(root), unread_of(root)
        self._cells = [[cell_of(column) for column in part.columns] for part in self.parts]
        self._places = [[cell_place(column) for column in part.columns] for part in self.parts]
        names = [column.name for column in self.parts[0].columns]
        self._key = names.index(table.key) if table.key else None
        try:
            self._checker = RecordChecker(table, lexicon)
            self._judged = {
                number: list(_outside(part, lexicon))
                for number, part in enumerate(self.parts)
                if any(column.is_outside for column in part.columns)
            }
        except KeyError as error:
            detail = (
                f"table `{table.name}`: ontology/ declares no concept scheme or datatype {error}"
            )
            raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})]) from None
        if findings := list(_no_concepts(table, self.parts, lexicon)):
            raise InvalidDeclaration(findings)

    @property
    def declared(self) -> str:
        """What the declarations say of the table, in a spelling that is always the same."""
        table, lexicon = self.table, self._lexicon
        known = (
            lexicon.languages,
            sorted(lexicon.patterns.items()),
            sorted(lexicon.concepts.items()),
        )
        return repr((table.name, table.files, table.fields, table.ignored, known))

    @property
    def knows_paths(self) -> bool:
        """Whether a cell depends on the path of the file."""
        return any(
            column.path[0] == FILE or column.path[0].startswith("{")
            for part in self.parts
            for column in part.columns
            if column.is_outside
        )

    def nodes(self, file: SourceFile, data: bytes) -> list[list[Node]]:
        """The nodes of the rows of each part, of a file that was read before."""
        out = _Reading(file, len(self.parts))
        for node, position, key in self._nodes(file, data, out.findings):
            if isinstance(node, Map):
                record = (self._reading(node) if self._reading else node) or node
                self._record(record, Place(file.local, file.captures, position, key), out)
        return out.nodes

    def read(self, file: SourceFile, data: bytes) -> ReadFile:
        """The records of a file that has these bytes."""
        out = _Reading(file, len(self.parts))
        for node, position, key in self._nodes(file, data, out.findings):
            if not isinstance(node, Map):
                where = Origin(file.name, node.line, node.column)
                out.findings.append(Finding("LP108", where, {"found": describe(node)}))
                continue
            if self._unread:
                out.unread.update(self._unread(node))
            record = (self._reading(node) if self._reading else node) or node
            out.findings.extend(self._checker.findings(record, file.name))
            place = Place(file.local, file.captures, position, key)
            out.keys.append(self._record(record, place, out))
        return out.whole

    def _nodes(
        self, file: SourceFile, data: bytes, findings: list[Finding]
    ) -> Iterator[tuple[Node, int, str | None]]:
        """The records of a file with position and key."""
        try:
            root = READERS[file.suffix.lower()](decoded(data, file.name), file.name)
        except InvalidData as error:
            findings.extend(error.findings)
            return
        for step in self.table.files.at:
            root = root.items.get(step) if isinstance(root, Map) else None
        if root is None or (
            file.suffix == ".jsonl" and isinstance(root, Sequence) and not root.items
        ):
            findings.append(Finding("LP110", Origin(file.name), {"file": file.name}))
        elif self.table.files.is_keyed and not isinstance(root, Map):
            where = Origin(file.name, root.line, root.column)
            params = {"key": self.table.name, "found": describe(root), "expected": "a map"}
            findings.append(Finding("LP203", where, params))
        elif self.table.files.is_keyed or isinstance(root, Sequence):
            yield from items_of(root, is_keyed=self.table.files.is_keyed)
        else:
            yield root, 1, None

    def _record(self, node: Node, place: Place, out: _Reading) -> Key:
        """Adds the rows of a record and of its lists."""
        out.key = None
        self._row(0, node, place, -1, out)
        path = self.parts[0].columns[self._key].path if self._key is not None else ()
        return Key(out.key, *place_of(node, [*path]))

    def _row(self, number: int, node: Node, place: Place, parent: int, out: _Reading) -> None:
        """Adds a row of a part, and those below it."""
        part, rows = self.parts[number], out.rows[number]
        cells = [cell(node, place) for cell in self._cells[number]]
        if number == 0 and self._key is not None:
            out.key = cells[self._key]
        own = len(rows)
        whole = [out.key, str(place.position)] if part.in_list else []
        rows.append([parent, node.line, node.column, *cells, *whole])
        out.places[number].append(
            [at for place_at in self._places[number] for at in place_at(node)]
        )
        out.nodes[number].append(node)
        if number in self._judged:
            out.findings.extend(self._wrong(number, node, place, out.file.name))
        if not part.lists:
            return
        above: Cells | None = None
        for entry, below in part.lists:
            if self.parts[below].knows_parent:
                above = dict(zip((column.name for column in part.columns), cells, strict=True))
            for item, position, item_key in items_at(node, entry):
                inner = Place(place.file, place.captures, position, item_key, above)
                self._row(below, item, inner, own, out)

    def _wrong(self, number: int, node: Node, place: Place, name: str) -> Iterator[Finding]:
        """Values from around a record that their declaration does not allow."""
        for column, pattern, allowed in self._judged[number]:
            text = written(node, column, place)
            where = Origin(name, node.line, node.column)
            if text is None:
                if column.field.required:
                    yield Finding("LP202", where, {"key": column.name, "table": self.table.name})
            elif allowed and text not in allowed:
                params = {
                    "key": column.name,
                    "value": text,
                    "allowed": ", ".join(allowed),
                    "suggestion": nearest(text, allowed),
                }
                yield Finding("LP205", where, params)
            elif pattern and not pattern.search(text):
                params = {"key": column.name, "value": text, "pattern": pattern.pattern}
                params["suggestion"] = other_spelling(text, pattern.pattern)
                yield Finding("LP204", where, {**params, "expected": column.field.target})


def _no_concepts(table: Table, parts: list[Part], lexicon: Lexicon) -> Iterator[Finding]:
    """Value maps of concepts that give something else."""
    for column in (column for part in parts for column in part.columns):
        entry = column.field
        known = lexicon.concepts[entry.target] if entry.kind == "concept" else ()
        for value in dict.fromkeys((entry.values or {}).values()) if known else ():
            if value is not None and value not in known:
                detail = (
                    f"table `{table.name}`: `values` of `{column.name}` give `{value}`, which is "
                    f"no concept of `{entry.target}`"
                )
                yield Finding("LP601", entry.origin or table.origin, {"detail": detail})


_Judged = tuple[Column, re.Pattern[str] | None, tuple[str, ...]]


def _outside(part: Part, lexicon: Lexicon) -> Iterator[_Judged]:
    """The columns whose values no schema of the record sees, with what they may hold."""
    for column in part.columns:
        entry = column.field
        if not column.is_outside or column.path[0] in (POSITION, PARENT):
            continue
        if entry.values is not None:
            yield column, None, tuple(entry.values)
        elif entry.kind == "concept":
            yield column, None, tuple(lexicon.concepts[entry.target])
        else:
            pattern = pattern_of(entry, lexicon)
            yield column, re.compile(pattern) if pattern else None, ()
