"""A new record at the end of a file, in the style of those before it; no other byte changes.

    - id: spoke                       - id: spoke
      documents: [site]       →         documents: [site]
                                      - id: hub
                                        documents: [site, letter]

The result is read again: where it does not hold the old records and the new one, nothing is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.csv_dialect import COMMAS, row_text
from lodpipe.documents.readers import READERS
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar, node_at, value_of
from lodpipe.documents.tree import Sequence as List
from lodpipe.workflow.linking.review_file import scalar

_WIDEST = 120  # characters of a value on one line
_MOST_RECORDS = 50  # whose style counts


class NewRecord(Struct, frozen=True):
    """A record as its file is to have it: its fields, the key of the entry where the file is a map of
    records, and the path of keys to the records.
    """

    node: Map
    entry: str | None = None
    at: tuple[str, ...] = ()


def not_changeable(where: Origin, english: str, german: str) -> InvalidData:
    """A file that the program cannot change as it should (LP725)."""
    return InvalidData([Finding("LP725", where, {"detail_en": english, "detail_de": german})])


def _not_extendable(file: str) -> InvalidData:
    return not_changeable(Origin(file), "it is written in a way that the program cannot extend",
                          "sie ist so geschrieben, dass das Programm sie nicht ergänzen kann")  # fmt: skip


def with_record(text: str, file: str, record: NewRecord) -> str:
    """The text of a YAML, JSON or JSON Lines file (empty for a new one) with a record at its end.
    Raises InvalidData (LP725).
    """
    suffix = file[file.rfind(".") :].lower()
    tree = READERS[suffix](text, file) if text.strip() else None
    end = "\r\n" if "\r\n" in text else "\n"
    content = text if not text or text.endswith("\n") else text + end
    if suffix in (".jsonl", ".ndjson"):
        changed = content + _json(record.node, None) + end
    elif suffix == ".json":
        changed = _in_json(content, tree, file, record)
    else:
        changed = content + "".join(f"{line}{end}" for line in _in_yaml(content, tree, record))
    before = value_of(tree) if tree is not None else None
    try:
        after = READERS[suffix](changed, file)
    except InvalidData:
        raise _not_extendable(file) from None
    if after is None or value_of(after) != _expected(before, record, record.at):
        raise _not_extendable(file)
    return changed


def with_row(text: str, file: str, cells: Mapping[str, str]) -> str:
    """The text of a CSV file with a row at its end. Raises InvalidData (LP725) for a column that the
    header lacks.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    header = COMMAS.names(lines)
    for column in cells:
        if column not in header:
            raise not_changeable(Origin(file, 1), f"the header has no column `{column}`",
                                 f"in der Kopfzeile fehlt die Spalte `{column}`")  # fmt: skip
    row = [cells.get(column, "") for column in header]
    end = "\r\n" if "\r\n" in text else "\n"
    content = text if text.endswith("\n") else text + end
    is_empty = len(row) == 1 and not row[0]
    changed = content + row_text(row).removesuffix("\n") + end
    read = [cells for _, cells in COMMAS.rows(changed.removeprefix("\ufeff").splitlines(True))]
    if is_empty or read != [*(cells for _, cells in COMMAS.rows(lines)), row]:
        raise _not_extendable(file)
    return changed


def whole_file_of(node: Map, suffix: str, like: str) -> str:
    """The text of a new file that holds one record, in the style of another one (empty: none)."""
    tree = READERS[suffix](like, "") if like.strip() else None
    before = [tree] if isinstance(tree, Map) else []
    if suffix in (".yaml", ".yml"):
        style = _Style.of(before, like.split("\n"))
        start = "---\n" if like.startswith("---") else ""
        return start + "".join(f"{line}\n" for line in block(node, style))
    line = like.split("\n")[1:2]
    indent = len(line[0]) - len(line[0].lstrip()) if line else 2
    return _json(node, indent or None, short_lists=bool(_SHORT_LIST.search(like))) + "\n"


def _expected(before: Any, record: NewRecord, at: Sequence[str]) -> Any:
    """The value of a file with a record more."""
    if at:
        above = before or {}
        return {**above, at[0]: _expected(above.get(at[0]), record, at[1:])}
    value = value_of(record.node)
    if record.entry is not None:
        return {**(before or {}), record.entry: value}
    return [*(before or []), value]


