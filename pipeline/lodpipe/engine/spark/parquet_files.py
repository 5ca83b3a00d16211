"""Sources of Parquet files: Spark reads them, and DuckDB makes the texts of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.file_scans import parquet_columns
from lodpipe.engine.spark.kernel import Batches, Note, Rows, has_rows
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources.file_tables import common_columns
from lodpipe.sources.record_tables import FILE_BITS, ROW_BITS, first_record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class ParquetFiles(Struct, frozen=True):
    """The Parquet files of a source, as a table whose records can be located."""

    files: tuple[str, ...]

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The file and the row, from 1."""
        file = (record >> ROW_BITS) & ((1 << FILE_BITS) - 1)
        return Origin(self.files[file], (record & ((1 << ROW_BITS) - 1)) + 1)


class TextColumns(Struct, frozen=True):
    """Loads rows of any types as rows of texts."""

    name: str
    columns: tuple[str, ...]

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Creates a view over a table of the rows."""
        rows = quote(f"rows of {self.name[1:-1]}")
        notes = Rows(rows).load(engine, batches, folder)
        if has_rows(engine, rows):
            cells = "".join(f", CAST({column} AS VARCHAR) AS {column}" for column in self.columns)
            engine.session.rows(f"CREATE VIEW {self.name} AS SELECT _record{cells} FROM {rows}")
        return notes


def check_footers(session: Session, files: Sequence[tuple[Path, str]], origin: Origin) -> None:
    """Raises InvalidData (LP102) for files that are no Parquet, which Spark would try to read four
    times, and InvalidDeclaration for one without a column that those before it have. `files` are
    paths and names.
    """
    columns: list[tuple[str, list[str]]] = []
    findings: list[Finding] = []
    for path, name in files:
        try:
            columns.append((name, parquet_columns(session, path, name)))
        except InvalidData as error:
            findings += error.findings
    if findings:
        raise InvalidData(findings)
    common_columns(columns, origin)


def read_parquet(spark: SparkSession, addresses: list[str], name: str) -> DataFrame:
    """The rows of Parquet files. Raises InvalidData (LP102) for a source `name` that is none."""
    from pyspark.errors import PySparkException

    try:
        return spark.read.parquet(*addresses)
    except PySparkException as error:
        detail = str(error).split("\n")[0]
        raise InvalidData(
            [Finding("LP102", Origin(name), {"format": "Parquet", "detail": detail})]
        ) from None


def numbered_cells(
    data: DataFrame, files: list[str], table: int, columns: Mapping[str, str]
) -> DataFrame:
    """The cells of references under the names of their columns, with the number of each record."""
    from pyspark.sql import functions as f

    place = f.array_position(f.array(*map(f.lit, files)), f.col("_metadata.file_path")) - 1
    record = place * (1 << ROW_BITS) + f.col("_metadata.row_index") + first_record(table)
    cells = [f.col(f"`{reference}`").alias(column) for reference, column in columns.items()]
    return data.select(record.cast("long").alias("_record"), *cells)


def file_names(files: Iterable[str], root: Path) -> tuple[str, ...]:
    """The names of files in findings: their paths from the mapping's folder."""
    from urllib.parse import unquote, urlparse

    names = []
    for file in files:
        path = Path(unquote(urlparse(file).path))
        is_below = urlparse(file).scheme == "file" and path.is_relative_to(root)
        names.append(path.relative_to(root).as_posix() if is_below else file)
    return tuple(names)
