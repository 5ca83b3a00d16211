"""A shapes graph as frozen values, read from its triples and checked: ill-formed and recursive
shapes are findings (LP605).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.rdf.namespaces import OWL, RDF, RDFS, SH, XSD
from lodpipe.rdf.terms import parse_literal
from lodpipe.shacl import query_rewriting as queries

TYPE, FIRST, REST, NIL = (f"<{RDF}{name}>" for name in ("type", "first", "rest", "nil"))
SUBCLASS, CLASS = f"<{RDFS}subClassOf>", f"<{RDFS}Class>"

Triple = tuple[str, str, str]


def sh(name: str) -> str:
    """A term of the SHACL vocabulary in N-Triples spelling."""
    return f"<{SH}{name}>"


class Path(Struct, frozen=True):
    """A property path (SHACL, 2.3.1): `kind` is predicate, inverse, sequence, alternative,
    zeroOrMore, oneOrMore or zeroOrOne.
    """

    kind: str
    iri: str = ""
    parts: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """The path in SPARQL's spelling.

        >>> str(Path("sequence", parts=(Path("predicate", "<a:p>"), Path("inverse", parts=(Path("predicate", "<a:q>"),)))))
        '<a:p>/^<a:q>'
        """
        if self.kind == "predicate":
            return self.iri
        inner = [
            str(part) if part.kind in ("predicate", "inverse") else f"({part})"
            for part in self.parts
        ]
        if self.kind == "inverse":
            return "^" + inner[0]
        if self.kind in _SUFFIX:
            return (
                inner[0] if self.parts[0].kind == "predicate" else f"({self.parts[0]})"
            ) + _SUFFIX[self.kind]
        return ("/" if self.kind == "sequence" else "|").join(inner)

    @property
    def predicates(self) -> frozenset[str]:
        """Every predicate that the path follows."""
        return (
            frozenset({self.iri})
            if self.kind == "predicate"
            else frozenset().union(*(part.predicates for part in self.parts))
        )


_SUFFIX = {"zeroOrMore": "*", "oneOrMore": "+", "zeroOrOne": "?"}


class Target(Struct, frozen=True):
    """What a shape is validated on: `kind` is class, node, subjectsOf, objectsOf or sparql (then
    `query` says which nodes).
    """

    kind: str
    term: str
    query: Query | None = None


class Query(Struct, frozen=True):
    """A SPARQL query with its prefix declarations in front, and the terms that its parameters are
    bound to.
    """

    text: str
    parameters: tuple[tuple[str, str], ...] = ()


class Constraint(Struct, frozen=True):
    """One constraint of a shape: the local name of its component (or a whole IRI) and its
    parameters.

    `values` are terms, `shapes` names of other shapes, `count` a number; `text` and `flags` belong
    to patterns; `query` and `messages` to SPARQL, with `source` the node of the shapes graph that
    holds the query.
    """

    component: str
    values: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    count: int = 0
    text: str = ""
    flags: str = ""
    query: Query | None = None
    is_ask: bool = False
    messages: tuple[str, ...] = ()
    source: str = ""

    @property
    def component_iri(self) -> str:
        """The IRI of the constraint component."""
        return (
            self.component
            if self.component.startswith("<")
            else sh(self.component + "ConstraintComponent")
        )


class Shape(Struct, frozen=True):
    """A node shape, or with a path a property shape."""

    name: str
    path: Path | None
    targets: tuple[Target, ...]
    constraints: tuple[Constraint, ...]
    severity: str
    messages: tuple[str, ...]
    deactivated: bool


@dataclass(frozen=True, eq=False)
class ShapesGraph:
    """All shapes by name, the triples they were read from, and the way from a name to its place."""

    shapes: Mapping[str, Shape]
    triples: tuple[Triple, ...] = field(repr=False, default=())
    origin: Callable[[str], Origin] = field(repr=False, default=lambda _: Origin("shapes"))

    @property
    def targeted(self) -> list[Shape]:
        """The shapes that look for their focus nodes themselves."""
        return [item for item in self.shapes.values() if item.targets and not item.deactivated]


class _Wrong(Exception):
    """A shape that is ill-formed; the reader collects these."""


def read_model(
    triples: Iterable[Triple], origin: Callable[[str], Origin] = lambda _: Origin("shapes")
) -> ShapesGraph:
    """The shapes of a shapes graph. Raises InvalidDeclaration with every ill-formed or recursive
    shape (LP605).
    """
    reader = _Reader(triples)
    shapes = reader.all()
    problems = reader.problems or list(_recursion(shapes))
    if problems:
        raise InvalidDeclaration(
            [
                Finding("LP605", origin(name), {"detail": f"{name}: {detail}"})
                for name, detail in problems
            ]
        )
    return ShapesGraph(shapes, tuple(reader.triples), origin)


def _recursion(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, str]]:
    """Shapes that refer to themselves, over others or directly; SHACL leaves open what they mean
    (3.4.3).
    """
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        if name in way:
            yield name, "the shape is recursive: " + " → ".join((*way[way.index(name) :], name))
            return
        if name in done or name not in shapes:
            return
        for constraint in shapes[name].constraints:
            for other in (*constraint.shapes, *constraint.siblings):
                yield from visit(other, (*way, name))
        done.add(name)

    for name in sorted(shapes):
        yield from visit(name, ())


# Parameters with one literal of whole number each.
_COUNTS = {
    "minCount": "MinCount",
    "maxCount": "MaxCount",
    "minLength": "MinLength",
    "maxLength": "MaxLength",
}
# Parameters of which each value is a constraint of its own: (parameter, component, what the value
# must be).
_TERMS = (
    ("class", "Class", "resource"), ("hasValue", "HasValue", "any"), ("equals", "Equals", "iri"), ("disjoint", "Disjoint", "iri"),
    ("lessThan", "LessThan", "iri"), ("lessThanOrEquals", "LessThanOrEquals", "iri"), ("minExclusive", "MinExclusive", "literal"),
    ("minInclusive", "MinInclusive", "literal"), ("maxExclusive", "MaxExclusive", "literal"), ("maxInclusive", "MaxInclusive", "literal"),
)  # fmt: skip
_ONCE = frozenset({
    "datatype", "nodeKind", "minCount", "maxCount", "minLength", "maxLength", "languageIn", "uniqueLang", "in", "closed", "ignoredProperties",
    "flags", "minExclusive", "minInclusive", "maxExclusive", "maxInclusive", "qualifiedMinCount", "qualifiedMaxCount",
    "qualifiedValueShapesDisjoint", "deactivated", "severity",
})  # fmt: skip
_PROPERTY_ONLY = frozenset({"minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals"})
NODE_KINDS = {
    "IRI": "<",
    "BlankNode": "_",
    "Literal": '"',
    "BlankNodeOrIRI": "_<",
    "BlankNodeOrLiteral": '_"',
    "IRIOrLiteral": '<"',
}
_TARGETS = {
    "targetClass": "class",
    "targetNode": "node",
    "targetSubjectsOf": "subjectsOf",
    "targetObjectsOf": "objectsOf",
}
_LISTED = {"and": "And", "or": "Or", "xone": "Xone"}
_SHAPES = {"node": "Node", "property": "Property", "not": "Not"}


_NOTHING: dict[str, list[str]] = {}


class _Reader:
    def __init__(self, triples: Iterable[Triple]) -> None:
        self.triples = list(dict.fromkeys(triples))
        # Predicates of SHACL by their local names, all others as they are.
        self.index: dict[str, dict[str, list[str]]] = {}
        start = len(SH) + 1
        for s, p, o in self.triples:
            self.index.setdefault(s, {}).setdefault(
                p[start:-1] if p.startswith("<" + SH) else p, []
            ).append(o)
        self.problems: list[tuple[str, str]] = []
        self.classes = self._classes(CLASS)
        components = self._classes(sh("ConstraintComponent"))
        self.components = sorted(
            s for s, properties in self.index.items() if components & set(properties.get(TYPE, ()))
        )

    def _classes(self, top: str) -> frozenset[str]:
        """A class of the shapes graph with all its subclasses."""
        below: dict[str, list[str]] = {}
        for s, p, o in self.triples:
            if p == SUBCLASS:
                below.setdefault(o, []).append(s)
        classes = [top]
        for item in classes:
            classes += [s for s in below.get(item, ()) if s not in classes]
        return frozenset(classes)

    def subjects(self, name: str, value: str) -> list[str]:
        return [s for s, properties in self.index.items() if value in properties.get(name, ())]

    def get(self, node: str, name: str) -> Sequence[str]:
        """The values of a property: the local name of one of SHACL, or the whole term of another."""
        return self.index.get(node, _NOTHING).get(name, ())

    def all(self) -> dict[str, Shape]:
        """Every shape: those that are typed or have a target, and all that they refer to."""
        kinds = {sh("NodeShape"), sh("PropertyShape")}
        targets = {*_TARGETS, "target"}
        waiting = [
            s
            for s, properties in self.index.items()
            if kinds & set(properties.get(TYPE, ())) or targets & properties.keys()
        ]
        shapes: dict[str, Shape] = {}
        while waiting:
            name = waiting.pop()
            if name in shapes:
                continue
            try:
                shapes[name] = self.shape(name)
            except _Wrong as error:
                self.problems.append((name, str(error)))
                shapes[name] = Shape(name, None, (), (), sh("Violation"), (), True)
            waiting += [
                other
                for constraint in shapes[name].constraints
                for other in (*constraint.shapes, *constraint.siblings)
            ]
        self._check_references(shapes)
        return dict(sorted(shapes.items()))

    def _check_references(self, shapes: Mapping[str, Shape]) -> None:
        for shape in shapes.values():
            for constraint in shape.constraints:
                for other in constraint.shapes:
                    if other in shapes and not shapes[other].deactivated:
                        if constraint.component == "Property" and shapes[other].path is None:
                            self.problems.append(
                                (shape.name, f"sh:property names {other}, which has no sh:path")
                            )
                        if constraint.component == "Node" and shapes[other].path is not None:
                            self.problems.append(
                                (shape.name, f"sh:node names {other}, which is a property shape")
                            )

    # -- one shape ---------------------------------------------------------------------------------

    def shape(self, name: str) -> Shape:
        if name.startswith('"'):
            raise _Wrong("a literal is not a shape")
        paths = self.get(name, "path")
        types = self.get(name, TYPE)
        if len(paths) > 1 or (not paths and sh("PropertyShape") in types):
            raise _Wrong(f"a property shape has exactly one sh:path, not {len(paths)}")
        if paths and sh("NodeShape") in types:
            raise _Wrong("a node shape has no sh:path")
        given = self.index.get(name, _NOTHING)
        for parameter in sorted(
            item for item, values in given.items() if len(values) > 1 and item in _ONCE
        ):
            raise _Wrong(f"sh:{parameter} is given more than once")
        for parameter in () if paths else sorted(_PROPERTY_ONLY & given.keys()):
            raise _Wrong(f"sh:{parameter} is for property shapes only")
        path = self.path(paths[0]) if paths else None
        severity = self.get(name, "severity") or [sh("Violation")]
        if not severity[0].startswith("<"):
            raise _Wrong("sh:severity is not an IRI")
        return Shape(
            name, path, tuple(self.targets(name, types)), tuple(self.constraints(name, path)), severity[0],
            tuple(sorted(self.get(name, "message"))), self.truth(name, "deactivated"),
        )  # fmt: skip

    def targets(self, name: str, types: Sequence[str]) -> Iterator[Target]:
        for parameter, kind in _TARGETS.items():
            for term in sorted(self.get(name, parameter)):
                if kind != "node" and not term.startswith("<"):
                    raise _Wrong(f"sh:{parameter} is not an IRI")
                yield Target(kind, term)
        if name.startswith("<") and self.classes & set(types):
            yield Target("class", name)
        for node in sorted(self.get(name, "target")):
            yield Target("sparql", node, self._target_query(node))

    def _target_query(self, node: str) -> Query:
        if self.get(node, "select"):
            return Query(self.query(node, "select"))
        for kind in self.get(node, TYPE):
            if self.get(kind, "select"):
                return Query(self.query(kind, "select"), tuple(self._bound(kind, node)))
        raise _Wrong("sh:target needs a sh:select")

    def path(self, node: str, above: tuple[str, ...] = ()) -> Path:
        """A path (SHACL, 2.3.1)."""
        if node in above:
            raise _Wrong("sh:path contains itself")
        if node.startswith('"'):
            raise _Wrong("sh:path is a literal")
        above = (*above, node)
        if self.get(node, FIRST):
            parts = tuple(self.path(item, above) for item in self.items(node))
            if len(parts) < 2:
                raise _Wrong("a sequence path has at least two members")
            return Path("sequence", parts=parts)
        if node.startswith("<"):
            return Path("predicate", node)
        kinds = ("inversePath", "alternativePath", *(f"{item}Path" for item in _SUFFIX))
        given = {name: values[0] for name in kinds if (values := self.get(node, name))}
        if len(given) != 1:
            raise _Wrong("sh:path is not a property path")
        ((kind, inner),) = given.items()
        if kind == "alternativePath":
            parts = tuple(self.path(item, above) for item in self.items(inner))
            if len(parts) < 2:
                raise _Wrong("an alternative path has at least two members")
            return Path("alternative", parts=parts)
        return Path(kind.removesuffix("Path"), parts=(self.path(inner, above),))

    def items(self, node: str) -> list[str]:
        """The members of a list."""
        items: list[str] = []
        seen = set()
        while node != NIL:
            first, rest = self.get(node, FIRST), self.get(node, REST)
            if node in seen or len(first) != 1 or len(rest) != 1:
                raise _Wrong(f"{node} is not a well-formed list")
            seen.add(node)
            items.append(first[0])
            node = rest[0]
        return items

    def whole(self, term: str, parameter: str) -> int:
        value = parse_literal(term)
        if value is None or value.language or not (value.datatype or XSD).startswith(XSD):
            raise _Wrong(f"sh:{parameter} is not a whole number")
        try:
            number = int(value.text)
        except ValueError:
            raise _Wrong(f"sh:{parameter} is not a whole number") from None
        if number < 0:
            raise _Wrong(f"sh:{parameter} is less than zero")
        return number

    def truth(self, name: str, parameter: str) -> bool:
        for term in self.get(name, parameter):
            value = parse_literal(term)
            if (
                value is None
                or value.datatype != XSD + "boolean"
                or value.text not in ("true", "false", "1", "0")
            ):
                raise _Wrong(f"sh:{parameter} is neither true nor false")
            return value.text in ("true", "1")
        return False

    # -- constraints -------------------------------------------------------------------------------

    def constraints(self, name: str, path: Path | None) -> Iterator[Constraint]:
        for parameter, component, kind in _TERMS:
            for term in sorted(self.get(name, parameter)):
                if (kind == "literal" and not term.startswith('"')) or (
                    kind == "iri" and not term.startswith("<")
                ):
                    raise _Wrong(f"sh:{parameter} is no {'IRI' if kind == 'iri' else 'literal'}")
                yield Constraint(component, (term,))
        for parameter, component in _COUNTS.items():
            for term in self.get(name, parameter):
                yield Constraint(component, count=self.whole(term, parameter))
        for term in self.get(name, "datatype"):
            if not term.startswith("<"):
                raise _Wrong("sh:datatype is not an IRI")
            yield Constraint("Datatype", (term,))
        for term in self.get(name, "nodeKind"):
            if term[len(SH) + 1 : -1] not in NODE_KINDS:
                raise _Wrong(f"{term} is no node kind")
            yield Constraint("NodeKind", (term[len(SH) + 1 : -1],))
        yield from self._texts(name)
        yield from self._shapes(name)
        if path is not None:  # on node shapes the parameters mean nothing
            yield from self._qualified(name)
        if self.truth(name, "closed"):
            yield Constraint("Closed", tuple(sorted(self._open(name))))
        yield from self._sparql(name, path)
        yield from self._custom(name, path)

    def _texts(self, name: str) -> Iterator[Constraint]:
        flags = "".join(
            value.text for item in self.get(name, "flags") if (value := parse_literal(item))
        )
        for term in sorted(self.get(name, "pattern")):
            value = parse_literal(term)
            if value is None:
                raise _Wrong("sh:pattern is not a literal")
            yield Constraint("Pattern", text=value.text, flags=flags)
        for node in self.get(name, "languageIn"):
            ranges = [parse_literal(item) for item in self.items(node)]
            if None in ranges:
                raise _Wrong("sh:languageIn is not a list of language ranges")
            yield Constraint("LanguageIn", tuple(range_.text for range_ in ranges if range_))
        if self.truth(name, "uniqueLang") and f'"true"^^<{XSD}boolean>' in self.get(
            name, "uniqueLang"
        ):  # "1" is not `true` here (4.4.5)
            yield Constraint("UniqueLang")
        for node in self.get(name, "in"):
            yield Constraint("In", tuple(self.items(node)))

    def _shapes(self, name: str) -> Iterator[Constraint]:
        for parameter, component in _SHAPES.items():
            for other in sorted(self.get(name, parameter)):
                if (
                    other in self.index or parameter != "property" or not other.startswith("<")
                ):  # else not defined: a warning (LP611)
                    yield Constraint(component, shapes=(other,))
        for parameter, component in _LISTED.items():
            for node in sorted(self.get(name, parameter)):
                members = self.items(node)
                if not members:
                    raise _Wrong(f"sh:{parameter} has no members")
                yield Constraint(component, shapes=tuple(members))

    def _qualified(self, name: str) -> Iterator[Constraint]:
        counts = {item: self.get(name, f"qualified{item}") for item in ("MinCount", "MaxCount")}
        shapes = sorted(self.get(name, "qualifiedValueShape"))
        if not shapes:
            return
        if not any(counts.values()):
            raise _Wrong(
                "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount"
            )
        disjoint = self.truth(name, "qualifiedValueShapesDisjoint")
        for other in shapes:
            siblings = tuple(sorted(self._siblings(name) - {other})) if disjoint else ()
            for kind, terms in counts.items():
                for term in terms:
                    yield Constraint(
                        f"Qualified{kind}",
                        shapes=(other,),
                        siblings=siblings,
                        count=self.whole(term, f"qualified{kind}"),
                    )

    def _siblings(self, name: str) -> set[str]:
        """The sibling shapes of a qualified value shape (SHACL, 4.7.3)."""
        parents = self.subjects("property", name)
        return {
            shape
            for parent in parents
            for item in self.get(parent, "property")
            for shape in self.get(item, "qualifiedValueShape")
        }

    def _open(self, name: str) -> set[str]:
        """The predicates that a closed shape allows."""
        paths = {
            path
            for item in self.get(name, "property")
            for path in self.get(item, "path")
            if path.startswith("<")
        }
        return paths | {
            item for node in self.get(name, "ignoredProperties") for item in self.items(node)
        }

    # -- SPARQL ------------------------------------------------------------------------------------

    def query(self, node: str, parameter: str) -> str:
        """The query of a node with its prefixes in front (SHACL, 5.2.1)."""
        terms = self.get(node, parameter)
        value = parse_literal(terms[0]) if len(terms) == 1 else None
        if value is None:
            raise _Wrong(f"{node} has no single sh:{parameter}")
        prefixes: dict[str, str] = {}
        for holder in self._holders(node):
            for declaration in self.get(holder, "declare"):
                name, namespace = (
                    parse_literal(item)
                    for part in ("prefix", "namespace")
                    for item in self.get(declaration, part)
                )
                if name is not None and namespace is not None:
                    prefixes[name.text] = namespace.text
        return (
            "".join(
                f"PREFIX {name}: <{namespace}>\n" for name, namespace in sorted(prefixes.items())
            )
            + value.text
        )

    def _holders(self, node: str) -> list[str]:
        """What declares the prefixes of a query: the values of sh:prefixes, and what they import."""
        holders = list(self.get(node, "prefixes"))
        for item in holders:
            holders += [
                other for other in self.get(item, f"<{OWL}imports>") if other not in holders
            ]
        return holders

    def _sparql(self, name: str, path: Path | None) -> Iterator[Constraint]:
        for node in sorted(self.get(name, "sparql")):
            if self.truth(node, "deactivated"):
                continue
            query = Query(_with_path(self.query(node, "select"), path))
            if detail := queries.problem(query.text):
                raise _Wrong(detail)
            yield Constraint(
                "SPARQL",
                query=query,
                messages=tuple(sorted(self.get(node, "message"))),
                source=node,
            )

    def _custom(self, name: str, path: Path | None) -> Iterator[Constraint]:
        """Constraints of components that the shapes graph itself declares (SHACL, 6)."""
        for component in self.components:
            required = [
                self.get(item, "path")
                for item in self.get(component, "parameter")
                if not self.truth(item, "optional")
            ]
            if not required or not all(paths and self.get(name, paths[0]) for paths in required):
                continue
            validators = self.get(
                component, "propertyValidator" if path else "nodeValidator"
            ) or self.get(component, "validator")
            if not validators:
                raise _Wrong(f"{component} has no validator for this shape")
            is_ask = bool(self.get(validators[0], "ask"))
            text = _with_path(self.query(validators[0], "ask" if is_ask else "select"), path)
            messages = self.get(validators[0], "message") or self.get(component, "message")
            query = Query(text, tuple(self._bound(component, name)))
            if detail := queries.problem(text, ("this", "value") if is_ask else ("this",)):
                raise _Wrong(detail)
            yield Constraint(
                component, query=query, is_ask=is_ask, messages=tuple(sorted(messages))
            )

    def _bound(self, declared: str, node: str) -> Iterator[tuple[str, str]]:
        """The parameters that a component (or target type) declares, with the values that a node
        has for them.
        """
        for parameter in self.get(declared, "parameter"):
            for path in self.get(parameter, "path"):
                for value in self.get(node, path)[:1]:
                    yield path[1:-1].replace("#", "/").rsplit("/", 1)[-1], value


def _with_path(text: str, path: Path | None) -> str:
    if path is None:
        return text
    return text.replace("$PATH", f"({path})" if path.kind != "predicate" else str(path)).replace(
        "?PATH", str(path)
    )
