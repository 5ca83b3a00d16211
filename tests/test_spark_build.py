"""A publication whose mapping Spark runs is the same to the byte, its pages included, and has the
same findings.

A case in spark_build/ has files that replace those of the project in projects/libraries.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, LodpipeError
from lodpipe.workflow.pipeline import Engines, build
from spark_support import MASTER, needs_spark, small_blocks
from support import ROOT, TESTS, copy_project, invoke

pytestmark = pytest.mark.slow
PROJECTS = sorted(path for path in (TESTS / "projects").iterdir() if path.is_dir())
CASES = sorted((TESTS / "spark_build").iterdir())
Result = tuple[dict[str, bytes], list[Finding]]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def result(project: Path, on: str | None, *, site: bool = True) -> Result:
    """What a build writes (nothing where it ends with an error), and its findings."""
    try:
        findings = build(Project.open(project), engines=Engines(on=on), site=site)
    except LodpipeError as error:
        return {}, sorted(error.findings, key=lambda finding: finding.sort_key)
    return files_of(project / "dist"), list(findings)


def compare(folder: Path, origin: Path, prepare: Callable[[Path], object] = Path) -> Result:
    """Builds two copies of a project, one by Spark; gives what both make."""
    results = []
    for on in (None, MASTER):
        copy = copy_project(folder / (on or "here"), origin)
        prepare(copy)
        results.append(result(copy, on, site=origin != ROOT))
    local, spark = results
    assert spark[1] == local[1]
    assert spark[0].keys() == local[0].keys()
    assert [name for name in local[0] if local[0][name] != spark[0][name]] == []
    return local


@needs_spark
@pytest.mark.parametrize("project", [*PROJECTS, ROOT], ids=lambda path: path.name)
def test_a_publication_by_spark_has_the_same_bytes(project: Path, tmp_path: Path) -> None:
    files, _ = compare(tmp_path, project)
    assert "SHA256SUMS" in files
    compared = invoke("diff", tmp_path / "here/dist", tmp_path / MASTER / "dist", "--lang", "en")
    assert (compared.exit_code, compared.stdout) == (0, "No statement differs.\n")


def test_number_of_cases() -> None:
    assert len(CASES) == 3


@needs_spark
@pytest.mark.parametrize("policy", ["error", "skip"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_case(case: Path, policy: str, tmp_path: Path) -> None:
    def prepare(project: Path) -> None:
        shutil.copytree(case, project, dirs_exist_ok=True)
        with (project / "publication.yaml").open("a", encoding="utf-8") as file:
            file.write(f"on_invalid_value: {policy}\n")

    with small_blocks(256):
        files, findings = compare(tmp_path, PROJECTS[0], prepare)
    rules = {finding.code for finding in findings}
    lines = {(finding.code, f"{finding.where}") for finding in findings}
    if case.name == "files-in-the-mapping":
        assert ("LP302", "loans.csv:4") in lines
        assert bool(files) == (policy == "skip")
    elif case.name == "wrong-values":
        assert {"LP302", "LP304", "LP307", "LP401"} <= rules
        assert {("LP302", "loans.csv:6"), ("LP401", "loans.csv:10")} <= lines, lines
    else:
        assert rules == {"LP107"}


@needs_spark
def test_check_by_spark_prints_what_it_prints_without(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", PROJECTS[0])
    path = project / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace("Central Library", ""), "utf-8")
    local = invoke("check", "--project", project, "--lang", "en")
    spark = invoke("check", "--project", project, "--lang", "en", "--on", MASTER)
    assert (spark.exit_code, spark.output) == (local.exit_code, local.output)
    assert sorted(item.name for item in project.iterdir() if item.name.startswith(".")) == []


@needs_spark
def test_explain_by_spark_prints_what_it_prints_without(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", PROJECTS[0])
    local = invoke("explain", "library/central", "--project", project)
    spark = invoke("explain", "library/central", "--project", project, "--on", MASTER)
    assert local.exit_code == 0
    assert (spark.exit_code, spark.output) == (local.exit_code, local.output)


@needs_spark
def test_a_release_by_spark_has_the_same_bytes(tmp_path: Path) -> None:
    results = []
    for on in ([], ["--on", MASTER]):
        project = copy_project(tmp_path / f"project {len(on)}", PROJECTS[0])
        done = invoke("release", "--project", project, "--date", "2030-01-31", "--no-site", *on)
        assert done.exit_code == 0, done.output
        results.append((done.output, files_of(project / "dist"), files_of(project / "releases")))
    local, spark = results
    assert spark == local
    assert any(name.endswith("release.json") for name in local[2])


def test_a_build_without_java_says_so_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    project = copy_project(tmp_path / "project", PROJECTS[0])
    with pytest.raises(InvalidDeclaration) as caught:
        build(Project.open(project), engines=Engines(on=MASTER))
    assert [finding.code for finding in caught.value.findings] == ["LP613"]
    assert not (project / "dist").exists()
