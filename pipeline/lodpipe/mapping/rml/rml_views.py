"""Reads the logical views of a mapping (RML-LV, https://w3id.org/rml/lv/spec): fields, joins and
structural annotations.

A view that no triples map uses is read as well, so that what is wrong in it is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import pyoxigraph as ox

from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.model import (
    Annotation,
    Expression,
    Field,
    Join,
    LogicalSource,
    View,
    ViewJoin,
)
from lodpipe.mapping.rml.rml_formulations import check_path
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, rendered
from lodpipe.mapping.rml.rml_sources import SourceReader
from lodpipe.mapping.rml.rml_targets import TargetReader
from lodpipe.mapping.rml.rml_terms import TermReader, is_function
from lodpipe.mapping.rml.rml_vocabulary import (
    ANNOTATION,
    ANNOTATIONS,
    EXPRESSION_FIELD,
    ITERABLE_FIELD,
    SMALL,
    VIEW,
    VIEW_JOIN,
    Kind,
    split_iri,
)
from lodpipe.mapping.view_keys import JSON

_NAME = re.compile(r"[\w-]+")
_RECORDS: dict[Kind, Kind] = {
    "json": "json", "jsonl": "json", "yaml": "json", "csv": "csv", "xml": "xml",
}  # fmt: skip


class ViewReader:
    """Reads the nodes that describe views, and passes all other sources on; `names` are those of
    nodes in messages.
    """

    def __init__(self, graph: GraphReader, sources: SourceReader) -> None:
        self.graph, self.sources = graph, sources
        self.wrong, self.origin = graph.wrong, graph.origin
        self._views: dict[object, LogicalSource | None] = {}
        self._open: list[object] = []

    def source(self, value: Value) -> LogicalSource:
        """The source that a value names, each view read once. Raises Wrong."""
        node = self.graph.node(value, "a logical source")
        return self.view(node) if is_view(node) else self.sources.source(value)

    def all_views(self) -> tuple[LogicalSource, ...]:
        """Every view that is right."""
        values = (
            Value("rml:LogicalView", node.term, node.line)
            for node in self.graph.nodes.values()
            if is_view(node)
        )
        return self.graph.each(values, self.source)

    def view(self, node: Node) -> LogicalSource:
        """A view as a source. Raises Wrong."""
        if node.term in self._open:
            raise self.wrong(node.line, f"{_called(node)} is defined by itself")
        if node.term not in self._views:
            self._open.append(node.term)
            try:
                self._views[node.term] = next(self._attempted(node), None)
            finally:
                self._open.pop()
        view = self._views[node.term]
        if view is None:
            raise Wrong
        return view

    def _attempted(self, node: Node) -> Iterator[LogicalSource]:
        before = len(self.graph.findings)
        try:
            source = self._new_view(node)
        except Wrong:
            return
        if len(self.graph.findings) == before:
            yield source

    def _new_view(self, node: Node) -> LogicalSource:
        what = _called(node)
        self.graph.only(node, what, VIEW)
        over = self.graph.single(node, what, "viewOn")
        if over is None:
            raise self.wrong(node.line, f"{what} needs `rml:viewOn`")
        on = self.source(over)
        fields = self.graph.each(
            node.all("field"), lambda value: self.field(value, on, FieldScope(""))
        )
        if not node.all("field"):
            self.wrong(node.line, f"{what} needs a field")
        own = LogicalSource("view", _name(node), self.origin(node.line), view=View(on, fields))
        joins = self.graph.each(
            node.all("leftJoin", "innerJoin"), lambda value: self.join(value, own)
        )
        self.check_names([*fields, *(field for join in joins for field in join.fields)])
        view = View(on, fields, joins)
        annotations = self.graph.each(
            node.all("structuralAnnotation"), lambda value: self.annotation(value, view)
        )
        for second in [item for item in annotations if item.kind == "primary key"][1:]:
            self.graph.wrong(second.origin.line, f"{what} has two primary keys; it can have one")
        view = View(on, fields, joins, annotations)
        return LogicalSource("view", _name(node), self.origin(node.line), view=view)

    # -- fields ------------------------------------------------------------------------------------

    def field(self, value: Value, parent: LogicalSource, scope: FieldScope) -> Field:
        """A field and those in it; `parent` is what its references are read from."""
        node = self.graph.node(value, "a field")
        if node.term in scope.above:
            raise self.wrong(value.line, "a field is a field of itself")
        name = self.graph.optional_text(node, "a field", "fieldName")
        if name is None:
            raise self.wrong(node.line, "a field needs `rml:fieldName`")
        if not _NAME.fullmatch(name):
            self.wrong(
                node.line, f"the field name `{name}` has other signs than letters, digits, _ and -"
            )
        inside = FieldScope(f"{scope.prefix}{name}.", (*scope.above, node.term))
        absolute = scope.prefix + name
        if _is_iterable(node):
            return self.iterable_field(node, absolute, parent, inside, scope.in_value)
        self.graph.only(node, f"expression field `{name}`", EXPRESSION_FIELD)
        expression = self.expression(node, f"expression field `{name}`", parent)
        values = FieldScope(inside.prefix, inside.above, in_value=True)
        fields = self.graph.each(node.all("field"), lambda item: self.field(item, parent, values))
        for inner in fields:
            if inner.expression is not None:
                self.graph.wrong(
                    inner.origin.line,
                    f"`{inner.name}` is in an expression field, which can only have iterable fields",
                )
        self.check_names(fields)
        return Field(absolute, self.origin(node.line), expression, fields=fields)

    def iterable_field(
        self, node: Node, name: str, parent: LogicalSource, inside: FieldScope, in_value: bool
    ) -> Field:
        """A field of records, in a value (then its formulation is stated) or in other records."""
        what = f"iterable field `{name}`"
        self.graph.only(node, what, ITERABLE_FIELD)
        formulation = self.sources.formulation(node)
        stated = formulation.kind if formulation else None
        if in_value and stated is None:
            raise self.wrong(
                node.line, f"{what} is in a value: it needs `rml:referenceFormulation`"
            )
        if not in_value and stated not in (None, parent.kind, _RECORDS.get(parent.kind)):
            raise self.wrong(
                node.line,
                f"{what} has another reference formulation than its parent; only in an expression field it can",
            )
        kind = _RECORDS.get(stated or parent.kind)
        if kind == "xml" and in_value:
            raise self.wrong(node.line, f"{what}: XML in a value is not read; JSON and CSV are")
        if kind is None or (kind == "csv" and not in_value):
            raise self.wrong(
                node.line,
                f"{what}: a {parent.kind} row has no records; those in a value need an expression field above them",
            )
        given = self.graph.single(node, what, "iterator")
        iterator = None if given is None else self.graph.text(given)
        namespaces = self.sources.namespaces(formulation) if kind == "xml" else ()
        if kind == "xml" and not (formulation and formulation.namespaces):
            namespaces = parent.namespaces
        if given is not None and iterator is not None:
            check_path(self.graph, kind, iterator, given.line, namespaces)
        if kind == "csv" and given is not None:
            self.wrong(given.line, f"{what} has the rows of CSV as records, and no iterator")
        if kind == "xml" and iterator is None:
            raise self.wrong(node.line, f"{what} needs `rml:iterator`")
        if kind in JSON and iterator is None:
            iterator = "$"  # the value itself
        origin = self.origin(node.line)
        records = LogicalSource(kind, "", origin, iterator, namespaces=namespaces)
        fields = self.graph.each(node.all("field"), lambda item: self.field(item, records, inside))
        self.check_names(fields)
        return Field(name, origin, None, kind, iterator, fields, namespaces)

    def expression(self, node: Node, what: str, parent: LogicalSource) -> Expression:
        """The expression of a field, read from records of its parent."""
        terms = TermReader(self.graph, _NoTriplesMaps(self.graph), parent)
        given = terms.expression_value(node, what)
        if given is None:
            raise terms.missing(node, what)
        if is_function(given):
            raise self.wrong(
                given.line, f"{what} cannot call a function; call it in a term map over the view"
            )
        return terms.expression(given, node)

    def check_names(self, fields: Iterable[Field]) -> None:
        """Fields of one parent have different names."""
        seen: dict[str, Field] = {}
        for field in fields:
            if field.name in seen:
                line = seen[field.name].origin.line
                self.wrong(
                    field.origin.line, f"the field `{field.name}` is there already, in line {line}"
                )
            seen.setdefault(field.name, field)

    # -- joins and annotations ---------------------------------------------------------------------

    def join(self, value: Value, child: LogicalSource) -> ViewJoin:
        """A join; the conditions' parent side and the fields refer to the parent view."""
        node = self.graph.node(value, "a join of views")
        what = "a join of views"
        self.graph.only(node, what, VIEW_JOIN)
        given = self.graph.single(node, what, "parentLogicalView")
        if given is None:
            raise self.wrong(node.line, f"{what} needs `rml:parentLogicalView`")
        above = self.graph.node(given, "a logical view")
        if not is_view(above):
            raise self.wrong(given.line, f"{rendered(given.term)} is not a logical view")
        parent = self.view(above)
        sides = (
            TermReader(self.graph, _NoTriplesMaps(self.graph), child),
            TermReader(self.graph, _NoTriplesMaps(self.graph), parent),
        )

        def conditions_of(item: Value) -> tuple[Join, ...]:
            return sides[0].joins(item, sides[1])

        joins = self.graph.each(node.all("joinCondition"), conditions_of)
        conditions = tuple(condition for listed in joins for condition in listed)
        for name, text in (("joinCondition", "a join condition"), ("field", "a field")):
            if not node.all(name):
                self.wrong(node.line, f"{what} needs {text}")
        fields = self.graph.each(
            node.all("field"), lambda item: self.field(item, parent, FieldScope(""))
        )
        for field in fields:
            if field.expression is None or field.fields:
                self.graph.wrong(
                    field.origin.line, f"`{field.name}`: the fields of a join have no records"
                )
        is_inner = value.written.endswith("innerJoin")
        return ViewJoin(parent, conditions, fields, is_inner, self.origin(node.line))

    def annotation(self, value: Value, view: View) -> Annotation:
        """A structural annotation. The view that it refers to may be this one, or one that refers
        back: it is known by its name.
        """
        node = self.graph.node(value, "a structural annotation")
        self.graph.only(node, "a structural annotation", ANNOTATION)
        words = [split_iri(item.text)[1] for item in node.all("rdf:type")]
        kinds = [
            ANNOTATIONS[SMALL.get(word, word)]
            for word in words
            if SMALL.get(word, word) in ANNOTATIONS
        ]
        if len(kinds) != 1:
            raise self.wrong(
                node.line,
                f"a structural annotation has one of the classes {', '.join(ANNOTATIONS)}",
            )
        fields = self.names(node, "onFields")
        for name in (name for name in fields if name not in view.keys):
            self.wrong(node.line, f"the view has no field `{name}`")
        target = self.graph.single(node, "a structural annotation", "targetView")
        if kinds[0] not in ("foreign key", "inclusion"):
            self.graph.no(node, f"an annotation of kind {kinds[0]}", "targetView", "targetFields")
            return Annotation(kinds[0], fields, self.origin(node.line))
        if target is None:
            raise self.wrong(node.line, f"a {kinds[0]} needs `rml:targetView`")
        other = self.graph.node(target, "a logical view")
        if not is_view(other):
            raise self.wrong(target.line, f"{rendered(target.term)} is not a logical view")
        target_fields = self.names(node, "targetFields")
        if len(target_fields) != len(fields):
            self.wrong(node.line, f"a {kinds[0]} has as many `rml:targetFields` as `rml:onFields`")
        return Annotation(kinds[0], fields, self.origin(node.line), _name(other), target_fields)

    def names(self, node: Node, word: str) -> tuple[str, ...]:
        """The texts of an RDF list."""
        value = self.graph.single(node, "a structural annotation", word)
        if value is None:
            raise self.wrong(node.line, f"a structural annotation needs `rml:{word}`")
        texts: list[str] = []
        seen: set[object] = set()
        while not value.text.endswith("#nil"):
            item = self.graph.nodes.get(value.term)
            first = self.graph.single(item, "a list", "rdf:first") if item else None
            rest = self.graph.single(item, "a list", "rdf:rest") if item else None
            if first is None or rest is None or value.term in seen:
                raise self.wrong(
                    value.line, f'`rml:{word}` is a list of field names: ("id" "name")'
                )
            seen.add(value.term)
            texts.append(self.graph.text(first))
            value = rest
        return tuple(texts)


