"""Paths from a record to values: fields joined by `.`, through maps and lists, and to the records
that a field refers to.

    other_names.name          the names in a list of maps
    seat.country              the country of the place that `seat` refers to
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import LinkRule
from lodpipe.diagnostics.finding import Finding
from lodpipe.sources import Field, Table
from lodpipe.workflow.record_rows import RecordRow, RecordRows


def link_findings(project: Project, declared: Mapping[str, Table]) -> Iterator[Finding]:
    """Rules of `links` that name tables, fields or paths that do not exist (LP601)."""
    for number, rule in enumerate(project.publication.links):
        for detail in _problems(rule, declared):
            where = project.origin("links", number)
            yield Finding("LP601", where, {"detail": f"links: {detail}"})


def _problems(rule: LinkRule, declared: Mapping[str, Table]) -> Iterator[str]:
    table = declared.get(rule.table)
    if table is None or not table.key:
        yield f"there is no table `{rule.table}` whose records have a key"
        return
    for path in _paths(rule):
        if step := unknown_step(declared, table.fields, path):
            yield f"`{path}` leads to no value: there is no field `{step}`"
    for name, evidence in rule.identifiers.items():
        if name not in table.fields or table.fields[name].kind != "value":
            yield f"the identifier `{name}` is no single value of `{rule.table}`"
        item = table.fields.get(evidence)
        if item is not None and item.kind == "list":
            item = item.item
        if evidence and (item is None or item.kind != "ref"):
            yield f"`{evidence}` refers to no records"


def _paths(rule: LinkRule) -> Iterator[str]:
    for paths in (
        rule.names, rule.places, rule.place_keys, rule.latitude, rule.longitude, rule.country,
        rule.website,
    ):  # fmt: skip
        yield from paths


def unknown_step(
    declared: Mapping[str, Table], fields: Mapping[str, Field], path: str
) -> str | None:
    """The step of a path that no field has the name of, None for a path that leads to values."""
    step, _, rest = path.partition(".")
    entry = fields.get(step)
    if entry is None:
        return step
    if entry.kind == "list" and entry.item is not None:
        entry = entry.item
    if entry.kind == "ref" and rest:
        return unknown_step(declared, declared[entry.target].fields, rest)
    if entry.kind == "map":
        return unknown_step(declared, entry.fields, rest) if rest else step
    return rest or None


def values_at(rows: RecordRows, table: str, record: RecordRow, path: str) -> Iterator[str]:
    """The values at a path that `unknown_step` accepts, without empty ones."""
    fields = rows.declared[table].fields
    yield from _values(rows, (table, fields, record), path.split("."), ())


_Place = tuple[str, Mapping[str, Field], RecordRow]  # table of rows, fields there, row


def _values(
    rows: RecordRows, place: _Place, steps: Sequence[str], above: tuple[str, ...]
) -> Iterator[str]:
    """The values of the remaining steps; `above` are those of maps of the same row."""
    table, fields, row = place
    entry, path, rest = fields[steps[0]], (*above, steps[0]), steps[1:]
    if entry.kind == "map":
        yield from _values(rows, (table, entry.fields, row), rest, path)
    elif entry.kind == "list" and entry.item is not None:
        name = "_".join((table, *path))
        for item in rows.items(name, row.number):
            if entry.item.kind == "map":
                yield from _values(rows, (name, entry.item.fields, item), rest, ())
            else:
                yield from _plain(rows, entry.item, item.cells.get("value"), rest)
    elif entry.kind == "texts":
        start = "_".join(path) + "_"
        yield from (text for name, text in row.cells.items() if name.startswith(start) and text)
    else:
        yield from _plain(rows, entry, row.cells.get("_".join(path)), rest)


def _plain(rows: RecordRows, entry: Field, text: str | None, rest: Sequence[str]) -> Iterator[str]:
    """A single value, or what the record that it refers to has at the remaining steps."""
    if not text:
        return
    if entry.kind == "ref" and rest:
        if target := rows.find(entry.target, text):
            yield from values_at(rows, entry.target, target, ".".join(rest))
    else:
        yield text
