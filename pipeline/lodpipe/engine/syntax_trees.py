"""Syntax trees of SQL as the engine gives them (json_serialize_sql)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def maps_in(tree: object) -> Iterator[dict[str, Any]]:
    """All maps in a tree, the outer ones first."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from maps_in(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from maps_in(value)


def columns_read(tree: object) -> frozenset[str] | None:
    """The names of all columns that a query may read, in small letters; None where it may read any.

    SELECT t.name, count(*) FROM towns t WHERE size > 1 ORDER BY ALL    → t, name, size
    SELECT * FROM towns; SELECT t FROM towns t; … NATURAL JOIN …        → None
    """
    names: set[str] = set()
    relations: set[str] = set()
    last: set[str] = set()
    by_result = {id(order["expression"]) for order in _orders(tree) if _is_all(order["expression"])}
    for item in maps_in(tree):
        kind = item.get("class", item.get("type"))
        if (kind in _ANY_COLUMN and id(item) not in by_result) or item.get("ref_type") == "NATURAL":
            return None
        if kind == "BASE_TABLE" and item.get("column_name_alias"):
            return None  # FROM towns AS t(a, b): its columns by other names
        if kind == "COLUMN_REF":
            names.update(name.lower() for name in item["column_names"])
            last.add(item["column_names"][-1].lower())
        elif "class" not in item:
            relations |= {
                str(item[key]).lower() for key in ("alias", "table_name") if item.get(key)
            }
        names.update(name.lower() for name in item.get("using_columns") or ())
    # The name of a relation as a value is its whole row.
    return None if last & relations else frozenset(names)


_ANY_COLUMN = ("STAR", "POSITIONAL_REFERENCE", "SHOW_REF", "PIVOT")


def _orders(tree: object) -> Iterator[dict[str, Any]]:
    for item in maps_in(tree):
        if item.get("type") == "ORDER_MODIFIER":
            yield from item["orders"]


def _is_all(expression: dict[str, Any]) -> bool:
    """Whether an expression is that of ORDER BY ALL, which is all columns of the result."""
    return expression.get("class") == "STAR" and not (
        expression["expr"] or expression["relation_name"]
    )
