"""What lists and containers state, as SELECTs over the collections of each record (gather_sql.py).

Example: lists without names, in the column "g0". Each member is a row; `node` is the head, _:l…,
for the first, _:l…n2 for the second and so on, and `next` is that of the next member or rdf:nil:

    SELECT *, … AS node, … AS next FROM (
        SELECT *, unnest(range(1, len(collection.members) + 1)) AS place,
            unnest(collection.members) AS member
        FROM (SELECT *, unnest("g0") AS collection FROM …))

Each row makes `node rdf:first member` and `node rdf:rest next`, or in a container `head rdf:_place
member` and with the first member the type of the container.

Collections with a name (a template, reference or constant) are put together where several records,
or several gather maps, make the same head: their members are numbered over all rows of a graph, in
the order of the triples maps, the records and the members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.mapping.model import (
    Gather,
    PredicateObject,
    ReferencingMap,
    TermMap,
    TriplesMap,
    with_members,
)
from lodpipe.mapping.planning.gather_sql import NIL, Compiled, collections_column
from lodpipe.mapping.planning.plan import ListUse, Part, Relation, Select, Term, quote, text
from lodpipe.mapping.planning.term_sql import prefix_of, unnested

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_FIRST, _REST, _TYPE = (Term(text(f"<{_RDF}{word}>")) for word in ("first", "rest", "type"))
_NAMES = "PARTITION BY g, head"


class Use(Struct, frozen=True):
    """A gather map of a triples map, the graphs of what it states, and the number of its rule.

    `by_graph` says that a blank node with a name is one of its own in each graph.
    """

    term: TermMap
    gather: Gather
    graphs: tuple[Term, ...]
    rule: int
    by_graph: bool = False


class _Named(Struct, frozen=True):
    """Members of collections with names as SQL: rows with sequence, record, g, head, place and
    member, which is NULL in an empty container.
    """

    use: Use
    rows: str
    prefix: str
    map_name: str

    @property
    def is_list(self) -> bool:
        return self.use.gather.kind == "List"


def uses(
    entry: TriplesMap,
    graphs_of: Callable[[PredicateObject | None], list[Term]],
    rule_of: Callable[[TermMap, Gather], int],
) -> list[Use]:
    """The gather maps of a triples map; `graphs_of` gives the graphs of a rule, or those of the
    subject.
    """
    tops: list[tuple[TermMap | ReferencingMap, PredicateObject | None]] = [(entry.subject, None)]
    for rule in entry.rules:
        tops += [(item, rule) for item in (*rule.predicates, *rule.objects)]
    graphs: dict[TermMap, dict[str, Term]] = {}
    by_graph: set[TermMap] = set()
    for top, of_rule in tops:
        for item in with_members(top):
            if isinstance(item, TermMap) and item.gather is not None:
                own = graphs.setdefault(item, {})
                own |= {graph.sql: graph for graph in graphs_of(of_rule)}
                if of_rule is not None and item is top and is_named_blank(item):
                    by_graph.add(item)
    return [
        Use(item, item.gather, tuple(own.values()), rule_of(item, item.gather), item in by_graph)
        for item, own in graphs.items()
        if item.gather is not None
    ]


def is_named_blank(item: TermMap | ReferencingMap) -> bool:
    """Whether a map makes collections whose heads are blank nodes with names."""
    return (
        isinstance(item, TermMap)
        and item.gather is not None
        and item.term_type == "blank"
        and bool(item.expression.parts)
    )


def in_graph(head: Term, graph: Term) -> Term:
    """The head of a named collection in a graph: a blank node is one of its own in each graph, for
    so is its collection.
    """
    if graph.sql == "''":
        return head
    columns = (*head.columns, *graph.columns)
    return replace(head, sql=_node_in_graph(head.sql, graph.sql), columns=columns, sound=None)


def _node_in_graph(head: str, graph: str) -> str:
    own = f"{head} || 'g' || md5({graph})"
    return f"CASE WHEN starts_with({head}, '_:') AND {graph} <> '' THEN {own} ELSE {head} END"


class GatherStatements:
    """Makes the SELECTs of collections."""

    def __init__(self, mapping: Compiled) -> None:
        self._mapping = mapping
        self._named: list[_Named] = []

    def selects(
        self, entry: TriplesMap, relation: Relation, used: Iterable[Use]
    ) -> Iterator[Select]:
        """The SELECTs of the collections of a triples map that have no names; those with names are
        noted for `named`.
        """
        for use in used:
            if not use.term.expression.parts:
                yield _unnamed(entry, relation, use)
                continue
            if not self._mapping.whole_relations:
                self._mapping.wrong(
                    use.term.origin,
                    "Spark cannot put lists and containers of several records together; leave out "
                    "their template, reference or constant, or run without Spark",
                )
            prefix = prefix_of(use.term, entry.base or self._mapping.base)
            self._named.append(_Named(use, _members_of(relation, use), prefix, entry.name))

    def named(self) -> Iterator[Select]:
        """The SELECTs of all collections with names, those together that may have the same heads."""
        group: list[_Named] = []
        for item in sorted(self._named, key=lambda item: (item.is_list, item.prefix)):
            is_same = group and (
                item.is_list == group[0].is_list and item.prefix.startswith(group[0].prefix)
            )
            if group and not is_same:
                yield from self._of_group(group)
                group = []
            group.append(item)
        if group:
            yield from self._of_group(group)

    def _of_group(self, group: list[_Named]) -> Iterator[Select]:
        if len({item.use.term.targets for item in group}) > 1:
            self._mapping.wrong(
                group[-1].use.term.origin,
                "lists and containers that may have the same head go to different targets",
            )
        yield from _named_selects(group)


def _column(name: str) -> Term:
    return Term(name, columns=(name,))


def _rows(collection: str, gather: Gather) -> str:
    """The members of a collection as a list, and their places; a container without members has one
    that is NULL, for it has a type.
    """
    members = f"{collection}.members"
    if gather.kind != "List":
        members = f"CASE WHEN len({members}) > 0 THEN {members} ELSE [NULL] END"
    return f"unnest(range(1, len({members}) + 1)) AS place, unnest({members}) AS member"


def _lists(graphs: Iterable[Term]) -> tuple[ListUse, ...]:
    return tuple(dict.fromkeys(item for graph in graphs for item in graph.lists))


def _unnamed(entry: TriplesMap, relation: Relation, use: Use) -> Select:
    """The statements of collections that each record has for itself."""
    source = unnested(relation, _lists(use.graphs))
    column = collections_column(relation, use.term)
    rows = f"(SELECT *, unnest({column}) AS collection FROM {source})"
    rows = f"(SELECT *, {_rows('collection', use.gather)} FROM {rows})"
    head = "collection.head"
    if use.gather.kind == "List":
        node = f"CASE WHEN place = 1 THEN {head} ELSE {head} || 'n' || place END"
        is_last = "place = len(collection.members)"
        following = f"CASE WHEN {is_last} THEN {NIL} ELSE {head} || 'n' || (place + 1) END"
        rows = f"(SELECT *, {node} AS node, {following} AS next FROM {rows})"
    else:
        kind = _class_at_first(text(f"<{_RDF}{use.gather.kind}>"), "place")
        rows = f"(SELECT *, {head} AS node, {kind} AS class, {_PROPERTY} AS property FROM {rows})"
    record = quote("_record") if relation.has_record else "CAST(NULL AS BIGINT)"
    return Select(
        entry.name,
        rows,
        record,
        _column("node"),
        tuple(part for graph in use.graphs for part in _parts(use, graph)),
        (),
        use.term.origin,
        "_:l",
    )


_PROPERTY = f"{text(f'<{_RDF}_')} || place || '>'"


def _class_at_first(kind: str, place: str) -> str:
    return f"CASE WHEN {place} = 1 THEN {kind} END"


def _parts(use: Use, graph: Term) -> tuple[Part, ...]:
    """What a row of a member states in a graph; the statements go to the targets of the head."""
    member = replace(_column("member"), targets=use.term.targets)
    if use.gather.kind == "List":
        rest = replace(_column("next"), targets=use.term.targets)
        return (_FIRST, member, graph, use.rule), (_REST, rest, graph, use.rule)
    class_ = replace(_column("class"), targets=use.term.targets)
    return (_TYPE, class_, graph, use.rule), (
        _column("property"),
        member,
        graph,
        use.rule,
    )


# -- collections with names ------------------------------------------------------------------------


def _members_of(relation: Relation, use: Use) -> str:
    """The members of the collections that a gather map makes of each record, in each graph."""
    lists = _lists(use.graphs)
    graphs = ", ".join(graph.sql for graph in use.graphs)
    graph = graphs if len(use.graphs) == 1 else f"unnest(list_distinct([{graphs}]))"
    record = quote("_record") if relation.has_record else "CAST(NULL AS BIGINT)"
    column = collections_column(relation, use.term)
    distinct = "DISTINCT " if lists else ""  # two values of a list may name one graph
    rows = (
        f"(SELECT {distinct}{quote('_record')} AS sequence, {record} AS record, {graph} AS g, "
        f"{column} AS collections FROM {unnested(relation, lists)})"
    )
    rows = f"(SELECT sequence, record, g, unnest(collections) AS collection FROM {rows})"
    head = "collection.head"
    head = _node_in_graph(head, "g") if use.by_graph else head
    columns = f"sequence, record, g, {head} AS head, {_rows('collection', use.gather)}"
    kind = text(f"<{_RDF}{use.gather.kind}>")
    return f"SELECT {columns}, {kind} AS kind FROM {rows} WHERE g IS NOT NULL"


def _named_selects(group: list[_Named]) -> Iterator[Select]:
    """The statements of collections that several records, or several gather maps, may add to."""
    first = min(group, key=lambda item: item.use.rule)
    ordered = sorted(group, key=lambda item: item.use.rule)
    union = " UNION ALL ".join(
        f"SELECT {number} AS part, * FROM ({item.rows})" for number, item in enumerate(ordered)
    )
    order = "ORDER BY part, sequence, given"
    rows = f"(SELECT * RENAME (place AS given) FROM ({union}))"
    if first.is_list:
        yield from _named_lists(rows, order, first)
        return
    counted = f"count(member) OVER ({_NAMES} {order}) AS place"
    of_kind = f"row_number() OVER ({_NAMES}, kind {order}) AS of_kind"
    rows = f"(SELECT *, {counted}, {of_kind} FROM {rows})"
    kind = _class_at_first("kind", "of_kind")
    rows = f"(SELECT *, head AS node, {kind} AS class, {_PROPERTY} AS property FROM {rows})"
    yield _named_select(first, rows, first.prefix)


def _named_lists(rows: str, order: str, first: _Named) -> Iterator[Select]:
    """Heads with names and the blank nodes behind them make SELECTs of their own, for they begin
    differently.
    """
    counted = f"row_number() OVER ({_NAMES} {order}) AS place, count(*) OVER ({_NAMES}) AS total"
    behind = "'_:n' || md5(head || ' ' || g) || 'n' || "
    rows = f"(SELECT *, {counted} FROM {rows})"
    node = f"CASE WHEN place = 1 THEN head ELSE {behind} place END"
    following = f"CASE WHEN place = total THEN {NIL} ELSE {behind} (place + 1) END"
    rows = f"(SELECT *, {node} AS node, {following} AS next FROM {rows})"
    for condition, prefix in (("place = 1", first.prefix), ("place > 1", "_:n")):
        yield _named_select(first, f"(SELECT * FROM {rows} WHERE {condition})", prefix)


def _named_select(first: _Named, rows: str, prefix: str) -> Select:
    parts = _parts(first.use, _column("g"))
    return Select(
        first.map_name, rows, "record", _column("node"), parts, (), first.use.term.origin, prefix
    )
