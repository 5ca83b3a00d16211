"""Reads RML in Turtle into the model: RML-Core (https://w3id.org/rml/core/spec), the RML before it,
and R2RML (https://www.w3.org/TR/r2rml/).

The three vocabularies are read as one; all that has no counterpart in the model is reported, never
passed over.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote as percent_encoded

import pyoxigraph as ox
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, invalid_rdf
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.mapping.model import (
    RDF_TYPE,
    Expression,
    Join,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TermType,
    TriplesMap,
)
from lodpipe.rdf.datatypes import LANGUAGE_TAG
from lodpipe.rdf.namespaces import XSD
from lodpipe.sources.jsonpath import PathError
from lodpipe.sources.jsonpath import parse as parse_path

RML = "http://w3id.org/rml/"
DEFAULT_GRAPH = RML + "defaultGraph"
_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"

# Namespace → the prefix that messages write; the first group is one vocabulary to us, the second
# only describes sources.
_MAPPING = {
    RML: "rml",
    "http://semweb.mmlab.be/ns/rml#": "rml",
    "http://semweb.mmlab.be/ns/ql#": "ql",
    "http://www.w3.org/ns/r2rml#": "rr",
    "http://semweb.mmlab.be/ns/fnml#": "fnml",
}
_OTHERS = {
    "http://www.wiwiss.fu-berlin.de/suhl/bizer/D2RQ/0.1#": "d2rq",
    "http://www.w3.org/ns/csvw#": "csvw",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
}
_NAMESPACES = _MAPPING | _OTHERS
_WORDS = frozenset(_MAPPING.values())
_SAME = {"column": "reference", "logicalTable": "logicalSource"}  # R2RML's name → RML's

# What each kind of node may say.
_EXPRESSION = {"constant", "reference", "template", "termType"}
_TERM = _EXPRESSION | {"inverseExpression"}
_SUBJECT = _TERM | {"class", "graph", "graphMap"}
_OBJECT = _TERM | {"datatype", "datatypeMap", "language", "languageMap"}
_REFERENCING = {"parentTriplesMap", "joinCondition"}
_JOIN = {"child", "childMap", "parent", "parentMap"}
_RULE = {"predicate", "predicateMap", "object", "objectMap", "graph", "graphMap"}
_TRIPLES_MAP = {"logicalSource", "subject", "subjectMap", "predicateObjectMap", "baseIRI"}
_ACCESS = {"null", "encoding", "compression"}
_LOGICAL_SOURCE = {
    "source",
    "referenceFormulation",
    "iterator",
    "query",
    "tableName",
    "sqlQuery",
    "sqlVersion",
} | _ACCESS
_SOURCE = {"root", "path"} | _ACCESS
_KNOWN = (
    _SUBJECT | _OBJECT | _REFERENCING | _JOIN | _RULE | _TRIPLES_MAP | _LOGICAL_SOURCE | _SOURCE
)
# Parts of RML's modules (functions, collections, views, RDF-star, targets) that the model has no
# place for.
_UNSUPPORTED = {
    "strategy", "logicalTarget", "target", "serialization", "functionExecution", "functionValue", "function", "return", "returnMap", "input",
    "inputValueMap", "inputValue", "parameter", "parameterMap", "gather", "gatherAs", "allowEmptyListAndContainer", "quotedTriplesMap",
    "viewOn", "field", "fieldName", "leftJoin", "innerJoin", "structuralAnnotation", "namespace", "namespacePrefix", "namespaceURL",
    "condition", "version",
}  # fmt: skip
# The properties and classes of other vocabularies by which sources are described; the second are
# known, and not supported.
_DESCRIBING = {
    "csvw": ({"url", "null", "dialect", "delimiter", "quoteChar", "encoding", "header", "doubleQuote", "Table", "Dialect"},
             {"commentPrefix", "headerRowCount", "lineTerminators", "skipBlankRows", "skipColumns", "skipInitialSpace", "skipRows", "trim",
              "TableGroup", "tableSchema"}),
    "d2rq": ({"jdbcDSN", "jdbcDriver", "username", "password", "Database"}, {"resultSizeLimit", "fetchSize", "startupSQLScript"}),
    "rdf": ({"type", "first", "rest", "value"}, set()),
}  # fmt: skip
_CLASSES = {
    "TriplesMap", "TermMap", "SubjectMap", "PredicateMap", "ObjectMap", "GraphMap", "PredicateObjectMap", "RefObjectMap", "ExpressionMap",
    "LanguageMap", "DatatypeMap", "ChildMap", "ParentMap", "Join", "AbstractLogicalSource", "Iterable", "LogicalSource", "LogicalTable",
    "BaseTableOrView", "R2RMLView", "Source", "FilePath", "RelativePath", "RelativePathSource", "ReferenceFormulation",
    "XPathReferenceFormulation",
}  # fmt: skip

_TERM_TYPES: dict[str, TermType] = {
    "IRI": "iri", "URI": "uri", "UnsafeIRI": "unsafe-iri", "UnsafeURI": "unsafe-uri", "BlankNode": "blank", "Literal": "literal",
}  # fmt: skip
Role = Literal["subject", "predicate", "object", "graph", "datatype", "language"]
_IRIS: frozenset[TermType] = frozenset({"iri", "uri", "unsafe-iri", "unsafe-uri"})
_ALLOWED: dict[Role, frozenset[TermType]] = {
    "subject": _IRIS | {"blank"},
    "predicate": _IRIS,
    "object": _IRIS | {"blank", "literal"},
    "graph": _IRIS,
    "datatype": _IRIS,
    "language": frozenset({"literal"}),
}

Kind = Literal["table", "query", "csv", "json", "jsonl", "yaml", "parquet", "sql"]
_FORMULATIONS: dict[str, Kind] = {
    "CSV": "csv", "JSONPath": "json", "JSONL": "jsonl", "YAML": "yaml", "Parquet": "parquet", "SQL2008Table": "table", "SQL2008Query": "query",
    "SQL2008": "query",
}  # fmt: skip
# RML has one formulation for all that JSONPath can address; what the file is, its name says.
_SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".parquet": "parquet",
}
_SQL: frozenset[Kind] = frozenset({"table", "query", "sql"})
_PATHS: frozenset[Kind] = frozenset({"json", "jsonl", "yaml"})

_TEMPLATE = re.compile(r"\\(.?)|([{}])|[^\\{}]+", re.DOTALL)
_NOT_IN_IRI = re.compile(r"""[\x00-\x20<>"{}|^`\\]""")
_DELIMITED = re.compile(r'"((?:[^"]|"")+)"')
_PRIMARY = re.compile(r"[A-Za-z]{2,3}(-|$)|[ixIX]-")

