"""Which class a table and which property a field gets: of known vocabularies where the words of
terms.yaml fit, else a term of the publication.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import value_of
from lodpipe.workflow.scaffold.field_forms import FieldForm, singular


class _Class(msgspec.Struct, frozen=True):
    words: tuple[str, ...]
    classes: tuple[str, ...]


class _Property(msgspec.Struct, frozen=True):
    words: tuple[str, ...]
    kinds: tuple[str, ...]
    property: tuple[str, ...]
    of: str = ""


class _Terms(msgspec.Struct, frozen=True):
    classes: tuple[_Class, ...]
    properties: tuple[_Property, ...]


@dataclass(frozen=True)
class OwnTerm:
    """A class or property that the publication declares; its name after `def:` and its label."""

    name: str
    label: str
    is_class: bool


@cache
def _terms() -> _Terms:
    path = Path(__file__).with_name("terms.yaml")
    tree = read_tree(path, path.name)
    assert tree is not None  # a file of the package
    return msgspec.convert(value_of(tree), _Terms)


def words_of(name: str) -> Iterator[str]:
    """A name as words of the table: whole, and its last part; both in the singular.

    >>> list(words_of("official_names"))
    ['officialname', 'name']
    """
    parts = [part for part in _snake(name).split("_") if part]
    yield singular("".join(parts))
    if len(parts) > 1:
        yield singular(parts[-1])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def classes_of(table: str) -> tuple[str, ...]:
    """The classes of a table's records as prefixed names; its own class where none fits."""
    parts = [singular(part) for part in _snake(table).split("_")]
    for word in (*words_of(table), *parts):
        for entry in _terms().classes:
            if word in entry.words:
                return entry.classes
    return (f"def:{own_class(table)}",)


def own_class(name: str) -> str:
    """A name as that of a class: legislative_bodies → LegislativeBody."""
    parts = _snake(name).split("_")
    return "".join(part.capitalize() for part in (*parts[:-1], singular(parts[-1])))


def property_of(entry: FieldForm, classes: tuple[str, ...], path: tuple[str, ...]) -> str:
    """The property of a field as a prefixed name."""
    kind = _kind(entry)
    name = (
        re.sub("_(id|ids|key|code|ref|uuid|slug)$", "", entry.name) if kind == "ref" else entry.name
    )
    for index, word in enumerate(words_of(name)):
        for known in _terms().properties:
            if index and known.of == "" and kind in ("text", "any"):
                continue  # a part of a name says too little of a text
            if word in known.words and kind in known.kinds and known.of in ("", *classes):
                return known.property[0]
    return f"def:{own_property(path)}"


def _kind(entry: FieldForm) -> str:
    if entry.kind == "list" and entry.item is not None:
        inner = _kind(entry.item)
        return "list" if inner in ("text", "any") else inner
    if entry.kind == "texts":
        return "text"
    return entry.target if entry.kind == "type" else entry.kind


def own_property(path: tuple[str, ...]) -> str:
    """A path of fields as the name of a property: (address, zip_code) → addressZipCode."""
    parts = [part for name in path for part in _snake(name).split("_") if part]
    return parts[0] + "".join(part.capitalize() for part in parts[1:])


def label_of(name: str) -> str:
    """A name as words: zip_code → zip code."""
    return _snake(name).strip("_").replace("_", " ")
