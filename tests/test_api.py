"""What others build upon: the Python calls, the commands, their exit codes, and what they may not
load or print.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lodpipe.commands.cli import COMMANDS, main
from lodpipe.commands.options import RENAMED
from lodpipe.config import publication
from support import ROOT, copy_project, findings_in, invoke, run_process


def python(code: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small project, which was never built: a check warns of that."""
    return copy_project(tmp_path / "libraries", ROOT / "tests" / "projects" / "libraries")


# -- Python ----------------------------------------------------------------------------------------


def test_a_program_builds_a_project_and_gets_its_graph(small: Path) -> None:
    code = """
from lodpipe import Project, build, checked
warnings = build(Project.open("."))
assert {str(one.severity) for one in warnings} <= {"warning", "info"}
import rdflib
with checked(Project.open(".")) as outcome:
    graph = outcome.graph()
assert isinstance(graph, rdflib.Graph)
lines = open("dist/libraries.nt", encoding="utf-8").readlines()
assert len(graph) == len(lines), (len(graph), len(lines))
print("good")
"""
    done = python(code, small)
    assert done.stdout == "good\n", done.stderr


def test_build_is_a_function_however_often_it_is_imported(tmp_path: Path) -> None:
    code = "import lodpipe.workflow.pipeline\nfrom lodpipe import build\nfrom lodpipe import build as again\nprint(callable(build), build is again)"
    assert python(code, tmp_path).stdout == "True True\n"


def test_what_is_wrong_comes_with_the_error(copy_of_project: Path) -> None:
    from lodpipe import InvalidData, Project, checked

    path = copy_of_project / "source" / "labs" / "brandis.yaml"
    path.write_text(path.read_text("utf-8").replace("programme: rogl", "programme: rokl"), "utf-8")
    with pytest.raises(InvalidData) as caught, checked(Project.open(copy_of_project)):
        pass
    first = next(finding for finding in caught.value.findings if finding.code == "LP206")
    assert (str(first.where), first.params["value"]) == ("source/labs/brandis.yaml:6", "rokl")


def test_everything_that_the_package_names_is_there(tmp_path: Path) -> None:
    done = python(
        "import lodpipe\nprint([name for name in lodpipe.__all__ if getattr(lodpipe, name) is None])\nfrom lodpipe import *",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


# -- commands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_line_of_its_own_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.name == name
    first_paragraph = (command.help or "").split("\n\n")[0]
    assert " ".join(first_paragraph.split()) == COMMANDS[name].summary
    assert COMMANDS[name].summary in " ".join(invoke("--help").stdout.split())


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_option_of_an_earlier_version_is_answered_with_its_name_of_today(
    old: str, new: str
) -> None:
    options = {name: option_names(name) for name in COMMANDS}
    assert any(new in names for names in options.values()) and not any(
        old in names for names in options.values()
    )
    result = invoke("build", old, "1")
    assert (result.exit_code, f"{old} is now called {new}" in result.stderr) == (2, True)


def option_names(name: str) -> set[str]:
    command = main.get_command(click.Context(main), name)
    return (
        {option for parameter in command.params for option in parameter.opts} if command else set()
    )


def test_keys_of_an_earlier_version_are_reported_with_their_names_of_today_at_their_lines(
    copy_of_project: Path,
) -> None:
    path = copy_of_project / "publication.yaml"
    text = path.read_text("utf-8")
    for old, new in publication.RENAMED.items():
        text = text.replace(f"\n{new}:", f"\n{old}:")
    text += "shacl: columns\nshacl_allow: []\nbad_values: never\n"
    path.write_text(
        text.replace("\n    keys: [wikidata", "\n    apart: [[a, b]]\n    keys: [wikidata"), "utf-8"
    )
    result = invoke("check", "--project", copy_of_project, "--lang", "en")
    lines = dict(enumerate(path.read_text("utf-8").splitlines(), 1))
    renamed = {
        (lines[finding.line].split(":")[0].strip(), finding.what)
        for finding in findings_in(result.stderr)
        if finding.code == "LP612"
    }
    expected = publication.RENAMED | publication.RENAMED_IN_DUPLICATES
    assert renamed == {(old, f"`{old}` is now called `{new}`") for old, new in expected.items()}
    assert [
        lines[finding.line] for finding in findings_in(result.stderr) if finding.code == "LP601"
    ] == ["bad_values: never"]
    assert result.exit_code == 2


def test_the_installed_command_works() -> None:
    program = Path(sys.executable).with_name("lodpipe")
    if not program.is_file():
        pytest.skip("lodpipe is not installed beside this Python")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "lodpipe"), done.stderr


def test_help_loads_no_engine_and_no_command(tmp_path: Path) -> None:
    code = """
import sys
from lodpipe.commands.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
from lodpipe.commands.cli import COMMANDS
unwanted = ["duckdb", "rdflib", "pyshacl", "pyoxigraph", "yaml", "jsonschema_rs", *(f"lodpipe.commands.{one.module}" for one in COMMANDS.values())]
print([name for name in unwanted if name in sys.modules])
"""
    assert python(code, tmp_path).stdout.splitlines()[-1] == "[]"


