"""The text of a YAML file with other values; comments, order and style of all else stay.

    - id: chess # the first                  - id: chess # the first
      tags: [pub]                   →          name: Chess
                                               tags: [pub, sport]

A copy of the tree has the values as they are to be: nodes with a place are those that were read,
nodes without one (line 0) are new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import yaml

from lodpipe.diagnostics.finding import InvalidData, Origin
from lodpipe.documents.key_order import KeyOrder
from lodpipe.documents.readers import read_yaml
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar
from lodpipe.documents.tree import Sequence as List
from lodpipe.documents.yaml_blocks import Block, YamlBlocks
from lodpipe.workflow.linking.review_file import scalar
from lodpipe.workflow.record_appending import block, flow, not_changeable

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Edit(NamedTuple):
    """New text between two offsets."""

    begin: int
    end: int
    text: str


def copied(node: Node) -> Node:
    """A tree of its own, with the places of the nodes."""
    if isinstance(node, Scalar):
        return Scalar(node.text, node.value, node.line, node.column)
    if isinstance(node, List):
        return List([copied(item) for item in node.items], node.line, node.column)
    items = {key: copied(value) for key, value in node.items.items()}
    return Map(items, dict(node.keys), node.line, node.column)


def plain(node: Node | None) -> object:
    """A node without its places: values as they are written."""
    if node is None or isinstance(node, Scalar):
        return node and (node.text, isinstance(node.value, str))
    if isinstance(node, Map):
        return {key: plain(value) for key, value in node.items.items()}
    return [plain(item) for item in node.items]


def with_tree(text: str, file: str, new: Node, order: KeyOrder) -> str:
    """The text of a file (without a byte-order mark) with the values of another tree; new keys are
    put where the order has them. Raises InvalidData (LP725) where that is not possible.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    content = text.replace("\r\n", "\n")
    content = content if content.endswith("\n") else content + "\n"
    old, root = read_yaml(content, file), yaml.compose(content, Loader=_LOADER)
    if old is None or root is None:
        raise _not_editable(file, 1)
    edits = sorted(_Edits(content, file).value(root, old, new, order))
    parts, at = [], 0
    for edit in edits:
        if edit.begin < at:
            raise _not_editable(file, content.count("\n", 0, edit.begin) + 1)
        parts += [content[at : edit.begin], edit.text]
        at = edit.end
    changed = "".join([*parts, content[at:]])
    try:
        is_meant = plain(read_yaml(changed, file)) == plain(new)
    except InvalidData:
        is_meant = False
    if not is_meant:
        raise _not_editable(file, 0)
    return changed.replace("\n", end)


def _not_editable(file: str, line: int) -> InvalidData:
    return not_changeable(Origin(file, line), "it is written in a way that the program cannot edit",
                          "sie ist so geschrieben, dass das Programm sie nicht bearbeiten kann")  # fmt: skip


