"""Reads XML files record by record: what an iterator leads to, the texts under references, lines.

A file is read in chunks. After each, the records that are complete are handed out, and all that
precedes the open elements is removed, so that a file of any size needs the memory of a few chunks.
Where a path needs the whole document (xpath.py), it is held, up to a limit on its size.

Nothing outside of the file is read: no DTD, no external entity, no address. Entities that the file
defines itself are text; a file that multiplies them is refused by libxml2's own limit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, LodpipeError, Origin, Severity
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.readers import file_limit, unreadable
from lodpipe.sources import xpath
from lodpipe.sources.record_tables import ROW_BITS
from lodpipe.sources.xpath import Namespaces, RecordPath, StreamedPath

if TYPE_CHECKING:
    from lxml import etree

_CHUNK = 1 << 19  # bytes
_WHOLE = 100_000_000  # bytes of a document that is held, which takes twenty times as many
_SEEN = 100  # records that a suggestion looks at
_LAST_LINE = 65_535  # above it libxml2 knows the line on which a text ends
_ENTITY_LOOP, _RESOURCE_LIMIT = 89, 114  # libxml2's numbers of these errors
_SIMPLE = re.compile(r"(?!.*::)(?:\./)?((?:[^\W\d][\w.:-]*/)*)(@?[^\W\d][\w.:-]*)")


class XmlFile(Struct, frozen=True):
    """An XML file with the path to its records; `encoding` overrides what the file declares."""

    path: Path
    name: str
    iterator: str
    namespaces: Namespaces = ()
    encoding: str | None = None

    def records(self, references: Iterable[str]) -> Iterator[etree._Element]:
        """Each record in the order of the file, in which these references can be followed until
        the next one is asked for. Raises InvalidData.
        """
        streamed = xpath.streamed(self.iterator, references, self.namespaces)
        if streamed is None:
            return self._all_records()
        return self._streamed_records(streamed)

    def _streamed_records(self, streamed: StreamedPath) -> Iterator[etree._Element]:
        from lxml import etree

        root = self.tree(1).getroot().tag  # its start is where removal begins
        parser = self._parser(("start", "end"), (root, streamed.tag))
        finder = _Finder(streamed, xpath.expression(streamed.records, self.namespaces))
        try:
            for chunk in self._chunks():
                parser.feed(chunk)
                yield from finder.records(parser.read_events())
                finder.forget()
            parser.close()
            yield from finder.records(parser.read_events())
        except etree.XMLSyntaxError as error:
            raise self._invalid(error) from None

    def _all_records(self) -> Iterator[etree._Element]:
        iterator = xpath.expression(xpath.absolute(self.iterator), self.namespaces)
        items = iterator(self.tree())
        if isinstance(items, list):
            yield from (item for item in items if hasattr(item, "tag"))

    def tree(self, most: int | None = None) -> etree._ElementTree:
        """The whole document, or what the first bytes of it hold. Raises InvalidData."""
        from lxml import etree

        limit = min(file_limit(), _WHOLE)
        if most is None and self.path.stat().st_size > limit:
            detail = f"`{self.iterator}` and its references need the whole document: size"
            words = {"detail": detail, "limit": f"{limit:,} bytes"}
            raise InvalidData([Finding("LP104", Origin(self.name), words)])
        parser = self._parser(("start",), ())
        try:
            read = 0
            for chunk in self._chunks():
                parser.feed(chunk)
                read += len(chunk)
                if most is not None and read >= most:
                    _, root = next(iter(parser.read_events()))
                    return root.getroottree()
            return parser.close().getroottree()
        except etree.XMLSyntaxError as error:
            raise self._invalid(error) from None

    def _parser(self, events: tuple[str, ...], tags: tuple[str, ...]) -> Any:
        from lxml import etree

        return etree.XMLPullParser(
            events=events,
            tag=tags or None,
            encoding=self.encoding,
            resolve_entities="internal",
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        )

    def _chunks(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except OSError as error:
            raise unreadable(self.name, error) from None

    def _invalid(self, error: etree.XMLSyntaxError) -> InvalidData:
        """What libxml2 found wrong, at its line."""
        line, column = error.position
        message = re.sub(r"(, see [\w ]+\.)?(, line \d+, column \d+)?$", "", error.msg or "")
        origin = Origin(self.name, line, column)
        if error.code == _ENTITY_LOOP or "entity amplification" in message:
            words = {"detail": "entities within entities", "limit": "what a file may unfold"}
            return InvalidData([Finding("LP104", origin, words)])
        if error.code == _RESOURCE_LIMIT or "XML_PARSE_HUGE" in message:
            detail = re.sub(r"[:,]? *(try|use) .*", "", message, flags=re.IGNORECASE)
            words = {"detail": detail, "limit": "the XML reader (10 MB of text, 256 levels)"}
            return InvalidData([Finding("LP104", origin, words)])
        entity = re.match(r"Entity '(.*)' not defined", message)
        if entity:
            message = (
                f"the entity `{entity[1]}` is not defined in the file; DTDs and entities in other "
                "files are not read"
            )
        return InvalidData([Finding("LP102", origin, {"format": "XML", "detail": message})])


class _Finder:
    """Finds the records among the elements that a parser has completed."""

    def __init__(self, streamed: StreamedPath, records: etree.XPath) -> None:
        self._pattern, self._records = streamed.pattern, records
        self._is_plain = streamed.records == "self::*"
        self._tag = streamed.tag
        self._nests = "(?:" in streamed.pattern.pattern
        self._parent: etree._Element | None = None  # of the last element that was looked at
        self._root: etree._Element | None = None
        self._above, self._is_below = "", False

    def records(self, events: Iterable[tuple[str, etree._Element]]) -> Iterator[etree._Element]:
        """The records of complete elements; of elements within each other those of the outermost,
        in the order of the file.
        """
        for event, element in events:
            if self._root is None:
                self._root = element
            if event == "start" or not self._is_wanted(element):
                continue
            for item in self._units(element):
                if self._is_plain:
                    yield item
                else:
                    yield from self._records(item)

    def _units(self, element: etree._Element) -> list[etree._Element]:
        """The element with those in it that are found by the same path."""
        if not self._nests:
            return [element]
        return [item for item in element.iter(self._tag) if self._matches(item)]

    def _is_wanted(self, element: etree._Element) -> bool:
        parent = element.getparent()
        if parent is None or parent is not self._parent:
            self._parent = parent
            self._above = _path(parent)
            self._is_below = self._nests and any(
                self._matches(ancestor) for ancestor in element.iterancestors(self._tag)
            )
        is_match = self._pattern.fullmatch(f"{self._above}\n{element.tag}") is not None
        return is_match and not self._is_below

    def _matches(self, element: etree._Element) -> bool:
        return self._pattern.fullmatch(_path(element)) is not None

    def forget(self) -> None:
        """Removes what precedes the open elements, down to one that may be handed out."""
        element, path = self._root, ""
        while element is not None and len(element):
            path = f"{path}\n{element.tag}"
            if self._pattern.fullmatch(path):
                return
            del element[:-1]
            element = element[0]


def _path(element: etree._Element | None) -> str:
    """The tags of an element's ancestors and its own, each behind a line break."""
    tags = []
    while element is not None:
        tags.append(str(element.tag))
        element = element.getparent()
    return "".join(f"\n{tag}" for tag in reversed(tags))


