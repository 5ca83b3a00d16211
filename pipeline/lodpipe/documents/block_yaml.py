"""Reads YAML of the plainest form line by line, faster than libyaml makes Python objects.

    id: ann                    a key and a value on one line
    roles:                     a key above a map or a list of block style
    - type: mayor
      start: '2020-01-01'      quoted, with the usual escapes
    documents: [a, b-c]        a list of words
    note: a text without quotes
      that goes on             in lines that are indented deeper

Whatever else a text has (other flow collections, block scalars, other values of several lines,
comments after values, anchors, tags, tabs, mistakes) is no business of this module: it then gives
None for the whole text, and libyaml reads it. Tests compare the trees of both.
"""

from __future__ import annotations

import re

from lodpipe.documents.core_schema import MAY_BE_TYPED, typed
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence

# What is no printable character of YAML 1.2 (5.1), breaks lines elsewhere, or marks a byte order.
_UNUSUAL = re.compile(
    "[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# Of each line: indentation, a dash, a key, its colon, and the rest.
_LINES = re.compile(r"^( *)(- +)?(?:(\w[\w .-]*)(:(?: +|$)))?(.*)$", re.MULTILINE)
# What a plain value does not begin with.
_INDICATORS = frozenset(" -?:,[]{}#&*!|>'\"%@`\xa0")
_NUMBER = re.compile(r"-[^\s\-]")
_QUOTED = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"\\]|\\(?:["\\nt]|x[0-9A-Fa-f]{2}|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}))*\""""
)
_ESCAPE = re.compile(r"\\(?:x(..)|u(....)|(.))")
_LETTERS = {"n": "\n", "t": "\t"}
_WORDS = re.compile(r"\[(?:\w[\w./-]*(?:, *\w[\w./-]*)*)?\]")
_WORD = re.compile(r"\w[\w./-]*")
_MOST_LINES = 100  # of a value; it is put together again with each of them
_LONGEST_KEY = 1000  # characters; YAML allows 1024 for one that needs no `?`


class _Unusual(Exception):
    """The text has something that libyaml has to read."""


def read_block_yaml(text: str, most_depth: int, most_length: int) -> Node | None:
    """The document of a plain YAML text; None where it is not plain, is empty, nests deeper than
    `most_depth`, or is longer than `most_length`.

    >>> read_block_yaml("a: x\\n", 9, 99)
    Mapping(items={'a': Scalar(text='x', value='x', line=1, column=4)}, keys={'a': (1, 1)}, line=1, column=1)
    >>> read_block_yaml("a: |\\n  x\\n", 9, 99)
    """
    is_printable = text.replace("\n", "").isprintable()  # quick, and at times too careful
    if len(text) > most_length or not (is_printable or not _UNUSUAL.search(text)):
        return None
    try:
        return _Blocks(most_depth).read(text)
    except _Unusual:
        return None


class _Blocks:
    """The open maps and lists, the outermost first, each with its indentation."""

    def __init__(self, most_depth: int) -> None:
        self._most = most_depth - 1  # a list of words is one level more
        self._open: list[tuple[int, Mapping | Sequence]] = []
        self._root: Mapping | Sequence | None = None
        # The map, its indentation and its last key, where a map or list below may be its value.
        self._waiting: tuple[Mapping, int, str] | None = None

    def read(self, text: str) -> Node | None:
        """The root of a text. Raises _Unusual."""
        top: Mapping | Sequence = Sequence([], 0, 0)
        level = -1
        lines = _LINES.findall(text)
        for number, (spaces, dash, key, colon, rest) in enumerate(lines, 1):
            if not key and not dash:
                if rest and rest[0] != "#":
                    if len(spaces) <= level:
                        raise _Unusual
                    _continue(top, lines, number)
                continue
            indent = len(spaces)
            if dash or level != indent or self._waiting or isinstance(top, Sequence):
                top, level = self._line(indent, dash, key, number)
            if isinstance(top, Sequence):
                if not rest:
                    raise _Unusual
                top.items.append(_value(rest, number, level + len(dash) + 1))
            elif key in top.items or key[-1] == " " or len(key) > _LONGEST_KEY:
                raise _Unusual
            else:
                top.keys[key] = number, level + 1
                if rest:
                    place = level + len(key) + len(colon) + 1
                    top.items[key] = _value(rest, number, place)
                else:  # a map or list that follows may be the value
                    top.items[key] = Scalar(None, None, number, level + len(key) + 2)
                    self._waiting = top, level, key
        return self._root

    def _line(
        self, indent: int, dash: str, key: str, number: int
    ) -> tuple[Mapping | Sequence, int]:
        """The map of a key, or the list of a value, that a line adds, and its indentation.

        Raises _Unusual where none is open there.
        """
        block = self._block(indent, bool(dash), number)
        if isinstance(block, Mapping) or not key:
            return block, indent
        inner = indent + len(dash)
        item = Mapping({}, {}, number, inner + 1)
        block.items.append(item)
        self._begin(inner, item)
        return item, inner

    def _block(self, indent: int, is_list: bool, number: int) -> Mapping | Sequence:
        """The block of a kind that is open at an indentation, or that begins there."""
        waiting, self._waiting = self._waiting, None
        if (waiting and indent >= waiting[1] + (not is_list)) or self._root is None:
            column = indent + 1
            begun = Sequence([], number, column) if is_list else Mapping({}, {}, number, column)
            if waiting:
                waiting[0].items[waiting[2]] = begun
            else:
                self._root = begun
            self._begin(indent, begun)
            return begun
        while self._open and self._open[-1][0] > indent:
            self._open.pop()
        if not is_list and self._open and isinstance(self._open[-1][1], Sequence):
            self._open.pop()  # a list need not be indented deeper than the key above it
        level, block = self._open[-1] if self._open else (-1, self._root)
        if level != indent or isinstance(block, Sequence) != is_list:
            raise _Unusual
        return block

    def _begin(self, indent: int, block: Mapping | Sequence) -> None:
        if len(self._open) >= self._most:
            raise _Unusual
        self._open.append((indent, block))


def _continue(top: Mapping | Sequence, lines: list[tuple[str, ...]], number: int) -> None:
    """Adds a line to the plain value above it, the last one of a block. Raises _Unusual."""
    first = number - 1  # the line of the value, counted from 0
    parts = []
    while first >= 0 and not (lines[first][1] or lines[first][2]):  # no dash, no key
        parts.append(lines[first][4].rstrip(" "))
        first -= 1
        if first < 0 or len(parts) > _MOST_LINES:
            raise _Unusual
    key = next(reversed(top.items)) if isinstance(top, Mapping) else -1
    value: Node = top.items[key]  # type: ignore[index]  # a key or a place of its own
    parts.append(lines[first][4].rstrip(" "))
    is_plain = all(part and part[0] not in _INDICATORS and part[-1] != ":" for part in parts)
    if not is_plain or not isinstance(value, Scalar) or value.line != first + 1:
        raise _Unusual
    whole = _value(" ".join(reversed(parts)), value.line, value.column)
    top.items[key] = whole  # type: ignore[index]


def _value(text: str, line: int, column: int) -> Node:
    """The value that a line ends with. Raises _Unusual."""
    if text[-1] == " ":
        text = text.rstrip(" ")
    if text[0] not in _INDICATORS or _NUMBER.match(text):
        if ": " in text or " #" in text or text[-1] == ":":
            raise _Unusual
        if text[0] in MAY_BE_TYPED:
            return typed(text, line, column)
        return Scalar(text, text, line, column)
    if _QUOTED.fullmatch(text):
        inner = text[1:-1]
        if text[0] == "'":
            inner = inner.replace("''", "'")
        elif "\\" in inner:
            inner = _ESCAPE.sub(_escaped, inner)
        return Scalar(inner, inner, line, column)
    if _WORDS.fullmatch(text):
        items: list[Node] = [
            typed(word[0], line, column + word.start()) for word in _WORD.finditer(text)
        ]
        return Sequence(items, line, column)
    raise _Unusual


def _escaped(match: re.Match[str]) -> str:
    """The character of an escape."""
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _LETTERS.get(match[3], match[3])
