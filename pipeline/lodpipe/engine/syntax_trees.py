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
