"""Several files as one source: which files belong to it, in which order, and where a value is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import LodpipeError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

MAPPING = """
mappings:
  row:
    sources: ['{path}~{kind}']
    subjects: http://example.com/$(id)
    po: [[http://example.com/day, $(day), xsd:date]]
prefixes: {{xsd: 'http://www.w3.org/2001/XMLSchema#'}}
"""


def lines(folder: Path, path: str, kind: str = "csv") -> list[str]:
    """The subjects that a mapping makes of a source, or the code of the finding."""
    (folder / "mapping.yaml").write_text(MAPPING.format(path=path, kind=kind), "utf-8")
    try:
        map_file(folder / "mapping.yaml", folder / "out.nq")
    except LodpipeError as error:
        return [finding.code for finding in error.findings]
    text = (folder / "out.nq").read_text("utf-8")
    return [line.partition(">")[0].rpartition("/")[2] for line in text.splitlines()]


def write(folder: Path, name: str, number: int) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"id,day\n{number},2024-01-01\n", "utf-8")


def test_files_of_a_pattern_and_of_a_folder_are_one_source(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for number, name in enumerate(("a-1.csv", "a-2.csv", "b/1.csv", "b/2.csv", "b/c/3.csv")):
        write(project, name, number)
    write(project, "b/_temporary.csv", 8)
    write(project, "b/.part.csv", 9)
    assert lines(project, "a-*.csv") == ["0", "1"]
    assert lines(project, "a-?.csv") == ["0", "1"]
    assert lines(project, "a-[2-9].csv") == ["1"]
    assert lines(project, "b") == ["2", "3"]
    assert lines(project, "b/*.csv") == ["2", "3"]
    assert lines(project, "*/*/*.csv") == ["4"]


@pytest.mark.parametrize("folder", ["project", "project [2]"])
def test_a_file_whose_name_has_signs_of_a_pattern_is_that_file(folder: str, tmp_path: Path) -> None:
    project = tmp_path / folder
    write(project, "a[1].csv", 1)
    write(project, "a1.csv", 2)
    write(tmp_path / "project 2", "a[1].csv", 3)
    assert lines(project, "a[1].csv") == ["1"]
    assert lines(project, "a*.csv") == ["1", "2"]
    (project / "b[1].jsonl").write_text('{"id": 4, "day": "2024-01-01"}', "utf-8")
    (project / "b1.jsonl").write_text('{"id": 5, "day": "2024-01-01"}', "utf-8")
    assert lines(project, "b[1].jsonl", "jsonl") == ["4"]


@pytest.mark.parametrize("path", ["../*.csv", "/tmp/*.csv", "linked/*.csv", "file:///*.csv"])
def test_no_pattern_leads_out_of_the_folder(path: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(tmp_path, "secret.csv", 1)
    write(project, "own.csv", 2)
    (project / "linked").symlink_to(tmp_path)
    assert lines(project, path) == ["LP107"]


@pytest.mark.parametrize("path", ["none-*.csv", "empty"])
def test_no_file_is_a_finding(path: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert lines(tmp_path, path) == ["LP106"]


@pytest.mark.parametrize(
    ("case", "places"),
    [
        ("csv-many-files", ["rows-a.csv:2", "rows-a.csv:15", "rows-b.csv:12", "rows-c.csv:10"]),
        ("json-lines-in-a-folder", [f"part-{file}.jsonl:{line}" for file in "ab" for line in (1, 11)]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_located_in_its_file(case: str, places: list[str], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TESTS / "spark" / case, tmp_path / case))
    options = MappingOptions(on_invalid_value="skip")
    findings = map_file(folder / "mapping.ttl", tmp_path / "out.nq", options)
    wrong = [f"{item.where}".rpartition("/")[2] for item in findings if item.code == "LP302"]
    assert wrong == places


def test_errors_of_all_files_are_reported(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TESTS / "spark/csv-many-files-with-errors", tmp_path / "case"))
    with pytest.raises(LodpipeError) as caught:
        map_file(folder / "mapping.ttl", tmp_path / "out.nq")
    assert [f"{item.where}" for item in caught.value.findings] == ["rows-1.csv:5", "rows-2.csv:5"]
