"""Which statements a validation reads, found out from the shapes alone: the *reach* of a plan.

A reach is a list of moves between numbered states. Focus nodes are in the state where their shape
starts; a move leads from a node over the statements of a predicate (or against them) to other nodes
in the next state. All statements on the way, and no others, decide what is reported of a focus node.
So a part of the focus nodes can be validated on any machine that has these (partitions.py).

    ex:PersonShape sh:targetClass ex:Person ; sh:property [ sh:path ex:worksFor ; sh:class ex:Firm ] .

    0 <http://example.org/worksFor> 1        the values of ex:worksFor,
    1 rdf:type .                             and their classes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from lodpipe.shacl.placements import Check, Placement, Plan
from lodpipe.shacl.query_patterns import Group, Nested, Pattern, query_group
from lodpipe.shacl.query_rewriting import AnyPredicate, predicates
from lodpipe.shacl.shapes_graph import TYPE, Constraint, Path
from lodpipe.shacl.sparql_constraints import plain_join

END = -1
"""The state of nodes of which nothing more is read."""


class Move(Struct, frozen=True, order=True):
    """From the nodes of a state over statements of a predicate (any where it is empty) to the nodes
    of another.

    `by_value` is a join of SPARQL from a value to subjects: it compares numbers and dates, not
    their spelling.
    """

    state: int
    predicate: str
    backwards: bool
    next: int
    by_value: bool = False

    def __str__(self) -> str:
        predicate = "any" if not self.predicate else self.predicate
        end = "." if self.next == END else str(self.next)
        return f"{self.state} {'^' if self.backwards else ''}{predicate} {end}"


class Reach(Struct, frozen=True):
    """The moves; the state in which each set of focus nodes starts; the sets for whose shapes no
    moves can be given; and the states in which a query is answered for the nodes.
    """

    moves: tuple[Move, ...]
    starts: Mapping[int, int]
    unbounded: frozenset[int]
    queried: frozenset[int] = frozenset()

    def starting_in(self, states: Iterable[int]) -> frozenset[int]:
        """The sets of focus nodes whose nodes can get to one of these states."""
        before: dict[int, set[int]] = {}
        for move in self.moves:
            before.setdefault(move.next, set()).add(move.state)
        wanted = dict.fromkeys(states)
        for state in (waiting := list(wanted)):
            for item in before.get(state, ()):
                if item not in wanted:
                    wanted[item] = None
                    waiting.append(item)
        return frozenset(fs for fs, start in self.starts.items() if start in wanted)


def reach(plan: Plan) -> Reach:
    """The reach of all shapes that have targets."""
    builder = _Builder(plan, _reads_any(plan))
    builder.connect_sets()
    unbounded = frozenset(
        fs
        for _, fs, placement in plan.roots
        if builder.unbounded(placement)
        or any(target.kind == "sparql" for target in plan.targets[fs])
    )
    for placement in plan.placements:
        builder.place(placement)
    roots = {fs: builder.state("fs", fs) for _, fs, _ in plan.roots if fs not in unbounded}
    moves, states = _numbered(builder.without_silent_moves(), roots)
    return Reach(
        tuple(sorted(moves)),
        {fs: states[state] for fs, state in roots.items() if state in states},
        unbounded,
        frozenset(states[state] for state in builder.queried if state in states),
    )


def _reads_any(plan: Plan) -> bool:
    """Whether there is a query of which not all predicates are known."""
    checks = (check.constraint.query for _, check in plan.checks.values())
    targets = (item.query for some in plan.targets.values() for item in some)
    return any(query and predicates(query.text) is None for query in (*checks, *targets))


class _Unbounded(Exception):
    """A query that may read statements which no path from its focus node leads to."""


_Moves = dict[int, set[tuple[str, bool, int, bool]]]


@dataclass
class _Builder:
    """States for all sets of nodes and values of a plan, moves between them, and silent ones, which
    read nothing.
    """

    plan: Plan
    reads_any: bool
    moves: _Moves = field(default_factory=dict)
    silent: dict[int, set[int]] = field(default_factory=dict)
    queried: set[int] = field(default_factory=set)
    _states: dict[object, int] = field(default_factory=dict)
    _queries: dict[int, bool] = field(default_factory=dict)
    _unbounded: dict[int, bool] = field(default_factory=dict)

    def connect_sets(self) -> None:
        """Adds the moves along the paths of all shapes."""
        for vs, (fs, path) in self.plan.values.items():
            self.follow(path, self.state("fs", fs), self.state("vs", vs))
        for fs, sources in self.plan.inner.items():
            for kind, number in sources:
                self.silently(self.state(kind, number), self.state("fs", fs))

    def state(self, *key: object) -> int:
        return self._states.setdefault(key, len(self._states))

    def new(self) -> int:
        return self.state("new", len(self._states))

    def move(
        self,
        state: int,
        predicate: str,
        after: int,
        *,
        backwards: bool = False,
        query: bool = False,
    ) -> None:
        self.moves.setdefault(state, set()).add((predicate, backwards, after, query and backwards))

    def silently(self, state: int, after: int) -> None:
        self.silent.setdefault(state, set()).add(after)

    def follow(
        self, path: Path, start: int, end: int, *, backwards: bool = False, query: bool = False
    ) -> None:
        """Adds the moves along a path."""
        mode = {"backwards": backwards, "query": query}
        match path.kind:
            case "predicate":
                self.move(start, path.iri, end, **mode)
            case "inverse":
                self.follow(path.parts[0], start, end, backwards=not backwards, query=query)
            case "sequence":
                parts = path.parts[::-1] if backwards else path.parts
                ends = [*(self.new() for _ in parts[1:]), end]
                for part, after in zip(parts, ends, strict=True):
                    self.follow(part, start, after, **mode)
                    start = after
            case "alternative":
                for part in path.parts:
                    self.follow(part, start, end, **mode)
            case "zeroOrOne":
                self.silently(start, end)
                self.follow(path.parts[0], start, end, **mode)
            case _:
                middle = self.new()
                if path.kind == "zeroOrMore":
                    self.silently(start, middle)
                else:
                    self.follow(path.parts[0], start, middle, **mode)
                self.follow(path.parts[0], middle, middle, **mode)
                self.silently(middle, end)

    # -- shapes ------------------------------------------------------------------------------------

    def place(self, placement: Placement) -> None:
        """Adds what the constraints of a placed shape read."""
        focus = self.state("fs", placement.fs)
        value = focus if placement.vs is None else self.state("vs", placement.vs)
        for check in placement.checks:
            constraint = check.constraint
            if constraint.component in ("Equals", "Disjoint", "LessThan", "LessThanOrEquals"):
                self.move(focus, constraint.values[0], END)
            elif constraint.component == "Closed":
                self.move(value, "", END)
            elif constraint.query is not None:
                if not self.is_unbounded(placement, check):
                    self.query(placement, check)
            elif constraint.component == "Class" or (
                not check.others and self._names_classes(constraint)
            ):
                self.move(value, TYPE, END)

    def _names_classes(self, constraint: Constraint) -> bool:
        """Whether a class is asked for by a shape that is decided by the value alone."""
        return any(
            inner.component == "Class" or self._names_classes(inner)
            for name in (*constraint.shapes, *constraint.siblings)
            for inner in self.plan.shapes.shapes[name].constraints
        )

    def unbounded(self, placement: Placement) -> bool:
        """Whether a placed shape, or one that it uses, has an unbounded query."""
        if placement.number not in self._unbounded:
            self._unbounded[placement.number] = any(
                self.is_unbounded(placement, check)
                for check in placement.checks
                if check.constraint.query is not None
            ) or any(
                self.unbounded(other)
                for check in placement.checks
                for other in (*check.others, *check.siblings)
            )
        return self._unbounded[placement.number]

    # -- queries -----------------------------------------------------------------------------------

    def is_unbounded(self, placement: Placement, check: Check) -> bool:
        if check.k not in self._queries:
            try:
                _Builder(self.plan, self.reads_any).query(placement, check)
                self._queries[check.k] = False
            except (_Unbounded, AnyPredicate):
                self._queries[check.k] = True
        return self._queries[check.k]

    def query(self, placement: Placement, check: Check) -> None:
        """Adds what a query reads. Raises _Unbounded, or AnyPredicate where it is not understood."""
        constraint = check.constraint
        assert constraint.query is not None
        focus = self.state("fs", placement.fs)
        bound = {"?this": focus}
        if constraint.is_ask:
            bound["?value"] = focus if placement.vs is None else self.state("vs", placement.vs)
        joined = plain_join(placement.shape, constraint)  # compares spellings as paths do
        if not joined:
            # The spelling of a number or date is looked up among all values of its focus node.
            self.move(focus, "", END)
            self.queried.add(focus)
        parameters = {name for name, _ in constraint.query.parameters}
        _Query(
            self,
            frozenset(f"?{name}" for name in (*parameters, "currentShape", "shapesGraph")),
            is_text=bool(joined),
            roots=frozenset(bound) if self.reads_any else frozenset(),
        ).read(query_group(constraint.query.text), bound, frozenset(bound))

    # -- without silent moves ----------------------------------------------------------------------

    def without_silent_moves(self) -> _Moves:
        """The moves of each state and of those that nodes are in as well."""
        moves: _Moves = {}
        for state in self._states.values():
            same = {state: None}
            for item in (waiting := [state]):
                for after in self.silent.get(item, ()):
                    if after not in same:
                        same[after] = None
                        waiting.append(after)
            moves[state] = {move for item in same for move in self.moves.get(item, ())}
        return moves


@dataclass(frozen=True)
class _Query:
    """Reads a query's groups: each pattern must be joined to what is bound already, by its subject
    or else by its value.
    """

    builder: _Builder
    constants: frozenset[str]
    is_text: bool
    roots: frozenset[str]

    def read(self, group: Group, bound: Mapping[str, int], outer: frozenset[str]) -> dict[str, int]:
        """Adds the moves of a group; gives the variables that each of its solutions binds, with
        their states.

        `bound` are variables whose values the group's solutions share, `outer` those among them
        that are bound for its own OPTIONAL and EXISTS as well (SHACL pre-binds, EXISTS substitutes).
        """
        states = dict(bound)
        certain = {name: bound[name] for name in outer}
        before: dict[int, dict[str, int]] = {}
        waiting = [
            (at, item)
            for at, item in enumerate(group.elements)
            if isinstance(item, Pattern) or item.kind == "union"
        ]
        binding: dict[int, dict[str, int]] = {}
        while waiting:
            number = self._next([item for _, item in waiting], states)
            at, item = waiting.pop(number)
            if isinstance(item, Pattern):
                binding[at] = self._pattern(item, states)
            else:
                binding[at] = self._union(item, states)
            states |= binding[at]
        for at in range(len(group.elements)):
            before[at] = dict(certain)
            certain |= binding.get(at, {})
        for at, item in enumerate(group.elements):
            if isinstance(item, Nested) and item.kind != "union":
                names = certain if item.kind == "exists" else before[at]
                inner = (
                    frozenset(names)
                    if item.kind == "exists"
                    else self._pre_bound(item.groups[0], names)
                )
                self.read(item.groups[0], names, inner)
        return certain

    def _next(self, items: list[Pattern | Nested], states: Mapping[str, int]) -> int:
        """The element to be read next: patterns from their subjects come first."""
        by_subject, by_value, unions = [], [], []
        for number, item in enumerate(items):
            if isinstance(item, Nested):
                unions.append(number)
            elif item.subject in states:
                by_subject.append(number)
            elif item.value in states and item.path is not None:
                by_value.append(number)
        for number in (*by_subject, *by_value, *unions):
            return number
        raise _Unbounded

    def _pattern(self, pattern: Pattern, states: Mapping[str, int]) -> dict[str, int]:
        """Adds the moves of a pattern, and gives the variables that it binds."""
        backwards = pattern.subject not in states
        start, end = (
            (pattern.value, pattern.subject) if backwards else (pattern.subject, pattern.value)
        )
        is_new = bool(end) and end not in states and end not in self.constants
        after = self.builder.new() if is_new else END
        if pattern.path and start in self.roots and _may_be_empty(pattern.path):
            raise _Unbounded  # it begins at every node that any statement names
        if pattern.path is None:
            self.builder.move(states[start], "", after)
        else:
            if after == END:
                after = self.builder.state("end")
            self.builder.follow(
                pattern.path, states[start], after, backwards=backwards, query=not self.is_text
            )
        both = {name: states[name] for name in (start, end) if name in states}
        return both | ({end: after} if is_new else {})

    def _union(self, union: Nested, states: Mapping[str, int]) -> dict[str, int]:
        """Adds the moves of all branches, and gives the variables that each of them binds."""
        results = [
            self.read(group, states, self._pre_bound(group, states)) for group in union.groups
        ]
        common = set.intersection(*(set(result) for result in results))
        bound: dict[str, int] = {}
        for name in common:
            if name in states:
                bound[name] = states[name]
                continue
            bound[name] = self.builder.new()
            for result in results:
                self.builder.silently(result[name], bound[name])
        return bound

    def _pre_bound(self, group: Group, states: Mapping[str, int]) -> frozenset[str]:
        """What is bound at the beginning of a group of its own."""
        return frozenset({"?this"} & group.variables & set(states))


def _may_be_empty(path: Path) -> bool:
    """Whether a path leads from a node to itself over no statement."""
    parts = [_may_be_empty(part) for part in path.parts]
    match path.kind:
        case "zeroOrMore" | "zeroOrOne":
            return True
        case "predicate":
            return False
        case "sequence":
            return all(parts)
        case _:
            return any(parts)


# -- numbers ---------------------------------------------------------------------------------------


def _numbered(moves: _Moves, roots: Mapping[int, int]) -> tuple[list[Move], dict[int, int]]:
    """The moves with states numbered in the order in which they are reached, and the number of each
    state that reads anything; states with the same moves are one.
    """
    classes = _alike(moves)
    members = {number: state for state, number in classes.items()}
    starts = {fs: classes[state] for fs, state in sorted(roots.items()) if classes[state] != END}
    waiting = list(dict.fromkeys(starts.values()))
    order = {number: at for at, number in enumerate(waiting)}
    result = []
    for number in waiting:
        for predicate, backwards, after, by_value in sorted(moves[members[number]]):
            following = classes.get(after, END)
            if following != END and following not in order:
                order[following] = len(order)
                waiting.append(following)
            end = END if following == END else order[following]
            result.append(Move(order[number], predicate, backwards, end, by_value))
    read = {
        (item.state, item.predicate, item.backwards)
        for item in result
        if item.next != END or not item.predicate
    }
    needed = {
        item
        for item in result
        if item.next != END
        or not item.predicate
        or not read & {(item.state, name, item.backwards) for name in (item.predicate, "")}
    }
    return list(needed), {
        state: order[number] for state, number in classes.items() if number in order
    }


def _alike(moves: _Moves) -> dict[int, int]:
    """A number for each state, the same for those with the same moves; END where there are none."""
    classes = {state: 0 if some else END for state, some in moves.items()}
    while True:
        forms = {
            state: frozenset(
                (predicate, backwards, classes.get(after, END), by_value)
                for predicate, backwards, after, by_value in some
            )
            for state, some in moves.items()
        }
        numbers: dict[tuple[int, frozenset[object]], int] = {}
        refined = {
            state: END
            if not some
            else numbers.setdefault((classes[state], forms[state]), len(numbers))
            for state, some in moves.items()
        }
        if len(set(refined.values())) == len(set(classes.values())):
            return refined
        classes = refined
