"""The nodes of a YARRRML file: maps under the full names of their keys, with a finding for each that
is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Sequence_

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence

ALIASES = {
    "s": "subjects", "subject": "subjects", "po": "predicateobjects", "predicateobject": "predicateobjects",
    "source": "sources", "graph": "graphs", "p": "predicates", "predicate": "predicates", "o": "objects", "object": "objects",
    "v": "value", "values": "value", "t": "type", "m": "mappings", "mapping": "mappings",
    "c": "condition", "conditions": "condition", "f": "function", "fn": "function", "pm": "parameter", "g": "graphs",
    "pms": "parameters",
}  # fmt: skip
# Keys of YARRRML, and of readers of it, that have no counterpart here.
UNSUPPORTED = frozenset({
    "target", "functions", "compression", "serialization", "nulls", "join",
    "quoted", "quotedNonAsserted", "subject_annotations", "annotations",
})  # fmt: skip


class Wrong(Exception):
    """Stops reading one part of the mapping; the finding is already noted."""


class NodeReader:
    """Reads nodes; notes a finding (LP602) for each that is wrong, and warnings.

    `misspelt` are maps with a key that they cannot have: what they lack is no finding of its own.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self.misspelt: set[int] = set()

    def origin(self, node: Node) -> Origin:
        return Origin(self.file, node.line, node.column)

    def wrong(self, node: Node, detail: str) -> Wrong:
        self.findings.append(Finding("LP602", self.origin(node), {"detail": detail}))
        return Wrong()

    def text(self, node: Node) -> str:
        if isinstance(node, Scalar) and node.text is not None:
            return node.text
        raise self.wrong(node, "a text is expected here")

    def map(self, node: Node, what: str, allowed: Sequence_[str] = ()) -> dict[str, Node]:
        """The items of a map under their full names; keys that are not `allowed` are reported."""
        if not isinstance(node, Mapping):
            raise self.wrong(node, f"{what} is a map")
        for key in node.items:
            if allowed and ALIASES.get(key, key) not in allowed:
                self.unknown(node, key, what, allowed)
        return {ALIASES.get(key, key): item for key, item in node.items.items()}

    def unknown(self, node: Mapping, key: str, what: str, allowed: Iterable[str]) -> None:
        """Notes a key that a map cannot have, at the key itself."""
        self.misspelt.add(id(node))
        names = [
            *allowed,
            *(alias for alias, name in ALIASES.items() if name in allowed and len(alias) > 2),
        ]
        detail = f"{what} has no key `{key}`" + (
            did_you_mean(key, names) or f"; it may have {', '.join(sorted(allowed))}"
        )
        if key in UNSUPPORTED:
            detail = f"`{key}` is not supported"
        self.findings.append(
            Finding("LP602", Origin(self.file, *node.keys[key]), {"detail": detail})
        )

    def missing(self, node: Node, detail: str) -> Wrong:
        """A key is missing; not reported where a key of the map is misspelt, which is most often
        that very key.
        """
        return Wrong() if id(node) in self.misspelt else self.wrong(node, detail)

    def named(self, node: Node, what: str) -> dict[str, Node]:
        """The items of a map whose keys are names of the author's own."""
        if not isinstance(node, Mapping):
            raise self.wrong(node, f"{what} is a map")
        return node.items

    def each(self, node: Node) -> Iterator[Node]:
        """The items of a list, or the single node itself."""
        if isinstance(node, Sequence):
            yield from node.items
        else:
            yield node

    def warn(self, node: Node, code: str, **params: str) -> None:
        """Notes a finding that does not stop the mapping."""
        self.warnings.append(Finding(code, self.origin(node), params, Severity.WARNING))


def is_short_source(node: Sequence) -> bool:
    """Whether a list is a source in short form."""
    return (
        bool(node.items) and isinstance(node.items[0], Scalar) and "~" in (node.items[0].text or "")
    )
