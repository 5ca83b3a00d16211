"""The compliance test suite of JSONPath (RFC 9535): each selector is followed in a tree, as findings
locate values, and by the engine, as mappings read them.

A selector that the suite calls invalid may be taken where others read it in one way only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conformance import suites
from lodpipe.documents.readers import read_json
from lodpipe.documents.tree import value_of
from lodpipe.engine import json_columns
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import text
from lodpipe.sources import jsonpath

CASES = suites.SUITES / "jsonpath" / "cts.json"
LENIENT = {" $", "$.&", "$.1"}
if not CASES.is_file():
    pytest.skip(
        f"no {CASES}: it is cts.json of github.com/jsonpath-standard/jsonpath-compliance-test-suite",
        allow_module_level=True,
    )
ALL: list[dict[str, Any]] = json.loads(CASES.read_text("utf-8"))["tests"]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session("1GB") as session:
        session.define_query()
        yield session


def test_no_case_is_lost() -> None:
    assert len(ALL) == 703
    assert sum("invalid_selector" in case for case in ALL) == 247


@pytest.mark.parametrize("case", ALL, ids=[case["name"] for case in ALL])
def test_selector(case: dict[str, Any], session: Session) -> None:
    if case.get("invalid_selector"):
        if case["selector"] not in LENIENT:
            with pytest.raises(jsonpath.PathError):
                jsonpath.parse(case["selector"])
        return
    steps = jsonpath.parse(case["selector"])
    wanted = case.get("results", [case.get("result")])
    document = json.dumps(case["document"])
    root = read_json(document, "case.json")
    assert root is not None
    assert [value_of(node) for node in jsonpath.walk(root, steps)] in wanted
    assert [json.loads(value) for value in followed(session, document, steps)] in wanted


def followed(session: Session, document: str, steps: tuple[jsonpath.Step, ...]) -> list[str]:
    """The values that the engine finds, as JSON."""
    if not jsonpath.is_many(steps):
        path = text(jsonpath.for_engine(steps))
        ((value,),) = session.rows(f"SELECT json_extract(?::JSON, {path})", [document])
        return [] if value is None else [value]
    pairs = json_columns.values_and_types(steps)
    query = f"SELECT list_transform({pairs}, lambda pair: pair[1]) FROM (SELECT ?::JSON AS it)"
    return list(session.rows(query, [document])[0][0])
