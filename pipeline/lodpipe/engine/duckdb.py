"""Runs a plan on DuckDB: loads record tables, answers what columns a source has, makes the statement table.

Nothing else knows which engine it is; the plan's SQL would run elsewhere once the four functions below exist there.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.engine import databases
from lodpipe.engine import json_columns as jsoncolumns
from lodpipe.engine.databases import Database, DatabaseTable
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.plan import Check, Parent, Plan, Relation, Select, numbered, quote, text
from lodpipe.rdf.datatypes import IRI, LAX, PATTERNS
from lodpipe.sources import RecordTable, RowTable, ScanTable, jsonpath
from lodpipe.sources.file_tables import FileTable, find
from lodpipe.sources.jsonpath import PathError
from lodpipe.sources.record_tables import first_record, table_number
from lodpipe.sources.rows import LONGEST_ROW, has_mixed_ends, long_row, ragged_rows, too_long, with_one_end, wrong_separator
from lodpipe.sources.schema import nearest

T = TypeVar("T")

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
_SMALL_STATEMENTS = 100_000
_SMALL_FILES = 5_000_000  # bytes
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
        self._plans_lightly = False
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
        self._threads = threads
        self._tables: dict[LogicalSource, str] = {}
        self._described: dict[LogicalSource, Relation] = {}
        self._columns: dict[str, dict[str, str]] = {}

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

    def query_columns(self, sql: str) -> list[str]:
        """The columns of a query that a publication declares. Raises duckdb.Error where it is no SQL over the tables that exist."""
        return [row[0] for row in self.rows(f"DESCRIBE {_without_end(sql)}")]

    def query_rows(self, sql: str, key: Sequence[str]) -> list[tuple[Any, ...]]:
        """Its rows, ordered by the key, or by all columns, so that they do not depend on the machine."""
        return self.rows(f"SELECT * FROM ({_without_end(sql)}) ORDER BY {', '.join(map(quote, key)) or 'ALL'}")

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
        tables = list(tables)
        little = all(map(_is_little, tables))
        if tables and not self._threads and little:
            self.connection.execute("SET threads = 1")  # handing work to other cores would cost more than it saves
        with self.planned_lightly() if little else contextlib.nullcontext():
            for table in tables:
                self._located.append(table)
                if isinstance(table, RowTable):
                    self._load_rows(table)
                else:
                    findings += self._load_scan(table)
        folders = [text(str(folder)) for folder in (writable, self._answers, self.root if self.root != Path() else None) if folder is not None]
        self.connection.execute(f"SET allowed_directories = [{', '.join(folders)}]")
        self.connection.execute("SET enable_external_access = false")
        if not self._is_small():
            self._use_all_cores()
        return findings

    def _use_all_cores(self) -> None:
        """For what turns out to be large."""
        if not self._threads:
            self.connection.execute("RESET threads")

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
                findings.append(_parquet_finding(path, name, error))
                continue
            cells = "".join(f", CAST({_cell(one.name, present)} AS VARCHAR)" for one in table.columns)
            row = "file_row_number" if path.suffix == ".parquet" else "row_number() OVER () - 1"
            insert = f"INSERT INTO {quote(table.name)} SELECT {first_record(table.number, number)} + {row}{cells} FROM "
            try:
                self._scanned(partial(self._append, insert), path, name, present)
            except InvalidData as error:
                findings += error.findings
        return findings

    def _append(self, insert: str, reader: str) -> None:
        ((count,),) = self.rows(insert + reader)
        self.row_count += count

    def _scanned(self, run: Callable[[str], T], path: Path, name: str, header: Sequence[str], nulls: tuple[str, ...] = ()) -> T:
        """What `run` makes of the scan of a CSV or Parquet file. Raises InvalidData with what is wrong with the file."""
        if path.suffix != ".parquet" and (long := long_row(path, name)):
            raise InvalidData(long)
        try:
            return run(_reader(path, header, nulls))
        except duckdb.Error as error:
            if path.suffix == ".parquet":
                raise InvalidData([_parquet_finding(path, name, error)]) from None
            if ragged := ragged_rows(path, name, len(header)):
                raise InvalidData(ragged) from None
            if has_mixed_ends(path):
                return self._scanned_with_one_end(run, path, name, header, nulls)
            raise InvalidData([_csv_finding(name, error)]) from None

    def _scanned_with_one_end(
        self, run: Callable[[str], T], path: Path, name: str, header: Sequence[str], nulls: tuple[str, ...]
    ) -> T:
        """The engine refuses a file whose lines end in two ways; it reads a copy, in which all end alike."""
        copy = with_one_end(path, name, self._answers / "rows.csv")
        try:
            return run(_reader(copy, header, nulls))
        except duckdb.Error as error:
            raise InvalidData([_csv_finding(name, error)]) from None
        finally:
            copy.unlink()

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
    def planned_lightly(self) -> Iterator[None]:
        """For small data the optimizer costs more than it saves: our own queries are plain scans and joins of tables made before.

        Those that people write (`define`) need it, for they may name tables in any order and the conditions afterwards.
        """
        small = self._is_small() and not self._plans_lightly
        if small:
            self.connection.execute("PRAGMA disable_optimizer")
            self._plans_lightly = True
        try:
            yield
        finally:
            if small:
                self._plans_lightly = False
                self.connection.execute("PRAGMA enable_optimizer")

    @contextlib.contextmanager
    def _encoded_lightly(self, plan: Plan) -> Iterator[None]:
        """For small data whose keys are ASCII, as nearly all are: what encodes others is long, and the planner would copy it for each use."""
        encoded = plan.encoded if self._is_small() else None
        keys = " UNION ALL ".join(f"SELECT concat({', '.join(columns)}) AS key FROM {source}" for source, columns in encoded or ())
        light = bool(keys) and self.rows(f"SELECT bool_and(strlen(key) = length(key)) FROM ({keys})") != [(False,)]
        if light:
            self.connection.execute("CREATE OR REPLACE MACRO iri_safe(x) AS url_encode(x)")
        try:
            yield
        finally:
            if light:
                self.connection.execute(FUNCTIONS[0].replace("CREATE", "CREATE OR REPLACE", 1))

    def relate(self, source: LogicalSource, references: tuple[str, ...], order: str = "") -> Relation:
        """A logical source as a relation with a column for each reference; a file is read once, with the references and order of the first call.

        Raises InvalidDeclaration where there is no such table (LP604) or a reference cannot be followed (LP602), SourceError (LP106).
        """
        if source.kind in ("table", "query"):
            return self._table_relation(source, references)
        if source not in self._described:
            self._use_all_cores()
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

    def _columns_of(self, table: str) -> dict[str, str]:
        """The columns of a table with their types; those of all tables are asked for together. Raises duckdb.Error where there is none."""
        if table not in self._columns:
            listed = self.rows(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal "
                "ORDER BY table_name, column_index"
            )
            self._columns = {name: {} for name, _, _ in listed}
            for name, column, kind in listed:
                self._columns[name][column] = kind
        if table not in self._columns:  # it may be a view, or spelt in another case
            self._columns[table] = {row[0]: str(row[1]) for row in self.rows(f"DESCRIBE SELECT * FROM {quote(table)}")}
        return self._columns[table]

    def _table_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A record table or the answer of a query; its columns become texts here, each with its type where one of them is no text."""
        if source not in self._described:
            name = self._tables.get(source, source.text)
            table = quote(name)
            try:
                described = self._columns_of(name)
            except duckdb.Error as error:
                raise InvalidDeclaration([_sql_finding(source, error)]) from None
            names = numbered(references)
            typed = any(described.get(one, "VARCHAR") != "VARCHAR" for one in references)
            if typed:
                self._define_types()
            has_record = described.get("_record") in ("BIGINT", "INTEGER", "HUGEINT")
            record = ["CAST(_record AS BIGINT) AS _record"] if has_record else []
            cells = [_typed_cell(quote(one), described.get(one), quote(column), typed=typed) for one, column in names.items()]
            sql = f"(SELECT {', '.join([*record, *cells]) or 'NULL AS nothing'} FROM {table})"
            self._described[source] = Relation(sql, tuple(described), has_record, typed, names=names)
        return self._described[source]

    def _file(self, source: LogicalSource) -> FileTable:
        """The file table of a source; the same file under the same iterator is one table."""
        key = (source.text, source.kind, source.iterator)
        if key not in self._files:
            path, name = find(source.text, source.origin, self.root)
            self._files[key] = FileTable(name, len(self._located), path, source.kind, source.origin, source.iterator or "$")
            self._located.append(self._files[key])
        return self._files[key]

    def _flat_relation(self, table: FileTable, source: LogicalSource, references: tuple[str, ...], order: str) -> Relation:
        """The columns that are referred to, brought in once: checks, joins and statements then read columns, not text."""
        header = self._header(table)
        self._check_header(table, source, header, references)
        names = numbered(references)
        cells = ", ".join(f"CAST({_cell(name, header)} AS VARCHAR) AS {column}" for name, column in names.items())
        by = f" ORDER BY {order}" if order else ""

        def read(reader: str) -> str:
            return self._kept_records(f"SELECT * FROM (SELECT {cells or 'NULL AS nothing'} FROM {reader}){by}", table.number)

        kept = self._scanned(read, table.path, table.name, header, source.nulls)
        self._order_of[kept] = order
        return Relation(kept, tuple(header), names=names)

    def _header(self, table: FileTable) -> list[str]:
        """The names of the columns of a CSV or Parquet file."""
        if table.kind == "csv":
            return table.header
        try:
            return self._parquet_columns(table.path)
        except duckdb.Error as error:
            raise InvalidData([_parquet_finding(table.path, table.name, error)]) from None

    @staticmethod
    def _check_header(table: FileTable, source: LogicalSource, header: list[str], references: tuple[str, ...]) -> None:
        """References must name one column each, and the cells must be separated by commas."""
        if any(name not in header for name in references) and (separated := wrong_separator(table.name, header)):
            raise InvalidData([separated])
        for name in references:
            if header.count(name) > 1:
                raise InvalidData([Finding("LP103", Origin(table.name, 1), {"key": name, "first": "1"})])

    def kept(self, sql: str) -> str:
        """The name of a new table with the rows of a query."""
        self._kept_tables += 1
        name = quote(f"file {self._kept_tables}")
        ((count,),) = self.rows(f"CREATE TABLE {name} AS {sql}")
        self._table_of[name] = name
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
        names = numbered(references)
        many = frozenset(name for name in references if jsonpath.is_many(jsonpath.parse(name)))
        path, exact = self._strict(table)
        try:
            records = f"(SELECT {jsoncolumns.followed(names)}, above FROM {self._json_records(table, path)})"
            columns = jsoncolumns.columns(names, exact=exact)
            kept = self._kept_records(f"SELECT doubled OR above AS doubled{columns} FROM {records}", table.number)
            absent, findings = self._unfollowed(table, kept, records, names)
            ((doubled,),) = self.rows(f"SELECT bool_or(doubled) FROM {kept}")
        except duckdb.Error as error:
            table.read()  # finds the line, where the file itself is wrong
            raise InvalidData([Finding("LP102", Origin(table.name), {"format": "JSON", "detail": _first_line(error)})]) from None
        finally:
            if path != table.path:
                path.unlink()
        if doubled:
            table.read()
        return Relation(kept, None, typed=True, many=many, names=names, absent=absent, findings=findings)

    def _strict(self, table: FileTable) -> tuple[Path, bool]:
        """The file that the engine is to read for a source, and whether it holds exact numbers. Raises InvalidData where the source is no JSON."""
        if table.kind == "yaml":
            mark, documents = jsoncolumns.of_tree(table.read())
        else:
            suspicion = jsoncolumns.suspect(table.path)
            if not suspicion.lenient and not suspicion.long:
                return table.path, False
            texts = table.documents()
            if not jsoncolumns.is_strict(texts):
                table.read()
            if not suspicion.long:
                return table.path, False
            mark, documents = jsoncolumns.with_exact_numbers(texts)
        self.connection.execute(f"SET VARIABLE exact = {text(mark)}")
        copy = self._answers / "records.json"
        with copy.open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{document}\n" for document in documents)
        return copy, True

    def _unfollowed(self, table: FileTable, kept: str, records: str, names: dict[str, str]) -> tuple[dict[str, str], tuple[Finding, ...]]:
        """The references that no record follows, each with a suggestion; a finding if the iterator leads to no record."""
        paths = {name: jsonpath.parse(name) for name in names}
        counts = "".join(f', count(*) FILTER ({_is_followed(column, paths[name])})' for name, column in names.items())
        ((rows, *found),) = self.rows(f"SELECT count(*){counts} FROM {kept}")
        if not rows:
            return {}, tuple(table.unfollowed())
        unused = [name for name, count in zip(names, found, strict=True) if not count]
        suggestions = ((name, self._suggestion(records, paths[name])) for name in unused)
        return {name: near for name, near in suggestions if near is not None}, ()

    def _suggestion(self, records: str, steps: tuple[jsonpath.Step, ...]) -> str | None:
        """The key that the first member of a path that no record has is most like; None if the path ends in empty lists only."""
        for number, step in enumerate(steps):
            path = steps[: number + 1]
            found = f"json_type(it, {text(jsonpath.for_engine(path))})"
            there = f"len({found}) > 0" if jsonpath.is_many(path) else f"{found} IS NOT NULL"
            if self.rows(f"SELECT 1 FROM {records} WHERE {there} LIMIT 1"):
                continue
            if not isinstance(step, str):
                return None
            above = text(jsonpath.for_engine(steps[:number]))
            objects = f"unnest(json_extract(it, {above}))" if jsonpath.is_many(steps[:number]) else f"json_extract(it, {above})"
            keys = self.rows(f"SELECT DISTINCT unnest(json_keys(value)) FROM (SELECT {objects} AS value FROM {records}) LIMIT 1000")
            return nearest(step, sorted(key for (key,) in keys))
        return None

    def _define_types(self) -> None:
        """The functions that only sources with types need."""
        if not self._knows_types:
            self._knows_types = True
            for macro in (*jsoncolumns.FUNCTIONS, *databases.FUNCTIONS):
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
        names = numbered(references)
        cells = [_value_and_type(*answer.values.get(name, ("NULL", "NULL")), quote(column)) for name, column in names.items()]
        try:
            kept = self._kept_records(f"SELECT {', '.join(cells) or 'NULL AS nothing'} FROM {answer.reader}", number)
        except duckdb.Error as error:
            raise databases.unreadable(source, str(error)) from None
        finally:
            file.unlink(missing_ok=True)
        return Relation(kept, answer.columns, typed=True, names=names)

    def _json_records(self, table: FileTable, path: Path) -> str:
        """A relation with the records of the file in the column `it`, by its iterator, and whether an object `above` them has a member twice."""
        steps = jsonpath.parse(table.iterator)
        size = max(16_777_216, path.stat().st_size + 1)
        reader = f"read_json_objects({text(str(path))}, maximum_object_size = {size}, format = "
        if table.kind == "jsonl":
            return jsoncolumns.unfolded(reader + "'newline_delimited')", steps)
        if steps and steps[0] is None:
            # The records of a top-level array are read one by one, whatever the size of the file.
            return jsoncolumns.unfolded(reader + "'array')", steps[1:])
        reader += "'unstructured')"
        if self.rows(f"SELECT count(*) FROM {reader}")[0][0] > 1:
            table.read()  # a second document, which JSON has not
        return jsoncolumns.unfolded(reader, steps)

    def failures(self, plan: Plan) -> Iterator[tuple[Check, int, list[tuple[int | None, str]]]]:
        """Each check that some rows fail: how often, and the first of those records with the value."""
        with self.planned_lightly():
            failing = [(select, check, count) for select in plan.selects for check, count in self._failing(select)]
        for select, check, count in failing:
            yield check, count, self._samples(select, check)

    def fails(self, plan: Plan) -> bool:
        """Whether any row fails a check."""
        with self.planned_lightly():
            return any(self._failing(select) for select in plan.selects)

    def _failing(self, select: Select) -> list[tuple[Check, int]]:
        """The checks that some rows fail, and how many."""
        if not select.checks:
            return []
        counts = ", ".join(f"count(*) FILTER ({check.problem})" for check in select.checks)
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
        with self.planned_lightly(), self._encoded_lightly(plan):
            ((count,),) = self.rows(
                f"CREATE TABLE statements AS SELECT s, p, o, g, min(record) AS record, arg_min(rule, record) AS rule "
                f"FROM ({union}) GROUP BY s, p, o, g ORDER BY s, p, o, g"
            )
        if count > _SMALL_STATEMENTS:
            self._use_all_cores()


