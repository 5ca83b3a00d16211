"""Property paths as SQL: the value nodes of many focus nodes at once, step by step from the focus
nodes onwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lodpipe.mapping.planning.plan import text
from lodpipe.shacl.shapes_graph import Path

Store = Callable[[str], str]
"""Runs a SELECT into a table of its own and gives that table's name."""


def plain(path: Path) -> tuple[str, bool] | None:
    """The predicate of a path of one step, and whether it is followed against its direction."""
    if path.kind == "predicate":
        return path.iri, False
    if path.kind == "inverse" and path.parts[0].kind == "predicate":
        return path.parts[0].iri, True
    return None


_CLOSURES = ("zeroOrMore", "oneOrMore")


def _has_closure(path: Path) -> bool:
    return path.kind in _CLOSURES or any(_has_closure(part) for part in path.parts)


def _simple(path: Path) -> Path:
    """A closure of a closure as one: (p*)*, (p+)* and (p*)+ reach the same as p*, and (p+)+ the
    same as p+.
    """
    while path.kind in _CLOSURES and path.parts[0].kind in _CLOSURES:
        inner = path.parts[0]
        kind = "oneOrMore" if path.kind == inner.kind == "oneOrMore" else "zeroOrMore"
        path = Path(kind, parts=inner.parts)
    return path


@dataclass
class Walker:
    """Follows paths over a table of statements (s, p, o).

    Closures (sh:zeroOrMorePath, sh:oneOrMorePath) are recursive queries, which look only at what
    the round before found. Only where a closure is repeated as a part of another path, as in
    (p/q*)*, is each round a query of its own.
    """

    store: Store
    count: Callable[[str], int]
    triples: str = "triples"

    def follow(self, path: Path, start: str, *, backwards: bool = False) -> str:
        """A SELECT (focus, value), without doubles: the nodes at the end of the path from the
        values of `start` (a SELECT of the same columns).
        """
        if path.kind == "inverse":
            return self.follow(path.parts[0], start, backwards=not backwards)
        if path.kind == "predicate":
            near, far = ("o", "s") if backwards else ("s", "o")
            followed = f"(SELECT s, o FROM {self.triples} WHERE p = {text(path.iri)})"
            return f"SELECT DISTINCT f.focus, t.{far} AS value FROM ({start}) f JOIN {followed} t ON t.{near} = f.value"
        if path.kind == "sequence":
            for part in reversed(path.parts) if backwards else path.parts:
                start = self.follow(part, start, backwards=backwards)
            return start
        if path.kind == "alternative":
            return " UNION ".join(
                f"SELECT * FROM ({self.follow(part, start, backwards=backwards)})"
                for part in path.parts
            )
        path = _simple(path)
        step = path.parts[0]
        if path.kind == "zeroOrOne":
            return f"SELECT * FROM ({start}) UNION SELECT * FROM ({self.follow(step, start, backwards=backwards)})"
        first = (
            self.follow(step, start, backwards=backwards)
            if path.kind == "oneOrMore"
            else f"SELECT DISTINCT focus, value FROM ({start})"
        )
        return f"SELECT focus, value FROM {self._closure(step, first, backwards)}"

    def _closure(self, step: Path, first: str, backwards: bool) -> str:
        """A table (focus, value) of all that repeated steps reach from what `first` selects."""
        if _has_closure(step):
            return self._rounds(step, first, backwards)
        onwards = self.follow(step, "SELECT focus, value FROM reached", backwards=backwards)
        recursive = f"WITH RECURSIVE reached (focus, value) AS (({first}) UNION ({onwards}))"
        return self.store(f"{recursive} SELECT focus, value FROM reached")

    def _rounds(self, step: Path, first: str, backwards: bool) -> str:
        reached = self.store(first)
        newest = reached
        while self.count(newest):
            onwards = self.follow(step, f"SELECT focus, value FROM {newest}", backwards=backwards)
            newest = self.store(
                f"SELECT focus, value FROM ({onwards}) EXCEPT SELECT focus, value FROM {reached}"
            )
            reached = self.store(
                f"SELECT focus, value FROM {reached} UNION ALL SELECT focus, value FROM {newest}"
            )
        return reached
