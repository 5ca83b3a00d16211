"""What a shapes graph or data hold that an engine would pass over is a finding at its line
(tests/shacl_terms), whatever the engine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lodpipe.diagnostics.rules import render
from lodpipe.shacl.supported import UNSUPPORTED, allowable
from lodpipe.workflow.validation_run import ValidationOptions, read_files
from support import ROOT, TESTS, invoke

CASES = sorted((TESTS / "shacl_terms").glob("*.ttl"))
EXPECT = re.compile(r"^# expect: (LP\d+) line (\d+) (.*)$", re.M)
DATA = "@prefix ex: <http://example.org/> .\nex:a a ex:A .\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data.ttl").write_text(DATA, "utf-8")
    return tmp_path / "data.ttl"


@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_shapes_graph_gives_exactly_the_findings_that_it_names(
    case: Path, engine: str, data: Path
) -> None:
    done = invoke("validate", data, "--shapes", case, "--engine", engine)
    expected = EXPECT.findall(case.read_text("utf-8"))
    matches = re.findall(rf"^{re.escape(str(case))}:(\d+): \w+ (LP\d+): (.*)$", done.output, re.M)
    assert len(matches) == len(expected), done.output
    for code, line, text in expected:
        assert any(
            match[:2] == (line, code) and text in match[2].replace("`", "") for match in matches
        ), (
            code,
            line,
            text,
            done.output,
        )
    severe = {code for code, _, _ in expected} - {"LP611"}
    assert done.exit_code == (2 if severe else 0), done.output


def test_there_are_cases_of_every_kind() -> None:
    codes = {code for case in CASES for code, _, _ in EXPECT.findall(case.read_text("utf-8"))}
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 8 and codes == {"LP606", "LP607", "LP608", "LP611"}


def test_what_is_not_supported_can_be_allowed_by_name(data: Path) -> None:
    rule = TESTS / "shacl_terms/rule.ttl"
    assert invoke("validate", data, "--shapes", rule, "--ignore-term", "sh:rule").exit_code == 0
    refused = invoke("validate", data, "--shapes", rule, "--ignore-term", "sh:minCount")
    assert refused.exit_code == 2 and "sh:minCount cannot be ignored" in refused.output
    typos = TESTS / "shacl_terms/misspelt.ttl"  # of others, perhaps, who are slow to correct them
    assert (
        invoke(
            "validate",
            data,
            "--shapes",
            typos,
            "--ignore-term",
            "sh:minCuont",
            "--ignore-term",
            "sh:maxcount",
        ).exit_code
        == 0
    )
    assert read_files([rule], ValidationOptions(ignored_terms=allowable(["sh:rule"])[0])).triples


def test_the_schema_of_publication_yaml_lists_the_same_terms() -> None:
    schema = json.loads(
        (ROOT / "pipeline/lodpipe/config/publication.schema.json").read_text("utf-8")
    )
    assert schema["properties"]["shacl_ignore"]["items"]["enum"] == [
        f"sh:{name}" for name in UNSUPPORTED
    ]


NEW_SYNTAX = {
    "annotation.ttl": ("@prefix ex: <http://example.org/> .\nex:a a ex:A ;\n  ex:p ex:b {| ex:by ex:c |} .\n", 3),
    "direction.nt": ('<http://example.org/a> <http://example.org/p> "x" .\n<http://example.org/a> <http://example.org/p> "x"@en--ltr .\n', 2),
    "triple-term.nt": ("<a:a> <a:b> <a:c> .\n\n<a:a> <a:b> <<( <a:a> <a:b> <a:c> )>> .\n", 3),
    "reified.trig": ("@prefix ex: <http://example.org/> .\n# << in a comment\nex:g { << ex:a ex:p ex:b >> ex:q \"<<\" . }\n", 3),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
@pytest.mark.parametrize("name", NEW_SYNTAX)
def test_data_in_rdf_1_2_are_a_finding_at_the_line_of_the_data(
    name: str, engine: str, tmp_path: Path
) -> None:
    text, line = NEW_SYNTAX[name]
    (tmp_path / name).write_text(text, "utf-8")
    done = invoke(
        "validate",
        tmp_path / name,
        "--shapes",
        TESTS / "shacl_terms/ordinary.ttl",
        "--engine",
        engine,
    )
    assert done.exit_code == 2 and f"{name}:{line}: error LP608" in done.output, done.output


def test_what_pyshacl_cannot_do_is_a_finding(data: Path, tmp_path: Path) -> None:
    (tmp_path / "shapes.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix ex: <http://example.org/> .\n"
        "ex:S sh:targetClass ex:A ; sh:or ex:nothing .\n", "utf-8",
    )  # fmt: skip
    done = invoke("validate", data, "--shapes", tmp_path / "shapes.ttl", "--engine", "pyshacl")
    assert done.exit_code == 2 and "LP609" in done.output and "Traceback" not in done.output, (
        done.output
    )


DATES = DATA + (
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    'ex:a ex:start "2020-05-01"^^xsd:date ; ex:end "2020-04-01"^^xsd:date .\n'
)  # fmt: skip
RULE = """@prefix ex: <http://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
ex:S sh:targetClass ex:A ; sh:sparql [ sh:message "ends {?end} before {?start}" ;
  sh:select "SELECT $this ?end ?start WHERE { $this <http://example.org/start> ?start ; <http://example.org/end> ?end . FILTER (?end < ?start) }" ] .
