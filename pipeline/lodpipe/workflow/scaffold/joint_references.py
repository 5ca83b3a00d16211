"""References by several fields to records that several fields name.

districts: state, number, name      keys (state, number)
members: id, state, district        (state, district) are such a key: a member leads to its district
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from lodpipe.sources.record_declaration import POSITION
from lodpipe.workflow.scaffold.data_tables import singular
from lodpipe.workflow.scaffold.field_forms import (
    FieldForm,
    JointReference,
    TableForm,
    reference_name,
    snake_case,
)
from lodpipe.workflow.scaffold.other_formats import Record

_PLAIN = ("text", "any", "slug", "integer")  # types whose values are as the files have them
_FEWEST = 2  # different records that a table refers to


def with_joint_references(tables: list[TableForm]) -> list[TableForm]:
    """The tables, each with its references of this kind."""
    named = [form for form in tables if len(form.keys) > 1]
    known = {
        form.name: {_values(form, record, form.keys) for record in form.table.records}
        for form in named
        if not any(entry.source == POSITION for entry in form.keys)
    }
    return [
        replace(
            form,
            joint=tuple(
                reference
                for other in named
                if other.name != form.name and other.name in known
                for reference in _references(form, other, known[other.name])
            ),
        )
        for form in tables
    ]


_Values = tuple[str, ...]


def _references(form: TableForm, other: TableForm, keys: set[_Values]) -> Iterator[JointReference]:
    """The first fields of a table whose values together are keys of the other one."""
    names = [key.name for key in other.keys]
    parts = [entry for name in names for entry in other.fields if entry.name == name]
    able = [[entry for entry in form.fields if _may_be(entry, key, other)] for key in parts]
    for fields in product(*able):
        if len({entry.name for entry in fields}) < len(fields) or fields == form.keys:
            continue
        rows = [_values(form, record, fields) for record in form.table.records]
        full = {row for row in rows if all(row)}
        if len(full) >= _FEWEST and full <= keys:
            columns = tuple(entry.name for entry in fields)
            yield JointReference(other.name, columns, all(map(all, rows)))
            return


def _may_be(entry: FieldForm, key: FieldForm, other: TableForm) -> bool:
    """Whether a field is called as a part of the key, or as the table, and has values of its kind."""
    are_plain = entry.target in _PLAIN and key.target in _PLAIN
    if entry.kind != key.kind or entry.separator or not (entry.target == key.target or are_plain):
        return False
    name, part, table = snake_case(entry.name), snake_case(key.name), singular(other.name)
    return name in (part, f"{table}_{part}", table) or reference_name(name) == table


def _values(form: TableForm, record: Record, fields: tuple[FieldForm, ...]) -> _Values:
    return tuple(str(record.get(entry.source) or "") for entry in fields)
