"""Record tables: what the files of one declared table hold, and the position of each record and field."""

from __future__ import annotations

import contextlib
import csv
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    SourceError,
)
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.csv_dialect import COMMAS, Dialect
from lodpipe.documents.csv_positions import cell_of, row_of
from lodpipe.documents.readers import READERS, read_bytes, read_text
from lodpipe.documents.tree import Node
from lodpipe.sources.file_patterns import matching, suffix_of
from lodpipe.sources.file_reading import KnownFiles, read_files
from lodpipe.sources.file_records import (
    FileReader,
    FileRecords,
    Key,
    Part,
    ReadFile,
    Row,
    SourceFile,
    numbered_rows,
    parts_of,
    read_places,
)
from lodpipe.sources.inventory import READ
from lodpipe.sources.record_cache import digest
from lodpipe.sources.record_cells import is_like
from lodpipe.sources.record_declaration import (
    KEY,
    LIST_COLUMNS,
    PARENT,
    Column,
    Files,
    Table,
    columns_of,
    name_findings,
)
from lodpipe.sources.rows import wrong_separator
from lodpipe.sources.schema import Lexicon

# A record's number says its table and its row, so a statement needs no more than this number to
# find its line.
TABLE_BITS, FILE_BITS, ROW_BITS = 15, 16, 32
SCANNED = {".csv", ".parquet"}


def first_record(table: int, file: int = 0) -> int:
    """The number of the first record of a file of a table; rows count up from it."""
    return (table << (FILE_BITS + ROW_BITS)) | (file << ROW_BITS)


def table_number(record: int) -> int:
    """The number of the table that a record belongs to."""
    return record >> (FILE_BITS + ROW_BITS)