"""


@pytest.mark.parametrize("padding", [0, 60_000])
@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
def test_the_verdict_does_not_depend_on_the_size_of_the_file(
    padding: int, engine: str, tmp_path: Path
) -> None:
    """5 MB of statements that no shape looks at; pySHACL need not read them to agree."""
    lines = [
        f'ex:n{number} ex:pad "{"x" * 60}" .\n'
        for number in range(padding if engine == "columns" else 0)
    ]
    (tmp_path / "data.ttl").write_text(DATES + "".join(lines), "utf-8")
    (tmp_path / "shapes.ttl").write_text(RULE, "utf-8")
    done = invoke(
        "validate", tmp_path / "data.ttl", "--shapes", tmp_path / "shapes.ttl", "--engine", engine
    )
    assert done.exit_code == 1 and "1 error" in done.output, done.output
    if engine == "columns":
        assert "ends 2020-04-01 before 2020-05-01" in done.output


def test_publication_yaml_names_the_engines_that_there_are(small_project: Path) -> None:
    path = small_project / "publication.yaml"
    path.write_text(path.read_text("utf-8") + "shacl: shacl\n", "utf-8")
    done = invoke("check", "--project", small_project, "--lang", "en")
    line = path.read_text("utf-8").splitlines().index("shacl: shacl") + 1
    assert (
        done.exit_code == 2
        and f"publication.yaml:{line}: error LP601" in done.output
        and "columns" in done.output
    ), done.output


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(TESTS / "projects/libraries", tmp_path / "libraries"))


def test_base_is_that_of_data_and_shapes(tmp_path: Path) -> None:
    (tmp_path / "data.ttl").write_text("<a> a <def/A> .\n", "utf-8")
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes/shapes.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<shape/S> sh:targetClass <def/A> ; sh:property [ sh:path <def/p> ; sh:minCount 1 ] .\n",
        "utf-8",
    )
    command = ("validate", tmp_path / "data.ttl", "--shapes", tmp_path / "shapes/shapes.ttl")
    assert (
        invoke(*command).exit_code == 0
    )  # the shapes look at another class, that of their own folder
    done = invoke(*command, "--base", "https://example.org/")
    assert done.exit_code == 1 and "<https://example.org/a>" in done.output
    assert invoke(*command, "--base", "example").exit_code == 2


def test_every_message_of_these_codes_has_its_words() -> None:
    for code in ("LP606", "LP607", "LP608", "LP609", "LP610", "LP611"):
        assert all(render(code, {}, language) for language in ("de", "en"))
