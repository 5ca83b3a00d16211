"""A mapping becomes a relational plan: one fused SELECT for each triples map, all of the same shape.

Each SELECT yields s, p, o, g (terms in N-Triples spelling, g empty for the default graph), record and rule. The SQL keeps to
what DuckDB and Spark share, plus four scalar functions that the engine defines: iri_safe, nt_quote, is_iri, is_day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.datatypes import DAYS, IRI, LANGUAGE_TAG, PATTERNS, SCHEME, XSD
from pipeline.errors import Finding, InvalidDeclaration, Origin
from pipeline.mapping.model import (
    Expression,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
)

STRING = XSD + "string"


@dataclass(frozen=True)
class Rule:
    """Where a statement came from in the mapping, and which columns made its subject and its object."""

    number: int
    name: str
    subject_columns: tuple[str, ...]
    columns: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True)
class Check:
    """A condition on a source's rows that makes a value unusable, with the finding it leads to."""

    code: str
    problem: str
    value: str
    column: str | None
    words: Mapping[str, str]


@dataclass(frozen=True)
class Select:
    """The statements of one triples map (or one join of it): its source as SQL, the SELECT, and the checks on its rows."""

    name: str
    source: str
    sql: str
    checks: tuple[Check, ...]
    origin: Origin


@dataclass(frozen=True)
class Plan:
    """Every SELECT of a mapping, and the rules that their `rule` column numbers."""

    selects: tuple[Select, ...]
    rules: tuple[Rule, ...]


