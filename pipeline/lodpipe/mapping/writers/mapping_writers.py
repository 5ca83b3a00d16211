"""What the writers of mappings share: what a notation cannot say becomes a finding (LP617)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from msgspec import Struct
from msgspec.structs import fields

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.model import RDF_TYPE, PredicateObject, TermMap, TriplesMap

# The fields of the model that both writers write; one that is added later is reported, not lost.
_WRITTEN = {
    "TriplesMap": {"name", "source", "subject", "graphs", "rules", "base"},
    "PredicateObject": {"predicates", "objects", "graphs"},
    "TermMap": {
        "expression",
        "term_type",
        "datatype",
        "language",
        "condition",
        "gather",
        "targets",
    },
    "ReferencingMap": {"parent", "joins"},
    "LogicalSource": {"kind", "text", "iterator", "name", "database", "nulls"},
    "MappingDocument": {"triples_maps", "named_sources", "base", "prefixes"},
}
_NOTES = {"origin", "findings", "functions"}


class Unsaid:
    """Collects what a notation cannot say."""

    def __init__(self, notation: str) -> None:
        self.notation = notation
        self.findings: list[Finding] = []

    def note(self, origin: Origin | None, detail: str) -> None:
        """Notes one thing, at its place in the mapping that is converted."""
        params = {"notation": self.notation, "detail": detail}
        finding = Finding("LP617", origin, params)
        if finding not in self.findings:
            self.findings.append(finding)

    def check(self, item: Struct, origin: Origin | None = None) -> None:
        """Notes the fields of a part of the model that no writer knows."""
        known = _WRITTEN[type(item).__name__] | _NOTES
        for name, default in _defaults(type(item)):
            if name not in known and getattr(item, name) not in (default, None, ()):
                self.note(getattr(item, "origin", origin), name.replace("_", " "))


@cache
def _defaults(part: type[Struct]) -> tuple[tuple[str, object], ...]:
    """The fields of a part of the model with their defaults, which msgspec takes long to find."""
    return tuple((field.name, field.default) for field in fields(part))


def is_type(predicates: Iterable[TermMap]) -> bool:
    """Whether predicates are rdf:type."""
    return all(predicate.expression.constant == RDF_TYPE for predicate in predicates)


def shared_condition(rule: PredicateObject) -> bool:
    """Whether all objects of a rule are under one condition."""
    conditions = {item.condition if isinstance(item, TermMap) else None for item in rule.objects}
    return len(conditions) == 1 and conditions != {None}


def base_of(triples_map: TriplesMap, base: str | None) -> str | None:
    """The base IRI of a triples map, of its own or of the document."""
    return triples_map.base or base
