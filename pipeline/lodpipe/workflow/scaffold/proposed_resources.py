"""What the tables become: resources with classes, and for each field a property and its objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lodpipe.documents.tree import JsonValue
from lodpipe.workflow.scaffold.field_forms import FieldForm, TableForm, item_key, singular
from lodpipe.workflow.scaffold.field_terms import (
    classes_of,
    label_of,
    own_class,
    own_property,
    property_of,
)

DATATYPES = {
    "integer": "xsd:integer", "decimal": "xsd:decimal", "boolean": "xsd:boolean", "date": "xsd:date",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """A rule of the mapping: the property, the column of its value, and what the value is.

    `kind` is type, ref, concept or texts, `target` the type, the table or the scheme; `label` what
    editors call the field.
    """

    property: str
    column: str
    kind: str
    target: str
    label: str
    required: bool = False
    several: bool = False
    languages: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    """What the rows of one record table state.

    `table` is the record table, `subject` the template of their IRI relative to the base, `classes`
    what they are (none where the rows belong to a resource of another table), `statements` their
    rules; `link` is the property that leads from the record `owner` to an item of its list.
    """

    name: str
    table: str
    subject: str
    classes: tuple[str, ...]
    statements: tuple[Statement, ...]
    label: str
    owner: str = ""
    link: str = ""
    key: FieldForm | None = None
    is_record: bool = False
    size: int = 0


def resources_of(tables: list[TableForm]) -> list[Resource]:
    """The resources of all tables with a key, each followed by those of its lists."""
    used = Counter(name for table in tables for name in classes_of(table.name))
    resources: list[Resource] = []
    for table in tables:
        if not table.keys:
            continue
        classes = classes_of(table.name)
        if used[classes[0]] > 1:  # shapes and pages tell the tables apart by their own class
            classes = (f"def:{own_class(table.name)}", *classes)
        resources += _Reader(table, classes).resources()
    return resources


def folder_of(table: str) -> str:
    """The first part of the IRIs of a table's records."""
    return singular(table).replace("_", "-")


class _Reader:
    def __init__(self, table: TableForm, classes: tuple[str, ...]) -> None:
        self.table, self.classes = table, classes
        self.folder = folder_of(table.name)
        self.used: set[str] = set()
        self.lists: list[Resource] = []

    def resources(self) -> list[Resource]:
        table = self.table
        subject = "/".join([self.folder, *(f"$({entry.name})" for entry in table.keys)])
        statements = tuple(self._statements(table.fields, (), self.classes))
        own = Resource(
            table.name, table.name, subject, self.classes, statements, label_of(singular(table.name)),
            key=table.key, is_record=True, size=len(table.table.records),
        )  # fmt: skip
        return [own, *self.lists]

    def _statements(
        self, fields: tuple[FieldForm, ...], path: tuple[str, ...], classes: tuple[str, ...]
    ) -> Iterator[Statement]:
        for entry in fields:
            own = (*path, entry.name)
            if entry.kind == "fields":
                yield from self._statements(entry.fields, own, classes)
            elif entry.kind == "list":
                self._list(entry, own)
            else:
                yield self._statement(entry, own, classes, not path)

    def _statement(
        self, entry: FieldForm, path: tuple[str, ...], classes: tuple[str, ...], is_plain: bool
    ) -> Statement:
        property_ = property_of(entry, classes, path) if is_plain else f"def:{own_property(path)}"
        if property_ in self.used:
            property_ = f"def:{own_property(path)}"
        self.used.add(property_)
        scheme = scheme_of(self.table.name, path) if entry.kind == "concept" else entry.target
        return Statement(
            property_, "_".join(path), entry.kind, scheme, label_of(" ".join(path)), entry.required and is_plain,
            languages=entry.languages, concepts=tuple(sorted(set(entry.values.values()))),
        )  # fmt: skip

    def _list(self, entry: FieldForm, path: tuple[str, ...]) -> None:
        """A list of single values states them of the record; one of maps makes resources."""
        if self.table.key is None or entry.item is None:
            return
        item, name = entry.item, "_".join((self.table.name, *path))
        if item.kind != "fields":
            value = self._statement(entry, path, self.classes, len(path) == 1)
            kind, target = item.kind, item.target
            concepts = tuple(sorted(set(item.values.values())))
            if kind == "concept":
                target = scheme_of(self.table.name, path)
            statement = Statement(
                value.property, "value", kind, target, value.label, several=True, concepts=concepts
            )
            subject = f"{self.folder}/$(_id)"
            self.lists.append(Resource(name, name, subject, (), (statement,), value.label, key=self.table.key))  # fmt: skip
            return
        key = item_key(_values(self.table.table.records, _sources(self.table.fields, path)), item)
        sign = f"$({key.name})" if key else "$(_position)"
        part = "-".join(path).replace("_", "-")
        subject = f"{self.folder}/$(_id)/{part}/{sign}"
        outer, self.used = self.used, set()
        classes = classes_of(path[-1])
        plain = tuple(entry for entry in item.fields if entry.kind != "list")
        statements = tuple(self._statements(plain, (), classes))
        self.used = outer
        link = f"def:{own_property(path)}"
        self.used.add(link)
        own = own_class(f"{singular(self.table.name)}_{singular(path[-1])}")
        known = (name for name in classes if not name.startswith("def:"))
        classes = (f"def:{own}", *known)
        self.lists.append(
            Resource(
                name, name, subject, classes, statements, label_of(singular(path[-1])),
                owner=f"{self.folder}/$(_id)", link=link, key=self.table.key,
            )
        )  # fmt: skip


def scheme_of(table: str, path: tuple[str, ...]) -> str:
    """The name of a list of concepts."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join((singular(table), *path)).lower()).strip("-")


def _sources(fields: tuple[FieldForm, ...], path: tuple[str, ...]) -> list[str]:
    """The keys of the files along a path of names."""
    sources = []
    for name in path:
        entry = next(entry for entry in fields if entry.name == name)
        sources.append(entry.source)
        fields = entry.fields
    return sources


def _values(records: list[dict[str, JsonValue]], path: list[str]) -> Iterator[JsonValue]:
    for record in records:
        value: JsonValue = record
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        yield value