# -- the texts of a record ---------------------------------------------------------------------


@dataclass
class _Place:
    """What references want of an element: its text, some attributes, elements below it."""

    texts: list[int] = field(default_factory=list)
    attributes: list[tuple[str, int]] = field(default_factory=list)
    below: dict[str, _Place] = field(default_factory=dict)


class Texts:
    """Follows references from records. Raises PathError for what is no XPath.

    Paths of names are followed together in one walk over the record, the others one by one.
    """

    def __init__(self, references: Iterable[str], namespaces: Namespaces) -> None:
        self._root = _Place()
        self._others: list[tuple[int, Callable[[etree._Element], Any]]] = []
        self._records: dict[int, RecordPath] = {}
        self._count = 0
        for number, reference in enumerate(references):
            self._count += 1
            if isinstance(reference, RecordPath):
                self._others.append((number, _Records(reference)))
                self._records[number] = reference
                continue
            path = xpath.expression(reference, namespaces)
            match = _SIMPLE.fullmatch(reference)
            if match is None:
                self._others.append((number, path))
                continue
            place = self._root
            for step in match[1].split("/")[:-1]:
                place = place.below.setdefault(xpath.tag_of(step, namespaces), _Place())
            if match[2].startswith("@"):
                place.attributes.append((xpath.tag_of(match[2][1:], namespaces), number))
            else:
                tag = xpath.tag_of(match[2], namespaces)
                place.below.setdefault(tag, _Place()).texts.append(number)
        self._string = xpath.expression("string()", ())

    def of(self, record: etree._Element) -> list[list[str]]:
        """The texts that each reference leads to."""
        values: list[list[str]] = [[] for _ in range(self._count)]
        self._collect(record, self._root, values)
        for number, path in self._others:
            values[number] = self._listed(path(record))
        return values

    def lists_of(self, record: etree._Element) -> dict[str, list[Any]]:
        """The same by the numbers of references, with what is read in records as objects."""
        lists: dict[str, list[Any]] = {}
        for number, texts in enumerate(self.of(record)):
            records = self._records.get(number)
            lists[str(number)] = [json.loads(item) for item in texts] if records else list(texts)
        return lists

    def _collect(self, element: etree._Element, place: _Place, values: list[list[str]]) -> None:
        for name, number in place.attributes:
            value = element.get(name)
            if value is not None:
                values[number].append(value)
        if not place.below:
            return
        for child in element:
            wanted = place.below.get(child.tag)
            if wanted is None:
                continue
            if wanted.texts:
                text = self._text(child)
                for number in wanted.texts:
                    values[number].append(text)
            if wanted.below or wanted.attributes:
                self._collect(child, wanted, values)

    def _text(self, element: etree._Element) -> str:
        return (element.text or "") if not len(element) else self._string(element)

    def _listed(self, result: Any) -> list[str]:
        if isinstance(result, list):
            return [self._text(item) if hasattr(item, "tag") else str(item) for item in result]
        return [_spelled(result)]


