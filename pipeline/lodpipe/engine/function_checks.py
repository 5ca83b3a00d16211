"""Whether the SQL of a user's function is one expression over its parameters, with the same result
for the same values: no query, no file, no clock, no chance.

    left($given, 1) || left($family, 1)    →    left({p0}, 1) || left({p1}, 1)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import _duckdb as duckdb

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.engine.sql_functions import FUNCTION_MACROS
from lodpipe.engine.sql_session import Session, first_line
from lodpipe.engine.syntax_trees import maps_in
from lodpipe.mapping.functions.functions import Function, Type, guarded
from lodpipe.mapping.yarrrml.user_functions import DeclaredFunction

_SQL_TYPES: dict[Type, str] = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "dateTime": "TIMESTAMP",
    "list": "VARCHAR[]",
}  # fmt: skip
_START = "SELECT ("
_NOT_EXPRESSIONS = {"SUBQUERY": "a query", "WINDOW": "a window function", "STAR": "`*`"}


class _Wrong(Exception):
    """Why the SQL of a function is wrong."""


def checked_functions(declared: Iterable[DeclaredFunction]) -> list[Function]:
    """The functions in the form that mappings call. Raises InvalidDeclaration (LP602)."""
    functions: list[Function] = []
    findings: list[Finding] = []
    with Session(memory="100MB", threads=1) as session:
        session.define_functions(FUNCTION_MACROS)
        session.allow_folders(())
        refused = _refused_names(session)
        for item in declared:
            try:
                functions.append(_checked(session, item, refused))
            except _Wrong as error:
                detail = f"function `{item.iri}`: {error}"
                findings.append(Finding("LP602", item.origin, {"detail": detail}))
    if findings:
        raise InvalidDeclaration(findings)
    return functions


def _refused_names(session: Session) -> dict[str, str]:
    """Functions of the engine that none of a user can call, each with the reason."""
    rows = session.rows(
        "SELECT function_name, bool_or(function_type = 'scalar'), bool_or(function_type = 'macro'), "
        "bool_or(coalesce(stability, '') NOT IN ('', 'CONSISTENT')) FROM duckdb_functions() GROUP BY ALL"
    )
    reasons = {}
    for name, is_scalar, is_macro, is_unstable in rows:
        if is_unstable:
            reasons[name] = "depends on more than its values"
        elif not is_scalar and not is_macro:
            reasons[name] = "is over many rows"
    return reasons


def _checked(session: Session, item: DeclaredFunction, refused: dict[str, str]) -> Function:
    query = f"{_START}{item.sql})"
    ((answer,),) = session.rows("SELECT json_serialize_sql(?)", [query])
    parsed = json.loads(answer)
    if parsed["error"]:
        raise _Wrong(parsed["error_message"])
    statements = parsed["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    if len(node.get("select_list", ())) != 1 or node["from_table"]["type"] != "EMPTY":
        raise _Wrong("the SQL is one expression, not a query")
    names = [name for name, _ in item.parameters]
    places: list[tuple[int, int, str]] = []
    for inner in _nodes(node["select_list"][0]):
        _check_node(inner, refused)
        if inner["class"] == "PARAMETER":
            if inner["identifier"] not in names:
                near = did_you_mean(inner["identifier"], names)
                raise _Wrong(f"there is no parameter `{inner['identifier']}`{near}")
            places.append(
                (inner["query_location"], inner["query_location_length"], inner["identifier"])
            )
    _check_types(session, item, _substituted(query, places, _typed(item))[len(_START) : -1])
    sql = _substituted(query, places, {name: f"{{p{names.index(name)}}}" for name in names})
    parameters = tuple(parameter for _, parameter in item.parameters)
    return guarded(Function(item.iri, parameters, item.returns, sql[len(_START) : -1]))


def _check_node(node: dict[str, Any], refused: dict[str, str]) -> None:
    if kind := _NOT_EXPRESSIONS.get(node["class"]):
        raise _Wrong(f"the SQL is one expression; it contains {kind}")
    name = str(node.get("function_name") or (node.get("column_names") or [""])[-1]).lower()
    if name in refused:
        raise _Wrong(f"`{name}` {refused[name]}")


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every expression of a syntax tree."""
    return (node for node in maps_in(tree) if "class" in node)


def _typed(item: DeclaredFunction) -> dict[str, str]:
    """A value of its type for each parameter."""
    return {
        name: f"CAST(NULL AS {_SQL_TYPES[parameter.type]})" for name, parameter in item.parameters
    }


def _substituted(query: str, places: list[tuple[int, int, str]], values: dict[str, str]) -> str:
    """The SQL with its parameters replaced; places count bytes."""
    data = query.encode()
    for start, length, name in sorted(places, reverse=True):
        data = data[:start] + values[name].encode() + data[start + length :]
    return data.decode()


def _check_types(session: Session, item: DeclaredFunction, sql: str) -> None:
    """Whether the engine can bind the expression, and what its type is."""
    try:
        rows = session.rows(f"DESCRIBE SELECT ({sql}) AS v")
    except duckdb.Error as error:
        raise _Wrong(first_line(error)) from None
    wanted, actual = _SQL_TYPES[item.returns], str(rows[0][1])
    convertible = {
        "BIGINT": ("INTEGER", "HUGEINT"),
        "DOUBLE": ("DECIMAL", "INTEGER", "BIGINT", "FLOAT"),
    }
    if actual != wanted and not actual.startswith(convertible.get(wanted, ("-",))):
        raise _Wrong(f"the SQL gives {actual}; `returns: {item.returns}` is {wanted}")
