"""`lodpipe init`: folders of data as others have them, each with the graph that its publication
holds without an edit (tests/init/*/expected.nt).

Write a new case: a folder with README.md and data/ (and arguments.txt, further options), then `python tests/test_init.py` and read what
it wrote.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from lodpipe.workflow.declarations import other_records
from support import ROOT, TESTS, invoke

PAGE = ROOT / "docs/init.md"
BLOCK = re.compile(r"<!-- (data|written): (\S+) -->\n```\w+\n(.*?)```", re.S)
CASES = sorted(path for path in (TESTS / "init").iterdir() if path.is_dir())
TODAY = ("--yes", "--name", "proposed", "--base", "https://example.org/p/")


def built(case: Path, root: Path) -> list[str]:
    """The statements of the publication that is proposed for a case, without those of its terms."""
    shutil.copytree(case / "data", root / "data")
    project = root / "publication"
    project.mkdir()
    arguments = case / "arguments.txt"
    more = arguments.read_text("utf-8").split() if arguments.exists() else []
    result = invoke("init", root / "data", "--project", project, *TODAY, *more)
    assert result.exit_code == 0, result.output
    for command in (("query", "--update"), ("build",)):
        result = invoke(*command, "--project", project)
        assert result.exit_code == 0, result.output
    lines = (project / "dist/proposed.nt").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("<https://example.org/p/def/")]


def test_there_are_cases_with_data_and_a_graph() -> None:
    print(f"{len(CASES)} folders of data")
    assert len(CASES) > 5
    for case in CASES:
        names = {path.name for path in case.iterdir()} - {"arguments.txt"}
        assert names == {"README.md", "data", "expected.nt"}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_proposal_builds_and_holds_the_data(case: Path, tmp_path: Path) -> None:
    expected = (case / "expected.nt").read_text("utf-8").splitlines()
    assert built(case, tmp_path) == expected
    assert len(expected) > 10


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_data_that_are_in_the_source_folder_need_no_edit_either(case: Path, tmp_path: Path) -> None:
    """Files that no table reads, or that are written again, are listed as such."""
    shutil.copytree(case / "data", tmp_path / "source")
    arguments = case / "arguments.txt"
    more = arguments.read_text("utf-8").split() if arguments.exists() else []
    for command in (("init", *TODAY, *more), ("query", "--update"), ("check",)):
        result = invoke(*command, "--project", tmp_path)
        assert result.exit_code == 0, result.output


def test_data_beside_publication_yaml_build_again_and_again(tmp_path: Path) -> None:
    """The folder of the records has dist/ in it as well, and the log of the build."""
    lines = ("id,name", *(f"town-{number},Town {number}" for number in range(12)))
    (tmp_path / "towns.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "lakes.json").write_text('[{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]')
    for command in (("init", *TODAY), ("query", "--update"), ("build",), ("build",)):
        result = invoke(*command, "--project", tmp_path)
        (tmp_path / "build.log").write_text(result.stderr)
        assert result.exit_code == 0, result.output
    assert "root: .\n" in (tmp_path / "source/records.yaml").read_text("utf-8")
    listed = [name for names in other_records(tmp_path) for name in names()]
    assert listed == ["lakes.json", "towns.csv"]


def page_of(root: Path) -> str:
    """docs/init.md with the files that its data give."""
    text = PAGE.read_text("utf-8")
    (root / "source").mkdir()
    for kind, name, content in BLOCK.findall(text):
        if kind == "data":
            (root / name).write_text(content, "utf-8")
    result = invoke("init", "--project", root, "--yes", "--name", "libraries")
    assert result.exit_code == 0, result.output

    def written(block: re.Match[str]) -> str:
        if block[1] == "data":
            return block[0]
        content = (root / block[2]).read_text("utf-8")
        return f"<!-- written: {block[2]} -->\n```yaml\n{content}```"

    return BLOCK.sub(written, text)


def test_the_page_shows_what_is_written(tmp_path: Path) -> None:
    assert page_of(tmp_path) == PAGE.read_text("utf-8")
    assert PAGE.read_text("utf-8").count("<!-- written") == 2


def test_each_declared_field_says_why(tmp_path: Path) -> None:
    built(TESTS / "init/rows-and-lists", tmp_path)
    lines = (tmp_path / "publication/source/records.yaml").read_text("utf-8").splitlines()
    fields = [line for line in lines if line.startswith("    ")]
    assert len(fields) == 12
    assert [line for line in fields if "  # " not in line] == []


@pytest.mark.parametrize("template", ["datasets", "organisations", "people"])
def test_a_template_builds_without_an_edit(template: str, tmp_path: Path) -> None:
    project = tmp_path / template
    result = invoke("init", "--template", template, "--project", project, *TODAY)
    assert result.exit_code == 0, result.output
    for command in (("query", "--update"), ("build",)):
        result = invoke(*command, "--project", project)
        assert result.exit_code == 0, result.output
    assert "0 errors, 4 warnings" in result.stderr  # publisher, contact, licence and day are open


@pytest.mark.parametrize(
    ("address", "wanted", "files"),
    [
        ("https://github.com/a/b.git", "", [".github/workflows/check.yml"]),
        ("git@gitlab.example:a/b.git", "", [".gitlab-ci.yml"]),
        ("https://gitlab.opencode.de/a/b.git", "github", [".github/workflows/check.yml"]),
        ("", "both", [".github/workflows/check.yml", ".gitlab-ci.yml"]),
        ("", "none", []),
    ],
)
def test_changes_are_checked_where_the_repository_is(
    address: str, wanted: str, files: list[str], tmp_path: Path
) -> None:
    shutil.copytree(TESTS / "init/other-rows/data", tmp_path / "source")
    if address:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git/config").write_text(f'[remote "origin"]\n\turl = {address}\n', "utf-8")
    result = invoke("init", "--project", tmp_path, *TODAY, *(["--ci", wanted] if wanted else []))
    assert result.exit_code == 0, result.output
    written = [name for name in files if (tmp_path / name).is_file()]
    assert written == files
    assert (".gitlab-ci.yml" in files) == (tmp_path / ".gitlab-ci.yml").exists()


def test_no_file_is_written_over_another(tmp_path: Path) -> None:
    shutil.copytree(TESTS / "init/rows-and-lists/data", tmp_path / "source")
    (tmp_path / "ontology").mkdir()
    (tmp_path / "ontology/terms.ttl").write_text("# mine\n", "utf-8")
    result = invoke("init", "--project", tmp_path, *TODAY)
    assert result.exit_code == 2
    assert "ontology/terms.ttl: error LP721" in result.stderr
    assert (tmp_path / "ontology/terms.ttl").read_text("utf-8") == "# mine\n"
    assert not (tmp_path / "publication.yaml").exists()


def test_files_are_left_out_and_their_table_is_named_by_its_number(tmp_path: Path) -> None:
    """A record that others keep twice: without one of its files, the `id` names the records."""
    shutil.copytree(TESTS / "init/one-file-each/data", tmp_path / "data")
    files = sorted((tmp_path / "data").rglob("*.json")) or sorted(
        (tmp_path / "data").rglob("*.y*ml")
    )
    double = files[0].with_name(f"double-{files[0].name}")
    shutil.copy(files[0], double)
    result = invoke(
        "init", tmp_path / "data", "--project", tmp_path, "--except", "**/double-*", *TODAY
    )
    assert result.exit_code == 0, result.output
    assert "except: ['**/double-*']" in (tmp_path / "source/records.yaml").read_text("utf-8")
    result = invoke("check", "--project", tmp_path)
    assert result.exit_code == 0, result.output
    result = invoke("init", tmp_path / "data", "--project", tmp_path, "--except", "{a b}", *TODAY)
    assert result.exit_code == 2
    assert "is no name" in result.output


def test_concepts_have_the_values_of_the_files_as_labels(tmp_path: Path) -> None:
    result = invoke("init", TESTS / "init/rules/data", "--project", tmp_path, *TODAY)
    assert result.exit_code == 0, result.output
    terms = (tmp_path / "ontology/terms.ttl").read_text("utf-8")
    labels = re.findall(r'skos:inScheme <def/budget-kind> ; skos:prefLabel ("[^"]+"@en)', terms)
    assert labels == ['"M/F"@en', '"North America"@en', '"OK Lab"@en']
    declared = (tmp_path / "publication.yaml").read_text("utf-8")
    assert re.search(
        r"facets: .*\n    - \{name: kind, label: \{en: Kind\}, paths: \['\S+'\]\}", declared
    )


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no data", "utf-8")
    (tmp_path / "package.json").write_text('{"name": "x"}', "utf-8")
    result = invoke("init", tmp_path, "--project", tmp_path, *TODAY)
    assert result.exit_code == 2
    assert "error LP720" in result.stderr


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_used(tmp_path: Path) -> None:
    shutil.copytree(TESTS / "init/rows-and-lists/data", tmp_path / "source")
    (tmp_path / "source/broken.yaml").write_text("a: [1\n", "utf-8")
    result = invoke("init", "--project", tmp_path, *TODAY)
    assert result.exit_code == 0, result.output
    assert "broken.yaml:2: error LP102" in result.stderr
    assert "libraries: a list of 2" in result.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        PAGE.write_text(page_of(Path(scratch)), "utf-8")
    for folder in [path for path in CASES if not sys.argv[1:] or path.name in sys.argv[1:]]:
        with tempfile.TemporaryDirectory() as scratch:
            text = "".join(f"{line}\n" for line in built(folder, Path(scratch)))
        (folder / "expected.nt").write_text(text, "utf-8")
        print(f"{folder.name}: {text.count(chr(10))} statements")
