"""Reads the term maps of a triples map: its subject, its rules, their joins and expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

import pyoxigraph as ox
from msgspec.structs import replace

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.mapping.functions.functions import OWN, FunctionTable
from lodpipe.mapping.model import (
    RDF_TYPE,
    Call,
    Expression,
    Join,
    LogicalSource,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TermType,
    View,
)
from lodpipe.mapping.rml.rml_formulations import check_path
from lodpipe.mapping.rml.rml_functions import FunctionReader, when
from lodpipe.mapping.rml.rml_gather import read_gather
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, rendered
from lodpipe.mapping.rml.rml_sources import undelimited
from lodpipe.mapping.rml.rml_targets import TargetReader
from lodpipe.mapping.rml.rml_vocabulary import (
    ALLOWED,
    DEFAULT_GRAPH,
    EXPRESSION,
    GATHER,
    GATHERING,
    JOIN,
    LANGUAGE,
    LITERAL,
    OBJECT,
    REFERENCING,
    RULE,
    SQL,
    SUBJECT,
    TERM,
    TERM_TYPES,
    WORDS,
    Role,
    split_iri,
)
from lodpipe.rdf.datatypes import IRI, LANGUAGE_TAG
from lodpipe.rdf.namespaces import XSD

_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_TEMPLATE = re.compile(r"\\(.?)|([{}])|[^\\{}]+", re.DOTALL)
_NOT_IN_IRI = re.compile(r"""[\x00-\x20<>"{}|^`\\]""")
_PRIMARY = re.compile(r"[A-Za-z]{2,3}(-|$)|[ixIX]-")


class TriplesMaps(Protocol):
    """The triples maps of a file, to which joins refer."""

    @property
    def names(self) -> Mapping[object, str]:
        """The name of each by its node."""

    @property
    def functions(self) -> FunctionTable:
        """The functions that the mapping can call."""

    @property
    def targets(self) -> TargetReader:
        """What reads the targets of their term maps."""

    def source_of(self, node: Node, name: str) -> LogicalSource | None:
        """The logical source of one; None where it is wrong."""


