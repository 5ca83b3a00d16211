"""A file's content as a tree in which every value knows its line and column.

The nodes are msgspec structs: a file has thousands, and a dataclass takes four times as long to make.
"""

from __future__ import annotations

from msgspec import Struct, field


class Scalar(Struct):
    """A single value: its text as written (None for null), its value as an editor sees it, and its
    place.
    """

    text: str | None
    value: str | int | float | bool | None
    line: int
    column: int


class Sequence(Struct):
    """A list of nodes."""

    items: list[Node]
    line: int
    column: int


class Mapping(Struct):
    """A map of nodes; `keys` holds the line and column of each key."""

    items: dict[str, Node]
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    line: int = 0
    column: int = 0


Node = Scalar | Sequence | Mapping
JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


def value_of(node: Node) -> JsonValue:
    """The plain Python value of a node, as a JSON reader would give it."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [item.value if isinstance(item, Scalar) else value_of(item) for item in node.items]
    return {
        key: item.value if isinstance(item, Scalar) else value_of(item)
        for key, item in node.items.items()
    }


def node_at(node: Node, path: list[str | int]) -> Node:
    """The value at a path below the node, or the nearest part of the path that exists."""
    for step in path:
        if isinstance(node, Mapping) and step in node.items:
            node = node.items[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def place_of(node: Node, path: list[str | int]) -> tuple[int, int]:
    """Line and column of the value at a path below the node, or of the nearest part of the path
    that exists.

    >>> tree = Mapping({"a": Scalar("1", 1, 3, 6)}, {"a": (3, 3)}, 3, 3)
    >>> place_of(tree, ["a"]), place_of(tree, ["b"])
    ((3, 6), (3, 3))
    """
    located = node_at(node, path)
    return located.line, located.column


def describe(node: Node) -> str:
    """What a node is, in a word that an editor understands."""
    if isinstance(node, Mapping):
        return "a map"
    if isinstance(node, Sequence):
        return "a list"
    names = {
        str: "text",
        int: "a number",
        float: "a number",
        bool: "true/false",
        type(None): "nothing",
    }
    return names[type(node.value)]
