"""A JSON or JSON Lines file with its keys in order; its layout and the writing of its values are
the same.

    {"name": "Chess", "id": 1.50}    →    {"id": 1.50, "name": "Chess"}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from lodpipe.documents.key_order import KeyOrder
from lodpipe.documents.readers import read_json
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence

Offset = Callable[[int, int], int]  # of a line and a column, from 1
_DECODER = json.JSONDecoder()


def styled_json(text: str, order: KeyOrder) -> str:
    """The text of a JSON file (without a byte-order mark), with one line end at its end. Raises
    InvalidData where it is no JSON.
    """
    tree = read_json(text, "")
    if tree is None:
        return text
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    ordered = _Ordered(text, lambda line, column: starts[line - 1] + column - 1)
    begin, end = ordered.span(tree)
    return text[:begin] + ordered.value(tree, order) + text[end:].rstrip() + "\n"


def styled_json_lines(text: str, order: KeyOrder) -> str:
    """The same for JSON Lines: one value on each line, no empty lines."""
    lines = (line.strip() for line in text.split("\n"))
    return "".join(styled_json(line, order.of_items) for line in lines if line)


class _Ordered:
    """Values with their keys in order, by the text between them."""

    def __init__(self, text: str, offset: Offset) -> None:
        self.text, self.offset = text, offset

    def span(self, node: Node) -> tuple[int, int]:
        """Where a value begins and ends."""
        begin = self.offset(node.line, node.column)
        return begin, _DECODER.raw_decode(self.text, begin)[1]

    def value(self, node: Node, order: KeyOrder) -> str:
        """The text of a value."""
        begin, end = self.span(node)
        if isinstance(node, Scalar):
            return self.text[begin:end]
        places = [*self._places(node, order)]
        numbers = list(range(len(places)))
        if isinstance(node, Mapping):
            numbers = order.sorted([*node.items])
        at, written = begin, ""
        for (first, last, _), number in zip(places, numbers, strict=True):
            written += self.text[at:first] + places[number][2]
            at = last
        return written + self.text[at:end]

    def _places(self, node: Mapping | Sequence, order: KeyOrder) -> Iterator[tuple[int, int, str]]:
        """Begin, end and new text of each entry."""
        if isinstance(node, Sequence):
            for item in node.items:
                yield *self.span(item), self.value(item, order.of_items)
            return
        for key, value in node.items.items():
            begin = self.offset(*node.keys[key])
            first, last = self.span(value)
            yield begin, last, self.text[begin:first] + self.value(value, order.below(key))