class RowTable:
    """Records read in Python from YAML or JSON.

    `rows` hold `_record`, `_parent` and then one text (or None) for each column; those of a list
    have LIST_COLUMNS at their end. The line of each row is known; its node, which has those of the
    fields, is looked up in its file where it is not at hand.
    """

    def __init__(self, part: Part, number: int, at: int = 0) -> None:
        self.name, self.number, self.columns = part.name, number, part.columns
        self.extra = LIST_COLUMNS if part.in_list else ()
        self.rows: list[list[int | str | None]] = []
        self._all: list[list[int | str | None]] = []  # where some were removed
        self._gone: set[int] = set()
        self._at = at  # the number of the part among those of its table
        self._chunks: list[Chunk] = []
        self._starts: list[int] = []
        self._own, self._lines, self._ends = array("L"), array("L"), array("L")

    def add(self, chunk: Chunk, rows: Sequence[Row], above: int | None, own: Iterable[int]) -> None:
        """Appends rows of a file, `own` are their numbers in it; `above` is the number of
        the first row that may hold them, None for records.
        """
        if not rows:
            return
        self._chunks.append(chunk)
        self._starts.append(len(self.rows))
        first = first_record(self.number) + len(self.rows)
        self.rows += chunk.numbered_rows(self._at, rows, first, above)
        self._own.extend(own)
        self._lines.extend([row[1] for row in rows])  # type: ignore[misc]  # numbers
        self._ends.extend([row[2] for row in rows])  # type: ignore[misc]

    def leave_out(self, records: Collection[int]) -> None:
        """Removes the rows of these records; the others keep their numbers."""
        self._all = self._all or self.rows
        self._gone.update(records)
        self.rows = [row for row in self.rows if row[0] not in records]

    def restore(self) -> None:
        """Puts the rows back that were removed, as they were."""
        self.rows = self._all or self.rows
        self._gone.clear()

    def in_file(self, file: str, *, removed: bool = False) -> Iterator[tuple[int, Row]]:
        """The line and the row of each record of a file; with `removed` also of those that were
        removed, as they were.
        """
        at = self._by_file.get(file)
        if at is None:
            return
        start = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._lines)
        rows = (self._all or self.rows)[start:end]
        for line, row in zip(self._lines[start:end], rows, strict=True):
            if removed or row[0] not in self._gone:
                yield line, row

    def parent_of(self, record: int) -> int | None:
        """The number of the record that has a record in a list; None where no one has."""
        parent = (self._all or self.rows)[record - first_record(self.number)][1]
        return None if parent is None else int(parent)

    @cached_property
    def _by_file(self) -> dict[str, int]:
        return {chunk.name: at for at, chunk in enumerate(self._chunks)}

    def _indices(self) -> Iterator[int]:
        """Of each row, where it was before any was left out."""
        first = first_record(self.number)
        return (int(row[0] or 0) - first for row in self.rows)

    @property
    def lines(self) -> Iterator[tuple[str, int]]:
        """The file and the line of each row."""
        if not self._all:
            ends = [*self._starts[1:], len(self._lines)]
            for chunk, start, end in zip(self._chunks, self._starts, ends, strict=False):
                for line in self._lines[start:end]:
                    yield chunk.name, line
            return
        for index in self._indices():
            yield self._chunk(index).name, self._lines[index]

    @property
    def nodes(self) -> Iterator[tuple[str, Node]]:
        """The file and the node of each row; those whose file is another one by now are left out."""
        for index in self._indices():
            chunk = self._chunk(index)
            if node := chunk.node(self._at, self._own[index]):
                yield chunk.name, node

    def _chunk(self, index: int) -> Chunk:
        return self._chunks[bisect_right(self._starts, index) - 1]

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The position of a record, or of the value of one of its columns; the record itself where the
        column is empty.
        """
        index = record - first_record(self.number)
        chunk = self._chunk(index)
        where = (self._lines[index], self._ends[index])
        at = next((at for at, item in enumerate(self.columns) if item.name == column), None)
        if at is not None:
            where = chunk.place(self._at, self._own[index], at) or where
        return Origin(chunk.name, *where, column or "")


class Chunk:
    """The rows of one file: the places of their cells, and their nodes, which are read again where
    they are not at hand.
    """

    def __init__(self, file: SourceFile, reader: FileReader, read: ReadFile) -> None:
        self.name = file.name
        self.parts, self.parents = reader.parts, reader.parents
        self._file, self._reader = file, reader
        self._nodes = read.nodes if any(read.nodes) else None
        self._read = read
        self._encoded_places = read.records.places.copy()  # without the bytes around them

    def numbered_rows(
        self, part: int, rows: Sequence[Row], first: int, above: int | None
    ) -> list[Row]:
        """All or some rows of a part for its table (file_records.py)."""
        if rows is self._read.records.rows[part]:
            return self._read.numbered_rows(part, first, above)
        return numbered_rows(rows, first, above)

    def place(self, part: int, number: int, column: int) -> tuple[int, int] | None:
        """Line and column of a cell of a row of a part of the table; None where it has no place of
        its own.
        """
        line, end = self._places[part][number][2 * column : 2 * column + 2]
        return (line, end) if line else None

    @cached_property
    def _places(self) -> list[list[list[int]]]:
        return read_places(self._encoded_places)

    def node(self, part: int, number: int) -> Node | None:
        """The node of a row of a part of the table; None where the file has changed meanwhile."""
        if self._nodes is None:
            self._nodes = [[] for _ in self._reader.parts]
            with contextlib.suppress(LodpipeError):
                data = read_bytes(self._file.path, self.name)
                self._nodes = self._reader.nodes(self._file, data)
        nodes = self._nodes[part]
        return nodes[number] if number < len(nodes) else None


@dataclass
class ScanTable:
    """Records that the engine itself scans from CSV or Parquet files; lines are looked up when a
    finding asks.
    """

    name: str
    number: int
    columns: tuple[Column, ...]
    files: tuple[SourceFile, ...]

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The line of a CSV row (also after quoted line breaks) and the column's place in the
        header; the row of a Parquet file.
        """
        file = self.files[(record >> ROW_BITS) & ((1 << FILE_BITS) - 1)]
        name, path = file.name, file.path
        row = record & ((1 << ROW_BITS) - 1)
        if path.suffix == ".parquet":
            return Origin(name, row + 1)
        key = next((header_name(item) for item in self.columns if item.name == column), column)
        where = cell_origin((name, path), row, self.headers.get(name, []), key)
        return Origin(where.file, where.line, where.column, column or "")

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """The header of each CSV file."""
        return {
            file.name: header_of(file.path, file.name)
            for file in self.files
            if file.suffix == ".csv"
        }


RecordTable = RowTable | ScanTable


