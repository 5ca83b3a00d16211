"""Values that are added to records in their files; comments, order and style of all else stay.

    - id: spoke                          - id: spoke
      name: Spoke                 →        name: Spoke
      documents: [site]                    wikidata: Q42
                                           documents: [site, wikidata]

The result is read again before it is written: where it does not say what is expected, nothing is
changed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.csv_dialect import COMMAS, row_text
from lodpipe.documents.csv_positions import cell_of
from lodpipe.documents.readers import read_yaml
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Scalar, value_of
from lodpipe.documents.tree import Sequence as List
from lodpipe.workflow.linking.review_file import scalar


@dataclass
class Addition:
    """What a record gets: values of fields, and values at the end of lists."""

    values: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[str]] = field(default_factory=dict)


def not_editable(file: str, line: int, english: str, german: str) -> InvalidData:
    """A record that a program cannot write (LP563)."""
    params = {"detail_en": english, "detail_de": german}
    return InvalidData([Finding("LP563", Origin(file, line), params)])


# -- YAML ------------------------------------------------------------------------------------------


def with_additions(
    text: str, file: str, additions: Mapping[int, Addition], order: Sequence[str]
) -> str:
    """The text of a YAML file with additions to its records, by the line where a record begins;
    `order` are the fields as they are declared.

    Raises InvalidData (LP563) where a record is not written key by key.
    """
    tree = read_yaml(text, file)
    records = tree.items if isinstance(tree, List) else [tree] if tree is not None else []
    lines = text.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    begins = [record.line for record in records] + [len(lines) + 1]
    expected = [value_of(record) for record in records]
    for number in range(len(records) - 1, -1, -1):
        record, addition = records[number], additions.get(begins[number])
        if addition is None:
            continue
        if not isinstance(record, Map) or not _is_block(record, lines):
            raise not_editable(file, record.line, "the record is not written with a line for each field",
                               "der Datensatz ist nicht mit einer Zeile je Feld geschrieben")  # fmt: skip
        editor = _RecordEditor(record, lines, begins[number + 1] - 1, order, end)
        if not editor.add(addition):
            raise _not_as_expected(file, record.line)
        expected[number] = _expected(expected[number], addition)
    changed = "".join(lines)
    _read_back(changed, file, expected, isinstance(tree, List))
    return changed


def _expected(value: Any, addition: Addition) -> Any:
    lists = {name: [*(value.get(name) or []), *items] for name, items in addition.items.items()}
    return {**value, **addition.values, **lists}


def _read_back(text: str, file: str, expected: Sequence[Any], is_list: bool) -> None:
    try:
        tree = read_yaml(text, file)
    except InvalidData as error:
        raise _not_as_expected(file, _line(error)) from None
    actual = value_of(tree) if tree is not None else None
    if actual != (list(expected) if is_list else expected[0]):
        raise _not_as_expected(file, 0)


def _line(error: InvalidData) -> int:
    where = error.findings[0].where
    return where.line if where else 0


def _not_as_expected(file: str, line: int) -> InvalidData:
    return not_editable(file, line, "the file is written in a way that the program cannot extend",
                        "die Datei ist so geschrieben, dass das Programm sie nicht ergänzen kann")  # fmt: skip


def _is_block(record: Map, lines: Sequence[str]) -> bool:
    return not lines[record.line - 1][record.column - 1 :].startswith("{") and bool(record.keys)


class _RecordEditor:
    """Adds to one record; what is above it in `lines` keeps its place."""

    def __init__(
        self, record: Map, lines: list[str], last: int, order: Sequence[str], end: str
    ) -> None:
        self.record, self.lines, self.order, self.end = record, lines, order, end
        self.column = min(column for _, column in record.keys.values())
        while last > record.line and re.fullmatch(r"\s*(#.*)?", lines[last - 1].rstrip("\r\n")):
            last -= 1
        self.last = last  # the last line of the record

    def add(self, addition: Addition) -> bool:
        """Whether everything could be added."""
        edits: list[tuple[int, int, list[str]]] = []  # from line, to line, new lines
        for name, value in self._in_order(addition):
            edit = self._edit(name, value)
            if edit is None:
                return False
            edits.append(edit)
        # From the bottom, so that the lines above keep their numbers; of several additions at one
        # place, the last one first.
        for _, (first, after, new) in sorted(
            enumerate(edits), key=lambda item: (-item[1][0], -item[0])
        ):
            self.lines[first - 1 : after - 1] = [line + self.end for line in new]
        return True

    def _in_order(self, addition: Addition) -> Iterator[tuple[str, str | list[str]]]:
        several: dict[str, str | list[str]] = {**addition.values, **addition.items}
        yield from sorted(several.items(), key=lambda item: self._rank(item[0]))

    def _rank(self, name: str) -> int:
        return self.order.index(name) if name in self.order else len(self.order)

    def _edit(self, name: str, value: str | list[str]) -> tuple[int, int, list[str]] | None:
        present = self.record.items.get(name)
        if present is None:
            place = self._place_for(name)
            text = scalar(value) if isinstance(value, str) else f"[{', '.join(map(scalar, value))}]"
            return place, place, [f"{' ' * (self.column - 1)}{name}: {text}"]
        if isinstance(present, List) and isinstance(value, list):
            return self._longer(present, value)
        if isinstance(present, Scalar) and present.value is None and isinstance(value, str):
            number = self.record.keys[name][0]
            line = self.lines[number - 1].rstrip()
            return (number, number + 1, [f"{line} {scalar(value)}"]) if line.endswith(":") else None
        return None

    def _longer(self, present: List, items: Sequence[str]) -> tuple[int, int, list[str]] | None:
        """A list with more items, in the style that it has."""
        if not present.items:
            return None
        last = present.items[-1]
        line = self.lines[last.line - 1].rstrip("\r\n")
        if self.lines[present.line - 1][present.column - 1 :].startswith("["):
            at = line.find("]", last.column - 1)
            if at < 0 or not isinstance(last, Scalar):
                return None
            longer = f"{line[:at].rstrip()}, {', '.join(map(scalar, items))}{line[at:]}"
            return last.line, last.line + 1, [longer]
        start = line[: last.column - 1]
        if not start.strip().startswith("-"):
            return None
        return last.line + 1, last.line + 1, [f"{start}{scalar(item)}" for item in items]

    def _place_for(self, name: str) -> int:
        """The line before which a new field is written: that of the first field that is declared
        after it, with the comment above; else the end of the record.
        """
        later = [
            place[0]
            for key, place in self.record.keys.items()
            if self._rank(key) > self._rank(name) and place[0] > self.record.line
        ]
        if not later:
            return self.last + 1
        line = min(later)
        while self.lines[line - 2].lstrip().startswith("#") and line - 1 > self.record.line:
            line -= 1
        return line


# -- CSV -------------------------------------------------------------------------------------------


def with_cells(text: str, file: str, cells: Mapping[int, Mapping[str, str]]) -> str:
    """The text of a CSV file with values in empty cells, by the number of the row (0 follows the
    header) and the column. Raises InvalidData (LP563) for a column that the header lacks, or a cell
    that is not empty.
    """
    lines = text.splitlines(keepends=True)
    rows = list(COMMAS.rows(lines))
    header = rows[0][1]
    starts = [line for line, _ in rows] + [len(lines) + 1]
    expected = [row for _, row in rows]
    for number in sorted(cells, reverse=True):
        first, after = starts[number + 1], starts[number + 2]
        row = "".join(lines[first - 1 : after - 1])
        for column, value in cells[number].items():
            if column not in header:
                raise not_editable(file, 1, f"the header has no column `{column}`",
                                   f"im Kopf fehlt die Spalte `{column}`")  # fmt: skip
            place = header.index(column)
            row = _filled(row, place, value)
            expected[number + 1][place] = value
        lines[first - 1 : after - 1] = [row]
    changed = "".join(lines)
    if [row for _, row in COMMAS.rows(io.StringIO(changed, newline=""))] != expected:
        raise _not_as_expected(file, 0)
    return changed


def _filled(row: str, place: int, value: str) -> str:
    """A row with a value in an empty cell."""
    below, column = cell_of(row, place)
    lines = row.splitlines(keepends=True)
    at = sum(map(len, lines[:below])) + column - 1
    empty = 2 if row[at : at + 2] == '""' else 0
    return row[:at] + row_text([value]).rstrip("\n") + row[at + empty :]
