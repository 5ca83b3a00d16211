"""Record tables: what the files of one declared table hold, and the position of each record and field."""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field
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
from lodpipe.documents.readers import READERS, is_hidden, read_text, read_tree
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence, describe, place_of
from lodpipe.sources.record_declaration import (
    Column,
    Field,
    Table,
    columns_of,
    lists_of,
    name_findings,
)
from lodpipe.sources.rows import wrong_separator
from lodpipe.sources.schema import Lexicon, RecordChecker

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


@dataclass
class RowTable:
    """Records read in Python from YAML or JSON, with the node of each record kept for its line
    numbers.

    `rows` hold `_record`, `_parent` and then one text (or None) for each column.
    """

    name: str
    number: int
    columns: tuple[Column, ...]
    rows: list[list[int | str | None]] = field(default_factory=list)
    nodes: list[tuple[str, Node]] = field(default_factory=list)
    _left_out: bool = False

    def leave_out(self, records: Collection[int]) -> None:
        """Removes the rows of these records; the others keep their numbers."""
        left = [at for at, row in enumerate(self.rows) if row[0] not in records]
        self.rows = [self.rows[at] for at in left]
        self.nodes = [self.nodes[at] for at in left]
        self._left_out = True

    def _place_of(self, record: int) -> int:
        """Where a record is in `rows`."""
        if not self._left_out:
            return record - first_record(self.number)
        return bisect_left(self.rows, record, key=lambda row: int(row[0] or 0))

    def add(self, node: Node, file: str, parent: int | None) -> int:
        """Appends a record and returns its number."""
        record = first_record(self.number) + len(self.rows)
        self.rows.append(
            [record, parent, *(_text_at(node, column.path) for column in self.columns)]
        )
        self.nodes.append((file, node))
        return record

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The position of a record, or of the value of one of its columns; the record itself where the
        column is empty.
        """
        file, node = self.nodes[self._place_of(record)]
        path = next((list(item.path) for item in self.columns if item.name == column), [])
        return Origin(file, *place_of(node, path), column or "")  # type: ignore[arg-type]  # a path of keys only


@dataclass
class ScanTable:
    """Records that the engine itself scans from CSV or Parquet files; lines are looked up when a
    finding asks.
    """

    name: str
    number: int
    columns: tuple[Column, ...]
    files: tuple[tuple[str, Path], ...]

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The line of a CSV row (also after quoted line breaks) and the column's place in the
        header; the row of a Parquet file.
        """
        name, path = self.files[(record >> ROW_BITS) & ((1 << FILE_BITS) - 1)]
        row = record & ((1 << ROW_BITS) - 1)
        if path.suffix == ".parquet":
            return Origin(name, row + 1)
        return cell_origin((name, path), row, self.headers.get(name, []), column)

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """The header of each CSV file."""
        return {name: header_of(path, name) for name, path in self.files if path.suffix == ".csv"}


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


def _text_at(node: Node, path: tuple[str, ...]) -> str | None:
    for step in path:
        if not isinstance(node, Mapping) or step not in node.items:
            return None
        node = node.items[step]
    return node.text if isinstance(node, Scalar) else None


