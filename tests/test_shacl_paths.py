"""Closures over deep data: chains, cycles, trees and lists, with bounds on what a run may create
and not on its time.
"""

from __future__ import annotations

import pytest

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.shacl import patterns
from lodpipe.shacl.placements import plan_shapes
from lodpipe.shacl.shape_run import Run
from lodpipe.shacl.shapes_graph import read_model
from shacl_support import (
    EX,
    RDF,
    SH,
    XSD,
    Triple,
    by_columns,
    by_pyshacl,
    connection_with,
    nameless,
)

NIL = f"<{RDF}nil>"


def node(number: int) -> str:
    return f"<{EX}n{number}>"


def chain(length: int, predicate: str = f"<{EX}p>") -> list[Triple]:
    return [(node(number), predicate, node(number + 1)) for number in range(length)]


def counting(path: list[Triple], head: str, most: int) -> list[Triple]:
    """A shape on n0: at most so many nodes at the end of a path."""
    return [
        (f"<{EX}S>", f"<{SH}targetNode>", node(0)), (f"<{EX}S>", f"<{SH}property>", f"<{EX}P>"), (f"<{EX}P>", f"<{SH}path>", head),
        (f"<{EX}P>", f"<{SH}maxCount>", f'"{most}"^^<{XSD}integer>'), *path,
    ]  # fmt: skip


def repeated(kind: str, step: str = f"<{EX}p>") -> list[Triple]:
    return [("_:path", f"<{SH}{kind}>", step)]


LISTED = [
    *(
        (f"_:c{number}", f"<{RDF}rest>", f"_:c{number + 1}" if number < 4_999 else NIL)
        for number in range(5_000)
    ),
    (node(0), f"<{RDF}rest>", "_:c0"),
]
STEP = [("_:either", f"<{SH}alternativePath>", "_:l1"), ("_:l1", f"<{RDF}first>", f"<{EX}p>"), ("_:l1", f"<{RDF}rest>", "_:l2"),
        ("_:l2", f"<{RDF}first>", "_:inverse"), ("_:l2", f"<{RDF}rest>", NIL), ("_:inverse", f"<{SH}inversePath>", f"<{EX}q>")]  # fmt: skip
TREE = [(node(number // 2), f"<{EX}p>", node(number)) for number in range(1, 4_000)]
CASES = {
    "a chain of 20,000": (chain(20_000), repeated("zeroOrMorePath"), 20_001),
    "a chain of 20,000, one step at least": (chain(20_000), repeated("oneOrMorePath"), 20_000),
    "a cycle of 5,000": ([*chain(4_999), (node(4_999), f"<{EX}p>", node(0))], repeated("oneOrMorePath"), 5_000),
    "a tree": (TREE, repeated("zeroOrMorePath"), 4_000),
    "the rest of a list of 5,000": (LISTED, repeated("zeroOrMorePath", f"<{RDF}rest>"), 5_002),
    "a choice of steps, either way": ([*chain(3_000)[::2], *((o, f"<{EX}q>", s) for s, _, o in chain(3_000)[1::2])],
                                      [*repeated("oneOrMorePath", "_:either"), *STEP], 3_000),
    "a closure of a closure": (chain(2_000), [*repeated("zeroOrMorePath", "_:inner"), ("_:inner", f"<{SH}oneOrMorePath>", f"<{EX}p>")], 2_001),
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.slow] if "000" in case else []) for case in CASES],
)
def test_a_closure_reaches_every_node_in_one_query(case: str) -> None:
    data, path, number = CASES[case]
    for most, count in ((number, 0), (number - 1, 1)):
        connection = connection_with(data)
        plan = plan_shapes(read_model(counting(path, "_:path", most)))
        run = Run(connection, plan)
        run.go()
        assert run.count("violations WHERE k >= 0 AND value IS NULL") == count
        tables = [
            name
            for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            if name.startswith("stored_")
        ]
        assert len(tables) == 1  # not one for each round
        connection.close()


@pytest.mark.parametrize("outer", ["zeroOrMorePath", "oneOrMorePath"])
@pytest.mark.parametrize("inner", ["zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"])
def test_repetitions_of_repetitions_reach_what_pyshacl_reaches(outer: str, inner: str) -> None:
    data = [*chain(4), (node(2), f"<{EX}p>", node(1))]
    rules = [*counting([*repeated(outer, "_:inner"), ("_:inner", f"<{SH}{inner}>", f"<{EX}p>")], "_:path", 9),
             (f"<{EX}P>", f"<{SH}nodeKind>", f"<{SH}Literal>")]  # fmt: skip
    assert nameless(by_columns(data, rules)) == nameless(by_pyshacl(data, rules)) != []


# -- shapes that are reached in many ways ----------------------------------------------------------


