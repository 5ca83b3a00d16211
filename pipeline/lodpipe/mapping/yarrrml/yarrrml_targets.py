"""Reads the targets of a YARRRML mapping: files only (https://rml.io/yarrrml/spec/#targets).

    targets:
      people: [people.ttl.gz~void, turtle, gzip]
      places: {access: places.nt, serialization: ntriples}

A term names them: `{value: ex:$(id), targets: people}`, or has one itself: `targets: [[a.nq~void]]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Sequence_
from typing import Protocol

from lodpipe.diagnostics.finding import Origin
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence
from lodpipe.mapping.logical_target import (
    COMPRESSIONS,
    ENCODINGS,
    FORMATS,
    LogicalTarget,
    TargetFormat,
    format_of,
)

_KEYS = ("access", "type", "serialization", "compression", "encoding")
_BEYOND = {
    "source": "a file for each value", "id": "a file for each value", "ldes": "an event stream (LDES)",
    "authentication": "an HTTP request", "headers": "an HTTP request", "methodName": "an HTTP request", "rel": "an HTTP request",
}  # fmt: skip
"""Keys of targets that are not supported, with what they ask for."""
_FILES = ("void", "dcat", "localfile", "file")


class TreeReader(Protocol):
    """Reads the nodes of a mapping, and notes a finding for each that is wrong."""

    def origin(self, node: Node) -> Origin:
        """The place of a node."""

    def wrong(self, node: Node, detail: str) -> Exception:
        """Notes a finding; the error ends the reading of a part."""

    def missing(self, node: Node, detail: str) -> Exception:
        """The same for a key that is missing."""

    def text(self, node: Node) -> str:
        """The text of a node."""

    def map(self, node: Node, what: str, allowed: Sequence_[str] = ()) -> dict[str, Node]:
        """The items of a map; keys that are not allowed are reported."""


class TargetReader:
    """Reads the targets that are declared by name, and those of terms."""

    def __init__(self, reader: TreeReader) -> None:
        self._reader, self._named = reader, dict[str, LogicalTarget | None]()

    def declare(self, name: str, node: Node) -> None:
        """Reads a target that terms name."""
        self._named[name] = None  # while it is wrong, no term is wrong for naming it
        self._named[name] = self._target(node)

    def of(self, items: dict[str, Node]) -> tuple[LogicalTarget, ...]:
        """The targets of a term map."""
        if "targets" not in items:
            return ()
        return tuple(
            dict.fromkeys(item for item in self._each(items["targets"]) if item is not None)
        )

    def _each(self, node: Node) -> Iterator[LogicalTarget | None]:
        if isinstance(node, Sequence) and not self._is_short(node):
            for item in node.items:
                yield from self._each(item)
        elif isinstance(node, Scalar):
            name = self._reader.text(node)
            if name not in self._named:
                near = did_you_mean(name, self._named)
                raise self._reader.wrong(node, f"there is no target `{name}`{near}")
            yield self._named[name]
        else:
            yield self._target(node)

    def _is_short(self, node: Sequence) -> bool:
        """Whether a list is a target, and no list of names."""
        first = node.items[0] if node.items else None
        return (
            isinstance(first, Scalar)
            and first.text not in self._named
            and any(mark in (first.text or "") for mark in "~./")
        )

    def _target(self, node: Node) -> LogicalTarget:
        """`file`, `[file~type, serialization, compression]` or `{access: file, …}`."""
        if isinstance(node, Mapping):
            return self._long(node)
        cells = node.items if isinstance(node, Sequence) else [node]
        if not 1 <= len(cells) <= 3:
            raise self._reader.wrong(
                node, "a target in short form is [file~type, serialization, compression]"
            )
        access, _, kind = self._reader.text(cells[0]).partition("~")
        self._check_type(cells[0], kind)
        self._check_access(cells[0], access)
        return LogicalTarget(
            access,
            self._reader.origin(cells[0]),
            format=self._format(cells[1]) if len(cells) > 1 else FORMATS["N-Quads"],
            compression=self._compression(cells[2]) if len(cells) > 2 else "none",
        )

    def _long(self, node: Mapping) -> LogicalTarget:
        kind = self._reader.text(node.items["type"]) if "type" in node.items else ""
        self._check_type(node, kind)
        for key in node.items:
            if key in _BEYOND:
                raise self._reader.wrong(
                    node.items[key], f"`{key}`: {_BEYOND[key]} as target is not supported"
                )
        items = self._reader.map(node, "a target", _KEYS)
        if "access" not in items:
            raise self._reader.missing(node, "a target needs `access`")
        access = self._reader.text(items["access"])
        self._check_access(items["access"], access)
        return LogicalTarget(
            access,
            self._reader.origin(items["access"]),
            format=(
                self._format(items["serialization"])
                if "serialization" in items
                else FORMATS["N-Quads"]
            ),
            compression=(
                self._compression(items["compression"]) if "compression" in items else "none"
            ),
            encoding=self._encoding(items["encoding"]) if "encoding" in items else "UTF-8",
        )

    def _check_type(self, node: Node, kind: str) -> None:
        if kind and kind.lower() not in _FILES:
            raise self._reader.wrong(
                node, f"target of type `{kind}` is not supported; a file is ({', '.join(_FILES)})"
            )

    def _check_access(self, node: Node, access: str) -> None:
        """A target is one file on this machine."""
        if "://" in access:
            raise self._reader.wrong(node, f"target `{access}` is no file")
        if "$(" in access:
            raise self._reader.wrong(
                node, f"target `{access}`: a file for each value is not supported"
            )

    def _format(self, node: Node) -> TargetFormat:
        name = self._reader.text(node)
        if (form := format_of(name)) is None:
            known = ", ".join(
                row.name.replace("-", "").replace("_", "").lower() for row in FORMATS.values()
            )
            raise self._reader.wrong(node, f"serialization `{name}` is not supported; {known} are")
        return form

    def _compression(self, node: Node) -> str:
        name = self._reader.text(node)
        if name not in COMPRESSIONS:
            known = ", ".join(COMPRESSIONS)
            raise self._reader.wrong(node, f"compression `{name}` is not supported; {known} are")
        return name

    def _encoding(self, node: Node) -> str:
        name = self._reader.text(node).upper()
        if name not in ENCODINGS:
            known = ", ".join(ENCODINGS)
            raise self._reader.wrong(node, f"encoding `{name}` is not supported; {known} are")
        return name