def test_check_loads_no_package_that_it_does_not_need(built: Path) -> None:
    code = """
import sys
from lodpipe.commands.cli import main
try:
    main(["check", "--lang", "en"])
except SystemExit as end:
    assert not end.code, end.code
unwanted = "rdflib", "pyshacl", "SPARQLWrapper", "psycopg", "starlette", "uvicorn", "duckdb"  # of DuckDB, _duckdb is enough
print([name for name in unwanted if name in sys.modules])
"""
    done = python(code, built)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_the_schema_of_publication_yaml_is_printed_and_accepts_it(root: Path) -> None:
    import jsonschema_rs

    from lodpipe.documents.readers import read_tree
    from lodpipe.documents.tree import value_of
    from lodpipe.rdf.file_formats import DUMPS

    schema = json.loads(invoke("schema", "publication").stdout)
    assert schema["properties"]["dumps"]["items"]["enum"] == list(DUMPS)
    tree = read_tree(root / "publication.yaml", "publication.yaml")
    assert tree is not None
    assert jsonschema_rs.is_valid(schema, value_of(tree))
    assert not jsonschema_rs.is_valid(schema, {"nmae": "rogl"})


def test_check_of_a_fresh_build_finds_nothing_but_what_is_not_decided_yet(built: Path) -> None:
    result = invoke("check", "--project", built, "--lang", "en")
    assert result.exit_code == 0
    assert {(finding.severity, finding.code) for finding in findings_in(result.stderr)} == {
        ("warning", "LP506"),
        ("warning", "LP539"),
    }


def test_explain_prints_a_code_in_both_languages() -> None:
    assert "Correct the reference" in invoke("explain", "LP206", "--lang", "en").stdout
    assert "Den Verweis berichtigen" in invoke("explain", "lp206", "--lang", "de").stdout


def test_explain_shows_where_a_resource_comes_from(built: Path) -> None:
    result = invoke("explain", "lab/brandis", "--project", built)
    assert result.exit_code == 0
    assert "source/labs/brandis.yaml:7" in result.stdout  # the name is on that line
    assert "source/mapping.yaml" not in result.stdout


def test_explain_knows_terms_of_the_ontology(built: Path) -> None:
    result = invoke("explain", "def/lead", "--project", built)
    assert (result.exit_code, "ontology/terms.ttl" in result.stdout) == (0, True)


# -- exit codes ------------------------------------------------------------------------------------


def test_exit_code_1_says_that_the_data_is_wrong(small: Path) -> None:
    path = small / "source" / "libraries.yaml"
    path.write_text(path.read_text("utf-8").replace("parent: central", "parent: centre"), "utf-8")
    assert run_process("check", "--project", small).returncode == 1
    assert not (small / "dist").exists()


@pytest.mark.parametrize(
    "call",
    [
        "build --project nowhere",
        "check",
        "explain lab/brandis",
        "bild",
        "build --enginge x",
        "build --lang fr",
    ],
)
def test_exit_code_2_says_that_the_call_is_wrong(call: str, tmp_path: Path) -> None:
    done = run_process(*call.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_exit_code_2_for_a_resource_without_statements(built: Path) -> None:
    result = invoke("explain", "lab/nowhere", "--project", built)
    assert (result.exit_code, "no statement has the subject" in result.stderr) == (2, True)


def test_exit_code_3_says_that_the_program_is_wrong(small: Path) -> None:
    code = f"""
import sys, lodpipe.checks.records
lodpipe.checks.records.record_findings = lambda *_: 1 / 0
sys.argv = ["lodpipe", "check", "--project", {str(small)!r}]
from lodpipe.commands.cli import run
run()
"""
    done = python(code, small)
    assert done.returncode == 3, f"exit code {done.returncode}"


# -- output ----------------------------------------------------------------------------------------


def test_a_pipe_gets_no_colours(small: Path) -> None:
    done = run_process("check", "--project", small)
    assert done.stderr
    assert "\033" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["terminal", "NO_COLOR"]
)
def test_a_terminal_gets_colours_unless_it_asks_for_none(
    setting: dict[str, str], coloured: bool, small: Path
) -> None:
    pty = pytest.importorskip("pty")
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lodpipe", "check", "--project", str(small)],
        stderr=other,
        stdout=other,
        env=os.environ | setting,
    )
    os.close(other)
    output = b""
    try:
        while data := os.read(terminal, 65536):
            output += data
    except OSError:  # Linux says so when the other end is closed
        pass
    assert process.wait() == 0
    assert (b"\033[" in output) is coloured


def test_verbose_prints_each_step_beside_the_output(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "libraries", ROOT / "tests" / "projects" / "libraries")
    result = invoke("build", "--project", project, "-v")
    assert [
        step
        for step in ("declarations", "records", "statements", "dumps")
        if step not in result.stderr
    ] == []
    assert result.stdout == "0 errors\n"