class _Edits:
    """What changes in a text so that it holds another tree."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.blocks = YamlBlocks(text)

    def value(self, node: yaml.Node, old: Node, new: Node, order: KeyOrder) -> Iterator[_Edit]:
        """The edits of a value."""
        if plain(old) == plain(new):
            return
        lines = self.blocks.block(node)
        if lines and isinstance(old, Map) and isinstance(new, Map) and new.items:
            yield from self._map(lines, old, new, order)
        elif lines and isinstance(old, List) and isinstance(new, List) and new.items:
            yield from self._list(lines, old, new, order)
        else:
            yield self._replaced(node, new)

    def _map(self, lines: Block, old: Map, new: Map, order: KeyOrder) -> Iterator[_Edit]:
        remaining = [entry for entry in lines.entries if entry.key in new.items]
        if not remaining:
            raise _not_editable(self.file, old.line)
        for number, entry in enumerate(lines.entries):
            if entry.key not in new.items:
                yield self._removed(lines, number)
                continue
            before, after = old.items[entry.key], new.items[entry.key]
            if entry.is_alias and plain(before) != plain(after):
                raise _not_editable(self.file, old.line)
            if not entry.is_alias:
                yield from self.value(entry.value, before, after, order.below(entry.key))
        ranks = {key: rank for rank, key in enumerate(order.keys)}
        added: dict[int, list[str]] = {}
        for key, value in sorted(new.items.items(), key=lambda item: ranks.get(item[0], len(ranks))):  # fmt: skip
            if key not in old.items:
                rank = ranks.get(key, len(ranks))
                above = [entry for entry in remaining if ranks.get(entry.key, -1) <= rank]
                at = max((entry.end for entry in above), default=remaining[0].end)
                added.setdefault(at, []).extend(block(Map({key: value})))
        for at, written in added.items():
            yield _Edit(at, at, _indented(written, lines.column))

    def _list(self, lines: Block, old: List, new: List, order: KeyOrder) -> Iterator[_Edit]:
        numbers = {(item.line, item.column): number for number, item in enumerate(old.items)}
        remaining: dict[int, Node] = {}
        added: dict[int, list[str]] = {}
        last = -1
        for item in new.items:
            number = numbers.get((item.line, item.column)) if item.line else None
            if number is not None and number > last:
                last = number
                remaining[number] = item
            else:
                written = list(block(item)) if isinstance(item, Map) else [flow(item)]
                dashed = [f"{'  ' if at else '- '}{line}" for at, line in enumerate(written)]
                added.setdefault(last, []).extend(dashed)
        for number, entry in enumerate(lines.entries):
            if number not in remaining:
                yield self._removed(lines, number)
            elif entry.is_alias:
                if plain(old.items[number]) != plain(remaining[number]):
                    raise _not_editable(self.file, old.line)
            else:
                yield from self.value(
                    entry.value, old.items[number], remaining[number], order.of_items
                )
        for after, dashed in added.items():
            if after < 0 and not remaining:
                first = lines.entries[0]
                if first.begin > self.blocks.line_start(first.begin):
                    raise _not_editable(self.file, old.line)
                at = first.begin
            else:
                at = lines.entries[max(after, 0)].end
            yield _Edit(at, at, _indented(dashed, lines.column))

    def _removed(self, lines: Block, number: int) -> _Edit:
        """An entry goes with its comments; the blank lines above it too, if others are below it."""
        entry = lines.entries[number]
        line = self.blocks.line_start(entry.begin)
        if number == 0 and self.text[line : entry.begin].strip():  # behind a dash
            if len(lines.entries) == 1:
                raise _not_editable(self.file, 0)
            return _Edit(entry.begin, lines.entries[1].start, "")
        begin = line
        end = entry.end
        if number + 1 < len(lines.entries):
            end += self._blank(end)
        else:
            while begin > 1 and self.text[begin - 2 : begin] == "\n\n":
                begin -= 1
        return _Edit(begin, end, "")

    def _blank(self, at: int) -> int:
        """How many blank lines are at an offset, as characters."""
        count = 0
        while self.text[at + count : at + count + 1] == "\n":
            count += 1
        return count

    def _replaced(self, node: yaml.Node, new: Node) -> _Edit:
        """A whole value, written on one line; a text of several lines as it was before."""
        begin, end = node.start_mark.index, self.blocks.end_of(node)
        raw = self.text[begin:end]
        if "#" in raw and not isinstance(node, yaml.ScalarNode):
            raise _not_editable(self.file, node.start_mark.line + 1)  # it may be a comment
        if isinstance(node, yaml.ScalarNode) and isinstance(new, Scalar):
            written = self._scalar(node, raw, new)
        elif isinstance(node, yaml.CollectionNode) and not node.flow_style:
            raise _not_editable(self.file, node.start_mark.line + 1)
        else:
            written = flow(new)
        space = " " if begin and self.text[begin - 1] in ":-" else ""
        return _Edit(begin, end, space + written)

    def _scalar(self, node: yaml.ScalarNode, raw: str, new: Scalar) -> str:
        value = new.value
        if not isinstance(value, str):
            return new.text or "null"
        several = value.removesuffix("\n").split("\n")
        if len(several) > 1 and node.style == "|" and all(x and x == x.strip() for x in several):
            line = self.text[self.blocks.line_start(node.start_mark.index) :]
            below = raw.split("\n")[1:2] or [line]
            indent = " " * (len(below[0]) - len(below[0].lstrip(" ")))
            head = "|" if value.endswith("\n") else "|-"
            return f"{head}\n" + "\n".join(f"{indent}{one_line}" for one_line in several)
        if raw[:1] == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return scalar(value)


def _indented(lines: Sequence[str], column: int) -> str:
    return "".join(f"{' ' * column}{line}\n" if line else "\n" for line in lines)
