"""Random graphs and shapes, and the results of both engines in a form that can be compared."""

from __future__ import annotations

import json
import random
from typing import Any

import duckdb
import pyoxigraph as ox

from lodpipe import shacl
from lodpipe.shacl.shapes_graph import Path, read_model

SH = "http://www.w3.org/ns/shacl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TYPE = f"<{RDF}type>"
EX = "http://example.org/"
Triple = tuple[str, str, str]
PREDICATES = [f"<{EX}{name}>" for name in "pqrt"]
CLASSES = [f"<{EX}{name}>" for name in ("A", "B", "C")]
NODES = [f"<{EX}n{number}>" for number in range(6)] + ["_:x", "_:y"]
LITERALS = [
    '"a"', '"b"', '"A b"', '""', '"äö"', '"line\\nbreak"', '"quote\\"d \\\\ back"', '"a"@en', '"b"@en', '"a"@de', '"a"@de-ch', '"7"', '"😀"',
    *(f'"{text}"^^<{XSD}{kind}>' for kind, texts in {
        "integer": ("1", "2", "10", "01", "-3", "x"), "decimal": ("1.0", "2.5", "10"), "double": ("1.0E0", "2.5", "INF"),
        "boolean": ("true", "false", "1"), "date": ("2020-01-31", "2020-02-30", "2021-05-01"), "byte": ("5", "300"),
        "dateTime": ("2020-01-31T10:00:00", "2020-01-31T10:00:00Z", "2020-01-31T12:00:00+05:00", "2020-01-31T09:30:00.5"),
        "gYear": ("2020", "1999"), "string2": ("a",),
    }.items() for text in texts),
]  # fmt: skip
PATTERNS = ["^a", "b$", "[a-z]", "A", "^.{1,2}$", r"\\d", "(?=a)a"]


def lit(value: object, kind: str = "integer") -> str:
    return f'"{value}"^^<{XSD}{kind}>'


