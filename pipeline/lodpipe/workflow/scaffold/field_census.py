"""What the fields of records hold: how often each is there, of which kind, with which values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lodpipe.documents.tree import JsonValue

MOST_VALUES = 200_000  # distinct values of a field that are counted


@dataclass
class FieldCensus:
    """A field in the records (or items) that may have it.

    `parents` is their number, `present` how many have a value, `kinds` what the values are (text,
    integer, decimal, boolean, map, list), `values` the texts of single ones; `empty` counts empty
    texts, lists and maps, and null. `fields` are those of the `maps`, also of those without any value, `item` what lists hold; `lengths`
    is the number of items of the longest list.
    """

    parents: int = 0
    present: int = 0
    empty: int = 0
    lengths: int = 0
    maps: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    fields: dict[str, FieldCensus] = field(default_factory=dict)
    item: FieldCensus | None = None

    @property
    def kind(self) -> str:
        """The one kind of all values, empty where they differ or there is none."""
        return next(iter(self.kinds)) if len(self.kinds) == 1 else ""

    @property
    def is_complete(self) -> bool:
        """Whether each record has a value."""
        return self.present == self.parents

    @property
    def is_unique(self) -> bool:
        """Whether no two records have the same single value."""
        return bool(self.values) and self.present == len(self.values)

    def add(self, value: JsonValue) -> None:
        """Counts the value of one record."""
        if isinstance(value, dict) and value:
            self.maps += 1
            count_fields(self.fields, [value], self.maps)
        if value is None or _is_empty(value):
            self.empty += 1
            return
        self.present += 1
        if isinstance(value, dict):
            self.kinds["map"] += 1
        elif isinstance(value, list):
            self.kinds["list"] += 1
            self.lengths = max(self.lengths, len(value))
            self.item = self.item or FieldCensus()
            for item in value:
                self.item.parents += 1
                self.item.add(item)
        else:
            self.kinds[_kind(value)] += 1
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if text in self.values or len(self.values) < MOST_VALUES:
                self.values[text] += 1


def _is_empty(value: JsonValue) -> bool:
    """Whether a value is nothing, or holds nothing but such."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    return value is None or (isinstance(value, list) and all(map(_is_empty, value)))


def _kind(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "decimal"}.get(type(value), "text")


def count_fields(
    fields: dict[str, FieldCensus], records: Iterable[dict[str, JsonValue]], total: int
) -> None:
    """Counts the fields of more records; `total` is the number of all records so far."""
    for record in records:
        for name, value in record.items():
            fields.setdefault(name, FieldCensus()).add(value)
    for census in fields.values():
        census.parents = total


def census_of(records: list[dict[str, JsonValue]]) -> dict[str, FieldCensus]:
    """The fields of a table, in the order of their first appearance."""
    fields: dict[str, FieldCensus] = {}
    count_fields(fields, records, len(records))
    return fields


def merged(parts: Iterable[FieldCensus]) -> FieldCensus:
    """The census of fields that are one field: the entries of maps with other keys each."""
    whole = FieldCensus()
    inner: dict[str, list[FieldCensus]] = {}
    items = []
    for part in parts:
        whole.parents += part.present
        whole.present += part.present
        whole.maps += part.maps
        whole.lengths = max(whole.lengths, part.lengths)
        whole.kinds.update(part.kinds)
        whole.values.update(part.values)
        items += [part.item] if part.item else []
        for name, entry in part.fields.items():
            inner.setdefault(name, []).append(entry)
    whole.fields = {name: merged(entries) for name, entries in inner.items()}
    for entry in whole.fields.values():
        entry.parents = whole.maps
    whole.item = merged(items) if items else None
    return whole
