"""Columns that lost the leading zeros of their keys, as spreadsheets do: one finding for a column, not
one for each cell and each reference to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.sources import Lexicon, RecordTable, ScanTable, Table, pattern_of

_FEWEST = 2  # cells; a single one may be a mistake of its own
_MOST_ZEROS = 4


def with_lost_zeros(
    findings: Sequence[Finding],
    tables: Mapping[str, RecordTable],
    declared: Mapping[str, Table],
    lexicon: Lexicon,
    keys: Mapping[str, Collection[str]],
) -> list[Finding]:
    """The findings, where those that come from lost zeros are one for each column (LP564), to which
    they are linked. `keys` are the keys of tables that a broken reference names.
    """
    columns: dict[tuple[str, str, str], list[Finding]] = {}
    others = []
    for finding in findings:
        column = _column_of(finding, tables, declared, lexicon, keys)
        if column is None:
            others.append(finding)
        else:
            columns.setdefault(column, []).append(finding)
    for (table, file, name), some in columns.items():
        if len(some) < _FEWEST:
            others += some
        else:
            others.append(_lost(tables[table], file, name, some))
    return others


def _lost(table: RecordTable, file: str, name: str, findings: Sequence[Finding]) -> Finding:
    """The finding of a column, at its name in the header."""
    assert isinstance(table, ScanTable)
    at = table.headers[file].index(name) if name in table.headers.get(file, []) else 0
    column = 1 + sum(len(cell) + 1 for cell in table.headers.get(file, [])[:at])
    value = findings[0].params["value"].lstrip("0")
    params = {
        "key": name,
        "value": value,
        "example": f"0{value}",
        "count": f"{len(findings):,}",
    }
    followers = tuple(replace(finding, caused_by="LP564") for finding in findings)
    return Finding("LP564", Origin(file, 1, column, name), params, consequences=followers)


def _column_of(
    finding: Finding,
    tables: Mapping[str, RecordTable],
    declared: Mapping[str, Table],
    lexicon: Lexicon,
    keys: Mapping[str, Collection[str]],
) -> tuple[str, str, str] | None:
    """Table, file and name of the column whose lost zeros a finding comes from."""
    value, where = finding.params.get("value", ""), finding.where
    if where is None or not value.isdigit():
        return None
    if finding.code in ("LP204", "LP231"):
        return next(_short_cells(finding, where, tables, lexicon), None)
    if finding.code != "LP206":
        return None
    target = finding.params["table"]
    known = keys.get(target, ())
    home = tables[target]
    if value.startswith("0") and value.lstrip("0") in known and isinstance(home, ScanTable):
        return (target, home.files[0].name, declared[target].key or "id") if home.files else None
    if any("0" * zeros + value in known for zeros in range(1, _MOST_ZEROS + 1)):
        return next(
            (
                (name, where.file, where.field)
                for name, table in tables.items()
                if isinstance(table, ScanTable) and where.file in _names(table)
            ),
            None,
        )
    return None


def _names(table: ScanTable) -> set[str]:
    return {file.name for file in table.files}


def _short_cells(
    finding: Finding, where: Origin, tables: Mapping[str, RecordTable], lexicon: Lexicon
) -> Iterator[tuple[str, str, str]]:
    """The column of a cell that would be valid with zeros before it; what is valid may depend on
    another field (LP231).
    """
    value = finding.params["value"]
    for name, table in tables.items():
        if not isinstance(table, ScanTable) or where.file not in _names(table):
            continue
        field = next((item.field for item in table.columns if item.name == where.field), None)
        pattern = finding.params.get("pattern") if finding.code == "LP231" else None
        pattern = pattern or (pattern_of(field, lexicon) if field else None)
        if pattern and any(
            re.search(pattern, "0" * zeros + value) for zeros in range(1, _MOST_ZEROS + 1)
        ):
            yield name, where.file, where.field