class _Records:
    """Reads records within a record, each as a JSON object."""

    def __init__(self, reference: RecordPath) -> None:
        self._path = xpath.expression(reference.path, reference.namespaces)
        self._texts = Texts(reference.references, reference.namespaces)

    def __call__(self, record: etree._Element) -> list[str]:
        items = self._path(record)
        elements = items if isinstance(items, list) else []
        return [
            json.dumps(self._texts.lists_of(item), ensure_ascii=False)
            for item in elements
            if hasattr(item, "tag")
        ]


def _spelled(value: str | float | bool) -> str:
    """A value as XPath's string() writes it.

    >>> _spelled(3.0), _spelled(True), _spelled(float("inf"))
    ('3', 'true', 'Infinity')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        return str(int(value)) if value.is_integer() else repr(value)
    return value


# -- places ------------------------------------------------------------------------------------


@dataclass
class XmlTable:
    """An XML file as a table of records."""

    file: XmlFile
    number: int
    origin: Origin
    references: tuple[str, ...] = ()
    _reading: tuple[int, Iterator[etree._Element], etree._Element] | None = None

    @property
    def name(self) -> str:
        """The name of the file in findings."""
        return self.file.name

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The line of a record, or of the element that a reference leads to.

        Records that are asked for in order are found in one pass over the file.
        """
        row = record & ((1 << ROW_BITS) - 1)
        try:
            element = self._element(row)
            if column is not None:
                items = xpath.expression(column, self.file.namespaces)(element)
                first = items[0] if isinstance(items, list) and items else None
                element = first if hasattr(first, "tag") else element
        except LodpipeError:
            return Origin(self.name)
        except StopIteration:
            return Origin(self.name)
        return Origin(self.name, line_of(element))

    def _element(self, row: int) -> etree._Element:
        if self._reading is None or self._reading[0] > row:
            records = self.file.records(self.references)
            self._reading = (0, records, next(records))
        at, records, element = self._reading
        while at < row:
            element, at = next(records), at + 1
        self._reading = (at, records, element)
        return element

    def unfollowed(self) -> Iterator[Finding]:
        """The finding for an iterator that leads to no record."""
        words = {"iterator": self.file.iterator, "file": self.name, "suggestion": ""}
        words["suggestion"] = self._better_iterator()
        yield Finding("LP309", self.origin, words, Severity.WARNING)

    def _better_iterator(self) -> str:
        """The iterator with the first name that leads nowhere replaced by a similar one; with a
        prefix where the name is in a namespace.
        """
        tree = self.file.tree(_CHUNK)
        below_root = f"/*{xpath.absolute(self.file.iterator)}"
        if xpath.expression(below_root, self.file.namespaces)(tree):
            return below_root
        path = ""
        for match in re.finditer(r"//?[^/\[]+(\[[^\]]*\])*", xpath.absolute(self.file.iterator)):
            path += match[0]
            if xpath.expression(path, self.file.namespaces)(tree):
                continue
            above = path[: -len(match[0])]
            parents = xpath.expression(above, self.file.namespaces)(tree) if above else []
            elements = (
                (child for parent in parents for child in parent) if above else [tree.getroot()]
            )
            names = {_written(element, self.file.namespaces): element for element in elements}
            wanted = match[0].strip("/").partition("[")[0]
            local = {name.rpartition(":")[2]: name for name in names}
            near = local.get(wanted.rpartition(":")[2]) or nearest(wanted, sorted(names))
            if not near:
                return ""
            better = self.file.iterator.replace(wanted, near, 1)
            return better + _undeclared(names[near], self.file.namespaces)
        return ""

    def suggestion(self, reference: str) -> str:
        """A child or attribute of the first records that an unknown reference may be a typo of."""
        names: set[str] = set()
        for number, record in enumerate(self.file.records(self.references)):
            names |= {_written(child, self.file.namespaces) for child in record}
            names |= {f"@{name}" for name in record.keys() if "{" not in str(name)}  # noqa: SIM118
            if number == _SEEN:
                break
        local = {name.rpartition(":")[2]: name for name in names}
        reference = reference.path if isinstance(reference, RecordPath) else reference
        return local.get(reference.rpartition(":")[2]) or nearest(reference, sorted(names))


def _written(element: etree._Element, namespaces: Namespaces) -> str:
    """The name of an element as a path has it: with a declared prefix, else with its own."""
    namespace, _, name = str(element.tag).rpartition("}")
    if not namespace:
        return name
    prefixes = {uri: prefix for prefix, uri in namespaces}
    return f"{prefixes.get(namespace[1:]) or element.prefix or 'prefix'}:{name}"


def _undeclared(element: etree._Element, namespaces: Namespaces) -> str:
    """What a suggestion says of a namespace that the mapping does not declare."""
    namespace = str(element.tag).rpartition("}")[0][1:]
    is_known = not namespace or namespace in dict(namespaces).values()
    return "" if is_known else f"` with `rml:namespaceURL` `{namespace}"


def line_of(element: etree._Element) -> int:
    """The line on which an element begins."""
    line = int(element.sourceline or 0)
    return line - (element.text or "").count("\n") if line >= _LAST_LINE else line
