"""What the tables become: resources with classes, and for each field a property and its objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from lodpipe.documents.tree import JsonValue
from lodpipe.mapping.source_queries import (
    at_position,
    date_type,
    links_of,
    select,
    with_any_value,
    with_owner,
    with_parts,
    with_value,
    without_prefix,
    without_value,
)
from lodpipe.sources.record_declaration import KEY
from lodpipe.workflow.scaffold.data_tables import singular
from lodpipe.workflow.scaffold.field_forms import (
    LANGUAGE_TAG,
    FieldForm,
    TableForm,
    item_key,
    reference_name,
    snake_case,
)
from lodpipe.workflow.scaffold.field_terms import (
    ListEntry,
    PartEntry,
    TermEntry,
    Terms,
    classes_of,
    is_entry_of,
    is_of_person,
    is_of_place,
    is_of_record,
    is_part_of_person,
    is_part_of_place,
    label_of,
    own_class,
    own_property,
    property_of,
    words_of,
)
from lodpipe.workflow.scaffold.shared_values import repetition

DATATYPES = {
    "integer": "xsd:integer", "decimal": "xsd:decimal", "boolean": "xsd:boolean", "date": "xsd:date",
    "year": "xsd:gYear", "date-time": "xsd:dateTime",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """A rule of the mapping: the property, the column of its value, and what the value is.

    `kind` is type, ref, concept or texts, `target` the type, the table or the scheme; `label` what
    editors call the field; `absent` is a value of the column that stands for none,
    `is_link` says that the column has only the addresses among the texts, `in_language` is the language of
    texts that have none in the files, `template` a text with several columns.
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
    absent: str = ""
    in_language: str = ""
    template: str = ""
    is_link: bool = False


@dataclass(frozen=True)
class Resource:
    """What the rows of one record table state.

    `table` is the record table, `query` what is asked of it where its columns do not do, `subject`
    the template of their IRI relative to the base, `classes` what they are (none where the rows belong
    to a resource of another table), `statements` their rules; `link` is the property that leads from the record `owner` to an item of its list;
    `plural` is what its items are called, where its name says more; `are_merged` says that several rows
    may be one resource; `of` is the resource that has the
    statements, where the rows are values of its list.
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
    of: str = ""
    plural: str = ""


def resources_of(tables: list[TableForm], terms: Terms, language: str) -> list[Resource]:
    """The resources of all tables, each followed by those of its lists; `language` is the first one
    of the publication.
    """
    classes_by_table = {table.name: _classes(table, terms) for table in tables}
    used = Counter(name for classes in classes_by_table.values() for name in classes)
    used.update(
        name
        for table in tables
        for entry in table.all_fields if entry.kind in ("list", "keyed") and entry.item
        for name in classes_of(entry.name, terms) if entry.item.kind == "fields"
    )  # fmt: skip
    prefixes = {table.name: table.prefix for table in tables if table.prefix}
    resources: list[Resource] = []
    shared: set[str] = set()
    for table in tables:
        classes = classes_by_table[table.name]
        if used[classes[0]] > 1:  # shapes and pages distinguish the tables by classes of their own
            classes = (
                f"def:{own_class(table.name)}",
                *(name for name in classes if not name.startswith("def:")),
            )
        kinds = classes_by_table | {table.name: classes}
        resources += _Reader(table, kinds, prefixes, terms, language, shared).resources()
    return resources


def _classes(table: TableForm, terms: Terms) -> tuple[str, ...]:
    """The classes of a table's records: by its name; a table that continues another one has its own.
    Members with a day of birth are persons; so are records with a class of their own that have one,
    and those with a latitude are places.
    """
    if any(entry.continues for entry in table.all_fields):
        return (f"def:{own_class(table.name)}",)
    classes = classes_of(table.name, terms)
    if classes[0] == "org:Post" and not _is_position(table):
        classes = ("schema:BlogPosting", "schema:CreativeWork")
    fields = [
        inner for entry in table.fields for inner in (entry, *entry.fields) if inner.kind != "list"
    ]
    is_personal = any(is_of_person(entry, terms) for entry in fields)
    if classes[0] == "org:Membership" and (is_personal or not _relates(fields, terms)):
        return ("schema:Person", "foaf:Person")
    if classes[0].startswith("def:"):
        if any(is_of_person(entry, terms) for entry in fields):
            return (*classes, "schema:Person", "foaf:Person")
        if is_of_place(fields, terms):
            return (*classes, "schema:Place")
    return classes


# Fields of posts in an organisation, and of posts in a blog.
_OF_POSITIONS = re.compile(
    r"(^|_)(organi[sz]ation|body|role|holder|incumbent|area|salary|grade|amt)"
)
_OF_TEXTS = {"permalink", "layout", "excerpt", "slug", "tags", "categories", "author", "authors"}


def _is_position(table: TableForm) -> bool:
    """Whether posts are those of an organisation: by their fields, or because nothing says more."""
    names = [snake_case(entry.name) for entry in table.fields]
    refers = any(entry.kind == "ref" for entry in table.fields)
    return refers or any(map(_OF_POSITIONS.search, names)) or not _OF_TEXTS.intersection(names)


def _relates(fields: list[FieldForm], terms: Terms) -> bool:
    """Whether a membership refers to something, or has no e-mail address, as a person has."""
    has_address = any(
        property_of(entry, (), (entry.name,), terms)[0] == "schema:email" for entry in fields
    )
    return any(entry.kind == "ref" for entry in fields) or not has_address


def folder_of(table: str) -> str:
    """The first part of the IRIs of a table's records."""
    return singular(table).replace("_", "-")


