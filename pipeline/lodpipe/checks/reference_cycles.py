"""References that lead back to the record they start from, where records.yaml says `acyclic: true`.

    - {id: town, within: county}
    - {id: county, within: town}      town → county → town

A reference in a list starts from the record that holds the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lodpipe.diagnostics.finding import Finding
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import Column, RecordTable

_MOST_NAMED = 5  # records of a cycle


@dataclass
class _Step:
    """A record on the way, what it refers to, and the record of the reference that is followed."""

    key: str
    others: Iterator[tuple[str, int]]
    record: int = 0


def cycle_findings(
    session: Session, tables: Mapping[str, RecordTable], keys: Mapping[str, str]
) -> Iterator[Finding]:
    """Errors (LP257), one for each cycle, at its first reference; the others are related."""
    for table in tables.values():
        for column in table.columns:
            if column.field.plausible.acyclic and column.field.kind == "ref":
                links = _links(session, table, column, keys.get(column.field.target, "id"))
                for cycle in _cycles(links):
                    yield _finding(table, column, cycle)


_Links = dict[str, list[tuple[str, int]]]  # of each key those it refers to, each with its record


def _links(session: Session, table: RecordTable, column: Column, key: str) -> _Links:
    target = column.field.target
    name, rows_of, own = quote(column.name), quote(table.name), quote(key)
    if table.name == target:
        rows = f"SELECT t.{own}, t.{name}, t._record FROM {rows_of} AS t"
    else:
        rows = (
            f"SELECT r.{own}, t.{name}, t._record FROM {rows_of} AS t "
            f"JOIN {quote(target)} AS r ON r._record = t._parent"
        )
    links: _Links = {}
    for source, other, record in session.rows(f"{rows} WHERE t.{name} IS NOT NULL ORDER BY 3"):
        links.setdefault(source, []).append((other, record))
    return links


def _cycles(links: _Links) -> Iterator[list[tuple[str, int]]]:
    """Each cycle: its keys in order, with the record of the reference to the next."""
    done: set[str] = set()
    for start in links:
        path = [] if start in done else [_Step(start, iter(links[start]))]
        places = {step.key: 0 for step in path}
        while path:
            step = path[-1]
            other, step.record = next(step.others, ("", 0))
            if not other:
                path.pop()
                done.add(step.key)
                del places[step.key]
            elif other in places:
                yield [(item.key, item.record) for item in path[places[other] :]]
            elif other in links and other not in done:
                places[other] = len(path)
                path.append(_Step(other, iter(links[other])))


def _finding(table: RecordTable, column: Column, cycle: Sequence[tuple[str, int]]) -> Finding:
    at = min(range(len(cycle)), key=lambda number: cycle[number][1])
    ordered = [*cycle[at:], *cycle[:at]]
    first, *others = (table.locate(record, column.name) for _, record in ordered)
    named = [f"`{key}`" for key, _ in ordered]
    more = ["…"] if len(named) > _MOST_NAMED else []
    path = " → ".join([*named[:_MOST_NAMED], *more, named[0]])
    params = {"key": ".".join(column.path) or column.field.target, "path": path}
    return Finding("LP257", first, params, related=tuple(others))
