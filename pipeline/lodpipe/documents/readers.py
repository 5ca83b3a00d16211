"""Reads YAML, JSON and JSON Lines into trees with line numbers; every problem becomes a finding
with its place.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C string scanner; absent from the type stubs
from pathlib import Path, PurePath

import yaml

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    Origin,
    SourceError,
)
from lodpipe.documents.block_yaml import read_block_yaml
from lodpipe.documents.core_schema import typed
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence
from lodpipe.documents.yaml_mistakes import likely_mistake


@dataclass(frozen=True)
class Limits:
    """What a file may be before it counts as a mistake or an attack: `limits` in publication.yaml."""

    file: int = 200 * 1024 * 1024  # bytes
    depth: int = 60  # levels of nesting
    expansion: int = 20  # times that a file may grow by its anchors
    value: int = 1_000_000  # characters of one value
    time: int = 0  # seconds for a whole run, 0: no bound
    query: int = 60  # seconds for a sample query


# A context variable, because a file is read at the end of many calls that know nothing of limits.
_LIMITS: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039  # frozen


@contextlib.contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Reads files within these limits."""
    token = _LIMITS.set(limits)
    try:
        yield
    finally:
        _LIMITS.reset(token)


_AT_ONCE = 1_000_000  # bytes, of a file that is larger than it was
_PLAIN = "tag:yaml.org,2002:str"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # one of two
    """PyYAML's parser without its types: they are those of YAML 1.1, and `typed` gives others.

    What it would look up for each node costs as much as parsing.
    """

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        """The tag of a node that has none."""
        return _PLAIN

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        """Nothing: tags do not depend on the place."""

    def ascend_resolver(self) -> None:
        """Nothing, as above."""


_MOST_DIGITS = 300
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) .*", re.M)
_BRACKETS = re.compile(r"[][{}]")


def read_text(path: Path, name: str) -> str:
    """The file's text without its byte-order mark.

    Raises SourceError where it cannot be read (LP106), InvalidData where it is too large (LP104) or
    not UTF-8 (LP101).
    """
    return decoded(read_bytes(path, name), name)


def read_bytes(path: Path | str, name: str) -> bytes:
    """The bytes of a file. Raises SourceError where it cannot be read (LP106), InvalidData where it
    is too large (LP104).
    """
    most = _LIMITS.get().file
    try:
        # A third of the time that a file object takes, of many files.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            data = _content(handle, most)
        finally:
            os.close(handle)
    except OSError as error:
        raise unreadable(name, error) from None
    if len(data) > most:
        raise InvalidData(
            [Finding("LP104", Origin(name), {"detail": "size", "limit": f"{most:,} bytes"})]
        )
    return data


def _content(handle: int, most: int) -> bytes:
    """What an open file has, up to one byte more than `most`; room for no more than its size is
    made at first.
    """
    size = os.fstat(handle).st_size
    data = os.read(handle, min(size, most) + 1)
    while len(data) != size and len(data) <= most:
        more = os.read(handle, min(_AT_ONCE, most + 1 - len(data)))
        if not more:
            break
        data += more
    return data


