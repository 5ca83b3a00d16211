"""lodpipe: publishes source records that people edit as validated linked open data.

    from pipeline import Project, build, checked
    build(Project.open("."))
    with checked(Project.open(".")) as outcome:
        graph = outcome.graph()   # an rdflib.Graph
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.build import Outcome, build, checked
    from pipeline.errors import Finding, InvalidData, InvalidDeclaration, LodpipeError, SourceError
    from pipeline.project import Project

__all__ = ["Finding", "InvalidData", "InvalidDeclaration", "LodpipeError", "Outcome", "Project", "SourceError", "build", "checked"]

_HOMES = {"Project": "project", "Outcome": "build", "build": "build", "checked": "build"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for, when it is asked for: `lodpipe --help` must not wait for the engine."""
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"pipeline.{_HOMES.get(name, 'errors')}"), name)


class _Package(ModuleType):
    """Importing the module pipeline.build must not hide the function of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name == "build" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