def header_of(path: Path, name: str, dialect: Dialect = COMMAS) -> list[str]:
    """The names of the columns of a CSV file. Raises SourceError (LP106) or InvalidData (LP101) where it
    cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return dialect.names(file)
    except csv.Error as error:
        raise InvalidData(
            [Finding("LP102", Origin(name, 1), {"format": "CSV", "detail": str(error)})]
        ) from None
    except UnicodeDecodeError:
        read_text(path, name)
        raise
    except OSError as error:
        raise SourceError(
            [Finding("LP106", Origin(name), {"file": name, "detail": error.strerror or str(error)})]
        ) from None


def cell_origin(
    file: tuple[str, Path],
    row: int,
    header: list[str],
    column: str | None,
    dialect: Dialect = COMMAS,
) -> Origin:
    """Where a row of a CSV file (its name, its path) begins; with a column that the header has,
    where its cell does.
    """
    name, path = file
    line, text = row_of(path, row, dialect)
    if column not in header:
        return Origin(name, line, field=column or "")
    below, at = cell_of(text, header.index(column) + dialect.skip_columns, dialect)
    return Origin(name, line + below, at, column)


class RecordReader:
    """Reads every declared table; collects findings instead of stopping at the first. `known` are
    files that were read before.
    """

    def __init__(
        self, source: Path, prefix: str, lexicon: Lexicon, known: KnownFiles | None = None
    ) -> None:
        self._read_files = known.read if known else read_files
        self._reader_of = known.reader if known else FileReader
        self.source, self.prefix, self.lexicon = source, prefix, lexicon
        self.tables: dict[str, RecordTable] = {}
        self.findings: list[Finding] = []
        self.files_of: dict[str, set[str]] = {}
        self.headless: set[str] = set()
        # Table, key, file and line of records that repeat a key: they are in no table.
        self.repeated: list[tuple[str, str, str, int]] = []
        self.unread_keys: dict[str, Counter[str]] = {}

    def read(self, declared: Iterable[Table]) -> dict[str, RecordTable]:
        """All record tables by name, child tables (labs_participants) after their parents."""
        tables = list(declared)
        self._check_names(tables)
        self._roots = {self._root(table.files).resolve() for table in tables} | {
            self.source.resolve()
        }
        for table in tables:
            files = self._files(table)
            self.files_of[table.name] = {file.name for file in files}
            scanned = [file.suffix in SCANNED for file in files]
            if all(scanned):
                self._scan(table, files)
            elif any(scanned):
                detail = f"table `{table.name}`: CSV and Parquet files need a table of their own"
                raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})])
            else:
                self._read_rows(table, files)
        return self.tables

    def _check_names(self, tables: Sequence[Table]) -> None:
        """Names that queries of the mapping could not distinguish. Raises InvalidDeclaration."""
        findings: list[Finding] = []
        taken: dict[str, str] = dict.fromkeys(
            ("statements", "declared", "concepts"), "the pipeline has a table of that name"
        )
        for table in tables:
            if table.name.lower() in taken:
                findings.append(
                    Finding(
                        "LP601",
                        table.origin,
                        {
                            "detail": f"table `{table.name}`: {taken[table.name.lower()]}; choose another name"
                        },
                    )
                )
            taken[table.name.lower()] = (
                f"`{table.name}` is a table too, and queries do not distinguish upper and lower case"
            )
            for part in parts_of(table, self.lexicon.languages):
                findings += name_findings(table, part.name, part.columns, in_list=part.in_list)
        if findings:
            raise InvalidDeclaration(findings)

    def unread(self, findings: Iterable[Finding]) -> set[str]:
        """The tables that lack records: a file could not be read whole (1xx), or a record has a key
        that is doubled or no key at all.
        """
        keys = {"LP202", "LP204", "LP207"}
        files = {
            finding.where.file
            for finding in findings
            if finding.where
            and (
                finding.code.startswith(("LP1", "LP565"))
                or (finding.code in keys and finding.params.get("key") == "id")
            )
        }
        return {name for name, used in self.files_of.items() if files & used} | self.headless

    def _files(self, table: Table) -> list[SourceFile]:
        declared = table.files
        for text in declared.patterns:
            if Path(text).is_absolute() or ".." in Path(text).parts:
                raise InvalidDeclaration([Finding("LP107", table.origin, {"path": text})])
        root = self._root(declared)
        prefix = declared.above if declared.root else self.prefix
        files, declarations = [], self._declarations()
        for file in matching(root, declared.patterns, declared.excluded):
            name = prefix + file.local
            if f"{root}/{file.local}" in declarations and file.local not in declared.patterns:
                continue
            if file.is_linked and not self._may_read(file.path):
                self.findings.append(Finding("LP107", Origin(name), {"path": name}))
            elif (kind := suffix_of(file.local)).lower() not in READERS and kind not in SCANNED:
                detail = f"files of kind `{kind}` cannot be read; known: {', '.join([*READERS, *SCANNED])}"
                raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})])
            else:
                files.append(SourceFile(name, str(root), file.local, file.captures))
        if not files:
            refused = [finding for finding in self.findings if finding.code == "LP107"]
            below = declared.root or "source"
            none = Finding(
                "LP601",
                table.origin,
                {
                    "detail": f"table `{table.name}`: no file matches {below}/{', '.join(declared.patterns)}"
                },
            )
            raise InvalidDeclaration(refused or [none])
        return files

    def _declarations(self) -> set[str]:
        """The declarations of the publication, which patterns such as `*.yaml` match."""
        own = {f"{self.source}/{name}" for name in READ["source"]}
        return own | {str(self.source.parent / "publication.yaml")}

    def _root(self, declared: Files) -> Path:
        """The folder that patterns are relative to."""
        return self.source.parent / declared.root if declared.root else self.source

    def _may_read(self, path: Path) -> bool:
        """Whether the end of a link is below a folder that records.yaml names."""
        try:
            end = path.resolve()
        except (OSError, RuntimeError):  # a link to itself, which is reported when it is read
            return True
        return any(end.is_relative_to(root) for root in self._roots)

    def _scan(self, table: Table, files: Sequence[SourceFile]) -> None:
        columns = tuple(columns_of(table.fields, self.lexicon.languages))
        scan = ScanTable(table.name, len(self.tables), columns, tuple(files))
        if detail := _not_scanned(table):
            raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})])
        try:
            for file, header in scan.headers.items():
                if header_findings := list(_header_findings(table, columns, file, header)):
                    self.findings.extend(header_findings)
                    self.headless.add(table.name)
                    scan.files = ()  # rows under a wrong header would only report the same again
                self._count_unread(table, header, columns)
        except LodpipeError as error:
            self.findings.extend(error.findings)
            scan.files = ()
        self.tables[table.name] = scan

    def _count_unread(self, table: Table, header: Sequence[str], columns: Sequence[Column]) -> None:
        known = {column.path[-1] for column in columns}
        unread = [name for name in header if name not in known and is_ignored(table, name)]
        self.unread_keys.setdefault(table.name, Counter()).update(unread)

    def _read_rows(self, table: Table, files: Sequence[SourceFile]) -> None:
        reader = self._reader_of(table, self.lexicon)
        tables = []
        for at, part in enumerate(reader.parts):
            if part.name in self.tables:
                detail = f"two tables would be called `{part.name}`"
                raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})])
            tables.append(RowTable(part, len(self.tables), at))
            self.tables[part.name] = tables[-1]
        seen: dict[str, Origin] = {}
        unread = self.unread_keys.setdefault(table.name, Counter())
        for file, read in zip(
            files, self._read_files(reader, files, self._log_name(table)), strict=True
        ):
            self.findings.extend(read.findings)
            unread.update(read.records.unread)
            chunk = Chunk(file, reader, read)
            self._put(table, tables, chunk, read.records, seen)

    def _log_name(self, table: Table) -> str:
        """The name of the cache of a table of this project."""
        return digest(str(self.source.resolve()).encode(), table.name.encode()).hex()

    def _put(
        self,
        table: Table,
        tables: Sequence[RowTable],
        chunk: Chunk,
        records: FileRecords,
        seen: dict[str, Origin],
    ) -> None:
        """Adds the records of a file to the tables; a second record of the same key is reported and
        left out, so that it muddles nothing else.
        """
        left_out = {
            number
            for number, key in enumerate(records.keys)
            if not self._is_first(table, key, chunk.name, seen)
        }
        parents = chunk.parents
        renumbered: list[dict[int, int]] = []  # of each part, the new number of each row that stays
        first = [first_record(into.number) + len(into.rows) for into in tables]
        for at, (into, rows) in enumerate(zip(tables, records.rows, strict=False)):
            if not rows and not left_out:
                continue
            above = first[parents[at]] if at else None
            if left_out:
                rows = self._remaining(rows, renumbered, parents.get(at), left_out)
            into.add(chunk, rows, above, [*renumbered[at]] if left_out else range(len(rows)))

    @staticmethod
    def _remaining(
        rows: Sequence[Row],
        renumbered: list[dict[int, int]],
        parent: int | None,
        left_out: set[int],
    ) -> list[Row]:
        """The rows of a part that hang on no record that is left out; the number of the row that
        holds them is the one it has without those.
        """
        numbers: dict[int, int] = {}
        stay: list[Row] = []
        for number, row in enumerate(rows):
            above = int(row[0] or 0)
            if number in left_out if parent is None else above not in renumbered[parent]:
                continue
            numbers[number] = len(stay)
            stay.append(row if parent is None else [renumbered[parent][above], *row[1:]])
        renumbered.append(numbers)
        return stay

    def _is_first(self, table: Table, key: Key, name: str, seen: dict[str, Origin]) -> bool:
        """Whether the record's key is new."""
        text = key.text
        if text is None:
            return True
        origin = Origin(name, key.line, key.column)
        if text in seen:
            self.repeated.append((table.name, text, name, key.line))
            self.findings.append(
                Finding(
                    "LP207",
                    origin,
                    {"key": table.key or "", "value": text, "other": str(seen[text])},
                    related=(seen[text],),
                )
            )
            return False
        seen[text] = origin
        return True


