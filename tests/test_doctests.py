"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from support import ROOT

FILES = sorted((ROOT / "pipeline/lodpipe").rglob("*.py"))
WITH_EXAMPLES = [path for path in FILES if ">>> " in path.read_text("utf-8")]


def test_there_are_examples() -> None:
    print(f"{len(WITH_EXAMPLES)} of {len(FILES)} modules have examples")
    assert len(WITH_EXAMPLES) >= 4


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_a_module_are_true(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT / "pipeline").with_suffix("").parts).removesuffix(
        ".__init__"
    )
    tried = doctest.testmod(importlib.import_module(name))
    assert tried.attempted > 0
    assert tried.failed == 0
