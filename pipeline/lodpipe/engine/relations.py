"""The logical sources of a mapping as relations of texts.

These are the `Sources` that a plan is made over (mapping/planning/plan.py).

A relation has a numbered column for each reference; `names` of it say which. What becomes of each
kind of source:

    table, query   (SELECT CAST(_record AS BIGINT) AS _record, "name" AS "c0" FROM "places")
    csv, parquet   (SELECT 844424930131968 + rowid AS _record, * FROM "work 1")
                   where "work 1" is SELECT CAST(h1 AS VARCHAR) AS c0 FROM read_csv(…)
    json, yaml     the same over what json_relation.py extracts from each record
    xml            the same over what xml_relation.py finds in each record
    sql            the same over a CSV file that the database wrote (databases.py)

A file is read once, with all columns that the mapping refers to. Nothing here makes terms or
statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import _duckdb as duckdb
from msgspec import Struct
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.engine import databases, json_columns
from lodpipe.engine.databases import Database, DatabaseTable
from lodpipe.engine.file_scans import FileScan, parquet_columns
from lodpipe.engine.json_relation import JsonReader
from lodpipe.engine.loading import Records
from lodpipe.engine.memory_sources import MemorySources
from lodpipe.engine.sql_functions import FUNCTION_MACROS
from lodpipe.engine.sql_session import Session, first_line
from lodpipe.engine.typed_columns import (
    text_column,
    typed_column,
    value_and_type,
    without_nulls,
)
from lodpipe.engine.work_tables import WorkTables
from lodpipe.engine.xml_relation import XmlReader
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Parent, Relation, numbered, quote, relation_columns
from lodpipe.sources.file_tables import FileGroup, FileTable, common_columns, find_files
from lodpipe.sources.folders import Folders
from lodpipe.sources.jsonpath import PathError
from lodpipe.sources.record_tables import ROW_BITS, first_record
from lodpipe.sources.rows import wrong_separator
from lodpipe.sources.unpacking import check_encoding, needs_copy, readable_copy
from lodpipe.sources.xml_records import XmlFile, XmlTable

SourceTable = FileTable | XmlTable
_ANYWHERE = Origin("")

_OWNER = quote("owner record")  # the record that a row of a view was made of


class _SortedFile(Struct, frozen=True):
    """A file whose rows were sorted when they were read: `cells` are the columns of the relation."""

    scan: FileScan
    cells: str
    number: int


class Relations:
    """The relations of a session.

    `folders` are those of the files that a mapping names itself, `database` the address of the
    database where it names none. `sort` sorts CSV and Parquet files while they are read, by the
    order that the plan wants; their rows then have no numbers that `Records.locate` understands, but
    `numbered_rows` finds those of some.
    """

    whole_relations = True

    def __init__(
        self,
        session: Session,
        records: Records,
        folders: Folders,
        database: str | None = None,
        *,
        sort: bool = False,
    ) -> None:
        self.work_tables = WorkTables(session)
        self._session, self._records, self._folders = session, records, folders
        self._database, self._sort = database, sort
        self._has_typed_functions = self._has_functions = False
        self._relations: dict[LogicalSource, Relation] = {}
        self._order_of: dict[str, str] = {}
        self._sorted_files: dict[str, _SortedFile] = {}
        self._query_names: dict[LogicalSource, str] = {}
        self._columns: dict[str, dict[str, str]] = {}
        self._files: dict[LogicalSource, tuple[SourceTable, ...]] = {}
        self._databases: dict[str | None, Database] = {}
        self._copies = 0
        self._memory: MemorySources | None = None

    def replace_sources(self, objects: Mapping[str, object]) -> None:
        """Lets objects of Python take the place of the logical sources with their names.

        Raises InvalidDeclaration (LP601) for objects that are no data.
        """
        self._memory = MemorySources(self._session, self.work_tables, objects)

    def close(self) -> None:
        """Closes the databases."""
        for database in self._databases.values():
            database.close()

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs the query of each source into a table, in order, so that later ones can name it.

        Gives a finding for each whose SQL is wrong (LP604).
        """
        findings: list[Finding] = []
        broken: list[str] = []  # a query that needs a broken one fails without a mistake of its own
        with self._session.short_planning():
            for number, source in enumerate(sources):
                if source.kind == "query" and source not in self._query_names:
                    name = self._query_names[source] = source.name or f"query {number}"
                    self._records.computed.add(source.text)
                    if finding := self._define(name, source, broken):
                        findings.append(finding)
        return findings

    def _define(self, name: str, source: LogicalSource, broken: list[str]) -> Finding | None:
        """Runs a query into a table; adds it to the broken ones where that fails."""
        query = source.text.strip().rstrip(";")
        try:
            self._session.rows(f"CREATE TABLE {quote(name)} AS {query}")
        except duckdb.Error as error:
            missing = any(f"with name {other} does not exist" in str(error) for other in broken)
            broken.append(name)
            return None if missing else _sql_finding(source, error)
        return None

    def relate(
        self, source: LogicalSource, references: tuple[str, ...], order: str = ""
    ) -> Relation:
        """The relation of a source for these references, made at the first call.

        Raises InvalidDeclaration where there is no such table (LP604) or a reference cannot be
        followed (LP602), InvalidData for files with errors, SourceError for files and databases
        that cannot be read (LP106).
        """
        if source not in self._relations:
            self._relations[source] = self._new_relation(source, references, order)
        return self._relations[source]

    def _new_relation(
        self, source: LogicalSource, references: tuple[str, ...], order: str
    ) -> Relation:
        if self._memory and source in self._memory:
            self.define_typed_functions()
            return self._memory.relation(source, references, self._records)
        if source.kind in ("table", "query"):
            return self._table_relation(source, references)
        self._session.use_all_cores()
        if source.kind == "sql":
            return self._database_relation(source, references)
        files = self._files_of(source)
        try:
            if len(files) == 1:
                order = order if self._sort else ""
                return self._file_relation(files[0], source, references, order)
            return self._united(files, source, references)
        except PathError as error:
            raise InvalidDeclaration(
                [Finding("LP602", source.origin, {"detail": str(error)})]
            ) from None

    # -- record tables and queries -----------------------------------------------------------------

    def _table_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A record table or the result of a query.

        Its columns become texts, with types where one of them is no text.
        """
        name = self._query_names.get(source, source.text)
        try:
            columns = self._columns_of(name)
        except duckdb.Error as error:
            raise InvalidDeclaration([_sql_finding(source, error)]) from None
        names = numbered(references)
        typed = any(columns.get(reference, "VARCHAR") != "VARCHAR" for reference in references)
        if typed:
            self.define_typed_functions()
        make_column = typed_column if typed else text_column
        has_record = columns.get("_record") in ("BIGINT", "INTEGER", "HUGEINT")
        record = ["CAST(_record AS BIGINT) AS _record"] if has_record else []
        cells = [
            make_column(quote(reference), columns.get(reference), column)
            for reference, column in names.items()
        ]
        selected = ", ".join([*record, *cells]) or "NULL AS nothing"
        sql = f"(SELECT {selected} FROM {quote(name)})"
        return Relation(sql, tuple(columns), has_record, typed, names=names)

    def _columns_of(self, table: str) -> dict[str, str]:
        """The columns of a table with their types. Raises duckdb.Error where there is no table.

        Those of all tables are read together.
        """
        if table not in self._columns:
            rows = self._session.rows(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
            )
            self._columns = {name: {} for name, _, _ in rows}
            for name, column, sql_type in rows:
                self._columns[name][column] = sql_type
        if table not in self._columns:  # it may be a view, or spelt in another case
            rows = self._session.rows(f"DESCRIBE SELECT * FROM {quote(table)}")
            self._columns[table] = {row[0]: str(row[1]) for row in rows}
        return self._columns[table]

    def define_functions(self) -> None:
        """Defines what the functions call that a mapping calls."""
        if not self._has_functions:
            self._has_functions = True
            self.define_typed_functions()
            self._session.define_functions(FUNCTION_MACROS)

    def define_typed_functions(self) -> None:
        """The functions that only sources with types need."""
        if not self._has_typed_functions:
            self._has_typed_functions = True
            self._session.define_functions((*json_columns.FUNCTIONS, *databases.FUNCTIONS))

    # -- files and databases -----------------------------------------------------------------------

    def _files_of(self, source: LogicalSource) -> tuple[SourceTable, ...]:
        """The files of a source; the same ones under the same iterator are one table."""
        key = replace(source, origin=_ANYWHERE, name=None, nulls=None)
        if key not in self._files:
            number = self._records.next_number
            files = tuple(_table(source, path, name, number) for path, name in self._paths(source))
            self._records.add(files[0] if len(files) == 1 else FileGroup(files))
            self._files[key] = files
        return self._files[key]

    def _paths(self, source: LogicalSource) -> Iterator[tuple[Path, str]]:
        """The paths by which the engine reads the files of a source, with the names of the files."""
        folders, access = self._folders, source.access
        for path, name in find_files(source.text, source.origin, folders, access.root):
            if needs_copy(path, access, source.kind):
                self._copies += 1
                copy = self._session.exchange / f"copy-{self._copies}.{source.kind}"
                yield readable_copy(path, name, access, source.kind, copy), name
                continue
            if source.kind == "csv":
                check_encoding(path, name)
            yield self._session.readable(path), name

    def _united(
        self, files: Sequence[SourceTable], source: LogicalSource, references: tuple[str, ...]
    ) -> Relation:
        """The rows of several files as one relation, whose references some of them follow."""
        findings: list[Finding] = []
        relations: list[Relation] = []
        table = ""
        for number, file in enumerate(files):
            try:
                relation = self._file_relation(file, source, references, is_single=False)
            except InvalidData as error:
                findings += error.findings
                continue
            cells = ", ".join(relation_columns(relation)) or "NULL AS nothing"
            record = f"_record + {number << ROW_BITS} AS _record"
            rows = f"SELECT {record}, {cells} FROM {relation.sql}"
            if table:
                self._session.insert(f"INSERT INTO {table} {rows}")
            else:
                table = self.work_tables.create(rows)
            self.work_tables.drop_rows(relation.sql)
            relations.append(relation)
        if findings:
            raise InvalidData(findings)
        columns = None
        if relations[0].columns is not None:
            headers = zip((file.name for file in files), map(_columns, relations), strict=True)
            columns = common_columns(headers, source.origin)
        absent = {
            name: near
            for name, near in relations[0].absent.items()
            if all(name in relation.absent for relation in relations)
        }
        notes = tuple(finding for relation in relations for finding in relation.findings)
        return replace(relations[0], sql=table, columns=columns, absent=absent, findings=notes)

    def _file_relation(
        self,
        file: SourceTable,
        source: LogicalSource,
        references: tuple[str, ...],
        order: str = "",
        *,
        is_single: bool = True,
    ) -> Relation:
        """The rows of a file, which may be one of several."""
        nulls = source.nulls or ()
        if isinstance(file, XmlTable):
            reader = XmlReader(
                self._session, self.work_tables, file, nulls, always_lists=not is_single
            )
            return reader.relation(references)
        if file.kind in ("json", "jsonl", "yaml"):
            self.define_typed_functions()
            json_reader = JsonReader(self._session, self.work_tables, file, source.plain, nulls)
            return json_reader.relation(references)
        return self._flat_relation(file, source, references, order)

    def _flat_relation(
        self, file: FileTable, source: LogicalSource, references: tuple[str, ...], order: str
    ) -> Relation:
        """The columns that are referred to, read once: all later queries read them as columns."""
        header = (
            file.header
            if file.kind == "csv"
            else parquet_columns(self._session, file.path, file.name)
        )
        _check_header(file, header, references)
        names = numbered(references)
        scan = FileScan(file.path, file.name, header, source.nulls, file.dialect)
        nulls = source.nulls or () if file.kind == "parquet" else ()  # a scan of CSV knows them
        cells = [
            f"{without_nulls(f'CAST({scan.cell(name)} AS VARCHAR)', nulls)} AS {column}"
            for name, column in names.items()
        ]
        selected = ", ".join(cells) or "NULL AS nothing"
        ordered = f" ORDER BY {order}" if order else ""

        def read(reader: str) -> str:
            sql = f"SELECT * FROM (SELECT {selected} FROM {reader}){ordered}"
            return self.work_tables.create_records(sql, file.number)

        relation = scan.run(read, self._session.exchange)
        if order:
            self._order_of[relation] = order
            self._sorted_files[relation] = _SortedFile(scan, selected, file.number)
        return Relation(relation, tuple(header), names=names)

    def _database_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """The columns that are referred to, by way of a CSV file that the database fills."""
        self.define_typed_functions()
        file = self._session.exchange / "answer.csv"
        answer = databases.unload(self.database(source), source, references, file)
        number = self._records.add(DatabaseTable(source.origin))
        names = numbered(references)
        cells = [
            _answered(answer.values.get(name, ("NULL", "NULL")), source.nulls or (), column)
            for name, column in names.items()
        ]
        sql = f"SELECT {', '.join(cells) or 'NULL AS nothing'} FROM {answer.reader}"
        try:
            relation = self.work_tables.create_records(sql, number)
        except duckdb.Error as error:
            raise databases.unreadable(source, str(error)) from None
        finally:
            file.unlink(missing_ok=True)
        return Relation(relation, answer.columns, typed=True, names=names)

    def database(self, source: LogicalSource) -> Database:
        """The database of a source, opened at the first call. Raises as `databases.connect`."""
        key = source.database or None
        if key not in self._databases:
            self._databases[key] = databases.connect(source, self._database, self._folders.mapping)
        return self._databases[key]

    # -- views -------------------------------------------------------------------------------------

    @property
    def for_views(self) -> Relations:
        """These relations."""
        return self

    def adopt(self, relation: Relation) -> Relation:
        """The relation, which is one of these."""
        return relation

    def make_rows(self, sql: str) -> str:
        """The name of a new table with the rows of a query over relations, which may call the
        functions for JSON.
        """
        self.define_typed_functions()
        if f"{json_columns.QUERY}(" in sql:
            self._session.define_query()
        return self.work_tables.create(sql)

    def number_rows(self, sql: str) -> str:
        """Rows of a query with numbers of their own, which are located where their records are."""
        rows = f"SELECT * EXCLUDE (_record), _record AS {_OWNER} FROM ({sql})"
        number = self._records.next_number
        relation = self.work_tables.create_records(rows, number)
        self._records.add(NumberedRows(self, relation))
        return relation

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The few rows of a query."""
        return self._session.rows(sql)

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record."""
        return self._records.locate(record, column)

    # -- the order of files ------------------------------------------------------------------------

    def order_of(self, relation: str) -> str:
        """The SQL by which the rows of a relation were sorted when read; empty if they were not."""
        return self._order_of.get(relation, "")

    def numbered_rows(self, relation: str, condition: str) -> str | None:
        """A work table of the rows of a sorted file that meet a condition, with the numbers that
        they have in the file, which is read again; None where the relation is not a sorted file.
        """
        if relation not in self._sorted_files:
            return None
        file = self._sorted_files[relation]
        number = f"{first_record(file.number)} + {file.scan.row_number} AS _record"

        def read(reader: str) -> str:
            rows = f"SELECT {number}, {file.cells} FROM {reader}"
            return self.work_tables.create(f"SELECT * FROM ({rows}) WHERE {condition}")

        return file.scan.run(read, self._session.exchange)

    # -- keys and joins ----------------------------------------------------------------------------

    def distinct_by_key(
        self, relation: Relation, keys: Sequence[str], columns: Sequence[str]
    ) -> Relation | None:
        """A relation with these columns in which no two rows have equal keys.

        None where equal keys have different rows.
        """
        names = [*columns, *(f"{name} type" for name in columns if relation.typed)]
        listed, key = ", ".join(map(quote, names)), ", ".join(map(quote, keys))
        has_key = " AND ".join(f"{quote(name)} IS NOT NULL" for name in keys)
        counts = f"count(*), count(DISTINCT ({key})), approx_count_distinct(({listed}))"
        ((rows, distinct_keys, estimate),) = self._session.rows(
            f"SELECT {counts} FROM {relation.sql} WHERE {has_key}"
        )
        if rows == distinct_keys:
            return relation
        if estimate > 2 * distinct_keys:
            return None
        distinct = f"(SELECT DISTINCT {listed} FROM {relation.sql} WHERE {has_key})"
        if set(names) != set(keys):
            ((distinct_rows,),) = self._session.rows(f"SELECT count(*) FROM {distinct}")
            if distinct_rows != distinct_keys:
                return None
        return replace(relation, sql=distinct)

    def has_repeats(self, relation: str, columns: Sequence[str]) -> bool:
        """Whether most rows of a relation are equal to others in these columns.

        It is an estimate, which may be wrong by an eighth.
        """
        listed = ", ".join(columns) or "NULL"
        ((rows, estimate),) = self._session.rows(
            f"SELECT count(*), approx_count_distinct(({listed})) FROM {relation}"
        )
        return bool(rows > 2 * estimate)

    def join_parents(self, relation: Relation, parents: Sequence[Parent]) -> Relation:
        """A work table with the columns of the rows' parents, NULL where there is none.

        Example:
            SELECT c.*, p0."c0" AS "parent 1 c0" FROM "work 1" AS c
            LEFT JOIN "work 2" AS p0 ON c."c1" = p0."c0"
        """
        columns, joins = "", ""
        for number, parent in enumerate(parents):
            typed = parent.relation.typed
            names = [*parent.columns, *(f"{name} type" for name in parent.columns if typed)]
            columns += "".join(
                f", p{number}.{quote(name)} AS {quote(parent.prefix + name)}" for name in names
            )
            condition = " AND ".join(
                f"c.{quote(child)} = p{number}.{quote(key)}" for child, key in parent.on
            )
            joins += f" LEFT JOIN {parent.relation.sql} AS p{number} ON {condition}"
        sql = f"SELECT c.*{columns} FROM {relation.sql} AS c{joins}"
        return replace(relation, sql=self.work_tables.create(sql))


class NumberedRows(Struct, frozen=True):
    """Rows with numbers of their own, as a table whose records can be located."""

    relations: Relations
    rows: str

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of the record that a row was made of."""
        ((owner,),) = self.relations.rows(
            f"SELECT {_OWNER} FROM {self.rows} WHERE _record = {record}"
        )
        return self.relations.locate(owner, column)