def _without_end(sql: str) -> str:
    return sql.strip().rstrip(";")


def _is_little(table: RecordTable) -> bool:
    """Whether a table is so small that one core is enough: by its rows, or by the size of its files where they are not read yet."""
    if isinstance(table, RowTable):
        return len(table.rows) < _SMALL_STATEMENTS
    return sum(path.stat().st_size for _, path in table.files if path.is_file()) < _SMALL_FILES


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


def _cell(name: str, header: Sequence[str]) -> str:
    """The column of a scan that holds the cells under a name of its header."""
    return f"h{header.index(name)}" if name in header else "NULL"


def _reader(path: Path, header: Sequence[str], nulls: tuple[str, ...] = ()) -> str:
    """The scan of a file, with numbered columns (h0, h1 …) for those of its header."""
    if path.suffix == ".parquet":
        return f"read_parquet({text(str(path))}, file_row_number = true) AS scan({', '.join(f'h{at}' for at in range(len(header)))})"
    columns = "{" + ", ".join(f"h{at}: 'VARCHAR'" for at in range(len(header))) + "}"
    return (
        f"read_csv({text(str(path))}, columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', nullstr = [{', '.join(text(one) for one in nulls or ('',))}], strict_mode = true, null_padding = false, "
        f"max_line_size = {LONGEST_ROW}, buffer_size = {2 * LONGEST_ROW})"
    )