T = TypeVar("T")


def read_rml(path: Path, name: str, base: str) -> MappingDocument:
    """The mapping in a Turtle file; `base` resolves its relative IRIs.

    Raises InvalidDeclaration with every problem found (LP602), or with the syntax error (LP603).
    """
    return read_rml_text(path.read_bytes(), name, base)


def read_rml_text(turtle: str | bytes, name: str, base: str) -> MappingDocument:
    """The mapping in a Turtle text; see read_rml."""
    nodes, prefixes = _parse(turtle.encode() if isinstance(turtle, str) else turtle, name, base)
    reader = _Reader(
        name,
        nodes,
        prefixes,
        (turtle if isinstance(turtle, str) else turtle.decode("utf-8", "replace")).split("\n"),
    )
    document = reader.document()
    if reader.findings:
        raise InvalidDeclaration(reader.findings)
    return document


# -- the graph, with lines -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Value:
    """One statement about a node: its property as messages write it, its object, and its line."""

    written: str
    term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
    line: int

    @property
    def text(self) -> str:
        return str(self.term) if isinstance(self.term, ox.Triple) else self.term.value


@dataclass
class _Node:
    """A subject of the graph: its values under the names of their properties, and its first line."""

    term: ox.NamedNode | ox.BlankNode | ox.Triple
    line: int
    items: dict[str, list[_Value]] = field(default_factory=dict)

    def all(self, *names: str) -> list[_Value]:
        """The values of some properties, in the order of their lines."""
        return sorted(
            (value for name in names for value in self.items.get(name, ())),
            key=lambda item: item.line,
        )


class _Lines:
    """A file that gives one line at each read, so that the parser has read no further than the
    statement it yields.
    """

    def __init__(self, data: bytes) -> None:
        self.lines = data.split(b"\n")
        self.number = 0
        self.rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self.rest and self.number < len(self.lines):
            self.rest = self.lines[self.number] + (
                b"\n" if self.number + 1 < len(self.lines) else b" "
            )
            self.number += 1
        size = len(self.rest) if size < 0 else size
        chunk, self.rest = self.rest[:size], self.rest[size:]
        return chunk

    def line_of(self, term: object) -> int:
        """The line on which a statement's object begins; a literal is known to be complete only at
        the token behind it.
        """
        number = self.number
        if isinstance(term, ox.Literal):
            while number > 1 and self.lines[number - 1].lstrip()[:1] in (
                b"",
                b"]",
                b";",
                b",",
                b".",
                b"#",
            ):
                number -= 1
            number -= term.value.count("\n")
        return max(number, 1)


def _parse(data: bytes, name: str, base: str) -> tuple[dict[object, _Node], dict[str, str]]:
    """The nodes of the graph in their order of appearance as subjects, and the prefixes. Raises
    InvalidDeclaration (LP603).
    """
    lines = _Lines(data)
    nodes: dict[object, _Node] = {}
    seen: set[tuple[str, str, str]] = set()
    try:
        parser = ox.parse(lines, format=ox.RdfFormat.TURTLE, base_iri=base)  # type: ignore[arg-type]  # read() is all it calls
        for quad in parser:
            subject, predicate, term = quad.subject, quad.predicate, quad.object
            line = lines.line_of(term)
            node = nodes.setdefault(subject, _Node(subject, line))
            node.line = min(node.line, line)
            key = (str(subject), str(predicate), str(term))
            if key not in seen:  # a graph is a set
                seen.add(key)
                node.items.setdefault(_property(predicate.value), []).append(
                    _Value(_written(predicate.value), term, line)
                )
    except SyntaxError as error:
        raise InvalidDeclaration([invalid_rdf(name, "Turtle", error)]) from None
    return nodes, dict(parser.prefixes)


def _split(iri: str) -> tuple[str, str]:
    """The prefix of a vocabulary read here and the name in it, or an empty prefix and the IRI."""
    for namespace, prefix in _NAMESPACES.items():
        if iri.startswith(namespace) and "/" not in iri[len(namespace) :]:
            return prefix, iri[len(namespace) :]
    return "", iri


def _property(iri: str) -> str:
    """The name a property is read by: without prefix in the vocabularies that are one to us."""
    prefix, name = _split(iri)
    if prefix in _WORDS:
        return _SAME.get(name, name)
    return f"{prefix}:{name}" if prefix else iri


