"""Resources as JSON that is JSON-LD: framed, with the part of the context that it uses.

What the index holds of a resource is its node: every statement, references as IRIs. Here references
to described resources become objects with their labels, and keys that have several values anywhere
have lists everywhere:

    "org:classification": "https://a.example/kind/town"
    "org:classification": {"id": "https://a.example/kind/town", "skos:prefLabel": {"en": "Town"}}

Nothing is added that the graph does not say: an expansion gives statements of the graph alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from lodpipe.engine.search_index import Resource, SearchIndex
from lodpipe.rdf.jsonld import Context, Value

Node = dict[str, Any]
Frame = Mapping[str, Any]
ENVELOPE = ("total", "page", "pages", "size", "self", "next", "previous", "facets", "items")
"""The keys of a list of resources besides `@context`."""


class NodeDocuments:
    """The documents of an index in the terms of a context; `frames` are what details of a class
    embed.
    """

    def __init__(
        self, index: SearchIndex, context: Context, frames: Mapping[str, Frame] | None = None
    ) -> None:
        self.index, self.context, self.frames = index, context, dict(frames or {})
        self.envelope = {name: self._free(name) for name in ENVELOPE}
        self._references: dict[str, Node] = {}

    def _free(self, name: str) -> str:
        """A key that the context does not use for something else."""
        while name in self.context.given:
            name = f"list_{name}"
        return name

    # -- documents ---------------------------------------------------------------------------------

    def nodes(self, resources: Sequence[Resource], keys: Sequence[str] = ()) -> list[Node]:
        """Resources with the labels of what they refer to; with `keys`, their IRI and these alone."""
        return self.labelled([self._only(item.node, keys) for item in resources])

    def _only(self, node: Node, keys: Sequence[str]) -> Node:
        if not keys:
            return node
        return {key: node[key] for key in dict.fromkeys((self.context.id, *keys)) if key in node}

    def detail(self, resource: Resource) -> Node:
        """A document of one resource, with what the frame of its class embeds."""
        node = self._embedded([self._with_lists(resource.node)], self._frame(resource))[0]
        (node,) = self._with_labels([node])
        return self._document(node)

    def details_of(self, nodes: Sequence[Node]) -> list[Node]:
        """A document of each node, with nothing embedded."""
        return [self._document(node) for node in self.labelled(nodes)]

    def _document(self, node: Node) -> Node:
        return {"@context": self.part([node]), **node}

    def _frame(self, resource: Resource) -> Frame:
        """What a document of a resource embeds."""
        if not self.frames:
            return {}
        types = sorted(self.index.types(resource))
        return next((self.frames[iri] for iri in types if iri in self.frames), {})

    def listing(self, nodes: Sequence[Node], facts: Mapping[str, Any]) -> Node:
        """A document of a list of nodes; `facts` are what it says of itself, by the keys of the
        envelope.
        """
        names = self.envelope
        own = {names[key]: None for key in facts}
        context = {**self.part(nodes), **own, names["items"]: "@graph"}
        about = {names[key]: value for key, value in facts.items()}
        return {"@context": context, **about, names["items"]: nodes}

    def part(self, nodes: Sequence[Node]) -> Node:
        """The part of the context that nodes use."""
        return self.context.needed(nodes)

    # -- parts -------------------------------------------------------------------------------------

    def _with_lists(self, node: Node) -> Node:
        several = self.index.several
        if several.isdisjoint(node):
            return node
        return {key: _listed(value) if key in several else value for key, value in node.items()}

    def labelled(self, nodes: Iterable[Node]) -> list[Node]:
        """Nodes of the index with lists where a key has several values anywhere, and with the labels
        of what they refer to.
        """
        return self._with_labels([self._with_lists(node) for node in nodes])

    def _with_labels(self, nodes: list[Node]) -> list[Node]:
        try:
            return [self._replaced(node, self._references) for node in nodes]
        except KeyError:  # of a reference that is new
            wanted: set[str] = set()
            for node in nodes:
                self._collect(node, wanted)
            known = self._known(wanted)
            return [self._replaced(node, known) for node in nodes]

    def _known(self, wanted: set[str]) -> Mapping[str, Node]:
        """What references to these IRIs are replaced by; the index stays the same, so it is asked
        once.
        """
        known = self._references
        if missing := wanted - known.keys():
            if len(known) > _REMEMBERED:  # another thread may be reading the old ones
                known = self._references = {iri: known[iri] for iri in wanted & known.keys()}
            stubs = self.index.stubs(missing)
            known |= {iri: self._stub(iri, stubs) for iri in missing}
        return known

    def _stub(self, iri: str, stubs: Mapping[str, Node]) -> Node:
        return self._with_lists(stubs[iri]) if iri in stubs else {self.context.id: iri}

    def _collect(self, node: Node, wanted: set[str]) -> None:
        """The IRIs that a node refers to."""
        for key, value in node.items():
            refers = self.context.refers(key)
            if not refers and type(value) is str:
                continue
            for item in value if isinstance(value, list) else (value,):
                if iri := self._reference(refers, item):
                    wanted.add(iri)
                elif isinstance(item, dict):
                    self._collect(item, wanted)

    def _reference(self, refers: bool, value: Any) -> str | None:
        """The IRI that a value refers to; None where it is a literal or a node of its own. `refers` is
        whether texts below its key are IRIs.
        """
        if isinstance(value, str):
            return value if refers else None
        if isinstance(value, dict) and len(value) == 1 and self.context.id in value:
            return str(value[self.context.id])
        return None

    def _replaced(self, node: Node, known: Mapping[str, Node]) -> Node:
        references = self.context.references
        return {
            key: value
            if type(value) is str and key not in references
            else self._values(key in references, value, known)
            for key, value in node.items()
        }

    def _values(self, refers: bool, value: Any, known: Mapping[str, Node]) -> Any:
        if type(value) is list:
            return [self._value(refers, item, known) for item in value]
        return self._value(refers, value, known)

    def _value(self, refers: bool, value: Any, known: Mapping[str, Node]) -> Any:
        if type(value) is str:
            return known[value] if refers else value
        if iri := self._reference(refers, value):
            return known[iri]
        return self._replaced(value, known) if isinstance(value, dict) else value

    def _embedded(self, nodes: list[Node], frame: Frame) -> list[Node]:
        """Nodes with the whole nodes that a frame names in place of references."""
        for key, inner in frame.items():
            reverse = self.context.reverse.get(key)
            for node in nodes:
                if reverse:
                    iris = self.index.pointing(reverse.iri, str(node[self.context.id]))
                else:
                    value = node.get(key, [])
                    items = value if isinstance(value, list) else [value]
                    refers = self.context.refers(key)
                    iris = [iri for item in items if (iri := self._reference(refers, item))]
                known = self.index.of_iris(iris)
                embedded = [self._with_lists(known[iri].node) for iri in iris if iri in known]
                whole = iter(self._embedded(embedded, inner))
                rows = [next(whole) if iri in known else {self.context.id: iri} for iri in iris]
                if rows:
                    alone = not reverse and not isinstance(node[key], list)
                    node[key] = rows[0] if alone else rows
        return nodes


_REMEMBERED = 100_000  # references with their labels


def _listed(value: Any) -> Any:
    """A value as a list; the values of a map of languages as lists."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not any(key.startswith("@") or key == "id" for key in value):
        return {key: item if isinstance(item, list) else [item] for key, item in value.items()}
    return [value]


