"""A new record of a declared table: its answers are judged one by one, then the whole of it, and it
is written where the files of its table are.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.core_schema import typed
from lodpipe.documents.readers import READERS, read_text, read_tree, read_yaml
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar
from lodpipe.documents.tree import Sequence as List
from lodpipe.sources import Field, Table
from lodpipe.sources.file_patterns import Pattern, filled, has_signs, matching
from lodpipe.sources.record_cells import text_at
from lodpipe.sources.record_declaration import FILE, KEY, PARENT, POSITION, columns_of
from lodpipe.sources.record_tables import header_name
from lodpipe.sources.schema import RecordChecker
from lodpipe.workflow.record_appending import (
    NewRecord,
    not_changeable,
    whole_file_of,
    with_record,
    with_row,
)
from lodpipe.workflow.record_rows import OpenedRecords
from lodpipe.workflow.renaming import folder_of, key_finding
from lodpipe.workflow.repairs import RepairedFile

FormField: TypeAlias = Field
FormTable: TypeAlias = Table
TEXT = Field("value", "text")  # one language of a field with texts
_TYPED = ("integer", "decimal", "boolean")
_NEAR = 5  # keys that are offered


@dataclass
class RecordForm:
    """The fields of a new record as they are filled in.

    `record` is what its file is to have, `around` what its path or the key of its entry says, by the
    names of fields.
    """

    opened: OpenedRecords
    table: Table
    record: Map = field(default_factory=lambda: Map({}))
    around: dict[str, str] = field(default_factory=dict)

    # -- fields ------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Field]:
        """The fields that an editor fills in."""
        return askable(self.table.fields)

    def field_at(self, name: str) -> tuple[Field, tuple[str, ...]]:
        """The field at a path of names (`note.de`), and the path of keys to its value. Raises
        InvalidData (LP201) where there is none.
        """
        fields, steps = self.table.fields, name.split(".")
        path: tuple[str, ...] = ()
        first = self.opened.lexicon.languages
        for number, step in enumerate(steps):
            entry = askable(fields).get(step)
            if entry is None:
                raise InvalidData([_unknown(name, step, askable(fields))])
            path = (*path, *(entry.source or (step,)))
            rest = steps[number + 1 :]
            if entry.kind == "texts" and len(rest) <= 1:
                language = rest[0] if rest else first[0]
                if language not in first:
                    raise InvalidData([_unknown(name, language, first)])
                return TEXT, (*path, language)
            if not rest:
                return entry, path
            if entry.kind != "map":
                raise InvalidData([_unknown(name, rest[0], ())])
            fields = entry.fields
        raise AssertionError(name)  # a name has at least one step

    # -- answers -----------------------------------------------------------------------------------

    def set(self, name: str, text: str) -> None:
        """Fills in a field; a list gets one more item. Raises InvalidData with what is wrong."""
        entry, path = self.field_at(name)
        if entry.is_outside:
            self._set_around(name, entry, text)
            return
        node = self.node_of(name, entry, text)
        if entry.kind == "list" and isinstance(node, Scalar | Map):
            present = _at(self.record, path)
            items = present.items if isinstance(present, List) else []
            node = List([*items, node], 0, 0)
        put(self.record, path, node)

    def _set_around(self, name: str, entry: Field, text: str) -> None:
        if finding := key_finding(name, entry, text, self.opened):
            raise InvalidData([finding])
        self._check_references(name, entry, Scalar(text, text, 0, 0))
        self.around[name] = text

    def node_of(self, name: str, entry: Field, text: str) -> Node:
        """The value of a field that an answer means; maps and lists are written as in YAML,
        `{a: b}` and `[a, b]`. Raises InvalidData with what is wrong.
        """
        of_item = entry.item if entry.kind == "list" and entry.item else entry
        if text[:1] in "{[" and (entry.item is not None or entry.kind in ("map", "texts")):
            node = read_yaml(text, f"--set {name}") or Scalar(None, None, 0, 0)
            judged = of_item if isinstance(node, Map) and entry.kind == "list" else entry
        else:
            node, judged = scalar_of(of_item, text), of_item
        self.check(name, judged, node)
        return node

    def check(self, name: str, entry: Field, node: Node) -> None:
        """Raises InvalidData where a value is not as its field is declared."""
        if entry.kind == "ref":  # a text that is no key may be the name of a record
            self._check_references(name, entry, node)
        step = name.rpartition(".")[2]
        alone = replace(entry, source=(), required=False)
        table = Table(self.table.name, self.table.files, {step: alone}, self.table.origin)
        findings = RecordChecker(table, self.opened.lexicon).findings(Map({step: node}), "")
        if findings:
            raise InvalidData([_without_place(finding, name) for finding in findings])
        self._check_references(name, entry, node)

    def _check_references(self, name: str, entry: Field, node: Node) -> None:
        findings = list(self._broken(name, entry, node))
        if findings:
            raise InvalidData(findings)

    def _broken(self, name: str, entry: Field, node: Node) -> Iterator[Finding]:
        """References to records that do not exist."""
        if entry.item is not None:
            for item in _items(node):
                yield from self._broken(name, entry.item, item)
        elif entry.kind == "map":
            for below, inner in entry.fields.items():
                value = None if inner.is_outside else _at(node, inner.source or (below,))
                if value is not None:
                    yield from self._broken(f"{name}.{below}", inner, value)
        elif entry.kind == "ref" and isinstance(node, Scalar) and node.text:
            key = (entry.values or {}).get(node.text, node.text)
            if key is not None and not self.opened.rows.find(entry.target, key):
                near = next(iter(self.near(entry, key)), "")
                params = {"key": name, "value": key, "table": entry.target, "suggestion": near}
                yield Finding("LP206", None, params)

    def near(self, entry: Field, text: str) -> list[str]:
        """The keys of records or concepts that are most like a text: by the key itself, or by a
        value of the record that contains it.
        """
        if entry.kind == "concept":
            known = list(self.opened.lexicon.concepts[entry.target])
            return difflib.get_close_matches(text, known, _NEAR, 0.5) or known[:_NEAR]
        key = self.opened.rows.declared[entry.target].key or ""
        word = text.casefold()
        rows = self.opened.rows.rows(entry.target)
        keys = [value for row in rows if (value := row.cells.get(key))]
        containing = [
            value
            for row in rows
            if (value := row.cells.get(key))
            and any(cell and word in cell.casefold() for cell in row.cells.values())
        ]
        close = difflib.get_close_matches(word, keys, _NEAR, 0.5)
        return list(dict.fromkeys([*close, *containing]))[:_NEAR]

    # -- the whole ---------------------------------------------------------------------------------

    @property
    def key(self) -> str | None:
        """The key of the record, as far as it is known."""
        column = self.table.key_column
        if column is None:
            return None
        if column.is_outside:
            return self.around.get(column.name)
        return text_at(self.record, column.path)

    def check_key(self) -> None:
        """Raises InvalidData (LP724) where the key is in use."""
        rows, key = self.opened.rows, self.key
        if key is not None and (row := rows.find(self.table.name, key)):
            where = rows.locate(self.table.name, row.number, self.table.key)
            raise InvalidData([Finding("LP724", where, {"record": f"{self.table.name}/{key}"})])

    def check_all(self) -> None:
        """Raises InvalidData with all that is wrong with the record: fields that are missing, a key
        or a unique value that is in use.
        """
        findings = RecordChecker(self.table, self.opened.lexicon).findings(self.record, "")
        missing = [
            Finding("LP202", None, {"key": name, "table": self.table.name})
            for name, entry in self.fields.items()
            if entry.is_outside and entry.required and name not in self.around
        ]
        repeated = list(self._repeated())
        if findings or missing or repeated:
            raise InvalidData([*map(_without_place, findings), *missing, *repeated])
        self.check_key()

    def _repeated(self) -> Iterator[Finding]:
        rows, name = self.opened.rows, self.table.name
        for column in columns_of(self.table.fields, self.opened.lexicon.languages):
            if not column.field.unique or column.is_outside:
                continue
            value = text_at(self.record, column.path)
            same = (row for row in rows.rows(name) if row.cells.get(column.name) == value)
            if value is not None and (row := next(same, None)):
                other = rows.locate(name, row.number, column.name)
                params = {"key": column.name, "value": value, "other": str(other)}
                yield Finding("LP207", None, params, related=(other,))


def askable(fields: Mapping[str, Field]) -> dict[str, Field]:
    """The fields whose value an editor gives: none that follow from the place of the record."""
    derived = (FILE, POSITION, PARENT)
    return {
        name: entry
        for name, entry in fields.items()
        if not (entry.is_outside and entry.source[0] in derived)
    }


def put(record: Map, path: tuple[str, ...], node: Node) -> None:
    """Puts a value at a path of keys, with the maps on the way."""
    for step in path[:-1]:
        below = record.items.get(step)
        if not isinstance(below, Map):
            below = record.items[step] = Map({})
        record = below
    record.items[path[-1]] = node


def _at(node: Node, path: tuple[str, ...]) -> Node | None:
    for step in path:
        if not isinstance(node, Map) or step not in node.items:
            return None
        node = node.items[step]
    return node


def _items(node: Node) -> Iterable[Node]:
    if isinstance(node, List):
        return node.items
    return node.items.values() if isinstance(node, Map) else [node]


def scalar_of(entry: Field, text: str) -> Scalar:
    """A single value; numbers and truth values are such where the field is one."""
    target = entry.referred.target if entry.referred else entry.target
    return typed(text, 0, 0) if target in _TYPED else Scalar(text, text, 0, 0)


def _unknown(name: str, step: str, known: Iterable[str]) -> Finding:
    return Finding("LP201", None, {"key": name, "suggestion": nearest(step, known)})


def _without_place(finding: Finding, name: str = "") -> Finding:
    """A finding about a record that is in no file yet."""
    params = {**finding.params, **({"key": name} if name and "key" in finding.params else {})}
    return replace(finding, where=None, params=params)


def ordered(fields: Mapping[str, Field], record: Map) -> Map:
    """The record with its keys in the order of the declaration."""
    firsts = [(entry.source or (name,))[0] for name, entry in fields.items()]
    rank = {key: number for number, key in reversed(list(enumerate(firsts)))}
    keys = sorted(record.items, key=lambda key: rank.get(key, len(rank)))
    return Map({key: record.items[key] for key in keys})


# -- files -----------------------------------------------------------------------------------------


def written(project: Project, form: RecordForm, file: str | None = None) -> RepairedFile:
    """The file with the record; `file` is its name, relative to the project, where the table has
    several. Raises InvalidData for a record that is not complete or not unique, and (LP725) where no
    file can take it.
    """
    form.check_all()
    table = form.table
    name = file or _file_name(project, form)
    path = project.root / name
    suffix = path.suffix.lower()
    if not _is_of_table(table, project.root, name):
        raise not_changeable(Origin(name), f"it is no file of the table `{table.name}`",
                             f"sie ist keine Datei der Tabelle `{table.name}`")  # fmt: skip
    if suffix not in READERS and suffix != ".csv":
        raise not_changeable(Origin(name), f"files of kind `{suffix}` are not written by this command",
                             f"Dateien der Art `{suffix}` schreibt dieser Befehl nicht")  # fmt: skip
    before = path.read_bytes() if path.exists() else None
    text = (before or b"").decode("utf-8")
    if before is None and _is_own_file(table, suffix):
        record = ordered(table.fields, form.record)
        after = whole_file_of(record, suffix, _sibling(project, table, suffix))
    else:
        after = _with_record(text, name, form)
    return RepairedFile(name, path, before, after.encode("utf-8"), 1)


def _is_own_file(table: Table, suffix: str) -> bool:
    """Whether a new file of the table holds one record by itself, not a list of one."""
    files = table.files
    is_folder = any(has_signs(PurePosixPath(pattern).name) for pattern in files.patterns)
    is_single = not (files.is_keyed or files.at)
    return is_single and is_folder and suffix in (".yaml", ".yml", ".json")


def _sibling(project: Project, table: Table, suffix: str) -> str:
    """The text of a file of the table, whose style a new one has; empty where there is none."""
    files = table.files
    present = matching(folder_of(table, project.root), files.patterns, files.excluded)
    path = next((file.path for file in present if file.path.suffix.lower() == suffix), None)
    return read_text(path, path.name) if path else ""


def _with_record(text: str, name: str, form: RecordForm) -> str:
    if name.lower().endswith(".csv"):
        return with_row(text or _header(form), name, _cells(form))
    files, record = form.table.files, ordered(form.table.fields, form.record)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    entry = form.key if files.is_keyed else None
    return mark + with_record(text.removeprefix(mark), name, NewRecord(record, entry, files.at))


def _cells(form: RecordForm) -> dict[str, str]:
    columns = columns_of(form.table.fields, form.opened.lexicon.languages)
    return {
        header_name(column): text
        for column in columns
        if not column.is_outside and (text := text_at(form.record, column.path)) is not None
    }


def _header(form: RecordForm) -> str:
    columns = columns_of(form.table.fields, form.opened.lexicon.languages)
    return ",".join(header_name(column) for column in columns if not column.is_outside) + "\n"


def _is_of_table(table: Table, root: Path, name: str) -> bool:
    local = _local(table, name)
    patterns = map(Pattern.read, table.files.patterns)
    return local is not None and any(pattern.match(local) is not None for pattern in patterns)


def _local(table: Table, name: str) -> str | None:
    top = PurePosixPath(table.files.above)
    path = PurePosixPath(name)
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None


def _file_name(project: Project, form: RecordForm) -> str:
    """The file of the table that takes the record: its only one, or a new one where each record has
    its own.
    """
    table = form.table
    files, above = table.files, table.files.above
    present = list(matching(folder_of(table, project.root), files.patterns, files.excluded))
    pattern = files.patterns[0]
    if len(files.patterns) == 1 and not has_signs(pattern):
        return f"{above}{pattern}"
    if present and _holds_several(table, present[0].path, present[0].local):
        if len(present) == 1:
            return f"{above}{present[0].local}"
        raise _no_file(form, "the table has several files; name one with --file",
                       "die Tabelle hat mehrere Dateien; eine mit --file angeben")  # fmt: skip
    captured = {
        entry.source[0][1:-1]: form.around[name]
        for name, entry in form.fields.items()
        if entry.is_outside and entry.source[0] != KEY and name in form.around
    }
    local = filled(pattern, captured, form.key or "") if len(files.patterns) == 1 else None
    if local is None:
        names = ", ".join(files.patterns)
        raise _no_file(form, f"`{names}` does not say where the record belongs; name a file with --file",
                       f"`{names}` sagt nicht, wohin der Datensatz gehört; mit --file eine Datei angeben")  # fmt: skip
    if (folder_of(table, project.root) / local).exists():
        raise not_changeable(Origin(f"{above}{local}"), "there is such a file already",
                             "die Datei gibt es schon")  # fmt: skip
    return f"{above}{local}"


def _no_file(form: RecordForm, english: str, german: str) -> InvalidData:
    return not_changeable(form.table.origin, english, german)


def _holds_several(table: Table, path: Path, name: str) -> bool:
    """Whether a file of the table is written for several records."""
    if table.files.is_keyed or table.files.at or path.suffix.lower() not in (".yaml", ".yml", ".json"):  # fmt: skip
        return True
    return not isinstance(read_tree(path, name), Map)
