"""Which expected fields of the records are known: `coverage` in publication.yaml says what is
expected, the records say what there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import CoverageField, CoverageRule
from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.documents.tree import value_of
from lodpipe.engine.loading import table_rows
from lodpipe.engine.sql_session import Session
from lodpipe.releases.coverage_figures import CoveredRecord, TableCoverage
from lodpipe.sources import Field, RecordTable, RowTable, Table
from lodpipe.workflow.graph_contradictions import Contradicted

Declared = Mapping[str, Table]
Record = Mapping[str, Any]


# -- declarations ----------------------------------------------------------------------------------


def coverage_findings(project: Project, declared: Declared) -> Iterator[Finding]:
    """Rules that name tables, fields or documents that do not exist (LP601)."""
    for number, rule in enumerate(project.publication.coverage):
        for detail in _problems(rule, declared):
            where = project.origin("coverage", number)
            yield Finding("LP601", where, {"detail": f"coverage: {detail}"})


def _problems(rule: CoverageRule, declared: Declared) -> Iterator[str]:
    table = declared.get(rule.table)
    if table is None or table.key is None:
        yield f"there is no table `{rule.table}` whose records have a key"
        return
    if field_at(table.fields, rule.label) is None:
        yield f"there is no field `{rule.label}` in {rule.table}"
    if rule.evidence and rule.evidence not in declared:
        yield f"there is no table `{rule.evidence}`"
    yield from _problems_of_disputes(rule, table)
    for item in rule.fields:
        entry = field_at(table.fields, item.field_)
        paths = (*item.when, *item.complete, *item.documents)
        yield from (
            f"there is no field `{path}` in {rule.table}"
            for path in (item.field_, *paths)
            if field_at(table.fields, path) is None
        )
        parts = [part for part in (item.single, item.preferred, *item.within) if part]
        below = entry.item.fields if entry is not None and entry.item is not None else {}
        yield from (
            f"the items of `{item.field_}` have no field `{part}`"
            for part in parts
            if field_at(below, part) is None
        )


def _problems_of_disputes(rule: CoverageRule, table: Table) -> Iterator[str]:
    if rule.disputed is None:
        return
    entry = field_at(table.fields, rule.disputed.list_)
    if entry is None or entry.item is None:
        yield f"there is no list `{rule.disputed.list_}` in {rule.table}"
        return
    yield from (
        f"the items of `{rule.disputed.list_}` have no field `{path}`"
        for path in (*rule.disputed.when, rule.disputed.field_)
        if field_at(entry.item.fields, path) is None
    )


def field_at(fields: Mapping[str, Field], path: str) -> Field | None:
    """The field at a path of maps and lists."""
    step, _, rest = path.partition(".")
    entry = fields.get(step)
    if entry is None or not rest:
        return entry
    return field_at(entry.item.fields if entry.item else entry.fields, rest)


# -- states ----------------------------------------------------------------------------------------


def coverage_of(
    project: Project,
    declared: Declared,
    tables: Mapping[str, RecordTable],
    session: Session,
    contradicted: Contradicted = frozenset(),
) -> list[TableCoverage]:
    """The coverage of each declared table; the rules are valid (`coverage_findings`), `contradicted`
    are the fields that the graph calls contradictory.
    """
    covered = [
        _covered(rule, declared[rule.table], tables[rule.table], session, project)
        for rule in project.publication.coverage
    ]
    return [_with_contradictions(item, contradicted) for item in covered]


def _with_contradictions(item: TableCoverage, contradicted: Contradicted) -> TableCoverage:
    """The coverage with the contradictions between records, which no record shows by itself."""
    records = [
        replace(
            record,
            states={
                name: "contradictory"
                if state != "unknown"
                and (record.resource, item.table, name.partition(".")[0]) in contradicted
                else state
                for name, state in record.states.items()
            },
        )
        for record in item.records
    ]
    return replace(item, records=records)


def _covered(
    rule: CoverageRule, table: Table, read: RecordTable, session: Session, project: Project
) -> TableCoverage:
    key = table.key or ""
    records = [
        CoveredRecord(
            str(record.get(key) or ""),
            _label(value_at(record, rule.label), project.publication.languages)
            or str(record.get(key) or ""),
            _resource(rule.page, record),
            origin,
            {
                item.field_: state
                for item in rule.fields
                if (state := state_of(rule, item, table, record))
            },
        )
        for record, origin in _records(read, session)
    ]
    first = project.publication.languages[0]
    return TableCoverage(
        rule.table,
        rule.title or {first: rule.table},
        {item.field_: item.label or {first: item.field_} for item in rule.fields},
        sorted(records, key=lambda item: (item.label.casefold(), item.key)),
    )


def _records(table: RecordTable, session: Session) -> Iterator[tuple[Record, Origin]]:
    """The records as nested values, each with its place."""
    if isinstance(table, RowTable):
        for file, node in table.nodes:
            value = value_of(node)
            if isinstance(value, dict):
                yield value, Origin(file, node.line, node.column)
        return
    paths = {column.name: column.path for column in table.columns}
    for number, _, cells in table_rows(session, table):
        record: dict[str, Any] = {}
        for name, text in cells.items():
            if text is not None:
                *above, last = paths[name]
                place = record
                for step in above:
                    place = place.setdefault(step, {})
                place[last] = text
        yield record, table.locate(number)


def _label(value: Any, languages: Sequence[str]) -> str:
    if isinstance(value, dict):
        return str(next((value[item] for item in languages if value.get(item)), ""))
    return "" if value is None else str(value)


def _resource(template: str | None, record: Record) -> str | None:
    """The resource of a record; None where the template has a field that the record lacks."""
    if template is None:
        return None
    try:
        return template.format_map({name: value for name, value in record.items() if value})
    except KeyError:
        return None


def value_at(value: Any, path: str) -> Any:
    """The value at a path of maps, None where there is none."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def state_of(rule: CoverageRule, item: CoverageField, table: Table, record: Record) -> str | None:
    """The state of a field of a record; None where it is not expected."""
    if not _has(record, item.when):
        return None
    value = value_at(record, item.field_)
    if value is None or value in ("", [], {}):
        return "unknown"
    entry = field_at(table.fields, item.field_)
    assert entry is not None  # the rule is valid
    if item.field_ in _disputed(rule, record) or (
        item.single and isinstance(value, list) and _contradicts(item, entry, value)
    ):
        return "contradictory"
    proofs = {*_references(entry, value, rule.evidence)}
    for path in item.documents:
        other = field_at(table.fields, path)
        if other is not None:
            proofs.update(_references(other, value_at(record, path), rule.evidence))
    if item.editorial or (proofs and proofs <= set(rule.editorial)):
        return "editorial"
    return "known" if _has(record, item.complete) else "partial"


