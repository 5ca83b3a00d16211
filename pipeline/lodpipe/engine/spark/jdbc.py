"""Queries on PostgreSQL as data frames: Spark's JDBC reader gives each task a range of a key.

    SELECT "c0", "c1" FROM (SELECT CAST("id" AS text) AS c0, …, "id" AS key FROM (…) AS answer) AS texts
    WHERE key >= CAST('334' AS bigint) AND key < CAST('667' AS bigint)

PostgreSQL itself makes the texts of values, so they are those of one machine, and DuckDB makes values
and types of them by the same SQL (engine/databases.py). All tasks see the state of the data that the
driver's connection has. Rows are stored before the plan runs, so a query is run once.

The driver reads queries of few rows itself, and what JDBC cannot send, with a note (LP615).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Severity
from lodpipe.engine.databases import (
    LONGEST_ROW,
    Described,
    PostgreSQL,
    describe,
    query_errors,
    unreachable,
)
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.postgresql_ranges import (
    KEY,
    copied_text,
    estimate,
    jdbc_options,
    key_of,
    ranges,
)
from lodpipe.engine.spark.faults import is_of_spark, text_of, unavailable
from lodpipe.engine.spark.kernel import Batches, Note, Rows, has_rows
from lodpipe.engine.typed_columns import value_and_type
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import numbered, quote
from lodpipe.sources.record_tables import first_record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_DRIVER = "org.postgresql.Driver"
_CONNECTIONS_KEY = "spark.lodpipe.databaseConnections"
_CONNECTIONS = "16"  # at most so many ranges, and connections at the same time
_FEW_ROWS = 50_000  # the driver reads so many sooner than Spark
_ROWS_OF_A_RANGE = 200_000
_FETCHED = "2000"  # rows that JDBC has in memory
_SQL_ERROR = re.compile(
    r"PSQLException: (?!FATAL|PANIC)[^\W\d_]+: (.*(?:\n +(?:Detail|Hint): .*)*)"
)
_OTHER_ERROR = re.compile(r"(?:PSQLException|SQLException): (.*)")


class JdbcQuery(Struct, frozen=True):
    """A query that Spark reads: as texts under c0, c1, …, in ranges whose conditions are `ranges`."""

    source: LogicalSource
    name: str
    described: Described
    sql: str
    ranges: tuple[str, ...]
    options: dict[str, str]

    def rows(self, spark: SparkSession, number: int, *, in_order: bool = False) -> DataFrame:
        """The rows with the numbers of records of table `number`: in ranges, or all in the order of
        the answer.
        """
        from pyspark.sql import functions as f

        options, address = dict(self.options), self.options["url"]
        del options["url"]
        if self.ranges and not in_order:
            data = spark.read.jdbc(
                address, self.sql, predicates=list(self.ranges), properties=options
            )
        else:
            data = spark.read.jdbc(address, self.sql, properties=options)
        record = f.monotonically_increasing_id() + first_record(number)
        cells = [f.col(f"c{place}") for place in range(len(self.described.fetched))]
        return data.select(record.alias("_record"), *cells)

    def loader(self, name: str, references: tuple[str, ...]) -> TypedTexts:
        """What makes the relation `name` of the rows."""
        cells = [
            value_and_type(*self.described.values.get(reference, ("NULL", "NULL")), column)
            for reference, column in numbered(references).items()
        ]
        return TypedTexts(name, self.source, self.described, tuple(cells))

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Raises what the database reports inside as findings: InvalidDeclaration (LP604) for an error
        in the query, SourceError (LP106) where a task cannot reach the server.
        """
        try:
            yield
        except Exception as error:
            message = _with_causes(error) if is_of_spark(error) else ""
            if match := _SQL_ERROR.search(message):
                raise self._wrong(_sentences(match[1])) from None
            if re.search(
                "invalid byte sequence|Illegal UTF-8|invalid UTF-8", message, re.IGNORECASE
            ):
                raise self._wrong("a text is not UTF-8") from None
            if match := _OTHER_ERROR.search(message):
                raise unreachable(self.source, self.name, f"a task of Spark: {match[1]}") from None
            raise

    def _wrong(self, detail: str) -> InvalidDeclaration:
        return InvalidDeclaration([Finding("LP604", self.source.origin, {"detail": detail})])


