"""Function calls as SQL: one expression over the columns of the source.

    grel:toUpperCase(grel:string_replace($(name), " ", "-"))  →  upper(fn_replace("c0", ' ', '-'))

A value has the type of the function that makes it, and is cast where a parameter has another one.
A function takes the elements of a list one at a time (RML-FNML, multivalue processing): a reference
or a call that gives several values becomes a row for each, as it does in every other term. Only
parameters that take a list take it whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.functions.date_patterns import PatternError, strptime_pattern
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import (
    LISTS,
    Function,
    FunctionTable,
    Parameter,
    Type,
    short,
)
from lodpipe.mapping.model import Call, Expression, Reference
from lodpipe.mapping.planning.plan import Check, ListUse, quote, text
from lodpipe.mapping.planning.scope import Scope

# From type to type: the SQL of a value {v}. Types that are not named are texts.
_TO_TEXT: dict[Type, str] = {
    "integer": "CAST({v} AS VARCHAR)",
    "boolean": "CAST({v} AS VARCHAR)",
    "date": "CAST({v} AS VARCHAR)",
    "dateTime": "strftime({v}, '%Y-%m-%dT%H:%M:%S')",
    # A whole number is written without the fraction that it does not have.
    "number": "CASE WHEN {v} = floor({v}) AND abs({v}) < 1e15 THEN CAST(CAST({v} AS BIGINT) AS VARCHAR) ELSE CAST({v} AS VARCHAR) END",
}
_OF_TEXT: dict[Type, str] = {
    "integer": r"try_cast(regexp_extract({v}, '^\s*([+-]?[0-9]+)\s*$', 1) AS BIGINT)",
    "number": "try_cast({v} AS DOUBLE)",
    "boolean": "CASE lower({v}) WHEN 'true' THEN true WHEN 'false' THEN false WHEN '1' THEN true WHEN '0' THEN false END",
    "date": "try_cast({v} AS DATE)",
    "dateTime": "try_cast({v} AS TIMESTAMP)",
}
_BETWEEN: dict[tuple[Type, Type], str] = {
    ("integer", "number"): "CAST({v} AS DOUBLE)",
    ("number", "integer"): "try_cast(trunc({v}) AS BIGINT)",
    ("date", "dateTime"): "CAST({v} AS TIMESTAMP)",
    ("dateTime", "date"): "CAST({v} AS DATE)",
}
_NAMES: dict[Type, str] = {
    "integer": "an integer", "number": "a number", "boolean": "true or false", "date": "a date", "dateTime": "a date and time",
}  # fmt: skip
_NOT_RE2 = re.compile(r"\(\?[=!<]|\\[1-9]")
_PLACE = re.compile(r"\{p(\d+)\}")


class _Value(NamedTuple):
    """A value as SQL, its type, and its text where it is constant."""

    sql: str
    type: Type
    constant: str | None = None


class Uses(NamedTuple):
    """What an expression reads: references whose value is one text, the columns that hold it, and
    the lists of which a row has one element each. With the checks on values that a function cannot
    take.
    """

    references: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    lists: tuple[ListUse, ...] = ()
    checks: tuple[Check, ...] = ()


class FunctionCompiler:
    """Makes the SQL of expressions with function calls; what is wrong with a call is added to
    `findings`.
    """

    def __init__(self, functions: FunctionTable | None, findings: list[Finding]) -> None:
        self._functions, self._findings = functions or BUILT_IN, findings

    def text(self, call: Call, scope: Scope, origin: Origin | None = None) -> str:
        """The SQL of a call's result as a text."""
        return _as_text(_Reading(self, scope, origin).single(call))

    def typed(self, call: Call, scope: Scope) -> tuple[str, Type]:
        """The SQL of a call's result, and its type."""
        value = _Reading(self, scope, None).single(call)
        return value.sql, value.type

    def condition(self, expression: Expression, scope: Scope) -> str:
        """The SQL of a condition: whether it is true (and not just not false)."""
        return _cast(_Reading(self, scope, None).value(expression), "boolean")

    def uses(self, expressions: Iterable[Expression], scope: Scope, origin: Origin) -> Uses:
        """What expressions read."""
        reading = _Reading(self, scope, origin)
        for expression in expressions:
            for part in expression.parts:
                if isinstance(part, Reference):
                    reading.reference(part.name)
                elif isinstance(part, Call):
                    reading.single(part)
        return Uses(
            tuple(reading.references),
            tuple(reading.columns),
            tuple(reading.lists),
            tuple(reading.checks),
        )

    def function(self, call: Call) -> Function:
        """The function of a call, which its reader has looked up."""
        function = self._functions.get(call.function)
        assert function is not None
        return function

    def gives_list(self, call: Call) -> bool:
        """Whether a call gives several values."""
        return self.function(call).returns == "list"

    def wrong(self, origin: Origin | None, detail: str) -> None:
        if origin is not None:
            self._findings.append(Finding("LP602", origin, {"detail": detail}))


