"""Which class a table and which property a field gets: of known vocabularies where the words of
terms.yaml fit, else a term of the publication.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import value_of
from lodpipe.workflow.scaffold.data_tables import singular
from lodpipe.workflow.scaffold.field_forms import FieldForm, reference_name, snake_case

PROFILES = ("popolo", "cpov")
_FOLDER = Path(__file__).parent


class _Class(msgspec.Struct, frozen=True):
    words: tuple[str, ...]
    classes: tuple[str, ...]


class TermEntry(msgspec.Struct, frozen=True):
    """A property for fields of these names and kinds, of resources of the class `of`; `form` is what
    the profile makes of a value: a text, or a text in the first language of the publication.
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    property: tuple[str, ...]
    of: str = ""
    form: str = msgspec.field(name="as", default="")


class ListEntry(msgspec.Struct, frozen=True):
    """A list of maps: the property that leads to them, or to the one value of each that is used."""

    words: tuple[str, ...]
    property: str
    value: str = ""


class PartEntry(msgspec.Struct, frozen=True):
    """Fields of a resource that are a resource of their own, such as an address."""

    name: str
    class_: str = msgspec.field(name="class")
    link: str
    of: str
    properties: tuple[TermEntry, ...]


class Terms(msgspec.Struct, frozen=True):
    """Classes and properties by the names of tables and fields; `signs` are fields that a table of
    such data has, `shapes` is the file of the profile's shapes.
    """

    classes: tuple[_Class, ...]
    properties: tuple[TermEntry, ...]
    lists: tuple[ListEntry, ...] = ()
    parts: tuple[PartEntry, ...] = ()
    signs: tuple[tuple[str, ...], ...] = ()
    shapes: str = ""

    def list_of(self, name: str) -> ListEntry | None:
        """The entry of a list of maps."""
        word = next(words_of(name))
        return next((entry for entry in self.lists if word in entry.words), None)


def terms_of(profile: str) -> Terms:
    """The terms of a profile before those of every publication; these alone for an empty name."""
    common = _read("terms.yaml")
    if not profile:
        return common
    own = _read(f"profiles/{profile}.yaml")
    return msgspec.structs.replace(
        own,
        classes=(*own.classes, *common.classes),
        properties=(*own.properties, *common.properties),
    )


def shapes_of(profile: str, classes: Container[str]) -> str:
    """The shapes of a profile for these classes, Turtle: paragraphs, each about one class."""
    text = (_FOLDER / "profiles" / f"{profile}.ttl").read_text("utf-8")
    head, *paragraphs = text.rstrip("\n").split("\n\n")
    targets = ((part, re.search(r"sh:targetClass (\S+)", part)) for part in paragraphs)
    used = [part for part, target in targets if target and target[1] in classes]
    return "\n\n".join([head, *used]) + "\n"


def fitting_profile(tables: Iterable[Iterable[str]]) -> str:
    """The profile whose signs the fields of a table have, empty where none fits."""
    fields = [set(names) for names in tables]
    for profile in PROFILES:
        signs = _read(f"profiles/{profile}.yaml").signs
        if any(names.issuperset(sign) for names in fields for sign in signs):
            return profile
    return ""


@cache
def _read(name: str) -> Terms:
    tree = read_tree(_FOLDER / name, name)
    assert tree is not None  # a file of the package
    return msgspec.convert(value_of(tree), Terms)


def words_of(name: str) -> Iterator[str]:
    """A name as words of the table: whole, and its last part; both in the singular.

    >>> list(words_of("official_names"))
    ['officialname', 'name']
    """
    parts = [part for part in snake_case(name).split("_") if part]
    yield singular("".join(parts))
    if len(parts) > 1:
        yield singular(parts[-1])


def classes_of(table: str, terms: Terms) -> tuple[str, ...]:
    """The classes of a table's records as prefixed names; its own class where none fits."""
    parts = [singular(part) for part in snake_case(table).split("_")]
    for word in (*words_of(table), *reversed(parts)):  # the noun is behind what describes it
        for entry in terms.classes:
            if word in entry.words:
                return entry.classes
    return (f"def:{own_class(table)}",)


def own_class(name: str) -> str:
    """A name as that of a class: legislative_bodies → LegislativeBody."""
    parts = snake_case(name).split("_")
    return "".join(part.capitalize() for part in (*parts[:-1], singular(parts[-1])))


