"""Validated in parts, any data give the report of validating them as a whole: the same results in the
same order, with the same details.
"""

from __future__ import annotations

import os
import random

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.shacl.partitions import validate_in_parts
from lodpipe.shacl.shapes_graph import read_model
from shacl_support import Maker, connection_with

PAIRS = int(os.environ.get("LODPIPE_PAIRS", "40"))


def report_text(report: shacl.Report) -> str:
    """A report as N-Triples, with its numbered blank nodes."""
    return "".join(f"{s} {p} {o} .\n" for s, p, o in shacl.report_triples(report.results))


@settings(
    max_examples=PAIRS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="LODPIPE_PAIRS" not in os.environ,
    database=None,
)
@given(seed=st.integers(0, 2**32))
def test_no_part_reports_anything_else_than_the_whole(seed: int) -> None:
    data, triples = Maker(random.Random(seed)).make()
    try:
        shapes = read_model(triples)
    except InvalidDeclaration:  # a random shape that says something twice
        return
    with duckdb.connect() as connection:
        connection_with(data, connection)
        expected = report_text(shacl.validate(connection, shapes))
        for count in (1, 3, 7):
            assert report_text(validate_in_parts(connection, shapes, count)) == expected