def decoded(data: bytes, name: str) -> str:
    """The text of a file's bytes without its byte-order mark. Raises InvalidData (LP101) where they
    are not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        detail = f"byte 0x{data[error.start]:02x}"
        raise InvalidData(
            [Finding("LP101", Origin(name, line), {"file": name, "detail": detail})]
        ) from None
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise InvalidData([merge_conflict(Origin(name, line), conflict[0])])
    return text


def merge_conflict(where: Origin, marker: str) -> Finding:
    """A file in which version control left the two sides of a conflict (LP565)."""
    return Finding("LP565", where, {"value": marker})


def is_conflict_marker(line: str) -> bool:
    """Whether a line is one that version control writes before, between or after the two sides.

    >>> is_conflict_marker("<<<<<<< HEAD"), is_conflict_marker("======="), is_conflict_marker("<<b>>")
    (True, True, False)
    """
    return bool(_CONFLICT.match(line)) or line.rstrip("\r\n") == "======="


def current_limits() -> Limits:
    """The limits within which files are read now."""
    return _LIMITS.get()


def file_limit() -> int:
    """The most bytes that a file may have to be read at once."""
    return _LIMITS.get().file


def unreadable(name: str, error: OSError) -> SourceError:
    """What the system says of a file that cannot be read (LP106)."""
    return SourceError(
        [Finding("LP106", Origin(name), {"file": name, "detail": error.strerror or str(error)})]
    )


def is_hidden(below: PurePath) -> bool:
    """Whether a file is hidden, or an editor's lock or copy: such files are no part of a project.

    >>> [is_hidden(PurePath(name)) for name in ("a/.#cafes.yaml", ".~lock.towns.csv#", "a/cafes.yaml~", "a/cafes.yaml")]
    [True, True, True, False]
    """
    return any(map(is_hidden_name, below.parts))


def is_hidden_name(name: str) -> bool:
    """The same for the name of one file or folder."""
    return name.startswith((".", "#", "~$")) or name.endswith(("~", ".swp"))


def inside(path: Path, root: Path, name: str) -> Path:
    """The path itself; raises InvalidDeclaration (LP107) where links lead it out of the root."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise InvalidDeclaration([Finding("LP107", Origin(name), {"path": name})])
    return path


def read_yaml(text: str, name: str) -> Node | None:
    """The one document of a YAML file, None where the file holds nothing.

    Plain scalars follow YAML 1.2's core schema, so `no` is a text and a date stays the text it is;
    the written form of numbers is kept beside their value, so `01` loses no zero. Raises
    InvalidData (LP102, LP103, LP104).
    """
    limits = _LIMITS.get()
    # A text without aliases has fewer nodes than characters.
    if limits.expansion and (root := read_block_yaml(text, limits.depth, limits.value)) is not None:
        return root
    return composed(text, name)


