"""Runs a plan on DuckDB: loads record tables, answers what columns a source has, makes the statement table.

Nothing else knows which engine it is; the plan's SQL would run elsewhere once the four functions below exist there.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from pipeline.datatypes import IRI
from pipeline.errors import Finding, InvalidDeclaration, Origin
from pipeline.mapping.model import LogicalSource
from pipeline.plan import Check, Plan, Relation, Select, quote, text
from pipeline.sources import RecordTable, RowTable, ScanTable, ragged_rows
from pipeline.sources.tables import first_record

# The code points of RFC 3987's ucschar, which templates leave as they are.
_UCSCHAR = (
    "unicode(c) BETWEEN 160 AND 55295 OR unicode(c) BETWEEN 63744 AND 64975 OR unicode(c) BETWEEN 65008 AND 65519 "
    "OR (unicode(c) BETWEEN 65536 AND 983037 AND unicode(c) % 65536 < 65534 AND unicode(c) // 4096 <> 224)"
)
FUNCTIONS = (
    # IRI-safe: everything but iunreserved is percent-encoded (RML-Core; RFC 3987, 2.2). The test comes first: most keys are safe.
    f"""CREATE MACRO iri_safe(x) AS CASE WHEN regexp_matches(x, '[^-._~A-Za-z0-9]') THEN list_aggregate(list_transform(
        string_split(x, ''), lambda c: CASE WHEN {_UCSCHAR} THEN c ELSE url_encode(c) END), 'string_agg', '') ELSE x END""",
    # A literal in quotes with the canonical escapes of N-Triples (RDF 1.1 N-Triples, 4; RDFC-1.0, A): those of JSON, and DEL.
    r"""CREATE MACRO nt_quote(x) AS replace(CAST(to_json(x) AS VARCHAR), chr(127), '\u007F')""",
    f"""CREATE MACRO is_iri(x) AS regexp_matches(x, {text(IRI)})""",
    """CREATE MACRO is_day(x) AS try_cast(regexp_extract(x, '^-?[0-9]+-[0-9]{2}-[0-9]{2}') AS DATE) IS NOT NULL""",
)
STATEMENT_COLUMNS = {"s": "VARCHAR", "p": "VARCHAR", "o": "VARCHAR", "g": "VARCHAR", "record": "BIGINT", "rule": "INTEGER"}


class Engine:
    """One DuckDB connection with the record tables of a project; a context manager that removes its spill files."""

    def __init__(self, memory: str = "4GB", threads: int | None = None) -> None:
        self.spill = Path(tempfile.mkdtemp(prefix="lodpipe-"))
        config: dict[str, Any] = {
            "temp_directory": str(self.spill),
            "memory_limit": memory,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
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
        """Ends the connection and removes what it spilled."""
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: Sequence[object] = (), size: int = 20_000) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, without holding them all."""
        cursor = self.connection.cursor().execute(sql, parameters)
        while batch := cursor.fetchmany(size):
            yield from batch

    # -- record tables -------------------------------------------------------------------------------------------

    def load(self, tables: Iterable[RecordTable], writable: Path | None = None) -> list[Finding]:
        """Brings record tables in, then closes the door: queries of a mapping can open no file. Gives what could not be read.

        `writable` is the one folder that stays open, for dumps that the engine writes itself.
        """
        findings: list[Finding] = []
        for table in tables:
            if isinstance(table, RowTable):
                self._load_rows(table)
            else:
                findings += self._load_scan(table)
        if writable is not None:
            self.connection.execute(f"SET allowed_directories = [{text(str(writable))}]")
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
            present = table.headers.get(name) or self._parquet_columns(path)
            cells = "".join(f", CAST({quote(one.name) if one.name in present else 'NULL'} AS VARCHAR)" for one in table.columns)
            row = "file_row_number" if path.suffix == ".parquet" else "row_number() OVER () - 1"
            scan = f"SELECT {first_record(table.number, number)} + {row}{cells} FROM {_reader(path, present)}"  # noqa: S608
            try:
                ((count,),) = self.connection.execute(f"INSERT INTO {quote(table.name)} {scan}").fetchall()
                self.row_count += count
            except duckdb.Error as error:
                findings += ragged_rows(path, name, len(present)) or [_csv_finding(name, error)]
        return findings

    def _parquet_columns(self, path: Path) -> list[str]:
        return [row[0] for row in self.rows(f"DESCRIBE SELECT * FROM read_parquet({text(str(path))})")]  # noqa: S608

    def add_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """A table of texts that queries of the mapping can use."""
        self._create(name, dict.fromkeys(columns, "VARCHAR"), rows)

    # -- plans ---------------------------------------------------------------------------------------------------

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs each query into a table, in their order, so that none is computed twice; gives those whose SQL is wrong (LP604)."""
        findings = []
        for number, source in enumerate(sources):
            if source.kind == "query" and source not in self._tables:
                name = self._tables[source] = source.name or f"query {number}"
                try:
                    self.connection.execute(f"CREATE TABLE {quote(name)} AS {source.text.strip().rstrip(';')}")
                except duckdb.Error as error:
                    findings.append(_sql_finding(source, error))
        return findings

    @contextlib.contextmanager
    def _planned_lightly(self) -> Iterator[None]:
        """For small data the optimizer costs more than it saves: our own queries are plain scans of tables made before."""
        small = self.row_count < 20_000
        if small:
            self.connection.execute("PRAGMA disable_optimizer")
        try:
            yield
        finally:
            if small:
                self.connection.execute("PRAGMA enable_optimizer")

    def relate(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A logical source as a relation. Raises InvalidDeclaration (LP604) where there is no such table."""
        if source not in self._described:
            relation = quote(self._tables.get(source, source.text))
            try:
                columns = tuple(row[0] for row in self.rows(f"DESCRIBE SELECT * FROM {relation}"))  # noqa: S608
            except duckdb.Error as error:
                raise InvalidDeclaration([_sql_finding(source, error)]) from None
            self._described[source] = Relation(relation, columns, "_record" in columns)
        return self._described[source]

    def failures(self, plan: Plan) -> Iterator[tuple[Check, int, list[tuple[int | None, str]]]]:
        """Each check that some rows fail: how often, and the first of those records with the value."""
        for select in plan.selects:
            if not select.checks:
                continue
            counts = ", ".join(f"count(*) FILTER ({check.problem})" for check in select.checks)
            with self._planned_lightly():
                (row,) = self.rows(f"SELECT {counts} FROM {select.source}")  # noqa: S608
            for check, count in zip(select.checks, row, strict=True):
                if count:
                    yield check, count, self._samples(select, check)

    def _samples(self, select: Select, check: Check) -> list[tuple[int | None, str]]:
        """The first ten records that fail a check, in the order of their numbers."""
        has_record = "_record" in {row[0] for row in self.rows(f"DESCRIBE SELECT * FROM {select.source}")}  # noqa: S608
        record = "_record" if has_record else "CAST(NULL AS BIGINT)"
        sql = f"SELECT DISTINCT {record} AS record, {check.value} FROM {select.source} WHERE {check.problem} ORDER BY ALL LIMIT 10"  # noqa: S608
        return self.rows(sql)

    def make_statements(self, plan: Plan, declared: Sequence[Sequence[object]]) -> None:
        """Runs the plan into the table `statements`: sorted by s, p, o, g, without doubles, each with its first record.

        `declared` are statements that come from no record (the ontology), as rows of the same columns.
        """
        self._create("declared", STATEMENT_COLUMNS, declared)
        union = "\nUNION ALL\n".join([select.sql for select in plan.selects] + ["SELECT * FROM declared"])
        with self._planned_lightly():
            self.connection.execute(
                f"CREATE TABLE statements AS SELECT s, p, o, g, min(record) AS record, arg_min(rule, record) AS rule "  # noqa: S608
                f"FROM ({union}) GROUP BY s, p, o, g ORDER BY s, p, o, g"
            )


def _reader(path: Path, header: list[str]) -> str:
    if path.suffix == ".parquet":
        return f"read_parquet({text(str(path))}, file_row_number = true)"
    columns = "{" + ", ".join(f"{text(name)}: 'VARCHAR'" for name in header) + "}"
    return (
        f"read_csv({text(str(path))}, columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', strict_mode = true, null_padding = false, max_line_size = 16777216)"
    )


def _csv_finding(name: str, error: duckdb.Error) -> Finding:
    return Finding("LP102", Origin(name), {"format": "CSV", "detail": _first_line(error)})


def _sql_finding(source: LogicalSource, error: duckdb.Error) -> Finding:
    return Finding("LP604", source.origin, {"detail": _first_line(error)})


def _first_line(error: BaseException) -> str:
    return str(error).split("\n")[0]
