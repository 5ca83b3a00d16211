"""Lists and containers that gather maps make (RML-CC): each folder of tests/gather has a mapping, its
sources, and what it must make as TriG. Blank nodes are compared by RDFC-1.0.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.diagnostics.finding import InvalidData, InvalidDeclaration
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

CASES = sorted(path for path in (TESTS / "gather").iterdir() if path.is_dir())
BASE = "http://example.org/"


def canonical(data: bytes, syntax: ox.RdfFormat) -> list[str]:
    dataset = ox.Dataset(ox.parse(data, format=syntax, base_iri=BASE))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(str(quad) for quad in dataset)


def mapped(folder: Path, tmp_path: Path, name: str = "out.nq") -> bytes:
    work = tmp_path / "case"
    if not work.is_dir():
        shutil.copytree(folder, work)
    map_file(work / "mapping.ttl", tmp_path / name, MappingOptions(BASE))
    return (tmp_path / name).read_bytes()


def test_all_cases_are_there():
    assert len(CASES) == 10


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_case_makes_its_lists_and_containers(folder: Path, tmp_path: Path) -> None:
    lines = mapped(folder, tmp_path)
    expected = (folder / "expected.trig").read_bytes()
    assert canonical(lines, ox.RdfFormat.N_QUADS) == canonical(expected, ox.RdfFormat.TRIG)
    assert lines == b"".join(sorted(set(lines.splitlines(keepends=True))))


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_statement_table_has_the_same_statements(folder: Path, tmp_path: Path) -> None:
    lines, trig = mapped(folder, tmp_path), mapped(folder, tmp_path, "out.trig")
    assert canonical(lines, ox.RdfFormat.N_QUADS) == canonical(trig, ox.RdfFormat.TRIG)
