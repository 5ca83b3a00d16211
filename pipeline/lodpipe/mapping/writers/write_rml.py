"""Writes a mapping as RML in Turtle, by the vocabulary of RML-Core, RML-IO and RML-FNML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote as percent_encoded

from lodpipe.diagnostics.finding import Finding
from lodpipe.mapping.functions.functions import OWN
from lodpipe.mapping.logical_target import MAPPING_FOLDER, WORKING_FOLDER, LogicalTarget
from lodpipe.mapping.model import (
    Call,
    Expression,
    Gather,
    Join,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
)
from lodpipe.mapping.rml.rml_vocabulary import DEFAULT_GRAPH, RML, Role
from lodpipe.mapping.writers.mapping_writers import Unsaid, base_of
from lodpipe.rdf.datatypes import IRI

_FORMULATIONS = {
    "csv": "CSV", "json": "JSONPath", "jsonl": "JSONL", "yaml": "YAML", "parquet": "Parquet",
}  # fmt: skip
_TYPES = {
    "iri": "IRI", "uri": "URI", "unsafe-iri": "UnsafeIRI", "unsafe-uri": "UnsafeURI", "blank": "BlankNode", "literal": "Literal",
}  # fmt: skip
_PREFIXES = {"rml": RML}
_LOCAL = re.compile(r"[A-Za-z_][\w-]*")
Lines = Iterator[str]


def write_rml(document: MappingDocument) -> tuple[str, list[Finding]]:
    """The mapping as Turtle, with a finding (LP617) for each thing that RML cannot say."""
    return _Writer(document).written()


class _Writer:
    def __init__(self, document: MappingDocument) -> None:
        self.document = document
        self.unsaid = Unsaid("RML")
        self.prefixes = {**document.prefixes, **_PREFIXES}

    def written(self) -> tuple[str, list[Finding]]:
        self.unsaid.check(self.document)
        self.check_names()
        blocks = [self.triples_map(item) for item in self.document.triples_maps.values()]
        body = "\n\n".join(blocks)
        prefixes = [
            f"@prefix {prefix}: <{iri}> ."
            for prefix, iri in self.prefixes.items()
            if re.search(rf"(?<![\w:]){re.escape(prefix)}:", body)
        ]
        return "\n".join([*prefixes, "", body, ""]), self.unsaid.findings

    def check_names(self) -> None:
        """Queries that name other queries, which have no names in RML."""
        for source in self.document.named_sources:
            name = source.name or ""
            for other in self.document.sources:
                used = other.kind == "query" and other is not source
                if (
                    source.kind == "query"
                    and used
                    and re.search(rf"\b{re.escape(name)}\b", other.text)
                ):
                    self.unsaid.note(other.origin, f"the query `{name}`, which another query names")

    # -- triples maps ------------------------------------------------------------------------------

    def triples_map(self, item: TriplesMap) -> str:
        self.unsaid.check(item)
        lines = [f"{self.name(item.name)} a rml:TriplesMap"]
        if base := base_of(item, self.document.base):
            lines.append(f"rml:baseIRI {self.iri(base)}")
        lines.append(f"rml:logicalSource {self.source(item.source)}")
        graphs = [self.short(graph, "graph") for graph in item.graphs]
        lines.append(f"rml:subjectMap {self.term(item.subject, 'subject', graphs)}")
        lines += [f"rml:predicateObjectMap {self.rule(rule)}" for rule in item.rules]
        return " ;\n".join(lines).replace("\n", "\n    ") + " ."

    def name(self, name: str) -> str:
        return f"<#{percent_encoded(name, safe='')}>"

    def rule(self, rule: PredicateObject) -> str:
        self.unsaid.check(rule)
        items = [
            *(self.short(predicate, "predicate") for predicate in rule.predicates),
            *(self.object_(item) for item in rule.objects),
            *(self.short(graph, "graph") for graph in rule.graphs),
        ]
        return _node(items)

    def short(self, term: TermMap, role: Role) -> str:
        """A term under its shortcut where it is constant, else under its map."""
        constant = self.constant(term, role)
        if constant is not None and not (term.condition or term.gather or term.targets):
            return f"rml:{role} {constant}"
        return f"rml:{role}Map {self.term(term, role)}"

    def object_(self, item: TermMap | ReferencingMap) -> str:
        if isinstance(item, TermMap):
            return self.short(item, "object")
        return f"rml:objectMap {self.link(item)}"

    def link(self, item: ReferencingMap) -> str:
        self.unsaid.check(item)
        joins = [f"rml:joinCondition {self.join(join)}" for join in item.joins]
        return _node([f"rml:parentTriplesMap {self.name(item.parent)}", *joins])

    def join(self, join: Join) -> str:
        return _node([*self.join_side("child", join.child), *self.join_side("parent", join.parent)])

    def join_side(self, side: str, expression: Expression) -> Lines:
        part = expression.parts[0] if len(expression.parts) == 1 else None
        if isinstance(part, Reference) and not expression.template:
            yield f"rml:{side} {_text(part.name)}"
        else:
            yield f"rml:{side}Map {_node(self.expression(expression))}"

    # -- terms -------------------------------------------------------------------------------------

    def term(self, term: TermMap, role: Role, more: Iterable[str] = ()) -> str:
        self.unsaid.check(term)
        more = [*more, *map(self.target, term.targets)]
        if term.gather is not None:
            return _node([*self.head(term), *self.gather(term.gather), *more])
        constant = self.constant(term, role)
        if constant is not None:
            items = [f"rml:constant {constant}"]
        else:
            items = list(self.expression(term.expression)) if term.expression.parts else []
            if term.expression.constant is not None and term.expression.parts:
                items = [f"rml:template {_text(_escaped(term.expression.constant))}"]
            items += self.kind(term, role)
            items += self.part("datatype", term.datatype)
            items += self.part("language", term.language)
        if term.condition is not None:
            items.append(f"rml:condition {_node(self.expression(term.condition))}")
        return _node([*items, *more])

    def head(self, term: TermMap) -> Lines:
        """What names a list or a container, if anything does."""
        constant = self.constant(term, "subject")
        if constant is not None:
            yield f"rml:constant {constant}"
        elif term.expression.parts:
            yield from self.expression(term.expression)
            if term.term_type != "iri":
                yield f"rml:termType rml:{_TYPES[term.term_type]}"

    def target(self, target: LogicalTarget) -> str:
        """A file that the statements of a term are written to (RML-IO)."""
        self.prefixes["formats"] = "http://www.w3.org/ns/formats/"
        known = target.root in (WORKING_FOLDER, MAPPING_FOLDER)
        root = f"rml:{target.root}" if known else _text(target.root)
        file = ["a rml:FilePath", f"rml:path {_text(target.path)}", f"rml:root {root}"]
        if target.compression != "none":
            file.append(f"rml:compression rml:{target.compression}")
        file.append(f"rml:encoding rml:{target.encoding}")
        format_ = f"rml:serialization formats:{target.format.name}"
        return f"rml:logicalTarget {_node(['a rml:LogicalTarget', f'rml:target {_node(file)}', format_])}"

    def gather(self, gather: Gather) -> Lines:
        """What a list or a container has (RML-CC)."""
        self.prefixes["rdf"] = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        members = " ".join(
            self.term(item, "object") if isinstance(item, TermMap) else self.link(item)
            for item in gather.members
        )
        yield f"rml:gather ( {members} )"
        yield f"rml:gatherAs rdf:{gather.kind}"
        if gather.product:
            yield "rml:strategy rml:cartesianProduct"
        if gather.allow_empty:
            yield "rml:allowEmptyListAndContainer true"

    def kind(self, term: TermMap, role: Role) -> Lines:
        """The term type where it is not the default."""
        is_template = term.expression.template or term.expression.constant is not None
        default = "iri"
        if role == "object" and (not is_template or term.datatype or term.language):
            default = "literal"
        if term.term_type != default:
            yield f"rml:termType rml:{_TYPES[term.term_type]}"

    def part(self, name: str, expression: Expression | None) -> Lines:
        if expression is None:
            return
        constant = expression.constant
        if constant is not None and name == "language":
            yield f"rml:language {_text(constant)}"
        elif constant is not None and re.fullmatch(IRI, constant):
            yield f"rml:datatype {self.iri(constant)}"
        elif constant is not None:
            yield f"rml:datatypeMap {_node([f'rml:template {_text(_escaped(constant))}'])}"
        else:
            yield f"rml:{name}Map {_node(self.expression(expression))}"

    def constant(self, term: TermMap, role: Role) -> str | None:
        """A constant term in Turtle; None where it is none, or where only a template can say it."""
        value = term.expression.constant
        if value is None or not term.expression.parts:
            return None
        if term.term_type == "iri" and re.fullmatch(IRI, value):
            if role == "graph" and value == DEFAULT_GRAPH:
                return "rml:defaultGraph"
            return self.iri(value)
        if term.term_type != "literal" or role != "object":
            return None
        language = term.language.constant if term.language else None
        datatype = term.datatype.constant if term.datatype else None
        if term.language or term.datatype:
            if language is not None:
                return f"{_text(value)}@{language}"
            if datatype is None or not re.fullmatch(IRI, datatype):
                return None
            return f"{_text(value)}^^{self.iri(datatype)}"
        return _text(value)

    def expression(self, expression: Expression) -> Lines:
        """The properties that state an expression."""
        part = expression.parts[0] if len(expression.parts) == 1 else None
        if isinstance(part, Call):
            yield f"rml:functionExecution {self.call(part)}"
        elif expression.template:
            yield f"rml:template {_text(''.join(map(self.template_part, expression.parts)))}"
            if expression.calls:
                yield "rml:termType rml:IRI"
        elif isinstance(part, Reference):
            yield f"rml:reference {_text(part.name)}"
        else:
            yield f"rml:constant {_text(expression.constant or '')}"

    def template_part(self, part: str | Reference | Call) -> str:
        if isinstance(part, Call):
            # A template whose term type is IRI encodes its values, which is what such a call is.
            value = part.arguments[0][1].parts[0] if part.arguments else None
            if part.function == OWN + "iriSafe" and isinstance(value, Reference):
                return self.template_part(value)
            self.unsaid.note(None, "a function within a template")
            return ""
        return _escaped(part) if isinstance(part, str) else "{" + _escaped(part.name) + "}"

    def call(self, call: Call) -> str:
        items = [f"rml:function {self.iri(call.function)}"]
        for parameter, value in call.arguments:
            constant = value.constant
            given = (
                f"rml:inputValueMap {_node(self.expression(value))}"
                if constant is None
                else f"rml:inputValue {_text(constant)}"
            )
            items.append(f"rml:input {_node([f'rml:parameter {self.iri(parameter)}', given])}")
        return _node(items)

    # -- sources -----------------------------------------------------------------------------------

    def source(self, source: LogicalSource) -> str:
        self.unsaid.check(source)
        return _node(
            [*self.access(source), *(f"rml:null {_text(text)}" for text in source.nulls or ())]
        )

    def access(self, source: LogicalSource) -> Lines:
        if source.kind == "table":
            yield f"rml:source {_text(source.text)}"
            yield "rml:referenceFormulation rml:SQL2008Table"
        elif source.kind == "query":
            yield f"rml:query {_text(source.text)}"
        elif source.kind == "sql":
            yield from self.database(source)
        elif source.kind in _FORMULATIONS:
            path = f"rml:path {_text(source.text)}"
            yield f"rml:source [ a rml:RelativePathSource ; rml:root rml:MappingDirectory ; {path} ]"
            yield f"rml:referenceFormulation rml:{_FORMULATIONS[source.kind]}"
            if source.iterator is not None:
                yield f"rml:iterator {_text(source.iterator)}"
        else:
            self.unsaid.note(source.origin, f"a source of the kind {source.kind}")

    def database(self, source: LogicalSource) -> Lines:
        if source.database is None:
            self.prefixes["rr"] = "http://www.w3.org/ns/r2rml#"
            yield f"rr:sqlQuery {_text(source.text)}"
            return
        self.prefixes["d2rq"] = "http://www.wiwiss.fu-berlin.de/suhl/bizer/D2RQ/0.1#"
        yield f"rml:source [ a d2rq:Database ; d2rq:jdbcDSN {_text(source.database)} ]"
        yield "rml:referenceFormulation rml:SQL2008Query"
        yield f"rml:iterator {_text(source.text)}"

    def iri(self, iri: str) -> str:
        """An IRI in Turtle, with a prefix where there is one."""
        for prefix, start in self.prefixes.items():
            if start and iri.startswith(start) and _LOCAL.fullmatch(iri[len(start) :]):
                return f"{prefix}:{iri[len(start) :]}"
        return f"<{iri}>"


def _node(items: Iterable[str]) -> str:
    """A blank node with its properties, indented where they are long."""
    items = list(items)
    line = f"[ {' ; '.join(items)} ]"
    if len(line) <= 80 and "\n" not in line:
        return line
    inner = " ;\n".join(items).replace("\n", "\n    ")
    return f"[\n    {inner}\n]"


def _text(text: str) -> str:
    r"""A text in Turtle.

    >>> _text('the "Vice"')
    '"the \\"Vice\\""'
    """
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


def _escaped(text: str) -> str:
    """The text of a template whose braces and backslashes are meant."""
    return re.sub(r"([{}\\])", r"\\\1", text)
