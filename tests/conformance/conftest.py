"""One PostgreSQL server for all cases, what came of each, and the count of each suite at the end of
the run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance import server, suites
from support import COUNTED

OUTCOMES = pytest.StashKey[dict[tuple[str, str], str]]()


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config) -> dict[tuple[str, str], str]:
    """What came of each case, by the names of suite and case."""
    return pytestconfig.stash.setdefault(OUTCOMES, {})


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str | None]:
    """The address of a server, or None where there is no PostgreSQL."""
    with server.running() as address:
        yield address


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    outcomes = session.config.stash.get(OUTCOMES, {})
    for suite in suites.ALL:
        run, results, errors = suites.counted(suite, outcomes)
        if run:
            counted = session.config.stash.setdefault(COUNTED, [])
            counted.append(
                f"{suite.name}: {run} cases, {results} passed with a result, {errors} with an error"
            )
