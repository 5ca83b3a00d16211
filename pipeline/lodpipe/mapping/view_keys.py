"""Which fields of views a mapping needs: keys, the references below them, and what makes rows.

A view with the fields `name`, `items` (many values) and `jobs` (records) has a row for each
combination of an item and a job. Statements are a set; so each of them is made of rows that combine
no more than it needs, and a triples map over a view becomes one for each such set of fields:

    :name "…"          the rows of the source
    :owns {items}      a row for each item
    :does {jobs.type}  a row for each job
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from lodpipe.mapping.model import (
    Expression,
    Field,
    LogicalSource,
    PredicateObject,
    ReferencingMap,
    TermMap,
    TriplesMap,
    View,
    ViewJoin,
    all_maps,
    expressions,
)
from lodpipe.sources import jsonpath
from lodpipe.sources.xpath import RecordPath

JSON = frozenset({"json", "jsonl", "yaml"})  # the kinds of sources whose references are JSONPaths


def references(items: Iterable[Expression | None]) -> tuple[str, ...]:
    """The references of several expressions, each once."""
    return tuple(dict.fromkeys(name for item in items if item for name in item.references))


def is_needed(field: Field, keys: Iterable[str]) -> bool:
    """Whether a key of a field or of one in it is among those needed."""
    return not set(field.keys).isdisjoint(keys)


def position_is_needed(join: ViewJoin, keys: Iterable[str]) -> bool:
    """Whether the position of a field of a join is needed, which counts all rows of the parent."""
    return not {f"{field.name}.#" for field in join.fields}.isdisjoint(keys)


def takes_part(join: ViewJoin, keys: Iterable[str]) -> bool:
    """Whether a join changes which statements are made of these keys."""
    return join.is_inner or any(is_needed(field, keys) for field in join.fields)


def own_keys(view: View, keys: Iterable[str]) -> tuple[str, ...]:
    """The keys of the view's own fields that rows with some keys need, those of joins among them."""
    keys = tuple(keys)
    joined = (
        references(condition.child for condition in join.conditions)
        for join in view.joins
        if takes_part(join, keys)
    )
    needed = {*keys, *(key for names in joined for key in names)}
    return tuple(key for key in view.own_keys if key in needed)


def parent_keys(join: ViewJoin, keys: Iterable[str]) -> tuple[str, ...]:
    """The keys of the parent that a join needs."""
    assert join.parent.view is not None
    if position_is_needed(join, keys):
        return join.parent.view.keys
    fields = (field.expression for field in join.fields if is_needed(field, keys))
    return references([*(condition.parent for condition in join.conditions), *fields])


def below(view: View, keys: Iterable[str]) -> tuple[str, ...]:
    """The references to the source of a view that rows with some of its own keys need."""
    keys = tuple(keys)
    if "#" in keys and view.on.view is not None:
        return view.on.view.keys  # positions count all its rows
    names: dict[str, None] = {}
    for field in view.fields:
        if is_needed(field, keys):
            inputs = field.expression.references if field.expression else (records_in(field),)
            names |= dict.fromkeys(name for name in inputs if name is not None)
    return tuple(names)


def records_in(field: Field) -> str | None:
    """The reference to the records of an iterable field: a JSONPath, or an XPath with those that
    are followed in each record.
    """
    if field.kind != "xml" or field.iterator is None:
        return field.iterator
    inner: dict[str, None] = {}
    for item in field.fields:
        names = item.expression.references if item.expression else (records_in(item),)
        inner |= dict.fromkeys(name for name in names if name is not None)
    return RecordPath.of(field.iterator, inner, field.namespaces)


def add_demand(
    wanted: dict[LogicalSource, dict[str, None]], source: LogicalSource, keys: Iterable[str]
) -> None:
    """Adds the references to each source that is no view, for these references to a source."""
    keys = tuple(keys)
    if source.view is None:
        wanted.setdefault(source, {}).update(dict.fromkeys(keys))
        return
    view = source.view
    for annotation in view.annotations:
        keys = (*keys, *annotation.fields)
    add_demand(wanted, view.on, below(view, own_keys(view, keys)))
    for join in view.joins:
        if takes_part(join, keys):
            add_demand(wanted, join.parent, parent_keys(join, keys))


def place_of(source: LogicalSource, key: str) -> str | None:
    """What a finding about a key of a view locates in the source below: the reference of a plain
    field; None for what is made of several values, or is in other records.
    """
    if source.view is None:
        return key
    for field in source.view.fields:
        if field.name == key and field.expression is not None:
            parts = field.expression.parts
            names = field.expression.references
            if len(parts) == 1 and names and not _is_many(field, source.view.on):
                return place_of(source.view.on, names[0])
    return None


# -- slices of triples maps ------------------------------------------------------------------------


def slices(entry: TriplesMap, maps: Mapping[str, TriplesMap]) -> Iterator[TriplesMap]:
    """A triples map in parts, the objects of each made of the same rows of its view; as it is where
    its source is no view.
    """
    view = entry.source.view
    if view is None or not entry.rules or names_records(entry, maps):
        yield entry
        return
    common = [entry.subject, *entry.graphs]
    parts: dict[frozenset[str], list[PredicateObject]] = {}
    for rule in entry.rules:
        for item in rule.objects:
            part = replace(rule, objects=(item,))
            alone = replace(entry, rules=(part,))
            names = set(references([*expressions(alone), *_of_parent(item, maps)]))
            names |= set(references(term.expression for term in common))
            branches = frozenset(branch for name in names for branch in _branches(view, name))
            parts.setdefault(branches, []).append(part)
    # Those with the most rows first: the engine plans the memory of a union by what comes first.
    for branches in sorted(parts, key=len, reverse=True):
        yield replace(entry, rules=tuple(parts[branches]))


def names_records(entry: TriplesMap, maps: Mapping[str, TriplesMap]) -> bool:
    """Whether a term stands for the row itself, or for a list that is made in it: then each row of
    a view counts, and not only those that differ.
    """
    terms = [item for item in all_maps(entry) if isinstance(item, TermMap)]
    for item in all_maps(entry):
        if isinstance(item, ReferencingMap) and not item.joins and item.parent in maps:
            terms.append(maps[item.parent].subject)
    return any(term.gather or not term.expression.parts for term in terms)


def _of_parent(
    item: TermMap | ReferencingMap, maps: Mapping[str, TriplesMap]
) -> Iterator[Expression]:
    """The subject that an object without conditions takes from the same row."""
    if isinstance(item, ReferencingMap) and not item.joins and item.parent in maps:
        yield maps[item.parent].subject.expression


def _branches(view: View, key: str) -> Iterator[str]:
    """What makes several rows of a record for a key: its fields with many values or records, and
    its join.
    """
    for number, join in enumerate(view.joins):
        if any(key in field.keys for field in join.fields):
            yield f"join {number}"
    fields, parent = view.fields, view.on
    while field := next((item for item in fields if key in item.keys), None):
        if field.expression is None or _is_many(field, parent):
            yield field.name
        if key in (field.name, f"{field.name}.#"):
            return
        if field.kind is not None:
            parent = LogicalSource(field.kind, "", field.origin)
        fields = field.fields


def _is_many(field: Field, parent: LogicalSource) -> bool:
    """Whether an expression field can have several values in a record."""
    names = field.expression.references if field.expression else ()
    if parent.kind == "xml":
        return bool(names)
    return parent.kind in JSON and any(jsonpath.is_many(jsonpath.parse(name)) for name in names)
