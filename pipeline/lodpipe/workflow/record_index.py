"""Which record a line of a file is in. A record of a list inside of another one counts as part of it:
the index knows the records at the top of files only.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from lodpipe.diagnostics.finding import Origin
from lodpipe.documents.csv_dialect import COMMAS
from lodpipe.sources import RecordTable, RowTable, ScanTable, Table
from lodpipe.sources.record_tables import first_record, header_name


class IndexedRecord(Struct, frozen=True):
    """A record: its table, its key (empty if it has none), its number, file and first line."""

    table: str
    key: str
    number: int
    file: str
    line: int

    @property
    def name(self) -> str:
        """Table and key; for a record without a key its place among those of the table."""
        place = self.number % first_record(0, 1) + 1
        return f"{self.table}/{self.key or f'#{place}'}"


class RecordIndex:
    """The records of the tables that were read, by file and line; `repeated` are table, key, file and
    line of those that repeat a key and are in no table.
    """

    def __init__(
        self,
        tables: Mapping[str, RecordTable],
        declared: Mapping[str, Table],
        repeated: Sequence[tuple[str, str, str, int]] = (),
    ) -> None:
        self._declared = declared
        self._repeated: dict[str, list[IndexedRecord]] = {}
        for name, text, file, line in repeated:
            record = IndexedRecord(name, text, -1, file, line)
            self._repeated.setdefault(file, []).append(record)
        self._tables = {name: tables[name] for name in declared if name in tables}
        self._of_files: dict[str, list[IndexedRecord]] = {}

    def record_at(self, place: Origin) -> IndexedRecord | None:
        """The record that a place is in; None where it is in none, such as the header of a table."""
        records = self._of_files.get(place.file)
        if records is None:
            records = self._of_rows(place.file) or self._of_scans(place.file)
            self._of_files[place.file] = records
        at = bisect_right(records, place.line, key=lambda record: record.line)
        return records[at - 1] if at else None

    def _of_rows(self, file: str) -> list[IndexedRecord]:
        """The records of a YAML or JSON file, those that were left out as well."""
        records = self._repeated.get(file, [])[:]
        for name, table in self._tables.items():
            if isinstance(table, RowTable):
                key = _column(table, self._declared[name].key)
                for line, row in table.in_file(file, removed=True):
                    text = str(row[key] or "") if key else ""
                    records.append(IndexedRecord(name, text, int(row[0] or 0), file, line))
        return sorted(records, key=lambda record: record.line)

    def _of_scans(self, file: str) -> list[IndexedRecord]:
        return [
            record
            for name, table in self._tables.items()
            if isinstance(table, ScanTable)
            for record in self._of_scan(name, table, file)
        ]

    def _of_scan(self, name: str, table: ScanTable, file: str) -> Iterator[IndexedRecord]:
        """The rows of a CSV file of a table, which the engine read."""
        key = self._declared[name].key_column
        for number, own in enumerate(table.files):
            if own.name == file and own.path.suffix == ".csv":
                first = first_record(table.number, number)
                rows = _keys(own.path, header_name(key) if key else None)
                for row, (line, text) in enumerate(rows):
                    yield IndexedRecord(name, text, first + row, file, line)


def _column(table: RowTable, name: str | None) -> int:
    """Where a column is in the rows of a table; 0 where it is none."""
    names = [column.name for column in table.columns]
    return 2 + names.index(name) if name in names else 0


def _keys(path: Path, key: str | None) -> Iterator[tuple[int, str]]:
    """First line and key of each row of a CSV file, as far as it can be read."""
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        rows = COMMAS.rows(file)
        try:
            _, header = next(rows, (0, []))
            at = header.index(key) if key in header else -1
            for line, cells in rows:
                yield line, cells[at] if 0 <= at < len(cells) else ""
        except csv.Error:
            return
