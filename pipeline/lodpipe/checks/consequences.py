"""One accident, one finding: what only follows from a mistake that is told already is not told again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.sources import RecordTable, RowTable

_MISSING = ("MinCountConstraintComponent", "QualifiedMinCountConstraintComponent")
_TELLING = 5  # letters of a value from which on its coming back is no chance


class Told:
    """What records are known to be wrong with; `hidden` are mistakes that follow from others, and make echoes all the same."""

    def __init__(self, early: Iterable[Finding], hidden: Iterable[Finding], tables: Mapping[str, RecordTable]) -> None:
        errors = [one for one in (*early, *hidden) if one.severity is Severity.ERROR]
        self._nesting = _Nesting(tables)
        self._lines = {(one.where.file, one.where.line) for one in errors if one.where}
        self._wounded = {record for one in errors if one.where and (record := self._nesting.innermost(one.where)) is not None}
        self._values = {value for one in errors if len(value := one.words.get("value", "")) >= _TELLING}
        self._meant = {one.words["hint"].split("`")[1] for one in errors if one.code == "LP206" and one.words["hint"]}
        self._any = bool(errors)

    def already(self, one: Finding) -> bool:
        """Whether a later finding only follows from what is told.

        It does where it has the same bad value, concerns what a broken reference meant, stands on the same line, or lies in a record that is
        wounded itself or is part of a wounded one. What is missing or unused is not judged at all while some records are wrong.
        """
        if one.code == "LP505" or one.words.get("component") in _MISSING:
            return self._any
        if one.words.get("value") in self._values:
            return True
        if one.words.get("focus", "").rsplit("/", 1)[-1] in self._meant:
            return True
        return one.where is not None and ((one.where.file, one.where.line) in self._lines or self._in_wounded(one.where))

    def _in_wounded(self, where: Origin) -> bool:
        record = self._nesting.innermost(where)
        return any(number in self._wounded for number in self._nesting.upwards(record))


class _Nesting:
    """Which record a line lies in, and which record holds that one. Values of plain lists are no records of their own."""

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        self._parents: dict[int, int | None] = {}
        starts: dict[str, list[tuple[int, int]]] = {}
        for table in tables.values():
            if isinstance(table, RowTable) and not any(column.path == () for column in table.columns):
                for row, (file, node) in zip(table.rows, table.nodes, strict=True):
                    number = int(row[0] or 0)
                    self._parents[number] = None if row[1] is None else int(row[1])
                    starts.setdefault(file, []).append((node.line, number))
        self._starts = {file: sorted(places) for file, places in starts.items()}

    def innermost(self, where: Origin) -> int | None:
        """The number of the last record that begins at or above a place."""
        places = self._starts.get(where.file, [])
        at = bisect_right(places, where.line, key=lambda place: place[0])
        return places[at - 1][1] if at else None

    def upwards(self, record: int | None) -> Iterable[int]:
        """A record, the one that holds it, and so on."""
        while record is not None:
            yield record
            record = self._parents.get(record)
