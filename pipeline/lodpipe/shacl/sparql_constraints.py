"""SPARQL-based constraints, components and targets: each query runs once, over all focus nodes
together (SHACL, 5 and 6).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.terms import plain_text
from lodpipe.shacl import query_rewriting as queries
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.shape_run import Violation
from lodpipe.shacl.shapes_graph import Constraint, Query, Shape

if TYPE_CHECKING:
    from lodpipe.shacl.placements import Check, Placement, Plan
    from lodpipe.shacl.shape_run import Connection, Run

_OWN = "urn:x-lodpipe:"
_FOCUS, _SHAPES, _VALUE = (ox.NamedNode(_OWN + name) for name in ("focus", "shapes", "value"))
_FEW_LINES = 10_000  # that are quicker loaded in one transaction
_LARGE = 500_000  # statements; more go into a store on disk, which bounds the memory

_OTHER_GRAPHS = (
    "GRAPH",
    "graph",
    "shapesGraph",
)  # what such a query reads is no matter of predicates


class QueryAnswerer:
    """Answers the queries of a shapes graph from a store, which holds the statements whose
    predicates the queries name, and no others.
    """

    def __init__(self, connection: Connection, plan: Plan) -> None:
        self.connection, self.plan = connection, plan
        self._store: ox.Store | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._sets = 0
        self._placed = False
        self._nodes: dict[int, list[str]] = {}
        self._patterns: dict[int, str] = {}

    def close(self) -> None:
        """Removes the store."""
        self._store = None
        if self._folder:
            self._folder.cleanup()

    # -- the store ---------------------------------------------------------------------------------

    @property
    def store(self) -> ox.Store:
        """The store, filled when it is first asked for."""
        if self._store is None:
            self._store = self._filled()
        return self._store

    def _queries(self) -> Iterator[Query]:
        for placement, check in self.plan.checks.values():
            if check.constraint.query and not plain_join(placement.shape, check.constraint):
                yield check.constraint.query
        yield from (
            target.query
            for targets in self.plan.targets.values()
            for target in targets
            if target.query
        )

    def _filled(self) -> ox.Store:
        used = list(self._queries())  # those that are plain joins never ask
        texts = [query.text for query in used]
        read = [queries.predicates(query.text, query.parameters) for query in used]
        self._placed = None not in read and any(map(queries.has_empty_paths, texts))
        condition = ""
        if None not in read:
            names = sorted(frozenset().union(*(item for item in read if item)))
            condition = f" WHERE p IN ({', '.join(map(text, names))})" if names else " WHERE false"
        ((count,),) = self.connection.execute(f"SELECT count(*) FROM triples{condition}").fetchall()
        if count > _LARGE:
            self._folder = tempfile.TemporaryDirectory(prefix="lodpipe-")
        store = ox.Store(self._folder.name) if self._folder else ox.Store()
        cursor = self.connection.execute(
            f"SELECT s || ' ' || p || ' ' || o || ' .' FROM triples{condition}"
        )
        while batch := cursor.fetchmany(100_000):
            store.bulk_extend(_quads(row[0] for row in batch))
        if any("shapesGraph" in item for item in texts):
            lines = "\n".join(f"{s} {p} {o} ." for s, p, o in self.plan.shapes.triples)
            store.load(lines.encode(), format=ox.RdfFormat.N_TRIPLES, to_graph=_SHAPES)
        return store

    def _set(self, pairs: Sequence[tuple[str, str]] | None, nodes: Sequence[str] = ()) -> str:
        """Puts focus nodes (or pairs of focus node and value) into the store; gives the pattern
        that binds them.
        """
        self._sets += 1
        own = f"<{_OWN}set/{self._sets}>"
        if pairs is None:
            lines = [f"{own} {_FOCUS} {node} {_FOCUS} ." for node in nodes]
            pattern = f"GRAPH {_FOCUS} {{ {own} {_FOCUS} ?this }}"
        else:
            lines = []
            for number, (focus, value) in enumerate(pairs):
                pair = f"<{_OWN}set/{self._sets}/{number}>"
                lines += [
                    f"{own} {_OWN_PAIR} {pair} {_FOCUS} .",
                    f"{pair} {_FOCUS} {focus} {_FOCUS} .",
                    f"{pair} {_VALUE} {value} {_FOCUS} .",
                ]
            pattern = f"GRAPH {_FOCUS} {{ {own} {_OWN_PAIR} ?lodpipePair . ?lodpipePair {_FOCUS} ?this ; {_VALUE} ?value }}"
        store = self.store
        if self._placed:  # an empty path leads from a node to itself if the data name the node
            terms_used = {*nodes, *(term for pair in pairs or () for term in pair)}
            lines += [f"{own} {_FOCUS} {term} ." for term in sorted(terms_used)]
        (store.extend if len(lines) < _FEW_LINES else store.bulk_extend)(_quads(lines))
        return pattern

    def _run(self, query: str, name: str = "") -> Any:
        """The solutions of a query of a shape."""
        try:
            return self.store.query(query)
        except (SyntaxError, ValueError) as error:
            detail = f"{name}: SPARQL: {str(error).splitlines()[0]}"
            raise InvalidDeclaration(
                [Finding("LP605", self.plan.shapes.origin(name), {"detail": detail})]
            ) from None

    # -- questions ---------------------------------------------------------------------------------

    def targets(self, query: Query) -> list[str]:
        """The nodes that a SPARQL-based target selects."""
        bound = {name: f"BIND ({value} AS ?{name})" for name, value in query.parameters}
        rows = self._run(queries.prebind(query.text, bound).text if bound else query.text)
        originals = _Originals(self.connection)
        return sorted({originals.any(str(row["this"])) for row in rows if row["this"] is not None})

    def plain(self, placement: Placement, check: Check) -> str | None:
        """A constraint whose query is a plain join as a SELECT of its violations, None where the
        query is more.
        """
        join = plain_join(placement.shape, check.constraint)
        return joined(placement, check.k, join) if join else None

    def violations(self, run: Run, placement: Placement, check: Check) -> list[Violation]:
        """What a constraint finds on all focus nodes of a placed shape."""
        assert check.constraint.query is not None
        if placement.fs not in self._nodes:
            self._nodes[placement.fs] = [
                str(row[0])
                for row in run.execute(
                    f"SELECT node FROM nodes WHERE fs = {placement.fs} ORDER BY node"
                ).fetchall()
            ]
        nodes = self._nodes[placement.fs]
        if not nodes:
            return []
        if check.constraint.is_ask:
            return list(self._denied(run, placement, check, _Originals(self.connection, nodes)))
        return self._query_violations(placement, check, nodes)

    def _query_violations(
        self, placement: Placement, check: Check, nodes: Sequence[str]
    ) -> list[Violation]:
        """What the query of a constraint finds on focus nodes."""
        assert check.constraint.query is not None
        if placement.fs not in self._patterns:
            self._patterns[placement.fs] = self._set(None, nodes)
        originals = _Originals(self.connection, nodes)
        pattern = self._patterns[placement.fs]
        patterns = {"this": pattern} | self._bound(placement.shape, check.constraint)
        prebound = queries.prebind(check.constraint.query.text, patterns)
        return list(
            self._violations_of(
                self._run(prebound.text, placement.shape.name),
                prebound.limit,
                placement.shape,
                check.constraint,
                originals,
            )
        )

    def _bound(self, shape: Shape, constraint: Constraint) -> dict[str, str]:
        """Patterns for what else is pre-bound: the shape, the shapes graph and the parameters of
        the component.
        """
        assert constraint.query is not None
        bound = dict(constraint.query.parameters)
        if shape.name.startswith("<"):
            bound["currentShape"] = shape.name
        bound["shapesGraph"] = str(_SHAPES)
        return {name: f"BIND ({value} AS ?{name})" for name, value in bound.items()}

    def _violations_of(
        self,
        rows: Any,
        limit: int | None,
        shape: Shape,
        constraint: Constraint,
        originals: _Originals,
    ) -> Iterator[Violation]:
        names = [variable.value for variable in rows.variables]
        seen: set[tuple[str, ...]] = set()
        counts: dict[str, int] = {}
        messages = sorted({*shape.messages, *constraint.messages})
        templates = any(re.search(r"\{[?$]", message) for message in messages)
        solutions = []
        for row in rows:
            solution = {name: row[name] for name in names if row[name] is not None}
            key = tuple(str(solution.get(name, "")) for name in names)
            focus = str(solution.get("this", ""))
            if not focus or key in seen or (limit is not None and counts.get(focus, 0) >= limit):
                continue
            if "failure" in solution:
                detail = f"{shape.name}: its SPARQL constraint reports a failure"
                raise InvalidDeclaration(
                    [Finding("LP605", self.plan.shapes.origin(shape.name), {"detail": detail})]
                )
            seen.add(key)
            counts[focus] = counts.get(focus, 0) + 1
            solutions.append((focus, solution))
        originals.learn(
            (focus, str(solution["value"])) for focus, solution in solutions if "value" in solution
        )
        for focus, solution in solutions:
            node = originals.focus(focus)
            value = (
                originals.value(focus, str(solution["value"]))
                if "value" in solution
                else (None if shape.path else node)
            )
            path = str(solution["path"]) if isinstance(solution.get("path"), ox.NamedNode) else None
            filled = (
                json.dumps(
                    [_filled_in(message, solution) for message in messages], ensure_ascii=False
                )
                if templates
                else None
            )
            yield node, value, path, filled

    def _denied(
        self, run: Run, placement: Placement, check: Check, originals: _Originals
    ) -> Iterator[Violation]:
        """The values for which an ASK validator says no (SHACL, 6.2.3), by one SELECT."""
        assert check.constraint.query is not None
        pairs = run.execute(f"SELECT focus, value FROM {placement.pairs} ORDER BY ALL").fetchall()
        if not pairs:
            return
        prologue, _, group = check.constraint.query.text.partition("ASK")
        bound = " ".join(self._bound(placement.shape, check.constraint).values())
        group = re.sub(r"^\s*WHERE", "", group)
        query = f"{prologue} SELECT ?this ?value WHERE {{ {self._set(pairs)} {bound} FILTER NOT EXISTS {group} }}"
        messages = sorted({*placement.shape.messages, *check.constraint.messages})
        named = dict(check.constraint.query.parameters)
        originals.pairs(pairs)
        for row in self._run(query, placement.shape.name):
            solution = {"this": row["this"], "value": row["value"]}
            filled = (
                json.dumps(
                    [_filled_in(message, solution, named) for message in messages],
                    ensure_ascii=False,
                )
                if messages
                else None
            )
            yield (
                originals.focus(str(row["this"])),
                originals.value(str(row["this"]), str(row["value"])),
                None,
                filled,
            )


def plain_join(shape: Shape, constraint: Constraint) -> queries.Join | None:
    """The query of a constraint as a join of tables, where it is no more than that and no message
    asks for its variables.
    """
    filled_in = any("{" in message for message in (*shape.messages, *constraint.messages))
    if constraint.query is None or constraint.is_ask or constraint.query.parameters or filled_in:
        return None
    return queries.as_join(constraint.query.text)


def joined(placement: Placement, k: int, join: queries.Join) -> str:
    """A SELECT of the solutions of a join as violations."""
    places = {"this": "n.node"}
    tables, conditions = [f"nodes n ON n.fs = {placement.fs}"], []
    for number, (subject, predicate, value) in enumerate(join.patterns):
        name = f"t{number}"
        on = []
        for variable, column in ((subject, "s"), (value, "o")):
            if variable in places:
                on.append(f"{places[variable]} = {name}.{column}")
            else:
                places[variable] = f"{name}.{column}"
        tables.append(
            f"(SELECT s, o FROM triples WHERE p = {text(predicate)}) {name} ON {' AND '.join(on) or 'true'}"
        )
    for left, sign, right in join.comparisons:
        if sign[0] == ">":
            left, right = right, left
        conditions.append(
            f"{terms.less(places[left], places[right], or_equal='=' in sign)} IS TRUE"
        )
    selected = [places[name] for name in dict.fromkeys(("this", *join.selected))]
    value = (
        places["value"]
        if "value" in join.selected
        else ("NULL" if placement.shape.path else "n.node")
    )
    path = places["path"] if "path" in join.selected else "NULL"
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    columns = ", ".join(f"{column} AS c{number}" for number, column in enumerate(selected))
    rows = f"SELECT DISTINCT {value} AS value, {path} AS path, {columns} FROM (SELECT 1) JOIN {' JOIN '.join(tables)}{where}"
    return f"SELECT {k}, c0, value, path, NULL FROM ({rows})"


_OWN_PAIR = f"<{_OWN}pair>"


def _filled_in(message: str, solution: dict[str, Any], named: dict[str, str] | None = None) -> str:
    """A message with the values of the variables that it names (SHACL, 5.3.2)."""
    for name, value in solution.items():
        text = json.dumps(getattr(value, "value", str(value)), ensure_ascii=False)[1:-1]
        message = message.replace(f"{{?{name}}}", text).replace(f"{{${name}}}", text)
    for name, term in (named or {}).items():
        text = json.dumps(plain_text(term), ensure_ascii=False)[1:-1]
        message = message.replace(f"{{?{name}}}", text).replace(f"{{${name}}}", text)
    return message


def _stored(terms: Iterable[str]) -> dict[str, str]:
    """Literals by the spelling that a store gives back: it normalizes numbers and dates."""
    listed = [term for term in dict.fromkeys(terms) if term.endswith(">") and term.startswith('"')]
    store = ox.Store()
    for number, item in enumerate(listed):
        store.load(f"<a:{number}> <a:a> {item} .".encode(), format=ox.RdfFormat.N_TRIPLES)
    return {str(quad.object): listed[int(str(quad.subject)[3:-1])] for quad in store}


def _quads(lines: Iterable[str]) -> Iterator[ox.Quad]:
    """Lines of N-Quads whose blank nodes keep their names."""
    data = "\n".join(lines).encode()
    # lenient: the statements are valid already
    parsed = ox.parse(data, format=ox.RdfFormat.N_QUADS, lenient=True, rename_blank_nodes=False)
    return iter(parsed)


class _Originals:
    """The way back from the terms of the store to those of the table."""

    def __init__(self, connection: Connection, nodes: Sequence[str] = ()) -> None:
        self.connection = connection
        self._focus = _stored(nodes)
        self._values: dict[tuple[str, str], str] = {}

    def focus(self, term: str) -> str:
        return self._focus.get(term, term)

    def value(self, focus: str, term: str) -> str:
        return self._values.get((focus, term), self._focus.get(term, term))

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Learns values that are known beforehand."""
        spelt = {
            original: stored for stored, original in _stored(value for _, value in pairs).items()
        }
        self._values |= {(focus, spelt[value]): value for focus, value in pairs if value in spelt}

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Looks up the objects of focus nodes that have a number or a date as value."""
        wanted = {focus for focus, value in pairs if value.startswith('"') and value.endswith(">")}
        if not wanted:
            return
        listed = json.dumps(sorted(wanted), ensure_ascii=False)
        rows = self.connection.execute(
            "SELECT s, o FROM triples JOIN (SELECT unnest(from_json(?, '[\"VARCHAR\"]')) AS node) w ON w.node = s WHERE o LIKE '\"%>'",
            [listed],
        ).fetchall()
        self.pairs(rows)

    def any(self, term: str) -> str:
        """A node that a query found anywhere in the data."""
        if not (term.startswith('"') and term.endswith(">")):
            return term
        end = term[term.rindex('"') :]
        rows = self.connection.execute(
            f"SELECT DISTINCT o FROM triples WHERE ends_with(o, {text(end)})"
        ).fetchall()
        return _stored(row[0] for row in rows).get(term, term)