def composed(text: str, name: str) -> Node | None:
    """The document of any YAML file, from libyaml. Raises InvalidData (LP102, LP103, LP104)."""
    depth = _LIMITS.get().depth
    if _looks_deep(text, depth):
        _check_depth(text, name, depth)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        unclosed = "end of stream" in (
            error.problem or ""
        )  # an unclosed bracket or quote is fixed where it was opened
        mark = (
            (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        )
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        detail = error.problem or str(error)
        if mistake := likely_mistake(text, line, detail):
            line, column, detail = mistake
        raise _syntax(name, "YAML", detail, line, column) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _syntax(
            name, "YAML", f"character {_hex(error.character)} is not allowed", line
        ) from None
    except RecursionError:
        raise _too_deep(name, 0, 0, depth) from None
    return None if root is None else _YamlTree(name, len(text)).node(root, 0)


def _looks_deep(text: str, most: int) -> bool:
    """Whether brackets or indentation could nest deeper than allowed; quick, and at times too
    careful.
    """
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > most:
            return True
    return bool(re.search(rf"^[ \t?:-]{{{2 * most},}}", text, re.M))


def _check_depth(text: str, name: str, most: int) -> None:
    """Counts the levels event by event: libyaml's composer recurses, and would end the process on
    some hundred thousand.
    """
    depth = 0
    with contextlib.suppress(yaml.YAMLError):  # reported when the file is composed
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                depth -= 1
            if depth > most + 1:
                mark = event.start_mark
                raise _too_deep(name, *((mark.line + 1, mark.column + 1) if mark else (0, 0)), most)


def _too_deep(name: str, line: int, column: int, most: int) -> InvalidData:
    return InvalidData(
        [
            Finding(
                "LP104",
                Origin(name, line, column),
                {"detail": "nesting", "limit": f"{most} levels"},
            )
        ]
    )


def _checked_length(text: str, name: str, line: int, column: int) -> str:
    """The text itself; raises InvalidData (LP104) where it is longer than a value may be."""
    most = _LIMITS.get().value
    if len(text) > most:
        raise InvalidData(
            [
                Finding(
                    "LP104",
                    Origin(name, line, column),
                    {"detail": f"a value of {len(text):,} characters", "limit": f"{most:,}"},
                )
            ]
        )
    return text


def _hex(character: object) -> str:
    return f"U+{character if isinstance(character, int) else ord(str(character)):04X}"


def _syntax(name: str, kind: str, detail: str, line: int = 0, column: int = 0) -> InvalidData:
    return InvalidData(
        [Finding("LP102", Origin(name, line, column), {"format": kind, "detail": detail})]
    )


class _YamlTree:
    """Turns PyYAML's nodes into ours, with a bound on what aliases may unfold."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.limits = _LIMITS.get()
        self.left = max(1000, size * self.limits.expansion)

    def node(self, node: yaml.Node, depth: int) -> Node:
        mark = node.start_mark
        line, column = mark.line + 1, mark.column + 1
        self.left -= 1
        if depth > self.limits.depth:
            raise _too_deep(self.name, line, column, self.limits.depth)
        if self.left < 0:
            words = {"detail": "aliases unfold", "limit": f"{self.limits.expansion} times the file"}
            raise InvalidData([Finding("LP104", Origin(self.name, line, column), words)])
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line, column)
        if isinstance(node, yaml.SequenceNode):
            return Sequence([self.node(item, depth + 1) for item in node.value], line, column)
        return self._mapping(node, depth, line, column)

    def _scalar(self, node: yaml.ScalarNode, line: int, column: int) -> Scalar:
        text = node.value
        if len(text) > self.limits.value:
            _checked_length(text, self.name, line, column)
        if node.style or not node.tag.startswith("tag:yaml.org,2002:"):
            return Scalar(text, text, line, column)
        return typed(text, line, column)

    def _mapping(self, node: yaml.Node, depth: int, line: int, column: int) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key, value in node.value:
            mark = key.start_mark
            place = (mark.line + 1, mark.column + 1)
            if not isinstance(key, yaml.ScalarNode):
                raise _syntax(self.name, "YAML", "a key must be a plain word", *place)
            name = key.value
            if name in items:
                first = Origin(self.name, *keys[name])
                params = {"key": name, "first": str(first.line)}
                where = Origin(self.name, *place)
                raise InvalidData([Finding("LP103", where, params, related=(first,))])
            keys[name] = place
            items[name] = self.node(value, depth + 1)
        return Mapping(items, keys, line, column)


def read_json(text: str, name: str) -> Node | None:
    """The value of a JSON file (RFC 8259; no NaN, no doubled keys). Raises InvalidData (LP102,
    LP103, LP104).
    """
    return _JsonTree(text, name).document()


def read_json_lines(text: str, name: str) -> Node:
    """The records of a JSON Lines file as one list. Raises InvalidData."""
    items: list[Node] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            node = _JsonTree(line, name, number).document()
            if node is not None:
                items.append(node)
    return Sequence(items, 1, 1)


class _JsonTree:
    """A recursive-descent JSON reader, because the standard one does not record positions."""

    _NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
    _SPACE = re.compile(r"[ \t\n\r]*")
    _WORDS: tuple[tuple[str, bool | None], ...] = (("true", True), ("false", False), ("null", None))

    def __init__(self, text: str, name: str, first_line: int = 1) -> None:
        self.text, self.name, self.line, self.start = text, name, first_line, 0
        self.at = 0
        self.depth = _LIMITS.get().depth

    def document(self) -> Node | None:
        self._skip()
        if self.at == len(self.text):
            return None
        node = self._value(0)
        self._skip()
        if self.at < len(self.text):
            raise self._wrong("only one value is allowed in the file")
        return node

    def _skip(self) -> None:
        match = self._SPACE.match(self.text, self.at)
        end = match.end() if match else self.at
        lines = self.text.count("\n", self.at, end)
        if lines:
            self.line += lines
            self.start = self.text.rindex("\n", self.at, end) + 1
        self.at = end

    def _wrong(self, detail: str) -> InvalidData:
        return _syntax(self.name, "JSON", detail, self.line, self.at - self.start + 1)

    def _value(self, depth: int) -> Node:
        line, column = self.line, self.at - self.start + 1
        if depth > self.depth:
            raise _too_deep(self.name, line, column, self.depth)
        sign = self.text[self.at : self.at + 1]
        if sign == "{":
            return self._object(depth, line, column)
        if sign == "[":
            return self._array(depth, line, column)
        if sign == '"':
            text = _checked_length(self._string(), self.name, line, column)
            return Scalar(text, text, line, column)
        for word, value in self._WORDS:
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return Scalar(None if value is None else word, value, line, column)
        number = self._NUMBER.match(self.text, self.at)
        if number is None:
            raise self._wrong("a value is expected" if sign else "the file ends too early")
        written = number.group()
        if len(written) > _MOST_DIGITS:
            raise self._wrong(f"a number of {len(written):,} characters")
        self.at = number.end()
        parsed: int | float = float(written) if number.group(2) or number.group(3) else int(written)
        if isinstance(parsed, float) and not math.isfinite(parsed):
            raise self._wrong(f"the number {written} is beyond what a program can hold")
        return Scalar(written, parsed, line, column)

    def _string(self) -> str:
        try:
            text, self.at = scanstring(self.text, self.at + 1, True)
        except json.JSONDecodeError as error:
            raise self._wrong(error.msg) from None
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self._wrong("half of a surrogate pair")
        return str(text)

    def _array(self, depth: int, line: int, column: int) -> Sequence:
        items: list[Node] = []
        for _ in self._members("]"):
            items.append(self._value(depth + 1))
        return Sequence(items, line, column)

    def _object(self, depth: int, line: int, column: int) -> Mapping:
        tree = Mapping({}, {}, line, column)
        for _ in self._members("}"):
            place = (self.line, self.at - self.start + 1)
            if self.text[self.at : self.at + 1] != '"':
                raise self._wrong("a key in double quotes is expected")
            key = self._string()
            if key in tree.items:
                first = Origin(self.name, *tree.keys[key])
                params = {"key": key, "first": str(first.line)}
                raise InvalidData(
                    [Finding("LP103", Origin(self.name, *place), params, related=(first,))]
                )
            self._skip()
            if self.text[self.at : self.at + 1] != ":":
                raise self._wrong("`:` is expected")
            self.at += 1
            self._skip()
            tree.keys[key] = place
            tree.items[key] = self._value(depth + 1)
        return tree

    def _members(self, end: str) -> Iterator[None]:
        """Steps over brackets and commas, giving control back where a member begins."""
        self.at += 1
        self._skip()
        if self.text[self.at : self.at + 1] == end:
            self.at += 1
            return
        while True:
            yield
            self._skip()
            sign = self.text[self.at : self.at + 1]
            if sign not in (",", end) or not sign:
                raise self._wrong(f"`,` or `{end}` is expected")
            self.at += 1
            if sign == end:
                return
            self._skip()


READERS: dict[str, Callable[[str, str], Node | None]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}


def read_tree(path: Path, name: str) -> Node | None:
    """Reads any file of READERS; its suffix decides how."""
    return READERS[path.suffix.lower()](read_text(path, name), name)


def read_tree_as(kind: str, path: Path, name: str) -> Node | None:
    """Reads a file of any name and size as `json`, `jsonl` or `yaml`."""
    with unbounded(path):
        return READERS[f".{kind}"](read_text(path, name), name)


@contextlib.contextmanager
def unbounded(path: Path) -> Iterator[None]:
    """Reads a file that the engine reads whatever its size; the other limits hold."""
    size = path.stat().st_size + 1
    bounds = _LIMITS.get()
    with limited(replace(bounds, file=max(bounds.file, size), value=max(bounds.value, size))):
        yield
