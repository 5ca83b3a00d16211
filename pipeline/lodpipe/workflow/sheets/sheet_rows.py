"""Records as rows of sheets: one sheet for each table, and one for each list of maps in its records.

    - id: chess                  clubs         id     name   tags
      name: Chess                              chess  Chess  pub⏎sport
      tags: [pub, sport]    →
      rooms:                     clubs.rooms   _record  _item  name
        - name: Attic                          chess    1      Attic

A list of plain values is one cell with a value on each line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Origin
from lodpipe.documents.readers import READERS, decoded, read_bytes
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar
from lodpipe.documents.tree import Sequence as List
from lodpipe.sources import Field, Table
from lodpipe.sources.file_patterns import matching
from lodpipe.sources.record_cells import as_written, items_of
from lodpipe.workflow.record_appending import not_changeable
from lodpipe.workflow.renaming import folder_of

RECORD, ITEM = "_record", "_item"
Path = tuple[str, ...]


class SheetColumn(Struct, frozen=True):
    """A column: the path of keys to its values below the record or item, what they are, and whether
    a cell has several.
    """

    path: Path
    field: Field
    several: bool = False
    titles: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """Its stable name, `note.de`."""
        return ".".join(self.path)


class SheetForm(Struct, frozen=True):
    """What a sheet has: the table, the paths of the lists from the record to its items (none: the
    records themselves), and the columns of fields.
    """

    table: Table
    lists: tuple[Path, ...]
    columns: tuple[SheetColumn, ...]

    @property
    def name(self) -> str:
        """The name of the sheet, `clubs.rooms`."""
        return ".".join((self.table.name, *(step for path in self.lists for step in path)))

    @property
    def keys(self) -> tuple[str, ...]:
        """The stable names of all columns."""
        return (*((RECORD, ITEM) if self.lists else ()), *(column.key for column in self.columns))


class RowId(Struct, frozen=True, order=True):
    """The key of a record, and the positions of an item in its lists, from 1."""

    record: str
    item: tuple[int, ...] = ()

    @property
    def position(self) -> str:
        """The positions as a cell has them, `2.1`."""
        return ".".join(map(str, self.item))


Rows = dict[RowId, tuple[str, ...]]  # the cells of fields; what is absent is empty


class Located(Struct, frozen=True):
    """A record in its file: the name of the file, its number among the records of it, its node."""

    file: str
    number: int
    node: Map


def forms_of(table: Table, languages: Sequence[str]) -> tuple[SheetForm, ...]:
    """The sheets of a table. Raises InvalidData (LP725) where no key of a record names it."""
    column = table.key_column
    if column is None or column.is_outside or len(table.files.patterns) == 0:
        raise not_changeable(table.origin, f"the records of `{table.name}` have no key of their own",
                             f"die Datensätze von `{table.name}` haben keinen eigenen Schlüssel")  # fmt: skip
    return tuple(_forms(table, (), as_written(table.root_field), languages))


def _forms(
    table: Table, lists: tuple[Path, ...], field: Field, languages: Sequence[str]
) -> Iterator[SheetForm]:
    columns: list[SheetColumn] = []
    below: list[tuple[Path, Field]] = []

    def look(entry: Field, path: Path) -> None:
        if entry.kind == "map":
            for name, inner in entry.fields.items():
                look(inner, (*path, name))
        elif entry.kind == "texts":
            columns.extend(SheetColumn((*path, word), Field("value", "text"), False, _in_language(entry, word)) for word in languages)  # fmt: skip
        elif entry.kind == "list" and entry.item is not None:
            if entry.item.kind == "map":
                below.append((path, entry.item))
            else:
                columns.append(SheetColumn(path, entry.item, True, entry.titles))
        elif entry.kind != "keyed":
            columns.append(SheetColumn(path, entry, False, entry.titles))

    look(field, ())
    yield SheetForm(table, lists, tuple(columns))
    for path, item in below:
        yield from _forms(table, (*lists, path), item, languages)


def _in_language(field: Field, language: str) -> dict[str, str]:
    """The titles of the texts of one language."""
    return {of: f"{title} ({language})" for of, title in field.titles.items()}


# -- records ---------------------------------------------------------------------------------------


def located_records(project: Project, table: Table) -> Iterator[Located]:
    """The records of a table in the order of its files. Raises InvalidData, SourceError."""
    folder = folder_of(table, project.root)
    for file in matching(folder, table.files.patterns, table.files.excluded):
        name = f"{table.files.above}{file.local}"
        yield from records_in(decoded(read_bytes(file.path, name), name), name, table)


def records_in(text: str, name: str, table: Table) -> Iterator[Located]:
    """The records of the text of a file."""
    suffix = name[name.rfind(".") :].lower()
    if suffix == ".csv":
        from lodpipe.documents.csv_cells import written_rows

        header, *rows = [row.values for row in written_rows(text)]
        for number, row in enumerate(rows):
            cells = {name: Scalar(cell, cell, 0, 0) for name, cell in zip(header, row, strict=False) if cell}  # fmt: skip
            yield Located(name, number, Map(dict(cells)))
        return
    if suffix not in READERS:
        raise not_changeable(Origin(name), f"files of kind `{suffix}` are not written by this command",
                             f"Dateien der Art `{suffix}` schreibt dieser Befehl nicht")  # fmt: skip
    for number, node in enumerate(nodes_in(READERS[suffix](text, name), table)):
        if isinstance(node, Map):
            yield Located(name, number, node)


def nodes_in(root: Node | None, table: Table) -> list[Node]:
    """The records in the tree of a file."""
    for step in table.files.at:
        root = root.items.get(step) if isinstance(root, Map) else None
    if table.files.is_keyed or isinstance(root, List):
        return [node for node, _, _ in items_of(root, is_keyed=table.files.is_keyed)] if root else []  # fmt: skip
    return [root] if root is not None else []


def key_of(table: Table, node: Map) -> str:
    """The key of a record; empty where it has none."""
    column = table.key_column
    value = node_below(node, column.path) if column else None
    return (value.text or "") if isinstance(value, Scalar) else ""


def node_below(node: Node | None, path: Path) -> Node | None:
    """The value at a path of keys."""
    for step in path:
        node = node.items.get(step) if isinstance(node, Map) else None
    return node


# -- rows ------------------------------------------------------------------------------------------


def rows_of(form: SheetForm, records: Mapping[str, Located]) -> Rows:
    """The rows of a sheet."""
    rows: Rows = {}
    for key, record in records.items():
        for item, node in _items(record.node, form.lists, ()):
            rows[RowId(key, item)] = tuple(_cell(node, column) for column in form.columns)
    return rows


def _items(
    node: Node, lists: tuple[Path, ...], above: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], Node]]:
    if not lists:
        yield above, node
        return
    below = node_below(node, lists[0])
    for position, item in enumerate(below.items if isinstance(below, List) else (), 1):
        yield from _items(item, lists[1:], (*above, position))


def _cell(node: Node, column: SheetColumn) -> str:
    value = node_below(node, column.path)
    if isinstance(value, List):
        return "\n".join(item.text or "" for item in value.items if isinstance(item, Scalar))
    return (value.text or "") if isinstance(value, Scalar) else ""
