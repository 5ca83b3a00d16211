"""Which fields of records the graph calls contradictory, between records as well as within one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import DeclaredAnnotations, SiteKeys
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Origin
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node
from lodpipe.engine.statements import Statements
from lodpipe.rdf.terms import TYPE
from lodpipe.sources import RecordTable, RowTable

Contradicted = frozenset[tuple[str, str, str]]
"""Resource of a record (its page), table and field."""


def declared_contradictions(project: Project) -> DeclaredAnnotations | None:
    """What publication.yaml says of contradictions in the graph; None where it says nothing."""
    site = project.publication.site
    notes = site.annotations if isinstance(site, SiteKeys) else None
    return notes if notes and notes.contradictions else None


def contradicted_fields(
    project: Project,
    vocabulary: Vocabulary,
    statements: Statements,
    tables: Mapping[str, RecordTable],
) -> Contradicted:
    """The fields whose values are statements of a contradiction about the same resource."""
    notes = declared_contradictions(project)
    if notes is None or notes.contradictions is None:
        return frozenset()

    def term(name: str) -> str:
        return f"<{vocabulary.namespaces.expand(name) or name}>"

    contradictions = statements.subjects_with(TYPE, term(notes.contradictions.class_))
    about = dict(statements.values(term(notes.about), contradictions))
    reified = {statement: (s, p, o) for statement, s, p, o in statements.reified()}
    fields = _FieldPlaces(tables)
    base = project.publication.base
    return frozenset(
        (about[contradiction].strip("<>").removeprefix(base), *place)
        for contradiction, target in statements.values(term(notes.target), contradictions)
        if target in reified and contradiction in about
        for place in _places(statements, reified[target], fields)
    )


def _places(
    statements: Statements, triple: tuple[str, str, str], fields: _FieldPlaces
) -> Iterator[tuple[str, str]]:
    """Table and field of each record that makes a statement."""
    subject, predicate, value = triple
    for stated in statements.sourced(subject):
        if (stated.predicate, stated.value) == (predicate, value) and stated.origin:
            yield from fields.at(stated.origin)


class _FieldPlaces:
    """Which field of which table a place in a file belongs to."""

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        self._starts: dict[str, list[tuple[tuple[int, int], str, str]]] = {}
        for name, table in tables.items():
            for file, node in _records(table):
                if isinstance(node, Map):
                    self._starts.setdefault(file, []).extend(
                        (place, name, key) for key, place in node.keys.items()
                    )
        for places in self._starts.values():
            places.sort()

    def at(self, where: Origin) -> Iterator[tuple[str, str]]:
        """Table and field of the last field of a record that begins at or above a place."""
        places = self._starts.get(where.file, [])
        at = bisect_right(places, (where.line, where.column), key=lambda place: place[0])
        if at:
            _, table, field = places[at - 1]
            yield table, field


def _records(table: RecordTable) -> list[tuple[str, Node]]:
    """The nodes of records that are in no list of another record, each with its file."""
    if not isinstance(table, RowTable) or (table.rows and table.rows[0][1] is not None):
        return []
    return list(table.nodes)
