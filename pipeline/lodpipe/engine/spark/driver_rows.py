"""Relations that the driver's own engine reads: record tables and queries over them, JSON, YAML, databases.

Their rows are on the driver, so it makes the first step over them itself, and hands over what that
step sends. Rows as they are go to Spark only where they are joined with files that Spark reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lodpipe.engine.duckdb import Engine
from lodpipe.engine.spark.kernel import Note, unpacked
from lodpipe.engine.spark.shares import SendRows

if TYPE_CHECKING:
    import pyarrow as pa


class DriverRows:
    """The relations of the driver's engine by the names that they have in plans: they are views."""

    def __init__(self, local: Engine) -> None:
        self._local = local
        self._names: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str, sql: str) -> str:
        """Names a relation."""
        self._local.session.rows(f"CREATE VIEW {name} AS SELECT * FROM {sql}")
        self._names.add(name)
        return name

    def stored(self, sql: str) -> str:
        """The table with the rows of a query, which is run once."""
        return self._local.relations.work_tables.create(sql)

    def rows(self, sql: str) -> list[tuple[int | None, str]]:
        """The rows of a query for records and values."""
        return self._local.session.rows(sql)

    def send(self, works: Sequence[SendRows], path: Path) -> list[tuple[str, Note]]:
        """Makes the first step, writes what is sent to a Parquet file, and gives the notes."""
        import pyarrow.parquet as pq

        notes: list[tuple[str, Note]] = []
        writer: pq.ParquetWriter | None = None
        try:
            for work in works:
                for batch in work(self._local, path.parent, []):
                    if of_batch := _notes(batch):
                        notes += [(work.name, note) for note in of_batch]
                    elif batch.num_rows:
                        writer = writer or pq.ParquetWriter(
                            path, batch.schema, compression="none", use_dictionary=False
                        )
                        writer.write_batch(batch)
        finally:
            self._local.session.rows("SET arrow_large_buffer_size = true")
            if writer:
                writer.close()
        return notes


def _notes(batch: pa.RecordBatch) -> list[Note]:
    """The notes of a batch; there are none among rows that are sent."""
    return [unpacked(cell.as_py()) for cell in batch.column("note").drop_null()]
