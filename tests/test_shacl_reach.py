"""No statement that decides about a focus node is left out of the reach of its shape, and none is in
it that does not: tests/shacl_reach/ has the moves of each case in a comment, in the order of
`lodpipe/shacl/reach.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lodpipe.shacl.placements import plan_shapes
from lodpipe.shacl.reach import reach
from lodpipe.workflow.validation_run import ValidationOptions, read_files
from support import TESTS

CASES = sorted((TESTS / "shacl_reach").glob("*.ttl"))
_REACH = re.compile(r"(?m)^# reach:\n((?:#   .*\n)*)")


def described(path: Path) -> str:
    """The starts, moves and unbounded shapes of a file of shapes."""
    plan = plan_shapes(read_files([path], ValidationOptions()).model)
    moves = reach(plan)
    names = {fs: shape.name for shape, fs, _ in plan.roots}
    lines = [
        f"{name} starts in {moves.starts[fs]}" for fs, name in names.items() if fs in moves.starts
    ]
    lines += [f"{move}{' by value' if move.by_value else ''}" for move in moves.moves]
    lines += [f"{name} on all statements" for fs, name in names.items() if fs in moves.unbounded]
    text = "".join(f"#   {line}\n" for line in lines)
    text = text.replace("<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", "rdf:type")
    return re.sub(r"<http://example\.org/([^<>]*)>", r"ex:\1", text)


def test_there_are_cases() -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 20


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_reach_is_that_of_the_case(path: Path) -> None:
    match = _REACH.search(path.read_text("utf-8"))
    assert match
    assert described(path) == match[1]
