"""The record tables of a project as rows of texts, without mapping them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import InvalidData, Origin, Severity
from lodpipe.documents.readers import limited
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.loading import table_rows
from lodpipe.engine.sql_session import Session
from lodpipe.sources import Lexicon, RecordReader, RecordTable, Table, read_declaration

Cells = Mapping[str, str | None]


class RecordRow(Struct, frozen=True):
    """A record or an item of a list: its number, that of the record that holds it, its cells."""

    number: int
    parent: int | None
    cells: Cells


@dataclass
class RecordRows:
    """Record tables in a session: the declaration, the tables as they were read, their rows."""

    declared: Mapping[str, Table]
    tables: Mapping[str, RecordTable]
    session: Session

    def __post_init__(self) -> None:
        self._rows: dict[str, list[RecordRow]] = {}
        self._items: dict[str, dict[int, list[RecordRow]]] = {}

    def rows(self, table: str) -> list[RecordRow]:
        """The rows of a table (`cafes`, `cafes_tools`) in the order of its files."""
        if table not in self._rows:
            read = table_rows(self.session, self.tables[table])
            self._rows[table] = [RecordRow(*row) for row in read]
        return self._rows[table]

    def items(self, table: str, record: int) -> list[RecordRow]:
        """The items of a list of a record; the table is that of the list."""
        if table not in self._items:
            by_parent: dict[int, list[RecordRow]] = {}
            for row in self.rows(table) if table in self.tables else ():
                by_parent.setdefault(row.parent if row.parent is not None else -1, []).append(row)
            self._items[table] = by_parent
        return self._items[table].get(record, [])

    def find(self, table: str, key: str) -> RecordRow | None:
        """The record of a key."""
        return self._by_key(table).get(key)

    def _by_key(self, table: str) -> Mapping[str, RecordRow]:
        if table not in self._keys:
            column = self.declared[table].key or ""
            self._keys[table] = {
                key: row for row in self.rows(table) if (key := row.cells.get(column))
            }
        return self._keys[table]

    @cached_property
    def _keys(self) -> dict[str, dict[str, RecordRow]]:
        return {}

    def locate(self, table: str, record: int, column: str | None = None) -> Origin:
        """The place of a record, or of the value of one of its columns."""
        return self.tables[table].locate(record, column)


@dataclass(frozen=True)
class OpenedRecords:
    """The records of a project and what its declarations know of values."""

    rows: RecordRows
    lexicon: Lexicon


@contextlib.contextmanager
def opened_records(project: Project) -> Iterator[OpenedRecords]:
    """Reads the records of a project. Raises InvalidDeclaration, and InvalidData with all errors
    in the record files.
    """
    with limited(project.publication.limits.for_readers()):
        vocabulary = read_vocabulary(project.root, project.publication.base)
        declared = read_declaration(project.root / "source/records.yaml", "source/records.yaml")
        short = {vocabulary.compact(iri): text for iri, text in vocabulary.patterns.items()}
        lexicon = Lexicon(vocabulary.concepts, short, project.publication.languages)
        reader = RecordReader(project.root / "source", "source/", lexicon)
        tables = reader.read(declared.values())
        with Engine(project.publication.memory, root=project.root / "source") as engine:
            findings = [*reader.findings, *engine.load(tables.values())]
            if any(finding.severity is Severity.ERROR for finding in findings):
                raise InvalidData(findings)
            yield OpenedRecords(RecordRows(declared, tables, engine.session), lexicon)
