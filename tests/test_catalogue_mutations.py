"""Seeded errors: each way to break a written catalogue is reported by our own check (see
catalogue/README.md).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml

from lodpipe import Project
from lodpipe.diagnostics.rules import render
from lodpipe.publish.catalogue.checks import catalogue_findings
from lodpipe.publish.catalogue.graph import PREFIXES, Graph
from support import TESTS

CASES: list[dict[str, Any]] = yaml.safe_load(
    (TESTS / "catalogue/mutations.yaml").read_text("utf-8")
)
BASE = "https://w3id.org/rogl/"
HEAD = f"BASE <{BASE}> " + " ".join(
    f"PREFIX {name}: <{namespace}>" for name, namespace in PREFIXES.items()
)


@pytest.fixture(scope="module")
def project(built: Path) -> Project:
    return Project.open(built)


def findings_of(project: Project, folder: Path) -> list[tuple[str, str]]:
    return [
        (finding.code, f"{finding.where}: {render(finding.code, dict(finding.params))[0]}")
        for finding in catalogue_findings(project, folder)
    ]


def broken(case: dict[str, Any], folder: Path) -> None:
    if "file" in case:
        path = folder / case["file"]
        path.unlink(missing_ok=True)  # the copy shares its bytes with the built one
        if case["write"] is not None:
            path.write_text(case["write"], "utf-8")
        return
    store = ox.Store()
    store.bulk_load(path=folder / "catalog.nt", format=ox.RdfFormat.N_TRIPLES)
    remove, add = case.get("remove", ""), case.get("add", "")
    pattern, _, condition = remove.partition(" . FILTER")
    where = case.get("where") or (f"{pattern} . FILTER{condition}" if condition else pattern)
    before = len(store)
    store.update(f"{HEAD} DELETE {{ {pattern} }} INSERT {{ {add} }} WHERE {{ {where} }}")
    changed = {str(quad.triple) for quad in store} ^ {
        str(q.triple) for q in ox.parse(path=folder / "catalog.nt", format=ox.RdfFormat.N_TRIPLES)
    }
    assert changed, f"the case is out of date: nothing changed ({before} statements)"
    graph = Graph()
    graph._triples = {(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in store}
    for name in ("catalog.ttl", "catalog.jsonld", "catalog.rdf", "catalog.nt"):
        (folder / name).unlink()
    graph.write(folder, "catalog", BASE)


def test_the_unbroken_catalogue_has_no_finding(project: Project, dist: Path) -> None:
    assert findings_of(project, dist) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["mistake"])
def test_a_broken_catalogue_is_reported(
    case: dict[str, Any], project: Project, dist: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "dist"
    shutil.copytree(
        dist, folder, copy_function=lambda source, target: Path(target).hardlink_to(source)
    )
    broken(case, folder)
    findings = findings_of(project, folder)
    assert [
        text
        for code, text in findings
        if code == case["code"] and case.get("message", "").lower() in text.lower()
    ], findings
    assert all("dist/catalog." in text for _, text in findings)
    assert "{" not in "".join(text for _, text in findings).replace("{128}", "")


def test_the_cases_are_many_and_differ() -> None:
    print(f"{len(CASES)} broken catalogues")
    assert len(CASES) >= 50
    assert len({case["mistake"] for case in CASES}) == len(CASES)
