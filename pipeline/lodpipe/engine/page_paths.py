"""Paths between resources, as pages follow them, and the SQL over `site_triples` that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.terms import TYPE


@dataclass(frozen=True)
class Step:
    """One step of a path: along a property, or back against it."""

    iri: str
    back: bool


@dataclass(frozen=True)
class Paths:
    """Where the nodes of a table on a page are: at the end of any of the paths from it, of a class
    where one is named.
    """

    paths: Sequence[Sequence[Step]]
    class_iri: str | None = None


def path_sql(path: Sequence[Step]) -> str:
    """A query for (page, node) along a path."""
    sides = [("o", "s") if step.back else ("s", "o") for step in path]
    tables = [f"site_triples AS t{number}" for number in range(len(path))]
    tests = [f"t{number}.p = {text(step.iri)}" for number, step in enumerate(path)]
    tests += [
        f"t{number}.{sides[number][0]} = t{number - 1}.{sides[number - 1][1]}"
        for number in range(1, len(path))
    ]
    last = len(path) - 1
    return f"SELECT t0.{sides[0][0]} AS page, t{last}.{sides[last][1]} AS node FROM {', '.join(tables)} WHERE {' AND '.join(tests)}"


def facet_query(paths: Sequence[Sequence[Step]], base: str) -> str:
    """A query for (resource, value): the local names of what is below the base at the end of any of
    the paths.
    """
    union = " UNION ".join(map(path_sql, paths))
    begin = text(f"<{base}")
    local = f"substr(node, length({begin}) + 1, length(node) - length({begin}) - 1)"
    return (
        f"SELECT page AS resource, {local} AS value FROM ({union}) WHERE starts_with(node, {begin})"
    )


def class_condition(table: Paths) -> str:
    """The condition that a node is of the class of a table; empty where it names none."""
    if table.class_iri is None:
        return ""
    return f" WHERE node IN (SELECT s FROM site_triples WHERE p = {text(TYPE)} AND o = {text(table.class_iri)})"