def ladder(depth: int, parameter: str) -> list[Triple]:
    """Shapes S0 to S<depth>, each of which names the next one twice: in two property shapes, or in
    two members of sh:or.
    """
    triples: list[Triple] = [(f"<{EX}S0>", f"<{SH}targetClass>", f"<{EX}A>")]
    for level in range(depth):
        for side in "ab":
            shape, below = f"<{EX}S{level}{side}>", f"<{EX}S{level + 1}>"
            triples += [
                (f"<{EX}S{level}>", f"<{SH}property>", shape),
                (shape, f"<{SH}path>", f"<{EX}{side}>"),
                (shape, f"<{SH}{parameter}>", below),
            ]
    triples.append((f"<{EX}S{depth}>", f"<{SH}nodeKind>", f"<{SH}Literal>"))
    return triples


def test_a_shape_is_placed_once_whatever_the_number_of_ways_to_it() -> None:
    plan = plan_shapes(read_model(ladder(30, "node")))
    assert len(plan.placements) == 30 * 3 + 1
    assert sum(len(sources) for sources in plan.inner.values()) <= 60


def test_conditions_on_shared_shapes_are_not_written_out_again_and_again() -> None:
    either = [
        (f"<{EX}T{level}>", f"<{SH}{name}>", f"<{EX}T{level + 1}>")
        for level in range(40)
        for name in ("not", "node")
    ]
    rules = read_model(
        [
            (f"<{EX}T0>", f"<{SH}targetClass>", f"<{EX}A>"),
            *either,
            (f"<{EX}T40>", f"<{SH}nodeKind>", f"<{SH}Literal>"),
        ]
    )
    assert len(plan_shapes(rules).placements) <= 41


def test_shared_shapes_give_the_reports_of_pyshacl() -> None:
    data = [(node(0), f"<{RDF}type>", f"<{EX}A>"), (node(1), f"<{RDF}type>", f"<{EX}B>"),
            *((node(start), f"<{EX}{side}>", node(end)) for start, side, end in ((0, "a", 1), (0, "b", 2), (1, "a", 2), (2, "b", 3)))]  # fmt: skip
    for rules in (ladder(2, "node"), [*ladder(2, "node"), (f"<{EX}S1>", f"<{SH}targetClass>", f"<{EX}B>")], [
        *ladder(2, "node"), (f"<{EX}S1a>", f"<{SH}targetClass>", f"<{EX}B>"), (f"<{EX}S1a>", f"<{SH}minCount>", f'"2"^^<{XSD}integer>'),
    ]):  # fmt: skip
        assert nameless(by_columns(data, rules)) == nameless(by_pyshacl(data, rules)) != []


def test_a_report_names_shared_details_once() -> None:
    """12 levels with two ways each: 4,096 ways, and no more results than shapes and nodes allow."""
    data = [
        (node(0), f"<{RDF}type>", f"<{EX}A>"),
        *((node(level), f"<{EX}{side}>", node(level + 1)) for level in range(12) for side in "ab"),
    ]
    results = shacl.validate(connection_with(data), read_model(ladder(12, "node"))).results
    assert len(list(shacl.report_triples(results))) < 500


# -- patterns --------------------------------------------------------------------------------------


def matching(pattern: str, *values: str) -> list[str]:
    data = [(node(0), f"<{EX}p>", f'"{value}"') for value in values]
    rules = [*counting([], f"<{EX}p>", 9), (f"<{EX}P>", f"<{SH}pattern>", f'"{pattern}"')]
    wrong = {result[2] for result in by_columns(data, rules)}
    return [value for value in values if f'"{value}"' not in wrong]


def test_patterns_that_look_around_are_matched() -> None:
    assert matching(r"^(?=.*[0-9])(\\w)\\1", "aa1", "ab1", "aab") == ["aa1"]


@pytest.mark.parametrize("pattern", ["(^[A-Z]", "(?=a", r"(a)\\2"])
def test_what_is_no_pattern_is_a_finding(pattern: str) -> None:
    with pytest.raises(InvalidDeclaration) as raised:
        matching(pattern, "a")
    assert [finding.code for finding in raised.value.findings] == ["LP605"]
    assert f"<{EX}P>" in raised.value.findings[0].params["detail"]


def test_a_pattern_that_does_not_end_is_a_finding_with_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "LIMIT", 0.2)
    with pytest.raises(InvalidDeclaration) as raised:
        matching("^(?=a)(a+)+$", "a" * 9, "a" * 60 + "b")
    (finding,) = raised.value.findings
    assert (
        finding.code == "LP610"
        and finding.params["value"].startswith("a" * 60)
        and finding.params["pattern"] == "^(?=a)(a+)+$"
    )
