"""Reads the logical sources of a mapping: files, record tables, queries and databases."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote as percent_encoded

import pyoxigraph as ox
from msgspec.structs import replace

from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.rml_graph import GraphReader, Node, Value, rendered
from lodpipe.mapping.rml_vocabulary import (
    FORMULATIONS,
    LOGICAL_SOURCE,
    PATHS,
    SOURCE,
    SQL,
    SUFFIXES,
    WORDS,
    Kind,
    split_iri,
)
from lodpipe.sources.jsonpath import PathError
from lodpipe.sources.jsonpath import parse as parse_path

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
        self.check_access(node)
        nulls = tuple(self.text(item) for item in node.all("null"))
        access = self.single(node, "a logical source", "source")
        formulation = self.formulation(node)
        if access is None:
            source = self.without_access(node, formulation)
        elif isinstance(access.term, ox.Literal):
            source = self.named_access(node, access.text, formulation)
        else:
            source, more = self.described_access(
                node, self.graph.node(access, "a source"), formulation
            )
            nulls += more
        return replace(source, nulls=nulls)

    def formulation(self, node: Node) -> Kind | None:
        """What the references of a source are written in; None where none is declared."""
        value = self.single(node, "a logical source", "referenceFormulation")
        if value is None:
            return None
        _, word = split_iri(value.text)
        if not isinstance(value.term, ox.NamedNode) or word not in FORMULATIONS:
            raise self.wrong(
                value.line,
                f"reference formulation {rendered(value.term)} is not supported; {', '.join(FORMULATIONS)} are",
            )
        return FORMULATIONS[word]

    def check_access(self, node: Node) -> None:
        """Files are UTF-8 and not compressed; versions of SQL are named by IRIs of which R2RML
        defines one.
        """
        for name, plain in (("encoding", "UTF-8"), ("compression", "none")):
            for value in node.all(name):
                if split_iri(value.text)[1] != plain:
                    self.wrong(
                        value.line,
                        f"`{value.written}` {rendered(value.term)} is not supported; `rml:{plain}` is",
                    )
        for value in node.all("sqlVersion"):
            prefix, word = split_iri(self.graph.iri(value))
            if prefix in WORDS and word != "SQL2008":
                self.wrong(
                    value.line, f"there is no SQL version `{prefix}:{word}`; `rr:SQL2008` is"
                )

    def without_access(self, node: Node, formulation: Kind | None) -> LogicalSource:
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
            return LogicalSource("table", undelimited(text), origin)
        return LogicalSource("sql" if name == "sqlQuery" else "query", _query(text), origin)

    def named_access(self, node: Node, name: str, formulation: Kind | None) -> LogicalSource:
        """`rml:source` with a text: the path of a file, or a record table where the formulation
        says so.
        """
        if formulation == "table":
            self.no(node, "a record table", "iterator", "query", "tableName", "sqlQuery")
            return LogicalSource("table", undelimited(name), self.origin(node.line))
        return self.file_source(node, name, formulation)

    def described_access(
        self, node: Node, source: Node, formulation: Kind | None
    ) -> tuple[LogicalSource, tuple[str, ...]]:
        """`rml:source` with a node: a database (D2RQ), a table of CSV on the Web, or a file path;
        with the texts that mean no value.
        """
        self.graph.only(source, "a source", SOURCE)
        self.check_access(source)
        nulls = tuple(self.text(item) for item in source.all("null", "csvw:null"))
        if "d2rq:jdbcDSN" in source.items:
            return self.database(node, source, formulation), nulls
        if "csvw:url" in source.items:
            self.check_dialect(source)
            url = self.single(source, "a CSVW table", "csvw:url")
            return self.file_source(node, url.text if url else "", formulation), nulls
        if "sd:name" in source.items:  # an object of Python: engine/memory_sources.py
            name = self.optional_text(source, "a source", "sd:name")
            return self.file_source(node, name or "", formulation), nulls
        path = self.optional_text(source, "a source", "path")
        if path is None:
            raise self.wrong(
                source.line,
                "a source is a path, a CSVW table or a D2RQ database; nothing else is supported",
            )
        return self.file_source(node, self.rooted(source, path), formulation), nulls

    def rooted(self, source: Node, path: str) -> str:
        """A path below the folder that `rml:root` names; the mapping's and the current folder are
        for the caller to know.
        """
        root = self.single(source, "a source", "root")
        if root is None or split_iri(root.text)[1] in (
            "MappingDirectory",
            "CurrentWorkingDirectory",
        ):
            return path
        return f"{self.text(root).rstrip('/')}/{path}"

    def check_dialect(self, source: Node) -> None:
        for value in source.all("csvw:dialect"):
            for name, values in self.graph.node(value, "a dialect").items.items():
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
                    f"`{values[0].written}` {rendered(values[0].term)} is not supported; a CSV file has commas and a header",
                )

    def database(self, node: Node, source: Node, formulation: Kind | None) -> LogicalSource:
        """A SQL query for a database; a table is the query for all of it."""
        what = "a logical source"
        given = self.single(node, what, "tableName", "sqlQuery", "query", "iterator")
        if given is None:
            raise self.wrong(
                node.line,
                "a database needs a table or a query: `rml:iterator`, `rml:query`, `rr:tableName` or `rr:sqlQuery`",
            )
        if formulation not in (None, "table", "query", "csv"):  # older mappings write ql:CSV
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
            database=connection_url(address or "", user, password),
        )

    def file_source(self, node: Node, path: str, formulation: Kind | None) -> LogicalSource:
        self.no(node, "a file", "query", "tableName", "sqlQuery", "sqlVersion")
        if formulation is None:
            raise self.wrong(node.line, "a file needs `rml:referenceFormulation`")
        if formulation in SQL:
            raise self.wrong(
                node.line, "references to a file are CSV, JSONPath, JSONL, YAML or Parquet"
            )
        kind = (
            SUFFIXES.get(Path(path).suffix.lower(), formulation)
            if formulation in ("csv", "json")
            else formulation
        )
        if kind == "csv" and path.lower().endswith((".tsv", ".tab")):
            self.wrong(node.line, f"`{path}`: tab-separated columns are not supported; commas are")
        if kind in ("csv", "parquet"):
            self.no(node, "a table of rows", "iterator")
        value = self.single(node, "a logical source", "iterator")
        iterator = None if value is None else self.text(value)
        if value and iterator is not None and kind in PATHS:
            check_path(self.graph, iterator, value.line)
        return LogicalSource(kind, path, self.origin(node.line), iterator)


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
    if not slashes or not user or "@" in rest.partition("/")[0]:
        return address
    secret = ":" + percent_encoded(password, safe="") if password else ""
    return f"{scheme}://{percent_encoded(user, safe='')}{secret}@{rest}"


def check_path(graph: GraphReader, path: str, line: int) -> None:
    """Notes a JSONPath that cannot be followed."""
    try:
        parse_path(path)
    except PathError as error:
        graph.wrong(line, str(error))
