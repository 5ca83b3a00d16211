"""An XML file as a relation: a column for each reference, of texts or of lists of texts.

Records are read in Python (sources/xml_records.py) and handed over in Arrow batches, in which each
reference has a list of texts. A column of the table has lists only where a record gives several
values; the first batch that does changes it:

    CREATE TABLE "work 1" AS SELECT c0[1] AS c0, c1[1] AS c1 FROM batch
    ALTER TABLE "work 1" ALTER c1 TYPE VARCHAR[] USING CASE WHEN c1 IS NULL THEN [] ELSE [c1] END
    INSERT INTO "work 1" SELECT c0[1] AS c0, c1 FROM batch
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lodpipe.engine.arrow_lists import ListBatch
from lodpipe.engine.sql_session import Session
from lodpipe.engine.work_tables import WorkTables
from lodpipe.mapping.planning.plan import Relation, numbered
from lodpipe.sources.xml_records import Texts, XmlTable

_ROWS = 20_000  # of a batch, at most
_CHARACTERS = 8_000_000  # of a batch, about


class XmlReader(Struct, frozen=True):
    """Reads one file into a work table of a session.

    Texts in `nulls` are no values. With `always_lists` each reference gives a list, so that the
    relations of several files are alike.
    """

    session: Session
    tables: WorkTables
    table: XmlTable
    nulls: tuple[str, ...] = ()
    always_lists: bool = False

    def relation(self, references: tuple[str, ...]) -> Relation:
        """The records of the file. Raises InvalidData, and PathError for what is no XPath."""
        self.table.references = references
        names = numbered(references)
        lists = set(names.values()) if self.always_lists else set()
        used: set[str] = set()
        work = ""
        for batch in self._batches(tuple(names.values())):
            used |= batch.used
            with batch.registered(self.session.connection):
                if not work:
                    lists |= batch.lists
                    work = self.tables.create(batch.select(lists))
                    continue
                for column in sorted(batch.lists - lists):
                    self._make_list(work, column)
                lists |= batch.lists
                self.session.insert(f"INSERT INTO {work} {batch.select(lists)}")
        relation = self.tables.records_of(work, self.table.number)
        many = frozenset(name for name, column in names.items() if column in lists)
        ((rows,),) = self.session.rows(f"SELECT count(*) FROM {work}")
        if not rows:
            findings = tuple(self.table.unfollowed())
            return Relation(relation, None, many=many, names=names, findings=findings)
        absent = {
            name: self.table.suggestion(name)
            for name, column in names.items()
            if column not in used
        }
        return Relation(relation, None, many=many, names=names, absent=absent)

    def _batches(self, columns: tuple[str, ...]) -> Iterator[ListBatch]:
        """The texts of all records; at least one batch, which may be empty."""
        references = self.table.references
        texts = Texts(references, self.table.file.namespaces)
        rows: list[list[list[str]]] = []
        size, nulls, is_first = 0, frozenset(self.nulls), True
        for record in self.table.file.records(references):
            row = texts.of(record)
            rows.append(row)
            size += sum(len(value) for values in row for value in values)
            if len(rows) == _ROWS or size > _CHARACTERS:
                yield ListBatch(columns, rows, nulls)
                rows, size, is_first = [], 0, False
        if rows or is_first:
            yield ListBatch(columns, rows, nulls)

    def _make_list(self, work: str, column: str) -> None:
        """Turns a column of texts into one of lists."""
        value = f"CASE WHEN {column} IS NULL THEN [] ELSE [{column}] END"
        self.session.rows(f"ALTER TABLE {work} ALTER {column} TYPE VARCHAR[] USING {value}")