class FieldScope:
    """Where a field is: what its name begins with, the fields above it, and whether it is in a
    value.
    """

    def __init__(
        self, prefix: str, above: tuple[object, ...] = (), *, in_value: bool = False
    ) -> None:
        self.prefix, self.above, self.in_value = prefix, above, in_value


class _NoTriplesMaps:
    """Expressions of fields refer to no triples maps."""

    names: Mapping[object, str] = {}
    functions = BUILT_IN

    def __init__(self, graph: GraphReader) -> None:
        self.targets = TargetReader(graph)

    def source_of(self, node: Node, name: str) -> LogicalSource | None:
        return None


def is_view(node: Node) -> bool:
    """Whether a node describes a logical view."""
    typed = any(split_iri(value.text)[1] == "LogicalView" for value in node.all("rdf:type"))
    return typed or "viewOn" in node.items


def _is_iterable(node: Node) -> bool:
    """By its class; without one by what it has."""
    words = {split_iri(value.text)[1] for value in node.all("rdf:type")}
    if words & {"IterableField", "ExpressionField"}:
        return "IterableField" in words
    return bool(node.all("iterator", "referenceFormulation"))


def _name(node: Node) -> str:
    return node.term.value if isinstance(node.term, ox.NamedNode) else str(node.term)


def _called(node: Node) -> str:
    return f"logical view {rendered(node.term)}"