def _is_followed(column: str, steps: tuple[jsonpath.Step, ...]) -> str:
    """Whether a row of JSON has a value under a reference, be it null."""
    return f'len("{column} type") > 0' if jsonpath.is_many(steps) else f'"{column} type" IS NOT NULL'


_KINDS = {
    "BOOLEAN": "boolean", "DATE": "date", "TIME": "time", "BLOB": "hexBinary", "FLOAT": "double", "DOUBLE": "double",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM"), "integer"),
}  # fmt: skip


def _typed_cell(cell: str, kind: str | None, column: str, *, typed: bool) -> str:
    """A column of a query as its text and, where `typed`, its type, by the natural mapping of SQL values (R2RML, 10)."""
    if kind is None:
        return _value_and_type("NULL", "NULL", column) if typed else f"CAST(NULL AS VARCHAR) AS {column}"
    if not typed:
        return f"{cell} AS {column}"
    plain = f"CAST({cell} AS VARCHAR)"
    natural = _KINDS.get(kind)
    if kind.startswith("DECIMAL"):
        return _value_and_type(f"decimal_text({plain})", "'decimal'", column)
    if kind.startswith("TIMESTAMP"):
        return _value_and_type(f"zoned(replace({plain}, ' ', 'T'))", "'dateTime'", column)
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return _value_and_type(plain, "'array'", column)
    if natural == "double":
        return _value_and_type(f"double_text({plain})", "'double'", column)
    if natural == "hexBinary":
        return _value_and_type(f"hex({cell})", "'hexBinary'", column)
    return _value_and_type(plain, f"'{natural or 'string'}'", column)


