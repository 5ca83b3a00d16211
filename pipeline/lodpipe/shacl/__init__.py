"""SHACL as set-based queries over a table of statements: shapes are read, compiled, run, and reported
as a validation report.
"""

from __future__ import annotations

from lodpipe.shacl.execution import finished
from lodpipe.shacl.incremental import revalidate
from lodpipe.shacl.placements import plan_shapes
from lodpipe.shacl.shape_run import Connection, Run
from lodpipe.shacl.shapes_graph import ShapesGraph, read_model
from lodpipe.shacl.validation_report import Report, ValidationResult, read_report, report_triples

__all__ = [
    "Connection",
    "Report",
    "ShapesGraph",
    "ValidationResult",
    "plan_shapes",
    "read_model",
    "report_triples",
    "revalidate",
    "validate",
]


def validate(connection: Connection, shapes: ShapesGraph) -> Report:
    """The report on the table `triples` (s, p, o in N-Triples spelling, none twice) of a
    connection.
    """
    plan = plan_shapes(shapes)
    with finished(Run(connection, plan)):
        return read_report(connection, plan)
