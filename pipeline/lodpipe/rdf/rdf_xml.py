"""RDF/XML of a few triples, thousands of times: the library is asked once how it writes each property,
class and head, and documents are joined from that. In goes

    <https://a.example/x> <https://schema.org/name> "A & B"@en .

and what is remembered is the element around the text:

    ("\\t\\t<schema:name xml:lang=\\"en\\">", "</schema:name>\\n")
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import pyoxigraph as ox

from lodpipe.rdf.terms import TYPE, Triple, unescape

_SPECIAL = re.compile("[&<>\"']")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_SUBJECT, _MARK = "urn:lodpipe:subject", "urn:lodpipe:mark"
_OTHER = "<urn:lodpipe:other> <urn:lodpipe:other>"


class RdfXml:
    """Writes documents with these prefixes, as pyoxigraph writes them."""

    def __init__(self, prefixes: Iterable[tuple[str, str]]) -> None:
        self._prefixes = dict(sorted(prefixes))
        self._marks = [(name, f"<{namespace}") for name, namespace in self._prefixes.items()]
        self._frames: dict[tuple[str, ...], tuple[str, str]] = {}
        self._elements: dict[tuple[str, str], tuple[str, str]] = {}
        self._nodes: dict[str, tuple[str, str, str]] = {}

    def document(self, triples: Sequence[Triple], ntriples: str) -> bytes:
        """The document of triples sorted by subject, which are given as N-Triples as well."""
        used = tuple([name for name, mark in self._marks if mark in ntriples])
        if "_:" in ntriples:  # a blank node, or a text that looks like one
            return self._written(ntriples, used).encode()
        start, end = self._frame(used)
        parts = [start]
        for subject, rows in groupby(triples, key=itemgetter(0)):
            self._put_node(parts, subject, [row[1:] for row in rows])
        parts.append(end)
        return "".join(parts).encode()

    def _put_node(self, parts: list[str], subject: str, rows: list[tuple[str, str]]) -> None:
        """An element of a subject; a class in its first row is the name of the element."""
        is_typed = rows[0][0] == TYPE
        before, behind, close = self._node(rows[0][1] if is_typed else "")
        parts += (before, _escaped(subject[1:-1]), behind)
        for predicate, value in rows[1:] if is_typed else rows:
            if value[0] == "<":
                start, end = self._element(predicate, "<")
                text = value[1:-1]
            else:
                text, _, ending = value[1:].rpartition('"')
                start, end = self._element(predicate, ending)
                text = unescape(text)
            parts += (start, _escaped(text), end)
        parts.append(close)

    # -- what the library is asked once ------------------------------------------------------------

    def _frame(self, used: tuple[str, ...]) -> tuple[str, str]:
        """What is around all nodes."""
        frame = self._frames.get(used)
        if frame is None:
            start, end, rest = self._written("", used).partition("</rdf:RDF>")
            frame = self._frames[used] = start, end + rest
        return frame

    def _node(self, class_: str) -> tuple[str, str, str]:
        """What is before and behind the IRI of a node of a class (or none), and after its content."""
        node = self._nodes.get(class_)
        if node is None:
            start, *_, end = self._lines(f"{TYPE} {class_}" if class_ else _OTHER)
            before, _, behind = start.partition(_SUBJECT)
            node = self._nodes[class_] = before, behind, end
        return node

    def _element(self, predicate: str, ending: str) -> tuple[str, str]:
        """What is around a value of a property: an IRI (`<`), or a literal with what follows its quotes
        in N-Triples.
        """
        element = self._elements.get((predicate, ending))
        if element is None:
            value = f"<{_MARK}>" if ending == "<" else f'"{_MARK}"{ending}'
            # Behind another property: the first `rdf:type` is no element of its own.
            lines = self._lines(_OTHER, f"{predicate} {value}")
            before, _, behind = lines[-2].partition(_MARK)
            element = self._elements[predicate, ending] = before, behind
        return element

    def _lines(self, *rows: str) -> list[str]:
        """The lines of a node: where it begins, its properties, where it ends."""
        names = tuple(self._prefixes)
        start, end = self._frame(names)
        text = self._written("".join(f"<{_SUBJECT}> {row} .\n" for row in rows), names)
        return text.removeprefix(start).removesuffix(end).splitlines(keepends=True)

    def _written(self, ntriples: str, used: tuple[str, ...]) -> str:
        prefixes = {name: self._prefixes[name] for name in used}
        parsed = (quad.triple for quad in ox.parse(ntriples, format=ox.RdfFormat.N_TRIPLES))
        written = ox.serialize(parsed, format=ox.RdfFormat.RDF_XML, prefixes=prefixes)
        assert written is not None  # no file was given
        return written.decode()


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text
