"""source/records.yaml: which record tables there are, in which files, with which fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import Mapping, Node, Scalar, place_of
from lodpipe.sources.plausible_values import KEYS, NOTHING, Plausibility, read_plausibility

Kind = Literal["value", "ref", "concept", "texts", "map", "list"]

TYPES: dict[str, dict[str, object]] = {
    # The types of single values, as JSON Schema says them; own datatypes (def:ags) come from
    # ontology/.
    "text": {"type": "string", "pattern": r"\S"},
    "slug": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
    "url": {"type": "string", "pattern": r"""^https?://[^\s<>"{}|\\^`/]+(/[^\s<>"{}|\\^`]*)?$"""},
    "language": {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "partial-date": {
        "type": "string",
        "format": "partial-date",
        "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
    },
}


@dataclass(frozen=True)
class Field:
    """One field of a record; `target` is the type, the table referred to, or the concept scheme,
    `after` a date that it may not precede.
    """

    kind: Kind
    target: str = ""
    required: bool = False
    key: bool = False
    unique: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    item: Field | None = None
    after: str = ""
    origin: Origin | None = field(default=None, compare=False)
    plausible: Plausibility = NOTHING


class Table(Struct, frozen=True):
    """A record table: its name, the files (a glob below source/), its fields."""

    name: str
    files: str
    fields: dict[str, Field]
    origin: Origin

    @property
    def key(self) -> str | None:
        """The field that names a record: the one marked `key`, else `id` where there is one."""
        marked = [name for name, entry in self.fields.items() if entry.key]
        return marked[0] if marked else "id" if "id" in self.fields else None


def read_declaration(path: Path, name: str) -> dict[str, Table]:
    """The tables of records.yaml, in their order. Raises InvalidDeclaration with every problem
    found.
    """
    tree = read_tree(path, name)
    if not isinstance(tree, Mapping):
        raise InvalidDeclaration(
            [Finding("LP601", Origin(name), {"detail": "records.yaml is a map of tables"})]
        )
    reader = _Reader(name, set(tree.items))
    tables = {table: reader.table(table, node) for table, node in tree.items.items()}
    if reader.findings:
        raise InvalidDeclaration(reader.findings)
    return tables