class RecordReader:
    """Reads every declared table; collects findings instead of stopping at the first."""

    def __init__(self, source: Path, prefix: str, lexicon: Lexicon) -> None:
        self.source, self.prefix, self.lexicon = source, prefix, lexicon
        self.tables: dict[str, RecordTable] = {}
        self.findings: list[Finding] = []
        self.files_of: dict[str, set[str]] = {}
        self.headless: set[str] = set()
        # Table, key, file and line of records that repeat a key: they are in no table.
        self.repeated: list[tuple[str, str, str, int]] = []

    def read(self, declared: Iterable[Table]) -> dict[str, RecordTable]:
        """All record tables by name, child tables (labs_participants) after their parents."""
        tables = list(declared)
        self._check_names(tables)
        for table in tables:
            files = self._files(table)
            self.files_of[table.name] = {name for name, _ in files}
            if files and all(path.suffix in SCANNED for _, path in files):
                self._scan(table, files)
            else:
                self._read_rows(table, files)
        return self.tables

    def _check_names(self, tables: Sequence_[Table]) -> None:
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
            findings += self._name_findings(table, table.name, table.fields)
        if findings:
            raise InvalidDeclaration(findings)

    def _name_findings(
        self, table: Table, name: str, fields: dict[str, Field]
    ) -> Iterator[Finding]:
        yield from name_findings(table, name, columns_of(fields, self.lexicon.languages))
        for path, item in lists_of(fields):
            yield from self._name_findings(table, "_".join((name, *path)), item.fields)

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

    def _files(self, table: Table) -> list[tuple[str, Path]]:
        inside = self.source.resolve()
        files = []
        if Path(table.files).is_absolute() or ".." in Path(table.files).parts:
            raise InvalidDeclaration([Finding("LP107", table.origin, {"path": table.files})])
        for path in sorted(self.source.glob(table.files)):
            if is_hidden(path.relative_to(self.source)):
                continue  # an editor's lock or a system's own file
            name = f"{self.prefix}{path.relative_to(self.source).as_posix()}"
            if not path.resolve().is_relative_to(inside):
                self.findings.append(Finding("LP107", Origin(name), {"path": name}))
            elif path.suffix.lower() not in READERS and path.suffix not in SCANNED:
                detail = f"files of kind `{path.suffix}` cannot be read; known: {', '.join([*READERS, *SCANNED])}"
                raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})])
            else:
                files.append((name, path))
        if not files:
            refused = [finding for finding in self.findings if finding.code == "LP107"]
            none = Finding(
                "LP601",
                table.origin,
                {"detail": f"table `{table.name}`: no file matches source/{table.files}"},
            )
            raise InvalidDeclaration(refused or [none])
        return files

    def _scan(self, table: Table, files: list[tuple[str, Path]]) -> None:
        columns = tuple(columns_of(table.fields, self.lexicon.languages))
        scan = ScanTable(table.name, len(self.tables), columns, tuple(files))
        try:
            for file, header in scan.headers.items():
                if header_findings := list(_header_findings(table, columns, file, header)):
                    self.findings.extend(header_findings)
                    self.headless.add(table.name)
                    scan.files = ()  # rows under a wrong header would only report the same again
        except LodpipeError as error:
            self.findings.extend(error.findings)
            scan.files = ()
        self.tables[table.name] = scan

    def _read_rows(self, table: Table, files: list[tuple[str, Path]]) -> None:
        shelf = _Shelf(table, self.lexicon.languages, self.tables)
        checker = self._checker(table)
        key = table.key
        seen: dict[str, Origin] = {}
        for name, path in files:
            for node in self._records(path, name):
                self.findings.extend(checker.findings(node, name))
                if key is None or self._first_of_its_key(node, name, key, seen):
                    shelf.put(node, name)
                else:
                    self.repeated.append(
                        (table.name, _text_at(node, (key,)) or "", name, node.line)
                    )

    def _checker(self, table: Table) -> RecordChecker:
        try:
            return RecordChecker(table, self.lexicon)
        except KeyError as error:
            detail = (
                f"table `{table.name}`: ontology/ declares no concept scheme or datatype {error}"
            )
            raise InvalidDeclaration([Finding("LP601", table.origin, {"detail": detail})]) from None

    def _records(self, path: Path, name: str) -> Iterator[Mapping]:
        try:
            root = read_tree(path, name)
        except InvalidData as error:
            self.findings.extend(error.findings)
            return
        if root is None or (
            path.suffix == ".jsonl" and isinstance(root, Sequence) and not root.items
        ):
            self.findings.append(Finding("LP110", Origin(name), {"file": name}))
        for node in root.items if isinstance(root, Sequence) else [] if root is None else [root]:
            if isinstance(node, Mapping):
                yield node
            else:
                self.findings.append(
                    Finding(
                        "LP108", Origin(name, node.line, node.column), {"found": describe(node)}
                    )
                )

    def _first_of_its_key(
        self, node: Mapping, name: str, key: str, seen: dict[str, Origin]
    ) -> bool:
        """Whether the record's key is new; a second record of the same key is reported and left out, so
        it muddles nothing else.
        """
        text = _text_at(node, (key,))
        if text is None:
            return True
        origin = Origin(name, *place_of(node, [key]))
        if text in seen:
            self.findings.append(
                Finding(
                    "LP207",
                    origin,
                    {"key": key, "value": text, "other": str(seen[text])},
                    related=(seen[text],),
                )
            )
            return False
        seen[text] = origin
        return True


class _Shelf:
    """A table with the tables of its nested lists; puts a record and all that hangs on it into
    them.
    """

    def __init__(
        self, table: Table, languages: tuple[str, ...], tables: dict[str, RecordTable]
    ) -> None:
        self.languages, self.tables, self.origin = languages, tables, table.origin
        self.put_root = self._putter(table.name, Field("map", fields=table.fields))

    def put(self, node: Node, file: str) -> None:
        self.put_root(node, file, None)

    def _putter(self, name: str, item: Field) -> Callable[[Node, str, int | None], None]:
        if name in self.tables:
            raise InvalidDeclaration(
                [Finding("LP601", self.origin, {"detail": f"two tables would be called `{name}`"})]
            )
        plain = item.kind != "map"
        columns = (
            (Column("value", (), item),)
            if plain
            else tuple(columns_of(item.fields, self.languages))
        )
        table = self.tables[name] = RowTable(name, len(self.tables), columns)
        lists = (
            []
            if plain
            else [
                (path, self._putter("_".join((name, *path)), inner))
                for path, inner in lists_of(item.fields)
            ]
        )

        def put(node: Node, file: str, parent: int | None) -> None:
            record = table.add(node, file, parent)
            for path, put_item in lists:
                for item in _items_at(node, path):
                    put_item(item, file, record)

        return put


def _items_at(node: Node, path: tuple[str, ...]) -> list[Node]:
    for step in path:
        if not isinstance(node, Mapping) or step not in node.items:
            return []
        node = node.items[step]
    return node.items if isinstance(node, Sequence) else []


def _header_findings(
    table: Table, columns: tuple[Column, ...], file: str, header: list[str]
) -> Iterator[Finding]:
    names = [column.name for column in columns]
    if len(header) < 2 <= len(names):
        missing = Finding(
            "LP102", Origin(file, 1), {"format": "CSV", "detail": "the header is missing"}
        )
        yield wrong_separator(file, header) or missing
        return
    for at, name in enumerate(header):
        if name not in names:
            yield Finding(
                "LP201", Origin(file, 1), {"key": name, "suggestion": nearest(name, names)}
            )
        if name in header[:at]:
            yield Finding("LP103", Origin(file, 1), {"key": name, "first": "1"})
    unknown = [name for name in header if name not in names]
    for column in columns:
        if (
            column.field.required
            and column.name not in header
            and not any(nearest(item, [column.name]) for item in unknown)
        ):
            yield Finding("LP202", Origin(file, 1), {"key": column.name, "table": table.name})
