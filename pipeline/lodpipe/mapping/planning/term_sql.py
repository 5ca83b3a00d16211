"""Term maps as SQL: how a record makes one RDF term in N-Triples spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.functions.functions import NATURAL_TYPES, FunctionTable
from lodpipe.mapping.model import Call, Expression, PredicateObject, Reference, TermMap, TriplesMap
from lodpipe.mapping.planning.function_sql import FunctionCompiler, Uses
from lodpipe.mapping.planning.plan import (
    DEFAULT_GRAPH,
    NATURAL,
    Check,
    Form,
    ListUse,
    Relation,
    Spelling,
    Term,
    quote,
    text,
)
from lodpipe.mapping.planning.scope import Scope
from lodpipe.rdf.datatypes import DAYS, IRI, LANGUAGE_TAG, LAX, PATTERNS, SCHEME
from lodpipe.rdf.namespaces import XSD, Namespaces

_STRING = XSD + "string"


class TermCompiler:
    """Makes the SQL of term maps.

    `patterns` maps the IRIs of datatypes to the pattern of their texts; what is wrong with a term
    map is added to `findings`. A `light` one looks patterns up for each row (`compile_mapping`).
    """

    def __init__(
        self,
        namespaces: Namespaces,
        patterns: Mapping[str, str],
        findings: list[Finding],
        functions: FunctionTable | None = None,
        *,
        light: bool,
    ) -> None:
        self._namespaces, self._patterns, self._light = namespaces, patterns, light
        self._findings = findings
        self.functions = FunctionCompiler(functions, findings)

    def short(self, iri: str) -> str:
        """An IRI as a message shows it, with a prefix where the mapping has one."""
        return self._namespaces.curie(iri, is_local=lambda _: True) or iri

    def _wrong(self, origin: Origin, detail: str) -> None:
        self._findings.append(Finding("LP602", origin, {"detail": detail}))

    def term(self, term_map: TermMap, scope: Scope) -> Term:
        """The SQL that spells a term map's term in N-Triples."""
        if term_map.gather is not None:
            return _head(term_map, scope)
        if term_map.term_type == "literal":
            term = self._literal(term_map, scope)
        elif term_map.term_type == "blank":
            term = self._blank(term_map, scope)
        else:
            term = self._iri(term_map, scope)
        uses = self.functions.uses(term_map.expressions, scope, term_map.origin)
        checks = (*term.checks, *uses.checks, *self._single_values(uses.references, scope))
        term = self._of_single_values(term, uses.references, scope)
        if term_map.condition is not None:
            condition = self.functions.condition(term_map.condition, scope)
            term = conditional(term, condition)
            checks = tuple(_where(condition, check) for check in checks)
        columns = uses.columns or (
            (f"{scope.alias}{quote('_record')}",) if "_record" in term.sql else ()
        )
        checks = tuple(replace(check, lists=uses.lists, origin=term_map.origin) for check in checks)
        targets = term_map.targets
        return replace(term, checks=checks, lists=uses.lists, columns=columns, targets=targets)

    def _of_single_values(self, term: Term, references: Sequence[str], scope: Scope) -> Term:
        """The term, which does not exist where a reference gives an array or an object."""
        if not scope.relation.typed or not references:
            return term
        single = " AND ".join(
            f"coalesce({scope.type_column(name)} NOT IN ('array', 'object'), true)"
            for name in dict.fromkeys(references)
        )
        sound = term.sound or Spelling("", term.sql)
        return replace(term, sql=f"CASE WHEN {single} THEN {term.sql} END", sound=sound)

    def graphs(self, item: TriplesMap, rule: PredicateObject, scope: Scope) -> list[Term]:
        """The graphs of a rule's statements; the empty text is the default graph."""
        graphs = [
            self.term(graph, scope.at("g")) for graph in dict.fromkeys((*item.graphs, *rule.graphs))
        ]
        default = text(f"<{DEFAULT_GRAPH}>")
        return [
            Term("''", targets=graph.targets) if graph.sql == default else graph for graph in graphs
        ] or [Term("''")]

    def join_side(self, expression: Expression, scope: Scope, origin: Origin) -> tuple[str, Uses]:
        """One side of a join condition as SQL, and what it reads."""
        return self.text_of(expression, scope), self.functions.uses([expression], scope, origin)

    def _single_values(self, references: Sequence[str], scope: Scope) -> Iterator[Check]:
        """A reference that gives an array or an object makes no term (RML-Core, reference
        formulations).
        """
        if scope.relation.typed:
            for name in dict.fromkeys(references):
                kind = scope.type_column(name)
                params = {"rule": scope.rule, "key": name}
                yield Check(
                    "LP305",
                    f"{kind} IN ('array', 'object')",
                    f"coalesce({scope.column(name)}, {kind})",
                    name,
                    params,
                )

    def text_of(self, expression: Expression, scope: Scope, encode: str | None = None) -> str:
        """Text and columns joined; NULL where a column is NULL, as RML has it for templates with a
        missing value.
        """
        parts = []
        for part in expression.parts:
            if isinstance(part, Reference):
                column = scope.column(part.name)
                parts.append(f"{encode}({column})" if encode else column)
            elif isinstance(part, Call):
                value = self.functions.text(part, scope)
                parts.append(f"{encode}({value})" if encode else value)
            else:
                parts.append(text(part))
        return (parts[0] if len(parts) == 1 else "(" + " || ".join(parts) + ")") if parts else "''"

    def _blank(self, term_map: TermMap, scope: Scope) -> Term:
        """A blank node's label is a hash of its text, so equal texts are the same node; without a
        text, of the record.
        """
        if not term_map.expression.parts:
            record = f"{scope.alias}{quote('_record')}"
            return Term(
                f"'_:r' || md5({text(scope.rule.split(':')[0] + ' ')} || CAST({record} AS VARCHAR))"
            )
        return Term(f"'_:b' || md5({self.text_of(term_map.expression, scope)})")

    def _iri(self, term_map: TermMap, scope: Scope) -> Term:
        constant = term_map.expression.constant
        if constant is not None:
            return Term(text(f"<{self._absolute(constant, term_map.origin, scope.base)}>"))
        if term_map.term_type in ("unsafe-iri", "unsafe-uri"):
            return spelled(
                Spelling(
                    "<",
                    f"iri_escaped({self._resolved(self.text_of(term_map.expression, scope), scope)})",
                    ">",
                )
            )
        if term_map.expression.template:
            return self._template_iri(term_map, scope)
        value = self.text_of(term_map.expression, scope)
        if term_map.term_type == "uri":
            value = f"uri_encoded({value})"
        return self._checked_iri(self._resolved(value, scope), value, term_map, scope)

    def _checked_iri(self, whole: str, value: str, term_map: TermMap, scope: Scope) -> Term:
        """An IRI where it is valid as a whole: a value may be wrong only behind its base, as a
        second fragment is.
        """
        check = Check(
            "LP301",
            f"NOT is_iri({whole})",
            value,
            next(iter(term_map.expression.references), None),
            {"rule": scope.rule},
            form=Form(whole, "is_iri(v)"),
        )
        return guarded(f"is_iri({whole})", Spelling("<", whole, ">"), check)

    def _resolved(self, value: str, scope: Scope) -> str:
        """A text with a scheme as it is, any other behind the base IRI (RML-Core, relative IRIs are
        appended); the most usual one is seen at once.
        """
        absolute = f"starts_with({value}, 'https://') OR regexp_matches({value}, {text(SCHEME)})"
        return f"CASE WHEN {absolute} THEN {value} ELSE {text(scope.base)} || {value} END"

    def _template_iri(self, term_map: TermMap, scope: Scope) -> Term:
        """References are percent-encoded (RML-Core, IRI-safe values), so only the constant parts
        can be wrong, and a port.
        """
        encode = "uri_safe" if term_map.term_type == "uri" else "iri_safe"
        first = term_map.expression.parts[0]
        if not isinstance(first, str):
            whole = self._resolved(self.text_of(term_map.expression, scope, encode), scope)
            rest = [scope.base, *term_map.expression.parts]
            has_colon = any(
                isinstance(part, str) and ":" in part for part in term_map.expression.parts
            )
            if has_colon or not all(self._is_iri_with(rest, value) for value in ("1", "x")):
                return self._checked_iri(whole, whole, term_map, scope)
            return spelled(Spelling("<", whole, ">"))
        start = first if re.match(SCHEME, first) else scope.base + first
        parts = (start, *term_map.expression.parts[1:])
        if not self._is_iri_with(parts, "1"):
            wrong = next(
                (
                    part
                    for part in parts
                    if isinstance(part, str) and not re.fullmatch(IRI, f"x:{part}")
                ),
                start,
            )
            self._wrong(term_map.origin, f"`{wrong}` cannot be part of an IRI")
        elif not self._is_iri_with(parts, "x"):
            whole = self.text_of(Expression(parts, True), scope, encode)
            return self._checked_iri(whole, whole, term_map, scope)
        return spelled(replace(self.after_start(term_map, scope, encode), start=f"<{start}"))

    @staticmethod
    def _is_iri_with(parts: Sequence[str | Reference | Call], value: str) -> bool:
        """Whether a template makes a valid IRI of a value that needs no encoding."""
        return bool(
            re.fullmatch(IRI, "".join(part if isinstance(part, str) else value for part in parts))
        )

    def after_start(self, term_map: TermMap, scope: Scope, encode: str) -> Spelling:
        """What follows the constant text that a template of IRIs begins with."""
        parts = term_map.expression.parts
        last = parts[-1] if len(parts) > 1 and isinstance(parts[-1], str) else ""
        return Spelling(
            "",
            self.text_of(Expression(parts[1 : -1 if last else None], True), scope, encode),
            f"{last}>",
        )

    def _absolute(self, iri: str, origin: Origin, base: str) -> str:
        full = iri if re.match(SCHEME, iri) else base + iri
        if not re.fullmatch(IRI, full):
            self._wrong(origin, f"`{iri}` is not a valid IRI")
        return full

    def _literal(self, term_map: TermMap, scope: Scope) -> Term:
        value = self.text_of(term_map.expression, scope)
        quoted = f"nt_quote({value})"
        if term_map.language is not None:
            return self._tagged(term_map, term_map.language, quoted, value, scope)
        if term_map.datatype is not None:
            return self._typed(term_map, term_map.datatype, quoted, value, scope)
        if call := term_map.expression.call:
            return Term(self._typed_result(call, quoted, value, scope))
        if (
            scope.relation.typed
            and term_map.expression.references
            and not term_map.expression.template
        ):
            return Term(self._natural(term_map.expression.references[0], quoted, value, scope))
        return Term(quoted)

    def _typed_result(self, call: Call, quoted: str, value: str, scope: Scope) -> str:
        """The datatype of what a function gives (RML-FNML has none: natural mapping, as for sources)."""
        _, kind = self.functions.typed(call, scope)
        datatype = NATURAL_TYPES.get(kind)
        if datatype is None:
            return quoted
        if kind == "number":  # a whole one is an integer, as in JSON
            number, _ = self.functions.typed(call, scope)
            double = f"'\"' || canonical_double(CAST({number} AS VARCHAR)) || {text(chr(34) + '^^<' + datatype + '>')}"
            whole = f"'\"' || {value} || {text(chr(34) + '^^<' + XSD + 'integer>')}"
            is_whole = f"{number} = floor({number}) AND abs({number}) < 1e15"
            return f"CASE WHEN {is_whole} THEN {whole} WHEN isfinite({number}) THEN {double} END"
        return f"'\"' || {value} || {text(chr(34) + '^^<' + datatype + '>')}"

    def _natural(self, reference: str, quoted: str, value: str, scope: Scope) -> str:
        """The datatype that the source's own type has in RDF (RML-Core and R2RML, natural mapping)."""
        cases = " ".join(
            f"WHEN '{kind}' THEN '\"' || {value} || {text(chr(34) + '^^<' + iri + '>')}"
            for kind, iri in NATURAL.items()
        )
        return f"CASE {scope.type_column(reference)} {cases} WHEN 'array' THEN NULL WHEN 'object' THEN NULL ELSE {quoted} END"

    def _tagged(
        self, term_map: TermMap, language: Expression, quoted: str, value: str, scope: Scope
    ) -> Term:
        tag = language.constant
        if tag is not None:
            if not re.fullmatch(LANGUAGE_TAG, tag):
                self._wrong(term_map.origin, f"`{tag}` is not a language tag")
            return spelled(Spelling("", quoted, "@" + tag))
        tag_sql = self.text_of(language, scope)
        valid = f"regexp_matches({tag_sql}, {text(LANGUAGE_TAG)})"
        check = Check(
            "LP303",
            f"{value} IS NOT NULL AND NOT {valid}",
            tag_sql,
            next(iter(language.references), None),
            {"rule": scope.rule},
            form=Form(
                f"CASE WHEN {value} IS NOT NULL THEN {tag_sql} END",
                f"regexp_matches(v, {text(LANGUAGE_TAG)})",
            ),
        )
        return guarded(valid, Spelling("", f"{quoted} || '@' || {tag_sql}"), check)

    def _typed(
        self, term_map: TermMap, datatype: Expression, quoted: str, value: str, scope: Scope
    ) -> Term:
        constant = datatype.constant
        if constant is None:
            return self._typed_by_record(term_map, datatype, quoted, value, scope)
        full = self._absolute(constant, term_map.origin, scope.base)
        if full == _STRING:
            return Term(quoted)
        # What an XSD pattern lets through has nothing to escape.
        typed = (
            Spelling('"', value, f'"^^<{full}>')
            if full in PATTERNS
            else Spelling("", quoted, f"^^<{full}>")
        )
        pattern = self._patterns.get(full)
        if pattern is None:
            if full.startswith(XSD) and full not in LAX:
                self._wrong(term_map.origin, f"there is no datatype {full}")
            return spelled(typed)
        valid, valid_of_form = (
            f"regexp_matches({name}, {text(pattern)})"
            + (f" AND is_day({name})" if full in DAYS else "")
            for name in (value, "v")
        )
        column = term_map.expression.references[0] if term_map.expression.references else None
        check = Check(
            "LP302",
            f"{value} IS NOT NULL AND NOT ({valid})",
            value,
            column,
            {"rule": scope.rule, "datatype": self.short(full)},
            form=Form(value, valid_of_form),
        )
        return guarded(valid, typed, check)

    def _typed_by_record(
        self, term_map: TermMap, datatype: Expression, quoted: str, value: str, scope: Scope
    ) -> Term:
        """A datatype that the record names; what is checked is every datatype whose IRI can begin
        like this one's.
        """
        iri = self._iri(TermMap(datatype, "iri", term_map.origin), scope)
        valid = (
            self._lexical_looked_up(iri.sql, value)
            if self._light
            else self._lexical_by_case(datatype, iri.sql, value)
        )
        params = {"rule": scope.rule, "datatype": "datatype of its record"}
        problem = f"{value} IS NOT NULL AND {iri.sql} IS NOT NULL AND NOT ({valid})"
        check = Check(
            "LP302",
            problem,
            value,
            term_map.expression.references[0] if term_map.expression.references else None,
            params,
            form=Form(value, self._lexical_looked_up("d", "v"), iri.sql) if self._light else None,
        )
        end = f"CASE WHEN {iri.sql} <> {text(f'<{_STRING}>')} THEN '^^' || {iri.sql} ELSE '' END"
        return guarded(valid, Spelling("", f"{quoted} || {end}"), *iri.checks, check)

    def _lexical_looked_up(self, iri: str, value: str) -> str:
        """Whether a text is valid, by a pattern that is looked up for each row in the engine's
        variable `patterns`.
        """
        days = ", ".join(text(f"<{name}>") for name in sorted(DAYS))
        pattern = f"coalesce(getvariable('patterns')[{iri}], CASE WHEN starts_with({iri}, {text('<' + XSD)}) THEN 'a^' ELSE '' END)"
        return f"regexp_matches({value}, {pattern}) AND ({iri} NOT IN ({days}) OR is_day({value}))"

    def _lexical_by_case(self, datatype: Expression, iri: str, value: str) -> str:
        """Whether a text is valid, with a case for each datatype, so that every pattern is compiled
        once.
        """
        start = str(datatype.parts[0]) if datatype.template else ""
        arms = "".join(
            f" WHEN {text('<' + name + '>')} THEN regexp_matches({value}, {text(pattern)})"
            + (f" AND is_day({value})" if name in DAYS else "")
            for name, pattern in self._patterns.items()
            if name.startswith(start)
        )
        lax = ", ".join(text(f"<{name}>") for name in sorted(LAX))
        unknown = f"NOT starts_with({iri}, {text('<' + XSD)}) OR {iri} IN ({lax})"
        return f"CASE {iri}{arms} ELSE {unknown} END" if arms else unknown