class TypedTexts(Struct, frozen=True):
    """Loads texts of a database as values with types (`value_and_type`)."""

    name: str
    source: LogicalSource
    described: Described
    cells: tuple[str, ...]

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Creates a view over a table of the texts; reports rows that one machine does not read."""
        texts = quote(f"texts of {self.name[1:-1]}")
        Rows(texts).load(engine, batches, folder)
        if not has_rows(engine, texts):
            return []
        engine.relations.define_typed_functions()
        sizes = [f"coalesce(strlen(c{place}), 0)" for place in range(len(self.described.fetched))]
        longest = f"SELECT max({' + '.join(sizes) or '0'}) > {LONGEST_ROW} FROM {texts}"
        if engine.session.rows(longest) == [(True,)]:
            words = {"detail": "a row of the query's answer", "limit": f"{LONGEST_ROW:,} bytes"}
            return [Note((Finding("LP104", self.source.origin, words),))]
        listed = ", ".join(self.cells) or "NULL AS nothing"
        rows = self.described.over(texts)
        engine.session.rows(f"CREATE VIEW {self.name} AS SELECT _record, {listed} FROM {rows}")
        return []


def jdbc_query(
    spark: SparkSession, database: PostgreSQL, source: LogicalSource, references: tuple[str, ...]
) -> JdbcQuery | Finding | None:
    """A query for Spark, or why the driver reads it: a note (LP615); None where it has few rows.

    Raises InvalidDeclaration (LP604) as `describe` does.
    """
    described = describe(database, source, references)
    with query_errors(source):
        estimated = estimate(database, source.text)
        if estimated.rows < _FEW_ROWS:
            return None
        options = jdbc_options(database)
        if detail := _obstacle(spark, source, options):
            return Finding("LP615", source.origin, {"detail": detail}, Severity.INFO)
        assert options is not None
        key = key_of(database, source.text) if estimated.is_divisible else None
        number = min(_connections(spark), estimated.rows // _ROWS_OF_A_RANGE)
        divided = ranges(database, key, number) if key and number > 1 else []
        options["sessionInitStatement"] = database.settings_of_state()
    options["fetchsize"] = _FETCHED
    cells = [f"{copied_text(column)} AS c{place}" for place, column in enumerate(described.fetched)]
    if divided and key:
        cells.append(f"{quote(key.name)} AS {KEY}")
    sql = f"(SELECT {', '.join(cells) or '1 AS nothing'} FROM ({source.text}\n) AS answer) AS texts"
    return JdbcQuery(source, database.name, described, sql, tuple(divided), options)


def _obstacle(spark: SparkSession, source: LogicalSource, options: dict[str, str] | None) -> str:
    """Why Spark cannot read a query; empty where it can."""
    if options is None:
        return "the address of the database is a socket of this machine"
    if "?" in source.text:
        return "a query with `?` cannot be sent by JDBC"
    return "" if _has_driver(spark) else f"Spark has no JDBC driver for PostgreSQL ({_DRIVER})"


def _has_driver(spark: SparkSession) -> bool:
    """Whether the driver's Java has the class; executors get the jars of the driver."""
    java: Any = spark.sparkContext._jvm
    loader = java.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        loader.loadClass(_DRIVER)
    except Exception as error:
        if not is_of_spark(error):
            raise
        return False
    return True


def _connections(spark: SparkSession) -> int:
    """How many ranges are read at the same time. Raises InvalidDeclaration (LP613)."""
    given = str(spark.sparkContext.getConf().get(_CONNECTIONS_KEY, _CONNECTIONS))
    if not re.fullmatch("[1-9][0-9]{0,4}", given):
        detail = f"{_CONNECTIONS_KEY} is `{given}`, which is no number of connections"
        raise unavailable("Spark", detail)
    return int(given)


def _with_causes(error: Exception) -> str:
    """The message of an error of Spark, and the trace of Java, in which its causes are."""
    return f"{text_of(error)}\n{getattr(error, '_stackTrace', '')}"


def _sentences(message: str) -> str:
    """The words of the server as the driver's own client gives them.

    >>> _sentences("bad key\\n  Detail: It is 7.\\n  Hint: Use 8.")
    'bad key. It is 7. Use 8'
    """
    lines = (re.sub(r"^ *(?:Detail|Hint): ", "", line) for line in message.split("\n"))
    return ". ".join(line.strip().rstrip(".") for line in lines)
