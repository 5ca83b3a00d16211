"""Commands for editors: `lodpipe rename` changes a key everywhere and no other byte, `lodpipe new`
writes a record as its file has those before it.

Cases are in tests/editing/; each is a small publication.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe import InvalidData, Project, checked
from lodpipe.commands.cli import main
from lodpipe.diagnostics.finding import SourceError
from lodpipe.documents.key_order import KeyOrder
from lodpipe.documents.yaml_style import styled_yaml
from lodpipe.releases.ledger import PATCH, RECORD
from lodpipe.runtime import machine
from lodpipe.workflow import formatting, repairs
from lodpipe.workflow.formatting import formatted_files, unformatted_files
from lodpipe.workflow.record_rows import opened_records
from lodpipe.workflow.renaming import renaming_of
from support import ROOT, TESTS, copy_project, invoke

PUBLICATION = """\
name: clubs
base: https://clubs.example/
title: {en: Clubs}
description: {en: Clubs and towns}
languages: [en]
graph: terms
release: {version: 0.1.0, date: '2026-01-01'}
licence: https://creativecommons.org/publicdomain/zero/1.0/
attribution: Clubs
publisher: {name: {en: Clubs}, url: https://clubs.example/}
contact: {name: Clubs, email: office@clubs.example}
"""
MAPPING = """\
mappings:
  club: {sources: [clubs~table], s: club/$(id), po: [[a, schema:Club]]}
"""
TERMS = "@prefix schema: <https://schema.org/> .\n"


def cases(name: str) -> list[Any]:
    several = yaml.safe_load((TESTS / "editing" / name).read_text("utf-8"))
    print(f"{len(several)} cases")
    return [pytest.param(case, id=case["case"]) for case in several]


def project_of(root: Path, files: dict[str, str]) -> Path:
    """A publication with these files."""
    (root / "ontology").mkdir(parents=True)
    (root / "ontology/terms.ttl").write_text(TERMS, "utf-8")
    (root / "publication.yaml").write_text(PUBLICATION, "utf-8")
    for name, text in {"source/mapping.yaml": MAPPING, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    return root


def contents(root: Path) -> dict[str, str]:
    """The text of every file, with its line ends."""
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes().decode() for path in paths}


def expected_contents(before: dict[str, str], after: dict[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in {**before, **after}.items() if text is not None}


@pytest.mark.parametrize("case", cases("rename.yaml"))
def test_a_key_is_renamed_everywhere(case: dict[str, Any], tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", case["files"])
    before = contents(root)
    dry = invoke("rename", *case["rename"], "--project", root, "--diff")
    assert contents(root) == before
    result = invoke("rename", *case["rename"], "--project", root)
    if "error" in case:
        assert (dry.exit_code, result.exit_code) == (1, 1)
        assert case["error"] in result.stderr
        assert contents(root) == before
        return
    assert (dry.exit_code, result.exit_code) == (1, 0)
    assert contents(root) == expected_contents(before, case["after"])
    assert result.stdout == dry.stdout
    assert re.findall(r"^  (\S+:\d+: .*)$", result.stderr, re.M) == case.get("mentions", [])


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@pytest.mark.parametrize(
    "name", ["the file of one record gets its name", "cells of CSV, with the quotes that they have"]
)
def test_the_diff_is_a_patch(name: str, tmp_path: Path) -> None:
    """`git apply` makes of the diff what the command itself writes."""
    several = {case.values[0]["case"]: case.values[0] for case in cases("rename.yaml")}
    case = several[name]
    root = project_of(tmp_path / "p", case["files"])
    before = contents(root)
    patch = invoke("rename", *case["rename"], "--project", root, "--diff").stdout_bytes
    subprocess.run(["git", "apply", "-"], cwd=root, input=patch, check=True)
    assert contents(root) == expected_contents(before, case["after"])


def test_the_graph_is_the_same_but_for_the_key(tmp_path: Path) -> None:
    """Renaming in the records equals renaming in the statements; no finding is new."""
    root = copy_project(tmp_path / "p", TESTS / "projects/libraries")
    with checked(Project.open(root)) as outcome:
        before = {tuple(quad) for quad in outcome.statements.quads()}
        findings = {finding.code for finding in outcome.findings}
    result = invoke("rename", "kleider", "clothes", "--project", root)
    assert "works/kleider is now works/clothes: 2 reference(s), 2 file(s)\n" in result.stderr
    with checked(Project.open(root)) as outcome:
        after = {tuple(quad) for quad in outcome.statements.quads()}
        assert {finding.code for finding in outcome.findings} == findings
    key = "<https://libraries.example/work/{}>"
    old, new = key.format("kleider"), key.format("clothes")
    assert after == {tuple(new if term == old else term for term in quad) for quad in before}
    assert after != before


def test_a_parquet_file_is_not_changed(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "p", TESTS / "projects/libraries")
    result = invoke("rename", "central", "main", "--project", root, "--lang", "de")
    assert result.exit_code == 1
    assert "source/visits.parquet:1: Fehler LP725" in result.stderr
    assert "id: central" in (root / "source/libraries.yaml").read_text("utf-8")


def test_all_files_are_written_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "source/records.yaml": "labels: {files: labels/*.yml, fields: {id: {type: slug, required: true}, like: {ref: labels}}}\n",
        "source/labels/a.yml": "id: a\n",
        "source/labels/b.yml": "id: b\nlike: a\n",
    }
    root = project_of(tmp_path / "p", files)
    project = Project.open(root)
    renaming = renaming_of(project, "a", "z")
    before = contents(root)
    write, written = repairs._write, []

    def fail_at_the_second(path: Path, content: bytes) -> None:
        written.append(path.name)
        if len(written) == 2:
            raise SourceError([machine.unwritable(path.name, OSError(28, "No space left"))])
        write(path, content)

    monkeypatch.setattr(repairs, "_write", fail_at_the_second)
    with pytest.raises(SourceError):
        repairs.write_repairs(project, list(renaming.files))
    assert written[:2] == ["z.yml", "b.yml"]
    assert contents(root) == before


# -- withdrawals -----------------------------------------------------------------------------------

CLUBS = {
    "source/records.yaml": """\
clubs: {files: clubs.yaml, fields: {id: {type: slug, required: true}, members: {list: {fields: {id: {type: slug, required: true}}}}}}
""",
    "source/clubs.yaml": "- id: chess\n  members: [{id: ann}]\n- id: go\n",
    "source/mapping.yaml": """\
sources:
  members: {query: "SELECT m.*, c.id AS club FROM clubs_members AS m JOIN clubs AS c ON c._record = m._parent"}
mappings:
  club: {sources: [clubs~table], s: club/$(id), po: [[a, schema:Organization]]}
  member: {sources: members, s: membership/$(club)/$(id), po: [[a, schema:Role]]}
""",
}
RELEASED = """\
<https://clubs.example/club/chess> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Organization> .
<https://clubs.example/club/chess> <http://www.w3.org/2000/01/rdf-schema#label> "Chess Club"@en .
<https://clubs.example/membership/chess/ann> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Role> .
<https://clubs.example/other/chess> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Role> .
"""


def released_project(root: Path, *, dump: bool = True) -> Path:
    """A publication with a closed release."""
    project_of(root, CLUBS)
    folder = root / "releases/0.1.0"
    folder.mkdir(parents=True)
    release = {
        "version": "0.1.0", "date": "2026-01-01", "folder": "2026-01-01", "previous": None, "sha256": "0" * 64,
        "counts": {"statements": 4, "resources": 3, "records": {"clubs": 2}},
    }  # fmt: skip
    (folder / RECORD).write_text(json.dumps(release), "utf-8")
    (folder / PATCH).write_text("", "utf-8")
    if dump:
        (root / "dist").mkdir()
        (root / "dist/clubs.nq").write_text(RELEASED, "utf-8")
    return root


def test_published_iris_are_proposed_for_withdrawal(tmp_path: Path) -> None:
    root = released_project(tmp_path / "p")
    result = invoke("rename", "chess", "xiangqi", "--project", root, "--diff")
    assert re.findall(r"lodpipe withdraw (.*)", result.stderr) == [
        "club/chess --replaced-by club/xiangqi --reason en=Renamed.",
        "membership/chess/ann --replaced-by membership/xiangqi/ann --reason en=Renamed.",
    ]


def test_published_iris_are_withdrawn(tmp_path: Path) -> None:
    """A second new name, before another release, changes the successors that nothing published."""
    root = released_project(tmp_path / "p")
    file = root / "source/withdrawn.yaml"
    for old, new in (("chess", "xiangqi"), ("xiangqi", "shogi")):
        result = invoke("rename", old, new, "--project", root, "--withdraw")
        assert result.exit_code == 0, result.output
        assert yaml.safe_load(file.read_text("utf-8")) == [
            {
                "id": "club/chess", "replaced_by": f"club/{new}", "date": "2026-01-01",
                "label": {"en": "Chess Club"}, "reason": {"en": "Renamed."},
            },
            {
                "id": "membership/chess/ann", "replaced_by": f"membership/{new}/ann",
                "date": "2026-01-01", "reason": {"en": "Renamed."},
            },
        ]  # fmt: skip


def test_data_of_a_release_that_are_not_at_hand_are_mentioned(tmp_path: Path) -> None:
    root = released_project(tmp_path / "p", dump=False)
    result = invoke("rename", "chess", "xiangqi", "--project", root)
    assert "lodpipe withdraw --vanished" in result.stderr


def test_a_record_that_does_not_exist_is_an_error_in_the_call_too(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", CLUBS)
    with pytest.raises(InvalidData):
        renaming_of(Project.open(root), "club/none", "x")


# -- new records -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("new.yaml"))
def test_a_record_is_written_where_it_belongs(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project_of(tmp_path / "p", case["files"])
    before = contents(root)
    arguments = ["new", case["table"], "--project", str(root)]
    for value in case.get("set", []):
        arguments += ["--set", value]
    monkeypatch.setattr("lodpipe.commands.new.is_terminal", lambda: "asked" in case)
    answers = "".join(f"{answer}\n" for answer in case.get("asked", []))
    result = CliRunner().invoke(main, arguments, input=answers)
    if "error" in case:
        assert result.exit_code == 1
        assert case["error"] in result.stderr
        assert contents(root) == before
        return
    assert result.exit_code == 0, result.output
    assert contents(root) == expected_contents(before, case["after"])
    for message in case.get("says", []):
        assert message in result.stderr
    with opened_records(Project.open(root)) as opened:
        assert len(opened.rows.rows(case["table"])) > 1


def test_an_unknown_table_is_suggested(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", CLUBS)
    result = invoke("new", "club", "--project", root)
    assert result.exit_code == 2
    assert "There is no table `club`; did you mean `clubs`?" in result.stderr


def test_the_diff_of_a_new_record_writes_nothing(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", CLUBS)
    before = contents(root)
    result = invoke("new", "clubs", "--set", "id=darts", "--project", root, "--diff")
    assert (result.exit_code, contents(root)) == (0, before)
    assert result.stdout.endswith("+- id: darts\n")


# -- order and style -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("format.yaml"))
def test_keys_go_in_order_and_values_stay(case: dict[str, Any], tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", case["files"])
    before, warning = contents(root), case.get("warning", "")
    checked_only = invoke("format", "--check", "--project", root)
    assert contents(root) == before
    assert checked_only.stdout.split() == sorted(case["after"])
    assert checked_only.exit_code == (1 if case["after"] else 0)
    result = invoke("format", "--project", root)
    assert warning in result.stderr
    assert result.exit_code == (1 if "error" in warning else 0), result.output
    assert contents(root) == expected_contents(before, case["after"])
    assert formatted_files(Project.open(root)).files == []


FORMATTED = {
    "source/records.yaml": "clubs: {files: 'clubs/*.yaml', fields: {id: {type: text}, name: {type: text}}}\n",
    "source/clubs/go.yaml": "name: Go\nid: go\n",
    "source/clubs/odd.yaml": "name: Odd\nid: odd\n",
}


def test_only_the_files_that_are_named_are_formatted(tmp_path: Path) -> None:
    root = project_of(tmp_path / "p", FORMATTED)
    named = [root / "source/clubs/go.yaml", root / "source/records.yaml"]
    result = invoke("format", *named, "--project", root, "--diff")
    assert result.exit_code == 1
    assert "+id: go\n name: Go\n-id: go\n" in result.stdout
    assert "odd.yaml" not in result.output


def test_what_is_not_formatted_is_the_same_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formatting, "_FEW", 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LODPIPE_CACHE", raising=False)
    root = copy_project(tmp_path / "project", ROOT / "tests/projects/libraries")
    declared = root / "source/records.yaml"
    declared.write_text(
        declared.read_text("utf-8")
        + "\nclubs:\n  files: clubs/*.yaml\n  fields: {id: {type: slug, required: true, key: true}, name: {type: text}}\n",
        "utf-8",
    )
    (root / "source/clubs").mkdir()

    def write(number: int, text: str) -> None:
        (root / f"source/clubs/{number}.yaml").write_text(text, "utf-8")

    for number in range(6):
        write(number, f"id: c{number}\nname: A club\n")
    write(1, "name:  Chess\nid: c1\n")
    write(2, "id: [c2\n")
    for change in ((), (3, "name: Bridge\nid: c3\n"), (1, "id: c1\nname: Chess\n")):
        if change:
            write(*change)
        expected = formatted_files(Project.open(root))
        for _ in range(2):
            state = unformatted_files(Project.open(root))
            assert state.names == [file.name for file in expected.files]
            assert (state.count, state.findings) == (expected.count, expected.findings)
    assert [finding.code for finding in state.findings] == ["LP102"]
    assert len(list((tmp_path / "cache/lodpipe").iterdir())) == 1


def test_the_flagship_is_formatted() -> None:
    assert formatted_files(Project.open(ROOT)).files == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.recursive(
    st.sampled_from(["a", "'b # c'", "|\n      # text\n\n      more", "{y: 1,x: [2 ]}", "", "'t\n      u'", '"\\u00e9"']),
    lambda inner: st.lists(st.tuples(st.sampled_from("zyxw"), inner, st.booleans()), min_size=1, max_size=4, unique_by=lambda x: x[0]),
    max_leaves=12,
))  # fmt: skip
def test_whatever_is_formatted_means_the_same(tree: Any) -> None:
    text = written(tree if isinstance(tree, list) else [("x", tree, True)], 0)
    order = KeyOrder({key: KeyOrder() for key in "wxyz"})
    order.rest = order
    after = styled_yaml(text, order)
    assert yaml.safe_load(after) == yaml.safe_load(text)
    assert styled_yaml(after, order) == after
    assert comments_of(after) == comments_of(text)


def comments_of(text: str) -> list[str]:
    return sorted(re.findall(r"#\w+$", text, re.M))


def written(entries: list[Any], depth: int) -> str:
    """Keys with comments, some of them in lists."""
    indent, lines = "    " * depth, ""
    for number, (key, value, commented) in enumerate(entries):
        lines += f"{indent}#{key}{depth}{number}\n\n" if commented else ""
        if isinstance(value, list):
            head = f"{key}:\n" if commented else f"{key}: #{key}\n"
            lines += indent + head + written(value, depth + 1)
        else:
            lines += f"{indent}{key}:  {value}\n".replace("\n  ", f"\n{indent}  ")
    return lines
