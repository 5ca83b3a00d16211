"""One error, one finding: what only follows from a reported error is not reported as well."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.sources import RecordTable, RowTable

BROKEN_REFERENCES = ("LP206", "LP537")
_MISSING = ("MinCountConstraintComponent", "QualifiedMinCountConstraintComponent")
_DISTINCTIVE = 5  # characters; a value this long does not occur again by chance


class CascadeFilter:
    """Recognises findings that only follow from errors in the records.

    `early` are the reported errors. `hidden` follow from these and are not reported themselves, but
    have consequences too.
    """

    def __init__(
        self, early: Iterable[Finding], hidden: Iterable[Finding], tables: Mapping[str, RecordTable]
    ) -> None:
        errors = [finding for finding in (*early, *hidden) if finding.severity is Severity.ERROR]
        places = [finding.where for finding in errors if finding.where]
        values = (finding.params.get("value", "") for finding in errors)
        self._nesting = _Nesting(tables if places else {})
        self._lines = {(place.file, place.line) for place in places}
        self._invalid_records = {self._nesting.innermost(place) for place in places} - {None}
        self._invalid_values = {value for value in values if len(value) >= _DISTINCTIVE}
        self._referenced = {
            finding.params.get("suggestion")
            for finding in errors
            if finding.code in BROKEN_REFERENCES
        } - {None, ""}
        self._any = bool(errors)

    def is_consequence(self, finding: Finding) -> bool:
        """Whether a later finding only follows from the errors.

        It does if it has the same invalid value, concerns the record that a broken reference most
        likely means, is on the same line, or is in a record that is invalid or part of an invalid
        one. What is missing or unused cannot be judged while there is any error.
        """
        if finding.code == "LP505" or finding.params.get("component") in _MISSING:
            return self._any
        if finding.params.get("value") in self._invalid_values:
            return True
        if finding.params.get("focus", "").rsplit("/", 1)[-1] in self._referenced:
            return True
        where = finding.where
        return where is not None and (
            (where.file, where.line) in self._lines or self._is_in_invalid_record(where)
        )

    def _is_in_invalid_record(self, where: Origin) -> bool:
        record = self._nesting.innermost(where)
        return any(number in self._invalid_records for number in self._nesting.upwards(record))


class _Nesting:
    """Which record a line is in, and which record contains that one; values of plain lists are no
    records.
    """

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        self._parents: dict[int, int | None] = {}
        starts: dict[str, list[tuple[int, int]]] = {}
        for table in tables.values():
            if isinstance(table, RowTable) and not any(
                column.path == () for column in table.columns
            ):
                for row, (file, line) in zip(table.rows, table.lines, strict=True):
                    number = int(row[0] or 0)
                    self._parents[number] = None if row[1] is None else int(row[1])
                    starts.setdefault(file, []).append((line, number))
        self._starts = {file: sorted(places) for file, places in starts.items()}

    def innermost(self, where: Origin) -> int | None:
        """The number of the last record that begins at or above a place."""
        places = self._starts.get(where.file, [])
        at = bisect_right(places, where.line, key=lambda place: place[0])
        return places[at - 1][1] if at else None

    def upwards(self, record: int | None) -> Iterable[int]:
        """A record, the record that contains it, and so on."""
        while record is not None:
            yield record
            record = self._parents.get(record)
