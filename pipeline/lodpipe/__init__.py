"""lodpipe: publishes source records that people edit as validated linked open data.

from lodpipe import Project, build, checked
build(Project.open("."))
with checked(Project.open(".")) as outcome:
    graph = outcome.graph()   # an rdflib.Graph
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import (
        Finding,
        InvalidData,
        InvalidDeclaration,
        LodpipeError,
        SourceError,
    )
    from lodpipe.workflow.pipeline import Outcome, build, checked

__all__ = [
    "Finding",
    "InvalidData",
    "InvalidDeclaration",
    "LodpipeError",
    "Outcome",
    "Project",
    "SourceError",
    "build",
    "checked",
]

_HOMES = {
    "Project": "config.publication",
    "Outcome": "workflow.pipeline",
    "build": "workflow.pipeline",
    "checked": "workflow.pipeline",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for, when it is asked for: `lodpipe --help` must not wait for the
    engine.
    """
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"lodpipe.{_HOMES.get(name, 'diagnostics.finding')}"), name)
