"""The publications of docs/examples/ build: over small cuts of fictional records that have the form
and the mistakes of the real ones (tests/examples/NAME/), and over the first rows of the real data
where they are.

After a change of the declarations: `python tests/test_examples.py` writes the expected figures and
answers again; read what has changed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml

from support import ROOT, TESTS, findings_in, invoke

EXAMPLES = ROOT / "docs/examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if (path / "publication.yaml").is_file())
PARTS = ("publication.yaml", "source", "ontology", "shapes", "queries")
ROR = Path(os.environ.get("LODPIPE_DATA", ROOT.parent / "shared/data")) / "scale/ror_all_51k.csv"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
SAMPLE = 300  # rows


def declared(name: str, root: Path) -> Path:
    """The declarations of an example, without what a user may have built or fetched there."""
    for part in PARTS:
        source, target = EXAMPLES / name / part, root / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("results"))
        else:
            shutil.copy(source, target)
    return root


def figures(name: str, root: Path) -> dict[str, object]:
    """Builds an example over its cut: what came out, and what was reported."""
    shutil.copytree(TESTS / "examples" / name / "data", declared(name, root) / "data")
    assert invoke("query", "--update", "--project", root).exit_code == 0
    result = invoke("build", "--project", root)
    assert result.exit_code == 0, result.output
    graph = next((root / "dist").glob("*-example.nq"))
    classes = Counter(str(quad.object).strip("<>") for quad in statements(graph))
    site = root / "dist/site"
    pages = Counter(path.relative_to(site).parts[0] for path in site.glob("*/**/*.html"))
    return {
        "records": json.loads((root / "dist/counts.json").read_text("utf-8")),
        "classes": dict(sorted(classes.items())),
        "pages": dict(sorted(pages.items())),
        "findings": [
            f"{finding.code} {re.sub('0000+', '…', Path(finding.file).name)}:{finding.line}"
            for finding in findings_in(result.output)
        ],
    }


def statements(graph: Path) -> list[ox.Quad]:
    return [quad for quad in ox.parse(path=graph) if quad.predicate == TYPE]


def answers(root: Path) -> dict[str, str]:
    return {
        path.name: path.read_text("utf-8") for path in sorted((root / "queries/results").iterdir())
    }


def test_there_are_two_examples_with_a_cut_each() -> None:
    assert len(NAMES) >= 2
    assert sorted(path.name for path in (TESTS / "examples").iterdir()) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_cut_has_the_expected_figures_and_answers(name: str, tmp_path: Path) -> None:
    expected = TESTS / "examples" / name
    assert figures(name, tmp_path) == yaml.safe_load((expected / "figures.yaml").read_text("utf-8"))
    assert answers(tmp_path) == {
        path.name: path.read_text("utf-8") for path in sorted((expected / "results").iterdir())
    }


@pytest.mark.slow
@pytest.mark.skipif(not ROR.is_file(), reason=f"{ROR} is not there: LODPIPE_DATA names its folder")
def test_the_first_rows_of_ror_build(tmp_path: Path) -> None:
    project = declared("research-organisations", tmp_path)
    (project / "data").mkdir()
    with ROR.open(encoding="utf-8") as rows:
        text = "".join(line for line, _ in zip(rows, range(SAMPLE + 1), strict=False))
    (project / "data/ror.csv").write_text(text, "utf-8")
    assert invoke("query", "--update", "--project", project).exit_code == 0
    result = invoke("build", "--no-site", "--all", "--project", project)
    assert result.exit_code == 0, result.output
    counts = json.loads((project / "dist/counts.json").read_text("utf-8"))
    assert counts == {"organisations": SAMPLE}
    codes = Counter(finding.code for finding in findings_in(result.output))
    # Parents that are not among these rows, a note, and aliases that end in a semicolon.
    assert codes == {"LP401": 109, "LP208": 1, "LP245": 1}
    assert answers(project)["organisations-by-type.csv"].startswith("type,count\neducation,76\n")


def script(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """docs/examples/build.sh, copied so that its links and results are not in the repository."""
    shutil.copy(EXAMPLES / "build.sh", root)
    environment = {"PATH": os.environ["PATH"], "LODPIPE": "echo lodpipe", **variables}
    return subprocess.run(
        [root / "build.sh", *arguments],
        env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def rules_of_make() -> dict[str, list[str]]:
    """The arguments with which the Makefile calls the script."""
    text = (ROOT / "Makefile").read_text("utf-8")
    calls = re.findall(r"docs/examples/build.sh (.*)", text)
    return {arguments[0]: arguments for arguments in map(shlex.split, calls)}


def test_make_builds_every_example() -> None:
    assert sorted(rules_of_make()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_data_that_are_missing_are_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    done = script(tmp_path, *rules_of_make()[name])
    variable = rules_of_make()[name][1]
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert f"docs/examples/{name} is not built" in done.stdout and f"{variable}=PATH" in done.stdout


def test_data_at_hand_are_linked_and_built(tmp_path: Path) -> None:
    (tmp_path / "legislators").mkdir()
    clone = tmp_path / "people"
    shutil.copytree(TESTS / "examples/legislators/data", clone / "data")
    given = {"PEOPLE": str(clone)}
    done = script(tmp_path, *rules_of_make()["legislators"], **given)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "legislators/data").resolve() == clone / "data"
    commands = done.stdout.splitlines()[1:]
    assert [line.split(" --project")[0] for line in commands] == [
        "lodpipe query --update",
        "lodpipe build --no-site --statistics",
    ]
    paged = script(tmp_path, *rules_of_make()["legislators"], PAGES="yes")  # by the link
    assert "lodpipe build --statistics --project" in paged.stdout


def test_a_folder_of_data_is_not_replaced_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "research-organisations/data").mkdir(parents=True)
    table = TESTS / "examples/research-organisations/data/ror.csv"
    done = script(tmp_path, *rules_of_make()["research-organisations"], ROR=str(table))
    assert done.returncode == 1 and "leave out ROR" in done.stdout


def test_the_table_of_ror_is_made_of_its_dump() -> None:
    folder = TESTS / "examples/research-organisations"
    program = EXAMPLES / "research-organisations/from_dump.py"
    done = subprocess.run(
        [sys.executable, program, folder / "dump.json"],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout == (folder / "dump.csv").read_text("utf-8")
    read = (folder / "data/ror.csv").read_text("utf-8").splitlines()
    assert done.stdout.splitlines()[0] == read[0]


if __name__ == "__main__":
    for example in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            came_out = figures(example, Path(folder))
            target = TESTS / "examples" / example
            (target / "figures.yaml").write_text(
                yaml.safe_dump(came_out, sort_keys=False, allow_unicode=True, width=140), "utf-8"
            )
            (target / "results").mkdir(exist_ok=True)
            for file, text in answers(Path(folder)).items():
                (target / "results" / file).write_text(text, "utf-8")
            sys.stdout.write(f"{example}: written\n")
