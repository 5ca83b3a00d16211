"""The functions that a user adds to those that every mapping can call: SQL in YAML files, Python files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, SourceError
from lodpipe.documents.readers import read_tree_as
from lodpipe.engine.plan_engines import PlanEngine
from lodpipe.engine.python_functions import PythonFunction, load_functions
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import Function, FunctionTable
from lodpipe.mapping.yarrrml.user_functions import read_functions


class OwnFunctions(Struct, frozen=True):
    """The table of all functions that a mapping can call, None where these are the built-in ones,
    and those of the table that are Python.
    """

    table: FunctionTable | None = None
    python: tuple[PythonFunction, ...] = ()

    def register(self, engine: PlanEngine) -> None:
        """Makes the Python functions known to an engine."""
        if self.python:
            engine.define_python(self.python)


def read_user_functions(paths: Iterable[Path], on: str | None = None) -> OwnFunctions:
    """The functions of files, by their suffixes; `on` is the master of Spark, which runs no Python.

    Raises InvalidDeclaration (LP601, LP602), SourceError where a file cannot be read.
    """
    own: list[Function] = []
    python: list[PythonFunction] = []
    for path in paths:
        if not path.is_file():
            raise SourceError(
                [Finding("LP106", Origin(path.name), {"detail": "there is no such file"})]
            )
        if path.suffix.lower() != ".py":
            own += sql_functions(path, path.name)
            continue
        if on is not None:
            detail = (
                f"`{path.name}`: Python functions run on one machine; with --on, write them in SQL"
            )
            raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
        python += load_functions(path)
    own += [item.function for item in python]
    return OwnFunctions(BUILT_IN.with_own(own), tuple(python)) if own else OwnFunctions()


def sql_functions(path: Path, name: str) -> list[Function]:
    """The functions of a YAML file. Raises InvalidDeclaration (LP602)."""
    from lodpipe.engine.function_checks import checked_functions

    return checked_functions(read_functions(read_tree_as("yaml", path, name), name))
