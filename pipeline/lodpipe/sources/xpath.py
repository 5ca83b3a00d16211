"""XPath 1.0 paths of XML files: what is wrong with one, and which can be followed while a file is read.

An iterator that is a plain location path is followed without holding the file: each element that it
leads to is complete when its end tag is read. References that look further than their record
decide how much has to be held:

| reference | held |
|---|---|
| `name`, `@id`, `address/city`, `count(tag)`, `../../@id` | the record; ancestors have their attributes |
| `../name` | the parent of the record with all that it holds |
| `/catalogue/title`, `ancestor::list/name`, `preceding::item` | the whole document |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from lodpipe.sources.jsonpath import PathError

if TYPE_CHECKING:
    from lxml import etree

Namespaces = tuple[tuple[str, str], ...]
"""Prefixes of paths with the namespaces that they are short for."""

_NAME = r"[^\W\d][\w.-]*"
_TEST = rf"(?:{_NAME}:)?(?:{_NAME}|\*)"
_STEP = re.compile(rf"(?P<slashes>//?)(?P<test>{_TEST})(?P<predicates>(?:\[[^\[\]]*\])*)")
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_ABSOLUTE = re.compile(r"(?:^|[(\[,|=<>+*!\s-])\s*/")
_AXIS = re.compile(rf"({_NAME})\s*::")
_DOWNWARD = {"child", "descendant", "descendant-or-self", "attribute", "self"}
_OF_ANCESTOR = re.compile(rf"(?:\.\./)+@{_TEST}")
# A condition on the record itself that no position takes part in.
_OPERAND = rf"(?:@?{_TEST}(?:/@?{_TEST})*|\.)"
_CONDITION = rf"{_OPERAND}(?:\s*(?:=|!=|<=?|>=?)\s*(?:''|[0-9.]+))?"
_CONDITIONS = re.compile(rf"\s*{_CONDITION}(?:\s+(?:and|or)\s+{_CONDITION})*\s*")
_PREFIXES = re.compile(rf"({_NAME}):(?!:)(?={_NAME}|\*)")
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class RecordPath(str):
    """An XPath to elements, and what is read in each of them: XPaths, and again records.

    As a text it differs from all others. What it gives is a JSON object with a list of texts, or of
    objects, for the number of each reference.
    """

    path: str
    references: tuple[str, ...]
    namespaces: Namespaces

    @classmethod
    def of(cls, path: str, references: Iterable[str], namespaces: Namespaces) -> RecordPath:
        """The path of some records."""
        references = tuple(references)
        record = cls(f"{path} {{{' '.join(references)}}} {namespaces}")
        record.path, record.references, record.namespaces = path, references, namespaces
        return record


def plain_paths(references: Iterable[str]) -> Iterator[str]:
    """The XPaths of references, those in records from the record on that has these."""
    for reference in references:
        if isinstance(reference, RecordPath):
            yield reference.path
            for inner in plain_paths(reference.references):
                yield inner if inner.startswith("/") else f"{reference.path}/{inner}"
        else:
            yield reference


class StreamedPath(Struct, frozen=True):
    """How the records of a path are found while a file is read.

    `tag` is that of the elements to wait for, `pattern` matches the tags of one and its ancestors,
    each behind a line break, and `records` leads from it to its records.
    """

    tag: str
    pattern: re.Pattern[str]
    records: str


def expression(path: str, namespaces: Namespaces) -> etree.XPath:
    """A path, ready to be followed. Raises PathError where it is no XPath 1.0, or has a prefix
    that stands for nothing.
    """
    from lxml import etree

    try:
        compiled = etree.XPath(
            path, namespaces=dict(namespaces) or None, regexp=False, smart_strings=False
        )
        compiled(etree.Element("x"))  # prefixes and functions are looked up when a path is followed
    except etree.XPathError as error:
        raise PathError(_explained(path, str(error), namespaces)) from None
    return compiled


@lru_cache(maxsize=1024)
def check(path: str, namespaces: Namespaces = ()) -> None:
    """Raises PathError where a path cannot be followed."""
    expression(path, namespaces)


def _explained(path: str, detail: str, namespaces: Namespaces) -> str:
    known = {"xml", *dict(namespaces)}
    unknown = [prefix for prefix in _PREFIXES.findall(_plain(path)) if prefix not in known]
    if unknown:
        return (
            f"XPath `{path}`: the prefix `{unknown[0]}` has no namespace; declare it with "
            "`rml:namespace`"
        )
    return f"XPath `{path}` cannot be followed: {detail}"


def absolute(iterator: str) -> str:
    """An iterator from the root of the document, also where it does not say so."""
    return iterator if re.match(r"[/(]|\w[\w-]*\(", iterator) else f"/{iterator}"


def streamed(
    iterator: str, references: Iterable[str], namespaces: Namespaces
) -> StreamedPath | None:
    """How to follow an iterator while the file is read; None where that needs the whole file.

    >>> streamed("/places/place", ["name", "../@id"], ()).tag
    'place'
    >>> streamed("/places/place", ["name", "../../name"], ()) is None
    True
    """
    steps = _steps(absolute(iterator), namespaces)
    climbs = [_climbed(reference) for reference in plain_paths(references)]
    if steps is None or None in climbs:
        return None
    levels = max((climb for climb in climbs if climb is not None), default=0)
    if levels >= len(steps) or any(slashes == "//" for slashes, *_ in steps[len(steps) - levels :]):
        return None
    held, below = steps[: len(steps) - levels], steps[len(steps) - levels :]
    own = "" if levels else held[-1][3]
    records = "".join(f"/{test}{condition}" for _, test, _, condition in below)
    pattern = "".join(
        (r"(?:\n[^\n]+)*" if slashes == "//" else "") + r"\n" + _tag_pattern(tag)
        for slashes, _, tag, _ in held
    )
    if any(condition for *_, condition in held[: None if levels else -1]):
        return None
    if [slashes for slashes, *_ in held] == ["/"]:
        return None  # the root of the document, which holds all of it
    return StreamedPath(held[-1][2], re.compile(pattern), f"self::*{own}{records}")


def _tag_pattern(tag: str) -> str:
    if not tag.endswith("*"):
        return re.escape(tag)
    return r"[^\n]+" if tag == "*" else re.escape(tag[:-1]) + r"[^\n}]+"


def _steps(path: str, namespaces: Namespaces) -> list[tuple[str, str, str, str]] | None:
    """The steps of a plain path: slashes, name test, tag as lxml writes it, condition."""
    steps = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        predicates = re.findall(r"\[([^\[\]]*)\]", match["predicates"])
        if not all(_CONDITIONS.fullmatch(_plain(item)) for item in predicates):
            return None
        tag = tag_of(match["test"], namespaces)
        steps.append((match["slashes"], match["test"], tag, match["predicates"]))
        at = match.end()
    return steps or None


def tag_of(test: str, namespaces: Namespaces) -> str:
    """The name of an element or attribute as lxml writes it.

    >>> tag_of("gml:pos", (("gml", "http://www.opengis.net/gml"),)), tag_of("name", ())
    ('{http://www.opengis.net/gml}pos', 'name')
    """
    prefix, colon, name = test.rpartition(":")
    known = {"xml": XML_NAMESPACE, **dict(namespaces)}
    return f"{{{known.get(prefix, '')}}}{name}" if colon else name


def _plain(path: str) -> str:
    """A path without its texts, which may look like anything."""
    return _TEXT.sub("''", path)


def _climbed(reference: str) -> int | None:
    """How many levels above its record a reference may look; None where it may look anywhere."""
    path = _plain(reference)
    if _OF_ANCESTOR.fullmatch(path):
        return 0
    if _ABSOLUTE.search(path) or any(axis not in _DOWNWARD for axis in _AXIS.findall(path)):
        return None
    return path.count("..")
