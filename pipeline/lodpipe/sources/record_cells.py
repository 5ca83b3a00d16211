"""What a cell of a record table has: a value of the record, or of what is around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar, Sequence
from lodpipe.sources.record_declaration import (
    FILE,
    KEY,
    PARENT,
    POSITION,
    Column,
    Field,
    List,
)

Cells = Mapping[str, str | None]


class Place(Struct, frozen=True):
    """What is around a record or an item: the path of its file below the root, what the captures
    of the pattern have, its position in its list (from 1), the key that it is an entry of, and the
    cells of the record that holds it.
    """

    file: str
    captures: Mapping[str, str]
    position: int = 1
    key: str | None = None
    parent: Cells | None = None


def text_at(node: Node, path: tuple[str, ...]) -> str | None:
    """The text of the single value at a path of keys, None where there is none."""
    for step in path:
        if not isinstance(node, Map) or step not in node.items:
            return None
        node = node.items[step]
    return node.text if isinstance(node, Scalar) else None


def is_plain(column: Column) -> bool:
    """Whether its cells have the text of the file as it is."""
    entry = column.field
    return not entry.is_outside and entry.values is None and entry.default is None


def cell(node: Node, column: Column, place: Place) -> str | None:
    """The text of a cell: looked up, replaced by `values`, or the default."""
    entry = column.field
    text = written(node, column, place)
    if text is not None and entry.values is not None:
        text = entry.values.get(text, text)
    return entry.default if text is None else text


def written(node: Node, column: Column, place: Place) -> str | None:
    """The text of a cell as the file has it, or its path."""
    if not column.is_outside:
        return text_at(node, column.path)
    sign = column.path[0]
    if sign == FILE:
        return place.file
    if sign == POSITION:
        return str(place.position)
    if sign == KEY:
        return place.key
    if sign == PARENT:
        return (place.parent or {}).get("_".join(column.path[1:]))
    return place.captures.get(sign[1:-1])


def items_at(node: Node, entry: List) -> Iterator[tuple[Node, int, str | None]]:
    """The items of a list with their positions, or the entries of a map with their keys; an entry
    that is a list gives each of its items.
    """
    for step in entry.path:
        if not isinstance(node, Map) or step not in node.items:
            return
        node = node.items[step]
    yield from items_of(node, is_keyed=entry.is_keyed)


def items_of(node: Node, *, is_keyed: bool) -> Iterator[tuple[Node, int, str | None]]:
    """The items of a node with position and key."""
    if is_keyed and isinstance(node, Map):
        for key, value in node.items.items():
            items = value.items if isinstance(value, Sequence) else [value]
            for position, item in enumerate(items, 1):
                yield item, position, key
    elif not is_keyed and isinstance(node, Sequence):
        for position, item in enumerate(node.items, 1):
            yield item, position, None


# -- what is no value ------------------------------------------------------------------------------


def has_loose(field: Field) -> bool:
    """Whether `read` changes records of such a field."""
    parts = [*field.fields.values(), *([field.item] if field.item else [])]
    return field.may_be_empty or field.target == "any" or any(map(has_loose, parts))


def read(field: Field, node: Node) -> Node:
    """A record without the empty values that count as absent, and with the written text of values
    of the type `any`; places stay.
    """
    if isinstance(node, Map):
        if field.kind == "keyed" and field.item is not None:
            item = field.item
            items = {key: _read_value(item, value) for key, value in node.items.items()}
            return Map(_without_none(items), node.keys, node.line, node.column)
        return read_map(field, node)
    if isinstance(node, Sequence) and field.item is not None:
        several = [_read_value(field.item, item) for item in node.items]
        return Sequence([item for item in several if item is not None], node.line, node.column)
    if isinstance(node, Scalar) and field.target == "any" and node.text is not None:
        return Scalar(node.text, node.text, node.line, node.column)
    return node


def _read_value(field: Field, node: Node) -> Node | None:
    """A value, None for an empty one that counts as absent."""
    loose = read(field, node)
    return None if field.may_be_empty and is_empty(loose) else loose


def is_empty(node: Node) -> bool:
    """Whether a node holds nothing: null, a text without a visible letter, no items."""
    if isinstance(node, Scalar):
        return node.text is None or (isinstance(node.value, str) and not node.text.strip())
    return not node.items


def read_map(field: Field, node: Map) -> Map:
    """A map of declared fields as `read` gives it."""
    items: dict[str, Node | None] = dict(node.items)
    for name, entry in field.fields.items():
        if not entry.is_outside:
            _read_at(items, entry.source or (name,), entry)
    return Map(_without_none(items), node.keys, node.line, node.column)


def _read_at(items: dict[str, Node | None], path: tuple[str, ...], field: Field) -> None:
    """Replaces the value at a path of keys by what is read of it."""
    first, *rest = path
    node = items.get(first)
    if node is None:
        return
    if not rest:
        items[first] = _read_value(field, node)
    elif isinstance(node, Map):
        below: dict[str, Node | None] = dict(node.items)
        _read_at(below, tuple(rest), field)
        inner = Map(_without_none(below), node.keys, node.line, node.column)
        items[first] = None if field.may_be_empty and not inner.items else inner


def _without_none(items: Mapping[str, Node | None]) -> dict[str, Node]:
    return {key: item for key, item in items.items() if item is not None}


# -- keys that are not read ------------------------------------------------------------------------


def has_ignored(field: Field) -> bool:
    """Whether some keys of records of such a field are not read."""
    parts = [*field.fields.values(), *([field.item] if field.item else [])]
    return bool(field.ignored) or any(map(has_ignored, parts))


def unread_keys(field: Field, node: Node, path: str = "") -> Iterator[str]:
    """The paths of keys in a record that `ignore` names, once for each time."""
    if isinstance(node, Sequence):
        for item in node.items if field.item is not None else ():
            yield from unread_keys(field.item or field, item, path)
    elif isinstance(node, Map) and field.kind == "keyed":
        for value in node.items.values():
            yield from unread_keys(field.item or field, value, path)
    elif isinstance(node, Map):
        yield from _unread_in_map(field, node, path)


def _unread_in_map(field: Field, node: Map, path: str) -> Iterator[str]:
    paths = {entry.source or (name,): entry for name, entry in field.fields.items()}
    first_steps = {steps[0] for steps in paths}
    for key, value in node.items.items():
        here = f"{path}{key}"
        entry = paths.get((key,))
        if entry is not None:
            yield from unread_keys(entry, value, f"{here}.")
        elif key in first_steps:
            yield from _unread_on_way(field, paths, (key,), value, path)
        elif any(fnmatchcase(key, pattern) for pattern in field.ignored):
            yield here


def _unread_on_way(
    field: Field,
    paths: Mapping[tuple[str, ...], Field],
    above: tuple[str, ...],
    node: Node,
    path: str,
) -> Iterator[str]:
    """The unread keys of a map that fields are taken out of."""
    for key in node.items if isinstance(node, Map) else ():
        steps = (*above, key)
        if any(steps == other[: len(steps)] for other in paths):
            continue
        if any(fnmatchcase(".".join(steps), pattern) for pattern in field.ignored):
            yield path + ".".join(steps)
