"""Golden cases of the mapping: records, how they are declared and mapped, and the N-Quads they must
give (see mapping/README.md).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from support import TESTS

FOLDERS = sorted(path for path in (TESTS / "mapping").iterdir() if path.is_dir())
PUBLICATION = """\
name: case
base: https://example.org/
title: {en: A case}
description: {en: A case}
languages: [en, de]
release: {version: 1.0.0, date: '2020-01-01'}
licence: https://creativecommons.org/publicdomain/zero/1.0/
attribution: Example Office
publisher: {name: Example Office}
contact: {name: Example Office}
graph: def
dumps: [nq]
gzip: false
site: false
"""
TERMS = "# prefix: ex\n# namespace: https://example.org/ns#\n" + "".join(
    f"property {name}\n"
    for name in (
        "Thing",
        "Town",
        "a",
        "b",
        "c",
        "label",
        "name",
        "note",
        "of",
        "part",
        "text",
        "type",
        "both",
        "day",
        "first",
        "hash",
        "iri",
        "joined",
        "length",
        "long",
        "nested",
        "number",
        "price",
        "same",
        "short",
        "tag",
        "upper",
        "uuid",
    )
)
CONTEXT = '{"@context": {"ex": "https://example.org/ns#", "other": "https://example.com/other/"}}'


def make_project(folder: Path, target: Path) -> Path:
    """A tiny project from a case's files."""
    for name in ("source", "ontology/vocabularies", "shapes"):
        (target / name).mkdir(parents=True)
    more = folder / "publication.yaml"
    (target / "publication.yaml").write_text(
        PUBLICATION + (more.read_text("utf-8") if more.exists() else ""), "utf-8"
    )
    (target / "ontology" / "context.jsonld").write_text(CONTEXT, "utf-8")
    (target / "ontology" / "vocabularies" / "ex.txt").write_text(TERMS, "utf-8")
    for path in folder.iterdir():
        if path.name not in ("expected.nq", "README.md", "publication.yaml"):
            shutil.copy(path, target / "source" / path.name)
    return target


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_case_gives_its_expected_quads(folder: Path, tmp_path: Path) -> None:
    from lodpipe.config.publication import Project
    from lodpipe.workflow.pipeline import build

    project = make_project(folder, tmp_path / "case")
    build(Project.open(project))
    output = (project / "dist" / "case.nq").read_text("utf-8")
    expected = "".join(
        line + "\n"
        for line in (folder / "expected.nq").read_text("utf-8").split("\n")
        if line and not line.startswith("#")
    )
    assert output == expected
    dataset = ox.Dataset(ox.parse(output, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert "".join(sorted(f"{quad} .\n" for quad in dataset)) == output, "not the canonical form"


def test_the_cases_are_many_and_whole() -> None:
    print(f"{len(FOLDERS)} cases")
    assert len(FOLDERS) >= 25
    for folder in FOLDERS:
        names = {path.name for path in folder.iterdir()}
        assert {"records.yaml", "mapping.yaml", "expected.nq"} <= names, folder.name
        assert len(names) > 3, f"{folder.name} has no records"
