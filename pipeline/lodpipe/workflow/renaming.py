"""A new key for a record: in the record, in every reference to it, and in the name of its file.

The files are changed in place: only the values with the key differ, in the quotes that they have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from lodpipe.checks.records import record_findings
from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin, Severity
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.csv_dialect import row_text
from lodpipe.documents.raw_values import Change, with_changes
from lodpipe.documents.readers import read_tree
from lodpipe.releases import tombstones, withdrawal_entry
from lodpipe.releases.ledger import read_ledger
from lodpipe.sources import Field, RowTable, Table, pattern_of
from lodpipe.sources.file_patterns import Pattern, matching
from lodpipe.sources.record_declaration import KEY
from lodpipe.workflow.key_uses import (
    KeyUse,
    place_of_map_key,
    tables_of_key,
    uses_of,
)
from lodpipe.workflow.linking.review_file import scalar
from lodpipe.workflow.record_appending import not_changeable
from lodpipe.workflow.record_iris import RecordIris, released_iris
from lodpipe.workflow.record_rows import OpenedRecords, RecordRows, opened_records
from lodpipe.workflow.repairs import RepairedFile

_NUMBERS = ("integer", "decimal")
_FOLDERS = ("source", "queries", "shapes", "ontology", "links")
_REASONS = {"de": "Umbenannt.", "en": "Renamed."}


class Mention(Struct, frozen=True, order=True):
    """A line that has the old key in a text or a declaration, which nothing changes."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Renaming:
    """What a new key changes: the files, how many references, and what is left to people.

    `iris` are the published IRIs that change, relative to the base, each with what it becomes; None
    where a release was closed and its data are not at hand.
    """

    table: str
    old: str
    new: str
    files: tuple[RepairedFile, ...]
    references: int
    mentions: tuple[Mention, ...]
    iris: Mapping[str, str] | None

    @property
    def record(self) -> str:
        """Table and old key."""
        return f"{self.table}/{self.old}"


def renaming_of(project: Project, record: str, new: str, *, withdraw: bool = False) -> Renaming:
    """The changes that give a record a new key; nothing is written. With `withdraw`, the IRIs that a
    closed release describes are listed in source/withdrawn.yaml.

    Raises InvalidData for a record that does not exist (LP722) or is not the only one of that key
    (LP723), for a key that is in use (LP724) or not of its type (LP204, LP205), and for a file that
    cannot be changed (LP725).
    """
    with opened_records(project) as opened:
        iris = RecordIris(project, opened.rows)
        table, old = find_record(opened.rows, iris, record)
        _check_new(opened, table, old, new)
        tables = tables_of_key(opened.rows.declared, table)
        uses = list(uses_of(opened.rows, tables, old))
        files = _Changes(project, opened.rows, old, new).files(uses)
        _check_files(opened, {file.name for file in files})
        others = _other_uses(opened.rows, tables, old)
        withdrawals = _withdrawals(project, iris, table, old, new)
    files += withdrawals.files(withdraw=withdraw)
    own = [use for use in uses if use.table in tables and _is_key(opened.rows, use)]
    mentions = _Mentions(old, new, others).in_files(_texts(project, opened.rows.declared), files)
    references, gone = len(uses) - len(own), withdrawals.released
    return Renaming(table, old, new, tuple(files), references, tuple(mentions), gone)


def _is_key(rows: RecordRows, use: KeyUse) -> bool:
    return use.column.name == rows.declared[use.table].key


# -- which record ----------------------------------------------------------------------------------


def find_record(rows: RecordRows, iris: RecordIris, given: str) -> tuple[str, str]:
    """Table and key of a record by `table/key`, its key alone, or its IRI. Raises InvalidData
    (LP722, LP723).
    """
    keyed = [name for name, table in rows.declared.items() if table.key]
    table, slash, key = given.partition("/")
    if slash and table in keyed and rows.find(table, key):
        return table, key
    records = [(name, given) for name in keyed if rows.find(name, given)]
    records = records or sorted(set(iris.records_of(given)))
    if len(records) == 1:
        return records[0]
    if records:
        names = ", ".join(f"`{name}/{key}`" for name, key in records)
        raise InvalidData([Finding("LP723", None, {"value": given, "records": names})])
    wanted = [table] if slash and table in keyed else keyed
    word = key if slash and table in keyed else given
    known = {row_key: name for name in wanted for row_key in _keys(rows, name)}
    near = nearest(word, known)
    suggestion = f"{known[near]}/{near}" if near else ""
    raise InvalidData([Finding("LP722", None, {"value": given, "suggestion": suggestion})])


