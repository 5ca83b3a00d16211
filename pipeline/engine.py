"""Runs a plan on DuckDB: loads record tables, answers what columns a source has, makes the statement table.

Nothing else knows which engine it is; the plan's SQL would run elsewhere once the four functions below exist there.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from pipeline import databases
from pipeline.databases import Database, DatabaseTable
from pipeline.datatypes import IRI, LAX, PATTERNS
from pipeline.errors import Finding, InvalidData, InvalidDeclaration, Origin
from pipeline.mapping.model import LogicalSource
from pipeline.plan import Check, Parent, Plan, Relation, Select, quote, text
from pipeline.reading.files import read_tree
from pipeline.reading.tree import value_of
from pipeline.sources import RecordTable, RowTable, ScanTable, jsonpath, ragged_rows
from pipeline.sources.files import FileTable, find
from pipeline.sources.jsonpath import PathError
from pipeline.sources.tables import first_record, table_number

FUNCTIONS = (
    # IRI-safe: everything but iunreserved is percent-encoded (RML-Core; RFC 3987, 2.2). The engine's url_encode does for ASCII (as many bytes
    # as characters); else it is called for runs of ASCII and for characters that are not ucschar.
    r"""CREATE MACRO iri_safe(x) AS CASE WHEN strlen(x) = length(x) THEN url_encode(x)
        ELSE list_aggregate(list_transform(regexp_extract_all(x, '[\x00-\x7F]+|[^\x00-\x7F]'),
            lambda c: CASE WHEN regexp_matches(c, '[\x00-\x{9F}\x{E000}-\x{F8FF}\x{FDD0}-\x{FDEF}\x{FFF0}-\x{FFFF}'
                || '\x{E0000}-\x{E0FFF}\x{F0000}-\x{10FFFF}]') THEN url_encode(c) ELSE c END), 'string_agg', '') END""",
    # A literal in quotes with the canonical escapes of N-Triples (RDF 1.1 N-Triples, 4; RDFC-1.0, A): those of JSON, and DEL.
    r"""CREATE MACRO nt_quote(x) AS replace(CAST(to_json(CAST(x AS VARCHAR)) AS VARCHAR), chr(127), '\u007F')""",
    # What an unsafe IRI may hold and a line of N-Quads may not (RDF 1.1 N-Quads, IRIREF) has its number there.
    r"""CREATE MACRO iri_escaped(x) AS CASE WHEN regexp_matches(x, '[\x00-\x20<>"{}|^`\\]') THEN list_aggregate(list_transform(
        string_split(x, ''), lambda c: CASE WHEN regexp_matches(c, '[\x00-\x20<>"{}|^`\\]') THEN '\u' || format('{:04X}', unicode(c)) ELSE c END),
        'string_agg', '') ELSE x END""",
    """CREATE MACRO uri_encoded(x) AS CASE WHEN regexp_matches(x, '[^\x00-\x7F]') THEN list_aggregate(list_transform(
        string_split(x, ''), lambda c: CASE WHEN unicode(c) > 127 THEN url_encode(c) ELSE c END), 'string_agg', '') ELSE x END""",
    "CREATE MACRO uri_safe(x) AS url_encode(x)",
    f"""CREATE MACRO is_iri(x) AS regexp_matches(x, {text(IRI)})""",
    # For texts of the form of a date or a time; most have neither sign nor time zone.
    """CREATE MACRO is_day(x) AS CASE WHEN strlen(x) = 10 THEN try_cast(x AS DATE) IS NOT NULL
        ELSE try_cast(regexp_extract(x, '^-?[0-9]+-[0-9]{2}-[0-9]{2}') AS DATE) IS NOT NULL END""",
)
# For JSON and databases only: a value as text (a string without its quotes, a number in the canonical form of its XSD datatype), and its type.
JSON_FUNCTIONS = (
    """CREATE MACRO json_kind(t) AS CASE t WHEN 'VARCHAR' THEN 'string' WHEN 'BIGINT' THEN 'integer' WHEN 'UBIGINT' THEN 'integer'
        WHEN 'HUGEINT' THEN 'integer' WHEN 'DOUBLE' THEN 'double' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'ARRAY' THEN 'array'
        WHEN 'OBJECT' THEN 'object' END""",
    "CREATE MACRO mantissa(s) AS split_part(ltrim(s, '-'), 'e', 1)",
    "CREATE MACRO digits(s) AS replace(mantissa(s), '.', '')",
    "CREATE MACRO significant(s) AS rtrim(ltrim(digits(s), '0'), '0')",
    """CREATE MACRO magnitude(s) AS coalesce(try_cast(nullif(split_part(s, 'e', 2), '') AS INTEGER), 0)
        + length(split_part(mantissa(s), '.', 1)) - 1 - (length(digits(s)) - length(ltrim(digits(s), '0')))""",
    """CREATE MACRO canonical_double(s) AS CASE WHEN significant(s) = '' THEN '0.0E0' ELSE
        CASE WHEN starts_with(s, '-') THEN '-' ELSE '' END || left(significant(s), 1) || '.'
        || coalesce(nullif(substr(significant(s), 2), ''), '0') || 'E' || magnitude(s) END""",
    """CREATE MACRO json_text(v) AS CASE WHEN json_type(v) = 'DOUBLE' THEN canonical_double(CAST(CAST(v AS DOUBLE) AS VARCHAR))
        ELSE v ->> '$' END""",
)
STATEMENT_COLUMNS = {"s": "VARCHAR", "p": "VARCHAR", "o": "VARCHAR", "g": "VARCHAR", "record": "BIGINT", "rule": "INTEGER"}


class Engine:
    """One DuckDB connection with the record tables of a project; a context manager that removes its spill files.

    `root` is the folder of the files that a mapping names itself, `database` the address of the database where it names none. `sort` has flat
    files sorted while they are read, in the order that the mapping asks for; their rows then have no numbers that `locate` understands.
    """

    def __init__(
        self, memory: str = "4GB", threads: int | None = None, root: Path | None = None, database: str | None = None, sort: bool = False
    ) -> None:
        self.root, self.database, self.sort = root or Path(), database, sort
        self._order_of: dict[str, str] = {}
        self._located: list[RecordTable | FileTable | DatabaseTable] = []
        self._databases: dict[str | None, Database] = {}
        self._knows_types = False
        self._kept_tables = 0
        self._table_of: dict[str, str] = {}
        self._files: dict[tuple[str, str, str | None], FileTable] = {}
        self.spill = Path(tempfile.mkdtemp(prefix="lodpipe-"))
        self._answers = self.spill / "answers"
        self._answers.mkdir()
        config: dict[str, Any] = {
            "temp_directory": str(self.spill),
            "memory_limit": _four_fifths(memory),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "arrow_large_buffer_size": "true",
        }
        self.connection = duckdb.connect(":memory:", config=config | ({"threads": threads} if threads else {}))
        for macro in FUNCTIONS:
            self.connection.execute(macro)
        self.row_count = 0
        self._tables: dict[LogicalSource, str] = {}
        self._described: dict[LogicalSource, Relation] = {}

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections and removes what was spilled."""
        for database in self._databases.values():
            database.close()
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: Sequence[object] = (), size: int = 20_000) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, without holding them all."""
        cursor = self.cursor().execute(sql, parameters)
        while batch := cursor.fetchmany(size):
            yield from batch

    def locate(self, record: int, column: str | None = None) -> Origin:
        """Where a record stands, or the value of one of its columns."""
        return self._located[table_number(record)].locate(record, column)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A second line to the same tables, for another thread."""
        return self.connection.cursor()

    @property
    def threads(self) -> int:
        """How many cores the engine uses."""
        ((threads,),) = self.rows("SELECT current_setting('threads')")
        return int(threads)

    def texts(self, sql: str, rows: int) -> Iterator[tuple[memoryview, memoryview]]:
        """The texts that a query gives in its one column, in batches of about so many rows, without making a Python object of each.

        As Arrow has them: the places where each text begins and the last one ends, and the UTF-8 bytes of all, one behind the other.
        """
        import nanoarrow

        cursor = self.cursor()
        for batch in nanoarrow.ArrayStream(_arrow_stream(cursor, sql, rows)):
            texts = batch.child(0)
            yield memoryview(texts.buffer(1)).cast("B").cast("q"), memoryview(texts.buffer(2)).cast("B")

    @contextlib.contextmanager
    def one_thread_each(self) -> Iterator[None]:
        """Each query runs in the thread that asks, alone and from the first row to the last; several threads may ask at once."""
        threads = self.threads
        self.connection.execute("SET threads = 1")
        try:
            yield
        finally:
            self.connection.execute(f"SET threads = {threads}")

    def progress(self) -> float:
        """How much of the running query is done, in per cent; below zero where that is not known."""
        return float(self.connection.query_progress())

    # -- record tables -------------------------------------------------------------------------------------------

    def load(self, tables: Iterable[RecordTable], writable: Path | None = None) -> list[Finding]:
        """Brings record tables in, then closes the door: queries of a mapping can open no file. Gives what could not be read.

        `writable` is the one folder that stays open, for dumps that the engine writes itself.
        """
        findings: list[Finding] = []
        for table in tables:
            self._located.append(table)
            if isinstance(table, RowTable):
                self._load_rows(table)
            else:
                findings += self._load_scan(table)
        folders = [text(str(folder)) for folder in (writable, self._answers, self.root if self.root != Path() else None) if folder is not None]
        self.connection.execute(f"SET allowed_directories = [{', '.join(folders)}]")
        self.connection.execute("SET enable_external_access = false")
        return findings

    def _load_rows(self, table: RowTable) -> None:
        self._create(table.name, {"_record": "BIGINT", "_parent": "BIGINT"} | {one.name: "VARCHAR" for one in table.columns}, table.rows)

    def _create(self, name: str, columns: dict[str, str], rows: Sequence[Sequence[object]]) -> None:
        """A table of rows given in one parameter: as JSON, which the engine unpacks a hundred times faster than executemany binds."""
        self.row_count += len(rows)
        if not rows:
            self.connection.execute(f"CREATE TABLE {quote(name)} ({', '.join(f'{quote(one)} {kind}' for one, kind in columns.items())})")
            return
        data = json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False)
        unpacked = f"unnest(from_json(?, {text(json.dumps([columns], ensure_ascii=False))}), recursive := true)"
        self.connection.execute(f"CREATE TABLE {quote(name)} AS SELECT {unpacked}", [data])

    def _load_scan(self, table: ScanTable) -> list[Finding]:
        columns = "".join(f", {quote(one.name)} VARCHAR" for one in table.columns)
        self.connection.execute(f"CREATE TABLE {quote(table.name)} (_record BIGINT{columns})")
        findings: list[Finding] = []
        for number, (name, path) in enumerate(table.files):
            try:
                present = table.headers[name] if name in table.headers else self._parquet_columns(path)
            except duckdb.Error as error:
                findings.append(Finding("LP102", Origin(name), {"format": "Parquet", "detail": _first_line(error)}))
                continue
            cells = "".join(f", CAST({quote(one.name) if one.name in present else 'NULL'} AS VARCHAR)" for one in table.columns)
            row = "file_row_number" if path.suffix == ".parquet" else "row_number() OVER () - 1"
            scan = f"SELECT {first_record(table.number, number)} + {row}{cells} FROM {_reader(path, present)}"
            try:
                ((count,),) = self.connection.execute(f"INSERT INTO {quote(table.name)} {scan}").fetchall()
                self.row_count += count
            except duckdb.Error as error:
                findings += ragged_rows(path, name, len(present)) or [_csv_finding(name, error)]
        return findings

    def _parquet_columns(self, path: Path) -> list[str]:
        return [row[0] for row in self.rows(f"DESCRIBE SELECT * FROM read_parquet({text(str(path))})")]

    def add_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """A table of texts that queries of the mapping can use."""
        self._create(name, dict.fromkeys(columns, "VARCHAR"), rows)

    # -- plans ---------------------------------------------------------------------------------------------------

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs each query into a table, in their order, so that none is computed twice; gives those whose SQL is wrong (LP604)."""
        findings: list[Finding] = []
        broken: list[str] = []  # what fails for want of a broken query is no mistake of its own
        for number, source in enumerate(sources):
            if source.kind == "query" and source not in self._tables:
                name = self._tables[source] = source.name or f"query {number}"
                try:
                    self.connection.execute(f"CREATE TABLE {quote(name)} AS {source.text.strip().rstrip(';')}")
                except duckdb.Error as error:
                    if not any(f"with name {one} does not exist" in str(error) for one in broken):
                        findings.append(_sql_finding(source, error))
                    broken.append(name)
        return findings

    def know_patterns(self, own: Mapping[str, str]) -> bool:
        """Whether the data is so small that a plan had better be light; then the patterns of all datatypes become the variable `patterns`."""
        if not self._is_small():
            return False
        entries = {**dict.fromkeys(LAX, ""), **PATTERNS, **own}
        listed = ", ".join(f"{text(f'<{iri}>')}: {text(pattern)}" for iri, pattern in entries.items())
        self.connection.execute(f"SET VARIABLE patterns = MAP {{{listed}}}")
        return True

    def _is_small(self) -> bool:
        return self.row_count < 20_000

    @contextlib.contextmanager
    def _planned_lightly(self) -> Iterator[None]:
        """For small data the optimizer costs more than it saves: our own queries are plain scans of tables made before."""
        small = self._is_small()
        if small:
            self.connection.execute("PRAGMA disable_optimizer")
        try:
            yield
        finally:
            if small:
                self.connection.execute("PRAGMA enable_optimizer")

    def relate(self, source: LogicalSource, references: tuple[str, ...], order: str = "") -> Relation:
        """A logical source as a relation with a column for each reference; a file is read once, with the references and order of the first call.

        Raises InvalidDeclaration where there is no such table (LP604) or a reference cannot be followed (LP602), SourceError (LP106).
        """
        if source.kind in ("table", "query"):
            return self._table_relation(source)
        if source not in self._described:
            if source.kind == "sql":
                self._described[source] = self._database_relation(source, references)
            else:
                self._described[source] = self._file_relation(source, references, order if self.sort else "")
        return self._described[source]

    def _file_relation(self, source: LogicalSource, references: tuple[str, ...], order: str) -> Relation:
        table = self._file(source)
        try:
            if table.kind in ("json", "jsonl", "yaml"):
                return self._json_relation(table, references)
            return self._flat_relation(table, source, references, order)
        except PathError as error:
            raise InvalidDeclaration([Finding("LP602", source.origin, {"detail": str(error)})]) from None

    def _table_relation(self, source: LogicalSource) -> Relation:
        if source not in self._described:
            relation = quote(self._tables.get(source, source.text))
            try:
                columns = tuple(row[0] for row in self.rows(f"DESCRIBE SELECT * FROM {relation}"))
            except duckdb.Error as error:
                raise InvalidDeclaration([_sql_finding(source, error)]) from None
            self._described[source] = Relation(relation, columns, "_record" in columns)
        return self._described[source]

    def _file(self, source: LogicalSource) -> FileTable:
        """The file table of a source; the same file under the same iterator is one table."""
        key = (source.text, source.kind, source.iterator)
        if key not in self._files:
            path, name = find(source.text, source.origin, self.root)
            self._files[key] = FileTable(name, len(self._located), path, source.kind, source.iterator or "$")
            self._located.append(self._files[key])
        return self._files[key]

    def _flat_relation(self, table: FileTable, source: LogicalSource, references: tuple[str, ...], order: str) -> Relation:
        """The columns that are referred to, brought in once: checks, joins and statements then read columns, not text."""
        header = table.header if table.kind == "csv" else self._parquet_columns(table.path)
        columns = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in references if name in header)
        reader = _reader(table.path, header, source.nulls)
        by = f" ORDER BY {order}" if order else ""
        try:
            kept = self._kept_records(f"SELECT {columns or 'NULL AS none'} FROM {reader}{by}", table.number)
            self._order_of[kept] = order
            return Relation(kept, tuple(header))
        except duckdb.Error as error:
            raise InvalidData(ragged_rows(table.path, table.name, len(header)) or [_csv_finding(table.name, error)]) from None

    def kept(self, sql: str) -> str:
        """The name of a new table with the rows of a query."""
        self._kept_tables += 1
        name = quote(f"file {self._kept_tables}")
        self._table_of[name] = name
        ((count,),) = self.rows(f"CREATE TABLE {name} AS {sql}")
        self.row_count += count
        return name

    def drop(self, name: str) -> None:
        """Removes a table that was kept."""
        self.rows(f"DROP TABLE {name}")
        del self._table_of[name]

    def _kept_records(self, sql: str, number: int) -> str:
        """The rows of a query as the records of a table, kept in their order: the engine's own row numbers become those of the records.

        A window that counts rows would read the file on one core only.
        """
        table = self.kept(sql)
        relation = f"(SELECT {first_record(number)} + rowid AS _record, * FROM {table})"
        self._table_of[relation] = table
        return relation

    def table_of(self, source: str) -> str | None:
        """The table that holds the rows of a source, where they are kept in one as they are."""
        return self._table_of.get(source)

    def order_of(self, source: str) -> str:
        """The SQL by which the rows of a source were sorted when it was read; empty where they were not."""
        return self._order_of.get(source, "")

    @property
    def sorted(self) -> bool:
        """Whether any file was sorted when it was read."""
        return any(self._order_of.values())

    def read_again(self) -> None:
        """Forgets the files, so that the next plan reads them in their own order."""
        for table in set(self._table_of.values()):
            self.rows(f"DROP TABLE {table}")
        for known in (self._table_of, self._order_of, self._described):
            known.clear()
        self.sort = False

    def by_key(self, relation: Relation, keys: Sequence[str], columns: Sequence[str]) -> Relation | None:
        """A relation with these columns in which no two rows have the same texts as keys; None where equal keys have different rows."""
        names = [*columns, *(f"{name} type" for name in columns if relation.typed)]
        listed, key = ", ".join(map(quote, names)), ", ".join(map(quote, keys))
        keyed = " AND ".join(f"{quote(one)} IS NOT NULL" for one in keys)
        counts = f"count(*), count(DISTINCT ({key})), approx_count_distinct(({listed}))"
        ((rows, distinct, about),) = self.rows(f"SELECT {counts} FROM {relation.sql} WHERE {keyed}")
        if rows == distinct:
            return relation
        if about > 2 * distinct:
            return None
        alike = f"(SELECT DISTINCT {listed} FROM {relation.sql} WHERE {keyed})"
        ((found,),) = self.rows(f"SELECT count(*) FROM {alike}") if set(names) != set(keys) else ((distinct,),)
        return replace(relation, sql=alike) if found == distinct else None

    def repeats(self, source: str, columns: Sequence[str]) -> bool:
        """Whether most rows of a source are equal to others in these columns; the estimate may be wrong by an eighth."""
        ((rows, about),) = self.rows(f"SELECT count(*), approx_count_distinct(({', '.join(columns) or 'NULL'})) FROM {source}")
        return bool(rows > 2 * about)

    def widen(self, relation: Relation, parents: Sequence[Parent]) -> Relation:
        """A relation with the columns of its rows' parents, NULL where there is none; joined once, then kept."""
        columns, joins = "", ""
        for number, parent in enumerate(parents):
            names = [*parent.columns, *(f"{name} type" for name in parent.columns if parent.relation.typed)]
            columns += "".join(f", p{number}.{quote(name)} AS {quote(parent.prefix + name)}" for name in names)
            on = " AND ".join(f"c.{quote(child)} = p{number}.{quote(key)}" for child, key in parent.on)
            joins += f" LEFT JOIN {parent.relation.sql} AS p{number} ON {on}"
        return replace(relation, sql=self.kept(f"SELECT c.*{columns} FROM {relation.sql} AS c{joins}"))

    def _json_relation(self, table: FileTable, references: tuple[str, ...]) -> Relation:
        """Each reference is pulled out of the record's JSON once, with its type beside it."""
        self._define_types()
        paths = {name: jsonpath.parse(name) for name in references}
        columns = ", ".join(self._json_column(name, steps) for name, steps in paths.items())
        many = frozenset(name for name, steps in paths.items() if jsonpath.is_many(steps))
        try:
            kept = self._kept_records(f"SELECT {columns or 'NULL AS none'} FROM {self._json_records(table)}", table.number)
            return Relation(kept, None, typed=True, many=many)
        except duckdb.Error as error:
            read_tree(table.path, table.name)  # tells the line, where the file itself is wrong
            raise InvalidData([Finding("LP102", Origin(table.name), {"format": "JSON", "detail": _first_line(error)})]) from None

    def _define_types(self) -> None:
        """The functions that only sources with types need."""
        if not self._knows_types:
            self._knows_types = True
            for macro in (*JSON_FUNCTIONS, *databases.FUNCTIONS):
                self.connection.execute(macro)

    def _database_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """The columns that are referred to, unloaded by the database into a file that is gone once it is read."""
        self._define_types()
        key = source.database or None
        if key not in self._databases:
            self._databases[key] = databases.connect(source, self.database, self.root)
        file = self._answers / "answer.csv"
        answer = databases.unload(self._databases[key], source, references, file)
        number = len(self._located)
        self._located.append(DatabaseTable(source.origin))
        columns = ", ".join(f"{value} AS {quote(name)}, {kind} AS {quote(name + ' type')}" for name, (value, kind) in answer.values.items())
        try:
            kept = self._kept_records(f"SELECT {columns or 'NULL AS none'} FROM {answer.reader}", number)
        except duckdb.Error as error:
            raise databases.unreadable(source, str(error)) from None
        finally:
            file.unlink(missing_ok=True)
        return Relation(kept, answer.columns, typed=True)

    def _json_column(self, name: str, steps: tuple[jsonpath.Step, ...]) -> str:
        path = text(jsonpath.for_engine(steps))
        if jsonpath.is_many(steps):
            value = f"list_transform(json_extract(it, {path}), lambda v: json_text(v))"
            kind = f"list_transform(json_type(it, {path}), lambda t: json_kind(t))"
        else:
            value, kind = f"json_text(json_extract(it, {path}))", f"json_kind(json_type(it, {path}))"
        return f"{value} AS {quote(name)}, {kind} AS {quote(name + ' type')}"

    def _json_records(self, table: FileTable) -> str:
        """A relation with one column `it`: the records of the file, by its iterator."""
        steps = jsonpath.parse(table.iterator)
        size = max(16_777_216, table.path.stat().st_size + 1)
        if table.kind == "yaml":
            return self._unfolded(f"(SELECT CAST({text(self._yaml_as_json(table))} AS JSON) AS json)", steps)
        reader = f"read_json_objects({text(str(table.path))}, maximum_object_size = {size}, format = "
        if table.kind == "jsonl":
            return self._unfolded(reader + "'newline_delimited')", steps)
        if steps and steps[0] is None:
            # The records of a top-level array are read one by one, whatever the size of the file.
            return self._unfolded(reader + "'array')", steps[1:])
        return self._unfolded(reader + "'unstructured')", steps)

    def _unfolded(self, documents: str, steps: tuple[jsonpath.Step, ...]) -> str:
        if not steps:
            return f"(SELECT json AS it FROM {documents})"
        extracted = f"json_extract(json, {text(jsonpath.for_engine(steps))})"
        return f"(SELECT {f'unnest({extracted})' if jsonpath.is_many(steps) else extracted} AS it FROM {documents})"

    def _yaml_as_json(self, table: FileTable) -> str:
        root = read_tree(table.path, table.name)
        return json.dumps(None if root is None else value_of(root), ensure_ascii=False)

    def failures(self, plan: Plan) -> Iterator[tuple[Check, int, list[tuple[int | None, str]]]]:
        """Each check that some rows fail: how often, and the first of those records with the value."""
        for select in plan.selects:
            for check, count in self._failing(select):
                yield check, count, self._samples(select, check)

    def fails(self, plan: Plan) -> bool:
        """Whether any row fails a check."""
        return any(self._failing(select) for select in plan.selects)

    def _failing(self, select: Select) -> list[tuple[Check, int]]:
        """The checks that some rows fail, and how many."""
        if not select.checks:
            return []
        counts = ", ".join(f"count(*) FILTER ({check.problem})" for check in select.checks)
        with self._planned_lightly():
            (row,) = self.rows(f"SELECT {counts} FROM {select.source}")
        return [(check, count) for check, count in zip(select.checks, row, strict=True) if count]

    def made(self, plan: Plan) -> list[tuple[str, int]]:
        """How many statements each rule makes in the order of the mapping; doubles are counted, but for equal pairs of a join."""
        counts: dict[int, int] = {}
        for select in plan.selects:
            if not select.parts:
                continue
            (row,) = self.rows(select.counts_sql)
            for (*_, number), count in zip(select.parts, row, strict=True):
                counts[number] = counts.get(number, 0) + count
        return [(plan.rules[number].name, count) for number, count in sorted(counts.items())]

    def _samples(self, select: Select, check: Check) -> list[tuple[int | None, str]]:
        """The first ten records that fail a check, in the order of their numbers."""
        sql = f"SELECT DISTINCT {select.record} AS record, {check.value} FROM {select.source} WHERE {check.problem} ORDER BY ALL LIMIT 10"
        return self.rows(sql)

    def make_statements(self, plan: Plan, declared: Sequence[Sequence[object]]) -> None:
        """Runs the plan into the table `statements`: sorted by s, p, o, g, without doubles, each with its first record.

        `declared` are statements that come from no record (the ontology), as rows of the same columns.
        """
        self._create("declared", STATEMENT_COLUMNS, declared)
        union = "\nUNION ALL\n".join([select.sql for select in plan.selects if select.parts] + ["SELECT * FROM declared"])
        with self._planned_lightly():
            self.connection.execute(
                f"CREATE TABLE statements AS SELECT s, p, o, g, min(record) AS record, arg_min(rule, record) AS rule "
                f"FROM ({union}) GROUP BY s, p, o, g ORDER BY s, p, o, g"
            )