# -- YAML ------------------------------------------------------------------------------------------


def _in_yaml(text: str, tree: Node | None, record: NewRecord) -> Iterator[str]:
    """The lines that are appended."""
    container = node_at(tree, [*record.at]) if tree is not None else None
    indent = container.column - 1 if container is not None else 2 * len(record.at)
    if container is None:
        yield from (f"{'  ' * depth}{scalar(key)}:" for depth, key in enumerate(record.at))
    before = _parts(container)
    lines = text.split("\n")
    if _are_separate(before, lines):
        yield ""
    style = _Style.of(before, lines)
    for line in _entry(record, style):
        yield f"{' ' * indent}{line}"


class _Style(Struct, frozen=True):
    """Which values are written on one line, by the path of keys from a record, with `-` for the items
    of a list; as the last record does that has such a value. `indent` is how far lists are below
    their key.
    """

    is_short: Mapping[tuple[str, ...], bool] = {}
    indent: int = 2

    @classmethod
    def of(cls, records: Sequence[Node], lines: Sequence[str]) -> _Style:
        """The style of the records of a file."""
        is_short: dict[tuple[str, ...], bool] = {}
        indents = [2]

        def look(node: Node, path: tuple[str, ...]) -> None:
            if isinstance(node, Scalar):
                return
            is_short[path] = lines[node.line - 1][node.column - 1 :][:1] in ("{", "[")
            if isinstance(node, Map):
                for key, value in node.items.items():
                    look(value, (*path, key))
                    if isinstance(value, List) and not is_short[(*path, key)]:
                        indents.append(value.column - node.keys[key][1])
            for item in node.items if isinstance(node, List) else ():
                look(item, (*path, "-"))

        for record in records[-_MOST_RECORDS:]:
            look(record, ())
        return cls(is_short, max(0, indents[-1]))

    def fits(self, node: Node, path: tuple[str, ...], width: int) -> bool:
        """Whether a value goes on one line after some characters; lists of plain values do unless
        the file has them otherwise.
        """
        if isinstance(node, Scalar) or not _parts(node):
            return True
        is_plain = isinstance(node, List) and not any(isinstance(x, Map) for x in node.items)
        return self.is_short.get(path, is_plain) and width + len(flow(node)) < _WIDEST


def _parts(container: Node | None) -> list[Node]:
    if isinstance(container, List):
        return container.items
    return list(container.items.values()) if isinstance(container, Map) else []


def _are_separate(records: Sequence[Node], lines: Sequence[str]) -> bool:
    """Whether an empty line is above each record but the first, or above its comment."""
    return len(records) > 1 and all(
        not _line_above(lines, record.line).strip() for record in records[1:]
    )


def _line_above(lines: Sequence[str], number: int) -> str:
    at = number - 2
    while at > 0 and lines[at].lstrip().startswith("#"):
        at -= 1
    return lines[at]


def _entry(record: NewRecord, style: _Style) -> Iterator[str]:
    if record.entry is not None:
        yield from _field(scalar(record.entry), record.node, style, ())
    elif style.is_short.get(()):
        yield f"- {flow(record.node)}"
    else:
        yield from _dashed(block(record.node, style))