class Maker:
    """Makes a random data graph and a random shapes graph."""

    def __init__(self, seed: random.Random) -> None:
        self.random = seed
        self.shapes: list[Triple] = []
        self.count = 0

    def data(self) -> list[Triple]:
        pick = self.random.choice
        triples = {(pick(NODES), TYPE, pick(CLASSES)) for _ in range(self.random.randint(1, 6))}
        for _ in range(self.random.randint(3, 22)):
            triples.add(
                (
                    pick(NODES),
                    pick(PREDICATES),
                    pick(NODES) if self.random.random() < 0.45 else pick(LITERALS),
                )
            )
        if self.random.random() < 0.4:
            triples.add(
                (CLASSES[1], "<http://www.w3.org/2000/01/rdf-schema#subClassOf>", CLASSES[0])
            )
        return sorted(triples)

    def add(self, s: str, name: str, o: str) -> None:
        self.shapes.append((s, name if name.startswith("<") else f"<{SH}{name}>", o))

    def blank(self) -> str:
        self.count += 1
        return f"_:b{self.count}"

    def list_of(self, members: list[str]) -> str:
        head = rest = f"<{RDF}nil>"
        for member in reversed(members):
            head = self.blank()
            self.add(head, f"<{RDF}first>", member)
            self.add(head, f"<{RDF}rest>", rest)
            rest = head
        return head

    def path(self, depth: int = 0, *, inverted: bool = False) -> str:
        """A path; below an inverse one without sequences (see shacl_exceptions, inverse-sequences)."""
        kinds = [
            "inverse",
            "alternative",
            "zeroOrMore",
            "oneOrMore",
            "zeroOrOne",
            *([] if inverted else ["sequence"]),
        ]
        kind = self.random.choice(["plain"] * 6 + kinds) if depth < 2 else "plain"
        inverted = inverted or kind == "inverse"
        if kind == "plain":
            return self.random.choice([*PREDICATES, *PREDICATES, TYPE])
        if kind == "sequence":
            return self.list_of([self.path(depth + 1), self.path(depth + 1)])
        node = self.blank()
        some = [
            self.path(depth + 1, inverted=inverted)
            for _ in range(2 if kind == "alternative" else 1)
        ]
        inner = self.list_of(some) if kind == "alternative" else some[0]
        self.add(node, f"{kind}Path", inner)
        return node

    def shape(self, depth: int, *, path: bool) -> str:
        """A shape with one to three constraints."""
        self.count += 1
        name = f"<{EX}S{self.count}>"
        self.add(name, TYPE, f"<{SH}{'PropertyShape' if path else 'NodeShape'}>")
        if path:
            self.add(name, "path", self.path())
        if self.random.random() < 0.3:
            self.add(name, "message", f'"broken {self.count}"@en')
            self.add(name, "message", f'"kaputt {self.count}"@de')
        if self.random.random() < 0.2:
            self.add(name, "severity", f"<{SH}{self.random.choice(['Info', 'Warning'])}>")
        if self.random.random() < 0.04:
            self.add(name, "deactivated", lit("true", "boolean"))
        kinds = self.random.sample(
            [*_ANY, *(_PROPERTY if path else ("closed",)), *(_NESTED if depth < 2 else ())],
            self.random.randint(1, 3),
        )
        for kind in dict.fromkeys(kinds):
            self.constraint(name, kind, depth)
        return name

    def constraint(self, name: str, kind: str, depth: int) -> None:
        pick, number = self.random.choice, self.random.randint
        simple: dict[str, Any] = {
            "class": lambda: pick(CLASSES), "datatype": lambda: f"<{XSD}{pick(['string', 'integer', 'date', 'decimal', 'boolean', 'dateTime'])}>",
            "nodeKind": lambda: f"<{SH}{pick(['IRI', 'BlankNode', 'Literal', 'BlankNodeOrIRI', 'BlankNodeOrLiteral', 'IRIOrLiteral'])}>",
            "minLength": lambda: lit(number(0, 4)), "maxLength": lambda: lit(number(0, 4)), "hasValue": lambda: pick(NODES[:6] + LITERALS),
            "equals": lambda: pick(PREDICATES), "disjoint": lambda: pick(PREDICATES), "minCount": lambda: lit(number(0, 3)),
            "maxCount": lambda: lit(number(0, 3)), "uniqueLang": lambda: lit("true", "boolean"),
            "lessThan": lambda: pick(PREDICATES), "lessThanOrEquals": lambda: pick(PREDICATES),
            "languageIn": lambda: self.list_of(['"de"', '"en"'][: number(1, 2)]),
            "in": lambda: self.list_of(self.random.sample([*NODES[:6], *LITERALS], 5)),
            **{name: lambda: pick([lit(2), lit("1.5", "decimal"), lit("2020-06-01", "date"), lit("2020-01-31T10:00:00Z", "dateTime"), '"b"'])
               for name in ("minInclusive", "maxInclusive", "minExclusive", "maxExclusive")},
        }  # fmt: skip
        if kind in simple:
            self.add(name, kind, simple[kind]())
        elif kind == "pattern":
            self.add(name, "pattern", f'"{pick(PATTERNS)}"')
            if self.random.random() < 0.3:
                self.add(name, "flags", '"i"')
        elif kind == "closed":
            self.add(name, "closed", lit("true", "boolean"))
            self.add(name, "ignoredProperties", self.list_of([TYPE, pick(PREDICATES)]))
        elif kind in ("and", "or", "xone"):
            self.add(
                name,
                kind,
                self.list_of(
                    [
                        self.shape(depth + 1, path=self.random.random() < 0.3)
                        for _ in range(number(1, 3))
                    ]
                ),
            )
        elif kind == "qualified":
            self.add(name, "qualifiedValueShape", self.shape(depth + 1, path=False))
            self.add(name, f"qualified{pick(['Min', 'Max'])}Count", lit(number(0, 2)))
            if self.random.random() < 0.3:
                self.add(name, "qualifiedValueShapesDisjoint", lit("true", "boolean"))
        else:
            self.add(
                name,
                kind,
                self.shape(
                    depth + 1,
                    path=kind == "property" or (kind == "not" and self.random.random() < 0.3),
                ),
            )

    def make(self) -> tuple[list[Triple], list[Triple]]:
        for _ in range(self.random.randint(1, 3)):
            name = self.shape(0, path=self.random.random() < 0.4)
            for _ in range(self.random.randint(1, 2)):
                kind = self.random.choice(["Class", "Class", "Node", "SubjectsOf", "ObjectsOf"])
                terms = {"Class": CLASSES, "Node": [*NODES[:6], *LITERALS[:8]]}.get(
                    kind, PREDICATES
                )
                self.add(name, f"target{kind}", self.random.choice(terms))
        return self.data(), sorted(set(self.shapes))


_ANY = ("class", "datatype", "nodeKind", "minLength", "maxLength", "pattern", "languageIn", "equals", "disjoint", "hasValue", "in",
        "minInclusive", "maxInclusive", "minExclusive", "maxExclusive")  # fmt: skip
_PROPERTY = (
    "minCount",
    "maxCount",
    "minCount",
    "maxCount",
    "uniqueLang",
    "lessThan",
    "lessThanOrEquals",
)
_NESTED = ("node", "property", "property", "and", "or", "xone", "not", "qualified")


# -- the results of both engines -------------------------------------------------------------------


