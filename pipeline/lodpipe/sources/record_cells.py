"""What a cell of a record table has: a value of the record, or of what is around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

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


Cell = Callable[[Node, Place], str | None]


def cell_of(column: Column) -> Cell:
    """What gives the text of a cell: looked up, replaced by `values`, or the default."""
    entry, path = column.field, column.path
    if entry.is_outside or entry.values is not None or entry.default is not None:
        values = entry.values or {}

        def cell(node: Node, place: Place) -> str | None:
            text = written(node, column, place)
            text = text if text is None else values.get(text, text)
            return entry.default if text is None else text

        return cell
    if len(path) != 1:
        return lambda node, _: text_at(node, path)
    key = path[0]

    def plain(node: Node, _: Place) -> str | None:
        value = node.items.get(key) if type(node) is Map else None
        return value.text if type(value) is Scalar else None

    return plain


CellPlace = Callable[[Node], tuple[int, int]]


def cell_place(column: Column) -> CellPlace:
    """What gives line and column of a cell, or of the nearest part of its path that exists; 0 and 0
    where that is the record.
    """
    path = column.path
    if column.is_outside or not path:
        return lambda _: (0, 0)

    def place(node: Node) -> tuple[int, int]:
        located = node
        for step in path:
            value = located.items.get(step) if type(located) is Map else None
            if value is None:
                break
            located = value
        return (0, 0) if located is node else (located.line, located.column)

    return place


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


# -- records as files have them --------------------------------------------------------------------


def as_written(field: Field) -> Field:
    """A field with the keys that files have: other names are replaced, and what is taken out of a
    nested map is in a map. What no key of a record holds is left out.
    """
    if field.item is not None:
        return replace(field, item=as_written(field.item))
    if field.kind != "map":
        return field
    fields: dict[str, Field] = {}
    inside = [
        (entry.source or (name,), replace(as_written(entry), source=()))
        for name, entry in field.fields.items()
        if not entry.is_outside
    ]
    # A map that is a field comes before what other fields take out of it.
    for path, entry in sorted(inside, key=lambda item: len(item[0])):
        _insert(fields, path, entry)
    ignored = []
    for pattern in field.ignored:
        first, dot, rest = pattern.partition(".")
        if dot and first in fields and fields[first].kind == "map":
            inner = fields[first]
            fields[first] = replace(inner, ignored=(*inner.ignored, rest))
        else:
            ignored.append(pattern)
    return replace(field, fields=fields, ignored=tuple(ignored))


def _insert(fields: dict[str, Field], path: tuple[str, ...], field: Field) -> None:
    """Puts a field at a path of keys, with the maps on the way."""
    first, *rest = path
    if not rest:
        fields[first] = field
        return
    above = fields.get(first) or Field("map")
    below = dict(above.fields)
    _insert(below, tuple(rest), field)
    fields[first] = replace(
        above,
        fields=below,
        required=above.required or field.required,
        may_be_empty=above.may_be_empty or field.may_be_empty,
    )


def is_like(pattern: str, key: str) -> bool:
    """Whether a key fits a pattern, in which `*` stands for any letters.

    >>> is_like("x-*", "x-1"), is_like("x", "x-1")
    (True, False)
    """
    return re.fullmatch(expression_of(pattern), key, re.DOTALL) is not None


def expression_of(pattern: str) -> str:
    """The regular expression of a pattern of keys.

    >>> expression_of("a*z")
    '^a.*z$'
    """
    return "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"


# -- what is no value ------------------------------------------------------------------------------

Reading = Callable[[Node], Node | None]


def reading_of(field: Field) -> Reading | None:
    """What reads a value of a written field: without the empty values that count as absent (None
    for itself), and with the written text of values of the type `any`; places stay. None where
    nothing of that is declared.
    """
    inner = _reading_of_parts(field)
    if not field.may_be_empty:
        return inner

    def read(node: Node) -> Node | None:
        value = inner(node) if inner else node
        return None if value is None or is_empty(value) else value

    return read


def _reading_of_parts(field: Field) -> Reading | None:
    """The same for what is in a value."""
    if field.kind == "map":
        of_keys = {name: reading_of(entry) for name, entry in field.fields.items()}
        readings = {name: reading for name, reading in of_keys.items() if reading}
        return (lambda node: _read_map(node, readings.get)) if readings else None
    if field.item is not None:
        item = reading_of(field.item)
        if item is None:
            return None
        of_item = item
        if field.kind == "keyed":
            return lambda node: _read_map(node, lambda _: of_item)
        return lambda node: _read_list(node, of_item)
    return _as_text if field.target == "any" else None


def is_empty(node: Node) -> bool:
    """Whether a node holds nothing: null, a text without a visible letter, no items."""
    if isinstance(node, Scalar):
        return node.text is None or (isinstance(node.value, str) and not node.text.strip())
    return not node.items


def _as_text(node: Node) -> Node:
    if isinstance(node, Scalar) and node.text is not None and not isinstance(node.value, str):
        return Scalar(node.text, node.text, node.line, node.column)
    return node


def _read_list(node: Node, reading: Reading) -> Node:
    if not isinstance(node, Sequence):
        return node
    items = [item for item in map(reading, node.items) if item is not None]
    return Sequence(items, node.line, node.column)


def _read_map(node: Node, reading_at: Callable[[str], Reading | None]) -> Node:
    """A map, a copy where one of its values has changed."""
    if not isinstance(node, Map):
        return node
    changed: dict[str, Node | None] = {}
    for key, value in node.items.items():
        if reading := reading_at(key):
            other = reading(value)
            if other is not value:
                changed[key] = other
    if not changed:
        return node
    several: dict[str, Node | None] = {**node.items, **changed}
    items = {key: value for key, value in several.items() if value is not None}
    return Map(items, node.keys, node.line, node.column)


# -- keys that are not read ------------------------------------------------------------------------

Counting = Callable[[Node], Iterator[str]]


def unread_of(field: Field, path: str = "") -> Counting | None:
    """What gives the paths of keys in a value of a written field that `ignore` names, once for each
    time; None where it names none.
    """
    if field.item is not None:
        item = unread_of(field.item, path)
        if item is None:
            return None
        of_item = item
        return lambda node: (key for part in _parts(node) for key in of_item(part))
    of_keys = {name: unread_of(entry, f"{path}{name}.") for name, entry in field.fields.items()}
    inner = {name: counting for name, counting in of_keys.items() if counting}
    if not inner and not field.ignored:
        return None
    ignored = re.compile("|".join(map(expression_of, field.ignored)) or "(?!)", re.DOTALL)

    def unread(node: Node) -> Iterator[str]:
        for key, value in node.items.items() if isinstance(node, Map) else ():
            if counting := inner.get(key):
                yield from counting(value)
            elif key not in of_keys and ignored.fullmatch(key):
                yield path + key

    return unread


def _parts(node: Node) -> Iterable[Node]:
    """The items of a list, the entries of a map."""
    if isinstance(node, Sequence):
        return node.items
    return node.items.values() if isinstance(node, Map) else ()
