"""The house stands: each module imports only from the floors above it, and knows nothing of the publication it builds."""

from __future__ import annotations

import ast
import re

import pytest
from support import ROOT

FLOORS = [
    "messages", "errors", "progress", "scratch", "writebehind", "datatypes", "sparql", "worker", "confined", "reading", "faults", "project",
    "vocabulary", "inventory", "sources", "mapping", "plan", "databases", "jsoncolumns", "engine", "blocks", "lines", "statements", "shacl",
    "shapes", "checks", "echoes", "integrity", "lint", "turtle", "queries", "asking", "executables", "jsonld", "parquet", "dumps",
    "catalogue", "site", "report", "supervision", "build", "standalone", "validation", "serve", "cli",
]  # fmt: skip
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))
WORDS = re.compile(r"\b(labors?|labore|labs?|rogl|kommunen?|brandis)\b", re.IGNORECASE)


def imported(tree: ast.AST) -> set[str]:
    """The floors that a module imports from, late imports and those for type checkers included."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pipeline":
            found |= {node.module.split(".")[1]} if "." in node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pipeline.")}
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative imports hide the floor"
    return found & set(FLOORS) | {name for name in found if not name[0].isupper() and name not in FLOORS}


def test_imports_run_from_top_to_bottom() -> None:
    print(f"{len(MODULES)} modules")
    for path in MODULES:
        floor = path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")
        if floor != "__init__":
            own = FLOORS.index(floor)  # a module without a floor needs one
            wrong = [name for name in imported(ast.parse(path.read_text("utf-8"))) if name not in FLOORS[: own + 1]]
            assert wrong == [], f"{path.relative_to(ROOT)} imports from below"


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=str(path.relative_to(ROOT))) for path in MODULES],
)
def test_the_program_knows_nothing_of_the_publication(path) -> None:
    lines = enumerate(path.read_text("utf-8").split("\n"), 1)
    assert [f"{path.name}:{number}: {line.strip()}" for number, line in lines if WORDS.search(line)] == []
