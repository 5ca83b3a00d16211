"""Tables made on the way, so that no query or file is computed twice: files, joins, distinct rows.

    tables.create("SELECT DISTINCT c0 FROM places")     # "work 1", the name of a new table
    tables.create_records("SELECT c0 FROM scan", 3)     # a relation of records

Here the relation is `(SELECT 844424930131968 + rowid AS _record, * FROM "work 2")`: the number of a
record has the number of its table in it (sources/record_tables.py).
"""

from __future__ import annotations

from typing import Any

from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources.record_tables import first_record


class WorkTables:
    """Creates and drops such tables, and knows which one has the rows of a relation."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._created = 0
        self._table_of: dict[str, str] = {}
        self._answers: dict[str, list[tuple[Any, ...]]] = {}

    def create(self, sql: str) -> str:
        """The name of a new table with the rows of a query, as a SQL identifier."""
        self._created += 1
        name = quote(f"work {self._created}")
        self._session.insert(f"CREATE TABLE {name} AS {sql}")
        self._table_of[name] = name
        return name

    def create_records(self, sql: str, number: int) -> str:
        """A relation of the rows of a query in their order, with the column `_record`.

        They are the records of table `number`, counted by the engine's own row numbers: a window
        that counts rows would read the file on one core only.
        """
        return self.records_of(self.create(sql), number)

    def records_of(self, table: str, number: int) -> str:
        """A relation of the rows of a work table, as records of table `number`."""
        relation = f"(SELECT {first_record(number)} + rowid AS _record, * FROM {table})"
        self._table_of[relation] = table
        return relation

    def answer(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query, which are looked up once: names of tables are not used again."""
        if sql not in self._answers:
            self._answers[sql] = self._session.rows(sql)
        return self._answers[sql]

    def table_of(self, relation: str) -> str | None:
        """The table that has exactly the rows of a relation; None where no table has."""
        return self._table_of.get(relation)

    def drop_rows(self, relation: str) -> None:
        """Removes the table of a relation."""
        self._session.rows(f"DROP TABLE {self._table_of.pop(relation)}")

    def drop(self, name: str) -> None:
        """Removes a table by its name."""
        self._session.rows(f"DROP TABLE {name}")
        del self._table_of[name]

    def drop_all(self) -> None:
        """Removes all."""
        for table in set(self._table_of.values()):
            self._session.rows(f"DROP TABLE {table}")
        self._table_of.clear()