def _head(term_map: TermMap, scope: Scope) -> Term:
    """The head of a term map's collection, which the relation has in a column (gather_sql.py)."""
    name = scope.relation.heads[term_map]
    lists = (ListUse(name, scope.slot),) if name in scope.relation.many else ()
    column = scope.column(name)
    record = () if term_map.expression.parts else (f"{scope.alias}{quote('_record')}",)
    return Term(column, lists=lists, columns=(column, *record))


def spelled(spelling: Spelling) -> Term:
    return Term(spelling.sql, sound=spelling)


def guarded(valid: str, spelling: Spelling, *checks: Check) -> Term:
    """A term that exists where its value is valid."""
    return Term(f"CASE WHEN {valid} THEN {spelling.sql} END", checks, sound=spelling)


def conditional(term: Term, condition: str) -> Term:
    """A term that exists where a condition holds."""
    if term.sound is None or term.sound.sql != term.sql:
        sound = term.sound and _if(condition, term.sound)
        return replace(term, sql=f"CASE WHEN {condition} THEN {term.sql} END", sound=sound)
    spelling = _if(condition, term.sound)
    return replace(term, sql=spelling.sql, sound=spelling)


def _if(condition: str, spelling: Spelling) -> Spelling:
    return replace(spelling, core=f"CASE WHEN {condition} THEN {spelling.core} END")


