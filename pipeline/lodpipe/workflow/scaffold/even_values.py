"""Fields that have several forms in the records of a table get one, so that none of them is left out.

members: Ann, members: [Ann, Bo]                 a list in each record
members: [Ann, {name: Bo, role: lead}]           a map for each item
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lodpipe.documents.tree import JsonValue
from lodpipe.workflow.scaffold.data_tables import DataTable
from lodpipe.workflow.scaffold.field_census import FieldCensus, census_of, merged
from lodpipe.workflow.scaffold.other_formats import Record

_SINGLE = {"text", "integer"}
_FEWEST_PERCENT = 20  # of the records have such a field, where these would stay in their files


def with_even_values(table: DataTable) -> DataTable:
    """The table with one form for each field; its records are written again then. Rows have one
    form; records that can stay in their files are written again only for a field that many have.
    """
    if table.is_rows:
        return table
    fields = census_of(table.records)
    uneven = dict(_uneven(fields, ""))
    least = 0 if table.is_rewritten else len(table.records) * _FEWEST_PERCENT / 100
    if not uneven or max(uneven.values()) < least:
        return table
    records = [_record(record, fields) for record in table.records]
    reason = f"{table.reason}; values of several forms have one: {', '.join(uneven)}"
    return replace(table, records=records, is_rewritten=True, is_keyed=False, at=(), reason=reason)


def _uneven(fields: Mapping[str, FieldCensus], path: str) -> Iterator[tuple[str, int]]:
    """The paths of fields that get another form, each with the number of its values."""
    for name, census in fields.items():
        forms = _forms(census)
        is_mixed = "list" in census.kinds and len(census.kinds) > 1
        if (is_mixed and _may_be_lists(census)) or _key_of(forms):
            yield f"{path}{name}", census.present
        yield from _uneven(forms.fields, f"{path}{name}.")


def _forms(census: FieldCensus) -> FieldCensus:
    """The census of single values and of the items of lists together."""
    return merged([census, census.item]) if census.item else census


def _may_be_lists(census: FieldCensus) -> bool:
    """Whether the items of lists and the values beside them are of one kind, or become so."""
    forms = _forms(census)
    kinds = set(forms.kinds) - {"list"}
    return len(kinds) == 1 or bool(_key_of(forms))


def _key_of(forms: FieldCensus) -> str:
    """The field of maps that single values beside them have the place of: the first one that all maps
    have, one whose values occur there before others; empty where the values are of one kind.
    """
    kinds = set(forms.kinds) - {"list"}
    if "map" not in kinds or not kinds - {"map"} or not kinds - {"map"} <= _SINGLE:
        return ""
    able = {
        name: census
        for name, census in forms.fields.items()
        if census.present == forms.kinds["map"] and census.kind in _SINGLE
    }
    single = forms.values.keys()
    known = [name for name, census in able.items() if census.values.keys() & single]
    return next(iter([*known, *able]), "")


def _record(record: Record, fields: Mapping[str, FieldCensus]) -> Record:
    return {name: _even(value, fields[name]) for name, value in record.items()}


def _even(value: JsonValue, census: FieldCensus) -> JsonValue:
    """A value in the form that all values of its field get."""
    forms = _forms(census)
    if value is None or value == "":
        return value
    if "list" in census.kinds and _may_be_lists(census):
        items = value if isinstance(value, list) else [value]
        return [_single(item, forms) for item in items]
    return _single(value, forms)


def _single(value: JsonValue, forms: FieldCensus) -> JsonValue:
    if isinstance(value, dict):
        return _record(value, forms.fields)
    key = _key_of(forms)
    return {key: value} if key and isinstance(value, str | int) else value
