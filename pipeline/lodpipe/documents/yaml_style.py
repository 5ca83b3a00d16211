"""A YAML file with its keys in order and in one style; its values and comments are the same.

    - name:   Chess                   - id: chess
      # since 1851             →        name: Chess
      tags: [pub,sport ]                # since 1851
      id: chess                         tags: [pub, sport]

Keys are moved with their comments; blank lines stay between the same places. Quotes, line breaks
and what is written on one line are left to the editor. What is written in another way than line by
line stays as it is.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

import yaml

from lodpipe.documents.key_order import UNORDERED, KeyOrder
from lodpipe.documents.yaml_blocks import Block, Entry, YamlBlocks

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRAILING = re.compile(r"[ \t]+(?=\n)")
_PROPERTY = re.compile(
    r"(?<![^\s,:\[{])[&*][^\s,\[\]{}]+"
)  # an anchor or an alias, or what looks like one
_STEP = 2


def styled_yaml(text: str, order: KeyOrder, *, sort: bool = True) -> str:
    """The text of a YAML file (without a byte-order mark) in order and style; lines end in a line
    feed. Raises yaml.YAMLError where it is no YAML.

    >>> order = KeyOrder(item=KeyOrder({"a": KeyOrder(), "b": KeyOrder()}))
    >>> print(styled_yaml("- b:  1 # one\\n  # two\\n  a: [1,2]\\n", order), end="")
    # two
    - a: [1, 2]
      b: 1 # one
    """
    text = text.replace("\r\n", "\n")
    text = text if text.endswith("\n") or not text else text + "\n"
    root = yaml.compose(text, Loader=_LOADER)
    if root is None:
        return text
    style = _Style(text, root, sort)
    block = style.blocks.block(root)
    if block is None:
        flow = style.flow(root, order)
        start, end = root.start_mark.index, root.end_mark.index
        return text if flow is None else text[:start] + flow + text[end:]
    first, last = block.entries[0], block.entries[-1]
    start = style.blocks.line_start(first.start)
    if text[start : first.start].strip():  # behind `---`, an anchor or a tag
        return text
    block.entries[0] = first._replace(begin=first.start)  # the head of the file stays
    head = _TRAILING.sub("", text[:start])
    tail = text[last.end :]
    return head + " " * block.column + style.rendered(block, order, block.column) + _bare(tail)


def _bare(tail: str) -> str:
    """What follows the records: without blank lines at the end."""
    return f"{tail.rstrip()}\n" if tail.strip() else ""


class _Style:
    """Writes the blocks of a file again."""

    def __init__(self, text: str, root: yaml.Node, sort: bool) -> None:
        self.text, self.sort = text, sort
        self.blocks = YamlBlocks(text)
        self.list_step = self._usual_step(root)

    def _usual_step(self, root: yaml.Node) -> int:
        """How far lists are below their keys in most places: 0 or 2."""
        steps: Counter[int] = Counter()

        def look(node: yaml.Node) -> None:
            block = self.blocks.block(node)
            for entry in block.entries if block else ():
                if entry.is_alias:
                    continue
                below = self.blocks.block(entry.value)
                if block and not block.is_list and below and below.is_list:
                    steps[min(below.column - block.column, _STEP)] += 1
                look(entry.value)

        look(root)
        return 0 if steps[0] > steps[_STEP] else _STEP

    def rendered(self, block: Block, order: KeyOrder, column: int) -> str:
        """The lines of a block at a column, without the spaces before the first one."""
        entries = block.entries
        parts = [self._entry(block, entry, order, column) for entry in entries]
        gaps = [
            "\n" * self.text.count("\n", before.end, after.begin)
            for before, after in itertools.pairwise(entries)
        ]
        numbers = list(range(len(parts)))
        if self.sort and not block.is_list:
            by_order = order.sorted([entry.key for entry in entries])
            if by_order != numbers and self._is_movable(block):
                numbers = by_order
        written = parts[numbers[0]]
        for gap, number in zip(gaps, numbers[1:], strict=True):
            written += gap + " " * column + parts[number]
        return written

    def _is_movable(self, block: Block) -> bool:
        """Whether the entries can be in another order: an alias follows its anchor."""
        begin, end = block.entries[0].start, block.entries[-1].end
        names = _PROPERTY.findall(self.text, begin, end)
        anchors = {name[1:] for name in names if name[0] == "&"}
        return not any(name[1:] in anchors for name in names if name[0] == "*")

    def _entry(self, block: Block, entry: Entry, order: KeyOrder, column: int) -> str:
        """An entry with its comments, without the spaces before its first line."""
        shift = column - block.column
        line = max(entry.begin, self.blocks.line_start(entry.start))
        comments = _commented(self.text[entry.begin : line], column, shift)
        write = self._item if block.is_list else self._field
        body = write(entry, order, column, shift)
        below = _all_shifted(self.text[entry.content : entry.end], shift)
        return f"{comments}{body}{below}"

    def _field(self, entry: Entry, order: KeyOrder, column: int, shift: int) -> str:
        inner = order.below(entry.key)
        name = self.text[entry.start : entry.key_end]
        below = None if entry.is_alias else self.blocks.block(entry.value)
        if below is None:
            return self._raw(f"{name}:", entry.key_end + 1, entry, inner, shift)
        step = self.list_step if below.is_list else _STEP
        begin = below.entries[0].begin
        head_end = self.text.find("\n", entry.key_end) + 1
        if begin < head_end:
            return _shifted(self.text[entry.start : entry.content], shift)
        head = f"{name}{self.text[entry.key_end : head_end].rstrip()}\n"
        between = _all_shifted(self.text[head_end : self.blocks.line_start(begin)], shift)
        lines = self.rendered(below, inner, column + step)
        return f"{head}{between}{' ' * (column + step)}{lines}"

    def _item(self, entry: Entry, order: KeyOrder, column: int, shift: int) -> str:
        inner = order.of_items
        below = None if entry.is_alias else self.blocks.block(entry.value)
        if below is None:
            return self._raw("-", entry.start + 1, entry, inner, shift)
        between = self.text[entry.start + 1 : below.entries[0].start]
        if between.strip(" "):  # a comment, or a line break
            return _shifted(self.text[entry.start : entry.content], shift)
        lines = self.rendered(below, inner, column + _STEP)
        comments = ""  # of the key that is the first one now: behind the dash there is no place
        while lines.startswith(("#", "\n")):
            line, _, lines = lines.partition("\n")
            comments += f"{line}\n" + (" " * column if lines[:1] != "\n" else "")
            lines = lines.lstrip(" ")
        return f"{comments}- {lines}"

    def _raw(self, head: str, at: int, entry: Entry, order: KeyOrder, shift: int) -> str:
        """An entry whose value is no block, with one space before it; what follows it on its line
        stays.
        """
        text = self.text[at : entry.content]
        stripped = text.lstrip(" ")
        if entry.is_alias or not stripped.strip() or stripped.startswith(("\n", "#")):
            return _shifted(head + _TRAILING.sub("", text), shift)
        begin, end = entry.value.start_mark.index, self.blocks.end_of(entry.value)
        if begin != at + len(text) - len(stripped) or len(text) == len(stripped):
            return _shifted(head + text, shift)
        is_short = "\n" not in self.text[begin:end]
        flow = self.flow(entry.value, order) if is_short else None
        rest = self.text[end : entry.content]
        value = self.text[begin:end] if flow is None else flow
        return _shifted(f"{head} {value}{_TRAILING.sub('', rest) if is_short else rest}", shift)

    # -- flow style --------------------------------------------------------------------------------

    def flow(self, node: yaml.Node, order: KeyOrder) -> str | None:
        """A list or a map on one line; None where it has aliases, several lines, or is neither."""
        raw = self.text[node.start_mark.index : node.end_mark.index]
        if not isinstance(node, yaml.CollectionNode) or raw[:1] not in ("[", "{"):
            return None
        if "\n" in raw or "*" in raw or "#" in raw:
            return None
        parts = [*self._flow_parts(node, order)]
        if isinstance(node, yaml.SequenceNode):
            return f"[{', '.join(parts)}]"
        if self.sort:
            keys = [key.value for key, _ in node.value]
            parts = [parts[number] for number in order.sorted(keys)]
        return f"{{{', '.join(parts)}}}"

    def _flow_parts(self, node: yaml.CollectionNode, order: KeyOrder) -> Iterator[str]:
        for part in node.value:
            if not isinstance(part, tuple):
                yield self._flow_value(part, order.of_items)
                continue
            key, value = part
            name = self._flow_value(key, UNORDERED)
            inner = self._flow_value(value, order.below(key.value))
            yield f"{name}: {inner}" if inner else name

    def _flow_value(self, node: yaml.Node, order: KeyOrder) -> str:
        raw = self.text[node.start_mark.index : node.end_mark.index]
        return self.flow(node, order) or raw.strip()


def _shifted(text: str, shift: int) -> str:
    """Text that begins in a line, with its other lines farther in or out."""
    first, end, others = text.partition("\n")
    return first + end + _all_shifted(others, shift)


def _all_shifted(lines: str, shift: int) -> str:
    if not shift:
        return lines
    return "\n".join(_shifted_line(line, shift) for line in lines.split("\n"))


def _shifted_line(line: str, shift: int) -> str:
    if not line.strip():
        return line
    if shift > 0:
        return " " * shift + line
    indent = len(line) - len(line.lstrip(" "))
    return line[min(indent, -shift) :]


def _commented(lines: str, column: int, shift: int) -> str:
    """Comments above an entry at a column, and the spaces before it; without those before the first
    line.
    """
    written = ""
    for line in lines.split("\n")[:-1]:
        text = line.strip()
        indent = max(column, len(line) - len(line.lstrip()) + shift) if text else 0
        written += f"{' ' * indent}{text}\n"
    return f"{written}{' ' * column}"[column:] if written else ""
