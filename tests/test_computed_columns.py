"""Findings about a column that a query computes are at the field that it is computed from."""

from __future__ import annotations

import pytest

from lodpipe.engine.computed_columns import ComputedColumns
from lodpipe.engine.sql_session import Session

FIELDS = ("id", "website", "town", "Name")
CASES = (
    ("replace(c.website, 'a', 'b') AS page", "page", "website"),
    ("website AS page", "page", "website"),
    ("coalesce(website, 'none') AS page", "page", "website"),
    ("CASE WHEN town = 'x' THEN town END AS t", "t", "town"),
    ('upper("Name") AS n', "n", "Name"),
    ("website || town AS both", "both", None),
    ("row_number() OVER () AS n", "n", None),
    ("'x' AS constant", "constant", None),
    ("id", "unknown", None),
)


@pytest.mark.parametrize(("cell", "column", "field"), CASES, ids=[case[0] for case in CASES])
def test_a_computed_column_has_the_field_it_is_computed_from(
    cell: str, column: str, field: str | None
) -> None:
    with Session() as session:
        computed = ComputedColumns(session)
        computed.add(f"SELECT c._record, {cell} FROM cafes AS c")
        assert computed.field_of(column, FIELDS) == field


def test_queries_over_queries_lead_to_the_field() -> None:
    with Session() as session:
        computed = ComputedColumns(session)
        computed.add(
            "WITH w AS (SELECT _record, trim(website) AS clean FROM cafes) SELECT * FROM w"
        )
        computed.add("SELECT _record, lower(clean) AS page FROM first_query")
        computed.add("this is no SQL")
        assert computed.field_of("page", FIELDS) == "website"
