"""What the tables become: resources with classes, and for each field a property and its objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lodpipe.documents.tree import JsonValue
from lodpipe.mapping.source_queries import (
    date_type,
    select,
    with_parts,
    with_value,
    without_prefix,
)
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

    `table` is the record table, `query` what is asked of it where its columns do not do, `subject`
    the template of their IRI relative to the base, `classes` what they are (none where the rows belong
    to a resource of another table), `statements` their rules; `link` is the property that leads from the record `owner` to an item of its list;
    `are_merged` says that several rows may be one resource.
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
    query: str = ""
    are_merged: bool = False


def resources_of(tables: list[TableForm]) -> list[Resource]:
    """The resources of all tables, each followed by those of its lists."""
    used = Counter(name for table in tables for name in classes_of(table.name))
    used.update(
        name
        for table in tables
        for entry in table.all_fields if entry.kind == "list" and entry.item
        for name in classes_of(entry.name) if entry.item.kind == "fields"
    )  # fmt: skip
    prefixes = {table.name: table.prefix for table in tables if table.prefix}
    resources: list[Resource] = []
    for table in tables:
        classes = classes_of(table.name)
        if used[classes[0]] > 1:  # shapes and pages distinguish the tables by classes of their own
            classes = (f"def:{own_class(table.name)}", *classes)
        resources += _Reader(table, classes, prefixes).resources()
    return resources


def folder_of(table: str) -> str:
    """The first part of the IRIs of a table's records."""
    return singular(table).replace("_", "-")


class _Reader:
    """The resources of one table; `prefixes` has what the keys of tables have in common."""

    def __init__(
        self, table: TableForm, classes: tuple[str, ...], prefixes: Mapping[str, str]
    ) -> None:
        self.table, self.classes, self.prefixes = table, classes, prefixes
        self.whole = "_id_local" if table.name in prefixes else "_id"
        self.folder = folder_of(table.name)
        local = "_local" if table.name in prefixes else ""
        self.subject = "/".join([self.folder, *(f"$({entry.name}{local})" for entry in table.keys)])
        self.used: set[str] = set()
        self.lists: list[Resource] = []

    def resources(self) -> list[Resource]:
        table = self.table
        statements = tuple(self._statements(table.fields, (), self.classes))
        own = Resource(
            table.name, table.name, self.subject, self.classes, statements, label_of(singular(table.name)),
            key=table.key, is_record=True, are_merged=len(table.keys) == 1 and not table.key,
            query=self._query(self._rows(), statements, *self._cut_keys()),
        )  # fmt: skip
        return [own, *self.lists]

    def _rows(self) -> str:
        """The table, without rows that have no key."""
        key = self.table.keys[0]
        if key.required or key.key:
            return self.table.name
        return with_value(self.table.name, key.name)

    def _cut_keys(self) -> list[str]:
        """The key without what all keys have in common, for IRIs."""
        prefix = self.prefixes.get(self.table.name)
        return [without_prefix(self.table.keys[0].name, prefix)] if prefix else []

    def _query(self, table: str, statements: tuple[Statement, ...], *more: str) -> str:
        """A query for columns that the table lacks: the datatype of each date that may be a month or
        year, and keys that are addresses without what they have in common. Empty where there is none.
        """
        columns = [*more]
        for rule in statements:
            name = rule.column
            if rule.kind == "type" and rule.target == "partial-date":
                columns.append(date_type(name))
            elif rule.kind == "ref" and rule.target in self.prefixes:
                columns.append(without_prefix(name, self.prefixes[rule.target]))
        if not columns:
            return table[1:-1] if table.startswith("(") else ""
        return select(["*", *columns], table)

    def _statements(
        self, fields: tuple[FieldForm, ...], path: tuple[str, ...], classes: tuple[str, ...]
    ) -> Iterator[Statement]:
        for entry in fields:
            own = (*path, entry.name)
            if entry.kind == "fields":
                yield from self._statements(entry.fields, own, classes)
            elif entry.kind == "list":
                self._list(entry, own)
            elif entry.separator and not path:
                self._parts(entry)
            else:
                yield self._statement(entry, own, classes, not path)

    def _parts(self, entry: FieldForm) -> None:
        """Several values in one text are statements each."""
        assert entry.item is not None
        item = replace(entry.item, name=entry.name)
        rule = self._statement(replace(item, required=False), (entry.name,), self.classes, True)
        rule = replace(rule, column="part", several=True)
        name, table = f"{self.table.name}_{entry.name}_parts", self.table.name
        parts = with_parts(table, entry.name, entry.separator)
        query = self._query(parts, (rule,), *self._cut_keys())
        self.lists.append(Resource(name, name, self.subject, (), (rule,), rule.label, key=self.table.key, query=query))  # fmt: skip

    def _statement(
        self, entry: FieldForm, path: tuple[str, ...], classes: tuple[str, ...], is_plain: bool
    ) -> Statement:
        property_ = property_of(entry, classes, path) if is_plain else f"def:{own_property(path)}"
        is_half = property_ == "dct:identifier" and len(self.table.keys) > 1
        if is_half or property_ in self.used:
            property_ = f"def:{own_property(path)}"
        self.used.add(property_)
        return Statement(
            property_, "_".join(path), entry.kind, entry.target, label_of(" ".join(path)), entry.required and is_plain,
            languages=entry.languages, concepts=tuple(sorted(set(entry.values.values()))),
        )  # fmt: skip

    def _cut_whole(self) -> list[str]:
        prefix = self.prefixes.get(self.table.name)
        return [without_prefix("_id", prefix)] if prefix else []

    def _list(self, entry: FieldForm, path: tuple[str, ...]) -> None:
        """A list of single values states them of the record; one of maps makes resources."""
        if self.table.key is None or entry.item is None:
            return
        item, name = entry.item, "_".join((self.table.name, *path))
        if item.kind != "fields":
            value = self._statement(entry, path, self.classes, len(path) == 1)
            kind, target = item.kind, item.target
            concepts = tuple(sorted(set(item.values.values())))
            statement = Statement(
                value.property, "value", kind, target, value.label, several=True, concepts=concepts
            )
            subject = f"{self.folder}/$({self.whole})"
            query = self._query(name, (statement,), *self._cut_whole())
            self.lists.append(Resource(name, name, subject, (), (statement,), value.label, key=self.table.key, query=query))  # fmt: skip
            return
        key = item_key(_values(self.table.table.records, _sources(self.table.fields, path)), item)
        sign = f"$({key.name})" if key else "$(_position)"
        part = "-".join(path).replace("_", "-")
        owner = f"{self.folder}/$({self.whole})"
        subject = f"{owner}/{part}/{sign}"
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
                owner=owner, link=link, key=self.table.key, query=self._query(name, statements, *self._cut_whole()),
            )
        )  # fmt: skip


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