def _disputed(rule: CoverageRule, record: Record) -> set[str]:
    """The fields of a record that its own items call contradictory."""
    if rule.disputed is None:
        return set()
    return {
        str(name)
        for item in values_at(record, rule.disputed.list_)
        if _has(item, rule.disputed.when)
        for name in values_at(item, rule.disputed.field_)
    }


def values_at(value: Any, path: str) -> Iterator[Any]:
    """All values at a path of maps and lists."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
        return
    step, _, rest = path.partition(".")
    if not path:
        yield value
    elif isinstance(value, dict) and value.get(step) is not None:
        yield from values_at(value[step], rest)


def _has(record: Record, values: Mapping[str, str | bool | tuple[str, ...]]) -> bool:
    """Whether fields of a record have these values, of several one."""
    return all(
        _text(value_at(record, path)) in (value if isinstance(value, tuple) else (_text(value),))
        for path, value in values.items()
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _contradicts(item: CoverageField, entry: Field, items: Sequence[Any]) -> bool:
    """Whether items exclude each other: of those that agree in `within`, two have different values.

    A date that is only less precise than another one (2020, 2020-06) does not contradict it, unless
    the editors preferred one of them.
    """
    assert item.single is not None
    groups: dict[tuple[str, ...], set[str]] = {}
    for part in items:
        value = _text(value_at(part, item.single))
        if value:
            group = tuple(_text(value_at(part, path)) for path in item.within)
            groups.setdefault(group, set()).add(value)
    rejected = item.preferred and any(
        value_at(part, item.preferred) in (False, "false") for part in items
    )
    kind = field_at(entry.item.fields if entry.item else {}, item.single)
    if kind is not None and kind.target == "partial-date" and not rejected:
        groups = {group: _most_precise(values) for group, values in groups.items()}
    return any(len(values) > 1 for values in groups.values())


def _most_precise(dates: set[str]) -> set[str]:
    """Dates without those that another one makes more precise.

    >>> sorted(_most_precise({"2020", "2020-06", "2021"}))
    ['2020-06', '2021']
    """
    return {
        date
        for date in dates
        if not any(other != date and other.startswith(f"{date}-") for other in dates)
    }


def _references(entry: Field, value: Any, target: str | None) -> Iterator[str]:
    """The records of a table that a value refers to, at any depth."""
    if entry.kind == "map" and isinstance(value, dict):
        for name, part in entry.fields.items():
            yield from _references(part, value.get(name), target)
    elif entry.kind == "list" and entry.item is not None and isinstance(value, list):
        for part in value:
            yield from _references(entry.item, part, target)
    elif entry.kind == "ref" and entry.target == target and value is not None:
        yield str(value)
