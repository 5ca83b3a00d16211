"""source/records.yaml: which record tables there are, in which files, with which fields."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.sources.plausible_values import NOTHING, Plausibility

Kind = Literal["value", "ref", "concept", "texts", "map", "list", "keyed"]

TYPES: dict[str, dict[str, object]] = {
    # The types of single values, as JSON Schema says them; own datatypes (def:ags) come from
    # ontology/.
    "text": {"type": "string", "pattern": r"\S"},
    # As it is written, also a number or true/false without quotes.
    "any": {"type": ["string", "number", "boolean"], "pattern": r"\S"},
    "slug": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
    "url": {
        "type": "string",
        "pattern": r"""^[Hh][Tt]{2}[Pp][Ss]?://[^\s<>"{}|\\^`/]+(/[^\s<>"{}|\\^`]*)?$""",
    },
    "uuid": {
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    },
    "curie": {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_.-]*:[^\s/][^\s]*$"},
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


# Where a value comes from that no key of the record holds: its file, its place in a list, the key
# that it is an entry of, and the record that holds the list.
FILE, POSITION, KEY, PARENT = "_file", "_position", "_key", "_parent"
# Columns that every table of a list has besides its own: the key of the whole record, and the
# position in the list.
WHOLE = "_id"
LIST_COLUMNS = (WHOLE, POSITION)


@dataclass(frozen=True)
class Field:
    """One field of a record; `target` is the type, the table referred to, or the concept scheme,
    `after` a date that it may not precede.

    `source` is where its value is where that is not the key of its name: a path of keys, or one of
    the signs above; `values` are the texts that files may have, each with what it becomes (None: no
    value); `ignored` are patterns of keys of a map that are not read; `referred` is the key of the
    records that a reference names; `titles` and `descriptions` are for editors, by language.
    """

    kind: Kind
    target: str = ""
    required: bool = False
    key: bool = False
    unique: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    item: Field | None = None
    after: str = ""
    source: tuple[str, ...] = ()
    values: Mapping[str, str | None] | None = None
    default: str | None = None
    pattern: str = ""
    may_be_empty: bool = False
    ignored: tuple[str, ...] = ()
    referred: Field | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)
    plausible: Plausibility = NOTHING
    titles: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_outside(self) -> bool:
        """Whether its value is in no key of the record."""
        return bool(self.source) and is_outside(self.source[0])


def is_outside(step: str) -> bool:
    """Whether the first step of a path is a sign for what no key of a record holds."""
    return step in (FILE, POSITION, KEY, PARENT) or step.startswith("{")


class Files(Struct, frozen=True):
    """Where the files of a table are: patterns below `root` (`source/` where it is empty; else a
    folder, relative to the project), those that are left out, and how records are in a file.

    `at` is the path of keys to them; `is_keyed` says that they are the entries of a map.
    """

    patterns: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    root: str = ""
    at: tuple[str, ...] = ()
    is_keyed: bool = False

    @property
    def above(self) -> str:
        """With what the names of its files begin, which are relative to the project.

        >>> Files((), root=".").above, Files((), root="../data").above, Files(()).above
        ('', '../data/', 'source/')
        """
        folder = posixpath.normpath(self.root or "source")
        return "" if folder == "." else f"{folder}/"

    def __str__(self) -> str:
        below = self.above if self.root else ""
        return ", ".join(below + pattern for pattern in self.patterns)


class Table(Struct, frozen=True):
    """A record table: its name, its files, its fields."""

    name: str
    files: Files
    fields: dict[str, Field]
    origin: Origin
    ignored: tuple[str, ...] = ()

    @property
    def key_column(self) -> Column | None:
        """The column that names a record: the one marked `key`, else `id` where there is one."""
        columns = list(columns_of(self.fields, ()))
        marked = [column for column in columns if column.field.key]
        return next(iter([*marked, *(column for column in columns if column.name == "id")]), None)

    @property
    def key(self) -> str | None:
        """The name of the column that names a record."""
        column = self.key_column
        return column.name if column else None

    @property
    def root_field(self) -> Field:
        """The record as a field."""
        return Field("map", fields=self.fields, ignored=self.ignored)


class Column(Struct, frozen=True):
    """A column of a record table: its name, where its value is below the record, and what it
    may hold.
    """

    name: str
    path: tuple[str, ...]
    field: Field

    @property
    def is_outside(self) -> bool:
        """Whether its value is in no key of the record."""
        return self.field.is_outside


def columns_of(
    fields: dict[str, Field],
    languages: tuple[str, ...],
    path: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
) -> Iterator[Column]:
    """The columns that a record's fields make: maps are flattened (note.de → note_de), lists left
    to lists_of.

    `path` leads to the value in the file, `names` are those of the declaration.
    """
    for name, entry in fields.items():
        own_names = (*names, name)
        own_path = entry.source if entry.is_outside else (*path, *(entry.source or (name,)))
        if entry.kind == "map":
            yield from columns_of(entry.fields, languages, own_path, own_names)
        elif entry.kind == "texts":
            for language in languages:
                yield Column(
                    "_".join((*own_names, language)),
                    (*own_path, language),
                    Field(
                        "value",
                        "text",
                        origin=entry.origin,
                        plausible=entry.plausible.in_language(language),
                    ),
                )
        elif entry.kind not in ("list", "keyed"):
            yield Column("_".join(own_names), own_path, entry)


_ENGINE_COLUMNS = ("_record", "_parent", "rowid")


def name_findings(
    table: Table, name: str, columns: Iterable[Column], *, in_list: bool = False
) -> Iterator[Finding]:
    """Fields of a table (or of a list in it, by its own name) whose columns cannot be distinguished
    in queries: SQL knows no upper and lower case.
    """
    engine_columns = (*_ENGINE_COLUMNS, *(LIST_COLUMNS if in_list else ()))
    taken = {entry: f"`{entry}` is a column of every table" for entry in engine_columns}
    for column in columns:
        folded = column.name.lower()
        if folded in taken:
            where = column.field.origin or table.origin
            detail = f"field `{'.'.join(column.path)}` of table `{name}` makes a column `{column.name}`: {taken[folded]}; choose another name"
            yield Finding("LP601", where, {"detail": detail})
        taken[folded] = (
            f"`{'.'.join(column.path)}` makes it too, for queries do not distinguish upper and lower case"
        )


class List(Struct, frozen=True):
    """A list in a record: its names in the declaration, its path in the file, what its items are,
    and whether they are the entries of a map.
    """

    names: tuple[str, ...]
    path: tuple[str, ...]
    item: Field
    is_keyed: bool


def lists_of(
    fields: dict[str, Field], path: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> Iterator[List]:
    """The lists in a record, and the maps whose keys are no fields."""
    for name, entry in fields.items():
        own_path, own_names = (*path, *(entry.source or (name,))), (*names, name)
        if entry.kind == "map":
            yield from lists_of(entry.fields, own_path, own_names)
        elif entry.item is not None:
            item = entry.item.item or entry.item  # entries of a map may be lists of such items
            yield List(own_names, own_path, item, entry.kind == "keyed")


def item_columns(item: Field, is_keyed: bool, languages: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of the table of a list: those of its maps, or `value`, and `key` for entries."""
    if item.kind == "map":
        return tuple(columns_of(item.fields, languages))
    keys = (Column("key", (KEY,), Field("value", "text", source=(KEY,))),) if is_keyed else ()
    return (*keys, Column("value", (), item))
