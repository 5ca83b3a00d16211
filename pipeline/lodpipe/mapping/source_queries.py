"""Queries that a proposed mapping asks of the record tables, where their columns do not do."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(column: str) -> str:
    """A name of a column in SQL."""
    return f'"{column.replace(chr(34), 2 * chr(34))}"'


def select(columns: Sequence[str], rows: str) -> str:
    """These columns of rows: a table, or a query in parentheses."""
    return f"SELECT {', '.join(columns)} FROM {rows}"


def with_value(table: str, column: str) -> str:
    """The rows in which a column has a value."""
    return f"(SELECT * FROM {table} WHERE {quoted(column)} IS NOT NULL)"


def with_parts(table: str, column: str, separator: str) -> str:
    """A row, with the column `part`, for each of the values that are in one text."""
    parts = f"trim(unnest(string_split({quoted(column)}, '{separator}')))"
    return f"(SELECT *, {parts} AS part FROM {table})"


def date_type(column: str) -> str:
    """`COLUMN_type`, the local name of the XML Schema datatype of a day, month or year."""
    named = quoted(f"{column}_type")
    return f"CASE length({quoted(column)}) WHEN 10 THEN 'date' WHEN 7 THEN 'gYearMonth' ELSE 'gYear' END AS {named}"


def without_prefix(column: str, prefix: str) -> str:
    """`COLUMN_local`, the value without its prefix."""
    text = prefix.replace("'", "''")
    return f"replace({quoted(column)}, '{text}', '') AS {quoted(f'{column}_local')}"
