"""Reads YARRRML into the model, each rule with its line (https://rml.io/yarrrml/spec/).

The library yatter is the referee in the tests; it does not report lines, and passes wrong keys over
in silence.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.tree import Mapping, Node, Sequence
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import FunctionTable
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.mapping.model import (
    RDF_TYPE,
    Expression,
    MappingDocument,
    PredicateObject,
    ReferencingMap,
    TermMap,
    TermType,
    TriplesMap,
)
from lodpipe.mapping.yarrrml.yarrrml_expressions import WELL_KNOWN, ExpressionReader
from lodpipe.mapping.yarrrml.yarrrml_functions import FunctionReader, is_function
from lodpipe.mapping.yarrrml.yarrrml_nodes import ALIASES, NodeReader, Wrong
from lodpipe.mapping.yarrrml.yarrrml_sources import SourceReader
from lodpipe.mapping.yarrrml.yarrrml_targets import TargetReader

_DOCUMENT_KEYS = {"prefixes", "base", "sources", "targets", "mappings", "authors", "external"}
_OBJECT_KEYS = (
    "value", "type", "datatype", "language", "mappings", "condition", "function", "parameters",
    "targets",
)  # fmt: skip
_TERM_TYPES: dict[str, TermType] = {
    "iri": "iri",
    "literal": "literal",
    "blank": "blank",
    "blanknode": "blank",
}
_TAG = re.compile(r"~(iri|[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)$")
_LANGUAGE = re.compile(r"(?:\$\([^)]+\)|[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)~lang$")
_LANG_STRING = WELL_KNOWN["rdf"] + "langString"


def read_yarrrml(
    root: Node | None, file: str, prefixes: dict[str, str], functions: FunctionTable | None = None
) -> MappingDocument:
    """The mapping in a YARRRML tree; `prefixes` are known beforehand (those of the publication's
    vocabulary), and so are `functions` (the built-in ones where none are given).

    Raises InvalidDeclaration (LP602) with every problem found.
    """
    nodes = NodeReader(file)
    document = _DocumentReader(nodes, prefixes, functions).document(root)
    if nodes.findings:
        raise InvalidDeclaration(nodes.findings)
    return document


class _DocumentReader:
    def __init__(
        self, nodes: NodeReader, prefixes: dict[str, str], functions: FunctionTable | None
    ) -> None:
        self.nodes = nodes
        self.expressions = ExpressionReader(nodes, prefixes)
        self.functions = functions
        self.calls = FunctionReader(nodes, self.expressions, functions or BUILT_IN)
        self.sources = SourceReader(nodes, self.expressions.prefixes)
        self.targets = TargetReader(nodes)
        self.names: set[str] = set()

    # -- document ----------------------------------------------------------------------------------

    def document(self, root: Node | None) -> MappingDocument:
        if not isinstance(root, Mapping):
            detail = "the file is a map with `mappings`"
            self.nodes.findings.append(
                Finding("LP602", Origin(self.nodes.file), {"detail": detail})
            )
            return MappingDocument({})
        for key in root.items:
            if ALIASES.get(key, key) not in _DOCUMENT_KEYS:
                self.nodes.unknown(root, key, "the mapping", _DOCUMENT_KEYS)
        try:
            return self._document(root, self.nodes.map(root, "the mapping"))
        except Wrong:
            return MappingDocument({})

    def _document(self, root: Mapping, items: dict[str, Node]) -> MappingDocument:
        for key, known in (
            ("prefixes", self.expressions.prefixes),
            ("external", self.expressions.external),
        ):
            if key in items:
                named = self.nodes.named(items[key], f"`{key}`")
                known |= {name: self.nodes.text(node) for name, node in named.items()}
        if "sources" in items:
            self.sources.read_named(items["sources"])
        named_targets = (
            self.nodes.named(items["targets"], "`targets`") if "targets" in items else {}
        )
        for name, node in named_targets.items():
            with contextlib.suppress(Wrong):
                self.targets.declare(name, node)
        base = self.nodes.text(items["base"]) if "base" in items else None
        mappings = items.get("mappings")
        if not isinstance(mappings, Mapping):
            raise (
                self.nodes.missing(root, "`mappings` is missing")
                if mappings is None
                else self.nodes.wrong(mappings, "`mappings` is a map of names")
            )
        self.names = set(mappings.items)
        maps: dict[str, TriplesMap] = {}
        for name, node in mappings.items.items():
            try:
                maps |= {
                    triples_map.name: triples_map for triples_map in self.triples_maps(name, node)
                }
            except Wrong:
                continue
        self.check_parents(maps)
        return MappingDocument(
            {name: _linked(item, maps) for name, item in maps.items()},
            tuple(self.sources.named.values()),
            base,
            self.expressions.declared(),
            tuple(self.nodes.warnings),
            functions=self.functions,
        )

    def check_parents(self, maps: dict[str, TriplesMap]) -> None:
        for entry in maps.values():
            for rule in entry.rules:
                for item in rule.objects:
                    if (
                        isinstance(item, ReferencingMap)
                        and item.parent not in maps
                        and item.parent not in self.names
                    ):
                        detail = f"there is no mapping `{item.parent}`"
                        self.nodes.findings.append(
                            Finding("LP602", item.origin, {"detail": detail})
                        )

    # -- triples maps ------------------------------------------------------------------------------

    def triples_maps(self, name: str, node: Node) -> Iterator[TriplesMap]:
        """One triples map for each source and subject; YARRRML allows several of both. Without
        subject, each record has a blank node.
        """
        keys = ("sources", "subjects", "predicateobjects", "graphs", "condition")
        items = self.nodes.map(node, f"mapping `{name}`", keys)
        if "sources" not in items:
            raise self.nodes.missing(node, f"mapping `{name}` needs `sources`")
        sources = self.sources.each(items["sources"])
        subjects = self.subjects(items, node)
        graphs = self.terms(items.get("graphs"))
        rules = tuple(self.rules(items["predicateobjects"])) if "predicateobjects" in items else ()
        several = len(sources) * len(subjects) > 1
        for number, (source, subject) in enumerate(((a, b) for a in sources for b in subjects), 1):
            yield TriplesMap(
                f"{name}#{number}" if several else name,
                source,
                subject,
                graphs,
                rules,
                self.nodes.origin(node),
            )

    def subjects(self, items: dict[str, Node], node: Node) -> list[TermMap]:
        """The subjects of a mapping, under its condition."""
        subjects = list(self.terms(items.get("subjects"))) or [
            TermMap(Expression(()), "blank", self.nodes.origin(node))
        ]
        if "condition" not in items:
            return subjects
        condition = self.calls.condition(items["condition"])
        return [replace(subject, condition=condition) for subject in subjects]

    def rules(self, node: Node) -> Iterator[PredicateObject]:
        for item in self.nodes.each(node):
            try:
                yield self.rule(item)
            except Wrong:
                continue

    def rule(self, node: Node) -> PredicateObject:
        """`[predicate, object]`, `[predicate, object, datatype or language~lang]`, or `{p: …, o: …,
        graphs: …, condition: …}`.
        """
        if isinstance(node, Sequence):
            if len(node.items) not in (2, 3):
                raise self.nodes.wrong(
                    node,
                    "a short rule is [predicate, object] or [predicate, object, datatype or language~lang]",
                )
            predicates = self.predicates(node.items[0])
            extra = node.items[2] if len(node.items) == 3 else None
            objects = tuple(
                self.object_(item, extra, predicates) for item in self.nodes.each(node.items[1])
            )
            return PredicateObject(predicates, objects, (), self.nodes.origin(node))
        items = self.nodes.map(node, "a rule", ("predicates", "objects", "graphs", "condition"))
        if "predicates" not in items or "objects" not in items:
            raise self.nodes.missing(node, "a rule needs `p` and `o`")
        predicates = self.predicates(items["predicates"])
        rule = PredicateObject(
            predicates,
            tuple(self.objects(items["objects"], predicates)),
            self.terms(items.get("graphs")),
            self.nodes.origin(node),
        )
        if "condition" in items:
            return _under(self.calls.condition(items["condition"]), rule)
        return rule

    def predicates(self, node: Node) -> tuple[TermMap, ...]:
        return tuple(map(self.predicate, self.nodes.each(node)))

    def predicate(self, node: Node) -> TermMap:
        if is_function(node):
            return self.term(node)
        items: dict[str, Node] = {}
        if isinstance(node, Mapping):
            items = self.nodes.map(node, "a predicate", ("value", "targets"))
        value = items.get("value", node)
        text = self.nodes.text(value).removesuffix("~iri")
        expression = (
            Expression((RDF_TYPE,))
            if text == "a"
            else self.expressions.expression(text, value, iri=True)
        )
        targets = self.targets.of(items)
        return TermMap(expression, "iri", self.nodes.origin(value), targets=targets)

    # -- objects -----------------------------------------------------------------------------------

    def objects(
        self, node: Node, predicates: tuple[TermMap, ...]
    ) -> Iterator[TermMap | ReferencingMap]:
        for item in self.nodes.each(node):
            if isinstance(item, Sequence):
                extra = item.items[1] if len(item.items) > 1 else None
                yield self.object_(item.items[0], extra, predicates)
            elif isinstance(item, Mapping):
                yield from self.long_object(item, predicates)
            else:
                yield self.object_(item, None, predicates)

    def long_object(
        self, node: Mapping, predicates: tuple[TermMap, ...]
    ) -> Iterator[TermMap | ReferencingMap]:
        items = self.nodes.map(node, "an object", _OBJECT_KEYS)
        if "mappings" in items:
            joins = tuple(self.calls.joins(items["condition"])) if "condition" in items else ()
            if "targets" in items:
                raise self.nodes.wrong(
                    items["targets"],
                    "targets of a `mapping` are those of its subjects; write them there",
                )
            for item in self.nodes.each(items["mappings"]):
                yield ReferencingMap(self.nodes.text(item), joins, self.nodes.origin(item))
            return
        condition = self.calls.condition(items["condition"]) if "condition" in items else None
        for term in self._long_terms(node, items, predicates):
            yield replace(term, condition=condition) if condition else term

    def _long_terms(
        self, node: Mapping, items: dict[str, Node], predicates: tuple[TermMap, ...]
    ) -> Iterator[TermMap]:
        kind = self.term_type(items)
        if "function" in items:
            kind = kind or ("iri" if _is_type(predicates) else "literal")
            yield self.with_type(self.calls.call(items), kind, items, items["function"])
        elif kind == "blank" and "value" not in items:
            yield self.with_type(Expression(()), "blank", items, node)
        elif "value" not in items:
            raise self.nodes.missing(node, "an object needs `value`, `function` or `mapping`")
        for entry in self.nodes.each(items["value"]) if "value" in items else ():
            text = self.nodes.text(entry)
            wanted = kind or (
                "iri" if _is_type(predicates) or self.expressions.names_an_iri(text) else "literal"
            )
            expression = self.expressions.expression(text, entry, iri=wanted == "iri")
            yield self.with_type(expression, wanted, items, entry)

    def term_type(self, items: dict[str, Node]) -> TermType | None:
        if "type" not in items:
            return None
        kind = _TERM_TYPES.get(self.nodes.text(items["type"]).lower())
        if kind is None:
            raise self.nodes.wrong(items["type"], "`type` is iri, literal or blank")
        return kind

    def with_type(
        self, expression: Expression, kind: TermType, items: dict[str, Node], node: Node
    ) -> TermMap:
        """A term with the datatype or the language that its keys state."""
        datatype = self.part(items.get("datatype"), iri=True)
        language, of_language = self.language(items.get("language"))
        if language and datatype and datatype.constant == _LANG_STRING:
            datatype = None  # it is what a text with a language has
        targets = (*self.targets.of(items), *of_language)
        origin = self.nodes.origin(node)
        return TermMap(expression, kind, origin, datatype, language, targets=targets)

    def language(self, node: Node | None) -> tuple[Expression | None, tuple[LogicalTarget, ...]]:
        """`en`, or `{value: en, targets: …}`: the language and the targets of its statements."""
        if not isinstance(node, Mapping) or is_function(node):
            return self.part(node, iri=False), ()
        items = self.nodes.map(node, "a language", ("value", "targets"))
        return self.part(items.get("value", node), iri=False), self.targets.of(items)

    def part(self, node: Node | None, *, iri: bool) -> Expression | None:
        """A datatype or a language: a text, or a function."""
        if node is None:
            return None
        if is_function(node):
            return self.calls.call(self.nodes.map(node, "a value", ("function", "parameters")))
        return self.expressions.expression(self.nodes.text(node), node, iri=iri)

    def object_(self, node: Node, extra: Node | None, predicates: tuple[TermMap, ...]) -> TermMap:
        """An object in short form: a suffix `~iri`, or a third item that is a datatype or
        `language~lang`.
        """
        text = self.nodes.text(node)
        read = self.expressions.expression
        tag = _TAG.search(text)
        origin = self.nodes.origin(node)
        self.expressions.check_suffix(text, node)
        if tag and tag.group(1) == "iri":
            return TermMap(read(text[: tag.start()], node, iri=True), "iri", origin)
        if _is_type(predicates) or (extra is None and self.expressions.names_an_iri(text)):
            return TermMap(read(text, node, iri=True), "iri", origin)
        expression = read(text, node, iri=False)
        if extra is None:
            return TermMap(expression, "literal", origin)
        kind = self.nodes.text(extra)
        if "~" in kind and not kind.endswith("~lang"):
            raise self.nodes.wrong(
                extra,
                f"`{kind}` is neither a datatype nor a language; a language is written de~lang",
            )
        if kind.endswith("~lang") and not _LANGUAGE.fullmatch(kind):
            raise self.nodes.wrong(extra, f"`{kind.removesuffix('~lang')}` is not a language tag")
        if _LANGUAGE.fullmatch(kind):
            language = read(kind.removesuffix("~lang"), extra, iri=False)
            return TermMap(expression, "literal", origin, language=language)
        return TermMap(expression, "literal", origin, datatype=read(kind, extra, iri=True))

    # -- terms -------------------------------------------------------------------------------------

    def terms(self, node: Node | None) -> tuple[TermMap, ...]:
        """Subjects or graphs."""
        return () if node is None else tuple(self.term(item) for item in self.nodes.each(node))

    def term(self, node: Node) -> TermMap:
        """A subject, a predicate or a graph."""
        if isinstance(node, Mapping):
            keys = ("value", "type", "function", "parameters", "targets")
            items = self.nodes.map(node, "a term", keys)
            kind = self.term_type(items) or "iri"
            if "function" in items:
                origin = self.nodes.origin(items["function"])
                targets = self.targets.of(items)
                return TermMap(self.calls.call(items), kind, origin, targets=targets)
            value = items.get("value", node)
            expression = self.expressions.expression(
                self.nodes.text(value), value, iri=kind == "iri"
            )
            origin = self.nodes.origin(value)
            return TermMap(expression, kind, origin, targets=self.targets.of(items))
        text = self.nodes.text(node)
        self.expressions.check_suffix(text, node)
        expression = self.expressions.expression(_TAG.sub("", text), node, iri=True)
        return TermMap(expression, "iri", self.nodes.origin(node))


def _under(condition: Expression, rule: PredicateObject) -> PredicateObject:
    """A rule under a condition: its terms are, or, of a link to another mapping, its predicates."""
    links = any(isinstance(item, ReferencingMap) for item in rule.objects)
    if links:
        predicates = tuple(replace(item, condition=condition) for item in rule.predicates)
        return replace(rule, predicates=predicates)
    return replace(
        rule,
        objects=tuple(
            replace(item, condition=condition) if isinstance(item, TermMap) else item
            for item in rule.objects
        ),
    )


def _linked(item: TriplesMap, maps: dict[str, TriplesMap]) -> TriplesMap:
    """A triples map whose links to a mapping with several subjects or sources lead to each of the
    triples maps that it became.
    """

    def targets(link: TermMap | ReferencingMap) -> tuple[TermMap | ReferencingMap, ...]:
        if isinstance(link, TermMap) or link.parent in maps:
            return (link,)
        names = [name for name in maps if name.startswith(f"{link.parent}#")]
        return tuple(replace(link, parent=name) for name in names)

    rules = tuple(
        replace(rule, objects=tuple(part for link in rule.objects for part in targets(link)))
        for rule in item.rules
    )
    return item if rules == item.rules else replace(item, rules=rules)


def _is_type(predicates: tuple[TermMap, ...]) -> bool:
    return all(predicate.expression.constant == RDF_TYPE for predicate in predicates)
