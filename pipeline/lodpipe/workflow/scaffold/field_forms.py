"""What each field is: its type, reference, list of concepts, texts by language; its key.

A form is proposed only where all values of the data have it, so that the declaration holds for the
data as they are; what misses it by little is a remark.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, combinations

from lodpipe.documents.tree import JsonValue
from lodpipe.sources.file_patterns import Pattern, has_signs
from lodpipe.sources.record_declaration import KEY, TYPES
from lodpipe.workflow.scaffold.agreeing_fields import agreeing
from lodpipe.workflow.scaffold.data_tables import FILE_NAME, DataTable, singular
from lodpipe.workflow.scaffold.field_census import FieldCensus, census_of, merged


@dataclass(frozen=True)
class FieldForm:
    """A field as records.yaml declares it: its name there, its key in the files, its form and
    flags, and why.

    `kind` is type, ref, concept, texts, fields, list or keyed; `target` the type, table or scheme;
    `values` what the values of the files become. `fields` are those of a map, `ignored` its
    keys that are not read, `item` is that of a list; of texts, `languages` are those that occur and `complete` those that no record lacks;
    `separator` is between several values in one text, of which `item` is the form; `pattern` is that
    of numbers that the files have as texts, `published` the type of a value in the graph, where it is
    another one, `absent` a value that stands for none; `continues` is the table whose keys this key has; `length` is
    the number of items of the longest list, `is_tuple` says that all lists are numbers, as many as that,
    `has_links` that nearly all texts are addresses, `bounds` what numbers of that name cannot leave,
    `address` where a register describes what its number names.
    """

    name: str
    source: str
    kind: str
    target: str = ""
    required: bool = False
    key: bool = False
    unique: bool = False
    after: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    fields: tuple[FieldForm, ...] = ()
    ignored: tuple[str, ...] = ()
    item: FieldForm | None = None
    separator: str = ""
    pattern: str = ""
    published: str = ""
    absent: str = ""
    continues: str = ""
    length: int = 0
    is_tuple: bool = False
    bounds: tuple[int | None, int | None] | None = None
    address: str = ""
    has_links: bool = False
    reason: str = ""


@dataclass(frozen=True)
class JointReference:
    """Columns whose values together name a record of another table; `required` where none lacks them."""

    table: str
    columns: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class TableForm:
    """A table with its fields; `keys` are those that together name a record, `ignored` what is not
    read of the files, `has_empty` whether empty values occur, `joint` its references by several fields.
    """

    table: DataTable
    fields: tuple[FieldForm, ...]
    ignored: tuple[str, ...]
    has_empty: bool
    keys: tuple[FieldForm, ...]
    joint: tuple[JointReference, ...] = ()

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    @property
    def key(self) -> FieldForm | None:
        """The one field that names a record; none where it takes several."""
        return self.keys[0] if len(self.keys) == 1 and self.keys[0].key else None

    @property
    def all_fields(self) -> list[FieldForm]:
        """The fields, also those in maps and lists."""

        def within(fields: Iterable[FieldForm]) -> Iterator[FieldForm]:
            for entry in fields:
                yield entry
                yield from within((*entry.fields, *([entry.item] if entry.item else [])))

        return list(within(self.fields))

    @property
    def concepts(self) -> dict[str, FieldForm]:
        """Each list of concepts with a field that uses it."""
        return {entry.target: entry for entry in self.all_fields if entry.kind == "concept"}

    @property
    def prefix(self) -> str:
        """What the addresses that name the records have in common: https://ror.org/."""
        if self.key is None or self.key.target != "url":
            return ""
        if not all(isinstance(record.get(self.key.source), str) for record in self.table.records):
            return ""  # the key is in a map
        prefixes = {
            str(record[self.key.source]).rpartition("/")[0] for record in self.table.records
        }
        return f"{prefixes.pop()}/" if len(prefixes) == 1 else ""


_KEY_NAMES = (
    "id", "identifier", "key", "code", "slug", "uuid", "kennung", "schluessel", FILE_NAME, "iri", "uri", "url",
)  # fmt: skip
_IDENTIFIERS = re.compile(
    r"(^|_)(id|ids|identifier|uuid|wikidata|ror|isni|gnd|viaf|orcid|ags|ars|siren|siret|lei|grid|doi)$"
)
_CATEGORIES = re.compile(
    r"(^|_)(kind|type|category|categorie|class|classification|status|state|role|gender|sex|level|party|art|"
    r"typ|kategorie|rolle|theme|subject|format|frequency|chamber|lang)s?$"
)
_TEXTS = re.compile(r"(^|_)(name|title|description|text|note|comment|abstract|summary|address)s?$")
_CODES = re.compile(
    r"(zip|postal|plz|phone|telefon|fax|code|number|nummer|isbn)|(^|_)(tel|nr|vat)(_|$)"
)
_YEARS = re.compile(r"(year|date|founded|established|opened|closed|since|start|end|jahr|datum)")
_CONCEPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
LANGUAGE_TAG = re.compile(
    "ar|fa|he|hi|th|ur|vi|bg|bs|ca|cs|cy|da|de|el|en|es|et|eu|fi|fr|ga|gl|hr|hu|is|it|ja|ko|lb|lt|lv|mk|mt|nl|no|pl|pt|rm|ro|ru|sk|sl|sq|sr|sv|tr|uk|zh"
)
_DATE_TIME = re.compile(
    r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-](0\d|1[0-3]):[0-5]\d)?"
)
# What people write for true and false.
_ANSWERS = (("yes", "no"), ("true", "false"), ("ja", "nein"), ("oui", "non"), ("y", "n"))
_MOMENT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d\d:\d\d|\d+\.\d+$")
_NAME_LIKE = re.compile(r"[a-z][a-z0-9]*([-_]{1,2}[a-z0-9]+)*")  # tag: include-copyright
MOST_CONCEPTS = 60
_LONGEST_CODE = 8  # letters
_FEWEST_CODES = 5  # different values that show a reference


