"""Changes of single values and of keys of maps inside the text of a YAML, JSON or CSV file; every
other byte stays.

The raw form of a value (`"a\\u0308"`, `'a  b'`) is changed as the value is, and the changed file is
read again: unless exactly the meant values differ, nothing is changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import yaml

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.documents.csv_positions import csv_reader
from lodpipe.documents.readers import READERS
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar, Sequence

ValuePlace = tuple[int, int]  # line and column, from 1


class Change(NamedTuple):
    """A value at a place: what it is, what it shall be, and how its raw form is changed."""

    place: ValuePlace
    old: str
    new: str
    change_raw: Callable[[str], str]


def with_changes(text: str, suffix: str, changes: Iterable[Change]) -> tuple[str, list[Change]]:
    """The text of a file (with its byte-order mark, if any) after those changes that are safe, and
    these changes.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    content = text.removeprefix(mark)
    wanted = sorted(changes)
    spans = _spans(content, suffix)
    together = _applied(content, spans, wanted)
    if _is_as_meant(content, together, suffix, wanted):
        return mark + together, wanted
    done: list[Change] = []  # one of them is not safe: those that are, one by one
    for change in wanted:
        if _is_as_meant(
            content, _applied(content, spans, [*done, change]), suffix, [*done, change]
        ):
            done.append(change)
    return mark + _applied(content, spans, done), done


Spans = Callable[
    [ValuePlace], tuple[int, int] | None
]  # where the raw form of a value begins and ends


def _applied(text: str, spans: Spans, changes: Iterable[Change]) -> str:
    parts, at = [], 0
    for change in changes:
        span = spans(change.place)
        if span is not None and span[0] >= at:
            begin, end = span
            parts += [text[at:begin], change.change_raw(text[begin:end])]
            at = end
    return "".join([*parts, text[at:]])


# -- where values are ------------------------------------------------------------------------------

_BREAK = re.compile("\n")
_YAML_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml counts as the end of a line
_JSON_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.0-9A-Za-z]+')
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\r\n]*')


def _spans(text: str, suffix: str) -> Spans:
    is_yaml = suffix in (".yaml", ".yml")
    starts = [0, *(match.end() for match in (_YAML_BREAK if is_yaml else _BREAK).finditer(text))]

    def offset(place: ValuePlace) -> int:
        return starts[min(place[0], len(starts)) - 1] + place[1] - 1

    if is_yaml:
        ends = {offset(begin): offset(end) for begin, end in _scalars(text)}

        def of_yaml(place: ValuePlace) -> tuple[int, int] | None:
            begin = offset(place)
            return (begin, ends[begin]) if begin in ends else None

        return of_yaml
    pattern = _CELL if suffix == ".csv" else _JSON_VALUE

    def by_pattern(place: ValuePlace) -> tuple[int, int] | None:
        match = pattern.match(text, offset(place))
        return match.span() if match else None

    return by_pattern


def _scalars(text: str) -> Iterator[tuple[ValuePlace, ValuePlace]]:
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.ScalarEvent) and event.start_mark and event.end_mark:
                begin, end = event.start_mark, event.end_mark
                yield (begin.line + 1, begin.column + 1), (end.line + 1, end.column + 1)
    except yaml.YAMLError:
        return


# -- reading again ---------------------------------------------------------------------------------


def _is_as_meant(before: str, after: str, suffix: str, changes: Iterable[Change]) -> bool:
    """Whether the values of two texts differ in the changes only."""
    try:
        values = list(_values(before, suffix))
        now = list(_values(after, suffix))
    except (LodpipeError, csv.Error):
        return False
    meant = {(change.place, change.old): change.new for change in changes}
    expected = [meant.get((place, value), value) for place, value in values]
    places = {(place, value) for place, value in values}
    return expected == [value for _, value in now] and set(meant) <= places


def _values(text: str, suffix: str) -> Iterator[tuple[ValuePlace, str]]:
    """Every value of a file with its place, and every key."""
    if suffix == ".csv":
        yield from _cells(text)
        return
    root = READERS[suffix](text, "")
    if root is not None:
        yield from _leaves(root)


def _leaves(node: Node) -> Iterator[tuple[ValuePlace, str]]:
    if isinstance(node, Scalar):
        yield (node.line, node.column), f"{node.text}"
    elif isinstance(node, Sequence):
        yield (0, 0), f"[{len(node.items)}]"
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, Map):
        yield (0, 0), f"{{{len(node.items)}}}"
        for key, item in node.items.items():
            yield node.keys.get(key, (0, 0)), key
            yield from _leaves(item)


def _cells(text: str) -> Iterator[tuple[ValuePlace, str]]:
    """The cells of a CSV file, with the places at which their raw forms begin."""
    places = _cell_places(text)
    for row in csv_reader(io.StringIO(text, newline="")):
        for cell in row:
            yield next(places, (0, 0)), cell
        if row:
            yield (0, 0), f"[{len(row)}]"


def _cell_places(text: str) -> Iterator[ValuePlace]:
    line, column, at = 1, 1, 0
    while at < len(text):
        match = _CELL.match(text, at)
        raw = match[0] if match else ""
        end = at + len(raw)
        sign = text[end : end + 1]
        if raw or sign == "," or column > 1:
            yield line, column
        breaks = raw.count("\n")
        line, column = line + breaks, len(raw) - raw.rfind("\n") if breaks else column + len(raw)
        at = end + 1
        column += 1
        if sign == "\r" and text[end + 1 : end + 2] == "\n":
            at += 1
        if sign in ("\r", "\n", ""):
            line, column = line + 1, 1
        elif sign != ",":
            return  # a cell that is no cell: the changes behind it are not judged
        elif at == len(text):
            yield line, column