def connection_with(
    data: list[Triple], connection: duckdb.DuckDBPyConnection | None = None
) -> duckdb.DuckDBPyConnection:
    connection = connection or duckdb.connect()
    connection.execute("CREATE OR REPLACE TABLE triples (s VARCHAR, p VARCHAR, o VARCHAR)")
    if data:
        rows = json.dumps([{"s": s, "p": p, "o": o} for s, p, o in data], ensure_ascii=False)
        kinds = '[{"s": "VARCHAR", "p": "VARCHAR", "o": "VARCHAR"}]'
        connection.execute(
            f"INSERT INTO triples SELECT DISTINCT s, p, o FROM (SELECT unnest(from_json(?, '{kinds}'), recursive := true))",
            [rows],
        )
    return connection


def flat(result: shacl.ValidationResult, own: frozenset[str]) -> tuple[Any, ...]:
    messages = tuple(sorted(result.messages)) if result.shape in own else ()
    details = tuple(sorted(flat(detail, own) for detail in result.details))
    return (
        result.focus,
        str(result.path or ""),
        result.value,
        result.component,
        result.shape,
        result.severity,
        messages,
        details,
    )


def report_text(report: shacl.Report) -> str:
    """A report as N-Triples, with its numbered blank nodes."""
    return "".join(f"{s} {p} {o} .\n" for s, p, o in shacl.report_triples(report.results))


def with_messages(shapes: list[Triple]) -> frozenset[str]:
    """The shapes whose messages both engines must report: those that have some."""
    return frozenset(s for s, p, _ in shapes if p == f"<{SH}message>")


def by_columns(
    data: list[Triple], shapes: list[Triple], connection: duckdb.DuckDBPyConnection | None = None
) -> list[tuple[Any, ...]]:
    report = shacl.validate(connection_with(data, connection), read_model(shapes))
    own = with_messages(shapes)
    return sorted(flat(result, own) for result in report.results)


def by_pyshacl(data: list[Triple], shapes: list[Triple]) -> list[tuple[Any, ...]]:
    import pyshacl
    import rdflib

    rdflib.NORMALIZE_LITERALS = False
    graphs = [
        rdflib.Graph().parse(data="".join(f"{s} {p} {o} .\n" for s, p, o in triples), format="nt")
        for triples in (data, shapes)
    ]
    _, report, _ = pyshacl.validate(graphs[0], shacl_graph=graphs[1], advanced=False, inplace=True)
    own = with_messages(shapes)
    names = blank_names(graphs[0])

    def result_of(node: Any) -> tuple[Any, ...]:
        def term(name: str) -> str:
            return spelt(report.value(node, rdflib.URIRef(SH + name)), names)

        messages = tuple(
            sorted(
                spelt(message, names)
                for message in report.objects(node, rdflib.URIRef(SH + "resultMessage"))
            )
        )
        details = tuple(
            sorted(
                result_of(detail) for detail in report.objects(node, rdflib.URIRef(SH + "detail"))
            )
        )
        path = report.value(node, rdflib.URIRef(SH + "resultPath"))
        shape = term("sourceShape")
        return (
            term("focusNode"), str(path_of(report, path)) if path is not None else "", term("value"), term("sourceConstraintComponent"), shape,
            term("resultSeverity"), messages if shape in own else (), details,
        )  # fmt: skip

    return sorted(
        result_of(result) for result in report.objects(None, rdflib.URIRef(SH + "result"))
    )


def blank_names(graph: Any) -> dict[str, str]:
    """rdflib gives blank nodes names of its own; they are all one here."""
    import rdflib

    return {
        node.n3(): "_:" for triple in graph for node in triple if isinstance(node, rdflib.BNode)
    }


def spelt(term: Any, names: dict[str, str]) -> str:
    """A term of rdflib in canonical N-Triples."""
    if term is None:
        return ""
    text = term.n3()
    if text[0] in "<_":
        return "_:" if text[0] == "_" else text
    (quad,) = ox.parse(f"<a:a> <a:a> {text} .", format=ox.RdfFormat.TURTLE)
    return str(quad.object)


def path_of(graph: Any, node: Any) -> Path:
    import rdflib

    if isinstance(node, rdflib.URIRef):
        return Path("predicate", node.n3())
    if graph.value(node, rdflib.RDF.first) is not None:
        return Path("sequence", parts=tuple(path_of(graph, item) for item in graph.items(node)))
    for kind in ("inverse", "zeroOrMore", "oneOrMore", "zeroOrOne", "alternative"):
        inner = graph.value(node, rdflib.URIRef(f"{SH}{kind}Path"))
        if inner is not None:
            members = graph.items(inner) if kind == "alternative" else [inner]
            return Path(kind, parts=tuple(path_of(graph, member) for member in members))
    raise AssertionError(node)


def nameless(results: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Results without the names of blank nodes."""

    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            items = tuple(plain(item) for item in value)
            return (
                tuple(sorted(items, key=repr))
                if items and all(isinstance(item, tuple) for item in items)
                else items
            )
        return "_:" if isinstance(value, str) and value.startswith("_:") else value

    return sorted((plain(result) for result in results), key=repr)
