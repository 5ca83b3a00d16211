"""Reads the logical targets of term maps: files only (RML-IO, Logical Target).

The vocabulary before it is read as well: rmlt:, a path as text, void:dataDump or a catalogue's
dcat:downloadURL of a file, compressions in any case of letters.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

import pyoxigraph as ox

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.mapping.logical_target import (
    COMPRESSIONS,
    ENCODINGS,
    FORMATS,
    MAPPING_FOLDER,
    WORKING_FOLDER,
    LogicalTarget,
)
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, rendered
from lodpipe.mapping.rml.rml_vocabulary import LOGICAL_TARGET, RML, TARGET

_DUMPS = tuple(
    f"http://{word}"
    for word in (
        "rdfs.org/ns/void#dataDump",
        "www.w3.org/ns/dcat#dataDump",
        "www.w3.org/ns/dcat#downloadURL",
    )
)
_FORMATS = ("http://www.w3.org/ns/formats/", "https://www.w3.org/ns/formats/")
_OLD_COMPRESSIONS = "http://semweb.mmlab.be/ns/rml-compression#"
_OLD_ENCODINGS = "http://semweb.mmlab.be/ns/rml-encoding#"
_MODES = ("Write", "WriteRead")  # both begin with an empty file
_PARTS = ("languageMap", "datatypeMap", "functionExecution")
"""What takes part in making a term, and may have targets of its own."""


class TargetReader:
    """Reads the targets that the nodes of a graph name, each once."""

    def __init__(self, graph: GraphReader) -> None:
        self.graph, self.wrong = graph, graph.wrong
        self._targets: dict[object, tuple[LogicalTarget, ...]] = {}

    def of(self, node: Node) -> tuple[LogicalTarget, ...]:
        """The targets of all statements that have the term of a term map."""
        parts = [self.graph.nodes.get(value.term) for value in node.all(*_PARTS)]
        values = [
            value
            for part in (node, *parts)
            if part is not None
            for value in part.all("logicalTarget")
        ]
        for value in values:
            if value.term not in self._targets:
                self._targets[value.term] = self.graph.each([value], self._target)
        return tuple(
            dict.fromkeys(target for value in values for target in self._targets[value.term])
        )

    def _target(self, value: Value) -> LogicalTarget:
        node = self.graph.node(value, "a logical target")
        self.graph.only(node, "a logical target", LOGICAL_TARGET)
        if any(item.text.endswith("EventStreamTarget") for item in node.all("rdf:type")):
            raise self.wrong(node.line, "an event stream (LDES) as target is not supported")
        access = self.graph.single(node, "a logical target", "target")
        if access is None:
            raise self._missing(node, "a logical target needs `rml:target`")
        described: tuple[Node, ...]
        if isinstance(access.term, ox.Literal) and access.written == "rmlt:target":
            described, (root, path) = (node,), (WORKING_FOLDER, access.text)
        else:
            inner = self.graph.node(access, "a target")
            self.graph.only(inner, "a target", TARGET)
            described, (root, path) = (node, inner), self._place(inner)
        self._check_mode(described)
        serialization = self._word(described, "serialization", _FORMATS, FORMATS)
        return LogicalTarget(
            path,
            self.graph.origin(described[-1].line),
            root,
            FORMATS[serialization or "N-Quads"],
            self._word(described, "compression", (RML, _OLD_COMPRESSIONS), COMPRESSIONS) or "none",
            self._word(described, "encoding", (RML, _OLD_ENCODINGS), ENCODINGS) or "UTF-8",
        )

    def _missing(self, node: Node, detail: str) -> Wrong:
        return Wrong() if node.term in self.graph.misspelt else self.wrong(node.line, detail)

    def _place(self, target: Node) -> tuple[str, str]:
        """The root and the path of a file."""
        dump = self.graph.single(target, "a target", "path", *_DUMPS)
        if dump is None:
            raise self._missing(
                target,
                "a target is a file: `rml:path` of an `rml:FilePath`, or `void:dataDump` of a file; "
                "endpoints, HTTP requests and catalogues are not supported",
            )
        if dump.written.endswith(":path"):
            return self._root(target), self.graph.text(dump)
        if isinstance(dump.term, ox.Literal) and ":" not in dump.text:
            return WORKING_FOLDER, dump.text
        if not dump.text.startswith("file:"):
            raise self.wrong(
                dump.line, f"`{dump.written}` {rendered(dump.term)} is no file (file://…)"
            )
        # Two slashes are as many generators write a relative path: file://dump.nq.
        return WORKING_FOLDER, unquote(dump.text.removeprefix("file:").removeprefix("//"))

    def _root(self, target: Node) -> str:
        value = self.graph.single(target, "a target", "root")
        if value is None:
            return WORKING_FOLDER
        if isinstance(value.term, ox.Literal):
            return value.text
        roots = (WORKING_FOLDER, MAPPING_FOLDER)
        return self._known(value, (RML,), roots)

    def _check_mode(self, nodes: Collection[Node]) -> None:
        """Files are written whole; nothing is appended to what an earlier run wrote."""
        for value in (value for node in nodes for value in node.all("mode")):
            if self.graph.iri(value).removeprefix(RML) not in _MODES:
                self.wrong(
                    value.line,
                    f"`{value.written}` {rendered(value.term)} is not supported; a target is "
                    "written whole (`rml:Write`)",
                )

    def _word(
        self,
        nodes: Collection[Node],
        name: str,
        namespaces: Collection[str],
        words: Collection[str],
    ) -> str | None:
        """The word that a property of a target has, which may be at either of its nodes."""
        values = sorted(
            (value for node in nodes for value in node.all(name)), key=lambda value: value.line
        )
        known = [self._known(value, namespaces, words) for value in values]
        for value, word in zip(values, known, strict=True):
            if word != known[0]:
                raise self.wrong(value.line, f"a target has two values of `{value.written}`")
        return known[0] if known else None

    def _known(self, value: Value, namespaces: Collection[str], words: Collection[str]) -> str:
        iri = self.graph.iri(value)
        if iri.startswith(_OLD_COMPRESSIONS):
            iri = iri.lower()
        word = next((iri.removeprefix(item) for item in namespaces if iri.startswith(item)), None)
        if word not in words:
            listed = did_you_mean(word or "", words) or f"; {', '.join(words)} are"
            raise self.wrong(
                value.line, f"`{value.written}` {rendered(value.term)} is not supported{listed}"
            )
        assert word is not None  # None is no word
        return word