def _keys(rows: RecordRows, table: str) -> Iterator[str]:
    column = rows.declared[table].key or ""
    yield from (key for row in rows.rows(table) if (key := row.cells.get(column)))


def _check_new(opened: OpenedRecords, table: str, old: str, new: str) -> None:
    """Raises InvalidData where the new key is in use, or not of its type."""
    rows = opened.rows
    for name in tables_of_key(rows.declared, table):
        if rows.find(name, old) and (row := rows.find(name, new)):
            where = rows.locate(name, row.number, rows.declared[name].key)
            params = {"record": f"{name}/{new}"}
            raise InvalidData([Finding("LP724", where, params)])
    column = rows.declared[table].key_column
    assert column is not None
    if finding := key_finding(column.name, column.field, new, opened):
        raise InvalidData([finding])


def key_finding(name: str, field: Field, key: str, opened: OpenedRecords) -> Finding | None:
    """What is wrong with a key by the type of its field."""
    if field.kind == "concept" and key not in (known := opened.lexicon.concepts[field.target]):
        params = {"key": name, "value": key, "allowed": ", ".join(known)}
        return Finding("LP205", None, {**params, "suggestion": nearest(key, known)})
    pattern = pattern_of(field, opened.lexicon)
    if pattern and not re.search(pattern, key):
        params = {"key": name, "value": key, "pattern": pattern, "expected": field.target}
        return Finding("LP204", None, params)
    return None


def _check_files(opened: OpenedRecords, names: set[str]) -> None:
    """Raises InvalidData with the errors in files that are to be changed."""
    rows = opened.rows
    findings = record_findings(rows.session, rows.tables, rows.declared, opened.lexicon)
    errors = [
        finding
        for finding in findings
        if finding.severity is Severity.ERROR and finding.where and finding.where.file in names
    ]
    if errors:
        raise InvalidData(errors)


# -- files -----------------------------------------------------------------------------------------


