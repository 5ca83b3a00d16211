"""Functions that a user writes in Python, called by the engine (docs/functions.md).

    NAMESPACE = "http://example.com/functions/"

    def initials(given: str, family: str) -> str:
        return given[:1] + family[:1]

makes the function <http://example.com/functions/initials> with the parameters
<http://example.com/functions/given> and …/family. Files with morph-kgc's decorator
`@udf(fun_id=…, given=…)` are read, too. The file is a program of the user's: it is run as it is.

The engine gives and takes texts. A result is `=` and its text, an error `!` and its message, so that
an error is a finding at its record and no end of the run.
"""

from __future__ import annotations

import datetime
import inspect
import traceback
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.functions.functions import Function, Parameter, Type

_TYPES: dict[Any, Type] = {
    str: "text", int: "integer", float: "number", bool: "boolean", datetime.date: "date", datetime.datetime: "dateTime",
}  # fmt: skip
_SQL_TYPES: dict[Type, str] = {"list": "VARCHAR[]"}  # all others are texts
_READ: dict[Type, Callable[[str], object]] = {
    "integer": int,
    "number": float,
    "boolean": lambda value: value.lower() in ("true", "1"),
    "date": datetime.date.fromisoformat,
    "dateTime": datetime.datetime.fromisoformat,
}


class PythonFunction(NamedTuple):
    """A function with the Python function that it calls."""

    function: Function
    call: Callable[..., object]


def load_functions(path: Path) -> list[PythonFunction]:
    """Runs a Python file, and gives the functions that it defines. Raises InvalidDeclaration
    (LP602) where it fails.
    """
    decorated: list[PythonFunction] = []

    def udf(fun_id: str, **parameters: str) -> Callable[[Callable[..., object]], object]:
        def declare(call: Callable[..., object]) -> object:
            decorated.append(_declared(call, fun_id, parameters))
            return call

        return declare

    values: dict[str, Any] = {"udf": udf, "__name__": "lodpipe_functions", "__file__": str(path)}
    try:
        exec(compile(path.read_text("utf-8"), str(path), "exec"), values)
        functions = decorated + list(_defined(values))
    except Exception as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(path)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else next(iter(lines[-1:]), None)
        detail = f"the file cannot be run: {type(error).__name__}: {error}"
        raise _wrong(path, line, detail) from None
    if not functions:
        raise _wrong(
            path,
            None,
            "the file defines no function; state their `NAMESPACE`, or decorate them with `@udf`",
        )
    return functions


def register(session: Session, functions: Iterable[PythonFunction]) -> None:
    """Makes functions known to a session."""
    for function, call in functions:
        assert function.python is not None
        kinds = [parameter.type for parameter in function.parameters]
        session.define_python_function(
            function.python,
            _wrapped(function, call),
            [_SQL_TYPES.get(kind, "VARCHAR") for kind in kinds],
            _SQL_TYPES.get(function.returns, "VARCHAR"),
        )


def _wrong(path: Path, line: int | None, detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP602", Origin(path.name, line or 0), {"detail": detail})])


def _defined(values: dict[str, Any]) -> Iterator[PythonFunction]:
    """The functions of a file that states their namespace; names with `_` are its own."""
    start = values.get("NAMESPACE")
    for name, value in list(values.items()) if start else ():
        own = inspect.isfunction(value) and value.__module__ == "lodpipe_functions"
        if own and not name.startswith("_") and name != "udf":
            iris = {
                parameter: f"{start}{parameter}"
                for parameter in inspect.signature(value).parameters
            }
            yield _declared(value, f"{start}{name}", iris)


def _declared(call: Callable[..., object], iri: str, iris: dict[str, str]) -> PythonFunction:
    hints = typing.get_type_hints(call)
    parameters = []
    for name, parameter in inspect.signature(call).parameters.items():
        if name not in iris:
            raise TypeError(f"parameter `{name}` of {call.__name__} has no IRI")
        default = None if parameter.default is inspect.Parameter.empty else "NULL"
        kind: Type = "list" if typing.get_origin(hints.get(name)) is list else "text"
        parameters.append(Parameter((iris[name],), kind, default))
    sql_name = "python_" + "".join(f"{ord(c):x}" if not c.isalnum() else c for c in iri)
    places = ", ".join(f"{{p{number}}}" for number in range(len(parameters)))
    returns = _type_of(hints.get("return", str))
    function = Function(iri, tuple(parameters), returns, f"{sql_name}({places})", python=sql_name)
    return PythonFunction(function, call)


def _type_of(hint: object) -> Type:
    """The type of an annotation; `str | None` is that of str."""
    if typing.get_origin(hint) is list:
        return "list"
    inner = [item for item in typing.get_args(hint) if item is not type(None)]
    return _TYPES.get(inner[0] if inner else hint, "text")


def _wrapped(function: Function, call: Callable[..., object]) -> Callable[..., object]:
    """A call with texts for what it is given and what it gives; a missing value is no call."""
    hints = typing.get_type_hints(call)
    readers = [
        _READ.get(_type_of(hints.get(name, str)), str)
        for name in inspect.signature(call).parameters
    ]
    names = list(inspect.signature(call).parameters)

    def text_of(value: object) -> str:
        if isinstance(value, bool):
            return "=true" if value else "=false"
        return f"={value.isoformat()}" if isinstance(value, datetime.date) else f"={value}"

    def run(*values: Any) -> object:
        given = dict(zip(names, values, strict=True))
        for name, parameter in zip(names, function.parameters, strict=True):
            if given[name] is None and parameter.default is None:
                return None
        try:
            result = call(
                **{
                    name: value if isinstance(value, list) else read(value)
                    for (name, value), read in zip(given.items(), readers, strict=True)
                    if value is not None
                }
            )
        except Exception as error:
            message = f"!{', '.join(map(str, values))} ({type(error).__name__}: {error})"
            return [message] if function.returns == "list" else message
        if function.returns == "list":
            return None if result is None else [text_of(item) for item in result]  # type: ignore[attr-defined]  # it is annotated as one
        return None if result is None else text_of(result)

    places = [
        inspect.Parameter(f"p{number}", inspect.Parameter.POSITIONAL_ONLY)
        for number in range(len(names))
    ]
    run.__signature__ = inspect.Signature(places)  # type: ignore[attr-defined]  # what the engine counts
    return run
