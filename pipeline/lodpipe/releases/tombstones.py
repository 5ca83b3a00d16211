"""Withdrawn IRIs: what source/withdrawn.yaml says, the statements that it becomes, and where each
IRI leads today.

    - id: [organisation/north, organisation/south]     # a merger
      replaced_by: organisation/union
      date: '2027-01-01'
      reason: {en: Merged.}
      event: event/union

becomes, in the graph `withdrawn` below the base IRI:

    <organisation/north> owl:deprecated true ; dct:isReplacedBy <organisation/union> ;
        dct:modified "2027-01-01"^^xsd:date ; skos:changeNote "Merged."@en ; org:changedBy <event/union> .
    <event/union> a org:ChangeEvent ; dct:date "2027-01-01"^^xsd:date ; rdfs:label "Merged."@en ;
        org:originalOrganization <organisation/north>, <organisation/south> ;
        org:resultingOrganization <organisation/union> .
    <organisation/union> org:resultedFrom <event/union> .
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import Node, place_of, value_of
from lodpipe.rdf.namespaces import OWL, RDFS, SKOS, XSD
from lodpipe.rdf.terms import TYPE, Quad, iri, quote_literal

FILE = "source/withdrawn.yaml"
GRAPH = "withdrawn"
"""The graph of the statements, relative to the base IRI; also the name of its list in dist/."""

_DCT = "http://purl.org/dc/terms/"
ORG = "http://www.w3.org/ns/org#"
# Relative to the base: unreserved characters, letters beyond ASCII, percent escapes; no empty,
# `.` or `..` part.
_WIDE = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
_LOCAL = {
    "type": "string",
    "pattern": "^(?!/)(?!.*//)(?!.*(^|/)\\.{1,2}(/|$))(?!.*%(?![0-9A-Fa-f]{2}))"
    f"[A-Za-z0-9._~/%{_WIDE}-]*[A-Za-z0-9_~%{_WIDE}-]$",
}
_ONE_OR_MORE = {
    **_LOCAL,
    "type": ["string", "array"],
    "minItems": 1,
    "uniqueItems": True,
    "items": _LOCAL,
}
_LONGEST_NAME = 240
"""Bytes of a part of a path: file systems have 255, with the end of a document."""
_TEXTS = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"},
    "additionalProperties": {"type": "string", "minLength": 1},
}
_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "date", "reason"],
        "properties": {
            "id": _ONE_OR_MORE,
            "replaced_by": _ONE_OR_MORE,
            "date": {"type": "string", "format": "date"},
            "reason": _TEXTS,
            "label": _TEXTS,
            "event": _LOCAL,
        },
    },
}


class Named(NamedTuple):
    """An IRI relative to the base, and where the file names it."""

    local: str
    origin: Origin


class ListEntry(Struct, frozen=True):
    """An entry of the file: one IRI or several, since when and why they are no longer described,
    what they were called, what took their place, and the event that changed them.
    """

    ids: tuple[Named, ...]
    replaced_by: tuple[Named, ...]
    date: str
    reason: Mapping[str, str]
    label: Mapping[str, str]
    event: Named | None


class Tombstone(Struct, frozen=True):
    """A withdrawn IRI, relative to the base.

    `replaced_by` are the successors that the file names, `living` those at the end of the chain
    that are not withdrawn themselves.
    """

    id: str
    replaced_by: tuple[str, ...]
    living: tuple[str, ...]
    date: str
    reason: Mapping[str, str]

    @property
    def status(self) -> int:
        """What a web server answers: 301 where exactly one successor lives, else 410."""
        return 301 if len(self.living) == 1 else 410


class Described(Protocol):
    """What the findings ask of the statements."""

    def described(self, subjects: Collection[str], without_graph: str) -> set[str]:
        """Those of the subjects that a statement outside of a graph describes."""


class Withdrawn(Struct, frozen=True, dict=True):
    """All withdrawals of a publication, and what is wrong with their file; without any where that
    is invalid.
    """

    base: str = ""
    withdrawals: tuple[ListEntry, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def graph(self) -> str:
        """The graph of the statements, as a term."""
        return iri(self.base + GRAPH)

    @cached_property
    def successors(self) -> dict[str, tuple[str, ...]]:
        """Each withdrawn IRI with the successors that the file names."""
        return {
            named.local: tuple(successor.local for successor in withdrawal.replaced_by)
            for withdrawal in self.withdrawals
            for named in withdrawal.ids
        }

    @cached_property
    def tombstones(self) -> list[Tombstone]:
        """One for each withdrawn IRI, in order."""
        tombstones = [
            Tombstone(
                named.local,
                self.successors[named.local],
                self._living(named.local),
                withdrawal.date,
                withdrawal.reason,
            )
            for withdrawal in self.withdrawals
            for named in withdrawal.ids
        ]
        return sorted(tombstones, key=lambda tombstone: tombstone.id)

    def _living(self, local: str) -> tuple[str, ...]:
        """The successors at the end of each chain from a withdrawn IRI, in the order of the file."""
        living: dict[str, None] = {}
        seen = {local}
        waiting = list(reversed(self.successors[local]))
        while waiting:
            successor = waiting.pop()
            if successor not in self.successors:
                living[successor] = None
            elif successor not in seen:
                seen.add(successor)
                waiting += reversed(self.successors[successor])
        return tuple(living)

    # -- statements --------------------------------------------------------------------------------

    @cached_property
    def statements(self) -> list[Quad]:
        """What the file states, in the graph of withdrawn IRIs."""
        triples = [
            triple
            for withdrawal in self.withdrawals
            for triple in (*self._of_ids(withdrawal), *self._of_event(withdrawal))
        ]
        return [(s, p, o, self.graph) for s, p, o in sorted(set(triples))]

    def _of_ids(self, withdrawal: ListEntry) -> Iterator[tuple[str, str, str]]:
        for named in withdrawal.ids:
            subject = iri(self.base + named.local)
            yield subject, iri(OWL + "deprecated"), quote_literal("true", datatype=XSD + "boolean")
            yield subject, iri(_DCT + "modified"), _date(withdrawal)
            yield from _texts(subject, SKOS + "changeNote", withdrawal.reason)
            yield from _texts(subject, RDFS + "label", withdrawal.label)
            for successor in withdrawal.replaced_by:
                yield subject, iri(_DCT + "isReplacedBy"), iri(self.base + successor.local)

    def _of_event(self, withdrawal: ListEntry) -> Iterator[tuple[str, str, str]]:
        if withdrawal.event is None:
            return
        event = iri(self.base + withdrawal.event.local)
        yield event, TYPE, iri(ORG + "ChangeEvent")
        yield event, iri(_DCT + "date"), _date(withdrawal)
        yield from _texts(event, RDFS + "label", withdrawal.reason)
        yield from _texts(event, _DCT + "description", withdrawal.reason)
        for named in withdrawal.ids:
            yield event, iri(ORG + "originalOrganization"), iri(self.base + named.local)
            yield iri(self.base + named.local), iri(ORG + "changedBy"), event
        for successor in withdrawal.replaced_by:
            yield event, iri(ORG + "resultingOrganization"), iri(self.base + successor.local)
            yield iri(self.base + successor.local), iri(ORG + "resultedFrom"), event

    @cached_property
    def origins(self) -> dict[str, Origin]:
        """Where each subject of the statements is named first, by its term."""
        named = [
            item
            for withdrawal in self.withdrawals
            for item in (*withdrawal.ids, *([withdrawal.event] if withdrawal.event else ()))
        ]
        named += [item for withdrawal in self.withdrawals for item in withdrawal.replaced_by]
        return {iri(self.base + item.local): item.origin for item in reversed(named)}

    # -- findings ----------------------------------------------------------------------------------

    def check(self, statements: Described) -> Iterator[Finding]:
        """Everything that is wrong: with the file, and with what it says of the statements
        (LP521 to LP523, LP535, LP536, LP538).
        """
        yield from self.findings
        yield from self.cycles()
        yield from self._unanswerable()
        named = [
            item
            for withdrawal in self.withdrawals
            for item in (*withdrawal.ids, *withdrawal.replaced_by)
        ]
        terms = sorted({iri(self.base + item.local) for item in named})
        described = statements.described(terms, self.graph) if terms else set()
        for withdrawal in self.withdrawals:
            for item in withdrawal.ids:
                if iri(self.base + item.local) in described:
                    yield Finding("LP522", item.origin, {"value": item.local})
            for item in withdrawal.replaced_by:
                if (
                    item.local not in self.successors
                    and iri(self.base + item.local) not in described
                ):
                    ids = ", ".join(id_.local for id_ in withdrawal.ids)
                    yield Finding("LP523", item.origin, {"value": ids, "successor": item.local})

    def _unanswerable(self) -> Iterator[Finding]:
        for withdrawal in self.withdrawals:
            for named in withdrawal.ids:
                if part := refused_part(named.local):
                    params = {"value": named.local, "part": f"`{part}`"}
                    yield Finding("LP538", named.origin, params, Severity.WARNING)

    def cycles(self) -> Iterator[Finding]:
        """Chains of successors that lead back to where they began: each once, at its first IRI."""
        reported: set[str] = set()
        for withdrawal in self.withdrawals:
            for named in withdrawal.ids:
                path = [] if named.local in reported else self._path_back(named.local)
                if path:
                    reported.update(path)
                    yield Finding("LP536", named.origin, {"chain": " → ".join(path)})

    def _path_back(self, local: str) -> list[str]:
        """The shortest chain from an IRI back to itself; empty where there is none."""
        before: dict[str, str] = {}
        level = [local]
        while level:
            following = []
            for current in level:
                for successor in self.successors.get(current, ()):
                    if successor == local:
                        path = [local, current]
                        while path[-1] != local:
                            path.append(before[path[-1]])
                        return path[::-1]
                    if successor not in before:
                        before[successor] = current
                        following.append(successor)
            level = following
        return []


def refused_part(local: str) -> str:
    """What a web server refuses or changes in an address, as it is written; empty where there is
    nothing of the kind.

    Apache refuses an escaped slash and names that no file can have, nginx and Apache the character
    NUL, Caddy what is not UTF-8; clients take dot segments away (RFC 3986, 6.2.2.3).

    >>> refused_part("caf%C3%A9/50%25"), refused_part("a%2Fb"), refused_part("caf%E9")
    ('', '%2F', '%E9')
    """
    for part in local.split("/"):
        raw = unquote_to_bytes(part)
        if raw in (b".", b".."):
            return part
        if len(raw) > _LONGEST_NAME:
            return f"{part[:40]}…"
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            return f"%{raw[error.start]:02X}"
    refused = re.search("%(00|0A|2F)", local, re.IGNORECASE)
    return refused[0] if refused else ""


def read_withdrawn(project: Project) -> Withdrawn:
    """source/withdrawn.yaml; empty where there is none. Raises InvalidData where it cannot be read."""
    path = project.root / FILE
    tree = read_tree(path, FILE) if path.is_file() else None
    return withdrawn_of(tree, project.publication.base)


def withdrawn_of(tree: Node | None, base: str) -> Withdrawn:
    """What a tree of the file says, with a finding for each entry that is invalid (LP521) and each
    IRI that is listed twice (LP535).
    """
    if tree is None:
        return Withdrawn(base)
    import jsonschema_rs

    values: Any = value_of(tree)
    schema = jsonschema_rs.Draft202012Validator(_SCHEMA, validate_formats=True)
    invalid = tuple(
        Finding("LP521", _origin(tree, error.instance_path), {"detail": _message(error)})
        for error in schema.iter_errors(values)
    )
    if invalid:
        return Withdrawn(base, (), invalid)
    withdrawals = tuple(_withdrawal(tree, number, value) for number, value in enumerate(values))
    return Withdrawn(base, withdrawals, tuple(_listed_twice(withdrawals)))


def _message(error: Any) -> str:
    """What is wrong with a value, in words where the schema has a pattern only."""
    steps = [str(step) for step in error.schema_path]
    if steps[-1] != "pattern":
        return str(error.message)
    if "propertyNames" in steps:
        return f"`{error.instance}` is not a language tag"
    return f"`{error.instance}` is not an IRI relative to the base IRI"


def _withdrawal(tree: Node, number: int, value: Mapping[str, Any]) -> ListEntry:
    def named(key: str) -> tuple[Named, ...]:
        given = value.get(key, [])
        if isinstance(given, str):
            return (Named(given, _origin(tree, [number, key])),)
        return tuple(
            Named(local, _origin(tree, [number, key, place])) for place, local in enumerate(given)
        )

    return ListEntry(
        named("id"),
        named("replaced_by"),
        value["date"],
        value["reason"],
        value.get("label", {}),
        next(iter(named("event")), None),
    )


def _listed_twice(withdrawals: Sequence[ListEntry]) -> Iterator[Finding]:
    """IRIs that are withdrawn, or an event, a second time."""
    first: dict[str, Origin] = {}
    for withdrawal in withdrawals:
        for named in (*withdrawal.ids, *([withdrawal.event] if withdrawal.event else ())):
            before = first.setdefault(named.local, named.origin)
            if before is not named.origin:
                params = {"value": named.local, "line": str(before.line)}
                yield Finding("LP535", named.origin, params, related=(before,))


def _origin(tree: Node, path: Sequence[Any]) -> Origin:
    return Origin(FILE, *place_of(tree, list(path)))


def _date(withdrawal: ListEntry) -> str:
    return quote_literal(withdrawal.date, datatype=XSD + "date")


def _texts(
    subject: str, predicate: str, texts: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for language, text in texts.items():
        yield subject, iri(predicate), quote_literal(text, language)
