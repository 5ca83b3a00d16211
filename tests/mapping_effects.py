"""What a mapping makes, whatever its names are and wherever it is written: two mappings with the same
effects make the same statements.
"""

from __future__ import annotations

from collections.abc import Iterator

from lodpipe.mapping.model import (
    LogicalSource,
    MappingDocument,
    ReferencingMap,
    TermMap,
    TriplesMap,
)

Effect = tuple[object, ...]


def effects(document: MappingDocument) -> set[Effect]:
    """A tuple for each predicate and object of each triples map, and one for each subject."""
    result: set[Effect] = set()
    for item in document.triples_maps.values():
        subject = (source(item.source), item.base or document.base, term(item.subject))
        result.add(subject)
        for rule in item.rules:
            graphs = frozenset(map(term, (*item.graphs, *rule.graphs)))
            for predicate in rule.predicates:
                for value in rule.objects:
                    for target in objects(document, value):
                        result.add((*subject, term(predicate), target, graphs))
    return result


def objects(document: MappingDocument, value: TermMap | ReferencingMap) -> Iterator[Effect]:
    """An object, or each triples map that it refers to."""
    if isinstance(value, TermMap):
        yield term(value)
        return
    joins = frozenset((join.child, join.parent) for join in value.joins)
    for parent in parents(document, value.parent):
        yield (source(parent.source), term(parent.subject), joins)


def parents(document: MappingDocument, name: str) -> list[TriplesMap]:
    """A triples map by its name, or all into which a YARRRML mapping with several subjects became."""
    maps = document.triples_maps
    return (
        [maps[name]] if name in maps else [maps[key] for key in maps if key.startswith(f"{name}#")]
    )


def term(item: TermMap) -> Effect:
    gathered: Effect = ()
    if gather := item.gather:
        members = tuple(
            term(member) if isinstance(member, TermMap) else (member.parent, member.joins)
            for member in gather.members
        )
        gathered = (gather.kind, members, gather.product, gather.allow_empty)
    parts = (item.expression, item.term_type, item.datatype, item.language, item.condition)
    targets = frozenset(
        (target.root, target.path, target.format.name, target.compression, target.encoding)
        for target in item.targets
    )
    return (*parts, gathered, targets)


def source(item: LogicalSource) -> Effect:
    text = " ".join(item.text.split()).removeprefix("./")
    return (item.kind, text, item.iterator or None, item.database, item.nulls)