def _value_and_type(value: str, kind: str, column: str) -> str:
    name = column.strip('"')
    return f'CAST({value} AS VARCHAR) AS "{name}", CASE WHEN {value} IS NOT NULL THEN {kind} END AS "{name} type"'


def _csv_finding(name: str, error: duckdb.Error) -> Finding:
    """The engine's own words for a file that it cannot read; it names the line in them."""
    line = re.search(r"Line: ([0-9]+)", str(error))
    if re.search("maximum line size|max_line_size", str(error), re.IGNORECASE):
        return too_long(name, int(line[1]) if line else 0)
    said = [part for part in str(error).split("\n") if part.strip() and "Error on Line" not in part]
    detail = said[0] if said else _first_line(error)
    return Finding("LP102", Origin(name, int(line[1]) if line else 0), {"format": "CSV", "detail": detail})


def _parquet_finding(path: Path, name: str, error: duckdb.Error) -> Finding:
    return Finding("LP102", Origin(name), {"format": "Parquet", "detail": _first_line(error).replace(str(path), name)})


def _sql_finding(source: LogicalSource, error: duckdb.Error) -> Finding:
    return Finding("LP604", source.origin, {"detail": _first_line(error)})


def _first_line(error: BaseException) -> str:
    return str(error).split("\n")[0]