class _Changes:
    """The files with a new key in the place of the old one."""

    def __init__(self, project: Project, rows: RecordRows, old: str, new: str) -> None:
        self.root, self.rows, self.old, self.new = project.root, rows, old, new

    def files(self, uses: Iterable[KeyUse]) -> list[RepairedFile]:
        """The changed files, in the order of their names. Raises InvalidData (LP725)."""
        by_file: dict[str, list[KeyUse]] = {}
        for use in uses:
            by_file.setdefault(use.where.file, []).append(use)
        return [self._file(name, several) for name, several in sorted(by_file.items())]

    def _file(self, name: str, uses: list[KeyUse]) -> RepairedFile:
        path = self.root / name
        inside = [use for use in uses if not use.source or use.source == KEY]
        changes = {change.place: change for change in map(self._change, inside)}
        suffix = path.suffix.lower()
        if suffix not in (".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".csv"):
            raise not_changeable(uses[0].where, f"files of kind `{suffix}` are not written by this command",
                                 f"Dateien der Art `{suffix}` schreibt dieser Befehl nicht")  # fmt: skip
        before = path.read_bytes()
        after, done = with_changes(before.decode("utf-8"), suffix, changes.values())
        if missing := changes.keys() - {change.place for change in done}:
            where = Origin(name, *min(missing))
            raise not_changeable(
                where,
                f"`{self.old}` comes from records.yaml, or is written in a way that cannot be changed",
                f"`{self.old}` kommt aus records.yaml oder ist so geschrieben, dass es nicht änderbar ist",
            )
        new_name = self._new_name(name, uses)
        return RepairedFile(name, path, before, after.encode("utf-8"), len(done), new_name)

    def _change(self, use: KeyUse) -> Change:
        place = (use.where.line, use.where.column)
        if use.source == KEY:
            tree = read_tree(self.root / use.where.file, use.where.file)
            of_key = place_of_map_key(tree, self.old, place) if tree else None
            place = of_key or place
        entry = use.column.field.referred or use.column.field
        suffix = Path(use.where.file).suffix.lower()
        is_number = entry.target in _NUMBERS
        return Change(place, self.old, self.new, raw_form(self.new, suffix, is_number=is_number))

    def _new_name(self, name: str, uses: list[KeyUse]) -> str:
        """The new name of a file that holds one record and has its key as a name, or in the part of
        its path that is the key; empty where the name stays.
        """
        in_path = [use for use in uses if use.source and use.source != KEY]
        own = [use for use in uses if use.table in self.rows.declared and _is_key(self.rows, use)]
        for use in in_path:
            if use not in own or Path(name).stem != self.old:
                raise not_changeable(use.where, f"`{use.column.name}` is a part of the path; move the files by hand",
                                     f"`{use.column.name}` ist ein Teil des Pfades; die Dateien von Hand verschieben")  # fmt: skip
        if not own or Path(name).stem != self.old:
            return ""
        table = self.rows.declared[own[0].table]
        if _is_only_record(self.rows, own[0]) and _may_be_called(table, self.root, name, self.new):
            target = Path(name).with_name(self.new + Path(name).suffix)
            if (self.root / target).exists():
                raise not_changeable(Origin(name), f"its new name is in use: {target.as_posix()}",
                                     f"den neuen Namen gibt es schon: {target.as_posix()}")  # fmt: skip
            return target.as_posix()
        if in_path:
            raise not_changeable(Origin(name), "no file of this table can have that name",
                                 "keine Datei dieser Tabelle kann so heißen")  # fmt: skip
        return ""


def raw_form(new: str, suffix: str, *, is_number: bool) -> Callable[[str], str]:
    """Writes a value as another one was written: in the same quotes, if it can be."""

    def write(raw: str) -> str:
        sign = raw[:1]
        if suffix == ".csv":
            doubled = new.replace('"', '""')
            return f'"{doubled}"' if sign == '"' else row_text([new]).removesuffix("\n")
        if sign == '"':
            return msgspec.json.encode(new).decode()
        if suffix in (".yaml", ".yml"):
            if sign == "'" and new.isprintable():
                return "'" + new.replace("'", "''") + "'"
            return new if is_number else scalar(new)
        return new

    return write


def _is_only_record(rows: RecordRows, use: KeyUse) -> bool:
    table = rows.tables[use.table]
    lines = table.lines if isinstance(table, RowTable) else ()
    return sum(file == use.where.file for file, _ in lines) == 1


def _may_be_called(table: Table, root: Path, name: str, new: str) -> bool:
    """Whether the patterns of a table still match a file of the new name."""
    if "/" in new or "\\" in new or new.startswith(".") or len(new.encode()) > 200:
        return False
    local = Path(os.path.relpath(root / name, folder_of(table, root)))
    renamed = local.with_name(new + local.suffix).as_posix()
    return any(
        pattern.match(renamed) is not None for pattern in map(Pattern.read, table.files.patterns)
    )


def folder_of(table: Table, root: Path) -> Path:
    """The folder that the patterns of a table are relative to."""
    return root / (table.files.root or "source")


# -- withdrawals -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Withdrawals:
    """What the new key means for IRIs: those of the last closed release that change (None: its data
    are not at hand), and successors in source/withdrawn.yaml that were never published.
    """

    project: Project
    released: Mapping[str, str] | None
    successors: tuple[tuple[Origin, str, str], ...] = ()

    def files(self, *, withdraw: bool) -> list[RepairedFile]:
        """source/withdrawn.yaml, if it changes; with `withdraw` it gets an entry for each IRI."""
        path = self.project.root / tombstones.FILE
        before = path.read_bytes() if path.is_file() else None
        text = (before or b"").decode("utf-8")
        changes = [
            Change((where.line, where.column), old, new, raw_form(new, ".yaml", is_number=False))
            for where, old, new in self.successors
        ]
        text, done = with_changes(text, ".yaml", changes)
        for old, new in (self.released or {}).items() if withdraw else ():
            text += self._entry(text, old, new)
        after = text.encode("utf-8")
        if after == (before or b""):
            return []
        return [RepairedFile(tombstones.FILE, path, before, after, len(done))]

    def _entry(self, text: str, old: str, new: str) -> str:
        publication = self.project.publication
        names = read_vocabulary(self.project.root, publication.base).namespaces
        why = reasons(publication.languages)
        entry = withdrawal_entry.Entry([old], [new], publication.date, why).relative(names)
        dump = self.project.dist / f"{publication.name}.nq"
        label = withdrawal_entry.published_label(
            dump, publication.base + old, publication.languages
        )
        return withdrawal_entry.addition(
            text.removeprefix("\ufeff"), entry.called(label), publication.base
        )


def _withdrawals(
    project: Project, iris: RecordIris, table: str, old: str, new: str
) -> _Withdrawals:
    """The IRIs with the old key that a closed release describes, and the successors that no release
    does: these are changed, those are listed as withdrawn.
    """
    ledger, base = read_ledger(project.root), project.publication.base
    listed = tombstones.read_withdrawn(project)
    released = released_iris(project, ledger) if ledger else iter(())
    if released is None:
        return _Withdrawals(project, None)
    published = {
        iri.removeprefix(base): other.removeprefix(base)
        for iri, other in iris.renamed(table, old, new, released).items()
    }
    named = [item for entry in listed.withdrawals for item in entry.replaced_by]
    renamed = iris.renamed(table, old, new, (base + item.local for item in named))
    successors = tuple(
        (item.origin, item.local, renamed[base + item.local].removeprefix(base))
        for item in named
        if base + item.local in renamed and item.local not in published
    )
    gone = {iri: other for iri, other in published.items() if iri not in listed.successors}
    return _Withdrawals(project, gone, successors)


def reasons(languages: Iterable[str]) -> dict[str, str]:
    """Why the IRIs are withdrawn, in the languages of the publication that are known."""
    return {word: _REASONS[word] for word in languages if word in _REASONS} or {
        "en": _REASONS["en"]
    }


# -- what is left to people ------------------------------------------------------------------------


def _other_uses(rows: RecordRows, tables: list[str], key: str) -> set[tuple[str, int]]:
    """The lines with the same key of other tables."""
    others = [name for name, table in rows.declared.items() if table.key and name not in tables]
    return {
        (use.where.file, use.where.line)
        for name in others
        if rows.find(name, key)
        for use in uses_of(rows, [name], key)
    }


@dataclass(frozen=True)
class _Mentions:
    """Finds a key in texts; `others` are the lines with the same key of other tables."""

    key: str
    new: str
    others: set[tuple[str, int]]

    def in_files(
        self, texts: Mapping[str, Path], files: Iterable[RepairedFile]
    ) -> Iterator[Mention]:
        """The lines that still have the key, as a word, after the changes; a part of a number, such
        as `14` in `14.05`, is none.
        """
        word = re.compile(rf"(?<![\w-])(?<!\d\.){re.escape(self.key)}(?![\w-]|\.\d)")
        changed = {file.name: file for file in files}
        for name, path in sorted(texts.items()):
            file = changed.get(name)
            data = file.after if file else path.read_bytes()
            if name == tombstones.FILE or self.key.encode() not in data:
                continue
            for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
                without = line.replace(self.new, "") if self.key in self.new else line
                if word.search(without) and (name, number) not in self.others:
                    yield Mention((file and file.new_name) or name, number, line.strip())


def _texts(project: Project, declared: Mapping[str, Table]) -> dict[str, Path]:
    """The files of a project that may name a record, by their names; results of queries are
    written by a command, and left out.
    """
    root = project.root
    paths = [root / "publication.yaml"]
    for folder in _FOLDERS:
        paths += [path for path in (root / folder).rglob("*") if path.is_file()]
    for table in declared.values():
        if table.files.root:
            top = folder_of(table, root)
            below = matching(top, table.files.patterns, table.files.excluded)
            paths += [root / table.files.root / file.local for file in below]
    kinds = {".parquet", ".png", ".webp", ".gz", ".zip"}
    names = {path: Path(os.path.relpath(path, root)).as_posix() for path in paths}
    return {
        name: path
        for path, name in names.items()
        if path.suffix not in kinds and not name.startswith("queries/results/")
    }
