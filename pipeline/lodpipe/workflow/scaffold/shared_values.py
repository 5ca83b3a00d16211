"""What several fields have in common: one list of concepts for fields of one name and like values, and
one resource for what many lists repeat.

    roles: [{chamber: upper}], seats: [{chamber: lower}, {chamber: upper}]     one list `chamber`
    movements: [{id: 7, name: Baroque}], in many records                       one movement/7
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from lodpipe.documents.tree import JsonValue
from lodpipe.workflow.scaffold.field_forms import FieldForm, TableForm, scheme_of, snake_case

_FEWEST = 2  # values that two fields have in common


def with_shared_concepts(tables: list[TableForm]) -> list[TableForm]:
    """The tables with one list of concepts for fields of the same name, where the values of one are
    among those of another.
    """
    fields = [
        (form.name, entry)
        for form in tables
        for entry in form.all_fields
        if entry.kind == "concept"
    ]
    taken = {entry.target for _, entry in fields}
    changed: dict[str, FieldForm] = {}  # by the lists of concepts that they had
    for _, group in _groups(fields):
        schemes = {entry.target for _, entry in group}
        owners = {table for table, _ in group}
        name = snake_case(group[0][1].name)
        scheme = scheme_of(owners.pop() if len(owners) == 1 else "", (name,))
        if scheme in taken - schemes:
            continue
        values = max((entry.values for _, entry in group), key=len)
        for _, entry in group:
            changed[entry.target] = replace(entry, target=scheme, values=values)
        taken.add(scheme)

    def shared(entry: FieldForm) -> FieldForm:
        if entry.kind == "concept" and (other := changed.get(entry.target)):
            return replace(entry, target=other.target, values=other.values)
        return entry

    return [replace(form, fields=_mapped(form.fields, shared)) for form in tables] if changed else tables  # fmt: skip


_Group = list[tuple[str, FieldForm]]


def _groups(fields: _Group) -> Iterable[tuple[str, _Group]]:
    """Fields of one name whose values are all among those of the field with most of them."""
    ranked = sorted(fields, key=lambda item: (-len(item[1].values), item[1].target))
    groups: list[tuple[str, _Group]] = []
    for table, entry in ranked:
        name = snake_case(entry.name)
        for known, group in groups:
            widest = group[0][1].values
            is_within = entry.values.items() <= widest.items() and len(entry.values) >= _FEWEST
            if known == name and is_within:
                group.append((table, entry))
                break
        else:
            groups.append((name, [(table, entry)]))
    return [(name, group) for name, group in groups if len({entry.target for _, entry in group}) > 1]  # fmt: skip


def _mapped(
    fields: Iterable[FieldForm], change: Callable[[FieldForm], FieldForm]
) -> tuple[FieldForm, ...]:
    """The fields, each changed, those in maps and lists before what has them."""

    def within(entry: FieldForm) -> FieldForm:
        item = within(entry.item) if entry.item else None
        return change(replace(entry, fields=_mapped(entry.fields, change), item=item))

    return tuple(map(within, fields))


def repetition(
    lists: Iterable[JsonValue], key: FieldForm, fields: tuple[FieldForm, ...]
) -> Literal["", "same", "nearly"]:
    """Whether items of many lists are the same thing: those with one key agree in all other fields, a
    third of them or more repeat an earlier one, and none has a list of its own. `nearly` where a few
    of the keys, a twentieth, have items that differ.
    """
    if key.kind == "ref" or any(entry.kind in ("list", "keyed") for entry in fields):
        return ""
    items = [entry for values in lists if isinstance(values, list) for entry in values]
    seen: dict[str, dict[str, JsonValue]] = {}
    differing = set()
    for entry in items:
        if not isinstance(entry, dict):
            return ""
        text = str(entry.get(key.source))
        known = seen.setdefault(text, {})
        for name, value in entry.items():
            if known.setdefault(name, value) != value:
                differing.add(text)
    is_often = len(items) > len(seen) and 3 * (len(items) - len(seen)) >= len(items)
    if not is_often or 20 * len(differing) > len(seen):
        return ""
    return "nearly" if differing else "same"
