"""What others build upon: the Python calls, the commands, their exit codes, and what they may not load or print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT, copy_project, invoke, run_process, told


def python(code: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)




# -- Python ------------------------------------------------------------------------------------------------------------


def test_a_program_builds_a_project_and_gets_its_graph(copy_of_project: Path) -> None:
    code = """
from lodpipe import Project, build, checked
warnings = build(Project.open("."))
assert {str(one.severity) for one in warnings} <= {"warning", "info"}
import rdflib
with checked(Project.open(".")) as outcome:
    graph = outcome.graph()
assert isinstance(graph, rdflib.Graph)
lines = open("dist/rogl.nt", encoding="utf-8").readlines()
assert len(graph) == len(lines), (len(graph), len(lines))
print("good")
"""
    done = python(code, copy_of_project)
    assert done.stdout == "good\n", done.stderr


def test_build_is_a_function_however_often_it_is_imported(tmp_path: Path) -> None:
    code = "import lodpipe.workflow.build\nfrom lodpipe import build\nfrom lodpipe import build as again\nprint(callable(build), build is again)"
    assert python(code, tmp_path).stdout == "True True\n"


def test_what_is_wrong_comes_with_the_error(copy_of_project: Path) -> None:
    from lodpipe import InvalidData, Project, checked

    path = copy_of_project / "source" / "labs" / "brandis.yaml"
    path.write_text(path.read_text("utf-8").replace("programme: rogl", "programme: rokl"), "utf-8")
    with pytest.raises(InvalidData) as caught, checked(Project.open(copy_of_project)):
        pass
    first = next(one for one in caught.value.findings if one.code == "LP206")
    assert (str(first.where), first.params["value"]) == ("source/labs/brandis.yaml:6", "rokl")


def test_everything_that_the_package_names_is_there(tmp_path: Path) -> None:
    done = python("import lodpipe\nprint([name for name in lodpipe.__all__ if getattr(lodpipe, name) is None])\nfrom lodpipe import *", tmp_path)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


# -- commands ----------------------------------------------------------------------------------------------------------


def test_every_command_is_explained() -> None:
    text = invoke("--help").stdout
    assert all(command in text for command in ("build", "check", "map", "explain"))
    for command in ("build", "check", "map", "explain"):
        assert invoke(command, "--help").stdout.count("\n") > 5


def test_the_installed_command_works() -> None:
    program = Path(sys.executable).with_name("lodpipe")
    if not program.is_file():
        pytest.skip("lodpipe is not installed beside this Python")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "lodpipe"), done.stderr


def test_help_loads_no_engine(tmp_path: Path) -> None:
    code = """
import sys
from lodpipe.commands.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print([name for name in ("duckdb", "rdflib", "pyshacl", "pyoxigraph", "yaml", "jsonschema_rs") if name in sys.modules])
"""
    assert python(code, tmp_path).stdout.splitlines()[-1] == "[]"


def test_check_of_a_fresh_build_finds_nothing_but_placeholders(built: Path) -> None:
    result = invoke("check", "--project", built, "--lang", "en")
    assert result.exit_code == 0
    assert {(one.severity, one.code) for one in told(result.stderr)} == {("warning", "LP506")}


def test_explain_tells_a_code_in_both_languages() -> None:
    assert "Correct the reference" in invoke("explain", "LP206", "--lang", "en").stdout
    assert "Den Verweis berichtigen" in invoke("explain", "lp206", "--lang", "de").stdout


def test_explain_shows_where_a_resource_comes_from(built: Path) -> None:
    result = invoke("explain", "lab/brandis", "--project", built)
    assert result.exit_code == 0
    assert "source/labs/brandis.yaml:7" in result.stdout  # the name stands there
    assert "source/mapping.yaml" not in result.stdout


def test_explain_knows_terms_of_the_ontology(built: Path) -> None:
    result = invoke("explain", "def/lead", "--project", built)
    assert (result.exit_code, "ontology/terms.ttl" in result.stdout) == (0, True)


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_exit_code_1_says_that_the_data_is_wrong(copy_of_project: Path) -> None:
    path = copy_of_project / "source" / "labs" / "brandis.yaml"
    path.write_text(path.read_text("utf-8").replace("programme: rogl", "programme: rokl"), "utf-8")
    assert run_process("check", "--project", copy_of_project).returncode == 1
    assert not (copy_of_project / "dist").exists()


@pytest.mark.parametrize(
    "call", ["build --project nowhere", "check", "explain lab/brandis", "bild", "build --enginge x", "build --lang fr"]
)
def test_exit_code_2_says_that_the_call_is_wrong(call: str, tmp_path: Path) -> None:
    done = run_process(*call.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_exit_code_2_for_a_resource_of_which_nothing_is_said(built: Path) -> None:
    result = invoke("explain", "lab/nowhere", "--project", built)
    assert (result.exit_code, "nothing is said of" in result.stderr) == (2, True)


def test_exit_code_3_says_that_the_program_is_wrong(copy_of_project: Path) -> None:
    code = f"""
import sys, lodpipe.checks.records
lodpipe.checks.records.record_findings = lambda *_: 1 / 0
sys.argv = ["lodpipe", "check", "--project", {str(copy_of_project)!r}]
from lodpipe.commands.cli import run
run()
"""
    done = python(code, copy_of_project)
    assert done.returncode == 3, f"exit code {done.returncode}"


# -- output ------------------------------------------------------------------------------------------------------------


def test_a_pipe_gets_no_colours(copy_of_project: Path) -> None:
    done = run_process("check", "--project", copy_of_project)
    assert done.stderr
    assert "\033" not in done.stdout + done.stderr


@pytest.mark.parametrize(("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["terminal", "NO_COLOR"])
def test_a_terminal_gets_colours_unless_it_asks_for_none(setting: dict[str, str], coloured: bool, copy_of_project: Path) -> None:
    pty = pytest.importorskip("pty")
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lodpipe", "check", "--project", str(copy_of_project)], stderr=other, stdout=other, env=os.environ | setting
    )
    os.close(other)
    output = b""
    try:
        while data := os.read(main, 65536):
            output += data
    except OSError:  # Linux says so when the other end is closed
        pass
    assert process.wait() == 0
    assert (b"\033[" in output) is coloured


def test_verbose_tells_each_step_beside_the_output(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "libraries", ROOT / "tests" / "projects" / "libraries")
    result = invoke("build", "--project", project, "-v")
    assert [step for step in ("declarations", "records", "statements", "dumps") if step not in result.stderr] == []
    assert result.stdout == "0 errors\n"