def _not_scanned(table: Table) -> str:
    """What of a table is not possible for files that the engine scans; empty where all is."""
    if table.files.at or table.files.is_keyed:
        return f"table `{table.name}`: `at` and `keyed` are of YAML and JSON files only"
    for name, entry in table.fields.items():
        if entry.item is not None:
            return f"table `{table.name}`: field `{name}`: CSV and Parquet files have no lists"
        if entry.source and entry.source[0] in (KEY, PARENT):
            return f"table `{table.name}`: field `{name}`: CSV and Parquet files have no `{entry.source[0]}`"
    return ""


def is_ignored(table: Table, key: str) -> bool:
    """Whether a key of a table's records is not read."""
    return any(is_like(pattern, key) for pattern in table.ignored)


def _header_findings(
    table: Table, columns: tuple[Column, ...], file: str, header: list[str]
) -> Iterator[Finding]:
    inside = [column for column in columns if not column.is_outside]
    names = [header_name(column) for column in inside]
    if len(header) < 2 <= len(names):
        missing = Finding(
            "LP102", Origin(file, 1), {"format": "CSV", "detail": "the header is missing"}
        )
        yield wrong_separator(file, header) or missing
        return
    if not any(name in names or is_ignored(table, name) for name in header):
        near = [name for name in header if nearest(name, names)]
        if len(header) > 1 and not near:
            params = {"format": "CSV", "detail": "the first line holds none of the columns"}
            yield Finding("LP102", Origin(file, 1), params)
            return
    if "" in header and not is_ignored(table, ""):
        params = {"format": "CSV", "detail": "a column has no name"}
        yield Finding("LP102", Origin(file, 1), params)
        header = [name for name in header if name]
    for at, name in enumerate(header):
        if name not in names and not is_ignored(table, name):
            yield Finding(
                "LP201", Origin(file, 1), {"key": name, "suggestion": nearest(name, names)}
            )
        if name in header[:at]:
            yield Finding("LP103", Origin(file, 1), {"key": name, "first": "1"})
    unknown = [name for name in header if name not in names]
    for column in inside:
        name = header_name(column)
        if (
            column.field.required
            and name not in header
            and not any(nearest(item, [name]) for item in unknown)
        ):
            yield Finding("LP202", Origin(file, 1), {"key": name, "table": table.name})


def header_name(column: Column) -> str:
    """The name of a column in a header: that of the key it is read from, or its own."""
    return ".".join(column.field.source) or column.name
