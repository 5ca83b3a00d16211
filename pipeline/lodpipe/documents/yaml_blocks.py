"""Where the entries of block maps and block lists are in the text of a YAML file, with the comments
that belong to them.

    # the first club         ← comment of the item below it
    - id: chess              ← entry `id`
      name: Chess            ← entry `name`: its line, and the deeper comments behind it
        # also a school

      town: oak              ← entry `town`; the blank line above it is a gap, and part of no entry

What is written in another way (flow style, `? key`, anchors of maps) has no entries.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

_IDLE = re.compile(r"[ \t]*(#.*)?$")
_ALIAS = re.compile(r"\*[^\s,\[\]{}]+")


class Entry(NamedTuple):
    """An entry of a map, or an item of a list, by offsets in the text.

    `begin` is where its comments begin, `start` where its key or its dash is, `content` the end of
    its last line of content, `end` that of the deeper comments below; both are starts of lines.
    """

    begin: int
    start: int
    content: int
    end: int
    key: str
    key_end: int
    value: yaml.Node
    is_alias: bool = False


class Block(NamedTuple):
    """The entries of a block map or list, and the column of its keys or dashes, from 0."""

    column: int
    entries: list[Entry]
    is_list: bool


class YamlBlocks:
    """The blocks of a text whose lines end in a line feed, and whose last one does."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._blocks: dict[int, Block | None] = {}
        self._ends: dict[int, int] = {}

    def block(self, node: yaml.Node) -> Block | None:
        """The entries of a node; None where it is no block, or is written in another way."""
        number = id(node)
        if number not in self._blocks:
            self._blocks[number] = self._read(node)
        return self._blocks[number]

    def _read(self, node: yaml.Node) -> Block | None:
        if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
            return None
        mark = node.start_mark
        is_list = isinstance(node, yaml.SequenceNode)
        entries: list[Entry] = []
        start = mark.index
        begin = self._comments_above(start, mark.column)
        for number, part in enumerate(node.value):
            last = number == len(node.value) - 1
            entry = self._entry(part, begin, start, mark.column)
            if entry is None:
                return None
            following = None if last else self._following(entry, mark.column)
            if following is None and not last:
                return None
            end, begin, start = following or (entry.end, 0, 0)
            entries.append(entry._replace(end=end))
        entries[-1] = self._with_deeper_comments(entries[-1], mark.column)
        return Block(mark.column, entries, is_list)

    def _entry(self, part: object, begin: int, start: int, column: int) -> Entry | None:
        """An entry that begins at an offset, without the comments behind it."""
        if isinstance(part, tuple):
            key, value = part
            if not isinstance(key, yaml.ScalarNode) or key.start_mark.index != start:
                return None
            name, key_end = key.value, key.end_mark.index
            if self.text[key_end : key_end + 1] != ":":
                return None
            behind = key_end + 1
        else:
            value = part  # the item of a list
            name, key_end = "", start
            if self.text[start : start + 1] != "-":
                return None
            behind = start + 1
        is_alias = value.start_mark.index < behind
        if is_alias:
            match = _ALIAS.match(self.text, self._skipped_spaces(behind))
            if not match:
                return None
            end = match.end()
        else:
            end = max(behind, self.end_of(value))
        below = None if is_alias else self.block(value)
        content = below.entries[-1].end if below else self._next_line(end)
        return Entry(begin, start, content, content, name, key_end, value, is_alias)

    def end_of(self, node: yaml.Node) -> int:
        """Where the content of a node ends; the start of a line behind a block scalar."""
        number = id(node)
        if number not in self._ends:
            self._ends[number] = self._end(node)
        return self._ends[number]

    def _end(self, node: yaml.Node) -> int:
        end: int = node.end_mark.index
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            inner = [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]  # fmt: skip
            begin = node.start_mark.index
            ends = [self.end_of(part) for part in inner if part.start_mark.index >= begin]
            return max([begin, *ends])
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            keeps = "+" in self.text[node.start_mark.index : self._next_line(node.start_mark.index)]
            while not keeps and end > 0 and self.text[end - 1].isspace():
                end -= 1
        return end

    # -- lines -------------------------------------------------------------------------------------

    def _next_line(self, offset: int) -> int:
        """The start of the line behind an offset; the offset itself where it is one."""
        if offset and self.text[offset - 1] == "\n":
            return offset
        return self.text.find("\n", offset) + 1 or len(self.text)

    def line_start(self, offset: int) -> int:
        """The start of the line that an offset is in."""
        return self.text.rfind("\n", 0, offset) + 1

    def _skipped_spaces(self, offset: int) -> int:
        while self.text[offset : offset + 1] == " ":
            offset += 1
        return offset

    def _line(self, offset: int) -> str:
        return self.text[offset : self._after(offset)]

    def _after(self, offset: int) -> int:
        """The start of the next line."""
        return self.text.find("\n", offset) + 1 or len(self.text)

    def _comments_above(self, start: int, column: int) -> int:
        """Where the comments directly above a key begin, if it is the first on its line."""
        begin = self.line_start(start)
        if self.text[begin:start].strip() or begin == 0:
            return start
        while begin > 0:
            above = self.line_start(begin - 1)
            line = self.text[above:begin]
            if not line.lstrip().startswith("#") or _indent(line) < column:
                break
            begin = above
        return begin

    def _deeper(self, offset: int, column: int) -> int:
        """The end of the comments at an offset that are deeper than a column."""
        end, at = offset, offset
        while at < len(self.text):
            line = self._line(at)
            if line.strip() and (_indent(line) <= column or not line.lstrip().startswith("#")):
                break
            at = self._after(at)
            end = at if line.strip() else end
        return end

    def _with_deeper_comments(self, entry: Entry, column: int) -> Entry:
        return entry._replace(end=self._deeper(entry.end, column))

    def _following(self, entry: Entry, column: int) -> tuple[int, int, int] | None:
        """The end of an entry with its deeper comments, and begin and start of the next one; None
        where there is something else between them.
        """
        end = at = self._deeper(entry.content, column)
        begin = -1
        while at < len(self.text):
            line = self._line(at)
            if not _IDLE.match(line.rstrip("\n")):
                break
            if begin < 0 and line.strip():
                begin = at
            at = self._after(at)
        start = at + column
        if self.text[at:start].strip(" ") or self.text[start : start + 1] in ("", " ", "\n"):
            return None
        return end, at if begin < 0 else begin, start


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