def _written(iri: str) -> str:
    prefix, name = _split(iri)
    return f"{prefix}:{name}" if prefix else f"<{iri}>"


# -- the mapping -----------------------------------------------------------------------------------


class _Wrong(Exception):
    """Stops reading one part of the mapping; the finding is already noted."""


class _Reader:
    def __init__(
        self, file: str, nodes: dict[object, _Node], prefixes: dict[str, str], lines: list[str]
    ) -> None:
        self.file, self.nodes, self.prefixes, self.lines = file, nodes, prefixes, lines
        self.names = _names(node for node in nodes.values() if _is_triples_map(node))
        self.sources: dict[object, LogicalSource | None] = {}
        self.misspelt: set[object] = set()
        self.findings: list[Finding] = []

    # -- helpers -----------------------------------------------------------------------------------

    def origin(self, line: int) -> Origin:
        return Origin(self.file, line)

    def wrong(self, line: int, detail: str) -> _Wrong:
        self.findings.append(Finding("LP602", self.origin(line), {"detail": detail}))
        return _Wrong()

    def each(self, values: Iterable[_Value], read: Callable[[_Value], T]) -> tuple[T, ...]:
        """What can be read of some values; the findings on the others are noted."""
        return tuple(item for value in values for item in self.attempt(read, value))

    def attempt(self, read: Callable[[_Value], T], value: _Value) -> Iterator[T]:
        try:
            yield read(value)
        except _Wrong:
            return

    def single(self, node: _Node, what: str, *names: str) -> _Value | None:
        """The only value of some properties that exclude each other, if there is one."""
        values = node.all(*names)
        if len(values) > 1:
            raise self.wrong(
                values[1].line,
                f"{what} has {' and '.join(f'`{value.written}`' for value in values)}; only one can be",
            )
        return values[0] if values else None

    def node(self, value: _Value, what: str) -> _Node:
        """The node that a value names."""
        if isinstance(value.term, ox.Literal | ox.Triple):
            raise self.wrong(value.line, f"`{value.written}` names {what}, not a value")
        if value.term not in self.nodes:
            raise self.wrong(
                value.line,
                f"`{value.written}`: there are no statements about {what} {_rendered(value.term)}",
            )
        return self.nodes[value.term]

    def text(self, value: _Value) -> str:
        if not isinstance(value.term, ox.Literal):
            raise self.wrong(value.line, f"`{value.written}` is a text")
        return value.text

    def iri(self, value: _Value) -> str:
        if not isinstance(value.term, ox.NamedNode):
            raise self.wrong(
                value.line, f"`{value.written}` is an IRI, found {_rendered(value.term)}"
            )
        return value.text

    def optional_text(self, node: _Node, what: str, *names: str) -> str | None:
        value = self.single(node, what, *names)
        return None if value is None else self.text(value)

    def only(self, node: _Node, what: str, allowed: set[str]) -> None:
        """Notes properties of the wrong node."""
        for name, values in node.items.items():
            if name in _KNOWN and name not in allowed:
                self.wrong(values[0].line, f"`{values[0].written}` does not belong to {what}")

    # -- document ----------------------------------------------------------------------------------

    def document(self) -> MappingDocument:
        for node in self.nodes.values():
            self.check_words(node)
        maps: dict[str, TriplesMap] = {}
        for term, name in self.names.items():
            try:
                maps[name] = self.triples_map(self.nodes[term], name)
            except _Wrong:
                continue
        if not self.names:
            self.wrong(0, "the file contains no triples map")
        return MappingDocument(maps, prefixes=self.prefixes)

    def check_words(self, node: _Node) -> None:
        """Notes words of the mapping vocabularies that do not exist there, or that have no
        counterpart here.
        """
        unsupported = False
        for name, values in node.items.items():
            prefix, _, word = values[0].written.partition(":")
            if prefix in _DESCRIBING:
                self.check_describing(prefix, word, values[0], is_class=False)
            if not prefix.isalnum():
                self.check_namespace(name, values[0])
            if prefix not in _WORDS or name in _KNOWN:
                continue
            beyond = name in _UNSUPPORTED or prefix == "fnml"
            detail = (
                "is not supported"
                if beyond
                else f"does not exist{did_you_mean(word, sorted(_KNOWN | set(_SAME)))}"
            )
            self.wrong(self.line_of(word, values[0]), f"`{values[0].written}` {detail}")
            self.misspelt.add(node.term)
            unsupported |= beyond
        for value in () if unsupported else node.all("rdf:type"):
            prefix, word = _split(value.text)
            if prefix in _DESCRIBING:
                self.check_describing(prefix, word, value, is_class=True)
            if prefix in _WORDS and word not in _CLASSES:
                self.wrong(
                    value.line,
                    f"class `{prefix}:{word}` is not known{did_you_mean(word, sorted(_CLASSES))}",
                )

    def check_describing(self, prefix: str, word: str, value: _Value, *, is_class: bool) -> None:
        """Notes words of vocabularies that describe sources, where they do not exist."""
        known, unsupported = (
            {item for item in words if item[0].isupper() == is_class}
            for words in _DESCRIBING[prefix]
        )
        if word in unsupported:
            self.wrong(self.line_of(word, value), f"`{prefix}:{word}` is not supported")
        elif word not in known:
            self.wrong(
                self.line_of(word, value),
                f"`{prefix}:{word}` does not exist{did_you_mean(word, sorted(known | unsupported))}",
            )

    def check_namespace(self, iri: str, value: _Value) -> None:
        """Notes a word of the mapping vocabularies in a namespace that is nearly one of theirs."""
        match = re.fullmatch(r"(.*?)([A-Za-z]+)", iri)
        if match and match[2] in _KNOWN | set(_SAME) and (near := did_you_mean(match[1], _MAPPING)):
            self.wrong(self.line_of(match[2], value), f"namespace <{match[1]}> is not known{near}")

    def line_of(self, word: str, value: _Value) -> int:
        """The line of a property or class: its own where it is there, else the next one above, for
        its value may begin further down.
        """
        named = re.compile(rf"[:/#]{re.escape(word)}(?![\w-])")
        lines = range(value.line, max(0, value.line - 200), -1)
        return next(
            (
                line
                for line in lines
                if line <= len(self.lines) and named.search(self.lines[line - 1])
            ),
            value.line,
        )

    def triples_map(self, node: _Node, name: str) -> TriplesMap:
        self.only(node, f"triples map `{name}`", _TRIPLES_MAP)
        source = self.source_of(node, name)
        terms = _Terms(self, source)
        subjects = self.each(self.subject_of(node, name), terms.subject)
        rules = self.each(node.all("predicateObjectMap"), terms.rule)
        base = self.single(node, f"triples map `{name}`", "baseIRI")
        terms.check_columns()
        if source is None or not subjects:
            raise _Wrong
        (subject, graphs, classes) = subjects[0]
        base_iri = None if base is None else self.iri(base)
        return TriplesMap(
            name, source, subject, graphs, (*classes, *rules), self.origin(node.line), base_iri
        )

    def subject_of(self, node: _Node, name: str) -> list[_Value]:
        values = node.all("subject", "subjectMap")
        if len(values) != 1 and (values or node.term not in self.misspelt):
            line = values[1].line if values else node.line
            self.wrong(
                line,
                f"triples map `{name}` has {_count(values, 'subject map')}; it needs exactly one",
            )
        return values[:1]

    # -- logical sources ---------------------------------------------------------------------------

    def source_of(self, node: _Node, name: str) -> LogicalSource | None:
        """The logical source of a triples map, read once; None where it is wrong."""
        if node.term not in self.sources:
            values = node.all("logicalSource")
            if len(values) != 1 and (values or node.term not in self.misspelt):
                line = values[1].line if values else node.line
                self.wrong(
                    line,
                    f"triples map `{name}` has {_count(values, 'logical source')}; it needs exactly one",
                )
            self.sources[node.term] = next(iter(self.each(values[:1], self.source)), None)
        return self.sources[node.term]

    def source(self, value: _Value) -> LogicalSource:
        node = self.node(value, "a logical source")
        self.only(node, "a logical source", _LOGICAL_SOURCE)
        self.check_access(node)
        nulls = tuple(self.text(item) for item in node.all("null"))
        access = self.single(node, "a logical source", "source")
        formulation = self.formulation(node)
        if access is None:
            source = self.without_access(node, formulation)
        elif isinstance(access.term, ox.Literal):
            source = self.named_access(node, access.text, formulation)
        else:
            source, more = self.described_access(node, self.node(access, "a source"), formulation)
            nulls += more
        return replace(source, nulls=nulls)

    def formulation(self, node: _Node) -> Kind | None:
        """What the references of a source are written in; None where none is declared."""
        value = self.single(node, "a logical source", "referenceFormulation")
        if value is None:
            return None
        _, word = _split(value.text)
        if not isinstance(value.term, ox.NamedNode) or word not in _FORMULATIONS:
            raise self.wrong(
                value.line,
                f"reference formulation {_rendered(value.term)} is not supported; {', '.join(_FORMULATIONS)} are",
            )
        return _FORMULATIONS[word]

    def check_access(self, node: _Node) -> None:
        """Files are UTF-8 and not compressed; versions of SQL are named by IRIs of which R2RML
        defines one.
        """
        for name, plain in (("encoding", "UTF-8"), ("compression", "none")):
            for value in node.all(name):
                if _split(value.text)[1] != plain:
                    self.wrong(
                        value.line,
                        f"`{value.written}` {_rendered(value.term)} is not supported; `rml:{plain}` is",
                    )
        for value in node.all("sqlVersion"):
            prefix, word = _split(self.iri(value))
            if prefix in _WORDS and word != "SQL2008":
                self.wrong(
                    value.line, f"there is no SQL version `{prefix}:{word}`; `rr:SQL2008` is"
                )

    def without_access(self, node: _Node, formulation: Kind | None) -> LogicalSource:
        """R2RML's tables and views wait for the database that the caller gives; a query without
        source is one over the record tables.
        """
        what = "a logical source"
        given = self.single(node, what, "tableName", "sqlQuery", "query") or self.single(
            node, what, "iterator"
        )
        name = next(
            (name for name in ("tableName", "sqlQuery", "query", "iterator") if name in node.items),
            "",
        )
        if given is None or (name == "iterator" and formulation not in ("table", "query")):
            raise self.wrong(
                node.line,
                "a logical source needs `rml:source`, `rml:query`, `rr:tableName` or `rr:sqlQuery`",
            )
        text, origin = self.text(given), self.origin(given.line)
        if name == "tableName":
            return LogicalSource("sql", _all_of(text), origin)
        if name == "iterator" and formulation == "table":
            return LogicalSource("table", _undelimited(text), origin)
        return LogicalSource("sql" if name == "sqlQuery" else "query", _query(text), origin)

    def named_access(self, node: _Node, name: str, formulation: Kind | None) -> LogicalSource:
        """`rml:source` with a text: the path of a file, or a record table where the formulation
        says so.
        """
        if formulation == "table":
            self.no(node, "a record table", "iterator", "query", "tableName", "sqlQuery")
            return LogicalSource("table", _undelimited(name), self.origin(node.line))
        return self.file_source(node, name, formulation)

    def described_access(
        self, node: _Node, source: _Node, formulation: Kind | None
    ) -> tuple[LogicalSource, tuple[str, ...]]:
        """`rml:source` with a node: a database (D2RQ), a table of CSV on the Web, or a file path;
        with the texts that mean no value.
        """
        self.only(source, "a source", _SOURCE)
        self.check_access(source)
        nulls = tuple(self.text(item) for item in source.all("null", "csvw:null"))
        if "d2rq:jdbcDSN" in source.items:
            return self.database(node, source, formulation), nulls
        if "csvw:url" in source.items:
            self.check_dialect(source)
            url = self.single(source, "a CSVW table", "csvw:url")
            return self.file_source(node, url.text if url else "", formulation), nulls
        path = self.optional_text(source, "a source", "path")
        if path is None:
            raise self.wrong(
                source.line,
                "a source is a path, a CSVW table or a D2RQ database; nothing else is supported",
            )
        return self.file_source(node, self.rooted(source, path), formulation), nulls

    def rooted(self, source: _Node, path: str) -> str:
        """A path below the folder that `rml:root` names; the mapping's and the current folder are
        for the caller to know.
        """
        root = self.single(source, "a source", "root")
        if root is None or _split(root.text)[1] in ("MappingDirectory", "CurrentWorkingDirectory"):
            return path
        return f"{self.text(root).rstrip('/')}/{path}"

    def check_dialect(self, source: _Node) -> None:
        for value in source.all("csvw:dialect"):
            for name, values in self.node(value, "a dialect").items.items():
                plain = {
                    "csvw:delimiter": ",",
                    "csvw:quoteChar": '"',
                    "csvw:encoding": "UTF-8",
                    "csvw:header": "true",
                    "csvw:doubleQuote": "true",
                }
                if (
                    name in ("rdf:type", "csvw:null")
                    or values[0].text.upper() == plain.get(name, "?").upper()
                ):
                    continue
                self.wrong(
                    values[0].line,
                    f"`{values[0].written}` {_rendered(values[0].term)} is not supported; a CSV file has commas and a header",
                )

    def database(self, node: _Node, source: _Node, formulation: Kind | None) -> LogicalSource:
        """A SQL query for a database; a table is the query for all of it."""
        what = "a logical source"
        given = self.single(node, what, "tableName", "sqlQuery", "query", "iterator")
        if given is None:
            raise self.wrong(
                node.line,
                "a database needs a table or a query: `rml:iterator`, `rml:query`, `rr:tableName` or `rr:sqlQuery`",
            )
        if formulation not in (None, "table", "query"):
            raise self.wrong(node.line, "references to a database are SQL2008Table or SQL2008Query")
        is_table = "tableName" in node.items or (
            "iterator" in node.items and formulation == "table"
        )
        text = _all_of(self.text(given)) if is_table else _query(self.text(given))
        address, user, password = (
            self.optional_text(source, "a database", f"d2rq:{name}")
            for name in ("jdbcDSN", "username", "password")
        )
        return LogicalSource(
            "sql",
            text,
            self.origin(given.line),
            database=_connection(address or "", user, password),
        )

    def file_source(self, node: _Node, path: str, formulation: Kind | None) -> LogicalSource:
        self.no(node, "a file", "query", "tableName", "sqlQuery", "sqlVersion")
        if formulation is None:
            raise self.wrong(node.line, "a file needs `rml:referenceFormulation`")
        if formulation in _SQL:
            raise self.wrong(
                node.line, "references to a file are CSV, JSONPath, JSONL, YAML or Parquet"
            )
        kind = (
            _SUFFIXES.get(Path(path).suffix.lower(), formulation)
            if formulation in ("csv", "json")
            else formulation
        )
        if kind == "csv" and path.lower().endswith((".tsv", ".tab")):
            self.wrong(node.line, f"`{path}`: tab-separated columns are not supported; commas are")
        if kind in ("csv", "parquet"):
            self.no(node, "a table of rows", "iterator")
        value = self.single(node, "a logical source", "iterator")
        iterator = None if value is None else self.text(value)
        if value and iterator is not None and kind in _PATHS:
            self.check_path(iterator, value.line)
        return LogicalSource(kind, path, self.origin(node.line), iterator)

    def no(self, node: _Node, what: str, *names: str) -> None:
        for value in node.all(*names):
            self.wrong(value.line, f"{what} has no `{value.written}`")

    def check_path(self, path: str, line: int) -> None:
        try:
            parse_path(path)
        except PathError as error:
            self.wrong(line, str(error))