def _where(condition: str, check: Check) -> Check:
    """A check of the values that a condition lets through."""
    form = check.form and check.form._replace(
        text=f"CASE WHEN {condition} THEN {check.form.text} END"
    )
    return replace(check, problem=f"({condition}) AND ({check.problem})", form=form)


def unproven(term: Term) -> Term:
    """A term of values that no check of this SELECT looks at: it keeps its guard."""
    return term if term.spelling is term.sound else replace(term, sound=None)


def prefix_of(term_map: TermMap, base: str) -> str:
    """What the spelling of every term of a map of IRIs or blank nodes begins with."""
    expression, gather = term_map.expression, term_map.gather
    if gather and gather.allow_empty and gather.kind == "List":
        return ""  # rdf:nil is among them
    if term_map.term_type == "blank":
        return "_:"
    first = expression.parts[0] if expression.parts else ""
    if not isinstance(first, str):
        return "<"
    end = ">" if expression.constant is not None else ""
    return "<" + (first if re.match(SCHEME, first) else base + first) + end


def unnested(relation: Relation, lists: tuple[ListUse, ...]) -> str:
    """The relation with a row for each combination of the values in its lists."""
    sql = relation.sql
    for name, slot, given in lists:
        if given:
            sql = f"(SELECT *, unnest({given}) AS {quote(f'{name}#{slot}')} FROM {sql})"
            continue
        column = relation.column(name)
        types = (
            f", unnest({quote(column + ' type')}) AS {quote(f'{column} type#{slot}')}"
            if relation.typed
            else ""
        )
        sql = (
            f"(SELECT *, unnest({quote(column)}) AS {quote(f'{column}#{slot}')}{types} FROM {sql})"
        )
    return sql
