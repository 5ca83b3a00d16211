"""A run from its start to the end, with what it needs around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import _duckdb as duckdb

from lodpipe.shacl.shape_run import Run
from lodpipe.shacl.sparql_constraints import QueryAnswerer

_SMALL = 50_000


@contextmanager
def finished(run: Run) -> Iterator[None]:
    """Runs, and removes the tables of the run at the end of the context."""
    with equipped(run):
        run.go()
        yield


@contextmanager
def equipped(run: Run) -> Iterator[None]:
    """A run that can go, and whose tables are removed at the end of the context."""
    connection = run.connection
    run.answerer = QueryAnswerer(connection, run.plan)
    ((count,),) = connection.execute("SELECT count(*) FROM triples").fetchall()
    # For small data the optimizer costs more than it saves.
    connection.execute(f"PRAGMA {'disable' if count < _SMALL else 'enable'}_optimizer")
    try:
        yield
    except duckdb.Error:
        run.check_patterns()
        raise
    finally:
        connection.execute("PRAGMA enable_optimizer")
        run.close()
        run.answerer.close()
