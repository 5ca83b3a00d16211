"""Changes of a workbook in the record files: single values and items as text edits, new records at
the end of their files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Origin
from lodpipe.documents.csv_cells import line_end, text_of_rows, value_of_cell, written_rows
from lodpipe.documents.csv_dialect import row_text
from lodpipe.documents.readers import READERS
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar
from lodpipe.documents.tree import Sequence as List
from lodpipe.sources import Table
from lodpipe.workflow.formatting import order_of_table
from lodpipe.workflow.new_record import RecordForm, put, scalar_of, written
from lodpipe.workflow.record_appending import json_text, not_changeable
from lodpipe.workflow.record_rows import OpenedRecords
from lodpipe.workflow.sheets.sheet_import import Merged, SheetRow
from lodpipe.workflow.sheets.sheet_rows import (
    Located,
    RowId,
    SheetColumn,
    SheetForm,
    node_below,
    nodes_in,
    records_in,
)
from lodpipe.workflow.yaml_edits import copied, with_tree

_MARK = "\ufeff"


@dataclass
class _FileDraft:
    """A file whose records change: its tree (None for CSV), its records, those to remove."""

    text: str
    root: Node | None
    records: list[Map]
    removed: set[int] = field(default_factory=set)


class SheetChanges:
    """The changes of one table, in the files of a copy of the project."""

    def __init__(
        self, project: Project, table: Table, forms: Iterable[SheetForm], opened: OpenedRecords
    ) -> None:
        self.project, self.table, self.opened = project, table, opened
        self.forms = {form.name: form for form in forms}
        self.touched: dict[str, None] = {}
        self._drafts: dict[str, _FileDraft] = {}

    def apply(self, merged: Merged, located: dict[str, Located]) -> None:
        """Writes the files. Raises InvalidData where that is not possible."""
        own = [(self.forms[name], row) for name, row in merged.removed if name in self.forms]
        gone = {row.record for form, row in own if not form.lists}
        for (name, row), cells in merged.cells.items():
            if name in self.forms:
                self._change(self.forms[name], located[row.record], row, cells)
        added = [(self.forms[name], row) for name, row in merged.added if name in self.forms]
        new = {row.row.record: Map({}) for form, row in added if not form.lists}
        for form, new_row in sorted(added, key=lambda item: len(item[0].lists)):
            self._add(form, new_row, new, located)
        # From the last item, so that those before it keep their positions.
        for form, row in sorted(own, key=lambda item: item[1], reverse=True):
            if row.record not in gone:
                self._remove_item(form, located[row.record], row)
        for key in gone:
            self._record(located[key])
            self._drafts[located[key].file].removed.add(located[key].number)
        for name, draft in self._drafts.items():
            self._write(name, draft)
        for record in new.values():
            file = written(self.project, RecordForm(self.opened, self.table, record))
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_bytes(file.after)
            self.touched[file.name] = None

    # -- values ------------------------------------------------------------------------------------

    def _record(self, located: Located) -> Map:
        """The record of a file that is to change."""
        name = located.file
        if name not in self._drafts:
            text = (self.project.root / name).read_bytes().decode("utf-8").removeprefix(_MARK)
            if name.lower().endswith(".csv"):
                records = [record.node for record in records_in(text, name, self.table)]
                self._drafts[name] = _FileDraft(text, None, records)
            else:
                tree = READERS[name[name.rfind(".") :].lower()](text, name)
                root = copied(tree) if tree is not None else None
                maps = [node for node in nodes_in(root, self.table) if isinstance(node, Map)]
                self._drafts[name] = _FileDraft(text, root, maps)
        return self._drafts[name].records[located.number]

    def _change(self, form: SheetForm, located: Located, row: RowId, cells: dict[str, str]) -> None:
        node = _item_at(self._record(located), form.lists, row.item)
        for column in form.columns:
            if column.key in cells:
                _set_cell(node, column, cells[column.key])

    def _add(
        self, form: SheetForm, row: SheetRow, new: dict[str, Map], located: dict[str, Located]
    ) -> None:
        key = row.row.record
        if key not in new and key not in located:
            where = Origin(f"{self.table.name}/{key}")
            raise not_changeable(where, "items of a record that does not exist",
                                 "Einträge eines Datensatzes, den es nicht gibt")  # fmt: skip
        record = new[key] if key in new else self._record(located[key])
        node = record
        if form.lists:
            above = _item_at(record, form.lists[:-1], row.row.item)
            present = node_below(above, form.lists[-1])
            node = Map({})
            items = present.items if isinstance(present, List) else []
            put(above, form.lists[-1], List([*items, node], 0, 0))
        for column in form.columns:
            if text := row.cells.get(column.key):
                _set_cell(node, column, text)

    def _remove_item(self, form: SheetForm, located: Located, row: RowId) -> None:
        above = _item_at(self._record(located), form.lists[:-1], row.item[:-1])
        items = node_below(above, form.lists[-1])
        if isinstance(items, List):
            del items.items[row.item[-1] - 1]
            if not items.items:
                _remove(above, form.lists[-1])

    # -- files -------------------------------------------------------------------------------------

    def _write(self, name: str, draft: _FileDraft) -> None:
        path = self.project.root / name
        self.touched[name] = None
        before = path.read_bytes()
        mark = _MARK if before.startswith(_MARK.encode()) else ""
        if draft.root is None:
            after = self._csv(name, draft)
        else:
            if draft.root in draft.records and draft.removed:  # it holds this record alone
                path.unlink()
                return
            _take_out(draft.root, [draft.records[number] for number in draft.removed])
            languages = self.opened.lexicon.languages
            order = order_of_table(self.table, languages)
            is_yaml = name.lower().endswith((".yaml", ".yml"))
            after = with_tree(draft.text, name, draft.root, order) if is_yaml else json_text(draft.text, name, draft.root)  # fmt: skip
        path.write_bytes((mark + after).encode("utf-8"))

    def _csv(self, name: str, draft: _FileDraft) -> str:
        header, *rows = written_rows(draft.text)
        names = header.values
        lines = [header.cells]
        for number, (row, record) in enumerate(zip(rows, draft.records, strict=True)):
            if number in draft.removed:
                continue
            if unknown := record.items.keys() - {*names}:
                raise not_changeable(Origin(name, 1), f"the header has no column `{min(unknown)}`",
                                     f"in der Kopfzeile fehlt die Spalte `{min(unknown)}`")  # fmt: skip
            cells = [*row.cells, *[""] * (len(names) - len(row.cells))]
            for at, column in enumerate(names):
                value = record.items.get(column)
                text = (value.text or "") if isinstance(value, Scalar) else ""
                if value_of_cell(cells[at]) != text:
                    cells[at] = row_text([text]).removesuffix("\n")
            lines.append(cells)
        return text_of_rows(lines, line_end(draft.text))


def _item_at(record: Map, lists: Sequence[tuple[str, ...]], item: Sequence[int]) -> Map:
    """The item of a record at positions in its lists."""
    node: Node = record
    for path, position in zip(lists, item, strict=True):
        below = node_below(node, path)
        assert isinstance(below, List)  # its position was compared with the files
        node = below.items[position - 1]
    assert isinstance(node, Map)
    return node


def _set_cell(node: Map, column: SheetColumn, text: str) -> None:
    """Gives a field the value that a cell says; an empty one has none."""
    present = node_below(node, column.path)
    if not text.strip():
        _remove(node, column.path)
    elif column.several:
        left = [*present.items] if isinstance(present, List) else []
        items: list[Node] = []
        for line in filter(None, map(str.strip, text.split("\n"))):
            same = next((x for x in left if isinstance(x, Scalar) and x.text == line), None)
            if same is not None:
                left.remove(same)
            items.append(same or scalar_of(column.field, line))
        put(node, column.path, List(items, 0, 0))
    else:
        is_literal = isinstance(present, Scalar) and (present.text or "").endswith("\n")
        put(node, column.path, scalar_of(column.field, f"{text}\n" if is_literal else text))


def _remove(node: Map, path: tuple[str, ...]) -> None:
    """Removes a value, and the maps above it that are empty then."""
    first, *rest = path
    below = node.items.get(first)
    if rest and isinstance(below, Map):
        _remove(below, tuple(rest))
    if not rest or (isinstance(below, Map) and not below.items):
        node.items.pop(first, None)


def _take_out(root: Node, records: Sequence[Node]) -> None:
    """Removes records from the list or the map that holds them."""
    for record in records:
        if isinstance(root, List):
            root.items[:] = [item for item in root.items if item is not record]
        elif isinstance(root, Map):
            root.items = {key: item for key, item in root.items.items() if item is not record}
    if isinstance(root, Map | List):
        for item in root.items if isinstance(root, List) else root.items.values():
            if isinstance(item, Map | List) and records:
                _take_out(item, records)