class _Reader:
    """Reads field declarations and collects what is wrong with them."""

    def __init__(self, file: str, tables: set[str]) -> None:
        self.file, self.tables = file, tables
        self.findings: list[Finding] = []

    def wrong(self, node: Node, detail: str, *path: str) -> None:
        self.findings.append(
            Finding("LP601", Origin(self.file, *place_of(node, list(path))), {"detail": detail})
        )

    def table(self, name: str, node: Node) -> Table:
        origin = Origin(self.file, node.line, node.column)
        if not isinstance(node, Mapping) or set(node.items) != {"files", "fields"}:
            self.wrong(node, f"table `{name}` needs exactly `files` and `fields`")
            return Table(name, "", {}, origin)
        return Table(
            name, self.text(node.items["files"]), self.fields(node.items["fields"]), origin
        )

    def text(self, node: Node) -> str:
        if isinstance(node, Scalar) and node.text:
            return node.text
        self.wrong(node, "a text is expected here")
        return ""

    def fields(self, node: Node) -> dict[str, Field]:
        if not isinstance(node, Mapping):
            self.wrong(node, "`fields` is a map of field names")
            return {}
        entries = {
            name: replace(
                self.field(name, item),
                origin=Origin(self.file, *node.keys[name]),
                plausible=self.plausibility(item),
            )
            for name, item in node.items.items()
        }
        for name, entry in entries.items():
            other = entries.get(entry.after)
            if entry.after and (
                other is None or not all(self.is_date(date) for date in (entry, other))
            ):
                self.wrong(
                    node.items[name],
                    f"`after`: `{name}` and `{entry.after}` are both fields of type date or partial-date here",
                )
        return entries

    @staticmethod
    def is_date(entry: Field) -> bool:
        return entry.kind == "value" and entry.target in ("date", "partial-date")

    def field(self, name: str, node: Node) -> Field:
        if not isinstance(node, Mapping):
            self.wrong(node, f"field `{name}` is a map such as {{type: text}}")
            return Field("value", "text")
        flags = {"required", "key", "unique", "after"} | KEYS
        forms = [key for key in node.items if key not in flags]
        if len(forms) != 1 or forms[0] not in ("type", "ref", "concept", "texts", "fields", "list"):
            self.wrong(
                node, f"field `{name}` needs exactly one of type, ref, concept, texts, fields, list"
            )
            return Field("value", "text")
        required, key, unique = (self.flag(node, flag) for flag in ("required", "key", "unique"))
        after = self.text(node.items["after"]) if "after" in node.items else ""
        form, value = forms[0], node.items[forms[0]]
        if form == "fields":
            return Field("map", required=required, fields=self.fields(value))
        if form == "texts":
            return Field("texts", required=required)
        if form == "list":
            return Field("list", required=required, item=self.item(name, value))
        target = self.text(value)
        if form == "ref" and target not in self.tables:
            self.wrong(value, f"there is no table `{target}`")
        if form == "type" and target not in TYPES and ":" not in target:
            self.wrong(
                value,
                f"there is no type `{target}`; known: {', '.join(TYPES)} and own datatypes (def:…)",
            )
        return Field(
            "value" if form == "type" else "ref" if form == "ref" else "concept",
            target,
            required,
            key,
            unique,
            after=after,
        )

    def plausibility(self, node: Node) -> Plausibility:
        """What a field, or the items of its list, are expected to be."""
        if not isinstance(node, Mapping):
            return NOTHING
        return read_plausibility(node, self.wrong)

    def flag(self, node: Mapping, name: str) -> bool:
        value = node.items.get(name)
        if value is not None and not (isinstance(value, Scalar) and isinstance(value.value, bool)):
            self.wrong(node, f"`{name}` is true or false", name)
        return isinstance(value, Scalar) and value.value is True

    def item(self, name: str, node: Node) -> Field:
        item = self.field(name, node)
        if item.kind in ("list", "texts"):
            self.wrong(node, f"a list of {item.kind} is not possible; wrap it in `fields`")
        return replace(item, plausible=self.plausibility(node))


class Column(Struct, frozen=True):
    """A column of a record table: its name, where its value is below the record, and what it
    may hold.
    """

    name: str
    path: tuple[str, ...]
    field: Field


def columns_of(
    fields: dict[str, Field], languages: tuple[str, ...], path: tuple[str, ...] = ()
) -> Iterator[Column]:
    """The columns that a record's fields make: maps are flattened (note.de → note_de), lists left
    to lists_of.
    """
    for name, entry in fields.items():
        own_path = (*path, name)
        if entry.kind == "map":
            yield from columns_of(entry.fields, languages, own_path)
        elif entry.kind == "texts":
            for language in languages:
                yield Column(
                    "_".join((*own_path, language)),
                    (*own_path, language),
                    Field(
                        "value",
                        "text",
                        origin=entry.origin,
                        plausible=entry.plausible.in_language(language),
                    ),
                )
        elif entry.kind != "list":
            yield Column("_".join(own_path), own_path, entry)


_ENGINE_COLUMNS = ("_record", "_parent", "rowid")


def name_findings(table: Table, name: str, columns: Iterable[Column]) -> Iterator[Finding]:
    """Fields of a table (or of a list in it, by its own name) whose columns cannot be distinguished
    in queries: SQL knows no upper and lower case.
    """
    taken = {entry: f"`{entry}` is a column of every table" for entry in _ENGINE_COLUMNS}
    for column in columns:
        folded = column.name.lower()
        if folded in taken:
            where = column.field.origin or table.origin
            detail = f"field `{'.'.join(column.path)}` of table `{name}` makes a column `{column.name}`: {taken[folded]}; choose another name"
            yield Finding("LP601", where, {"detail": detail})
        taken[folded] = (
            f"`{'.'.join(column.path)}` makes it too, for queries do not distinguish upper and lower case"
        )


def lists_of(
    fields: dict[str, Field], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Field]]:
    """The lists in a record, each with its path and the field that its items are."""
    for name, entry in fields.items():
        if entry.kind == "map":
            yield from lists_of(entry.fields, (*path, name))
        elif entry.kind == "list" and entry.item is not None:
            yield (*path, name), entry.item