class _Terms:
    """Reads the term maps of one triples map; what a reference means depends on its source (None
    where that is wrong).
    """

    def __init__(self, reader: _Reader, source: LogicalSource | None) -> None:
        self.reader, self.source = reader, source
        self.wrong, self.origin = reader.wrong, reader.origin
        self.columns: dict[str, int] = {}

    # -- subject and rules -------------------------------------------------------------------------

    def subject(
        self, value: _Value
    ) -> tuple[TermMap, tuple[TermMap, ...], tuple[PredicateObject, ...]]:
        """The subject, the graphs of all its statements, and the rule that its classes make."""
        if value.written.endswith(":subject"):
            return self.constant(value, "subject"), (), ()
        node = self.reader.node(value, "a subject map")
        graphs, classes = self.graphs(node), self.classes(node)
        return self.term(value, "subject", _SUBJECT), graphs, classes

    def classes(self, node: _Node) -> tuple[PredicateObject, ...]:
        values = node.all("class")
        objects = self.reader.each(
            values,
            lambda value: TermMap(
                Expression((self.reader.iri(value),)), "iri", self.origin(value.line)
            ),
        )
        if not objects:
            return ()
        origin = objects[0].origin
        return (
            PredicateObject(
                (TermMap(Expression((RDF_TYPE,)), "iri", origin),), objects, (), origin
            ),
        )

    def graphs(self, node: _Node) -> tuple[TermMap, ...]:
        return self.reader.each(
            node.all("graph", "graphMap"), lambda item: self.short_or_map(item, "graph", _TERM)
        )

    def rule(self, value: _Value) -> PredicateObject:
        node = self.reader.node(value, "a predicate-object map")
        self.reader.only(node, "a predicate-object map", _RULE)
        for name, what in (("predicate", "a predicate"), ("object", "an object")):
            if not node.all(name, f"{name}Map") and node.term not in self.reader.misspelt:
                self.wrong(node.line, f"a predicate-object map needs {what}")
        predicates = self.reader.each(
            node.all("predicate", "predicateMap"),
            lambda item: self.short_or_map(item, "predicate", _TERM),
        )
        objects = self.reader.each(node.all("object", "objectMap"), self.object_)
        return PredicateObject(predicates, objects, self.graphs(node), self.origin(node.line))

    def short_or_map(self, value: _Value, role: Role, allowed: set[str]) -> TermMap:
        return (
            self.term(value, role, allowed)
            if value.written.endswith("Map")
            else self.constant(value, role)
        )

    def object_(self, value: _Value) -> TermMap | ReferencingMap:
        if (
            value.written.endswith("Map")
            and "parentTriplesMap" in self.reader.node(value, "an object map").items
        ):
            return self.referencing(self.reader.node(value, "an object map"))
        return self.short_or_map(value, "object", _OBJECT)

    # -- joins -------------------------------------------------------------------------------------

    def referencing(self, node: _Node) -> ReferencingMap:
        self.reader.only(node, "a referencing object map", _REFERENCING)
        parent = self.reader.single(node, "a referencing object map", "parentTriplesMap")
        assert parent is not None  # who calls has looked
        name = self.reader.names.get(parent.term)
        if name is None:
            raise self.wrong(parent.line, f"there is no triples map {_rendered(parent.term)}")
        source = self.reader.source_of(self.reader.nodes[parent.term], name)
        parent_terms = _Terms(self.reader, source)
        joins = self.reader.each(
            node.all("joinCondition"), lambda item: self.join(item, parent_terms)
        )
        if (
            not node.all("joinCondition")
            and self.source
            and source
            and not _same(self.source, source)
        ):
            raise self.wrong(
                node.line,
                f"triples map `{name}` has another logical source; a join condition is needed",
            )
        return ReferencingMap(name, joins, self.origin(parent.line))

    def join(self, value: _Value, parent_terms: _Terms) -> Join:
        node = self.reader.node(value, "a join condition")
        self.reader.only(node, "a join condition", _JOIN)
        child, parent = self.join_side(node, "child"), parent_terms.join_side(node, "parent")
        if child is None or parent is None:
            raise _Wrong
        return Join(child, parent)

    def join_side(self, node: _Node, side: str) -> Expression | None:
        value = self.reader.single(node, "a join condition", side, f"{side}Map")
        if value is None:
            self.wrong(node.line, f"a join condition needs `rml:{side}` or `rml:{side}Map`")
            return None
        if not value.written.endswith("Map"):
            return self.reference(value)
        inner = self.reader.node(value, "an expression map")
        self.reader.only(inner, "an expression map", _EXPRESSION)
        given = self.expression_value(inner, f"`{value.written}`")
        if given is None:
            raise self.missing(inner, f"`{value.written}`")
        if _is_constant(given):
            if isinstance(given.term, ox.BlankNode | ox.Triple):
                raise self.wrong(given.line, "a constant is an IRI or a literal")
            return Expression((given.text,))
        return self.expression(given)

    # -- terms -------------------------------------------------------------------------------------

    def term(self, value: _Value, role: Role, allowed: set[str]) -> TermMap:
        """A term map; its term type is the stated one, else what the specification has for its
        place and its expression.
        """
        node = self.reader.node(value, f"a {role} map")
        what = f"{'an' if role == 'object' else 'a'} {role} map"
        self.reader.only(node, what, allowed)
        stated = self.term_type(node, role)
        given = self.expression_value(node, what)
        if given is not None and _is_constant(given):
            return self.stated_constant(given, node, role, stated)
        if given is None and stated != "blank":
            raise self.missing(node, what)
        datatype, language = self.datatype(node), self.language(node)
        kind = stated or _default(role, given, typed=bool(datatype or language))
        if (datatype or language) and kind != "literal":
            excess = node.all("datatype", "datatypeMap", "language", "languageMap")[0]
            raise self.wrong(excess.line, f"only a literal has `{excess.written}`")
        expression = Expression(()) if given is None else self.expression(given)
        line = node.line if given is None else given.line
        self.check_text(expression, kind, line)
        return TermMap(expression, kind, self.origin(line), datatype, language)

    def term_type(self, node: _Node, role: Role) -> TermType | None:
        value = self.reader.single(node, f"the {role} map", "termType")
        if value is None:
            return None
        prefix, word = _split(value.text)
        if (
            not isinstance(value.term, ox.NamedNode)
            or prefix not in _WORDS
            or word not in _TERM_TYPES
        ):
            raise self.wrong(
                value.line,
                f"there is no term type {_rendered(value.term)}{did_you_mean(word, _TERM_TYPES)}",
            )
        if _TERM_TYPES[word] not in _ALLOWED[role]:
            raise self.wrong(value.line, f"a {role} cannot be of term type `{prefix}:{word}`")
        return _TERM_TYPES[word]

    def expression_value(self, node: _Node, what: str) -> _Value | None:
        return self.reader.single(node, what, "constant", "reference", "template")

    def missing(self, node: _Node, what: str) -> _Wrong:
        """No expression; one error, one finding: not reported where a property of the node is
        misspelt, or not supported.
        """
        if node.term in self.reader.misspelt:
            return _Wrong()
        return self.wrong(node.line, f"{what} needs a constant, a reference or a template")

    def stated_constant(
        self, given: _Value, node: _Node, role: Role, stated: TermType | None
    ) -> TermMap:
        """A constant in the long form: it is the term itself, so that whatever else says what it is
        must agree.
        """
        term = self.constant(given, role)
        if stated == "blank" or (
            stated is not None and (stated == "literal") != (term.term_type == "literal")
        ):
            raise self.wrong(
                given.line,
                f"the constant {_rendered(given.term)} does not have the stated term type",
            )
        for value in node.all("datatype", "datatypeMap", "language", "languageMap"):
            self.wrong(
                value.line,
                f'a constant has no `{value.written}`; write it into the literal ("…"@en, "…"^^xsd:date)',
            )
        return term

    def constant(self, value: _Value, role: Role) -> TermMap:
        """An IRI or a literal as written in the mapping."""
        term, origin = value.term, self.origin(value.line)
        if isinstance(term, ox.NamedNode):
            prefix, word = _split(term.value)
            is_default = role == "graph" and prefix in _WORDS and word == "defaultGraph"
            if role == "graph" and prefix in _WORDS and not is_default:
                raise self.wrong(
                    value.line,
                    f"there is no graph `{prefix}:{word}`{did_you_mean(word, ['defaultGraph'])}",
                )
            return TermMap(
                Expression((DEFAULT_GRAPH if is_default else term.value,)), "iri", origin
            )
        if not isinstance(term, ox.Literal):
            raise self.wrong(
                value.line,
                f"`{value.written}`: a constant is an IRI or a literal, not {_rendered(term)}",
            )
        if role != "object":
            raise self.wrong(
                value.line, f"`{value.written}`: a {role} cannot be the literal {_rendered(term)}"
            )
        if term.direction is not None:
            raise self.wrong(value.line, f"`{value.written}`: base directions are not supported")
        if term.language is not None:
            self.check_language(term.language, value.line)
            return TermMap(
                Expression((term.value,)), "literal", origin, language=Expression((term.language,))
            )
        datatype = (
            None if term.datatype.value == XSD + "string" else Expression((term.datatype.value,))
        )
        return TermMap(Expression((term.value,)), "literal", origin, datatype)

    def datatype(self, node: _Node) -> Expression | None:
        value = self.reader.single(
            node, "an object map", "datatype", "datatypeMap", "language", "languageMap"
        )
        if value is None or value.written.endswith((":language", ":languageMap")):
            return None
        if value.written.endswith(":datatypeMap"):
            return self.term(value, "datatype", _TERM).expression
        if self.reader.iri(value) == _LANG_STRING:
            raise self.wrong(
                value.line,
                "rdf:langString is the datatype of texts with a language; state the language instead",
            )
        return Expression((value.text,))

    def language(self, node: _Node) -> Expression | None:
        value = next(iter(node.all("language", "languageMap")), None)
        if value is None:
            return None
        if value.written.endswith(":language"):
            self.check_language(self.reader.text(value), value.line)
            return Expression((value.text,))
        inner = self.reader.node(value, "a language map")
        self.reader.only(inner, "a language map", _EXPRESSION)
        self.term_type(inner, "language")
        given = self.expression_value(inner, "a language map")
        if given is None:
            raise self.missing(inner, "a language map")
        if _is_constant(given):
            self.check_language(self.reader.text(given), given.line)
            return Expression((given.text,))
        return self.expression(given)

    def check_language(self, tag: str, line: int) -> None:
        """A language tag by BCP 47; what begins with none of its two- or three-letter codes is a
        language's name, or a typo.
        """
        if not re.fullmatch(LANGUAGE_TAG, tag) or not _PRIMARY.match(tag):
            self.wrong(
                line, f"`{tag}` is not a language tag; use one such as de, en or fr (BCP 47)"
            )

    # -- expressions -------------------------------------------------------------------------------

    def expression(self, given: _Value) -> Expression:
        return (
            self.template(given) if given.written.endswith(":template") else self.reference(given)
        )

    def reference(self, given: _Value) -> Expression:
        return Expression((self.named(self.reader.text(given), given.line),))

    def named(self, text: str, line: int) -> Reference:
        """A reference: for JSON and YAML a JSONPath; for SQL a column, whose name in double quotes
        is the name without them.
        """
        if not text:
            raise self.wrong(line, "a reference names nothing")
        if self.source and self.source.kind in _PATHS:
            self.reader.check_path(text, line)
        if self.source and self.source.kind in _SQL:
            self.columns.setdefault(text, line)
            text = _undelimited(text)
        return Reference(text)

    def template(self, given: _Value) -> Expression:
        """Text and references in braces; a backslash precedes a brace or a backslash that is
        meant (RML-Core, string templates).
        """
        text = self.reader.text(given)
        parts: list[str | Reference] = []
        plain, inside = "", False
        for token in _TEMPLATE.finditer(text):
            escaped, brace = token[1], token[2]
            if escaped is not None and (not escaped or escaped not in "{}\\"):
                raise self.wrong(
                    given.line,
                    rf"template `{text}`: a backslash can only precede {{, }} or another backslash",
                )
            if brace and (brace == "{") == inside:
                raise self.wrong(
                    given.line,
                    rf"template `{text}`: unbalanced braces; write a literal brace as \{brace}",
                )
            if not brace:
                plain += escaped if escaped is not None else token[0]
                continue
            if inside or plain:
                parts.append(self.named(plain, given.line) if inside else plain)
            plain, inside = "", not inside
        if inside:
            raise self.wrong(
                given.line,
                rf"template `{text}`: a brace is not closed; write a literal brace as \{{",
            )
        parts += [plain] if plain else []
        return Expression(
            tuple(parts) or ("",), template=any(isinstance(part, Reference) for part in parts)
        )

    def check_text(self, expression: Expression, kind: TermType, line: int) -> None:
        """The fixed text of an IRI must be one that an IRI can hold; only references are
        percent-encoded.
        """
        for part in expression.parts if kind in ("iri", "uri") else ():
            if isinstance(part, str) and (match := _NOT_IN_IRI.search(part)):
                self.wrong(
                    line,
                    f"`{part}` makes no valid IRI: it contains `{match[0]}`; percent-encode it, or state another term type",
                )

    def check_columns(self) -> None:
        """Without its quotes a column cannot be distinguished from one that SQL names by other
        letters; so both in one triples map is an error.
        """
        for name, line in self.columns.items():
            if name not in (name.upper(), name.lower()) and f'"{name}"' in self.columns:
                self.wrong(
                    line,
                    f'`{name}` and `"{name}"` are two columns to SQL; write the quotes in both places',
                )