class _Owner(NamedTuple):
    """What has a list: its record table, the fields of its rows (none: those of the record), the
    template of its IRI, whether the rows of the list have the columns of that template, and the query
    that the IRI needs.
    """

    name: str
    fields: tuple[FieldForm, ...]
    subject: str
    is_known: bool
    rows: str = ""
    sources: tuple[str, ...] = ()


class _Reader:
    """The resources of one table; `kinds` has the classes of each table, `prefixes` what the keys of
    tables have in common.
    """

    def __init__(
        self,
        table: TableForm,
        kinds: Mapping[str, tuple[str, ...]],
        prefixes: Mapping[str, str],
        terms: Terms,
        language: str,
        shared: set[str],
    ) -> None:
        self.terms, self.language, self.shared = terms, language, shared
        self.table, self.kinds, self.prefixes = table, kinds, prefixes
        self.classes = kinds[table.name]
        self.whole = "_id_local" if table.name in prefixes else "_id"
        self.folder = folder_of(table.name)
        local = "_local" if table.name in prefixes else ""
        self.subject = "/".join([self.folder, *(f"$({entry.name}{local})" for entry in table.keys)])
        self.are_merged = len(table.keys) == 1 and not table.key
        self.siblings = table.fields  # the fields of what statements are made of
        self.used: set[str] = set()
        self.paths: dict[str, tuple[str, ...]] = {}  # from columns to the keys of the files
        self.lists: list[Resource] = []

    def resources(self) -> list[Resource]:
        table = self.table
        owner = self._of_record(table.name)
        own_statements = (*self._statements(table.fields, (), self.classes, owner), *self._joint())
        statements = self._named(self._in_languages(own_statements))
        statements, parts = self._parts_of(statements)
        own = Resource(
            table.name, table.name, self.subject, self.classes, statements, label_of(singular(table.name)),
            key=table.key, is_record=True, are_merged=self.are_merged,
            query=self._query(self._rows(), statements, *self._cut_keys()),
        )  # fmt: skip
        return [own, *parts, *self.lists]

    def _in_languages(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements, those of columns for several languages as one: name_de, name_en → name."""
        groups: dict[str, dict[str, Statement]] = {}
        for rule in statements:
            stem, _, language = rule.column.rpartition("_")
            is_text = rule.kind == "type" and rule.target in ("text", "any") and not rule.template
            if stem and is_text and LANGUAGE_TAG.fullmatch(language):
                groups.setdefault(stem, {})[language] = rule
        merged = []
        for rule in statements:
            stem, _, language = rule.column.rpartition("_")
            group = groups.get(stem, {})
            if len(group) < 2 or group.get(language) != rule:
                merged.append(rule)
            elif rule == next(iter(group.values())):
                merged.append(self._texts(stem, group))
        return tuple(merged)

    def _texts(self, stem: str, group: Mapping[str, Statement]) -> Statement:
        """One statement of texts in several languages."""
        entry = FieldForm(stem, stem, "texts", "text", languages=tuple(group))
        rule = self._statement(entry, (stem,), self.classes, True)
        return replace(rule, required=any(other.required for other in group.values()))

    def _joint(self) -> Iterator[Statement]:
        """References by several fields, called as the tables that they lead to."""
        for reference in self.table.joint:
            name = singular(reference.table)
            property_ = f"def:{own_property((name,))}"
            if property_ in self.used:
                property_ = f"def:{own_property((name, 'record'))}"
            self.used.add(property_)
            values = "/".join(f"$({column})" for column in reference.columns)
            yield Statement(
                property_, reference.columns[-1], "ref", reference.table, label_of(name), reference.required,
                template=f"{folder_of(reference.table)}/{values}",
            )  # fmt: skip

    def _parts_of(
        self, statements: tuple[Statement, ...]
    ) -> tuple[tuple[Statement, ...], list[Resource]]:
        """The statements without those that the profile makes of a resource of its own, and these
        resources.
        """
        parts = []
        for part in self.terms.parts:
            if part.of not in self.classes:
                continue
            own = {rule: entry for rule in statements if (entry := _part_entry(part, rule))}
            if not own:
                continue
            rules = tuple(
                replace(
                    rule, property=entry.property[0], required=False,
                    in_language=self.language if entry.form == "language" else "", target="text" if entry.form else rule.target,
                )
                for rule, entry in own.items()
            )  # fmt: skip
            statements = tuple(rule for rule in statements if rule not in own)
            rows = with_any_value(self.table.name, [rule.column for rule in rules])
            parts.append(
                Resource(
                    f"{self.table.name}_{part.name}", self.table.name, f"{self.subject}/{part.name}", (part.class_,), rules, part.name,
                    owner=self.subject, link=part.link, query=self._query(rows, rules, *self._cut_keys()),
                )
            )  # fmt: skip
        return statements, parts

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
            if rule.absent:
                columns.append(without_value(name.removesuffix("_value"), rule.absent))
            if rule.is_link:
                columns.append(links_of(name.removesuffix("_link")))
            if rule.kind == "type" and rule.target == "partial-date":
                columns.append(date_type(name))
            elif rule.kind == "ref" and rule.target in self.prefixes:
                columns.append(without_prefix(name, self.prefixes[rule.target]))
        if not columns:
            return table[1:-1] if table.startswith("(") else ""
        return select(["*", *columns], table)

    def _statements(
        self,
        fields: tuple[FieldForm, ...],
        path: tuple[str, ...],
        classes: tuple[str, ...],
        owner: _Owner,
    ) -> Iterator[Statement]:
        for entry in fields:
            own = (*path, entry.name)
            self.paths["_".join(own)] = (
                *owner.sources,
                *_sources(owner.fields or self.table.fields, own),
            )
            if entry.kind == "fields":
                yield from self._statements(entry.fields, own, classes, owner)
            elif entry.kind in ("list", "keyed"):
                self._list(entry, own, owner)
            elif entry.separator and not path:
                self._parts(entry)
            else:
                yield self._statement(entry, own, classes, not path)
                if entry.continues:
                    same = replace(entry, kind="ref", target=entry.continues, key=False)
                    if path:  # the key is in a map: the link is named by what it leads to
                        own = (singular(entry.continues),)
                        same = replace(same, name=own[0])
                    rule = self._statement(same, own, classes, not path)
                    yield replace(rule, column="_".join((*path, entry.name)))

    def _parts(self, entry: FieldForm) -> None:
        """Several values in one text are statements each."""
        assert entry.item is not None
        item = replace(entry.item, name=entry.name)
        rule = self._statement(replace(item, required=False), (entry.name,), self.classes, True)
        rule = replace(rule, column="part", several=True)
        name, table = f"{self.table.name}_{entry.name}_parts", self.table.name
        parts = with_parts(table, entry.name, entry.separator)
        query = self._query(parts, (rule,), *self._cut_keys())
        self._add_values((name, query, self.subject), rule, self.table.name, name)

    def _statement(
        self, entry: FieldForm, path: tuple[str, ...], classes: tuple[str, ...], is_plain: bool
    ) -> Statement:
        ending = "_value" if entry.absent else "_link" if entry.has_links else ""
        column = "_".join(path) + ending
        is_plain = is_plain or is_of_record(path)
        if entry.published:
            entry = replace(entry, target=entry.published)
        path = self._without_repetition(self._without_id(entry, path))
        if entry.address and not entry.key and entry.kind == "type":
            same = all(singular(snake_case(name)) in _OF_REGISTERS for name in path[:-1])
            same |= is_of_record(path)
            return Statement(
                "schema:sameAs" if same else f"def:{own_property(path)}", column, "type", "url", label_of(entry.name), several=True,
                template=entry.address.replace("{}", f"$({column})"),
            )  # fmt: skip
        property_, form = property_of(entry, classes, path, self.terms)
        if property_.startswith("def:") and entry.kind == "ref" and len(path) == 1:
            property_ = self._end_of_membership(entry, classes) or property_
        is_half = property_ == "dct:identifier" and len(self.table.keys) > 1
        is_known = is_plain or is_part_of_place(property_, path)
        is_known |= is_part_of_person(property_, path, classes)
        if is_half or property_ in self.used or not is_known:
            property_ = f"def:{own_property(path)}"
        self.used.add(property_)
        if (
            form
            and property_.startswith("def:") is False
            and entry.kind in ("type", "concept", "list")
        ):
            entry = replace(
                entry,
                kind="type" if entry.kind == "concept" else entry.kind,
                target="text",
                values={},
            )
        language = self.language if form == "language" else ""
        return Statement(
            property_, column, entry.kind, entry.target, label_of(" ".join(path)), entry.required and is_plain and not ending,
            languages=entry.languages, concepts=tuple(sorted(set(entry.values.values()))), absent=entry.absent, in_language=language,
            is_link=entry.has_links,
        )  # fmt: skip

    def _without_id(self, entry: FieldForm, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path of a reference with its last name as that of what it refers to: country_id → country;
        unless the record has a field of that name, too.
        """
        inner = entry.item if entry.item else entry
        if inner.kind not in ("ref", "concept"):
            return path
        if inner.kind == "ref" and entry.name.lower() in ("id", "identifier"):
            return (*path[:-1], singular(inner.target))  # what it names says more than `id`
        name = reference_name(entry.name)
        is_taken = any(snake_case(other.name) == name for other in self.table.all_fields)
        return path if is_taken or not name else (*path[:-1], name)

    def _without_repetition(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path without a map whose name its field repeats: data.dataAccess → dataAccess; unless
        another field is called so.
        """
        if len(path) < 2 or not snake_case(path[-1]).startswith(f"{snake_case(path[-2])}_"):
            return path
        same = [entry for entry in self.table.all_fields if entry.name == path[-1]]
        return (*path[:-2], path[-1]) if len(same) == 1 else path

    def _end_of_membership(self, entry: FieldForm, classes: tuple[str, ...]) -> str:
        """What a membership has by the class of what a field refers to: its member or its organisation;
        empty where several fields could be that.
        """
        if "org:Membership" not in classes:
            return ""
        refs = [other.target for other in self.siblings if other.kind == "ref"]
        for class_, end in (("schema:Person", "org:member"), ("org:Organization", "org:organization")):  # fmt: skip
            of_class = [target for target in refs if class_ in self.kinds.get(target, ())]
            if class_ in self.kinds.get(entry.target, ()) and len(of_class) == 1:
                return end
        return ""

    def _value_of_maps(
        self, item: FieldForm, known: ListEntry, list_: tuple[str, str, str], owner: str
    ) -> None:
        """Statements of one value of each map of a list: links: [{url: …}]."""
        name, rows, subject = list_
        entry = next((entry for entry in item.fields if entry.name == known.value), None)
        if entry is None:
            return
        rule = Statement(
            known.property, entry.name, entry.kind, entry.target, label_of(owner), several=True
        )
        rule = replace(rule, label=label_of(name.removeprefix(f"{owner}_")))
        query = self._query(rows, (rule,), *self._cut_whole())
        self._add_values((name, query, subject), rule, owner, name)

    def _add_values(
        self, list_: tuple[str, str, str], rule: Statement, owner: str, table: str
    ) -> None:
        """Adds the values of a list: the name of its resource, query and subject; `owner` states them."""
        name, query, subject = list_
        self.lists.append(
            Resource(
                name,
                table,
                subject,
                (),
                (rule,),
                rule.label,
                key=self.table.key,
                query=query,
                of=owner,
            )
        )

    def _axes(self, axes: tuple[str, str], list_: tuple[str, str, str], owner: str) -> None:
        """The two numbers of a point, by their places in the list."""
        name, rows, subject = list_
        for place, axis in enumerate(axes, 1):
            rule = Statement(f"schema:{axis}", "value", "type", "decimal", axis, several=True)
            query = self._query(at_position(rows, place), (rule,), *self._cut_whole())
            self.used.add(rule.property)
            self._add_values((f"{name}_{axis}", query, subject), rule, owner, name)

    def _named(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements of a record with a name: where no field is called so, the text that most
        likely is one is its name.
        """
        if person := _person_named(statements):
            return person
        if any(rule.property in NAMES for rule in statements):
            return self._with_title(statements)
        if named := self._named_by_key(statements):
            return named
        by_language = next(
            (rule for rule in statements if rule.kind == "texts" and re.search("name$|title$", rule.column.lower())),
            None,
        )  # fmt: skip
        if by_language:
            return tuple(
                replace(rule, property=NAMES[0]) if rule == by_language else rule
                for rule in statements
            )
        records = self.table.table.records
        ranked: list[tuple[bool, bool, int, Statement]] = []
        for rule in statements:
            if (
                rule.kind != "type"
                or rule.target not in ("text", "any")
                or rule.property == "dct:identifier"
            ):
                continue
            path = self.paths.get(rule.column, ())
            is_within = len(path) > 1 and singular(snake_case(path[0])) not in ("name", "title")
            is_within &= not is_of_record(path)
            if not rule.property.startswith("def:") or not path or is_within:
                continue
            texts = [str(text) for text in _values(records, path) if text]
            is_called = bool(
                re.search(
                    r"(^|_)names?_|(name|title|label|titel|bezeichnung)$", rule.column.lower()
                )
            )
            is_telling = (
                10 * len(set(texts)) >= (5 if is_called else 9) * len(records)
                and max(map(len, texts), default=999) <= 200
            )
            has_letters = 2 * sum(bool(re.search(r"[^\W\d_]{4}", text)) for text in texts) > len(
                records
            )
            if is_telling and has_letters and (is_called or rule.required):
                is_repeated = 10 * len(set(texts)) < 9 * len(texts)
                ranked.append((not is_called, is_repeated, len(ranked), rule))
        if not ranked:
            return statements
        name = min(ranked)[3]
        self.used.add(NAMES[0])
        return tuple(
            replace(rule, property=NAMES[0]) if rule == name else rule for rule in statements
        )

    def _named_by_key(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements with the key of the entries of a map as name, where people read it so; else
        nothing.
        """
        key, table = self.table.key, self.table.table
        is_lookup = set(table.records[0]) == {"key", "url"}
        if key is None or not (table.is_keyed or is_lookup):
            return ()
        texts = [str(record.get(key.source) or "") for record in table.records]
        if not is_lookup and 2 * sum(
            bool(re.search(r"[A-Z].*[a-z]| ", text)) for text in texts
        ) < len(texts):
            return ()
        self.used.add(NAMES[0])
        return (*statements, Statement(NAMES[0], key.name, "type", "text", "name", required=True))

    def _with_title(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The statements with the title as name, where the field `name` has names for programs."""
        named = {rule.column: rule for rule in statements if rule.target in ("text", "any", "slug")}
        name, title = named.get("name"), named.get("title")
        if not name or not title or name.property != NAMES[0]:
            return statements
        texts = [str(record.get("name") or "") for record in self.table.table.records]
        if not all(re.fullmatch(r"[a-z0-9._-]*", text) for text in texts):
            return statements
        changed = {name: "def:name" if "dct:identifier" in self.used else "dct:identifier", title: NAMES[0]}  # fmt: skip
        self.used |= set(changed.values())
        return tuple(
            replace(rule, property=changed.get(rule, rule.property)) for rule in statements
        )

    def _cut_whole(self) -> list[str]:
        prefix = self.prefixes.get(self.table.name)
        return [without_prefix("_id", prefix)] if prefix else []

    def _of_record(self, table: str) -> _Owner:
        """The record as the owner of its lists, which know its key as `_id` if it is one field."""
        subject = f"{self.folder}/$({self.whole})" if self.table.key else self.subject
        return _Owner(table, (), subject, self.table.key is not None)

    def _list(self, entry: FieldForm, path: tuple[str, ...], owner: _Owner) -> None:
        """A list of single values states them of the record; one of maps makes resources, and so does
        a map whose keys are values.
        """
        if entry.item is None:
            return
        item, name = entry.item, "_".join((owner.name, *path))
        subject, rows = owner.subject, name
        others = [] if owner.is_known else _OTHERS.findall(owner.subject)
        if others:
            subject = _OTHERS.sub(r"$(of_\1)", owner.subject)
            rows = with_owner(name, owner.rows or owner.name, others)
        known_list = self.terms.list_of(path[-1]) if item.kind == "fields" else None
        if known_list and known_list.value:
            self._value_of_maps(item, known_list, (name, rows, subject), owner.name)
            return
        if item.kind != "fields" and entry.kind == "list":
            self._values(entry, path, (name, rows, subject), owner.name)
            return
        named = next((field.name for field in item.fields if field.source == KEY), "key")
        sign = f"$({named})" if entry.kind == "keyed" else "$(_position)"
        sources = (*owner.sources, *_sources(owner.fields or self.table.fields, path))
        are_merged = False
        if entry.kind == "list":
            key = item_key(_values(self.table.table.records, sources), item)
            are_merged = owner.name == self.table.name and self.are_merged and not key
            sign = f"$({key.name})" if key else _sign_of_merged(item) if are_merged else sign
        else:
            sources = (*sources, _ENTRIES)
        part = "-".join(map(snake_case, path)).replace("_", "-")
        whole, label = subject, label_of(singular(path[-1]))
        subject = f"{whole}/{part}/{sign}"
        key_field = FieldForm("key", KEY, "type", "text", required=True, key=True)
        fields = item.fields or (key_field, replace(item, name="value", source="value"))
        if entry.kind == "keyed":
            key = next(field for field in fields if field.source == KEY)
        is_shared = self._is_shared(path[-1], key, fields, sources) if key else ""
        subject = f"{folder_of(snake_case(path[-1]))}/{sign}" if is_shared else subject
        outer, self.used = self.used, set()
        siblings, self.siblings = self.siblings, item.fields
        classes = classes_of(path[-1], self.terms)
        inner = _Owner(name, item.fields, subject, False, rows if others else "", sources)
        statements = tuple(self._statements(fields, (), classes, inner))
        self.used, self.siblings = outer, siblings
        if is_shared and not item.fields and item.kind == "type":  # languages: {nld: Dutch}
            statements = tuple(
                replace(rule, property=NAMES[0]) if rule.column == "value" else rule
                for rule in statements
            )
        link = known_list.property if known_list else f"def:{own_property(path)}"
        are_bodies = "org:Organization" in classes and "org:Organization" in self.classes
        if not known_list and are_bodies and path[-1].lower().startswith("sub"):
            link = "org:hasSubOrganization"
        are_members = re.search("(member|membership|mitglieder)s?$", path[-1].lower())
        relates = any(rule.property == "org:member" for rule in statements)
        if not known_list and are_members and relates and "org:Organization" in self.classes:
            link = "org:hasMembership"
        self.used.add(link)
        own = own_class(f"{singular(self.table.name)}_{singular(path[-1])}")
        if any(f"def:{own}" in resource.classes for resource in self.lists):
            own = own_class(name)  # two lists of one name
        if is_shared and own_class(path[-1]) not in map(own_class, self.kinds):
            own = own_class(path[-1])
        is_value = not item.fields and not is_shared  # access: {core: write} is no team
        known = (name for name in classes if not name.startswith("def:") and not is_value)
        self.lists.append(
            Resource(
                name, name, subject, (f"def:{own}", *known), statements, label,
                owner=whole, link=link, key=self.table.key, query=self._query(rows, statements, *self._cut_whole()),
                plural=path[-1], are_merged=is_shared == "nearly" or are_merged,
            )
        )  # fmt: skip

    def _is_shared(
        self, name: str, key: FieldForm, fields: tuple[FieldForm, ...], sources: tuple[str, ...]
    ) -> Literal["", "same", "nearly"]:
        """Whether the items of all records are resources of their own, such as a movement of many
        artists: no table and no other list has IRIs of that name.
        """
        folder = folder_of(snake_case(name))
        others = {folder_of(table) for table in self.kinds} | self.shared
        if folder in others:
            return ""
        lists: Iterable[JsonValue] = _values(self.table.table.records, sources)
        if key.source == KEY:
            lists = map(_entries, _values(self.table.table.records, sources[:-1]))
        is_shared = repetition(lists, key, fields)
        self.shared |= {folder} if is_shared else set()
        return is_shared

    def _values(
        self, entry: FieldForm, path: tuple[str, ...], list_: tuple[str, str, str], owner: str
    ) -> None:
        """Statements of the values of a list: its table, rows and subject; `owner` states them."""
        item, (name, rows, subject) = entry.item, list_
        assert item is not None
        value = self._statement(entry, path, self.classes, len(path) == 1)
        concepts = tuple(sorted(set(item.values.values())))
        statement = Statement(
            value.property, "value", item.kind, item.target, value.label, several=True, concepts=concepts
        )  # fmt: skip
        axes = _AXES.get(snake_case(entry.name).replace("_", ""))
        if axes and entry.length == len(axes) and item.target in ("decimal", "integer"):
            self._axes(axes, (name, rows, subject), owner)
            return
        if entry.is_tuple:
            self._places((name, rows, subject), statement, entry.length, owner)
            return
        query = self._query(rows, (statement,), *self._cut_whole())
        self._add_values((name, query, subject), statement, owner, name)

    def _places(
        self, list_: tuple[str, str, str], statement: Statement, length: int, owner: str
    ) -> None:
        """A statement of its own for each place of a list of numbers, whose order has a meaning."""
        name, rows, subject = list_
        for place in range(1, length + 1):
            rule = replace(
                statement,
                property=f"{statement.property}{place}",
                label=f"{statement.label} {place}",
            )
            query = self._query(at_position(rows, place), (rule,), *self._cut_whole())
            self._add_values((f"{name}_{place}", query, subject), rule, owner, name)


def _sign_of_merged(item: FieldForm) -> str:
    """What distinguishes the items of records that are one resource: the place in their list says
    too little.
    """
    single = ("ref", "concept", "type")
    first = next((field for field in item.fields if field.required and field.kind in single), None)
    return f"$({first.name if first else '_parent'})-$(_position)"


def _person_named(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements of a person with given and family name: both are the name, unless a field is
    called `name`; a `title` is none. Empty where there is no such person.
    """
    parts = {rule.property: rule for rule in statements}
    given, family = parts.get("schema:givenName"), parts.get("schema:familyName")
    named = [rule for rule in statements if rule.property in NAMES]
    if not given or not family or any(_FULL_NAME.search(rule.column) for rule in named):
        return ()
    others = tuple(
        replace(rule, property=f"def:{own_property((rule.column,))}") if rule in named else rule
        for rule in statements
    )
    name = Statement(
        NAMES[0], given.column, "type", "text", "full name", required=given.required and family.required,
        template=f"$({given.column}) $({family.column})",
    )  # fmt: skip
    return (*others, name)


def _part_entry(part: PartEntry, rule: Statement) -> TermEntry | None:
    """The entry of a part that a statement belongs to, by the last word of its column."""
    words = list(words_of(rule.column))
    for entry in part.properties:
        if rule.kind == "type" and any(is_entry_of(entry, word, rule.target) for word in words):
            return entry
    return None


def _sources(fields: tuple[FieldForm, ...], path: tuple[str, ...]) -> list[str]:
    """The keys of the files along a path of names; none for what is around the record."""
    sources = []
    for name in path:
        entry = next((entry for entry in fields if entry.name == name), None)
        if entry is None:
            return []
        sources.append(entry.source)
        fields = entry.fields
    return sources


# Lists of two numbers that are a point.
_AXES = {
    "latlng": ("latitude", "longitude"), "latlon": ("latitude", "longitude"), "latlong": ("latitude", "longitude"),
    "lnglat": ("longitude", "latitude"), "lonlat": ("longitude", "latitude"), "longlat": ("longitude", "latitude"),
}  # fmt: skip
NAMES = ("schema:name", "skos:prefLabel", "foaf:name")
_OTHERS = re.compile(r"\$\((?!_id(?:_local)?\))(\w+)\)")  # columns that rows of lists lack
_OF_REGISTERS = {
    "id",
    "identifier",
    "external_id",
    "link",
    "authority",
    "same_as",
    "register",
}  # maps of numbers
_FULL_NAME = re.compile(r"(^|_)(full_?|display_?)?name$", re.IGNORECASE)
_ENTRIES = "{}"  # a step into all entries of a map


def _entries(value: JsonValue) -> JsonValue:
    """The entries of a map whose keys are values, as a list of maps that have their key, too."""
    entries = value.items() if isinstance(value, dict) else ()
    return [
        {KEY: key, **(inner if isinstance(inner, dict) else {"value": inner})}
        for key, inner in entries
    ]


def _values(records: list[dict[str, JsonValue]], path: Sequence[str]) -> Iterator[JsonValue]:
    """The values along a path of keys, in each item of lists on the way."""

    def within(value: JsonValue, steps: Sequence[str]) -> Iterator[JsonValue]:
        if not steps:
            yield value
        elif isinstance(value, list):
            for item in value:
                yield from within(item, steps)
        elif isinstance(value, dict) and steps[0] == _ENTRIES:
            for entry in value.values():
                yield from within(entry, steps[1:])
        else:
            yield from within(value.get(steps[0]) if isinstance(value, dict) else None, steps[1:])

    for record in records:
        yield from within(record, path)
