"""What fields and tables are called in German, where their names are usual English words."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import value_of
from lodpipe.workflow.scaffold.data_tables import singular

_FILE = "german_names.yaml"
_PLURALS = {"person": "people", "child": "children"} | {
    word: word for word in ("data", "people", "staff")
}


class _Name(NamedTuple):
    single: str
    many: str


def german_name(label: str) -> str:
    """A label in German; of several words that are no name together, the last before the others. The
    label itself where a word is not known.

    >>> german_name("start date"), german_name("countries"), german_name("location city")
    ('Anfangsdatum', 'Länder', 'Stadt (Ort)')
    """
    if known := _known(label):
        return known
    words = label.split()
    for at in range(1, len(words)):
        last, before = _known(" ".join(words[at:])), _known(" ".join(words[:at]))
        if last and before:
            return f"{last} ({before})"
    return label


def plural_of(label: str) -> str:
    """A label for several, if it is a usual English word for one, which others may not be.

    >>> plural_of("library"), plural_of("media type"), plural_of("people"), plural_of("bezirk")
    ('libraries', 'media types', 'people', 'bezirk')
    """
    before, space, last = label.rpartition(" ")
    if last in _PLURALS:
        return before + space + _PLURALS[last]
    if not (_names().keys() & {label, last}) or last.endswith("s"):
        return label
    if re.search("[^aeiou]y$", last):
        return f"{label[:-1]}ies"
    return f"{label}es" if re.search("(?:x|ch|sh)$", last) else f"{label}s"


def _known(label: str) -> str:
    names = _names()
    if name := names.get(label):
        return name.single
    before, space, last = label.rpartition(" ")
    name = names.get(f"{before}{space}{singular(last)}")
    return name.many if name else ""


@cache
def _names() -> dict[str, _Name]:
    tree = read_tree(Path(__file__).parent / _FILE, _FILE)
    assert tree is not None  # a file of the package
    content = value_of(tree)
    assert isinstance(content, dict)
    return {
        english: _Name(*map(str, german)) if isinstance(german, list) else _Name(str(german), str(german))
        for english, german in content.items()
    }  # fmt: skip
