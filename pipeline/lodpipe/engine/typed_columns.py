"""Columns of a SQL table as texts with types, by the natural mapping of SQL values (R2RML, 10).

Where any column of a relation has a type, each becomes two. A column `population` of type BIGINT
that is referred to as c0:

    CAST(CAST("population" AS VARCHAR) AS VARCHAR) AS "c0",
    CASE WHEN CAST("population" AS VARCHAR) IS NOT NULL THEN 'integer' END AS "c0 type"
"""

from __future__ import annotations

from collections.abc import Iterable

from lodpipe.mapping.planning.plan import text

# The types of DuckDB and what the plan calls them.
_KINDS = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "BLOB": "hexBinary",
    "FLOAT": "double",
    "DOUBLE": "double",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(
        ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM"), "integer"
    ),
}


def without_nulls(value: str, nulls: Iterable[str]) -> str:
    """A text that is NULL where it is one of `nulls`.

    >>> print(without_nulls("c0", ["", "n/a"]))
    nullif(nullif(c0, ''), 'n/a')
    """
    for null in nulls:
        value = f"nullif({value}, {text(null)})"
    return value


def value_and_type(value: str, kind: str, column: str) -> str:
    """The two columns of a value: its text, and its type where there is a value."""
    return (
        f'CAST({value} AS VARCHAR) AS "{column}", '
        f'CASE WHEN {value} IS NOT NULL THEN {kind} END AS "{column} type"'
    )


def typed_column(cell: str, sql_type: str | None, column: str) -> str:
    """The two columns of a cell of a SQL type; of nothing where there is no such cell (None)."""
    if sql_type is None:
        return value_and_type("NULL", "NULL", column)
    plain = f"CAST({cell} AS VARCHAR)"
    kind = _KINDS.get(sql_type)
    if sql_type.startswith("DECIMAL"):
        return value_and_type(f"decimal_text({plain})", "'decimal'", column)
    if sql_type.startswith("TIMESTAMP"):
        return value_and_type(f"zoned(replace({plain}, ' ', 'T'))", "'dateTime'", column)
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION")):
        return value_and_type(plain, "'array'", column)
    if kind == "double":
        return value_and_type(f"double_text({plain})", "'double'", column)
    if kind == "hexBinary":
        return value_and_type(f"hex({cell})", "'hexBinary'", column)
    return value_and_type(plain, f"'{kind or 'string'}'", column)


def list_column(cell: str, sql_type: str, column: str) -> str:
    """The two columns of a cell with a list: the texts of its values, and their types."""
    item = typed_column("item", sql_type.removesuffix("[]"), "")
    value, _, kind = item.partition(' AS "", ')
    kind = kind.removesuffix(' AS " type"')
    return (
        f'list_transform({cell}, lambda item: {value}) AS "{column}", '
        f'list_transform({cell}, lambda item: {kind}) AS "{column} type"'
    )


def text_column(cell: str, sql_type: str | None, column: str) -> str:
    """The column of a cell of a table in which all cells are texts."""
    return f'{cell} AS "{column}"' if sql_type else f'CAST(NULL AS VARCHAR) AS "{column}"'
