"""Repairs of records that need no decision: spaces, invisible and decomposed characters, encoded
addresses, truth values in capitals, and leading zeros that another field of the record proves.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from lodpipe.checks import hygiene, plausibility
from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin, SourceError
from lodpipe.documents.raw_values import Change, with_changes
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.runtime.atomic import exclusive
from lodpipe.runtime.machine import whole_file
from lodpipe.sources import Column, Lexicon, RecordReader, RecordTable, ScanTable, pattern_of
from lodpipe.workflow.declarations import read_declarations

_MOST_ZEROS = 3
_COMMON_DIGITS = 5  # that keys of the same place begin with


class RepairedFile(Struct, frozen=True):
    """A file with its bytes before (None: there is no such file yet) and after the repairs, how
    many values they change, its name afterwards where that is another one, and whether it goes.
    """

    name: str
    path: Path
    before: bytes | None
    after: bytes
    count: int
    new_name: str = ""
    is_removed: bool = False

    @property
    def target(self) -> Path:
        """Where the file is afterwards."""
        return self.path.with_name(Path(self.new_name or self.name).name)

    @property
    def diff(self) -> str:
        """The repairs as a unified diff."""
        before, after = (
            _lines((data or b"").decode("utf-8")) for data in (self.before, self.after)
        )
        old = "/dev/null" if self.before is None else f"a/{self.name}"
        new = self.new_name or self.name
        parts = []
        if new != self.name:
            moved = f"rename from {self.name}\nrename to {new}\n"
            parts.append(f"diff --git a/{self.name} b/{new}\n{moved}")
        target = "/dev/null" if self.is_removed else f"b/{new}"
        for line in difflib.unified_diff(before, after, old, target, n=1):
            is_whole = line.endswith("\n")
            parts.append(line if is_whole else f"{line}\n\\ No newline at end of file\n")
        return "".join(parts)


def _lines(content: str) -> list[str]:
    """The lines with their ends; other separators than a line feed are part of a line."""
    return [line for line in re.split(r"(?<=\n)", content) if line]


def repaired_files(project: Project) -> list[RepairedFile]:
    """The files that repairs change, in the order of their names; nothing is written."""
    declarations = read_declarations(project)
    lexicon = declarations.lexicon(project)
    reader = RecordReader(project.root / "source", "source/", lexicon)
    tables = reader.read(declarations.tables.values())
    with Engine(project.publication.memory, root=project.root / "source") as running:
        running.load(tables.values(), None)
        with running.session.light_planning():
            source = plausibility.RecordSource(
                running.session, tables, declarations.tables, "", project.root
            )
            return repairs_of(source, lexicon)


def repairs_of(source: plausibility.RecordSource, lexicon: Lexicon) -> list[RepairedFile]:
    """The files that repairs of these records change; an engine is needed for scanned tables only."""
    repairs = _Repairs(source.root)
    for table in source.tables.values():
        _clean_texts(source.session, table, repairs)
        if isinstance(table, ScanTable):
            _restore_zeros(source, table, lexicon, repairs)
    for finding in plausibility.capitals(source):
        _write_small(finding, repairs)
    return list(repairs.files())


def write_repairs(project: Project, files: list[RepairedFile]) -> None:
    """Writes all files or none. Raises SourceError (LP704) where one of them was changed
    meanwhile, (LP706) where one cannot be written.
    """
    with exclusive(project.root):
        for file in files:
            if _content(file.path) != file.before or (file.new_name and file.target.exists()):
                raise SourceError([Finding("LP704", Origin(file.name), {"file": file.name})])
        begun: list[RepairedFile] = []
        try:
            for file in files:
                begun.append(file)
                if not file.is_removed:
                    _write(file.target, file.after)
                if file.new_name or file.is_removed:
                    file.path.unlink()
        except BaseException:
            for file in begun:
                _put_back(file)
            raise


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_bytes(content)


def _put_back(file: RepairedFile) -> None:
    """Restores a file of a group of which another one could not be written."""
    if file.before is not None and _content(file.path) != file.before:
        _write(file.path, file.before)
    if file.before is None or file.new_name:
        file.target.unlink(missing_ok=True)


class _Repairs:
    """Changes by file, once for each place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changes: dict[str, dict[tuple[int, int], Change]] = {}

    def add(self, where: Origin, old: str, new: str, change_raw: Callable[[str], str]) -> None:
        place = (where.line, where.column)
        if where.line and where.column:
            change = Change(place, old, new, change_raw)
            self.changes.setdefault(where.file, {}).setdefault(place, change)

    def files(self) -> Iterator[RepairedFile]:
        for name, changes in sorted(self.changes.items()):
            path = self.root / name
            before = path.read_bytes()
            after, done = with_changes(
                before.decode("utf-8"), path.suffix.lower(), changes.values()
            )
            if done:
                yield RepairedFile(name, path, before, after.encode("utf-8"), len(done))


