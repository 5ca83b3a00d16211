"""Reads the sources of a YARRRML file."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from lodpipe.documents.tree import Node, Scalar, Sequence
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.rml.rml_sources import connection_url
from lodpipe.mapping.yarrrml.yarrrml_nodes import NodeReader, Wrong, is_short_source
from lodpipe.sources.access import Access, dialect_of, encoding_name

_FORMULATIONS = {
    "csv": "csv",
    "jsonpath": "json",
    "json": "json",
    "yaml": "yaml",
    "parquet": "parquet",
    "jsonl": "jsonl",
    "xpath": "xml",
    "xml": "xml",
    "table": "table",
}
_PLAIN = {
    "type": ("localfile", "file"),
    "queryFormulation": ("sql2008", "sql"),
}  # what says nothing new of a source


DATABASES = ("postgresql", "sqlite")


class SourceReader:
    """Reads sources; `named` are those under `sources`, by their names, `prefixes` those of XPaths."""

    def __init__(self, nodes: NodeReader, prefixes: Mapping[str, str]) -> None:
        self.nodes, self.prefixes = nodes, prefixes
        self.named: dict[str, LogicalSource] = {}

    def read_named(self, node: Node) -> None:
        """Reads `sources`, in order: later ones can name earlier ones."""
        for name, item in self.nodes.named(node, "`sources`").items():
            try:
                self.named[name] = replace(self.source(item), name=name)
            except Wrong:
                continue

    def each(self, node: Node) -> list[LogicalSource]:
        """The sources of a mapping."""
        if isinstance(node, Sequence) and not is_short_source(node):
            return [self.source(item) for item in node.items]
        return [self.source(node)]

    def source(self, node: Node) -> LogicalSource:
        """`name`, `[file~csv]`, `[file~jsonpath, $.iterator[*]]`, `{query: SELECT …}` or `{access:
        file, referenceFormulation: …}`.
        """
        if isinstance(node, Scalar) and node.text in self.named:
            return self.named[node.text]
        if isinstance(node, Sequence):
            return self._short_source(node)
        if isinstance(node, Scalar):
            raise self.nodes.wrong(node, f"there is no source `{node.text}`")
        items = self.nodes.map(
            node,
            "a source",
            (
                "query",
                "table",
                "access",
                "type",
                "queryFormulation",
                "referenceFormulation",
                "iterator",
                "credentials",
                "delimiter",
                "encoding",
            ),
        )
        if "table" in items and "access" not in items:  # R2RML: a table of the database given
            name = self.nodes.text(items["table"])
            return LogicalSource("sql", f"SELECT * FROM {name}", self.nodes.origin(items["table"]))
        if "type" in items and self.nodes.text(items["type"]).lower() in DATABASES:
            return self._database(node, items)
        for key, plain in _PLAIN.items():
            if key in items and self.nodes.text(items[key]).lower() not in plain:
                raise self.nodes.wrong(
                    items[key],
                    f"`{key}: {self.nodes.text(items[key])}` is not supported; write a mapping in RML for databases",
                )
        if "query" in items and "access" in items:
            raise self.nodes.wrong(
                items["access"],
                "a query runs on the record tables; `access` is not supported with it",
            )
        if "query" in items:
            return LogicalSource(
                "query", self.nodes.text(items["query"]), self.nodes.origin(items["query"])
            )
        if "access" not in items or "referenceFormulation" not in items:
            raise self.nodes.missing(
                node, "a source needs `query`, or `access` and `referenceFormulation`"
            )
        source = self._file_source(
            node,
            self.nodes.text(items["access"]),
            self.nodes.text(items["referenceFormulation"]),
            items.get("iterator"),
        )
        return replace(source, access=self._access(items, source.access))

    def _access(self, items: dict[str, Node], access: Access) -> Access:
        """How a file is written, as `delimiter` and `encoding` have it."""
        if node := items.get("delimiter"):
            delimiter = self.nodes.text(node).replace("\\t", "\t")  # as yarrrml-parser has it
            if len(delimiter) != 1:
                raise self.nodes.wrong(node, f"`delimiter` is one character, found `{delimiter}`")
            access = replace(access, dialect=replace(access.dialect, delimiter=delimiter))
        if node := items.get("encoding"):
            encoding = encoding_name(self.nodes.text(node))
            if encoding is None:
                raise self.nodes.wrong(node, f"the encoding `{self.nodes.text(node)}` is not known")
            access = replace(access, encoding=encoding)
        return access

    def _database(self, node: Node, items: dict[str, Node]) -> LogicalSource:
        """A query of a database: `{type: postgresql, access: HOST/NAME, query: SELECT …}`."""
        if "access" not in items or "query" not in items:
            raise self.nodes.missing(node, "a database needs `access` and `query`")
        address = self.nodes.text(items["access"])
        if "://" not in address:
            address = f"{self.nodes.text(items['type']).lower()}://{address.removeprefix('//')}"
        user, password = (
            self.nodes.text(value) if value else None
            for value in self.credentials(items.get("credentials"))
        )
        query = items["query"]
        return LogicalSource(
            "sql",
            self.nodes.text(query).strip().rstrip(";").rstrip(),
            self.nodes.origin(query),
            database=connection_url(address, user, password),
        )

    def credentials(self, node: Node | None) -> tuple[Node | None, Node | None]:
        if node is None:
            return None, None
        items = self.nodes.map(node, "credentials", ("username", "password"))
        return items.get("username"), items.get("password")

    def _short_source(self, node: Sequence) -> LogicalSource:
        texts = [self.nodes.text(item) for item in node.items]
        if not texts or "~" not in texts[0]:
            raise self.nodes.wrong(
                node, "a source in short form is [file~formulation] or [file~formulation, iterator]"
            )
        access, formulation = texts[0].rsplit("~", 1)
        return self._file_source(
            node, access, formulation, node.items[1] if len(texts) > 1 else None
        )

    def _file_source(
        self, node: Node, access: str, formulation: str, iterator: Node | None
    ) -> LogicalSource:
        kind = _FORMULATIONS.get(formulation.lower())
        if kind is None:
            raise self.nodes.wrong(
                node,
                f"reference formulation `{formulation}` is not known; known: {', '.join(_FORMULATIONS)}",
            )
        path = None if iterator is None else self.nodes.text(iterator)
        namespaces = tuple(self.prefixes.items()) if kind == "xml" else ()
        return LogicalSource(
            kind,  # type: ignore[arg-type]  # the table's values are the kinds
            access,
            self.nodes.origin(node),
            path,
            namespaces=namespaces,
            access=Access(dialect=dialect_of(access)),
        )
