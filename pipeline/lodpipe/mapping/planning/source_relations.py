"""The relation of each triples map: its source, with the columns that its terms and joins refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.mapping.model import (
    Expression,
    LogicalSource,
    MappingDocument,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
    all_maps,
    with_members,
)
from lodpipe.mapping.planning.plan import ListUse, Relation, Sources, numbered, quote
from lodpipe.mapping.planning.scope import Scope
from lodpipe.mapping.planning.term_sql import TermCompiler
from lodpipe.mapping.planning.views import ViewCompiler
from lodpipe.mapping.view_keys import names_records, references


class SourceRelations:
    """The relations of a mapping's triples maps; notes references to columns that do not exist."""

    def __init__(
        self,
        document: MappingDocument,
        base: str,
        sources: Sources,
        terms: TermCompiler,
        wrong: Callable[[Origin, str], None],
        *,
        light: bool,
    ) -> None:
        self.warnings: list[Finding] = []
        self._maps, self._base, self._sources = document.triples_maps, base, sources
        self._terms, self._wrong = terms, wrong
        self._views = ViewCompiler(document, sources, self.references, light=light)

    def of(self, entry: TriplesMap) -> Relation:
        """The relation of a triples map's source with all columns that its terms and joins refer
        to.
        """
        relation = self._related(entry, (expression for expression, _ in self._expressions(entry)))
        for expression, origin in self._expressions(entry):
            for name in expression.references:
                self._check_column(name, relation, origin)
        for item in all_maps(entry):
            if isinstance(item, ReferencingMap) and item.joins and item.parent in self._maps:
                self._check_keys(item, self._maps[item.parent])
        return relation if relation.has_record else self._numbered(entry, relation)

    def whole(self, entry: TriplesMap) -> Relation:
        """The relation of a triples map with all that any map refers to in its source."""
        if entry.source.view is None:
            return self.of(entry)
        used = (Expression((Reference(name),)) for name in self.references(entry.source))
        return self._related(entry, used)

    def of_parent(self, parent: TriplesMap, item: ReferencingMap) -> Relation:
        """The relation of a join's parent."""
        if parent.source.view is None:
            return self.of(parent)
        keys = (join.parent for join in item.joins)
        return self._related(parent, (parent.subject.expression, *keys))

    def references(self, source: LogicalSource) -> tuple[str, ...]:
        """Every reference that any triples map makes to a source: in its own terms, or as the
        parent of a join.
        """
        return tuple(self._wanted.get(source, ()))

    def _related(self, entry: TriplesMap, used: Iterable[Expression]) -> Relation:
        """The relation of a triples map's source; that of a view has what is used of it."""
        if entry.source.view is not None:
            numbers = names_records(entry, self._maps)
            relation = self._views.relation(entry.source, references(used), numbers=numbers)
        else:
            relation = self._sources.relate(
                entry.source, self.references(entry.source), self._order(entry)
            )
        self.warnings += relation.findings
        return relation

    def _numbered(self, entry: TriplesMap, relation: Relation) -> Relation:
        """A relation without records, with numbers of its rows where blank nodes or lists need them."""
        parents = (
            self._maps[item.parent].subject
            for item in all_maps(entry)
            if isinstance(item, ReferencingMap) and item.parent in self._maps
        )
        terms = (term for item in (*all_maps(entry), *parents) for term in with_members(item))
        if not any(
            isinstance(term, TermMap) and (term.gather or not term.expression.parts)
            for term in terms
        ):
            return relation
        numbered = f"(SELECT *, row_number() OVER () AS {quote('_record')} FROM {relation.sql})"
        return replace(relation, sql=numbered)

    def _check_keys(self, item: ReferencingMap, parent: TriplesMap) -> None:
        """The parent's columns of a join; those of views were looked at when they were read."""
        if parent.source.view is not None:
            return
        relation = self._sources.relate(
            parent.source, self.references(parent.source), self._order(parent)
        )
        for name in (name for join in item.joins for name in join.parent.references):
            self._check_column(name, relation, item.origin)

    def _order(self, item: TriplesMap) -> str:
        """The order of a map's subjects as SQL over the columns of its file, where rows of one
        order are rows of the other.
        """
        relation = Relation("", None, names=numbered(self.references(item.source)))
        scope = Scope(relation, item.name, item.base or self._base, "s")
        return (
            self._terms.after_start(item.subject, scope, "iri_safe").sql
            if item.source.view is None and key_columns(item, relation, ())
            else ""
        )

    @cached_property
    def _wanted(self) -> dict[LogicalSource, dict[str, None]]:
        """The references to each source, in the order of the mapping."""
        wanted: dict[LogicalSource, dict[str, None]] = {}
        maps = self._maps
        for map_ in maps.values():
            own = wanted.setdefault(map_.source, {})
            own |= dict.fromkeys(
                name for expression, _ in self._expressions(map_) for name in expression.references
            )
            for item in all_maps(map_):
                if isinstance(item, ReferencingMap) and (parent := maps.get(item.parent)):
                    keys = wanted.setdefault(parent.source, {})
                    keys |= dict.fromkeys(
                        name for join in item.joins for name in join.parent.references
                    )
            if map_.source.view is not None and names_records(map_, maps):
                own |= dict.fromkeys(map_.source.view.keys)
        return self._views.demand(wanted)

    def _expressions(self, entry: TriplesMap) -> Iterator[tuple[Expression, Origin]]:
        """Every expression that a triples map makes on its own source."""
        for item in all_maps(entry):
            if isinstance(item, TermMap):
                yield from _of_term(item)
                continue
            yield from ((join.child, item.origin) for join in item.joins)
            parent = self._maps.get(item.parent)
            for term in with_members(parent.subject) if parent and not item.joins else ():
                if isinstance(term, TermMap):
                    yield from _of_term(term)

    def _check_column(self, name: str, relation: Relation, origin: Origin) -> None:
        if relation.columns is not None and name not in relation.columns:
            known = ", ".join(column for column in relation.columns if not column.startswith("_"))
            self._wrong(origin, f"the source has no column `{name}`; it has {known}")
        elif name in relation.absent:
            self.warnings.append(
                Finding(
                    "LP308",
                    origin,
                    {"key": name, "suggestion": relation.absent[name]},
                    Severity.WARNING,
                )
            )


def key_columns(
    item: TriplesMap, relation: Relation, lists: tuple[ListUse, ...]
) -> tuple[str, ...]:
    """The column that alone decides the subject: one reference in an IRI template, for encoding it
    loses nothing; a function may.
    """
    references = item.subject.expression.references
    safe = (
        item.subject.term_type == "iri"
        and item.subject.condition is None
        and item.subject.gather is None
        and item.subject.expression.template
        and isinstance(item.subject.expression.parts[0], str)
    )
    return (
        (quote(relation.column(references[0])),)
        if safe and len(references) == 1 and not item.subject.expression.calls and not lists
        else ()
    )


def record_column(relation: Relation, alias: str = "") -> str:
    """The record of a row as SQL; NULL where a relation has none."""
    return f"{alias}{quote('_record')}" if relation.has_record else "CAST(NULL AS BIGINT)"


def _of_term(term: TermMap) -> Iterator[tuple[Expression, Origin]]:
    """The expressions of a term map."""
    yield from ((expression, term.origin) for expression in term.expressions)