Keys = Mapping[str, tuple[tuple[str, ...], frozenset[str]]]


def table_forms(tables: list[DataTable]) -> list[TableForm]:
    """The forms of all tables, with keys first, for references need them."""
    counted = [(table, census_of(table.records)) for table in tables]
    referring = [values for _, fields in counted for values in _codes_of(fields)]
    keys = {
        table.name: (path, frozenset(values))
        for table, fields in counted
        for path, values in [_key(table, fields, referring)]
        if path
    }
    for table, fields in counted:
        if _relates(table, fields, keys):  # a reference names no record that relates two others
            path, values = _key(table, fields, referring, keys[table.name][0])
            del keys[table.name]
            keys |= {table.name: (path, frozenset(values))} if path else {}
    records = {
        table.name: {str(record.get(path[0])): record for record in table.records}
        for table in tables
        if len(path := keys.get(table.name, ((), frozenset()))[0]) == 1
    }
    return [
        _Reader(table, keys, agreeing(table, records)).form(fields) for table, fields in counted
    ]


def _relates(table: DataTable, fields: Mapping[str, FieldCensus], keys: Keys) -> bool:
    """Whether the key of a table is a reference to another table, beside references to more."""
    path = keys[table.name][0] if table.name in keys else ()
    others = {name: key for name, key in keys.items() if name != table.name}
    referring = {name for name, census in fields.items() if _named_table(name, census, others)}
    return len(path) == 1 and path[0] in referring and len(referring) > 1


def _named_table(name: str, census: FieldCensus, keys: Keys) -> str:
    """The table whose name a field has, if its values are keys of it: person_id → persons."""
    folded = reference_name(name)
    for table, (_, values) in keys.items():
        single = singular(table)
        is_named = single in (folded, singular(folded)) or folded.endswith(f"_{single}")
        if is_named and census.values and census.values.keys() <= values:
            return table
    return ""


def _codes_of(fields: Mapping[str, FieldCensus]) -> Iterator[set[str]]:
    """The values of fields that could be references: some different ones, which several records have
    or lists hold.
    """
    for census in fields.values():
        inner = census.item if census.item is not None else census
        is_shared = census.item is not None or census.present > len(census.values)
        are_numbers = all(map(_INTEGER.fullmatch, inner.values))
        if len(inner.values) >= _FEWEST_CODES and is_shared and not are_numbers:
            yield set(inner.values)
        yield from _codes_of(inner.fields)


def _key(
    table: DataTable,
    fields: Mapping[str, FieldCensus],
    referring: list[set[str]],
    without: tuple[str, ...] = (),
) -> tuple[tuple[str, ...], Iterable[str]]:
    """The path in the files to the field that names a record, and its values; an empty path where
    there is none. Of fields whose names suit alike, the one goes first whose values `referring`
    fields have; fields of the record go before those of its maps; `without` is no key.
    """
    if table.is_keyed:
        return ("id",), fields["id"].values
    within: dict[tuple[str, ...], FieldCensus] = {
        (name, below): entry
        for name, census in fields.items() if census.kind == "map"
        for below, entry in census.fields.items()
    }  # fmt: skip
    own: dict[tuple[str, ...], FieldCensus] = {(name,): item for name, item in fields.items()}
    candidates = own | within
    able = [
        path
        for path, census in candidates.items()
        if census.present == len(table.records) and census.is_unique and census.kind in ("text", "integer")
        and path != without
    ]  # fmt: skip
    uses = {
        path: sum(values <= candidates[path].values.keys() for values in referring) for path in able
    }
    able = [
        path for path in able
        if _may_name(path, candidates[path]) or _is_named(uses[path], candidates[path])
    ] or _first_texts(able, own)  # fmt: skip
    if not able:
        return (), ()
    most = max(uses[path] for path in able)
    if uses.get((table.file_column,), most) < most:  # a field says more than the names of files
        able = [path for path in able if uses[path] == most]
    ranks = {path: _key_rank(table, path, candidates[path]) for path in able}
    path = min(
        able,
        key=lambda path: (ranks[path][0], -uses[path], ranks[path][1], len(path), able.index(path)),
    )
    return path, candidates[path].values


def _is_named(uses: int, census: FieldCensus) -> bool:
    """Whether other fields have the values of a field, which are short."""
    return uses > 0 and max(map(len, census.values)) <= 40


def _first_texts(
    able: list[tuple[str, ...]], own: Mapping[tuple[str, ...], FieldCensus]
) -> list[tuple[str, ...]]:
    """The first field of the records, if its values are short texts: what people put first."""
    first = next(iter(own), ())
    census = own.get(first)
    is_short = census is not None and max(map(len, census.values), default=99) <= 60
    is_text = census is not None and not all(map(_DECIMAL.fullmatch, census.values))
    return [first] if first in able and is_short and is_text and len(able) > 0 else []


