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


def with_any_value(table: str, columns: Sequence[str]) -> str:
    """The rows in which one of these columns has a value."""
    return f"(SELECT * FROM {table} WHERE coalesce({', '.join(map(quoted, columns))}) IS NOT NULL)"


def with_parts(table: str, column: str, separator: str) -> str:
    """A row, with the column `part`, for each of the values that are in one text."""
    parts = f"trim(unnest(string_split({quoted(column)}, '{separator}')))"
    return f"(SELECT *, {parts} AS part FROM {table})"


def with_owner(table: str, owner: str, columns: Sequence[str]) -> str:
    """The rows of a list with columns of what has the list, as `of_COLUMN`; `owner` is a table, or a
    query in parentheses.
    """
    named = ", ".join(
        f"o.{quoted(name)} AS {quoted(f'of_{name}')}" for name in dict.fromkeys(columns)
    )
    return f"(SELECT i.*, {named} FROM {table} i JOIN {owner} o ON i._parent = o._record)"


def at_position(rows: str, place: int) -> str:
    """The items at one place of their lists."""
    return f"(SELECT * FROM {rows} WHERE CAST(_position AS INTEGER) = {place})"


def date_type(column: str) -> str:
    """`COLUMN_type`, the local name of the XML Schema datatype of a day, month or year."""
    named = quoted(f"{column}_type")
    return f"CASE length({quoted(column)}) WHEN 10 THEN 'date' WHEN 7 THEN 'gYearMonth' ELSE 'gYear' END AS {named}"


def without_prefix(column: str, prefix: str) -> str:
    """`COLUMN_local`, the value without its prefix."""
    text = prefix.replace("'", "''")
    return f"replace({quoted(column)}, '{text}', '') AS {quoted(f'{column}_local')}"


def without_value(column: str, value: str) -> str:
    """`COLUMN_value`, the value where it is not this one."""
    text = value.replace("'", "''")
    return f"nullif({quoted(column)}, '{text}') AS {quoted(f'{column}_value')}"


def links_of(column: str) -> str:
    """`COLUMN_link`, the value where it is a web address."""
    named = quoted(f"{column}_link")
    value = quoted(column)
    return f"CASE WHEN regexp_full_match({value}, '{_ADDRESS}') THEN {value} END AS {named}"


_ADDRESS = r"""(?i)https?://[^\s<>"{}|\\^`#]+(#[^\s<>"{}|\\^`#]*)?"""
