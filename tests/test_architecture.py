"""The packages are those of ARCHITECTURE.md, each imports only from the ones above it, and none
knows the publication that it builds.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from support import ROOT

SOURCE_ROOT = ROOT / "pipeline"
MODULES = sorted((SOURCE_ROOT / "lodpipe").rglob("*.py"))
PACKAGES = re.findall(r"^\| `(\w+)` \| .+ \|$", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.M)
OF_THE_PUBLICATION = re.compile(r"\b(labors?|labore|labs?|rogl|kommunen?|brandis)\b", re.IGNORECASE)
MOST_NODES, MOST_EDGES = 24, 90  # of the graph of imports between packages


def package_of(path: Path) -> str:
    """The package of a module; the modules of the top level are the API and the command's entry,
    above all packages.
    """
    return path.relative_to(SOURCE_ROOT / "lodpipe").parts[0].removesuffix(".py")


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of a module's syntax tree."""
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def imported_packages(path: Path) -> set[str]:
    """The packages that a module imports from, late imports and those for type checkers included."""
    packages: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide the package"
            if node.module == "lodpipe":
                packages |= {alias.name for alias in node.names if alias.name in PACKAGES}
            elif (node.module or "").startswith("lodpipe."):
                packages.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            packages |= {
                alias.name.split(".")[1]
                for alias in node.names
                if alias.name.startswith("lodpipe.")
            }
    return packages


def test_the_packages_are_those_of_the_architecture() -> None:
    print(f"{len(PACKAGES)} packages, {len(MODULES)} modules")
    assert sorted({package_of(path) for path in MODULES} - {"__init__", "__main__"}) == sorted(
        PACKAGES
    )


def test_imports_run_one_way() -> None:
    edges = set()
    for path in MODULES:
        package = package_of(path)
        if package in PACKAGES:
            above = PACKAGES[: PACKAGES.index(package) + 1]
            wrong = sorted(imported_packages(path) - set(above))
            assert wrong == [], (
                f"{path.relative_to(ROOT)} imports {', '.join(wrong)}, which ARCHITECTURE.md lists below {package}"
            )
            edges |= {(package, other) for other in imported_packages(path) if other != package}
    print(f"{len(PACKAGES)} nodes, {len(edges)} edges")
    assert len(PACKAGES) <= MOST_NODES
    assert len(edges) <= MOST_EDGES


def test_no_two_modules_share_a_name() -> None:
    """Two modules must not differ in their folder alone."""
    names: dict[str, list[str]] = {}
    for path in MODULES:
        if path.stem not in ("__init__", "__main__"):
            names.setdefault(path.stem, []).append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in names.items() if len(paths) > 1} == {}


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.relative_to(SOURCE_ROOT).as_posix()) for path in MODULES]
)
def test_the_program_knows_nothing_of_the_publication(path: Path) -> None:
    lines = enumerate(path.read_text("utf-8").split("\n"), 1)
    assert [
        f"{path.name}:{number}: {line.strip()}"
        for number, line in lines
        if OF_THE_PUBLICATION.search(line)
    ] == []


SQL = re.compile(
    r"\b(?:SELECT (?!\?|\*? ?\{|\(COUNT|\(\{).* FROM|CREATE (?:OR REPLACE )?(?:TEMP )?TABLE|INSERT INTO|COPY \()"
)
SENDS_SQL = {"engine", "mapping", "shacl", "checks"}


def test_sql_is_sent_by_the_engine_the_plan_shapes_and_checks_only() -> None:
    """Everything else asks the statement store, so that it works over any store."""
    senders = {}
    for path in MODULES:
        for node in nodes(path):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and SQL.search(node.value)
            ):
                senders.setdefault(package_of(path), set()).add(path.stem)
    print({package: sorted(names) for package, names in senders.items()})
    assert senders.keys() >= {"engine", "mapping", "shacl"}
    assert senders.keys() <= SENDS_SQL
