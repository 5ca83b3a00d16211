"""Sources of lines (CSV, JSON Lines) on the driver: their files, headers, and where a record of them is."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace as with_fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin, SourceError
from lodpipe.documents.csv_positions import csv_reader
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.spark.disk_blocks import DiskFiles
from lodpipe.engine.spark.kernel import Batches, FileBlocks, Note, Task
from lodpipe.engine.spark.storage import is_store
from lodpipe.engine.spark.store_blocks import StoreFiles
from lodpipe.engine.spark.text_blocks import CountLines, DividedFiles
from lodpipe.mapping.model import LogicalSource
from lodpipe.sources.file_tables import FileTable, common_columns, find_files
from lodpipe.sources.folders import Folders
from lodpipe.sources.record_tables import first_record, header_of
from lodpipe.sources.rows import wrong_separator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class CountRecords(Struct, frozen=True):
    """The work of a task that counts the records of its blocks."""

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """A row for each block."""
        import pyarrow as pa

        counts = [(note.block, note.records) for note in notes if note.block is not None]
        columns = [pa.array(column, pa.int64()) for column in zip(*counts, strict=True)]
        if columns:
            yield pa.RecordBatch.from_arrays(columns, ["block", "records"])


class LineFiles:
    """The files of a source of lines, as a table whose records can be located; `number` is that of
    the table, `folder` for files that are needed for a moment.
    """

    def __init__(self, number: int, files: DividedFiles, loader: FileBlocks, folder: Path) -> None:
        self.number, self.loader = number, loader
        self._files, self._folder = files, folder
        self._tables: dict[int, FileTable] = {}

    @property
    def data(self) -> DataFrame:
        """What tasks get, which `loader` reads."""
        return self._files.data

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record, for which its block is read again."""
        block = bisect_right(self.loader.first, record) - 1
        if block not in self._tables:
            self._tables[block] = self._table(block)
        place = self._tables[block].locate(record - self.loader.first[block], column)
        return self._moved(place, block)

    def located(self, finding: Finding, block: int) -> Finding:
        """A finding about the file of a block as one about the source."""
        name = self._name(block)
        where = finding.where or Origin(name)
        params = {key: name if key == "file" else value for key, value in finding.params.items()}
        place = self._moved(Origin(name, where.line, where.column), block)
        return with_fields(finding, where=place, params=params)

    def first_records(self, memory: str) -> tuple[int, ...]:
        """The number of the first record of each block, counted from the begin of its file."""
        task = Task(self.loader, CountRecords(), memory)
        rows = self._files.data.mapInArrow(task, "block long, records long").collect()
        records = {row.block: row.records for row in rows}
        first: list[int] = []
        place, file = 0, -1
        for number, block in enumerate(self.loader.reader.blocks):
            place = place if block.file == file else first_record(self.number, block.file)
            first.append(place)
            file = block.file
            place += records.get(number, 0)
        return tuple(first)

    def _name(self, block: int) -> str:
        return self._files.names[self.loader.reader.blocks[block].file]

    def _table(self, block: int) -> FileTable:
        """The records of a block as a file."""
        source = self.loader.source
        path = self._folder / f"block {self.number} {block}.{source.kind}"
        self.loader.write(block, self._files.records_of(block), path)
        kind, iterator = source.kind, source.iterator or "$"
        return FileTable(self._name(block), 0, path, kind, source.origin, iterator)

    def _moved(self, place: Origin, block: int) -> Origin:
        """A place in the file of a block as one in the source's file."""
        if not place.line:
            return place
        blocks = self.loader.reader.blocks
        if blocks[block].start == 0:
            return place
        header = self.loader.header(block).count(b"\n")
        return _on_line(place, place.line + self._lines_before[block] - header)

    @cached_property
    def _lines_before(self) -> list[int]:
        """The lines before each block in its file; they are counted when a place is asked for."""
        kernel = CountLines(self.loader.reader)
        rows = self._files.data.mapInArrow(kernel, kernel.schema).collect()
        lines = {row.block: row.lines for row in rows}
        before: list[int] = []
        count, file = 0, -1
        for number, block in enumerate(self.loader.reader.blocks):
            count = count if block.file == file else 0
            before.append(count)
            file = block.file
            count += lines.get(number, 0)
        return before


def _on_line(place: Origin, line: int) -> Origin:
    """A place on another line."""
    return Origin(place.file, line, place.column, place.field)


def divided_files(spark: SparkSession, source: LogicalSource, root: Path) -> DividedFiles:
    """The files of a source of lines. Raises as `find_files` does, SourceError (LP106) also where
    a store has no such file.
    """
    csv = source.kind == "csv"
    if not is_store(source.text):
        return DiskFiles(spark, find_files(source.text, source.origin, Folders(root)), csv=csv)
    files = StoreFiles(spark, [source.text], csv=csv)
    if not files.names:
        detail = {"file": source.text, "detail": "there is no such file"}
        raise SourceError([Finding("LP106", source.origin, detail)])
    return files


def headers_of(
    files: DividedFiles, source: LogicalSource, references: tuple[str, ...], folder: Path
) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """The columns of CSV files, and the bytes of each header. Raises InvalidData with what is
    wrong with them.
    """
    columns = []
    headers = []
    for file, name in enumerate(files.names):
        start = files.first_bytes(file)
        path = folder / "header.csv"
        path.write_bytes(start)
        header = header_of(path, name)
        path.unlink()
        if set(references) - set(header) and (finding := wrong_separator(name, header)):
            raise InvalidData([finding])
        columns.append((name, header))
        headers.append(_header_bytes(start))
    return common_columns(columns, source.origin), tuple(headers)


def _header_bytes(start: bytes) -> bytes:
    """The lines of the header, of which there is one if no name has a line break.

    >>> _header_bytes(b'id,"a\\nb"\\n1,2\\n')
    b'id,"a\\nb"\\n'
    """
    lines = start.splitlines(keepends=True)
    reader = csv_reader(line.decode("utf-8-sig", "replace") for line in lines)
    next(reader, None)
    return b"".join(lines[: reader.line_num])
