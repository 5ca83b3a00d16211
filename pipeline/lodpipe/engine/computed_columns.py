"""Which columns a query of the mapping computes another one from, so that a finding about it names
the field that people write.

    SELECT c._record, replace(c.website, 'http:', 'https:') AS page FROM cafes AS c

`page` comes from `website`. Queries are parsed by the engine, and only where a finding asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import _duckdb as duckdb

from lodpipe.engine.sql_session import Session
from lodpipe.engine.syntax_trees import maps_in


class ComputedColumns:
    """The columns of the queries of a mapping, by the names that the queries give them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._queries: list[str] = []
        self._sources: dict[str, set[str]] | None = None

    def add(self, sql: str) -> None:
        """A query of the mapping."""
        self._queries.append(sql)
        self._sources = None

    def field_of(self, column: str, fields: Collection[str]) -> str | None:
        """The only one of some fields that a column is computed from; None where there is none, or
        several.
        """
        if self._sources is None:
            self._sources = {}
            for sql in self._queries:
                computed = self._session.cached_for(
                    f"computed by {sql}", None, partial(self._computed, sql)
                )
                for name, used in computed:
                    self._sources.setdefault(name, set()).update(used)
        reached, waiting = {column}, [column]
        while waiting:
            for source in self._sources.get(waiting.pop(), ()):
                if source not in reached:
                    reached.add(source)
                    waiting.append(source)
        among = [field for field in fields if field in reached]
        return among[0] if len(among) == 1 else None

    def _computed(self, sql: str) -> list[tuple[str, set[str]]]:
        return list(_computed(self._tree(sql)))

    def _tree(self, sql: str) -> Any:
        """The syntax tree of a query, None for what the engine does not parse."""
        try:
            ((tree,),) = self._session.rows("SELECT json_serialize_sql(CAST(? AS VARCHAR))", [sql])
        except duckdb.Error:
            return None
        return json.loads(tree)


def _computed(tree: Any) -> Iterator[tuple[str, set[str]]]:
    """The named columns of each SELECT in a tree, with the columns that they are computed from."""
    for node in maps_in(tree):
        for item in node.get("select_list") or ():
            if item.get("alias"):
                yield item["alias"], set(_columns(item))


def _columns(tree: Any) -> Iterator[str]:
    for node in maps_in(tree):
        if node.get("column_names"):
            yield node["column_names"][-1]