def _dashed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of an item of a list."""
    for number, line in enumerate(lines):
        yield f"  {line}" if number else f"- {line}"


def block(node: Map, style: _Style | None = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """A map in YAML with a line for each field.

    >>> from lodpipe.documents.readers import read_yaml
    >>> list(block(read_yaml("{a: [1, '2'], b: [{c: d}], e: {}}", "")))
    ["a: [1, '2']", 'b:', '  - c: d', 'e: {}']
    """
    for key, value in node.items.items():
        yield from _field(scalar(key), value, style or _Style(), (*path, key))


def _field(name: str, value: Node, style: _Style, path: tuple[str, ...]) -> Iterator[str]:
    """A key with its value."""
    if style.fits(value, path, len(name)):
        yield f"{name}: {flow(value)}"
    else:
        yield f"{name}:"
        indent = " " * (style.indent if isinstance(value, List) else 2)
        yield from (f"{indent}{line}" for line in _below(value, style, path))


def _below(value: Node, style: _Style, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, Map):
        yield from block(value, style, path)
        return
    for item in _parts(value):
        inner = (*path, "-")
        if isinstance(item, Map) and not style.fits(item, inner, 0):
            yield from _dashed(block(item, style, inner))
        else:
            yield f"- {flow(item)}"


def flow(node: Node) -> str:
    """A value in YAML on one line."""
    if isinstance(node, Scalar):
        return scalar(node.value) if isinstance(node.value, str) else node.text or "null"
    if isinstance(node, List):
        return f"[{', '.join(map(flow, node.items))}]"
    return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in node.items.items()) + "}"


# -- JSON ------------------------------------------------------------------------------------------


def _json(node: Node, indent: int | None, depth: int = 1, *, short_lists: bool = False) -> str:
    """A value in JSON; numbers are as they were given, `1.50`. With `short_lists`, lists of plain
    values are on one line.
    """
    if isinstance(node, Scalar):
        is_text = isinstance(node.value, str)
        return json.dumps(node.value, ensure_ascii=False) if is_text else node.text or "null"
    if short_lists and isinstance(node, List) and all(isinstance(x, Scalar) for x in node.items):
        indent = None
    parts = [_json(part, indent, depth + 1, short_lists=short_lists) for part in _parts(node)]
    opening, closing = "[]"
    if isinstance(node, Map):
        opening, closing = "{}"
        names = (json.dumps(key, ensure_ascii=False) for key in node.items)
        parts = [f"{name}: {part}" for name, part in zip(names, parts, strict=True)]
    if indent is None or not parts:
        return f"{opening}{', '.join(parts)}{closing}"
    line = "\n" + " " * indent * depth
    above = "\n" + " " * indent * (depth - 1)
    return f"{opening}{line}{f',{line}'.join(parts)}{above}{closing}"


def json_text(text: str, file: str, node: Node) -> str:
    """The text of a JSON or JSON Lines file with another value, in the layout of its first lines.
    Raises InvalidData (LP725).
    """
    end = "\r\n" if "\r\n" in text else "\n"
    if file.lower().endswith(".json"):
        line = text.split("\n")[1:2]
        indent = len(line[0]) - len(line[0].lstrip()) if line else 0
        short = bool(_SHORT_LIST.search(text))
        changed = _json(node, indent or None, short_lists=short) + "\n"
    else:
        changed = "".join(f"{_json(part, None)}\n" for part in _parts(node))
    read = READERS[file[file.rfind(".") :].lower()](changed, file)
    if read is None or value_of(read) != value_of(node):
        raise _not_extendable(file)
    return changed.replace("\n", end)


_SHORT_LIST = re.compile(r"\[[^\n\[\]{}]+\]")


def _in_json(text: str, tree: Node | None, file: str, record: NewRecord) -> str:
    """The text of a file whose whole value is a list or a map of records, with one more."""
    body = text.rstrip()
    if tree is None or record.at or body[-1:] not in ("]", "}"):
        raise _not_extendable(file)
    before, closing = _parts(tree), body[-1]
    first = before[0] if before else None
    lines = text.split("\n")
    is_wide = first is not None and first.line > tree.line
    step = len(lines[first.line - 1]) - len(lines[first.line - 1].lstrip()) if first else 0
    is_block = isinstance(first, Map) and any(
        place[0] > first.line for place in first.keys.values()
    )
    short_lists = bool(_SHORT_LIST.search(text))
    written = _json(record.node, (step or 2) if is_block else None, short_lists=short_lists)
    name = "" if record.entry is None else f"{json.dumps(record.entry, ensure_ascii=False)}: "
    end = "\r\n" if "\r\n" in text else "\n"
    if is_wide:
        written = (name + written).replace("\n", end + " " * step)
        between = f",{end}{' ' * step}"
        return f"{body[:-1].rstrip()}{between}{written}{end}{closing}{text[len(body) :]}"
    between = ", " if before else ""
    return f"{body[:-1].rstrip()}{between}{name}{written}{closing}{text[len(body) :]}"
