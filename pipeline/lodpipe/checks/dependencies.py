"""Which record tables a resource of the graph depends on: those that its triples maps read, be it
through named queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from lodpipe.mapping.model import Expression, MappingDocument, ReferencingMap, TriplesMap, all_maps
from lodpipe.rdf.namespaces import Namespaces
from lodpipe.sources import Table

_VALUE = ".+"
_TEXTS = re.compile("'[^']*'")  # of a query
_SHORTEST = 3  # letters of a template's text; a shorter one is in IRIs of every kind


class Dependencies:
    """From IRIs to the declared tables whose records have a part in what is stated of them."""

    def __init__(self, mapping: MappingDocument, declared: Mapping[str, Table], names: Namespaces) -> None:
        """`names` are the base and the prefixes by which findings spell IRIs."""
        self._mapping, self._names = mapping, names
        self._roots = sorted(declared, key=len, reverse=True)

    def tables_of(self, iri: str, predicate: str = "") -> frozenset[str]:
        """The tables that describe a resource: those of all triples maps whose subjects are spelt as
        its IRI is; with a predicate, of those that state it.
        """
        full = self._names.expand(iri) or iri
        local = full.removeprefix(self._names.base)
        tables: set[str] = set()
        for name, subjects in self._subjects.items():
            if subjects.fullmatch(local) or subjects.fullmatch(full):
                if not predicate or self._states(self._mapping.triples_maps[name], predicate):
                    tables |= self.tables_of_map(name)
        return frozenset(tables)

    def is_own(self, iri: str) -> bool:
        """Whether an IRI, in full, is one of the publication."""
        return iri.startswith(self._names.base) and " " not in iri

    def tables_of_map(self, name: str) -> frozenset[str]:
        """The tables that a triples map reads, those of its joins included."""
        triples_map = self._mapping.triples_maps.get(name)
        if triples_map is None:
            return frozenset()
        parents = [
            self._mapping.triples_maps[item.parent]
            for item in all_maps(triples_map)
            if isinstance(item, ReferencingMap) and item.parent in self._mapping.triples_maps
        ]
        texts = (
            source.text for entry in (triples_map, *parents) for source in entry.source.below
        )
        return self.tables_in(" ".join(texts))

    def tables_in(self, text: str) -> frozenset[str]:
        """The declared tables that a query reads, be it through the named queries of the mapping."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [text]
        while waiting:
            words = set(re.findall(r"\w+", _TEXTS.sub("", waiting.pop()))) - seen
            seen |= words
            waiting += [self._named[word] for word in words if word in self._named]
            found.update(root for word in words if (root := self.root_of(word)))
        return frozenset(found)

    def root_of(self, table: str) -> str:
        """The declared table of a record table, which may be one of its lists; empty for another
        name.
        """
        return next(
            (root for root in self._roots if table == root or table.startswith(f"{root}_")), ""
        )

    @cached_property
    def _named(self) -> dict[str, str]:
        return {
            source.name: source.text
            for source in self._mapping.sources
            if source.name and source.kind in ("query", "table")
        }

    @cached_property
    def _subjects(self) -> dict[str, re.Pattern[str]]:
        """Of each triples map whose subjects have text in common, a pattern of their IRIs."""
        return {
            name: pattern
            for name, entry in self._mapping.triples_maps.items()
            if (pattern := _pattern(entry.subject.expression)) is not None
        }

    @staticmethod
    def _states(entry: TriplesMap, predicate: str) -> bool:
        return any(
            term.expression.constant == predicate for rule in entry.rules for term in rule.predicates
        )


def _pattern(expression: Expression) -> re.Pattern[str] | None:
    """The IRIs that a template makes; None for one without text, which can make any."""
    texts = [part for part in expression.parts if isinstance(part, str)]
    if sum(map(len, texts)) < _SHORTEST:
        return None
    return re.compile(
        "".join(re.escape(part) if isinstance(part, str) else _VALUE for part in expression.parts)
    )


def tables_of_files(files: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Each record file with the tables that are read from it, of the files of each table."""
    by_file: dict[str, set[str]] = {}
    for table, names in files.items():
        for name in names:
            by_file.setdefault(name, set()).add(table)
    return {name: frozenset(tables) for name, tables in by_file.items()}