def property_of(
    entry: FieldForm, classes: tuple[str, ...], path: tuple[str, ...], terms: Terms
) -> tuple[str, str]:
    """The property of a field as a prefixed name, and the form of its values by the profile."""
    kind = _kind(entry)
    for index, word in enumerate(words_of(_plain_name(entry, kind))):
        for known in terms.properties:
            is_key = entry.key and known.property[0] == "dct:identifier"
            if index and known.of == "" and kind in ("text", "any", "url", "slug") and not is_key:
                continue  # a part of a name says too little of a text
            if is_entry_of(known, word, kind) and known.of in ("", *classes):
                if known.property[0] == "dct:identifier" and not _identifies(entry):
                    continue
                return known.property[0], known.form
    return f"def:{own_property(path)}", ""


def is_entry_of(entry: TermEntry, word: str, kind: str) -> bool:
    """Whether an entry is of fields of this name and kind."""
    return word in entry.words and kind in entry.kinds


def _plain_name(entry: FieldForm, kind: str) -> str:
    """A name without what says that it is a reference or an address: logo_url → logo."""
    name = snake_case(entry.name)
    if kind == "ref":
        return reference_name(name)
    return re.sub("_(url|uri|link)$", "", name) if kind == "url" else name


def _identifies(entry: FieldForm) -> bool:
    return entry.key or entry.unique or snake_case(entry.name) in ("id", "identifier", "uuid")


# Properties that a place has and what has the place, and the maps that hold them.
_OF_PLACES = (
    "schema:latitude",
    "schema:longitude",
    "schema:postalCode",
    "schema:email",
    "schema:telephone",
)
_PLACES = {
    "address",
    "location",
    "coordinate",
    "geo",
    "position",
    "contact",
    "adresse",
    "kontakt",
    "point",
}


def is_part_of_place(property_: str, path: tuple[str, ...]) -> bool:
    """Whether a property of a field in a map is one of the record: location.latitude."""
    return property_ in _OF_PLACES and all(singular(name.lower()) in _PLACES for name in path[:-1])


_NEUTRAL = {"string", "text", "info", "detail", "metadata", "meta", "attribute", "property", "field", "profile", "general", "basic"}  # fmt: skip


def is_of_record(path: tuple[str, ...]) -> bool:
    """Whether a field in maps is one of the record, for their names say nothing: info.name."""
    return all(singular(snake_case(name)) in _NEUTRAL for name in path[:-1])


# Properties that a person has, and the maps of a person's record that hold them.
_OF_PERSONS = (
    "schema:givenName",
    "schema:familyName",
    "schema:additionalName",
    "schema:alternateName",
    "schema:honorificSuffix",
    "schema:gender",
    "schema:birthDate",
    "schema:deathDate",
)
_PERSONAL = {"name", "bio", "biography", "person", "personal", "demographic"}


def is_part_of_person(property_: str, path: tuple[str, ...], classes: tuple[str, ...]) -> bool:
    """Whether a property of a field in a map is one of the person: name.first, bio.birthday."""
    if "schema:Person" not in classes or property_ not in _OF_PERSONS:
        return False
    return all(singular(snake_case(name)) in _PERSONAL for name in path[:-1])


def is_of_person(entry: FieldForm, terms: Terms) -> bool:
    """Whether only a person has such a field: a family name, a day of birth."""
    property_, _ = property_of(entry, (), (entry.name,), terms)
    return property_ in ("schema:familyName", "schema:birthDate")


def is_of_place(entries: Iterable[FieldForm], terms: Terms) -> bool:
    """Whether records with such fields are where these say: latitude and longitude."""
    properties = {property_of(entry, (), (entry.name,), terms)[0] for entry in entries}
    return {"schema:latitude", "schema:longitude"} <= properties


def _kind(entry: FieldForm) -> str:
    if entry.kind == "list" and entry.item is not None:
        inner = _kind(entry.item)
        return "list" if inner in ("text", "any") else inner
    if entry.kind == "texts":
        return "text"
    return entry.target if entry.kind == "type" else entry.kind


def own_property(path: tuple[str, ...]) -> str:
    """A path of fields as the name of a property: (address, zip_code) → addressZipCode."""
    parts = [part for name in path for part in snake_case(name).split("_") if part]
    return parts[0] + "".join(part.capitalize() for part in parts[1:])


def label_of(name: str) -> str:
    """A name as words: zip_code → zip code."""
    return snake_case(name).strip("_").replace("_", " ")
