"""The targets of shapes (SHACL, 2.1.3) as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lodpipe.shacl.shapes_graph import SUBCLASS, TYPE

HIERARCHY = f"SELECT s, o FROM triples WHERE p = '{SUBCLASS}'"


def with_subclasses(
    classes: Mapping[str, int], hierarchy: Iterable[tuple[str, str]]
) -> list[tuple[int, str]]:
    """The number of each class with it and all classes below it; `hierarchy` are pairs of a class
    and a superclass.

    >>> with_subclasses({"<a:Thing>": 0}, [("<a:Person>", "<a:Thing>"), ("<a:Clerk>", "<a:Person>")])
    [(0, '<a:Thing>'), (0, '<a:Person>'), (0, '<a:Clerk>')]
    """
    below: dict[str, list[str]] = {}
    for sub, top in hierarchy:
        below.setdefault(top, []).append(sub)
    rows = []
    for name, number in classes.items():
        entries = {name: None}
        for item in (waiting := [name]):
            waiting += [
                sub
                for sub in below.get(item, ())
                if sub not in entries and entries.setdefault(sub) is None
            ]
        rows += [(number, entry) for entry in entries]
    return rows


def instances_select(listed: str, *, distinct: bool) -> str:
    """A SELECT (class, node) of the instances of classes: `listed` is a relation c (number, name)."""
    return (
        f"SELECT {'DISTINCT ' if distinct else ''}c.number AS class, t.s AS node "
        f"FROM (SELECT s, o FROM triples WHERE p = '{TYPE}') t JOIN {listed} ON c.name = t.o"
    )


def target_select(kind: str, listed: str, instances: str = "instances") -> str:
    """A SELECT (fs, node) of the nodes of targets of a kind: `listed` is a relation c (fs, term)."""
    if kind == "class":
        return f"SELECT c.fs, i.node FROM {instances} i JOIN {listed} ON i.class = c.term"
    if kind == "node":
        return f"SELECT c.fs, c.term AS node FROM {listed}"
    column = "s" if kind == "subjectsOf" else "o"
    return f"SELECT c.fs, t.{column} AS node FROM triples t JOIN {listed} ON t.p = c.term"
