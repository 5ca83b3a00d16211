"""Reads the logical sources of a mapping: files, record tables, queries and databases."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote as percent_encoded

import pyoxigraph as ox
from msgspec.structs import replace

from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.rml.rml_access import AccessReader
from lodpipe.mapping.rml.rml_formulations import Formulation, check_path, read_formulation
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value
from lodpipe.mapping.rml.rml_vocabulary import (
    LOGICAL_SOURCE,
    SOURCE,
    SQL,
    SUFFIXES,
    WORDS,
    Kind,
    split_iri,
)
from lodpipe.sources.access import split_name
from lodpipe.sources.xpath import Namespaces

_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".xml": "xml",
    ".json": "json",
    **SUFFIXES,
}
_DELIMITED = re.compile(r'"((?:[^"]|"")+)"')


class SourceReader:
    """Reads the nodes that describe logical sources."""

    def __init__(self, graph: GraphReader) -> None:
        self.graph = graph
        self.wrong, self.origin, self.single = graph.wrong, graph.origin, graph.single
        self.text, self.optional_text, self.no = graph.text, graph.optional_text, graph.no

    def source(self, value: Value) -> LogicalSource:
        node = self.graph.node(value, "a logical source")
        self.graph.only(node, "a logical source", LOGICAL_SOURCE)
        self.check_version(node)
        nulls = [self.text(item) for item in node.all("null")]
        access = self.single(node, "a logical source", "source")
        formulation = self.formulation(node)
        if access is None:
            source = self.without_access(node, formulation)
        elif isinstance(access.term, ox.Literal):
            source = self.named_access(node, access.text, formulation)
        else:
            described = self.graph.node(access, "a source")
            source = self.described_access(node, described, formulation)
            nulls += [self.text(item) for item in described.all("null", "csvw:null")]
            if not self.is_old(described):
                return replace(source, nulls=tuple(nulls))
        return replace(source, nulls=tuple(nulls) or None)

    def is_old(self, source: Node) -> bool:
        """Whether a source is described by the class that RML-IO had before rml:FilePath; mappings
        of that time take an empty CSV cell for no value.
        """
        return any(
            split_iri(value.text)[1] == "RelativePathSource" for value in source.all("rdf:type")
        )

    def formulation(self, node: Node) -> Formulation | None:
        """What the references of a source are written in; None where none is declared."""
        value = self.single(node, "a logical source", "referenceFormulation")
        return None if value is None else read_formulation(self.graph, value)

    def check_version(self, node: Node) -> None:
        """Versions of SQL are named by IRIs of which R2RML defines one."""
        for value in node.all("sqlVersion"):
            prefix, word = split_iri(self.graph.iri(value))
            if prefix in WORDS and word != "SQL2008":
                self.wrong(
                    value.line, f"there is no SQL version `{prefix}:{word}`; `rr:SQL2008` is"
                )

    def without_access(self, node: Node, formulation: Formulation | None) -> LogicalSource:
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
        kind = formulation.kind if formulation else None
        if given is None or (name == "iterator" and kind not in ("table", "query")):
            raise self.wrong(
                node.line,
                "a logical source needs `rml:source`, `rml:query`, `rr:tableName` or `rr:sqlQuery`",
            )
        text, origin = self.text(given), self.origin(given.line)
        if name == "tableName":
            return LogicalSource("sql", _all_of(text), origin)
        if name == "iterator" and kind == "table":
            return LogicalSource("table", undelimited(text), origin)
        return LogicalSource("sql" if name == "sqlQuery" else "query", _query(text), origin)

    def named_access(self, node: Node, name: str, formulation: Formulation | None) -> LogicalSource:
        """`rml:source` with a text: the path of a file, or a record table where the formulation
        says so.
        """
        if formulation and formulation.kind == "table":
            self.no(node, "a record table", "iterator", "query", "tableName", "sqlQuery")
            return LogicalSource("table", undelimited(name), self.origin(node.line))
        return self.file_source(node, name, formulation)

    def described_access(
        self, node: Node, source: Node, formulation: Formulation | None
    ) -> LogicalSource:
        """`rml:source` with a node: a database (D2RQ), a table of CSV on the Web, or a file path."""
        self.graph.only(source, "a source", SOURCE)
        if "d2rq:jdbcDSN" in source.items:
            return self.database(node, source, formulation)
        if "sd:name" in source.items:  # an object of Python: engine/memory_sources.py
            name = self.optional_text(source, "a source", "sd:name")
            return self.file_source(node, name or "", formulation)
        path = self.optional_text(source, "a source", "path")
        url = self.single(source, "a CSVW table", "csvw:url")
        if path is None and url is None:
            raise self.wrong(
                source.line,
                "a source is a path, a CSVW table or a D2RQ database; nothing else is supported",
            )
        named = path if path is not None else url.text if url else ""
        return self.file_source(node, named, formulation, source)

    def database(self, node: Node, source: Node, formulation: Formulation | None) -> LogicalSource:
        """A SQL query for a database; a table is the query for all of it."""
        what = "a logical source"
        given = self.single(node, what, "tableName", "sqlQuery", "query", "iterator")
        if given is None:
            raise self.wrong(
                node.line,
                "a database needs a table or a query: `rml:iterator`, `rml:query`, `rr:tableName` or `rr:sqlQuery`",
            )
        kind = formulation.kind if formulation else None
        if kind not in (None, "table", "query", "csv"):  # older mappings write ql:CSV
            raise self.wrong(node.line, "references to a database are SQL2008Table or SQL2008Query")
        is_table = "tableName" in node.items or ("iterator" in node.items and kind == "table")
        text = _all_of(self.text(given)) if is_table else _query(self.text(given))
        address, user, password = (
            self.optional_text(source, "a database", f"d2rq:{name}")
            for name in ("jdbcDSN", "username", "password")
        )
        return LogicalSource(
            "sql",
            text,
            self.origin(given.line),
            database=connection_url(address or "", user, password),
        )

    def file_source(
        self, node: Node, path: str, formulation: Formulation | None, source: Node | None = None
    ) -> LogicalSource:
        """A file, which `source` may describe."""
        self.no(node, "a file", "query", "tableName", "sqlQuery", "sqlVersion")
        suffix = Path(split_name(path)[0]).suffix.lower()
        kind = formulation.kind if formulation else _KINDS.get(suffix)
        if kind is None:
            raise self.wrong(node.line, "a file needs `rml:referenceFormulation`")
        if kind in SQL:
            raise self.wrong(
                node.line, "references to a file are CSV, JSONPath, XPath, JSONL, YAML or Parquet"
            )
        if kind in ("csv", "json"):
            kind = SUFFIXES.get(suffix, kind)
        if kind in ("csv", "parquet"):
            self.no(node, "a table of rows", "iterator")
        namespaces = self.namespaces(formulation) if kind == "xml" else ()
        value = self.single(node, "a logical source", "iterator")
        iterator = None if value is None else self.text(value)
        if value and iterator is not None:
            check_path(self.graph, kind, iterator, value.line, namespaces)
        nodes = (source, node) if source else (node,)
        path, access = AccessReader(self.graph).access(path, *nodes)
        origin = self.origin(node.line)
        return LogicalSource(kind, path, origin, iterator, namespaces=namespaces, access=access)

    def namespaces(self, formulation: Formulation | None) -> Namespaces:
        """Those of a formulation, and the prefixes of the mapping for names that it does not
        declare.
        """
        declared = dict(formulation.namespaces) if formulation else {}
        return tuple((self.graph.prefixes | declared).items())


def undelimited(name: str) -> str:
    """A SQL identifier without the double quotes that delimit it.

    >>> undelimited('"Country Code"'), undelimited("name")
    ('Country Code', 'name')
    """
    match = _DELIMITED.fullmatch(name)
    return match[1].replace('""', '"') if match else name


def _all_of(table: str) -> str:
    """The query for a table, its name as written: quotes and schema are the database's business."""
    return f"SELECT * FROM {table}"  # the mapping is trusted with any query


def _query(text: str) -> str:
    return text.strip().rstrip(";").rstrip()


def connection_url(address: str, user: str | None, password: str | None) -> str:
    """A JDBC address as a connection URL.

    >>> connection_url("jdbc:postgresql://localhost/shop", "anna", "p@ss")
    'postgresql://anna:p%40ss@localhost/shop'
    """
    address = address.removeprefix("jdbc:")
    scheme, slashes, rest = address.partition("://")
    if not slashes or not user or scheme == "sqlite" or "@" in rest.partition("/")[0]:
        return address
    secret = ":" + percent_encoded(password, safe="") if password else ""
    return f"{scheme}://{percent_encoded(user, safe='')}{secret}@{rest}"
