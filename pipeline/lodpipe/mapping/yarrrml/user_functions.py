"""Reads functions that a user declares by an SQL expression (docs/functions.md):

    prefixes: {ex: http://example.com/functions/}
    functions:
      ex:initials:
        parameters: [given, family]
        sql: left($given, 1) || left($family, 1)
      ex:age:
        parameters: {born: date, on: date}
        returns: integer
        sql: date_diff('year', $born, $on)

A parameter's IRI is its name in the namespace of the function, or `iri`. Whether the SQL is one that
a function may have, the engine says (engine/function_checks.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.documents.tree import Mapping, Node, Sequence
from lodpipe.mapping.functions.functions import Parameter, Type, namespace
from lodpipe.mapping.yarrrml.yarrrml_expressions import ExpressionReader
from lodpipe.mapping.yarrrml.yarrrml_nodes import NodeReader, Wrong

_TYPES: tuple[Type, ...] = ("text", "integer", "number", "boolean", "date", "dateTime", "list")
_KEYS = ("parameters", "returns", "sql")


class DeclaredFunction(Struct, frozen=True):
    """A function as it is declared: its SQL calls each parameter by `$` and the name beside it."""

    iri: str
    parameters: tuple[tuple[str, Parameter], ...]
    returns: Type
    sql: str
    origin: Origin


def read_functions(root: Node | None, file: str) -> list[DeclaredFunction]:
    """The functions of a file. Raises InvalidDeclaration (LP602) with every problem found."""
    nodes = NodeReader(file)
    functions = _Reader(nodes).functions(root)
    if nodes.findings:
        raise InvalidDeclaration(nodes.findings)
    return functions


class _Reader:
    def __init__(self, nodes: NodeReader) -> None:
        self.nodes = nodes
        self.expressions = ExpressionReader(nodes, {})

    def functions(self, root: Node | None) -> list[DeclaredFunction]:
        if not isinstance(root, Mapping) or "functions" not in root.items:
            detail = "the file is a map with `functions`"
            self.nodes.findings.append(
                Finding("LP602", Origin(self.nodes.file), {"detail": detail})
            )
            return []
        try:
            return list(
                self._functions(self.nodes.map(root, "the file", ("prefixes", "functions")))
            )
        except Wrong:
            return []

    def _functions(self, items: dict[str, Node]) -> Iterator[DeclaredFunction]:
        if "prefixes" in items:
            named = self.nodes.named(items["prefixes"], "`prefixes`")
            self.expressions.prefixes |= {key: self.nodes.text(node) for key, node in named.items()}
        for name, node in self.nodes.named(items["functions"], "`functions`").items():
            try:
                yield self.function(name, node)
            except Wrong:
                continue

    def function(self, name: str, node: Node) -> DeclaredFunction:
        iri = self.expressions.expand(name, node)
        if ":" not in iri:
            raise self.nodes.wrong(node, f"`{name}` is no IRI; write it with a prefix")
        items = self.nodes.map(node, f"function `{name}`", _KEYS)
        if "sql" not in items:
            raise self.nodes.missing(node, f"function `{name}` needs `sql`")
        parameters = (
            dict(self.parameters(items["parameters"], iri)) if "parameters" in items else {}
        )
        returns = self.type_of(items["returns"]) if "returns" in items else "text"
        sql = items["sql"]
        return DeclaredFunction(
            iri, tuple(parameters.items()), returns, self.nodes.text(sql), self.nodes.origin(sql)
        )

    def parameters(self, node: Node, function: str) -> Iterator[tuple[str, Parameter]]:
        """A list of names, or a map from names to types, or to maps of `type`, `iri`, `optional`."""
        if isinstance(node, Sequence):
            for item in node.items:
                yield self.parameter(self.nodes.text(item), {}, function)
            return
        for name, item in self.nodes.named(node, "`parameters`").items():
            if isinstance(item, Mapping):
                yield self.parameter(
                    name, self.nodes.map(item, "a parameter", ("type", "iri", "optional")), function
                )
            else:
                yield self.parameter(name, {"type": item}, function)

    def parameter(self, name: str, items: dict[str, Node], function: str) -> tuple[str, Parameter]:
        iri = namespace(function) + name
        if "iri" in items:
            iri = self.expressions.expand(self.nodes.text(items["iri"]), items["iri"])
        optional = "optional" in items and self.nodes.text(items["optional"]) == "true"
        kind = self.type_of(items["type"]) if "type" in items else "text"
        return name, Parameter((iri,), kind, "NULL" if optional else None)

    def type_of(self, node: Node) -> Type:
        name = self.nodes.text(node)
        for kind in _TYPES:
            if kind == name:
                return kind
        raise self.nodes.wrong(
            node,
            f"there is no type `{name}`{did_you_mean(name, _TYPES) or '; there are ' + ', '.join(_TYPES)}",
        )
