"""How several readers share a query on PostgreSQL: each has a range of a key, all see one state of the data.

A key is a column of a table with numbers, dates or times and an index that begins with it. The
query `SELECT * FROM visits` with the primary key `id` in three ranges:

    key < CAST('334' AS bigint) OR key IS NULL
    key >= CAST('334' AS bigint) AND key < CAST('667' AS bigint)
    key >= CAST('667' AS bigint)

Only a query of scans and joins is divided: with LIMIT, window functions, groups or a sample, each
range would be one of another answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from lodpipe.engine.databases import Column, PostgreSQL
from lodpipe.mapping.planning.plan import quote, text

KEY = "key"  # the name of the key beside the columns that are read
_NUMBERS = {20: "bigint", 21: "smallint", 23: "integer", 1700: "numeric"}
_MOMENTS = {1082: "date", 1114: "timestamp", 1184: "timestamp with time zone"}
_DIVISIBLE = {  # steps of a plan that give each row by itself
    "Append", "Bitmap Heap Scan", "Bitmap Index Scan", "BitmapAnd", "BitmapOr", "Gather", "Gather Merge", "Hash",
    "Hash Join", "Incremental Sort", "Index Only Scan", "Index Scan", "Materialize", "Memoize", "Merge Append",
    "Merge Join", "Nested Loop", "ProjectSet", "Result", "Seq Scan", "Sort", "Subquery Scan",
}  # fmt: skip
_SAFE_OPTIONS = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "options",
)  # alike in libpq and JDBC


class Estimate(Struct, frozen=True):
    """How many rows PostgreSQL expects of a query, and whether the query can be divided."""

    rows: int
    is_divisible: bool


class Key(Struct, frozen=True):
    """A column of a query by its name there, and the column of a table that it comes from."""

    name: str
    kind: int
    table: str
    column: str

    @property
    def type_name(self) -> str:
        """Its type as SQL."""
        return _NUMBERS.get(self.kind) or _MOMENTS[self.kind]


def estimate(database: PostgreSQL, query: str) -> Estimate:
    """What the plan of a query says. Raises QueryError."""
    ((answer,),) = database.rows(f"EXPLAIN (FORMAT JSON) SELECT * FROM ({query}\n) AS answer")
    plan = answer[0]["Plan"]
    nodes = {node["Node Type"] for node in _nodes(plan)}
    return Estimate(int(plan["Plan Rows"]), nodes <= _DIVISIBLE)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def key_of(database: PostgreSQL, query: str) -> Key | None:
    """The best column of a query to divide it by: a primary key, else a unique one, else any index.
    None without one. Raises QueryError.
    """
    candidates = {
        (table, column): (name, kind)
        for name, kind, table, column in database.sources_of_columns(query)
        if kind in _NUMBERS or kind in _MOMENTS
    }
    if not candidates:
        return None
    listed = ", ".join(f"({table}, {column})" for table, column in candidates)
    rows = database.rows(
        "SELECT i.indrelid::int8, i.indkey[0]::int8, i.indrelid::regclass::text, a.attname::text FROM pg_index AS i "
        "JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam "
        "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        f"WHERE (i.indrelid::int8, i.indkey[0]::int8) IN ({listed}) AND i.indisvalid AND i.indpred IS NULL "
        "AND m.amname = 'btree' ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indrelid, i.indkey[0] LIMIT 1"
    )
    for table, column, table_name, column_name in rows:
        return Key(*candidates[table, column], table_name, column_name)
    return None


def ranges(database: PostgreSQL, key: Key, number: int) -> list[str]:
    """Conditions on the column KEY for at most so many ranges, about equally wide; every row meets one
    of them. Raises QueryError.
    """
    cell = quote(key.column)
    if key.kind in _NUMBERS:
        where = f"{cell} < 'NaN'" if key.type_name == "numeric" else "true"
        begin, end = "low::numeric", "high::numeric"
        make = "trunc({})"
    else:
        where = f"isfinite({cell})"
        begin, end = (f"extract(epoch FROM {side})::float8" for side in ("low", "high"))
        make = "to_timestamp({})"
    bound = make.format(f"{begin} + ({end} - {begin}) * part / {number}")
    rows = database.rows(
        f"SELECT CAST(CAST({bound} AS {key.type_name}) AS text) FROM "
        f"(SELECT min({cell}) AS low, max({cell}) AS high FROM {key.table} WHERE {where}) AS ends, "
        f"generate_series(1, {number - 1}) AS part WHERE low IS NOT NULL ORDER BY part"
    )
    bounds = list(dict.fromkeys(row[0] for row in rows))
    return conditions(KEY, [f"CAST({text(bound)} AS {key.type_name})" for bound in bounds])


def conditions(key: str, bounds: Sequence[str]) -> list[str]:
    """The conditions of the ranges between bounds; rows without a key are in the first.

    >>> conditions("k", ["3", "6"])
    ['k < 3 OR k IS NULL', 'k >= 3 AND k < 6', 'k >= 6']
    """
    if not bounds:
        return []
    first, last = f"{key} < {bounds[0]} OR {key} IS NULL", f"{key} >= {bounds[-1]}"
    between = [f"{key} >= {low} AND {key} < {high}" for low, high in pairwise(bounds)]
    return [first, *between, last]


def copied_text(column: Column) -> str:
    """SQL for the text that COPY writes of a value, NULL for NULL. CAST gives another one for
    booleans and texts of a fixed length.
    """
    name = quote(column.name)
    if column.kind in ("string", "boolean"):
        return f"CASE WHEN num_nonnulls({name}) = 1 THEN format('%s', {name}) END"
    return f"CAST({name} AS text)"


def jdbc_options(database: PostgreSQL) -> dict[str, str] | None:
    """The address of the server and how to log in, as properties of JDBC; None where only this
    machine reaches it, by a socket in a folder.
    """
    info = database.connection.info
    host = info.host or info.hostaddr
    if not host or host.startswith(("/", "@")):
        return None
    from urllib.parse import quote as percent_encoded

    host = f"[{host}]" if ":" in host else host
    given = info.get_parameters()
    options = {name: given[name] for name in _SAFE_OPTIONS if name in given}
    return options | {
        "url": f"jdbc:postgresql://{host}:{info.port}/{percent_encoded(info.dbname, safe='')}",
        "driver": "org.postgresql.Driver",
        "user": info.user,
        "password": info.password or "",
        "ApplicationName": "lodpipe",
        "connectTimeout": "10",
    }