def _arrow_stream(cursor: duckdb.DuckDBPyConnection, sql: str, rows: int) -> Any:
    """The rows of a query as an Arrow stream with batches of about so many rows.

    The public way to ask for their size goes through pyarrow; where the private one is not there, batches are as large as the engine likes.
    """
    submit = getattr(cursor, "_submit", None)
    return submit(sql, None, "stream", rows).arrow_capsule() if submit else cursor.sql(sql)


def _four_fifths(memory: str) -> str:
    """The engine's own bound: the rest is for what lies outside of it, so that the whole process keeps to what was said.

    >>> _four_fifths("1GB")
    '800MB'
    """
    match = re.fullmatch(r"([0-9]+)(MB|GB)", memory)
    if match is None:
        raise InvalidDeclaration([Finding("LP601", None, {"detail": f"memory `{memory}`: a number with MB or GB is expected, such as 1GB"})])
    return f"{int(match[1]) * (1000 if match[2] == 'GB' else 1) * 4 // 5}MB"


def _reader(path: Path, header: list[str], nulls: tuple[str, ...] = ()) -> str:
    if path.suffix == ".parquet":
        return f"read_parquet({text(str(path))}, file_row_number = true)"
    columns = "{" + ", ".join(f"{text(name)}: 'VARCHAR'" for name in header) + "}"
    return (
        f"read_csv({text(str(path))}, columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', nullstr = [{', '.join(text(one) for one in nulls or ('',))}], strict_mode = true, null_padding = false, "
        f"max_line_size = 16777216, buffer_size = 33554432)"
    )


def _csv_finding(name: str, error: duckdb.Error) -> Finding:
    """The engine's own words for a file that it cannot read; it names the line in them."""
    line = re.search(r"Line: ([0-9]+)", str(error))
    said = [part for part in str(error).split("\n") if part.strip() and "Error on Line" not in part]
    detail = said[0] if said else _first_line(error)
    return Finding("LP102", Origin(name, int(line[1]) if line else 0), {"format": "CSV", "detail": detail})


def _sql_finding(source: LogicalSource, error: duckdb.Error) -> Finding:
    return Finding("LP604", source.origin, {"detail": _first_line(error)})


def _first_line(error: BaseException) -> str:
    return str(error).split("\n")[0]
