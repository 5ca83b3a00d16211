"""Writes a mapping as YARRRML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.logical_target import WORKING_FOLDER
from lodpipe.mapping.model import (
    RDF_TYPE,
    Call,
    Expression,
    Join,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
)
from lodpipe.mapping.writers.mapping_writers import Unsaid, base_of, is_type, shared_condition
from lodpipe.mapping.yarrrml.yarrrml_expressions import CURIE, WELL_KNOWN
from lodpipe.mapping.yarrrml.yarrrml_sources import DATABASES

_FORMULATIONS = {
    "csv": "csv", "json": "jsonpath", "jsonl": "jsonl", "yaml": "yaml", "parquet": "parquet", "table": "table",
}  # fmt: skip
_TYPES = {"iri": "iri", "blank": "blank", "literal": "literal"}
_LOCAL = re.compile(r"[A-Za-z_][\w-]*")
_PLAIN = re.compile(r"[A-Za-z][\w.~-]*(:[\w.~-]+)?|https?://[\w./~$()#-]+|\$\([\w.-]+\)")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_ALL_OF = re.compile(r"SELECT \* FROM (.+)", re.DOTALL)

Value = str | list["Value"] | dict[str, "Value"]


def write_yarrrml(document: MappingDocument) -> tuple[str, list[Finding]]:
    """The mapping as YARRRML, with a finding (LP617) for each thing that YARRRML cannot say."""
    writer = _Writer(document)
    tree = writer.tree()
    return "\n".join(_lines(tree, 0)) + "\n", writer.unsaid.findings


class _Writer:
    def __init__(self, document: MappingDocument) -> None:
        self.document = document
        self.unsaid = Unsaid("YARRRML")
        self.known = {**WELL_KNOWN, **document.prefixes}
        self.used: set[str] = set()

    def tree(self) -> dict[str, Value]:
        self.unsaid.check(self.document)
        mappings: dict[str, Value] = {
            name: self.triples_map(item) for name, item in self.document.triples_maps.items()
        }
        bases = {base_of(item, self.document.base) for item in self.document.triples_maps.values()}
        if len(bases) > 1:
            self.unsaid.note(None, "several base IRIs")
        base = bases.pop() if bases else None
        prefixes: dict[str, Value] = {
            prefix: iri
            for prefix, iri in self.known.items()
            if prefix in self.used and prefix not in ("rdf", "rdfs", "xsd")
        }
        sources: dict[str, Value] = {
            source.name: self.source(source)
            for source in self.document.named_sources
            if source.name
        }
        return {
            **({"prefixes": prefixes} if prefixes else {}),
            **({"base": base} if base else {}),
            **({"sources": sources} if sources else {}),
            "mappings": mappings,
        }

    # -- mappings ----------------------------------------------------------------------------------

    def triples_map(self, item: TriplesMap) -> dict[str, Value]:
        self.unsaid.check(item)
        named = item.source.name if item.source in self.document.named_sources else None
        result: dict[str, Value] = {"sources": named or [self.source(item.source)]}
        subject = item.subject
        self.check(subject)
        if subject.expression.parts:
            result["s"] = self.term(subject)
        elif subject.term_type != "blank":
            self.unsaid.note(subject.origin, "a subject without an expression")
        if subject.condition is not None:
            result["condition"] = self.condition(subject.condition, subject.origin)
        if item.graphs:
            result["graphs"] = [self.graph(graph) for graph in item.graphs]
        if item.rules:
            result["po"] = [self.rule(rule) for rule in item.rules]
        return result

    def term(self, term: TermMap) -> Value:
        """A subject, a predicate or a graph."""
        self.check(term)
        kind = self.kind(term)
        more: dict[str, Value] = {} if kind == "iri" else {"type": kind}
        more |= self.targets(term)
        if call := term.expression.call:
            return {**self.call(call), **more}
        text = self.text(term.expression, term.origin, iri=kind == "iri")
        if more or "~" in text[-6:]:
            return {"value": text, **more}
        return text

    def targets(self, term: TermMap) -> dict[str, Value]:
        """The files that the statements of a term are written to."""
        listed: list[Value] = []
        for target in term.targets:
            if target.root != WORKING_FOLDER or "~" in target.path:
                self.unsaid.note(target.origin, f"the place of the target {target.path}")
            listed.append(
                {
                    "access": target.path,
                    "serialization": target.format.name.replace("-", "").replace("_", "").lower(),
                    "compression": target.compression,
                    "encoding": target.encoding,
                }
            )
        return {"targets": listed} if listed else {}

    def check(self, term: TermMap) -> None:
        self.unsaid.check(term)
        if term.gather is not None:
            self.unsaid.note(term.origin, "a list or a container")

    def graph(self, term: TermMap) -> Value:
        self.no_condition(term, "a graph")
        return self.term(term)

    def no_condition(self, term: TermMap, what: str) -> None:
        if term.condition is not None:
            self.unsaid.note(term.origin, f"a condition of {what}")

    def kind(self, term: TermMap) -> str:
        if term.term_type not in _TYPES:
            self.unsaid.note(term.origin, f"the term type {term.term_type}")
        return _TYPES.get(term.term_type, "iri")

    # -- rules -------------------------------------------------------------------------------------

    def rule(self, rule: PredicateObject) -> Value:
        self.unsaid.check(rule)
        predicates = [self.predicate(item) for item in rule.predicates]
        condition = self.rule_condition(rule)
        shared = condition is not None
        if len(rule.objects) == 1 and not rule.graphs and condition is None:
            item = rule.objects[0]
            if isinstance(item, TermMap) and (short := self.short_object(item, rule)) is not None:
                return [predicates[0] if len(predicates) == 1 else predicates, *short]
        objects = [self.object_(item, rule, shared=shared) for item in rule.objects]
        result: dict[str, Value] = {
            "p": predicates[0] if len(predicates) == 1 else predicates,
            "o": objects[0] if len(objects) == 1 and not isinstance(objects[0], list) else objects,
        }
        if rule.graphs:
            result["graphs"] = [self.graph(graph) for graph in rule.graphs]
        if condition is not None:
            result["condition"] = condition
        return result

    def rule_condition(self, rule: PredicateObject) -> Value | None:
        """The condition of all objects, or, of links, of the predicates."""
        links = any(isinstance(item, ReferencingMap) for item in rule.objects)
        conditions = {item.condition for item in rule.predicates}
        if conditions != {None}:
            condition = next(iter(conditions))
            if not links or condition is None or len(conditions) > 1:
                self.unsaid.note(rule.origin, "a condition of a predicate")
            if condition is not None:
                return self.condition(condition, rule.origin)
        if shared_condition(rule) and len(rule.objects) > 1:
            first = rule.objects[0]
            if isinstance(first, TermMap) and first.condition is not None:
                return self.condition(first.condition, first.origin)
        return None

    def predicate(self, term: TermMap) -> Value:
        if term.expression.constant == RDF_TYPE:
            targets = self.targets(term)
            return {"value": "a", **targets} if targets else "a"
        return self.term(term)

    def short_object(self, term: TermMap, rule: PredicateObject) -> list[Value] | None:
        """Object and datatype or language as items of a list; None where keys are needed."""
        if (
            term.condition
            or term.gather
            or term.targets
            or term.expression.call
            or not term.expression.parts
        ):
            return None
        origin = term.origin
        if term.term_type == "iri":
            text = self.text(term.expression, origin, iri=True)
            if is_type(rule.predicates):
                return [text] if "~" not in text else None
            return [f"{text}~iri"]
        text = self.text(term.expression, origin, iri=False)
        ambiguous = is_type(rule.predicates) or "~" in text or self.looks_like_iri(text)
        if term.term_type != "literal" or ambiguous:
            return None
        if term.language is not None and term.language.call:
            return None
        if term.language is not None:
            language = self.text(term.language, origin, iri=False)
            return (
                [text, f"{language}~lang"]
                if re.fullmatch(r"[\w-]+|\$\([^)]+\)", language)
                else None
            )
        if term.datatype is not None:
            if term.datatype.call:
                return None
            return [text, self.text(term.datatype, origin, iri=True)]
        return [text]

    def object_(
        self, item: TermMap | ReferencingMap, rule: PredicateObject, *, shared: bool
    ) -> Value:
        if isinstance(item, ReferencingMap):
            self.unsaid.check(item)
            return self.link(item)
        self.check(item)
        kind = self.kind(item)
        named = "iri" if is_type(rule.predicates) else "literal"
        result: dict[str, Value] = {}
        if call := item.expression.call:
            result = self.call(call)
        elif item.expression.parts:
            text = self.text(item.expression, item.origin, iri=kind == "iri")
            result["value"] = text
            if not is_type(rule.predicates) and self.looks_like_iri(text):
                named = "iri"
        if kind != named:
            result["type"] = kind
        result |= self.targets(item)
        for name, part in (("datatype", item.datatype), ("language", item.language)):
            if part is not None:
                result[name] = (
                    self.call(part.call)
                    if part.call
                    else self.text(part, item.origin, iri=name == "datatype")
                )
        if item.condition is not None and not shared:
            result["condition"] = self.condition(item.condition, item.origin)
        return result

    def link(self, item: ReferencingMap) -> Value:
        if not item.joins:
            return {"mapping": item.parent}
        joins: list[Value] = [self.join(join, item.origin) for join in item.joins]
        return {"mapping": item.parent, "condition": joins[0] if len(joins) == 1 else joins}

    def join(self, join: Join, origin: Origin) -> Value:
        parameters: list[Value] = [
            self.parameter("str1", join.child, "s", origin),
            self.parameter("str2", join.parent, "o", origin),
        ]
        return {"function": "equal", "parameters": parameters}

    # -- functions ---------------------------------------------------------------------------------

    def condition(self, condition: Expression, origin: Origin) -> Value:
        if condition.call is None:
            self.unsaid.note(origin, "a condition that is no function")
            return {}
        return self.call(condition.call)

    def call(self, call: Call) -> dict[str, Value]:
        parameters: list[Value] = [
            self.parameter(self.curie(name), value, None, None) for name, value in call.arguments
        ]
        result: dict[str, Value] = {"function": self.curie(call.function)}
        if parameters:
            result["parameters"] = parameters
        return result

    def parameter(
        self, name: str, value: Expression, mark: str | None, origin: Origin | None
    ) -> Value:
        if value.call is not None:
            result: dict[str, Value] = {"parameter": name, "value": self.call(value.call)}
            return {**result, "from": mark} if mark else result
        text = self.text(value, origin, iri=False)
        if text.endswith("~iri"):
            self.unsaid.note(origin, f"the value `{text}` of a parameter")
        return [name, text, *([mark] if mark else [])]

    # -- texts -------------------------------------------------------------------------------------

    def text(self, expression: Expression, origin: Origin | None, *, iri: bool) -> str:
        """An expression as YARRRML has it."""
        parts = []
        for number, part in enumerate(expression.parts):
            if isinstance(part, Call):
                self.unsaid.note(origin, "a function within a template")
            elif isinstance(part, Reference):
                parts.append("$(" + re.sub(r"([\\)])", r"\\\1", part.name) + ")")
            elif number == 0 and iri:
                parts.append(self.start(part))
            else:
                parts.append(_escaped(part, number == 0))
        if expression.template and len(expression.parts) == 1:
            self.unsaid.note(
                origin, f"a template of the reference `{expression.references[0]}` alone"
            )
        if expression.constant == "" and iri is False and origin is not None:
            self.unsaid.note(origin, "an empty text")
        return "".join(parts)

    def start(self, text: str) -> str:
        """The first text of an IRI: with a prefix where there is one."""
        short = self.curie(text)
        if short != text:
            return short
        return _escaped(text, True)

    def curie(self, iri: str) -> str:
        for prefix, start in self.known.items():
            local = iri[len(start) :]
            if start and iri.startswith(start) and (_LOCAL.fullmatch(local) or not local):
                self.used.add(prefix)
                return f"{prefix}:{local}"
        return iri

    def looks_like_iri(self, text: str) -> bool:
        if "$(" in text:
            return False
        curie = CURIE.match(text)
        return text.startswith(("http://", "https://")) or bool(
            curie and curie[1] in self.known and " " not in text
        )

    # -- sources -----------------------------------------------------------------------------------

    def source(self, source: LogicalSource) -> Value:
        self.unsaid.check(source)
        if source.nulls:
            self.unsaid.note(source.origin, "texts that mean no value")
        if source.kind == "query":
            return {"query": source.text}
        if source.kind == "sql":
            table = _ALL_OF.fullmatch(source.text)
            if source.database is None and table:
                return {"table": table[1]}
            if source.database is not None and source.database.startswith(DATABASES):
                kind = source.database.partition("://")[0]
                return {"type": kind, "access": source.database, "query": source.text}
            self.unsaid.note(
                source.origin, "a query of this database, or of one that the mapping does not name"
            )
            return {}
        if source.kind not in _FORMULATIONS:
            self.unsaid.note(source.origin, f"a source of the kind {source.kind}")
            return {}
        formulation = _FORMULATIONS[source.kind]
        iterator = [] if source.iterator is None else [source.iterator]
        return [f"{source.text}~{formulation}", *iterator]


def _escaped(text: str, is_start: bool) -> str:
    """A text whose `$(` and backslashes are meant, and at the beginning a colon behind a word."""
    text = re.sub(r"\\|\$(?=\()", lambda match: "\\" + match[0], text)
    curie = CURIE.match(text)
    if is_start and curie and not text.startswith("//", curie.end()):
        text = f"{curie[1]}\\:{text[curie.end() :]}"
    return text


# -- YAML ------------------------------------------------------------------------------------------


def _lines(tree: dict[str, Value], depth: int) -> Iterator[str]:
    """Maps as blocks down to the rules, and what is within them in one line."""
    indent = "  " * depth
    for key, value in tree.items():
        if isinstance(value, dict) and value and depth < 2:
            yield f"{indent}{_scalar(key)}:"
            yield from _lines(value, depth + 1)
        elif key == "po" and isinstance(value, list):
            yield f"{indent}{key}:"
            yield from (f"{indent}  - {_flow(item)}" for item in value)
        else:
            yield f"{indent}{_scalar(key)}: {_flow(value)}"


def _flow(value: Value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
        )
    return _scalar(value)


def _scalar(text: str) -> str:
    """A text in YAML, in quotes where it needs them.

    >>> _scalar("ex:name"), _scalar("yes"), _scalar("a, b")
    ('ex:name', '"yes"', '"a, b"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