def _may_name(path: tuple[str, ...], census: FieldCensus) -> bool:
    """Whether unique values can be keys: by the name of the field, or because short values that are
    unique in many records are so by intent.
    """
    longest = max(map(len, census.values))
    for folded in (snake_case(column_name(name)) for name in path):
        if folded in _KEY_NAMES or _IDENTIFIERS.search(folded) or _TEXTS.search(folded):
            return longest <= 200
    if any(map(_MOMENT.match, census.values)):
        return False
    called = snake_case(column_name(path[-1]))
    if all(map(_DECIMAL.fullmatch, census.values)) and not _CODES.search(called):
        return False  # a population, a year
    if path != ("value",) and all(map(_NAME_LIKE.fullmatch, census.values)) and longest <= 40:
        return any("-" in text or "_" in text for text in census.values)
    return census.present >= 20 and longest <= 40 and not any(sign in text for text in census.values for sign in "|;")  # fmt: skip


def _key_rank(table: DataTable, path: tuple[str, ...], census: FieldCensus) -> tuple[int, int]:
    """How well names suit a key, the best first: that of the field, or of the map that it is in. Of
    other names, codes go first, then the first field of the records, names last.
    """
    is_first = path == tuple(table.records[0])[:1]
    is_code = len(path) == 1 and max(map(len, census.values)) <= _LONGEST_CODE
    if (
        all(map(_URL, census.values))
        and len({text.rpartition("/")[0] for text in census.values}) > 1
    ):
        return len(_KEY_NAMES) + 2, 0  # addresses of many hosts, in the place of a name
    return min(_name_rank(table, name, is_first, is_code) for name in path)


def _name_rank(table: DataTable, name: str, is_first: bool, is_code: bool) -> tuple[int, int]:
    folded = snake_case(column_name(name))
    if folded in _KEY_NAMES:
        return _KEY_NAMES.index(folded), 0
    own = folded in (f"{singular(table.name)}_id", f"{table.name}_id")
    if own or _IDENTIFIERS.search(folded):
        return len(_KEY_NAMES), int(not own)
    is_text = bool(_TEXTS.search(folded))
    return len(_KEY_NAMES) + 1, 0 if is_code and not is_text else 1 if is_first else 2 + is_text