# -- small words -----------------------------------------------------------------------------------


def _is_triples_map(node: _Node) -> bool:
    typed = any(
        _split(value.text)[1] == "TriplesMap" and _split(value.text)[0] in _WORDS
        for value in node.all("rdf:type")
    )
    return typed or bool(node.all("logicalSource", "subjectMap", "subject", "predicateObjectMap"))


def _names(nodes: Iterable[_Node]) -> dict[object, str]:
    """A name for each triples map, in the order of the file: the last part of its IRI, or map1,
    map2, … where it has none.
    """
    names: dict[object, str] = {node.term: "" for node in nodes}
    for term in sorted(
        names, key=lambda item: isinstance(item, ox.BlankNode)
    ):  # a given name is kept before one is made up
        parts = (
            re.split(r"[/#:]+", term.value.rstrip("/#:")) if isinstance(term, ox.NamedNode) else []
        )
        invented = (
            f"{parts[-1] if parts else 'map'}{number}"
            for number in itertools.count(2 if parts else 1)
        )
        names[term] = next(
            name for name in itertools.chain(parts[-1:], invented) if name not in names.values()
        )
    return names


def _count(values: list[_Value], what: str) -> str:
    return f"{len(values)} {what}s" if values else f"no {what}"


def _is_constant(given: _Value) -> bool:
    return given.written.endswith(":constant")


