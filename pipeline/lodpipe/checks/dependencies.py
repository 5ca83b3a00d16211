"""Which record tables a resource of the graph depends on: those that its triples maps read, be it
through named queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from lodpipe.mapping.model import Expression, MappingDocument, ReferencingMap, all_maps
from lodpipe.rdf.namespaces import Namespaces
from lodpipe.sources import Field, Table

_VALUE = ".+"
_TEXTS = re.compile("'[^']*'")  # of a query
_AGGREGATE = re.compile(r"\b(count|sum|avg|min|max|bool_and|bool_or|string_agg)\(|GROUP BY", re.I)
_SHORTEST = 3  # letters of a template's text; a shorter one is in IRIs of every kind


class Dependencies:
    """From IRIs to the declared tables whose records have a part in what is stated of them."""

    def __init__(
        self, mapping: MappingDocument, declared: Mapping[str, Table], names: Namespaces
    ) -> None:
        """`names` are the base and the prefixes by which findings spell IRIs."""
        self._mapping, self._names = mapping, names
        self._of_maps: dict[str, frozenset[str]] = {}
        self._of_iris: dict[str, tuple[str, ...]] = {}
        self._aggregating: dict[str, bool] = {}
        self._roots = sorted(declared, key=len, reverse=True)
        self._references = {
            name: frozenset(_targets(entry.fields.values())) for name, entry in declared.items()
        }

    def tables_of(self, iri: str) -> frozenset[str]:
        """The tables that describe a resource: those of all triples maps whose subjects are spelt as
        its IRI is.
        """
        return frozenset().union(*(self.tables_of_map(name) for name in self._maps_of(iri)))

    def _maps_of(self, iri: str) -> tuple[str, ...]:
        if iri not in self._of_iris:
            full = self._names.expand(iri) or iri
            local = full.removeprefix(self._names.base)
            self._of_iris[iri] = tuple(
                name
                for name, subjects in self._subjects.items()
                if subjects.fullmatch(local) or subjects.fullmatch(full)
            )
        return self._of_iris[iri]

    def is_own(self, iri: str) -> bool:
        """Whether an IRI, in full, is one of the publication."""
        return iri.startswith(self._names.base) and " " not in iri

    def tables_of_map(self, name: str) -> frozenset[str]:
        """The tables that a triples map reads, those of its joins included."""
        if name not in self._of_maps:
            self._of_maps[name] = self._read_by(name)
        return self._of_maps[name]

    def _read_by(self, name: str) -> frozenset[str]:
        triples_map = self._mapping.triples_maps.get(name)
        if triples_map is None:
            return frozenset()
        parents = [
            self._mapping.triples_maps[item.parent]
            for item in all_maps(triples_map)
            if isinstance(item, ReferencingMap) and item.parent in self._mapping.triples_maps
        ]
        texts = (source.text for entry in (triples_map, *parents) for source in entry.source.below)
        return self.tables_in(" ".join(texts))

    def tables_in(self, text: str) -> frozenset[str]:
        """The declared tables that a query reads, be it through the named queries of the mapping."""
        words = {word for part in self._texts(text) for word in re.findall(r"\w+", part)}
        return frozenset(root for word in words if (root := self.root_of(word)))

    def is_aggregated(self, iri: str) -> bool:
        """Whether something that is stated of a resource is counted, added up or compared over many
        records.
        """
        return any(map(self._aggregates, self._maps_of(iri)))

    def _aggregates(self, name: str) -> bool:
        if name not in self._aggregating:
            self._aggregating[name] = any(
                _AGGREGATE.search(part)
                for source in self._mapping.triples_maps[name].source.below
                for part in self._texts(source.text)
            )
        return self._aggregating[name]

    def _texts(self, text: str) -> Iterator[str]:
        """A query, and the named queries that it reads, without their texts in quotes."""
        seen: set[str] = set()
        waiting = [text]
        while waiting:
            part = _TEXTS.sub("", waiting.pop())
            yield part
            words = set(re.findall(r"\w+", part)) - seen
            seen |= words
            waiting += [self._named[word] for word in sorted(words) if word in self._named]

    def referred_to(self, tables: Iterable[str]) -> frozenset[str]:
        """The tables that records of these tables refer to."""
        return frozenset().union(*(self._references.get(table, frozenset()) for table in tables))

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


def _targets(fields: Iterable[Field]) -> Iterator[str]:
    for entry in fields:
        if entry.kind == "ref":
            yield entry.target
        yield from _targets([*entry.fields.values(), *([entry.item] if entry.item else [])])


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