def quote(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A SQL text literal.

    >>> text("l'été")
    "'l''été'"
    """
    return "'" + value.replace("'", "''") + "'"


Columns = Callable[[LogicalSource], tuple[str, tuple[str, ...]]]
"""Gives a logical source as a SQL relation, and the names of its columns."""


def compile_mapping(document: MappingDocument, base: str, columns: Columns, patterns: Mapping[str, str]) -> Plan:
    """The plan of a mapping.

    `patterns` maps the IRIs of own datatypes to the pattern of their texts. Raises InvalidDeclaration (LP602) with all that is
    wrong: references to columns that are not there, constants that are no IRI, datatypes that are none.
    """
    compiler = _Compiler(document, document.base or base, columns, {**PATTERNS, **patterns})
    selects = tuple(select for one in document.triples_maps.values() for select in compiler.triples_map(one))
    if compiler.findings:
        raise InvalidDeclaration(compiler.findings)
    return Plan(selects, tuple(compiler.rules))


@dataclass(frozen=True)
class _Term:
    """A term map as SQL: the term's spelling (NULL where there is none) and the checks on it."""

    sql: str
    checks: tuple[Check, ...] = ()


class _Compiler:
    def __init__(self, document: MappingDocument, base: str, columns: Columns, patterns: Mapping[str, str]) -> None:
        self.document, self.base, self.columns_of, self.patterns = document, base, columns, patterns
        self.rules: list[Rule] = []
        self.findings: list[Finding] = []

    def wrong(self, origin: Origin, detail: str) -> None:
        self.findings.append(Finding("LP602", origin, {"detail": detail}))

    # -- statements ----------------------------------------------------------------------------------------------

    def triples_map(self, one: TriplesMap) -> Iterator[Select]:
        """One SELECT for all that needs no join, and one for each object that does."""
        source, columns = self.columns_of(one.source)
        self._check_columns(one, columns)
        subject = self.term(one.subject, one.name)
        missing = self._missing_key(one)
        parts: list[tuple[str, str, str, int]] = []
        checks = [*subject.checks, *missing]
        for rule in one.rules:
            for item in rule.objects:
                number = self._rule(one, rule, item)
                if isinstance(item, ReferencingMap) and item.joins:
                    yield self._join(one, rule, item, number)
                    continue
                term = self._parent_subject(item) if isinstance(item, ReferencingMap) else self.term(item, self.rules[number].name)
                checks += term.checks
                for predicate in rule.predicates:
                    for graph, graph_checks in self._graphs(one, rule):
                        parts.append((self.term(predicate, one.name).sql, term.sql, graph, number))
                        checks += graph_checks
        if parts:
            record = quote("_record") if "_record" in columns else "CAST(NULL AS BIGINT)"
            sql = _fused(source, subject.sql, record, parts)
            yield Select(one.name, source, sql, _distinct(checks), one.origin)

    def _join(self, one: TriplesMap, rule: PredicateObject, item: ReferencingMap, number: int) -> Select:
        parent = self.document.triples_maps[item.parent]
        (child_source, child_columns), (parent_source, parent_columns) = self.columns_of(one.source), self.columns_of(parent.source)
        for join in item.joins:
            for expression, columns in ((join.child, child_columns), (join.parent, parent_columns)):
                for name in expression.references:
                    self._check_column(name, columns, item.origin)
        condition = " AND ".join(f"{_concatenated(join.child, 'c.')} = {_concatenated(join.parent, 'p.')}" for join in item.joins)
        record = f"c.{quote('_record')}" if "_record" in child_columns else "CAST(NULL AS BIGINT)"
        subject, target = self.term(one.subject, one.name, "c."), self.term(parent.subject, parent.name, "p.")
        parts = [
            (self.term(predicate, one.name, "c.").sql, target.sql, graph, number)
            for predicate in rule.predicates
            for graph, _ in self._graphs(one, rule, "c.")
        ]
        relation = f"{child_source} AS c JOIN {parent_source} AS p ON {condition}"
        return Select(f"{one.name} ⋈ {parent.name}", relation, _fused(relation, subject.sql, record, parts), (), item.origin)

    def _parent_subject(self, item: ReferencingMap) -> _Term:
        """A referencing map without join conditions takes the parent's subject from the same row (RML-Core, self-join)."""
        parent = self.document.triples_maps.get(item.parent)
        return self.term(parent.subject, item.parent) if parent else _Term("NULL")

    def _graphs(self, one: TriplesMap, rule: PredicateObject, alias: str = "") -> list[tuple[str, tuple[Check, ...]]]:
        graphs = [self.term(graph, one.name, alias) for graph in (*one.graphs, *rule.graphs)]
        return [(graph.sql, graph.checks) for graph in graphs] or [("''", ())]

    def _rule(self, one: TriplesMap, rule: PredicateObject, item: TermMap | ReferencingMap) -> int:
        predicate = rule.predicates[0].expression.constant if rule.predicates else None
        name = f"{one.name}: {self._short(predicate or '?')}"
        columns = item.expression.references if isinstance(item, TermMap) else tuple(name for join in item.joins for name in join.child.references)
        self.rules.append(Rule(len(self.rules), name, one.subject.expression.references, columns, item.origin))
        return len(self.rules) - 1

    def _short(self, iri: str) -> str:
        for prefix, namespace in self.document.prefixes.items():
            if iri.startswith(namespace):
                return f"{prefix}:{iri.removeprefix(namespace)}"
        return iri

    def _missing_key(self, one: TriplesMap) -> Iterator[Check]:
        """A record without a key that its subject is named by would vanish in silence."""
        for name in one.subject.expression.references:
            yield Check("LP304", f"{quote(name)} IS NULL", "''", None, {"key": name, "rule": one.name})

    # -- columns -------------------------------------------------------------------------------------------------

    def _check_columns(self, one: TriplesMap, columns: tuple[str, ...]) -> None:
        terms: list[TermMap] = [one.subject, *one.graphs]
        for rule in one.rules:
            terms += [*rule.predicates, *rule.graphs, *(item for item in rule.objects if isinstance(item, TermMap))]
        for term in terms:
            for expression in (term.expression, term.datatype, term.language):
                for name in expression.references if expression else ():
                    self._check_column(name, columns, term.origin)

    def _check_column(self, name: str, columns: tuple[str, ...], origin: Origin) -> None:
        if name not in columns:
            known = ", ".join(column for column in columns if not column.startswith("_"))
            self.wrong(origin, f"the source has no column `{name}`; it has {known}")

    # -- terms ---------------------------------------------------------------------------------------------------

    def term(self, one: TermMap, rule: str, alias: str = "") -> _Term:
        """The SQL that spells a term map's term in N-Triples."""
        if one.term_type == "literal":
            return self._literal(one, rule, alias)
        if one.term_type == "blank":
            return _Term(f"'_:' || blank_label({_concatenated(one.expression, alias)})")
        return self._iri(one, rule, alias)

    def _iri(self, one: TermMap, rule: str, alias: str) -> _Term:
        constant = one.expression.constant
        if constant is not None:
            return _Term(text(f"<{self._absolute(constant, one.origin)}>"))
        if one.expression.template:
            return self._template_iri(one, rule, alias)
        value = _concatenated(one.expression, alias)
        full = f"CASE WHEN regexp_matches({value}, {text(SCHEME)}) THEN {value} ELSE {text(self.base)} || {value} END"
        check = Check("LP301", f"NOT is_iri({value})", value, one.expression.references[0], {"rule": rule})
        return _Term(f"CASE WHEN is_iri({value}) THEN '<' || {full} || '>' END", (check,))

    def _template_iri(self, one: TermMap, rule: str, alias: str) -> _Term:
        """References are percent-encoded (RML-Core, IRI-safe values), so only the constant parts can be wrong."""
        first = one.expression.parts[0]
        if isinstance(first, Reference):
            value = _concatenated(one.expression, alias, "iri_safe")
            full = f"CASE WHEN regexp_matches({value}, {text(SCHEME)}) THEN {value} ELSE {text(self.base)} || {value} END"
            return _Term(f"'<' || {full} || '>'")
        parts = (self._absolute(first, one.origin), *one.expression.parts[1:])
        for part in parts:
            if isinstance(part, str) and not re.match(IRI, part):
                self.wrong(one.origin, f"`{part}` cannot be part of an IRI")
        return _Term("'<' || " + _concatenated(Expression(parts, True), alias, "iri_safe") + " || '>'")

    def _absolute(self, iri: str, origin: Origin) -> str:
        full = iri if re.match(SCHEME, iri) else self.base + iri
        if not re.match(IRI, full):
            self.wrong(origin, f"`{iri}` is not a valid IRI")
        return full

    def _literal(self, one: TermMap, rule: str, alias: str) -> _Term:
        value = _concatenated(one.expression, alias)
        column = one.expression.references[0] if one.expression.references else None
        quoted = f"nt_quote({value})"
        if one.language is not None:
            return self._tagged(one.language, quoted, value, rule, alias)
        if one.datatype is None:
            return _Term(quoted)
        return self._typed(one, quoted, value, column, rule, alias)

    def _tagged(self, language: Expression, quoted: str, value: str, rule: str, alias: str) -> _Term:
        tag = language.constant
        if tag is not None:
            if not re.match(LANGUAGE_TAG, tag):
                self.wrong(Origin(""), f"rule {rule}: `{tag}` is not a language tag")
            return _Term(f"{quoted} || {text('@' + tag)}")
        tag_sql = _concatenated(language, alias)
        valid = f"regexp_matches({tag_sql}, {text(LANGUAGE_TAG)})"
        check = Check("LP303", f"{value} IS NOT NULL AND NOT {valid}", tag_sql, language.references[0], {"rule": rule})
        return _Term(f"CASE WHEN {valid} THEN {quoted} || '@' || {tag_sql} END", (check,))

    def _typed(self, one: TermMap, quoted: str, value: str, column: str | None, rule: str, alias: str) -> _Term:
        datatype = one.datatype.constant if one.datatype else None
        if datatype is None and one.datatype is not None:
            iri = self._template_iri(TermMap(one.datatype, "iri", one.origin), rule, alias) if one.datatype.template else None
            spelled = iri.sql if iri else f"'<' || {_concatenated(one.datatype, alias)} || '>'"
            return _Term(f"{quoted} || '^^' || {spelled}")
        full = self._absolute(str(datatype), one.origin)
        if full == STRING:
            return _Term(quoted)
        typed = f"{quoted} || {text('^^<' + full + '>')}"
        pattern = self.patterns.get(full)
        if pattern is None:
            if full.startswith(XSD) and full not in _LAX:
                self.wrong(one.origin, f"there is no datatype {full}")
            return _Term(typed)
        valid = f"regexp_matches({value}, {text(pattern)})" + (f" AND is_day({value})" if full in DAYS else "")
        check = Check("LP302", f"NOT ({valid})", value, column, {"rule": rule, "datatype": self._short(full)})
        return _Term(f"CASE WHEN {valid} THEN {typed} END", (check,))


_CONSTANT = re.compile(r"'(?:[^']|'')*'")

# XSD datatypes of which every text, or more texts than a pattern tells, are valid.
_LAX = frozenset(
    XSD + name
    for name in ("anyURI", "normalizedString", "token", "Name", "NCName", "NMTOKEN", "base64Binary", "duration", "dayTimeDuration",
                 "yearMonthDuration", "gDay", "gMonth", "gMonthDay", "unsignedShort", "unsignedByte", "QName")
)  # fmt: skip


def _concatenated(expression: Expression, alias: str, encode: str | None = None) -> str:
    """Text and columns joined; NULL where a column is NULL, as RML has it for templates with a missing value."""
    parts = []
    for part in expression.parts:
        if isinstance(part, Reference):
            column = alias + quote(part.name)
            parts.append(f"{encode}({column})" if encode else column)
        else:
            parts.append(text(part))
    return parts[0] if len(parts) == 1 else "(" + " || ".join(parts) + ")"


def _fused(source: str, subject: str, record: str, parts: list[tuple[str, str, str, int]]) -> str:
    """One scan of the source that makes all statements of a row at once; each distinct term is made once a row."""
    names: dict[str, str] = {}

    def column(sql: str) -> str:
        """A constant as it is, any other term as the column that holds it."""
        return sql if _CONSTANT.fullmatch(sql) else names.setdefault(sql, f"t{len(names)}")

    predicates, objects, graphs = (", ".join(map(column, each)) for each in list(zip(*parts, strict=True))[:3])
    rules = ", ".join(str(part[3]) for part in parts)
    terms = "".join(f",\n    {sql} AS {name}" for sql, name in names.items())
    return (
        f"SELECT s, p, o, g, record, rule FROM (\n"  # noqa: S608  # built from quoted parts
        f"  SELECT s, record, unnest([{predicates}]) AS p, unnest([{objects}]) AS o,\n"
        f"         unnest([{graphs}]) AS g, unnest([{rules}]) AS rule\n"
        f"  FROM (SELECT {subject} AS s, {record} AS record{terms}\n  FROM {source})\n"
        f") WHERE s IS NOT NULL AND p IS NOT NULL AND o IS NOT NULL AND g IS NOT NULL"
    )


def _distinct(checks: list[Check]) -> tuple[Check, ...]:
    return tuple({(one.code, one.problem): one for one in reversed(checks)}.values())[::-1]