def _answered(cell: tuple[str, str], nulls: tuple[str, ...], column: str) -> str:
    """The columns of a cell (value and type) of what a database answered."""
    value, kind = cell
    if nulls:
        value = without_nulls(f"CAST({value} AS VARCHAR)", nulls)
    return value_and_type(value, kind, column)


def _table(source: LogicalSource, path: Path, name: str, number: int) -> SourceTable:
    """A file of a source as table `number`."""
    if source.kind == "xml":
        iterator, encoding = source.iterator or "/*", source.access.encoding
        file = XmlFile(path, name, iterator, source.namespaces, encoding)
        return XmlTable(file, number, source.origin)
    iterator, dialect = source.iterator or "$", source.access.dialect
    return FileTable(name, number, path, source.kind, source.origin, iterator, dialect)


def _columns(relation: Relation) -> tuple[str, ...]:
    return relation.columns or ()


def _check_header(file: FileTable, header: list[str], references: tuple[str, ...]) -> None:
    """Raises InvalidData unless each reference names one column and commas separate the cells."""
    missing = [name for name in references if name not in header]
    if missing and (separated := wrong_separator(file.name, header, file.dialect)):
        raise InvalidData([separated])
    for name in references:
        if header.count(name) > 1:
            raise InvalidData([Finding("LP103", Origin(file.name, 1), {"key": name, "first": "1"})])


def _sql_finding(source: LogicalSource, error: duckdb.Error) -> Finding:
    return Finding("LP604", source.origin, {"detail": first_line(error)})