class TermReader:
    """Reads the term maps of one triples map; what a reference means depends on its source (None
    where that is wrong).
    """

    def __init__(
        self, reader: GraphReader, maps: TriplesMaps, source: LogicalSource | None
    ) -> None:
        self.reader, self.maps, self.source = reader, maps, source
        self.functions = FunctionReader(reader, maps.functions, self.input_map)
        self.wrong, self.origin = reader.wrong, reader.origin
        self.columns: dict[str, int] = {}

    # -- subject and rules -------------------------------------------------------------------------

    def subject(
        self, value: Value
    ) -> tuple[TermMap, tuple[TermMap, ...], tuple[PredicateObject, ...]]:
        """The subject, the graphs of all its statements, and the rule that its classes make."""
        if value.written.endswith(":subject"):
            return self.constant(value, "subject"), (), ()
        node = self.reader.node(value, "a subject map")
        graphs, classes = self.graphs(node), self.classes(node)
        return self.term(value, "subject", SUBJECT), graphs, classes

    def classes(self, node: Node) -> tuple[PredicateObject, ...]:
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

    def graphs(self, node: Node) -> tuple[TermMap, ...]:
        return self.reader.each(
            node.all("graph", "graphMap"), lambda item: self.short_or_map(item, "graph", TERM)
        )

    def rule(self, value: Value) -> PredicateObject:
        node = self.reader.node(value, "a predicate-object map")
        self.reader.only(node, "a predicate-object map", RULE)
        for name, what in (("predicate", "a predicate"), ("object", "an object")):
            if not node.all(name, f"{name}Map") and node.term not in self.reader.misspelt:
                self.wrong(node.line, f"a predicate-object map needs {what}")
        predicates = self.reader.each(
            node.all("predicate", "predicateMap"),
            lambda item: self.short_or_map(item, "predicate", TERM),
        )
        objects = self.reader.each(node.all("object", "objectMap"), self.object_)
        return PredicateObject(predicates, objects, self.graphs(node), self.origin(node.line))

    def short_or_map(self, value: Value, role: Role, allowed: set[str]) -> TermMap:
        return (
            self.term(value, role, allowed)
            if value.written.endswith("Map")
            else self.constant(value, role)
        )

    def object_(self, value: Value) -> TermMap | ReferencingMap:
        if (
            value.written.endswith("Map")
            and "parentTriplesMap" in self.reader.node(value, "an object map").items
        ):
            return self.referencing(self.reader.node(value, "an object map"))
        return self.short_or_map(value, "object", OBJECT)

    # -- joins -------------------------------------------------------------------------------------

    def referencing(self, node: Node) -> ReferencingMap:
        self.reader.only(node, "a referencing object map", REFERENCING)
        parent = self.reader.single(node, "a referencing object map", "parentTriplesMap")
        assert parent is not None  # who calls has looked
        name = self.maps.names.get(parent.term)
        if name is None:
            raise self.wrong(parent.line, f"there is no triples map {rendered(parent.term)}")
        source = self.maps.source_of(self.reader.nodes[parent.term], name)
        parent_terms = TermReader(self.reader, self.maps, source)
        joins = tuple(
            join
            for joins in self.reader.each(
                node.all("joinCondition"), lambda item: self.joins(item, parent_terms)
            )
            for join in joins
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

    def joins(self, value: Value, parent_terms: TermReader) -> tuple[Join, ...]:
        node = self.reader.node(value, "a join condition")
        self.reader.only(node, "a join condition", JOIN)
        function = self.reader.single(
            node, "a join condition", "functionValue", "functionExecution"
        )
        if function is not None:
            return tuple(self.functions.joins(function, self.input_map, parent_terms.input_map))
        return (self.join(node, parent_terms),)

    def join(self, node: Node, parent_terms: TermReader) -> Join:
        child, parent = self.join_side(node, "child"), parent_terms.join_side(node, "parent")
        if child is None or parent is None:
            raise Wrong
        return Join(child, parent)

    def join_side(self, node: Node, side: str) -> Expression | None:
        value = self.reader.single(node, "a join condition", side, f"{side}Map")
        if value is None:
            self.wrong(node.line, f"a join condition needs `rml:{side}` or `rml:{side}Map`")
            return None
        if not value.written.endswith("Map"):
            return self.reference(value)
        inner = self.reader.node(value, "an expression map")
        self.reader.only(inner, "an expression map", EXPRESSION)
        given = self.expression_value(inner, f"`{value.written}`")
        if given is None:
            raise self.missing(inner, f"`{value.written}`")
        return self.expression(given, inner)

    def input_map(self, value: Value) -> Expression:
        """The expression map of a function's input or of a condition. A template whose term type is
        IRI encodes its values, as it does in a term.
        """
        node = self.reader.node(value, "an expression map")
        parent = self.reader.single(node, "an expression map", "parentTermMap")
        if parent is not None:
            return self.input_map(parent)
        what = f"`{value.written}`"
        self.reader.only(node, what, OBJECT)
        given = self.expression_value(node, what)
        if given is None:
            raise self.missing(node, what)
        expression = when(self.functions.condition(node), self.expression(given, node))
        if expression.template and self.term_type(node, "object") in ("iri", "uri"):
            return _iri_safe(expression)
        return expression

    # -- terms -------------------------------------------------------------------------------------

    def term(self, value: Value, role: Role, allowed: set[str]) -> TermMap:
        """A term map; its term type is the stated one, else what the specification has for its
        place and its expression.
        """
        node = self.reader.node(value, f"a {role} map")
        what = f"{'an' if role == 'object' else 'a'} {role} map"
        if role in GATHERING and not GATHER.isdisjoint(node.items):
            return self.gathered(node, role, what, allowed)
        self.reader.only(node, what, allowed)
        stated = self.term_type(node, role)
        condition = self.functions.condition(node)
        given = self.expression_value(node, what)
        targets = self.maps.targets.of(node)
        inner = node
        if given is not None and is_function(given):
            given, inner, condition = self.behind_condition(given, node, condition)
        if given is not None and is_constant_map(given):
            constant = self.stated_constant(given, node, role, stated)
            return replace(constant, condition=condition, targets=targets)
        if given is None and stated != "blank":
            raise self.missing(node, what)
        datatype, language = self.datatype(node), self.language(node)
        kind = stated or _default(role, given, typed=bool(datatype or language))
        if (datatype or language) and kind != "literal":
            excess = node.all("datatype", "datatypeMap", "language", "languageMap")[0]
            raise self.wrong(excess.line, f"only a literal has `{excess.written}`")
        expression = Expression(()) if given is None else self.expression(given, inner)
        line = node.line if given is None else given.line
        self.check_text(expression, kind, line)
        origin = self.origin(line)
        return TermMap(expression, kind, origin, datatype, language, condition, targets=targets)

    def behind_condition(
        self, given: Value, node: Node, condition: Expression | None
    ) -> tuple[Value | None, Node, Expression | None]:
        """The expression of a map that is a conditional function, with its node and the condition;
        where it is none, they are as given. A blank node needs no expression.
        """
        pair = self.functions.conditional(given) if condition is None else None
        if pair is None:
            return given, node, condition
        self.functions.check_return(self.functions.execution(given).function, node)
        inner = self.reader.node(pair[1], "an expression map")
        value = self.expression_value(inner, "an expression map")
        if value is None and self.term_type(inner, "object") != "blank":
            return given, node, condition
        return value, inner, pair[0]

    def gathered(self, node: Node, role: Role, what: str, allowed: set[str]) -> TermMap:
        """A term map that is the head of a list or container: an IRI or a blank node (RML-CC)."""
        self.reader.only(node, f"{what} that gathers", (allowed | GATHER) - LITERAL - {"condition"})
        stated = self.term_type(node, role)
        if stated == "literal":
            raise self.wrong(
                node.all("termType")[0].line,
                "a list or container is an IRI or a blank node, no literal",
            )
        gather = read_gather(self.reader, node, self.member)
        given = self.expression_value(node, what)
        targets = self.maps.targets.of(node)
        if given is None:
            if role == "predicate" or stated not in (None, "blank"):
                raise self.missing(node, what)
            origin = self.origin(node.line)
            return TermMap(Expression(()), "blank", origin, gather=gather, targets=targets)
        if is_constant_map(given):
            head = self.stated_constant(given, node, "subject", stated)
            return replace(head, gather=gather, targets=targets)
        expression, kind = self.expression(given, node), stated or "iri"
        self.check_text(expression, kind, given.line)
        origin = self.origin(given.line)
        return TermMap(expression, kind, origin, gather=gather, targets=targets)

    def member(self, value: Value) -> TermMap | ReferencingMap:
        """A map whose terms are members of a list or container."""
        node = self.reader.node(value, "a term map")
        if "parentTriplesMap" in node.items:
            return self.referencing(node)
        return self.term(value, "object", OBJECT)

    def term_type(self, node: Node, role: Role) -> TermType | None:
        value = self.reader.single(node, f"the {role} map", "termType")
        if value is None:
            return None
        prefix, word = split_iri(value.text)
        if (
            not isinstance(value.term, ox.NamedNode)
            or prefix not in WORDS
            or word not in TERM_TYPES
        ):
            raise self.wrong(
                value.line,
                f"there is no term type {rendered(value.term)}{did_you_mean(word, TERM_TYPES)}",
            )
        if TERM_TYPES[word] not in ALLOWED[role]:
            raise self.wrong(value.line, f"a {role} cannot be of term type `{prefix}:{word}`")
        return TERM_TYPES[word]

    def expression_value(self, node: Node, what: str) -> Value | None:
        return self.reader.single(
            node, what, "constant", "reference", "template", "functionExecution", "functionValue"
        )

    def missing(self, node: Node, what: str) -> Wrong:
        """No expression; one error, one finding: not reported where a property of the node is
        misspelt, or not supported.
        """
        if node.term in self.reader.misspelt:
            return Wrong()
        return self.wrong(node.line, f"{what} needs a constant, a reference or a template")

    def stated_constant(
        self, given: Value, node: Node, role: Role, stated: TermType | None
    ) -> TermMap:
        """A constant in the long form: it is the term itself, so that whatever else says what it is
        must agree.
        """
        if stated == "iri" and isinstance(given.term, ox.Literal) and _is_plain_iri(given.term):
            # yarrrml-parser writes every constant IRI as a text with the term type
            return TermMap(Expression((given.text,)), "iri", self.origin(given.line))
        term = self.constant(given, role)
        if stated == "blank" or (
            stated is not None and (stated == "literal") != (term.term_type == "literal")
        ):
            raise self.wrong(
                given.line,
                f"the constant {rendered(given.term)} does not have the stated term type",
            )
        for value in node.all("datatype", "datatypeMap", "language", "languageMap"):
            self.wrong(
                value.line,
                f'a constant has no `{value.written}`; write it into the literal ("…"@en, "…"^^xsd:date)',
            )
        return term

    def constant(self, value: Value, role: Role) -> TermMap:
        """An IRI or a literal as written in the mapping."""
        term, origin = value.term, self.origin(value.line)
        if isinstance(term, ox.NamedNode):
            prefix, word = split_iri(term.value)
            is_default = role == "graph" and prefix in WORDS and word == "defaultGraph"
            if role == "graph" and prefix in WORDS and not is_default:
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
                f"`{value.written}`: a constant is an IRI or a literal, not {rendered(term)}",
            )
        if role != "object":
            raise self.wrong(
                value.line, f"`{value.written}`: a {role} cannot be the literal {rendered(term)}"
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

    def datatype(self, node: Node) -> Expression | None:
        value = self.reader.single(
            node, "an object map", "datatype", "datatypeMap", "language", "languageMap"
        )
        if value is None or value.written.endswith((":language", ":languageMap")):
            return None
        if value.written.endswith(":datatypeMap"):
            term = self.term(value, "datatype", TERM)
            return when(term.condition, term.expression)
        if self.reader.iri(value) == _LANG_STRING:
            raise self.wrong(
                value.line,
                "rdf:langString is the datatype of texts with a language; state the language instead",
            )
        return Expression((value.text,))

    def language(self, node: Node) -> Expression | None:
        value = next(iter(node.all("language", "languageMap")), None)
        if value is None:
            return None
        if value.written.endswith(":language"):
            self.check_language(self.reader.text(value), value.line)
            return Expression((value.text,))
        inner = self.reader.node(value, "a language map")
        self.reader.only(inner, "a language map", LANGUAGE)
        self.term_type(inner, "language")
        given = self.expression_value(inner, "a language map")
        if given is None:
            raise self.missing(inner, "a language map")
        if is_constant_map(given):
            self.check_language(self.reader.text(given), given.line)
            return Expression((given.text,))
        return when(self.functions.condition(inner), self.expression(given, inner))

    def check_language(self, tag: str, line: int) -> None:
        """A language tag by BCP 47; what begins with none of its two- or three-letter codes is a
        language's name, or a typo.
        """
        if not re.fullmatch(LANGUAGE_TAG, tag) or not _PRIMARY.match(tag):
            self.wrong(
                line, f"`{tag}` is not a language tag; use one such as de, en or fr (BCP 47)"
            )

    # -- expressions -------------------------------------------------------------------------------

    def expression(self, given: Value, node: Node) -> Expression:
        """The expression of a map's node, of which `given` is the value that states it."""
        if is_function(given):
            return self.functions.call(given, node)
        if is_constant_map(given):
            if isinstance(given.term, ox.BlankNode | ox.Triple):
                raise self.wrong(given.line, "a constant is an IRI or a literal")
            return Expression((given.text,))
        return (
            self.template(given) if given.written.endswith(":template") else self.reference(given)
        )

    def reference(self, given: Value) -> Expression:
        return Expression((self.named(self.reader.text(given), given.line),))

    def named(self, text: str, line: int) -> Reference:
        """A reference: for JSON and YAML a JSONPath; for SQL a column, whose name in double quotes
        is the name without them.
        """
        if not text:
            raise self.wrong(line, "a reference names nothing")
        if self.source:
            check_path(self.reader, self.source.kind, text, line, self.source.namespaces)
        if self.source and self.source.kind in SQL:
            self.columns.setdefault(text, line)
            text = undelimited(text)
        if self.source and self.source.view:
            self.check_key(self.source.view, text, line)
        return Reference(text)

    def check_key(self, view: View, key: str, line: int) -> None:
        """Notes a reference to a key that a view does not have, or that has no value."""
        if key in view.iterables:
            position = "#" if key == "<it>" else f"{key}.#"
            self.wrong(
                line,
                f"`{key}` is a record, which has no value; refer to the fields in it, or to its position, `{position}`",
            )
        elif key not in view.keys:
            near = did_you_mean(key, view.keys)
            self.wrong(line, f"the view has no field `{key}`{near}; it has {', '.join(view.keys)}")

    def template(self, given: Value) -> Expression:
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


def is_constant_map(given: Value) -> bool:
    return given.written.endswith(":constant")


def is_function(given: Value) -> bool:
    return given.written.endswith((":functionExecution", ":functionValue", ":execution"))


def _is_plain_iri(term: ox.Literal) -> bool:
    """Whether a literal without language and datatype is an absolute IRI."""
    plain = term.language is None and term.datatype.value == XSD + "string"
    return plain and re.fullmatch(IRI, term.value) is not None


def _iri_safe(expression: Expression) -> Expression:
    """A template whose values are percent-encoded by a function."""
    return replace(
        expression,
        parts=tuple(
            Call(OWN + "iriSafe", ((OWN + "value", Expression((part,))),))
            if isinstance(part, Reference)
            else part
            for part in expression.parts
        ),
    )


def _default(role: Role, given: Value | None, *, typed: bool) -> TermType:
    """The term type where none is stated (RML-Core, default term types)."""
    is_reference = given is not None and not given.written.endswith(":template")
    return "literal" if role == "object" and (is_reference or typed) else "iri"


def _same(logical_source: LogicalSource, other: LogicalSource) -> bool:
    """Whether two logical sources give the same records, wherever they are written."""
    return replace(logical_source, origin=other.origin) == other
