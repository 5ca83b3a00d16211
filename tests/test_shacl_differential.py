"""Random graphs and random shapes: our engine and pySHACL give the same report, but for the
exceptions of shacl_exceptions.py.

More pairs by hand: LODPIPE_PAIRS=5000 pytest tests/test_shacl_differential.py
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shacl_exceptions
from lodpipe.diagnostics.finding import InvalidDeclaration
from shacl_support import Maker, by_columns, by_pyshacl, nameless

PAIRS = int(os.environ.get("LODPIPE_PAIRS", "200"))


@pytest.fixture(scope="module", autouse=True)
def _exceptions() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    shacl_exceptions.apply(patch)
    logging.disable(logging.CRITICAL)  # rdflib logs every ill-typed literal
    yield
    logging.disable(logging.NOTSET)
    patch.undo()


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(
    max_examples=PAIRS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="LODPIPE_PAIRS" not in os.environ,
    database=None,
)
@given(seed=st.integers(0, 2**32))
def test_both_engines_say_the_same_of_random_graphs(
    seed: int, connection: duckdb.DuckDBPyConnection
) -> None:
    data, shapes = Maker(random.Random(seed)).make()
    try:
        ours = nameless(by_columns(data, shapes, connection))
    except InvalidDeclaration as error:
        assert "given more than once" in error.findings[0].params["detail"]
        with pytest.raises(Exception, match="at most one"):
            by_pyshacl(data, shapes)
        return
    assert ours == nameless(by_pyshacl(data, shapes))


def test_every_exception_has_a_reason() -> None:
    assert all(len(reason) > 60 for reason in shacl_exceptions.EXCEPTIONS.values())
