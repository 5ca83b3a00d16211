"""Runs a plan: finds the rows that fail its checks, and makes the table `statements`.

The plan of a mapping with two triples maps, places and people, becomes one query; each SELECT is
that of its triples map:

    CREATE TABLE statements AS
    SELECT s, p, o, g, min(record) AS record, arg_min(rule, record) AS rule
    FROM (SELECT s, p, o, g, record, rule FROM (…places…)
          UNION ALL SELECT s, p, o, g, record, rule FROM (…people…)
          UNION ALL SELECT * FROM declared)
    GROUP BY s, p, o, g ORDER BY s, p, o, g
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from lodpipe.engine.results import Failure
from lodpipe.engine.sql_functions import IRI_SAFE, IRI_SAFE_ASCII
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import Check, Form, Plan, Select, quote, text
from lodpipe.rdf.datatypes import LAX, PATTERNS

SAMPLES = (
    10_000  # records that fail a check and get a finding of their own; of more, the number is given
)
_MANY_STATEMENTS = 100_000
NumberedRows = Callable[[str, str], str | None]
_COLUMNS = {
    "s": "VARCHAR",
    "p": "VARCHAR",
    "o": "VARCHAR",
    "g": "VARCHAR",
    "record": "BIGINT",
    "rule": "INTEGER",
}


def prepare_light_plan(session: Session, patterns: Mapping[str, str]) -> bool:
    """Whether the data is so small that a light plan is quicker.

    If so, sets the variable in which such a plan looks up patterns. `patterns` are those of own
    datatypes by IRI; those of XSD are added.
    """
    if not session.is_small:
        return False
    entries = {**dict.fromkeys(LAX, ""), **PATTERNS, **patterns}
    listed = ", ".join(f"{text(f'<{iri}>')}: {text(pattern)}" for iri, pattern in entries.items())
    session.rows(f"SET VARIABLE patterns = MAP {{{listed}}}")
    return True


def failures(
    session: Session, plan: Plan, numbered_rows: NumberedRows = lambda relation, condition: None
) -> Iterator[Failure]:
    """Each check that rows fail.

    `numbered_rows` gives a table of the rows of a relation that meet a condition, where those of
    the relation itself have lost their numbers.
    """
    with session.light_planning():
        if session.is_small and not session.remembers and not _any_fails(session, plan):
            return
        failing = [(select, _failing(session, select)) for select in plan.selects]
    for select, checks in failing:
        if not checks:
            continue
        any_problem = " OR ".join(f"({check.problem})" for check, _ in checks)
        rows = numbered_rows(select.source, any_problem)
        sampled = replace(select, source=rows) if rows else select
        for check, count in checks:
            yield Failure(check, count, session.rows(failure_samples(sampled, check)))


def _any_fails(session: Session, plan: Plan) -> bool:
    """Whether any row fails a check, by one query for all checks: each condition is compiled once,
    not once for each column that has to meet it.

    Example: places with a name in a language, documents with a date:

        SELECT 1 FROM (SELECT DISTINCT * FROM (
            SELECT unnest([0, 1]) AS n, unnest([CASE WHEN "c0" IS NULL THEN '' END, "c1"]) AS v,
                NULL AS d FROM "places"
            UNION ALL SELECT 2 AS n, "c4" AS v, NULL AS d FROM "documents"))
        WHERE v IS NOT NULL AND NOT CASE n WHEN 0 THEN v IS NULL WHEN 1 THEN regexp_matches(v, '^…$')
            WHEN 2 THEN regexp_matches(v, '^…$') AND is_day(v) END LIMIT 1
    """
    conditions: dict[str, int] = {}
    selects = []
    for select in plan.selects:
        if not select.checks:
            continue
        forms = [
            check.form or Form(f"CASE WHEN {check.problem} THEN '' END", "v IS NULL")
            for check in select.checks
        ]
        numbers = [conditions.setdefault(form.valid, len(conditions)) for form in forms]
        datatypes = [form.datatype for form in forms]
        selects.append(
            f"SELECT unnest({numbers}) AS n, unnest([{', '.join(form.text for form in forms)}]) AS v, "
            f"unnest([{', '.join(datatypes)}]) AS d FROM {select.source}"
            if len(forms) > 1
            else f"SELECT {numbers[0]} AS n, {forms[0].text} AS v, {datatypes[0]} AS d FROM {select.source}"
        )
    if not selects:
        return False
    cases = " ".join(f"WHEN {number} THEN {valid}" for valid, number in conditions.items())
    texts = " UNION ALL ".join(dict.fromkeys(selects))
    # What is missing makes no statement, and no condition is about it.
    sql = f"SELECT 1 FROM (SELECT DISTINCT * FROM ({texts})) WHERE v IS NOT NULL AND NOT CASE n {cases} END LIMIT 1"
    return bool(session.rows(sql))


def _failing(session: Session, select: Select) -> list[tuple[Check, int]]:
    """The checks that rows fail, and how many do."""
    if not select.checks:
        return []
    (row,) = session.rows(failure_counts(select))
    return [(check, count) for check, count in zip(select.checks, row, strict=True) if count]


def failure_counts(select: Select) -> str:
    """The query that counts the rows that fail each check of a select."""
    counts = ", ".join(f"count(*) FILTER ({check.problem})" for check in select.checks)
    return f"SELECT {counts} FROM {select.source}"


def failure_samples(select: Select, check: Check) -> str:
    """The query for the first records that fail a check, with the value."""
    return (
        f"SELECT DISTINCT {select.record} AS record, {check.value} AS value FROM {select.source} "
        f"WHERE {check.problem} ORDER BY ALL LIMIT {SAMPLES}"
    )


def count_statements(session: Session, plan: Plan) -> list[tuple[str, int]]:
    """How many statements each rule makes, in the order of the mapping.

    Doubles count, except equal pairs of a join.
    """
    counts: dict[int, int] = {}
    for select in plan.selects:
        if not select.parts:
            continue
        (row,) = session.rows(select.counts_sql)
        for (*_, number), count in zip(select.parts, row, strict=True):
            counts[number] = counts.get(number, 0) + count
    return [(plan.rules[number].name, count) for number, count in sorted(counts.items())]


def make_statements(session: Session, plan: Plan, declared: Sequence[Sequence[object]]) -> None:
    """Makes the table `statements`: sorted by s, p, o, g, each one once, with its first record.

    `declared` are statements that come from no record (the ontology), as rows of the same columns.
    """
    session.create_table("declared", _COLUMNS, declared)
    unite_statements(session, plan, "SELECT * FROM declared")


def unite_statements(session: Session, plan: Plan, declared: str) -> None:
    """Makes the table `statements` of a plan and of a query for declared statements."""
    selects = [select.sql for select in plan.selects if select.parts]
    with session.light_planning(), _light_encoding(session, plan):
        if session.remembers:
            selects = [_own_table(session, number, sql) for number, sql in enumerate(selects)]
        union = "\nUNION ALL\n".join([*selects, declared])
        ((count,),) = session.rows(
            "CREATE TABLE statements AS "
            "SELECT s, p, o, g, min(record) AS record, arg_min(rule, record) AS rule "
            f"FROM ({union}) GROUP BY s, p, o, g ORDER BY s, p, o, g"
        )
    if count > _MANY_STATEMENTS:
        session.use_all_cores()


def _own_table(session: Session, number: int, sql: str) -> str:
    """A select of the statements of one triples map from a table of their own, so that a session
    that remembers makes only those again whose rows have changed.
    """
    name = quote(f"statements_of_{number}")
    session.rows(f"CREATE TABLE {name} AS {sql}")
    return f"SELECT * FROM {name}"


def load_statements(session: Session, files: Sequence[Path]) -> None:
    """Makes the table `statements` of Parquet files that have it in order."""
    if not files:
        session.create_table("statements", _COLUMNS, [])
        return
    listed = ", ".join(text(str(file)) for file in files)
    ((count,),) = session.rows(
        f"CREATE TABLE statements AS SELECT {', '.join(_COLUMNS)} FROM read_parquet([{listed}])"
    )
    if count > _MANY_STATEMENTS:
        session.use_all_cores()


@contextlib.contextmanager
def _light_encoding(session: Session, plan: Plan) -> Iterator[None]:
    """A shorter `iri_safe` for small data whose keys are ASCII, as nearly all are.

    The planner copies the function for each call.
    """
    encoded = (plan.encoded if session.is_small else None) or ()
    # One query for all is the fastest, but those of one source each need no answer again.
    parts = [[part] for part in encoded] if session.remembers else [encoded]
    light = bool(encoded) and all(_are_ascii(session, part) for part in parts)
    if light:
        session.define_functions([IRI_SAFE_ASCII])
    try:
        yield
    finally:
        if light:
            session.define_functions([IRI_SAFE])


def _are_ascii(session: Session, encoded: Sequence[tuple[str, Sequence[str]]]) -> bool:
    """Whether all keys of some sources, made of the texts of columns, are ASCII."""
    keys = " UNION ALL ".join(
        f"SELECT concat({', '.join(columns)}) AS key FROM {source}" for source, columns in encoded
    )
    return session.rows(f"SELECT bool_and(strlen(key) = length(key)) FROM ({keys})") != [(False,)]