# -- texts -----------------------------------------------------------------------------------------


def _clean_texts(session: Session, table: RecordTable, repairs: _Repairs) -> None:
    columns = hygiene.text_columns(table)
    for column, cells in hygiene.suspicious_cells(session, table, columns):
        target, allow = column.field.target, column.field.plausible.allow
        for cell in cells:
            new = hygiene.cleaned(cell.value, target, allow)
            if new != cell.value and new:
                where = table.locate(cell.record, column.name)
                repairs.add(where, cell.value, new, _raw_cleaner(new, target, allow))


def _raw_cleaner(new: str, target: str, allow: frozenset[str]) -> Callable[[str], str]:
    """Cleans the raw form of a value: what is between its quotes, if it has any; with escapes in it
    (`"a\\u0308"`), it is written again.
    """

    def clean(raw: str) -> str:
        sign = raw[:1]
        if sign == '"' and "\\" in raw:
            return json.dumps(new, ensure_ascii=False)
        if sign in ("'", '"') and raw.endswith(sign) and len(raw) > 1:
            return f"{sign}{hygiene.cleaned(raw[1:-1], target, allow)}{sign}"
        return hygiene.cleaned(raw, target, allow)

    return clean


def _write_small(finding: Finding, repairs: _Repairs) -> None:
    """`True` becomes `true`; the value is the same."""
    value = finding.params["suggestion"]
    if finding.where:
        repairs.add(finding.where, value, value, str.lower)


# -- leading zeros ---------------------------------------------------------------------------------


def _restore_zeros(
    source: plausibility.RecordSource, table: ScanTable, lexicon: Lexicon, repairs: _Repairs
) -> None:
    """Digits that are valid with leading zeros only, where the record or the table referred to
    proves these: another key of the record begins with the same digits.
    """
    for column in table.columns:
        pattern = _pattern(column, lexicon)
        if not pattern and column.field.kind != "ref":
            continue
        name = quote(column.name)
        invalid = f"NOT regexp_matches({name}, {text(pattern)})" if pattern else "true"
        sql = (
            f"SELECT _record, {name} AS value, * FROM {quote(table.name)} "
            f"WHERE regexp_full_match({name}, '[0-9]+') AND {invalid} ORDER BY _record"
        )
        rows = source.session.rows(sql) if table.files else []
        known = _keys(source, column) if rows else set()
        for record, value, *others in rows:
            padded = (f"{'0' * zeros}{value}" for zeros in range(1, _MOST_ZEROS + 1))
            for candidate in padded:
                if value not in known and _is_proven(candidate, pattern, known, others):
                    where = table.locate(record, column.name)
                    repairs.add(where, value, candidate, _replaces(value, candidate))
                    break


def _replaces(value: str, candidate: str) -> Callable[[str], str]:
    return lambda raw: raw.replace(value, candidate, 1)


def _pattern(column: Column, lexicon: Lexicon) -> str:
    """The pattern that the values of a column of keys match; empty for numbers and references."""
    declared = column.field.plausible.format
    if declared and declared.pattern:
        return declared.pattern
    is_key = column.field.kind == "value" and column.field.target in lexicon.patterns
    return (pattern_of(column.field, lexicon) or "") if is_key else ""


def _keys(source: plausibility.RecordSource, column: Column) -> set[str]:
    """The keys of the table that a column refers to."""
    if column.field.kind != "ref":
        return set()
    target = column.field.target
    sql = f"SELECT {quote(source.key(target))} FROM {quote(target)}"
    return {row[0] for row in source.session.rows(sql)}


def _is_proven(candidate: str, pattern: str, known: set[str], others: list[object]) -> bool:
    if known:
        return candidate in known
    if not pattern or not re.search(pattern, candidate):
        return False
    digits = candidate[:_COMMON_DIGITS]
    return any(
        isinstance(other, str) and other.startswith(digits) and re.fullmatch("[0-9]+", other)
        for other in others
    )