class _Reading:
    """Compiles the calls of one term; notes what they read. Problems of the mapping are findings
    where an origin is given.
    """

    def __init__(self, compiler: FunctionCompiler, scope: Scope, origin: Origin | None) -> None:
        self.compiler, self.scope, self.origin = compiler, scope, origin
        self.references: dict[str, None] = {}
        self.columns: dict[str, None] = {}
        self.lists: dict[ListUse, None] = {}
        self.checks: list[Check] = []

    # -- values ------------------------------------------------------------------------------------

    def reference(self, name: str) -> _Value:
        """The one text of a reference; of a list, that of the row's element."""
        self.references[name] = None
        self.columns |= dict.fromkeys(self.scope.columns([name]))
        if name in self.scope.relation.many:
            self.lists[ListUse(name, self.scope.slot)] = None
        return _Value(self.scope.column(name), "text")

    def value(self, expression: Expression) -> _Value:
        """The one value of an expression."""
        constant = expression.constant
        if constant is not None:
            return _Value(text(constant), "text", constant)
        values = [self._part(part) for part in expression.parts]
        if len(values) == 1:
            return values[0]
        return _Value("(" + " || ".join(map(_as_text, values)) + ")", "text")

    def _part(self, part: str | Reference | Call) -> _Value:
        if isinstance(part, str):
            return _Value(text(part), "text", part)
        return self.reference(part.name) if isinstance(part, Reference) else self.single(part)

    def single(self, call: Call) -> _Value:
        """The one value of a call; of one that gives several, that of the row's element."""
        if not self.compiler.gives_list(call) and not self.compiler.function(call).python:
            return self.call(call)
        plain = _Reading(self.compiler, replace(self.scope, alias=""), self.origin)
        value = plain.call(call)
        if not self.compiler.gives_list(call):  # a Python function is called once for each row
            value = _Value(f"[{value.sql}]", value.type)
        self.lists |= plain.lists
        self.references |= plain.references
        self.checks += plain.checks
        name = f"fn {hashlib.md5(value.sql.encode()).hexdigest()[:12]}"
        self.lists[ListUse(name, self.scope.slot, value.sql)] = None
        column = self.scope.alias + quote(f"{name}#{self.scope.slot}")
        self.columns[column] = None
        return self._result(call, _Value(column, "text" if value.type == "list" else value.type))

    def _result(self, call: Call, value: _Value) -> _Value:
        """What a Python function gives: `=` and its result, or `!` and the message of its error."""
        function = self.compiler.function(call)
        if function.python is None:
            return value
        problem = f"starts_with({value.sql}, '!')"
        self._check(function, problem, f"substr({value.sql}, 2)", call)
        result = f"CASE WHEN starts_with({value.sql}, '=') THEN substr({value.sql}, 2) END"
        kind: Type = "text" if function.returns == "list" else function.returns
        return _Value(_OF_TEXT.get(kind, "{v}").replace("{v}", result), kind)

    def call(self, call: Call) -> _Value:
        """The SQL of a call, of type `list` where it gives several values."""
        function = self.compiler.function(call)
        given: dict[str, list[Expression]] = {}
        for iri, expression in call.arguments:
            given.setdefault(iri, []).append(expression)
        values = [
            self._argument(function, item, given.get(item.iri, ())) for item in function.parameters
        ]
        types = {
            value.type
            for item, value in zip(function.parameters, values, strict=True)
            if item.type == "any" and value.sql != "NULL"
        }
        common: Type = types.pop() if len(types) == 1 else "text"
        sqls = [
            _cast(value, common) if item.type == "any" else value.sql
            for item, value in zip(function.parameters, values, strict=True)
        ]
        if function.fails and call.arguments:
            self._check(function, _filled(function.fails, sqls), sqls[0], call)
        returns = common if function.returns == "any" else function.returns
        return _Value(f"({_filled(function.sql, sqls)})", returns)

    # -- arguments ---------------------------------------------------------------------------------

    def _argument(
        self, function: Function, parameter: Parameter, given: Iterable[Expression]
    ) -> _Value:
        """The value of a parameter in its type; several of a list parameter are one list."""
        given = list(given)
        if not given:
            return _Value(parameter.default or "NULL", parameter.type)
        if parameter.type in LISTS:
            return _Value(self._list(parameter, given), parameter.type)
        if parameter.type in ("pattern", "regex"):
            return self._constant(function, parameter, given[0])
        value = self.value(given[0])
        if parameter.type == "any":
            return value
        self._check_type(function, parameter, value)
        return _Value(_cast(value, parameter.type), parameter.type, value.constant)

    def _constant(self, function: Function, parameter: Parameter, given: Expression) -> _Value:
        """A pattern: it is translated now, so that it has to be the same for all records."""
        constant = given.constant
        name = f"`{short(function.iri)}`: {parameter.name}"
        if constant is None:
            self.compiler.wrong(self.origin, f"{name} has to be a constant")
            return _Value("''", "text")
        if parameter.type == "pattern":
            try:
                return _Value(text(strptime_pattern(constant)), "text")
            except PatternError as error:
                self.compiler.wrong(self.origin, f"{name} `{constant}`: {error}")
                return _Value("''", "text")
        pattern = constant[1:-1] if re.fullmatch(r"/.*/", constant, re.DOTALL) else constant
        if problem := _wrong_regex(pattern):
            self.compiler.wrong(self.origin, f"{name} `{constant}`: {problem}")
        return _Value(text(pattern), "text")

    def _list(self, parameter: Parameter, given: list[Expression]) -> str:
        """A list of the values of several arguments, of which lists are taken whole."""
        parts = [self._elements(expression, parameter.type) for expression in given]
        lists = [sql for sql, is_list in parts if is_list]
        singles = [sql for sql, is_list in parts if not is_list]
        if lists:
            rows = [sql if is_list else f"[{sql}]" for sql, is_list in parts]
            return rows[0] if len(rows) == 1 else f"flatten([{', '.join(rows)}])"
        if parameter.type != "list":
            return f"[{', '.join(singles)}]"
        missing = " OR ".join(f"{sql} IS NULL" for sql in singles)
        return f"CASE WHEN {missing} THEN NULL ELSE [{', '.join(singles)}] END"

    def _elements(self, expression: Expression, wanted: Type) -> tuple[str, bool]:
        """One argument of a list parameter as SQL, and whether it is a list by itself."""
        part = expression.parts[0] if len(expression.parts) == 1 else ""
        if isinstance(part, Reference) and part.name in self.scope.relation.many:
            column = self.scope.list_column(part.name)
            self.columns[column] = None
            return _each(column, "text", wanted), True
        if isinstance(part, Reference) and self.scope.relation.typed:
            self.columns |= dict.fromkeys(self.scope.columns([part.name]))
            return _each(self.array(part.name), "text", wanted), True
        if isinstance(part, Call) and self.compiler.gives_list(part):
            sql = self.call(part).sql
            if self.compiler.function(part).python:  # without its errors
                sql = f"list_transform(list_filter({sql}, lambda x: starts_with(x, '=')), lambda x: substr(x, 2))"
            return _each(sql, "text", wanted), True
        value = self.value(expression)
        return (
            f"coalesce({_cast(value, 'boolean')}, false)"
            if wanted == "booleans"
            else _as_text(value)
        ), False

    def array(self, name: str) -> str:
        """The elements of an array of JSON that a reference leads to, or its only value."""
        column = self.scope.column(name)
        array = f"""CAST(from_json({column}, '["VARCHAR"]') AS VARCHAR[])"""
        return (
            f"CASE WHEN {self.scope.type_column(name)} = 'array' THEN {array} "
            f"WHEN {column} IS NOT NULL THEN [{column}] END"
        )

    # -- checks ------------------------------------------------------------------------------------

    def _check_type(self, function: Function, parameter: Parameter, value: _Value) -> None:
        """A text that is no number, date or truth value, where the parameter takes one."""
        if value.type not in ("text", "decimal") or parameter.type not in _OF_TEXT:
            return
        if value.constant is not None:
            if not _is_of_type(value.constant, parameter.type):
                self.compiler.wrong(
                    self.origin,
                    f"`{short(function.iri)}`: {parameter.name} is {_NAMES[parameter.type]}, not `{value.constant}`",
                )
            return
        problem = f"{value.sql} <> '' AND {_cast(value, parameter.type)} IS NULL"
        self._check(function, problem, value.sql, None)

    def _check(self, function: Function, problem: str, value: str, call: Call | None) -> None:
        names = (
            list(self.references)
            if call is None
            else [name for _, expression in call.arguments for name in expression.references]
        )
        column = names[-1 if call is None else 0] if names else None
        params = {"rule": self.scope.rule, "function": short(function.iri)}
        self.checks.append(Check("LP311", problem, f"CAST({value} AS VARCHAR)", column, params))


