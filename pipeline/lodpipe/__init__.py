"""lodpipe: publishes source records that people edit as validated linked open data.

from lodpipe import Project, build, checked
build(Project.open("."))
with checked(Project.open(".")) as outcome:
    graph = outcome.graph()   # an rdflib.Graph

import lodpipe
with lodpipe.map("people.yaml", sources={"people": frame}) as statements:
    graph = statements.graph()
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
    from lodpipe.workflow.mapped_statements import MappedStatements
    from lodpipe.workflow.mapped_statements import map_sources as map
    from lodpipe.workflow.mapping_run import MappingOptions
    from lodpipe.workflow.pipeline import Outcome, build, checked

__all__ = [
    "Finding",
    "InvalidData",
    "InvalidDeclaration",
    "LodpipeError",
    "MappedStatements",
    "MappingOptions",
    "Outcome",
    "Project",
    "SourceError",
    "build",
    "checked",
    "map",
]

_HOMES = {
    "Project": "config.publication",
    "Outcome": "workflow.pipeline",
    "build": "workflow.pipeline",
    "checked": "workflow.pipeline",
    "map": "workflow.mapped_statements",
    "MappedStatements": "workflow.mapped_statements",
    "MappingOptions": "workflow.mapping_run",
}
_NAMES = {"map": "map_sources"}


def __getattr__(name: str) -> Any:
    """Imports what is asked for, when it is asked for: `lodpipe --help` must not wait for the
    engine.
    """
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    module = import_module(f"lodpipe.{_HOMES.get(name, 'diagnostics.finding')}")
    return getattr(module, _NAMES.get(name, name))
