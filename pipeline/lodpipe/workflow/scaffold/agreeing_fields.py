"""References that no name shows: a map with a number and other fields, all of which are those of
the record of another table with that number as its key.

    artists: {id: 7, name: Ann}, works: {id: 1, contributors: [{id: 7, name: Ann, role: painter}]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lodpipe.documents.tree import JsonValue
from lodpipe.workflow.scaffold.data_tables import DataTable
from lodpipe.workflow.scaffold.other_formats import Record

_KEYS = ("id", "identifier", "key", "code", "slug", "uuid")
_FEWEST, _SHARE = 3, 0.95  # maps that are compared, and those of them that agree

Path = tuple[str, ...]


def agreeing(table: DataTable, records: Mapping[str, Mapping[str, Record]]) -> dict[Path, str]:
    """The paths of such fields (`[]` for the items of a list) to the table whose records they name;
    `records` has those of each table by their keys.
    """
    maps: dict[Path, list[Record]] = {}
    for record in table.records:
        for path, inner in _inner_maps(record, ()):
            maps.setdefault(path, []).append(inner)
    referring: dict[Path, str] = {}
    for path, items in maps.items():
        for key in _KEYS:
            others = (name for name, by_key in records.items() if _agree(items, key, by_key))
            if name := next(others, ""):
                referring[(*path, key)] = name
                break
    return referring


def _inner_maps(value: JsonValue, path: Path) -> Iterator[tuple[Path, Record]]:
    """The maps within a record, with their paths."""
    if isinstance(value, list):
        for item in value:
            yield from _inner_maps(item, (*path, "[]"))
    elif isinstance(value, dict):
        if path:
            yield path, value
        for name, item in value.items():
            yield from _inner_maps(item, (*path, name))


def _agree(items: list[Record], key: str, records: Mapping[str, Record]) -> bool:
    """Whether each of the maps has the key of a record, and repeats its other fields."""
    same: dict[str, int] = {}
    compared: dict[str, int] = {}
    values: dict[str, set[str]] = {}
    for item in items:
        record = records.get(str(item.get(key)))
        if record is None:
            return False
        for name, value in item.items():
            other = record.get(name)
            if name == key or not isinstance(value, str) or not isinstance(other, str) or not value:
                continue
            compared[name] = compared.get(name, 0) + 1
            same[name] = same.get(name, 0) + (value == other)
            values.setdefault(name, set()).add(value)
    return any(
        count >= _FEWEST and same[name] >= _SHARE * count and len(values[name]) >= _FEWEST
        for name, count in compared.items()
    )
