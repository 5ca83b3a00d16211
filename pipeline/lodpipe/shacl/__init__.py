"""SHACL as set-based queries over a table of statements: shapes are read, compiled, run, and reported
as a validation report.
"""

from __future__ import annotations

import _duckdb as duckdb

from lodpipe.shacl.compile import Connection, Run, plan_shapes
from lodpipe.shacl.incremental import revalidate
from lodpipe.shacl.shapes_graph import ShapesGraph, read_model
from lodpipe.shacl.sparql_constraints import QueryAnswerer
from lodpipe.shacl.validation_report import Report, ValidationResult, read_report, report_triples

__all__ = [
    "Connection",
    "Report",
    "ShapesGraph",
    "ValidationResult",
    "read_model",
    "report_triples",
    "revalidate",
    "validate",
]

_SMALL = 50_000


def validate(connection: Connection, shapes: ShapesGraph) -> Report:
    """The report on the table `triples` (s, p, o in N-Triples spelling, none twice) of a
    connection.
    """
    plan = plan_shapes(shapes)
    run = Run(connection, plan)
    run.answerer = QueryAnswerer(connection, plan)
    ((count,),) = connection.execute("SELECT count(*) FROM triples").fetchall()
    # For small data the optimizer costs more than it saves.
    connection.execute(f"PRAGMA {'disable' if count < _SMALL else 'enable'}_optimizer")
    try:
        run.go()
        return read_report(connection, plan)
    except duckdb.Error:
        run.check_patterns()
        raise
    finally:
        connection.execute("PRAGMA enable_optimizer")
        run.close()
        run.answerer.close()