def _filled(sql: str, values: list[str]) -> str:
    return _PLACE.sub(lambda match: values[int(match[1])], sql)


def _as_text(value: _Value) -> str:
    return _TO_TEXT.get(value.type, "{v}").replace("{v}", value.sql)


def _cast(value: _Value, wanted: Type) -> str:
    """A value as SQL of another type."""
    if value.type == wanted or value.sql == "NULL":
        return value.sql
    if direct := _BETWEEN.get((value.type, wanted)):
        return direct.replace("{v}", value.sql)
    return _OF_TEXT.get(wanted, "{v}").replace("{v}", _as_text(value))


def _each(sql: str, given: Type, wanted: Type) -> str:
    """A list whose elements are those of another, in the type that a parameter takes."""
    if wanted != "booleans":
        return sql
    element = _cast(_Value("x", given), "boolean")
    return f"list_transform({sql}, lambda x: coalesce({element}, false))"


def _is_of_type(constant: str, wanted: Type) -> bool:
    """Whether a constant is of a type."""
    patterns = {
        "integer": r"\s*[+-]?\d+\s*",
        "number": r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*",
        "boolean": r"(?i:true|false|1|0)",
    }
    return re.fullmatch(patterns.get(wanted, ".*"), constant) is not None


def _wrong_regex(pattern: str) -> str | None:
    """Why a pattern is no regular expression of the engine (RE2); None where it is one."""
    if _NOT_RE2.search(pattern):
        return "the engine has no lookaround and no references to groups"
    try:
        re.compile(re.sub(r"\\[pP](\{\w+\}|\w)|\\z", "x", pattern))
    except re.error as error:
        return f"it is no regular expression: {error}"
    return None


def all_calls(expressions: Iterable[Expression]) -> Iterator[Call]:
    """Every function call of expressions."""
    for expression in expressions:
        yield from expression.calls
