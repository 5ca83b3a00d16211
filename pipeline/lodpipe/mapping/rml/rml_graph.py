"""The graph of a mapping file: nodes with lines, and the reading of their values with a finding for each
that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import pyoxigraph as ox

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, invalid_rdf
from lodpipe.mapping.rml.rml_vocabulary import KNOWN, property_name, written

T = TypeVar("T")


@dataclass(frozen=True)
class Value:
    """One statement about a node: its property as messages write it, its object, and its line."""

    written: str
    term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
    line: int

    @property
    def text(self) -> str:
        return str(self.term) if isinstance(self.term, ox.Triple) else self.term.value


@dataclass
class Node:
    """A subject of the graph: its values under the names of their properties, and its first line."""

    term: ox.NamedNode | ox.BlankNode | ox.Triple
    line: int
    items: dict[str, list[Value]] = field(default_factory=dict)

    def all(self, *names: str) -> list[Value]:
        """The values of some properties, in the order of their lines."""
        return sorted(
            (value for name in names for value in self.items.get(name, ())),
            key=lambda item: item.line,
        )


class _Lines:
    """A file that gives one line at each read, so that the parser has read no further than the
    statement it yields.
    """

    def __init__(self, data: bytes) -> None:
        self.lines = data.split(b"\n")
        self.number = 0
        self.rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self.rest and self.number < len(self.lines):
            self.rest = self.lines[self.number] + (
                b"\n" if self.number + 1 < len(self.lines) else b" "
            )
            self.number += 1
        size = len(self.rest) if size < 0 else size
        chunk, self.rest = self.rest[:size], self.rest[size:]
        return chunk

    def line_of(self, term: object) -> int:
        """The line on which a statement's object begins; a literal is known to be complete only at
        the token behind it.
        """
        number = self.number
        if isinstance(term, ox.Literal):
            while number > 1 and self.lines[number - 1].lstrip()[:1] in (
                b"",
                b"]",
                b";",
                b",",
                b".",
                b"#",
            ):
                number -= 1
            number -= term.value.count("\n")
        return max(number, 1)


def parse(data: bytes, name: str, base: str) -> tuple[dict[object, Node], dict[str, str]]:
    """The nodes of the graph in their order of appearance as subjects, and the prefixes. Raises
    InvalidDeclaration (LP603).
    """
    lines = _Lines(data)
    nodes: dict[object, Node] = {}
    seen: set[tuple[str, str, str]] = set()
    try:
        parser = ox.parse(lines, format=ox.RdfFormat.TURTLE, base_iri=base)  # type: ignore[arg-type]  # read() is all it calls
        for quad in parser:
            subject, predicate, term = quad.subject, quad.predicate, quad.object
            line = lines.line_of(term)
            node = nodes.setdefault(subject, Node(subject, line))
            node.line = min(node.line, line)
            key = (str(subject), str(predicate), str(term))
            if key not in seen:  # a graph is a set
                seen.add(key)
                node.items.setdefault(property_name(predicate.value), []).append(
                    Value(written(predicate.value), term, line)
                )
    except SyntaxError as error:
        raise InvalidDeclaration([invalid_rdf(name, "Turtle", error)]) from None
    return nodes, dict(parser.prefixes)


class Wrong(Exception):
    """Stops reading one part of the mapping; the finding is already noted."""


class GraphReader:
    """Reads values of nodes; notes a finding (LP602) for each that is wrong.

    `misspelt` are nodes with a property that does not exist, or is not supported: what they lack is
    no finding of its own. `warnings` do not stop the mapping.
    """

    def __init__(
        self,
        file: str,
        nodes: dict[object, Node],
        prefixes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.file, self.nodes = file, nodes
        self.prefixes = {prefix: address for prefix, address in prefixes.items() if prefix}
        self.misspelt: set[object] = set()
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []

    def origin(self, line: int) -> Origin:
        return Origin(self.file, line)

    def wrong(self, line: int, detail: str) -> Wrong:
        self.findings.append(Finding("LP602", self.origin(line), {"detail": detail}))
        return Wrong()

    def each(self, values: Iterable[Value], read: Callable[[Value], T]) -> tuple[T, ...]:
        """What can be read of some values; the findings on the others are noted."""
        return tuple(item for value in values for item in self.attempt(read, value))

    def attempt(self, read: Callable[[Value], T], value: Value) -> Iterator[T]:
        try:
            yield read(value)
        except Wrong:
            return

    def single(self, node: Node, what: str, *names: str) -> Value | None:
        """The only value of some properties that exclude each other, if there is one."""
        values = node.all(*names)
        if len(values) > 1:
            raise self.wrong(
                values[1].line,
                f"{what} has {' and '.join(f'`{value.written}`' for value in values)}; only one can be",
            )
        return values[0] if values else None

    def node(self, value: Value, what: str) -> Node:
        """The node that a value names."""
        if isinstance(value.term, ox.Literal | ox.Triple):
            raise self.wrong(value.line, f"`{value.written}` names {what}, not a value")
        if value.term not in self.nodes:
            raise self.wrong(
                value.line,
                f"`{value.written}`: there are no statements about {what} {rendered(value.term)}",
            )
        return self.nodes[value.term]

    def text(self, value: Value) -> str:
        if not isinstance(value.term, ox.Literal):
            raise self.wrong(value.line, f"`{value.written}` is a text")
        return value.text

    def iri(self, value: Value) -> str:
        if not isinstance(value.term, ox.NamedNode):
            raise self.wrong(
                value.line, f"`{value.written}` is an IRI, found {rendered(value.term)}"
            )
        return value.text

    def optional_text(self, node: Node, what: str, *names: str) -> str | None:
        value = self.single(node, what, *names)
        return None if value is None else self.text(value)

    def only(self, node: Node, what: str, allowed: set[str]) -> None:
        """Notes properties of the wrong node."""
        for name, values in node.items.items():
            if name in KNOWN and name not in allowed:
                self.wrong(values[0].line, f"`{values[0].written}` does not belong to {what}")

    def no(self, node: Node, what: str, *names: str) -> None:
        for value in node.all(*names):
            self.wrong(value.line, f"{what} has no `{value.written}`")


def rendered(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    """A term for a message; a blank node has no name that its author would know."""
    if isinstance(term, ox.BlankNode):
        return "(a blank node)"
    return f"`{written(term.value)}`" if isinstance(term, ox.NamedNode) else f"`{term}`"