def _default(role: Role, given: _Value | None, *, typed: bool) -> TermType:
    """The term type where none is stated (RML-Core, default term types)."""
    is_reference = given is not None and not given.written.endswith(":template")
    return "literal" if role == "object" and (is_reference or typed) else "iri"


def _same(logical_source: LogicalSource, other: LogicalSource) -> bool:
    """Whether two logical sources give the same records, wherever they are written."""
    return replace(logical_source, origin=other.origin) == other


def _rendered(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    """A term for a message; a blank node has no name that its author would know."""
    if isinstance(term, ox.BlankNode):
        return "(a blank node)"
    return f"`{_written(term.value)}`" if isinstance(term, ox.NamedNode) else f"`{term}`"


def _undelimited(name: str) -> str:
    """A SQL identifier without the double quotes that delimit it.

    >>> _undelimited('"Country Code"'), _undelimited("name")
    ('Country Code', 'name')
    """
    match = _DELIMITED.fullmatch(name)
    return match[1].replace('""', '"') if match else name


def _all_of(table: str) -> str:
    """The query for a table, its name as written: quotes and schema are the database's business."""
    return f"SELECT * FROM {table}"  # the mapping is trusted with any query


def _query(text: str) -> str:
    return text.strip().rstrip(";").rstrip()


def _connection(address: str, user: str | None, password: str | None) -> str:
    """A JDBC address as a connection URL.

    >>> _connection("jdbc:postgresql://localhost/shop", "anna", "p@ss")
    'postgresql://anna:p%40ss@localhost/shop'
    """
    address = address.removeprefix("jdbc:")
    scheme, slashes, rest = address.partition("://")
    if not slashes or not user or "@" in rest.partition("/")[0]:
        return address
    secret = ":" + percent_encoded(password, safe="") if password else ""
    return f"{scheme}://{percent_encoded(user, safe='')}{secret}@{rest}"