def languages_of(tables: Iterable[TableForm]) -> tuple[str, ...]:
    """The languages of texts by language, the one that most fields have completely first."""
    counts: Counter[str] = Counter()
    for table in tables:
        for entry in table.all_fields:
            counts.update(dict.fromkeys(entry.languages, 0))
            counts.update(entry.complete)
    return tuple(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def with_language(table: TableForm, first: str) -> TableForm:
    """The table with texts only where each has one in the first language of the publication; others
    are maps.
    """

    def changed(entry: FieldForm) -> FieldForm:
        if entry.kind == "texts" and first not in entry.complete:
            fields = tuple(FieldForm(name, name, "type", "text") for name in entry.languages)
            return replace(entry, kind="fields", fields=fields, languages=())
        fields = tuple(map(changed, entry.fields))
        return replace(entry, fields=fields, item=changed(entry.item) if entry.item else None)

    return replace(table, fields=tuple(map(changed, table.fields)))


class _Reader:
    """Finds the forms of one table's fields; `keys` has the path of the key of each table, and its
    values, `agreeing` the fields whose maps repeat what records of another table have.
    """

    def __init__(
        self,
        table: DataTable,
        keys: Mapping[str, tuple[tuple[str, ...], frozenset[str]]],
        agreeing: Mapping[tuple[str, ...], str],
    ) -> None:
        self.table, self.keys, self.agreeing = table, keys, agreeing
        self.others = {name: key for name, key in keys.items() if name != table.name}
        self.key = keys[table.name][0] if table.name in keys else ()
        self.has_empty = False

    def form(self, fields: Mapping[str, FieldCensus]) -> TableForm:
        forms = self._fields(fields, (), ())
        read = {entry.source for entry in forms}
        ignored = tuple(name for name in fields if name not in read)
        keys = tuple(_marked(forms)) or _joint_keys(self.table, forms)
        keys = keys or _nearly_unique(fields, forms)
        if not keys:
            places = _places(self.table)
            captured = {name for pattern in self.table.files for name in Pattern.read(pattern).captures}  # fmt: skip
            keys = tuple(entry for entry in forms if entry.source in captured)
            places = places[-1:] if keys else places  # parts of the path name the file
            keys = (*keys, *places)
            forms = (*places, *forms)
        has_empty = self.has_empty and not self.table.is_rows  # cells without text have no value
        return TableForm(self.table, forms, ignored, has_empty, keys)

    def _fields(
        self, fields: Mapping[str, FieldCensus], path: tuple[str, ...], sources: tuple[str, ...]
    ) -> tuple[FieldForm, ...]:
        """The forms of fields; `path` are the names of the maps that they are in, `sources` the keys
        of these in the files.
        """
        names = _column_names(fields)
        forms = []
        for source, census in fields.items():
            self.has_empty |= bool(census.empty)
            name = names[source]
            is_key = (*sources, source) == self.key
            if name.lower() == "id" and not is_key and not path:
                name = "identifier"  # `id` would name the record
            if name == "id" and sources[-1:] == ("[]",) and self._is_repeated((*sources, source)):
                name = "identifier" if "identifier" not in names.values() else "id_of_item"
            entry = self._field(name, census, path, (*sources, source))
            if entry is None:
                continue
            if is_key:
                kind = "type" if entry.kind == "concept" else entry.kind
                target = "any" if entry.kind != "type" else entry.target
                reason = f"names the record: unique in all {census.parents}"
                entry = replace(entry, kind=kind, target=target, values={}, key=True, unique=False, published="", reason=reason)  # fmt: skip
                if kind == "ref":  # a table that continues another one, record by record
                    entry = replace(entry, kind="type", target=_single_type(names[source], census, self.table.is_rows)[0])  # fmt: skip
                    entry = replace(entry, continues=self._continued(source, census))
            bounds = _bounds(entry, census)
            forms.append(replace(entry, source=source, required=census.is_complete, bounds=bounds))
        return tuple(_dated(forms, self.table))

    def _field(
        self, name: str, census: FieldCensus, path: tuple[str, ...], sources: tuple[str, ...]
    ) -> FieldForm | None:
        """The form of a field; none where no form fits, or no record has a value."""
        if not census.present:
            return None
        plain = FieldForm(name, "", "type")
        if census.kind == "map":
            return self._map(plain, census, path, sources)
        if census.kind == "list" and census.item is not None:
            if not census.item.present:
                return None
            self.has_empty |= bool(census.item.empty)
            item = self._field(name, census.item, path, (*sources, "[]"))
            if item is None or item.kind in ("list", "texts", "keyed"):
                return None
            reason = f"{census.present} of {census.parents}, up to {census.lengths} items"
            is_tuple = (
                item.kind == "type" and item.target in ("integer", "decimal")
                and 2 <= census.lengths <= 4 and census.item.parents == census.lengths * census.present
            )  # fmt: skip
            return replace(plain, kind="list", item=item, length=census.lengths, is_tuple=is_tuple, reason=reason)  # fmt: skip
        if {"map", "list"} & set(census.kinds):
            return None
        if table := self.agreeing.get(sources):
            reason = f"{len(census.values)} values, keys of {table}, whose fields are repeated"
            return replace(plain, kind="ref", target=table, reason=reason)
        entry = self._single(plain, census, path, "[]" in sources)
        if entry.kind == "ref" and entry.target == self.table.name and self._repeats_key(sources):
            target, _ = _single_type(name, census, self.table.is_rows)
            reason = f"{_share(census)}, the key of the record again"
            return replace(plain, target=target, reason=reason)
        return entry

    def _repeats_key(self, sources: tuple[str, ...]) -> bool:
        """Whether each record that has the value has its own key there: no record names another."""
        if sources == self.key or {"[]", "{}"} & set(sources):
            return False
        pairs = ((_value(record, sources), _value(record, self.key)) for record in self.table.records)  # fmt: skip
        return all(value in (None, "", key) for value, key in pairs)

    def _is_repeated(self, sources: tuple[str, ...]) -> bool:
        """Whether a list has two items with the same value there, which hence names none of them."""
        lists = (
            [_value(item, sources[-1:]) for item in items]
            for record in self.table.records
            for items in _lists_at(record, sources[:-2])
        )
        known = ([str(value) for value in values if value is not None] for values in lists)
        return any(len(set(values)) < len(values) for values in known)

    def _continued(self, name: str, census: FieldCensus) -> str:
        """The table that this one continues record by record: that of the name of the key, else the
        one whose key has the same name and all its values.
        """
        if table := _named_table(name, census, self.others):
            return table
        if snake_case(name) in _KEY_NAMES:
            return ""  # too many tables have an `id`
        for table, (path, values) in self.others.items():
            is_first = census.values.keys() < values or table < self.table.name
            are_numbers = all(map(_INTEGER.fullmatch, census.values))  # they are in every table
            if path[-1] == name and census.values.keys() <= values and is_first and not are_numbers:
                return table
        return ""

    def _map(
        self, plain: FieldForm, census: FieldCensus, path: tuple[str, ...], sources: tuple[str, ...]
    ) -> FieldForm | None:
        names = set(census.fields)
        if _is_keyed(census) and sources[-1:] not in (("[]",), ("{}",)):
            return self._keyed(plain, census, path, sources)
        if all(map(LANGUAGE_TAG.fullmatch, names)) and all(
            item.kind == "text" for item in census.fields.values()
        ):
            most = tuple(sorted(names, key=lambda name: (-census.fields[name].present, name)))
            complete = tuple(name for name in most if census.fields[name].present == census.present)
            if complete:
                reason = f"texts in {', '.join(most)}"
                return replace(
                    plain, kind="texts", languages=most, complete=complete, reason=reason
                )
        fields = self._fields(census.fields, (*path, plain.name), sources)
        if not fields:
            return None
        read = {entry.source for entry in fields}
        ignored = tuple(name for name in census.fields if name not in read)
        return replace(plain, kind="fields", fields=fields, ignored=ignored, reason=_share(census))

    def _keyed(
        self, plain: FieldForm, census: FieldCensus, path: tuple[str, ...], sources: tuple[str, ...]
    ) -> FieldForm | None:
        """A map whose keys are values, too: its entries are items of a list."""
        self.has_empty |= any(entry.empty for entry in census.fields.values())
        entries = merged(census.fields.values())
        item = self._field(plain.name, entries, path, (*sources, "{}"))
        if item is None or item.kind not in ("type", "ref", "concept", "fields"):
            return None
        if item.kind == "fields":
            taken = {entry.name.lower() for entry in item.fields}
            name = "entry_key" if "key" in taken else "key"
            key = FieldForm(name, KEY, "type", "text", key=True, reason="the key of the entry")
            item = replace(item, fields=(key, *item.fields))
        reason = f"{_share(census)}; a map with {len(census.fields)} different keys"
        return replace(plain, kind="keyed", item=item, reason=reason)

    def _single(
        self, plain: FieldForm, census: FieldCensus, path: tuple[str, ...], is_listed: bool = False
    ) -> FieldForm:
        name = plain.name
        table = self._declared(name, census, path) or self._referred(name, census, is_listed)
        if table is not None:
            reason = f"{len(census.values)} values, all of them keys of {table}"
            return replace(plain, kind="ref", target=table, reason=reason)
        if written := self._written(plain, census, is_listed):
            return written
        target, reason = _single_type(name, census, self.table.is_rows)
        if target == "text" and " no url, such as" in reason and not is_listed:
            reason += "; only addresses are in the graph"
            return replace(plain, target=target, published="url", has_links=True, reason=reason)
        unique = (
            bool(_IDENTIFIERS.search(snake_case(name))) and census.is_unique and census.present > 9
        )
        if address := _register_of(name, census):
            reason = f"{_share(census)}, entries of {address}"
            return replace(plain, target=target, address=address, unique=unique, reason=reason)
        if target == "integer" and _is_number_of_record(name, path):
            reason = f"{_share(census)}, numbers that name something"
            return replace(plain, target=target, published="text", unique=unique, reason=reason)
        if target == "integer" and not self.table.is_rows and _are_years(name, census):
            return replace(
                plain, target=target, published="year", reason=f"{_share(census)}, years"
            )
        if target == "text" and (separator := _separator(name, census)):
            item = self._single(FieldForm(name, "", "type"), _parts(census, separator), path)
            concepts = item.values.items()
            if item.kind == "concept" and any(key != value for key, value in concepts):
                item = FieldForm(name, "", "type", "text")  # parts of a text are not renamed
            reason = f"{_share(census)}, several separated by {separator!r}"
            return replace(plain, target="text", item=item, separator=separator, reason=reason)
        if target in ("text", "slug", "any") and _is_category(name, census, is_listed):
            names: Mapping[str, str] = _concept_names(census.values)
            concepts_of = names if any(key != value for key, value in names.items()) else {}
            reason = f"{len(census.values)} different values in {census.present} records"
            scheme = scheme_of(self.table.name, (*path, name))
            return replace(plain, kind="concept", target=scheme, values=concepts_of or {value: value for value in names}, reason=reason)  # fmt: skip
        if (
            name.lower() in (*_KEY_NAMES, "identifier")
            and census.is_complete
            and not census.is_unique
        ):
            (most, times), *_ = census.values.most_common(1)
            repeated = sum(1 for count in census.values.values() if count > 1)
            reason = f"{_share(census)}, but {most[:60]!r} is in {times} records"
            reason += f", and so are {repeated - 1} other values" if repeated > 1 else ""
        if target == "text" and not self.table.is_rows and _are_numbers(name, census):
            reason = f"{_share(census)}, numbers in quotes"
            return replace(
                plain, target=target, pattern=_DECIMAL.pattern, published="decimal", reason=reason
            )
        return replace(plain, target=target, unique=unique, reason=reason or _share(census))

    def _written(self, plain: FieldForm, census: FieldCensus, is_listed: bool) -> FieldForm | None:
        """The form of texts that are true or false, a day with a time, or `false` for no value."""
        share, kinds = _share(census), set(census.kinds)
        if kinds == {"text", "boolean"} and set(census.values) <= {"true", "false"}:
            reason = f"{share}, true or false, also in quotes"
            return replace(plain, target="any", published="boolean", reason=reason)
        if kinds == {"text", "boolean"} and "true" not in census.values:
            texts = {text: times for text, times in census.values.items() if text != "false"}
            rest = replace(census, kinds=Counter(text=census.kinds["text"]), values=Counter(texts))
            published = _single_type(plain.name, rest, False)[0]
            reason = f"{share}, `false` where there is none"
            return replace(plain, target="any", published=published, absent="false", reason=reason)
        if is_listed or kinds != {"text"}:
            return None
        if answers := _answers(census):
            reason = f"{share}, {' or '.join(answers)}"
            return replace(plain, target="text", values=answers, published="boolean", reason=reason)
        if all(map(_DATE_TIME.fullmatch, census.values)):
            reason = f"{share}, days with times"
            return replace(plain, target="text", published="date-time", reason=reason)
        return None

    def _declared(self, name: str, census: FieldCensus, path: tuple[str, ...]) -> str | None:
        """The table that a field refers to, as the data declare it, where all values are keys of it."""
        table = "" if path else self.table.references.get(name, "")
        _, keys = self.keys.get(table, ((), frozenset()))
        return table if census.values.keys() <= keys and keys else None

    def _referred(self, name: str, census: FieldCensus, is_listed: bool) -> str | None:
        """The table whose keys all values are, if the name or the number of values make it likely."""
        if table := _named_table(name, census, self.keys):
            return table
        folded = reference_name(name)
        is_reference = folded != snake_case(name)
        counted = all(_INTEGER.fullmatch(value) for value in census.values)
        holding = [table for table, (_, keys) in self.keys.items() if census.values.keys() <= keys]
        for table in holding:
            if table == self.table.name:
                is_called = re.match(
                    r"(parent|part|super|belongs|succ|pre|child|sub|replace|related|broader|narrower)",
                    folded,
                )
                fewest = _FEWEST_CODES if is_listed else 2 * _FEWEST_CODES
                if is_called or (not counted and len(census.values) >= fewest):
                    return table
            elif not counted and (len(census.values) > 4 or (is_reference and len(holding) == 1)):
                return table
            elif self.keys[table][0][-1] == name and snake_case(name) not in _KEY_NAMES:
                return table  # the name of a key that says more than `id`
        if is_reference and holding == [self.table.name] and not counted:
            return self.table.name  # an item of a list that names another record of the table
        return None


# Where a register describes what its number names: names of fields, numbers, addresses.
_REGISTERS = (
    (r"wikidata(_?q?id)?|qid", r"Q[1-9]\d*", "http://www.wikidata.org/entity/{}"),
    (r"viaf(_?id)?", r"[1-9]\d{1,21}", "https://viaf.org/viaf/{}"),
    (r"gnd(_?id)?", r"[1-9]\d{0,9}-?[\dX]", "https://d-nb.info/gnd/{}"),
    (r"orcid(_?id)?", r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", "https://orcid.org/{}"),
    (r"isni(_?id)?", r"\d{15}[\dX]", "https://isni.org/isni/{}"),
    (r"ror(_?id)?", r"0[a-hj-km-np-tv-z0-9]{6}\d\d", "https://ror.org/{}"),
    (r"geonames?(_?id)?", r"[1-9]\d*", "https://sws.geonames.org/{}/"),
)


def _register_of(name: str, census: FieldCensus) -> str:
    """The addresses of the register whose numbers all values are, with `{}` for the number."""
    for names, numbers, address in _REGISTERS:
        if re.search(f"(^|_)({names})$", snake_case(name)):
            return address if all(re.fullmatch(numbers, text) for text in census.values) else ""
    return ""


def _is_number_of_record(name: str, path: tuple[str, ...]) -> bool:
    """Whether a number names something and counts nothing: `twitter_id`, or any in a map `ids`."""
    is_within = any(singular(snake_case(part)) in ("id", "identifier") for part in path)
    return is_within or bool(re.search(r"(^|_)id$", snake_case(name)))


def _value(record: JsonValue, path: tuple[str, ...]) -> JsonValue:
    """The value along a path of keys; none where there is no map."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _lists_at(value: JsonValue, path: tuple[str, ...]) -> Iterator[list[JsonValue]]:
    """The lists at a path of keys, in each item of lists (`[]`) and each entry of maps (`{}`) on the way."""
    if not path:
        if isinstance(value, list):
            yield value
    elif path[0] == "[]":
        for item in value if isinstance(value, list) else ():
            yield from _lists_at(item, path[1:])
    elif isinstance(value, dict):
        for inner in value.values() if path[0] == "{}" else [value.get(path[0])]:
            yield from _lists_at(inner, path[1:])


def _is_keyed(census: FieldCensus) -> bool:
    """Whether the keys of maps are values, as codes of languages are: many of them, most of them
    rare, all entries of one kind.
    """
    kinds = {entry.kind for entry in census.fields.values() if entry.present}
    are_times = all(re.fullmatch(r"[12]\d{3}(-\d\d){0,2}", name) for name in census.fields)
    if are_times and len(census.fields) > 2:  # figures by month
        return len(kinds) == 1 and kinds <= {"text", "integer", "decimal", "map"}
    rare = [entry for entry in census.fields.values() if 2 * entry.present < census.present]
    are_codes = all(re.fullmatch(r"[a-z]{3}|[A-Z]{2,3}|[0-9-]+", name) for name in census.fields)
    many = len(census.fields) > 10 and (2 * len(rare) > len(census.fields) or are_codes)
    if not many or len(kinds) != 1 or not kinds <= {"text", "map"}:
        return False
    return kinds == {"text"} or _share_keys([set(entry.fields) for entry in census.fields.values()])


def _share_keys(groups: list[set[str]]) -> bool:
    shared = set.union(*groups)
    return len(shared) <= 2 * max(map(len, groups))


def _marked(forms: Iterable[FieldForm], path: tuple[str, ...] = ()) -> Iterator[FieldForm]:
    """The field marked as key, also in a map, by the name of its column."""
    for entry in forms:
        if entry.key:
            yield replace(entry, name="_".join((*path, entry.name)))
        yield from _marked(entry.fields, (*path, entry.name))


def _joint_rank(entry: FieldForm) -> int:
    """How well a field suits a part of a key, the best first."""
    if entry.kind != "type":
        return 0
    name = snake_case(entry.name)
    if entry.target in ("slug", "date") or re.search("(^|_)(number|no|nr|nummer|code)$", name):
        return 1
    if entry.target == "integer":
        return 3
    return 2 if re.search("(^|_)(name|title)$", name) else 4


def _joint_keys(table: DataTable, forms: tuple[FieldForm, ...]) -> tuple[FieldForm, ...]:
    """Two or three fields that together name a record, references and short values first."""
    able = [
        entry
        for entry in forms
        if entry.required and entry.kind in ("type", "ref", "concept") and not entry.separator
    ]
    able.sort(key=lambda entry: (_joint_rank(entry), forms.index(entry)))
    for size in (2, 3):
        for fields in combinations(able[:8], size):
            values = {
                tuple(str(record[entry.source]) for entry in fields) for record in table.records
            }
            if len(values) == len(table.records):
                return fields
    return ()


def _nearly_unique(
    fields: Mapping[str, FieldCensus], forms: tuple[FieldForm, ...]
) -> tuple[FieldForm, ...]:
    """The field that should name a record, where some records share its value: they become one
    resource.
    """
    able = [
        entry
        for entry in forms
        if entry.kind == "type" and (entry.source.lower() in _KEY_NAMES or _IDENTIFIERS.search(snake_case(entry.name)))
        and 100 * fields[entry.source].present >= 99 * fields[entry.source].parents
        and 10 * len(fields[entry.source].values) >= 9 * fields[entry.source].present
    ]  # fmt: skip
    return tuple(able[:1])


def _places(table: DataTable) -> tuple[FieldForm, ...]:
    """The place of a record in its file, and the file where there are several: what names records
    that nothing else names.
    """
    reason = "no field names a record; places change when records are added before others"
    place = FieldForm("place", "_position", "type", "integer", reason=reason)
    file = FieldForm("file", "_file", "type", "text", reason="the file of the record")
    is_single = len(table.files) == 1 and not has_signs(table.files[0])
    return (replace(place, key=True),) if is_single else (file, place)


def item_key(lists: Iterable[JsonValue], item: FieldForm) -> FieldForm | None:
    """The field by which the items of each list differ, if there is one: a key, else a reference."""
    items = [[entry for entry in values if isinstance(entry, dict)] for values in lists if isinstance(values, list)]  # fmt: skip
    able = [
        entry
        for entry in item.fields
        if entry.required and (entry.kind == "ref" or entry.target in ("slug", "uuid", "curie") or entry.name.lower() in _KEY_NAMES)
    ]  # fmt: skip
    named = [
        entry for entry in item.fields
        if entry.required and entry.kind == "type" and entry.name.lower() in ("name", "title", "label")
    ]  # fmt: skip
    for entry in [*able, *named]:
        values = [[str(inner.get(entry.source)) for inner in group] for group in items]
        is_short = entry in able or max(map(len, chain.from_iterable(values)), default=0) <= 60
        if is_short and all(len(set(group)) == len(group) for group in values):
            return entry
    return None


def _separator(name: str, census: FieldCensus) -> str:
    """The sign between several values in one cell, if a tenth of the values have it and the parts
    are short.
    """
    if _TEXTS.search(snake_case(name)) and not name.lower().endswith("names"):
        return ""
    for separator in ("|", ";"):
        having = [text for text in census.values if separator in text]
        parts = [part for text in having for part in text.split(separator)]
        if len(having) * 10 >= len(census.values) and len(having) > 1 and max(map(len, parts)) <= 250 and all(map(str.strip, parts)):  # fmt: skip
            return separator
    return ""


def _parts(census: FieldCensus, separator: str) -> FieldCensus:
    """The census of the parts of texts."""
    parts = FieldCensus()
    for text, times in census.values.items():
        for part in text.split(separator):
            parts.parents += times
            parts.present += times
            parts.kinds["text"] += times
            parts.values[part.strip()] += times
    return parts


def _share(census: FieldCensus) -> str:
    return f"{census.present} of {census.parents}"


def scheme_of(table: str, path: tuple[str, ...]) -> str:
    """The name of a list of concepts."""
    words = (singular(table), *map(snake_case, path[:-1]), *map(reference_name, path[-1:]))
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words)).strip("-")


def snake_case(name: str) -> str:
    """A name in small letters with underscores: startDate → start_date."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def reference_name(name: str) -> str:
    """What a field refers to, by its name: person_id, personId → person."""
    return re.sub(r"_(id|ids|key|code|ref|uuid|slug)$", "", snake_case(name))


def column_name(source: str) -> str:
    """A key of the files as a name in records.yaml: letters, digits and underscores.

    >>> column_name("Größe (m²)"), column_name("@id"), column_name("startDate")
    ('Groesse_m2', 'id', 'startDate')
    """
    text = source
    for letter, plain in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}.items():  # fmt: skip
        text = text.replace(letter, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "field"
    return f"field_{name}" if name[0].isdigit() else name


def _column_names(fields: Mapping[str, FieldCensus]) -> dict[str, str]:
    """Names that differ in more than case, for queries do not distinguish it."""
    taken: set[str] = set()
    names = {}
    for source in fields:
        name = base = column_name(source)
        number = 2
        while name.lower() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.lower())
        names[source] = name
    return names


def _single_type(name: str, census: FieldCensus, is_rows: bool) -> tuple[str, str]:
    """The type of single values, and a remark where it holds for nearly all of them only."""
    texts = census.values
    if not is_rows and census.kind in ("integer", "boolean", "decimal"):
        return census.kind, ""
    if not is_rows and set(census.kinds) == {"integer", "decimal"}:
        return "decimal", ""
    if not is_rows and census.kind != "text":
        return "any", f"{_share(census)}; {' and '.join(sorted(census.kinds))} mixed"
    for type_, holds in _JUDGES.items():
        if type_ in ("integer", "decimal") and (not is_rows or _CODES.search(snake_case(name))):
            continue
        if type_ == "boolean" and not is_rows:
            continue
        if (
            type_ == "integer"
            and _YEARS.search(snake_case(name))
            and all(map(_is_partial_date, texts))
        ):
            return "partial-date", ""
        if type_ == "slug" and not (
            _IDENTIFIERS.search(snake_case(name)) or name.lower() in _KEY_NAMES
        ):
            continue
        if type_ == "language" and not re.search(
            r"(^|_)(lang|language|sprache|langue)s?$", snake_case(name)
        ):
            continue
        wrong = [text for text in texts if not holds(text)]
        if not wrong:
            return type_, ""
        is_dated = type_ == "date" or (type_ == "partial-date" and _YEARS.search(snake_case(name)))
        if (type_ == "url" or is_dated) and len(wrong) <= len(texts) / 10:
            return (
                "text",
                f"{_share(census)}; {_number_of(wrong)} no {type_}, such as {wrong[0][:60]!r}",
            )
    return "text", ""


def _number_of(values: list[str]) -> str:
    return f"{len(values)} values are" if len(values) > 1 else "1 value is"


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and text[4] == "-" and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_partial_date(text: str) -> bool:
    match = re.fullmatch(r"([12][0-9]{3})(-(0[1-9]|1[0-2]))?", text)
    return bool(match) or _is_date(text)


def _matcher(type_: str) -> Callable[[str], bool]:
    pattern = re.compile(str(TYPES[type_]["pattern"]).replace("$", r"\Z"))
    return lambda text: bool(pattern.search(text))


_URL = _matcher("url")
# From the narrowest to the widest.
_JUDGES: dict[str, Callable[[str], bool]] = {
    "boolean": lambda text: text in ("true", "false"),
    "date": _is_date,
    "integer": lambda text: bool(_INTEGER.fullmatch(text)),
    "decimal": lambda text: bool(_DECIMAL.fullmatch(text)),
    "partial-date": _is_partial_date,
    "url": lambda text: bool(_URL(text)) and text.count("#") < 2,
    "language": _matcher("language"),
    "slug": _matcher("slug"),
}


def _are_years(name: str, census: FieldCensus) -> bool:
    is_called = re.search(
        r"(^|_)(year|jahr|annee)(_(from|to|start|end|founded|opened|closed))?$|"
        r"(^|_)(born|died|founded|established|opened|closed)$",
        snake_case(name),
    )
    return bool(is_called) and all(re.fullmatch("[12][0-9]{3}", text) for text in census.values)


def _are_numbers(name: str, census: FieldCensus) -> bool:
    """Whether texts are numbers with a fraction, such as coordinates."""
    has_fraction = any("." in text for text in census.values)
    return (
        has_fraction
        and not _CODES.search(snake_case(name))
        and all(map(_DECIMAL.fullmatch, census.values))
    )


def _answers(census: FieldCensus) -> dict[str, str]:
    """Yes and no as they are written, with what they mean; empty where there are other values."""
    for yes, no in _ANSWERS:
        meanings = {yes: "true", no: "false"}
        if set(census.kinds) == {"text"} and all(
            text.lower() in meanings for text in census.values
        ):
            return {text: meanings[text.lower()] for text in sorted(census.values)}
    return {}


def _is_category(name: str, census: FieldCensus, is_listed: bool = False) -> bool:
    """Whether the values are a short list that records share; `is_listed`: items of lists, of which
    there may be more.
    """
    distinct = len(census.values)
    if (
        _TEXTS.search(snake_case(name))
        or max(map(len, census.values)) > 50
        or distinct > MOST_CONCEPTS
    ):
        return False
    if 2 * sum(bool(re.search(r"[^\W\d_]", value)) for value in census.values) < distinct:
        return False  # numbers with signs for thousands
    if any(map(_MOMENT.match, census.values)):
        return False  # days and times
    names = _concept_names(census.values)
    if len(set(names.values())) < len({value.casefold() for value in names}) or not all(
        names.values()
    ):
        return False  # values that differ in capitals only are one concept
    if _CATEGORIES.search(snake_case(name)):
        return census.present >= 2 * distinct or distinct <= 3
    most = MOST_CONCEPTS if is_listed else 20
    return census.present >= 10 * distinct and distinct <= most and census.present > 30


def _concept_names(values: Mapping[str, int]) -> dict[str, str]:
    """What each value becomes in the IRI of its concept: itself, or all of them in one style."""
    if all(map(_CONCEPT.fullmatch, values)):
        return {value: value for value in sorted(values)}
    return {value: concept_name(value) for value in sorted(values)}


def concept_name(value: str) -> str:
    """A value as the last part of an IRI.

    >>> concept_name("Local Authority"), concept_name("M/F")
    ('local-authority', 'm-f')
    """
    return column_name(value).lower().replace("_", "-")


_BOUNDS: tuple[tuple[str, tuple[int | None, int | None]], ...] = (
    (r"(^|_)(lat|latitude|breite)$", (-90, 90)),
    (r"(^|_)(lon|lng|long|longitude|laenge)$", (-180, 180)),
    (r"(^|_)(population|inhabitants|einwohner|area|seats|sitze|employees|members|students|visitors|count|total)$", (0, None)),
)  # fmt: skip


def _bounds(entry: FieldForm, census: FieldCensus) -> tuple[int | None, int | None] | None:
    """What a number of this name cannot leave, where the data agree."""
    if entry.kind != "type" or entry.target not in ("integer", "decimal") or entry.key:
        return None
    for pattern, (least, most) in _BOUNDS:
        if re.search(pattern, snake_case(entry.name)):
            values = [float(text) for text in census.values]
            is_within = (least is None or min(values) >= least) and (
                most is None or max(values) <= most
            )
            return (least, most) if is_within else None
    return None


_STARTS = {
    "end": "start", "to": "from", "until": "since", "bis": "von", "death": "birth", "died": "born", "dissolution": "founding",
    "dissolved": "founded", "closed": "opened",
}  # fmt: skip
_ENDS = re.compile("end|to$|until|bis|death|died|dissolution|dissolved|closed")


def _dated(forms: list[FieldForm], table: DataTable) -> Iterator[FieldForm]:
    """Ends are not before their starts, where the data agree."""
    dates = {entry.name: entry for entry in forms if entry.kind == "type" and entry.target in ("date", "partial-date")}  # fmt: skip
    for entry in forms:
        start = _ENDS.sub(lambda part: _STARTS[part[0]], entry.name, count=1)
        other = dates.get(start)
        if entry.name in dates and other is not None and start != entry.name:
            pairs = [
                (record.get(other.source), record.get(entry.source)) for record in table.records
            ]
            known = [(str(a), str(b)) for a, b in pairs if a and b]
            if known and all(a[: len(b)] <= b[: len(a)] for a, b in known):
                entry = replace(entry, after=start, reason=f"{entry.reason}; never before {start}")
        yield entry