def dumped(document: object, *, compact: bool = False) -> bytes:
    """A document as bytes of JSON, readable or compact."""
    if compact:
        return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    # What json.dumps gives with `indent`, by compiled code.
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def line(document: object) -> str:
    """A document as JSON in one line: what json.dumps gives, by compiled code."""
    return msgspec.json.format(msgspec.json.encode(document), indent=0).decode()


def plain(value: Any, context: Context, languages: Iterable[str]) -> str:
    """A value of a node as one text, for tables: of a reference its label, else its IRI; several
    are joined by semicolons.
    """
    if isinstance(value, list):
        return "; ".join(plain(item, context, languages) for item in value)
    if isinstance(value, dict):
        return _plain_map(value, context, languages)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _plain_map(value: Mapping[str, Any], context: Context, languages: Iterable[str]) -> str:
    if "@value" in value:
        return str(value["@value"])
    if context.id in value:
        rest = [item for key, item in value.items() if key not in (context.id, context.type)]
        return plain(rest[0], context, languages) if rest else str(value[context.id])
    for language in languages:
        if language in value:
            return plain(value[language], context, languages)
    return plain(next(iter(value.values()), ""), context, languages)


__all__ = [
    "ENVELOPE",
    "Frame",
    "Node",
    "NodeDocuments",
    "Value",
    "dumped",
    "line",
    "plain",
]
