"""Files that are not called like their record, where nearly all others of their table are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.sources import RecordTable, RowTable

_FEWEST = 5  # files of a table
_SHARE = 10  # at most one of so many is reported, and one at least where there are fewer
_MOST = 5  # files; more of them are a habit of the folder


def file_name_findings(
    tables: Mapping[str, RecordTable], keys: Mapping[str, str]
) -> Iterator[Finding]:
    """Warnings (LP263) for tables with one record a file; `keys` are the columns that name records."""
    for name, key in keys.items():
        table = tables.get(name)
        if isinstance(table, RowTable):
            yield from _other_names(table, key)


def _other_names(table: RowTable, key: str) -> Iterator[Finding]:
    at = 2 + [column.name for column in table.columns].index(key)
    if "file-name" in table.columns[at - 2].field.plausible.allow:
        return
    files = {file for file, _ in table.lines}
    if not _FEWEST <= len(files) == len(table.rows):
        return
    most = min(max(1, len(files) // _SHARE), _MOST)
    others = []
    for row, (file, _) in zip(table.rows, table.lines, strict=True):
        stem = PurePosixPath(file).stem
        if row[at] is not None and str(row[at]) != stem:
            others.append((int(row[0] or 0), str(row[at]), stem))
            if len(others) > most:
                return
    for record, value, stem in others:
        params = {"key": key, "value": value, "found": stem}
        yield Finding("LP263", table.locate(record, key), params, Severity.WARNING)
