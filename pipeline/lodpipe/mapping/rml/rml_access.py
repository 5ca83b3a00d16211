"""Reads how the file of a source is written and where it is: RML-IO's rml:Source and rml:FilePath,
and the dialects of CSV on the Web (https://www.w3.org/TR/tabular-metadata/, 5.9).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pyoxigraph as ox

from lodpipe.documents.csv_dialect import Dialect, Trim
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, rendered
from lodpipe.mapping.rml.rml_vocabulary import split_iri
from lodpipe.sources.access import WORKING_DIRECTORY, Access, Compression, dialect_of, encoding_name

T = TypeVar("T")
_COMPRESSIONS: tuple[Compression, ...] = ("none", "gzip", "zip", "targz", "tarxz")
_TRIMS: dict[str, Trim] = {"true": "both", "1": "both", "false": "none", "0": "none", "start": "start", "end": "end"}  # fmt: skip
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class AccessReader:
    """Reads the nodes of sources and of dialects."""

    def __init__(self, graph: GraphReader) -> None:
        self.graph = graph
        self.wrong, self.single, self.text = graph.wrong, graph.single, graph.text

    def access(self, path: str, *nodes: Node) -> tuple[str, Access]:
        """The path of a file below its root, and the access to it that some nodes describe; the
        first that says something counts. Files whose names end in .tsv or .tab have tabs unless a
        dialect says otherwise.
        """
        dialects = [value for node in nodes for value in node.all("csvw:dialect")][:1]
        dialect, encoding = dialect_of(path), None
        for value in dialects:
            dialect, encoding = self.dialect(self.graph.node(value, "a dialect"))
        for word in self.first(nodes, "encoding", self.encoding):
            encoding = word
        compression = next(iter(self.first(nodes, "compression", self.compression)), None)
        root = next(iter(self.first(nodes, "root", self.root)), "")
        if root not in ("", WORKING_DIRECTORY):
            path, root = f"{root.rstrip('/')}/{path}", ""
        return path, Access(encoding, compression, dialect, root)

    def first(
        self, nodes: tuple[Node, ...], name: str, read: Callable[[Value], T]
    ) -> tuple[T, ...]:
        """What the first node says that has a property, if it can be read."""
        values = [value for node in nodes if (value := self.single(node, "a source", name))]
        return self.graph.each(values[:1], read)

    def encoding(self, value: Value) -> str:
        """The name that Python has for an encoding."""
        word = split_iri(value.text)[1]
        is_misspelt = isinstance(value.term, ox.NamedNode) and word != word.upper()
        name = None if is_misspelt else encoding_name(word)
        if name is None:
            raise self.wrong(
                value.line,
                f"encoding {rendered(value.term)} is not known; `rml:UTF-8` and `rml:UTF-16` are, "
                "and other names of encodings",
            )
        return name

    def compression(self, value: Value) -> Compression:
        """A compression."""
        _, word = split_iri(value.text)
        for compression in _COMPRESSIONS:
            if word == compression:
                return compression
        known = ", ".join(f"`rml:{item}`" for item in _COMPRESSIONS)
        raise self.wrong(
            value.line, f"compression {rendered(value.term)} is not supported; {known} are"
        )

    def root(self, value: Value) -> str:
        """What the path of a file is relative to: a folder, or what `Access` has for it."""
        if isinstance(value.term, ox.Literal):
            return value.text
        _, word = split_iri(value.text)
        if word not in ("MappingDirectory", "CurrentWorkingDirectory"):
            raise self.wrong(
                value.line,
                f"root {rendered(value.term)} is not known; `rml:MappingDirectory`, "
                "`rml:CurrentWorkingDirectory` and texts are",
            )
        return "" if word == "MappingDirectory" else WORKING_DIRECTORY

    # -- dialects ----------------------------------------------------------------------------------

    def dialect(self, node: Node) -> tuple[Dialect, str | None]:
        """A dialect, and the encoding that it names."""
        changes: dict[str, Any] = {}
        encoding = None
        for name, values in node.items.items():
            prefix, _, word = name.partition(":")
            if prefix != "csvw" or word == "null":
                continue
            if word == "encoding":
                encoding = next(iter(self.graph.each(values[:1], self.encoding)), None)
            elif word in _DIALECT:
                for change in self.graph.each(values[:1], partial(_DIALECT[word], self)):
                    changes |= change
        quote = changes.get("quote", '"')
        if changes.pop("backslash", False):
            changes["escape"] = "\\"
        else:
            changes["escape"] = quote or '"'
        return Dialect(**changes), encoding

    def sign(self, value: Value, key: str) -> dict[str, Any]:
        """A single character."""
        sign = self.text(value)
        if len(sign) != 1 and not (key == "quote" and not sign):
            raise self.wrong(
                value.line, f"`{value.written}` is one character, found {rendered(value.term)}"
            )
        return {key: sign}

    def number(self, value: Value, key: str) -> dict[str, Any]:
        """A whole number from 0."""
        if not value.text.isdecimal():
            raise self.wrong(
                value.line, f"`{value.written}` is a number, found {rendered(value.term)}"
            )
        return {key: int(value.text)}

    def boolean(self, value: Value) -> bool:
        """A boolean."""
        if value.text not in _BOOLEANS:
            raise self.wrong(
                value.line, f"`{value.written}` is true or false, found {rendered(value.term)}"
            )
        return _BOOLEANS[value.text]

    def header(self, value: Value) -> dict[str, Any]:
        """Whether there is a header."""
        return {"header_rows": int(self.boolean(value))}

    def trim(self, value: Value) -> dict[str, Any]:
        """Which spaces around cells are none of their text."""
        if value.text not in _TRIMS:
            raise self.wrong(
                value.line,
                f"`{value.written}` is true, false, start or end, found {rendered(value.term)}",
            )
        return {"trim": _TRIMS[value.text]}

    def initial_space(self, value: Value) -> dict[str, Any]:
        """Whether spaces after a delimiter are none of the text."""
        return {"trim": "start"} if self.boolean(value) else {}

    def blank_rows(self, value: Value) -> dict[str, Any]:
        """Whether empty lines are rows: they have no values, so that it makes no difference."""
        self.boolean(value)
        return {}

    def line_ends(self, value: Value) -> dict[str, Any]:
        """The ends of lines, which are found without it."""
        if value.text.strip("\r\n"):
            raise self.wrong(
                value.line, f"`{value.written}` {rendered(value.term)} is not supported"
            )
        return {}


_DIALECT: dict[str, Callable[[AccessReader, Value], dict[str, Any]]] = {
    "delimiter": lambda reader, value: reader.sign(value, "delimiter"),
    "quoteChar": lambda reader, value: reader.sign(value, "quote"),
    "doubleQuote": lambda reader, value: {"backslash": not reader.boolean(value)},
    "header": AccessReader.header,
    "headerRowCount": lambda reader, value: reader.number(value, "header_rows"),
    "skipRows": lambda reader, value: reader.number(value, "skip_rows"),
    "skipColumns": lambda reader, value: reader.number(value, "skip_columns"),
    "commentPrefix": lambda reader, value: {"comment": reader.text(value)},
    "trim": AccessReader.trim,
    "skipInitialSpace": AccessReader.initial_space,
    "skipBlankRows": AccessReader.blank_rows,
    "lineTerminators": AccessReader.line_ends,
}
