"""The habits of a linter: pages of rules on the terminal, chosen rules, severities, known findings,
left out records, files as arguments, long lists.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lodpipe.diagnostics.explanation import explanation, summary_of, title_of
from lodpipe.diagnostics.rules import RULES
from lodpipe.diagnostics.severities import fixed_rules
from support import ROOT, TESTS, errors_in, invoke
from test_reports import put_things

# -- explain ---------------------------------------------------------------------------------------


def test_every_rule_has_a_page_a_title_and_a_summary() -> None:
    print(f"{len(RULES)} rules")
    for code, rule in RULES.items():
        text = explanation(rule, "en", 80)
        assert title_of(code) != rule.name, code
        assert len(summary_of(code)) > 20, code
        assert "<!--" not in text and "](" not in text and "```" not in text, code


def test_explain_shows_the_page_of_a_rule(tmp_path: Path) -> None:
    for name in ("LP206", "lp206", "reference.missing-record"):
        page = invoke("explain", name, "--project", tmp_path, "--lang", "en").stdout
        assert page.startswith("LP206 reference.missing-record: the referenced record does not")
        assert "Anti-pattern\n\n  source/cafes.yaml:\n    - id: vice\n" in page
    assert "Anti-pattern" not in invoke("explain", "LP206", "--lang", "de").stdout
    german = invoke("explain", "LP206", "--project", tmp_path, "--lang", "de").stdout
    assert "Abhilfe: Den Verweis berichtigen" in german and "\nRichtig\n" in german


def test_rules_are_explained_in_german() -> None:
    """A new rule may still lack its German text, which is then English; few do."""
    translated = [code for code in RULES if title_of(code, "de") != title_of(code)]
    print(f"{len(translated)} of {len(RULES)} rules have a German text")
    assert len(translated) >= 0.9 * len(RULES)
    text = explanation(RULES["LP204"], "de", 80)
    assert "ein Wert ist ungültig" in text and "The value is of the right kind" not in text


def test_explain_lists_the_rules(tmp_path: Path) -> None:
    lines = invoke("explain", "--rules", "--project", tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("LP999", "there is no rule `LP999` ("),
        ("reference.mising-record", "did you mean `reference.missing-record`?"),
    ],
)
def test_explain_names_an_unknown_rule(word: str, hint: str, tmp_path: Path) -> None:
    result = invoke("explain", word, "--project", tmp_path)
    assert result.exit_code == 2 and hint in result.stderr


# -- chosen findings -------------------------------------------------------------------------------

THINGS = (
    "".join(f"- id: t{number}\n  size: x\n" for number in range(25)) + "- id: last\n  nmae: x\n"
)


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """A project with 25 sizes that are no numbers, and a misspelt key."""
    put_things(tmp_path / "things", THINGS, "<shape/part> sh:path schema:name .")
    return tmp_path / "things"


def codes(project: Path, *options: str) -> dict[str, int]:
    """How many findings of each rule a check reports as JSON."""
    result = invoke("check", "--project", project, "--json", *options)
    reported = json.loads(result.stdout)["findings"]
    return dict(sorted(Counter(item["code"] for item in reported).items()))


def test_rules_are_selected_and_ignored_by_code_beginning_name_and_group(things: Path) -> None:
    every = codes(things)
    assert every["LP203"] == 25 and every["LP201"] == 1
    for words in (["LP203"], ["lp203,"], ["record.wrong-type"]):
        assert codes(things, *(part for word in words for part in ("--select", word))) == {
            "LP203": 25
        }
    assert codes(things, "--select", "LP2", "--ignore", "record.unknown-key") == {"LP203": 25}
    assert codes(things, "--select", "record,LP203", "--ignore", "LP203,LP5") == {"LP201": 1}


def test_what_is_not_chosen_does_not_fail(things: Path) -> None:
    assert invoke("check", "--project", things).exit_code == 1
    result = invoke("check", "--project", things, "--lang", "en", "--ignore", "LP2,record")
    assert result.exit_code == 0 and "not selected: 26" in result.stdout + result.stderr


def test_an_unknown_rule_or_file_is_wrong_use(things: Path) -> None:
    for option, hint in (
        (["--select", "record.unknwon-key"], "did you mean `record.unknown-key`?"),
        (["--ignore", "LP9"], "there is no rule `LP9`"),
        ([str(things / "nothing.yaml")], "does not exist"),
        (["/etc/hostname"], "is not in the project"),
    ):
        result = invoke("check", "--project", things, *option)
        assert result.exit_code == 2 and hint in result.stderr


def test_files_restrict_the_report(things: Path) -> None:
    assert codes(things, str(things / "source" / "things.yaml")) == {"LP201": 1, "LP203": 25}
    assert codes(things, str(things / "source")) == {"LP201": 1, "LP203": 25}
    assert codes(things, str(things / "ontology")) == {}
    assert codes(things, str(things)) == codes(things)


def test_many_findings_of_a_rule_are_reduced_to_the_first(things: Path) -> None:
    text = invoke("check", "--project", things, "--lang", "en").stderr
    assert text.count("error LP203") == 10 and text.count("error LP201") == 1
    assert "… and 15 more of LP203 `record.wrong-type` in 1 file." in text
    every = invoke("check", "--project", things, "--lang", "en", "--all").stderr
    assert every.count("error LP203") == 25 and "more of" not in every


def test_statistics_count_instead_of_listing(things: Path) -> None:
    lines = invoke("check", "--project", things, "--lang", "en", "--statistics").stderr.split("\n")
    assert lines[0] == "25  error LP203 record.wrong-type (1 file)"
    assert lines[1] == " 1  error LP201 record.unknown-key (1 file)"


def test_quiet_prints_errors_only(things: Path) -> None:
    result = invoke("check", "--project", things, "--lang", "en", "--quiet")
    assert "error LP203" in result.stderr and "warning" not in result.stderr
    (things / "source" / "things.yaml").write_text("- id: a\n  size: 1\n  name: A\n", "utf-8")
    result = invoke("check", "--project", things, "-q")
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", "")
    assert "0 " in invoke("check", "--project", things).stderr


def test_every_value_that_makes_no_term_is_listed(tmp_path: Path) -> None:
    """A mapping takes 30 names for IRIs: each is a finding at its line, not ten and a number."""
    things = "".join(f"- id: t{number}\n  name: a {number}\n" for number in range(30))
    put_things(tmp_path, things, "<shape/part> sh:path schema:name .")
    mapping = tmp_path / "source" / "mapping.yaml"
    mapping.write_text(mapping.read_text("utf-8").replace("$(name)]", "$(name)~iri]"), "utf-8")
    result = invoke("check", "--project", tmp_path, "--lang", "en", "--json", "--select", "LP301")
    reported = json.loads(result.stdout)["findings"]
    assert [item["line"] for item in reported] == list(range(2, 61, 2))
    assert reported[0]["message"] == "`a 0` does not yield a valid IRI"


def test_a_datatype_that_records_use_is_used(tmp_path: Path) -> None:
    put_things(tmp_path, "- id: a\n  name: A\n", "<shape/part> sh:path schema:name .")
    terms = (
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . <def/code> a rdfs:Datatype ; "
        '<https://schema.org/valuePattern> "[A-Z]+" .'
    )
    (tmp_path / "ontology" / "terms.ttl").write_text(terms, "utf-8")
    (tmp_path / "ontology" / "context.jsonld").write_text(
        '{"@context": {"def": "https://example.org/def/"}}', "utf-8"
    )
    assert codes(tmp_path, "--select", "LP508") == {"LP508": 1}
    records = tmp_path / "source" / "records.yaml"
    declared = records.read_text("utf-8").replace("name: {type: text}", "name: {type: 'def:code'}")
    records.write_text(declared, "utf-8")
    assert codes(tmp_path, "--select", "LP508") == {}


# -- severities of rules ---------------------------------------------------------------------------


def declare(project: Path, text: str) -> None:
    """Adds keys to publication.yaml."""
    path = project / "publication.yaml"
    path.write_text(path.read_text("utf-8") + text + "\n", "utf-8")


def severities(project: Path) -> dict[str, str]:
    """The severity of each rule that a check reports."""
    result = invoke("check", "--project", project, "--json")
    return {item["code"]: item["severity"] for item in json.loads(result.stdout)["findings"]}


def test_a_publication_sets_the_severity_of_rules(things: Path) -> None:
    assert severities(things)["LP203"] == "error"
    declare(things, "severities: {LP203: warning, record.unknown-key: off, LP504: off}")
    left = severities(things)
    assert left["LP203"] == "warning" and "LP201" not in left and "LP504" not in left
    assert invoke("check", "--project", things).exit_code == 1  # `x` makes no xsd:integer: LP302
    assert left["LP302"] == "error"


def test_a_warning_can_become_an_error(things: Path) -> None:
    (things / "source" / "things.yaml").write_text("- id: a\n  size: 1\n  name: A\n", "utf-8")
    assert invoke("build", "--project", things).exit_code == 0
    declare(things, "severities: {record.unused: error}")
    assert severities(things)["LP505"] == "error"
    assert invoke("build", "--project", things).exit_code == 1


@pytest.mark.parametrize(
    ("entry", "detail"),
    [
        ("LP301: warning", "the severity of LP301 is fixed"),
        ("declaration.invalid: off", "the severity of LP601 is fixed"),
        ("LP6: off", "the severity of LP601 is fixed"),
        ("record.unknwon-key: off", "did you mean `record.unknown-key`?"),
    ],
)
def test_what_makes_invalid_data_cannot_be_lowered(entry: str, detail: str, things: Path) -> None:
    declare(things, f"severities: {{{entry}}}")
    result = invoke("check", "--project", things, "--lang", "en")
    assert result.exit_code == 2 and detail in result.stderr
    assert "publication.yaml:" in result.stderr


def ranges(text: str) -> set[str]:
    """The codes of `LP6xx, LP301–LP305, LP311`."""
    numbers: set[int] = set()
    for first, last in re.findall(r"LP([\dx]{3})(?:–LP(\d{3}))?", text):
        low, high = int(first.replace("x", "0")), int((last or first).replace("x", "9"))
        numbers |= set(range(low, high + 1))
    return {f"LP{number}" for number in numbers}


def test_the_fixed_rules_are_documented() -> None:
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    listed = re.search(r"<!-- fixed -->\n(.*?)<!-- /fixed -->", page, re.S)
    assert listed
    fixed: set[str] = set()
    for row in listed[1].splitlines()[2:]:
        named, _, others = row.split("|")[1].partition(", except ")
        fixed |= ranges(named) - ranges(others)
    assert sorted(fixed & RULES.keys()) == sorted(fixed_rules())
    print(f"{len(fixed_rules())} of {len(RULES)} rules are fixed")


# -- known findings --------------------------------------------------------------------------------


def test_known_findings_are_not_reported_and_new_ones_are(tmp_path: Path) -> None:
    project = tmp_path / "p"
    put_things(project, "- id: a\n  part: nix\n- id: b\n", "<shape/part> sh:path schema:name .")
    declare(project, "baseline: known-findings.yaml")
    assert invoke("check", "--project", project).exit_code == 1
    written = invoke("check", "--project", project, "--write-baseline")
    assert written.exit_code == 0, written.stderr
    text = (project / "known-findings.yaml").read_text("utf-8")
    assert "- rule: LP206\n  record: things/a\n  params:\n    key: part\n" in text
    assert invoke("build", "--project", project).exit_code == 0
    assert codes(project) == {}
    records = project / "source" / "things.yaml"
    moved = "# a comment\n- id: c\n  part: nought\n- id: b\n  part: c\n- id: a\n  part: nix\n"
    records.write_text(moved, "utf-8")
    result = invoke("check", "--project", project, "--json", "--lang", "en")
    errors = [item for item in json.loads(result.stdout)["findings"] if item["code"] == "LP206"]
    assert [(item["line"], item["params"]["value"]) for item in errors] == [(3, "nought")]


def test_a_known_finding_that_no_longer_occurs_is_reported_at_its_entry(tmp_path: Path) -> None:
    put_things(tmp_path, "- id: a\n  part: nix\n", "<shape/part> sh:path schema:name .")
    declare(tmp_path, "baseline: known-findings.yaml")
    invoke("check", "--project", tmp_path, "--write-baseline")
    (tmp_path / "source" / "things.yaml").write_text("- id: a\n  part: a\n", "utf-8")
    result = invoke("check", "--project", tmp_path, "--json", "--lang", "en", "--select", "LP712")
    (stale,) = json.loads(result.stdout)["findings"]
    text = (tmp_path / "known-findings.yaml").read_text("utf-8")
    assert "LP206" in text.split("\n")[stale["line"] - 1]
    assert stale["message"] == "known finding LP206 of `things/a` no longer occurs"


def test_invalid_values_are_never_known(things: Path) -> None:
    """Known wrong types pass, the literals that cannot be made of them do not."""
    declare(things, "baseline: known-findings.yaml")
    (things / "known-findings.yaml").write_text("- rule: LP302\n  record: things/t1\n", "utf-8")
    result = invoke("check", "--project", things, "--lang", "en")
    assert result.exit_code == 2 and "findings of LP302 cannot be known ones" in result.stderr


def test_a_baseline_needs_its_file_to_be_declared(things: Path) -> None:
    result = invoke("check", "--project", things, "--write-baseline")
    assert result.exit_code == 2 and "add `baseline: known-findings.yaml`" in result.stderr


# -- records that are left out ---------------------------------------------------------------------

TOWNS = {
    "publication.yaml": "",
    "source/records.yaml": """
towns: {files: towns.csv, fields: {id: {type: slug, required: true}, name: {type: text, required: true}, people: {type: integer},
  county: {ref: counties}}}
counties: {files: counties.yaml, fields: {id: {type: slug, required: true}, name: {type: text, required: true},
  seat: {ref: towns}}}
clubs:
  files: clubs/*.yaml
  fields:
    id: {type: slug, required: true}
    name: {type: text, required: true}
    town: {ref: towns, required: true}
    partners: {list: {fields: {club: {ref: clubs, required: true}, since: {type: partial-date}}}}
    friends: {list: {ref: clubs}}
""",
    "source/towns.csv": "id,name,people,county\nauerbach,Auerbach,9700,nord\nbrehna,Brehna,many,nord\ncolditz,Colditz,8000,\n",
    "source/counties.yaml": "- id: nord\n  name: Nord\n  seat: brehna\n- id: sued\n  name: Süd\n  seat: colditz\n",
    "source/clubs/a.yaml": "id: a\nname: A\ntown: auerbach\npartners:\n- club: b\n  since: '2020'\n- club: c\nfriends: [b, c]\n",
    "source/clubs/b.yaml": "id: b\nname: B\ntown: brehna\npartners:\n- club: a\n",
    "source/clubs/c.yaml": "id: c\nname: C\ntown: colditz\n",
    "source/mapping.yaml": """
mappings:
  town: {sources: [towns~table], s: town/$(id), po: [[a, schema:City], [schema:name, $(name)], [schema:population, $(people), xsd:integer],
    [schema:county, county/$(county)~iri]]}
  county: {sources: [counties~table], s: county/$(id), po: [[a, schema:County], [schema:name, $(name)], [schema:seat, town/$(seat)~iri]]}
  club: {sources: [clubs~table], s: club/$(id), po: [[a, schema:Club], [schema:name, $(name)], [schema:location, town/$(town)~iri]]}
  partner:
    sources: {query: "SELECT p._record, p.club, p.since, c.id FROM clubs_partners p JOIN clubs c ON c._record = p._parent"}
    s: club/$(id)
    po: [[schema:partner, club/$(club)~iri]]
  friend:
    sources: {query: "SELECT f._record, f.value, c.id FROM clubs_friends f JOIN clubs c ON c._record = f._parent"}
    s: club/$(id)
    po: [[schema:knows, club/$(value)~iri]]
""",
    "ontology/vocabularies/schema.txt": "# prefix: schema\n# namespace: https://schema.org/\nclass City\nclass County\nclass Club\n"
    + "".join(f"property {name}\n" for name in ("name", "population", "county", "seat", "location", "partner", "knows")),
}  # fmt: skip


def put_towns(folder: Path, declared: str) -> Path:
    """A project of towns in a CSV file, counties and clubs: Brehna has a population that is no
    number, county Nord and club B refer to it, and A to B.
    """
    from test_hostile import PUBLICATION

    for name, text in (TOWNS | {"publication.yaml": f"{PUBLICATION}\n{declared}\n"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def dump(project: Path) -> str:
    """The N-Quads of a built project."""
    (path,) = (path for path in (project / "dist").glob("*.nq") if path.stem != "metadata")
    return path.read_text("utf-8")


LEAVE_OUT = "on_error: {towns: leave_out, clubs: leave_out}"


def test_a_record_with_errors_is_left_out_as_if_it_had_never_been_entered(tmp_path: Path) -> None:
    project = put_towns(tmp_path / "with", LEAVE_OUT)
    result = invoke("build", "--project", project, "--json", "--lang", "en")
    assert result.exit_code == 0, result.stdout
    reported = {
        (item["code"], item["file"], item["line"]): item["message"]
        for item in json.loads(result.stdout)["findings"]
        if item["code"].startswith("LP71")
    }
    assert reported == {
        ("LP711", "source/towns.csv", 3): "`towns/brehna` has errors (LP204) and is left out",
        ("LP711", "source/clubs/b.yaml", 1): "`clubs/b` has errors (LP713) and is left out",
        ("LP713", "source/counties.yaml", 3): "`seat`: `brehna` has errors and is left out, so that nothing refers to it",
        ("LP713", "source/clubs/a.yaml", 5): "`club`: `b` has errors and is left out, so that nothing refers to it",
        ("LP713", "source/clubs/a.yaml", 8): "`value`: `b` has errors and is left out, so that nothing refers to it",
    }  # fmt: skip

    without = put_towns(tmp_path / "without", "")
    for name, old, new in (
        ("towns.csv", "brehna,Brehna,many,nord\n", ""),
        ("counties.yaml", "  seat: brehna\n", ""),
        ("clubs/a.yaml", "- club: b\n  since: '2020'\n", ""),
        ("clubs/a.yaml", "[b, c]", "[c]"),
    ):
        path = without / "source" / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    (without / "source" / "clubs" / "b.yaml").unlink()
    assert invoke("build", "--project", without).exit_code == 0
    assert dump(project) == dump(without)
    assert not (without / "dist" / "left-out.json").exists()


def test_what_is_left_out_is_listed_in_dist(tmp_path: Path) -> None:
    project = put_towns(tmp_path / "p", LEAVE_OUT + "\nexpect: {towns: 3, clubs: {min: 3}}")
    assert invoke("build", "--project", project).exit_code == 0
    listed = (project / "dist" / "left-out.json").read_text("utf-8")
    document = json.loads(listed)
    assert [(item["table"], item["record"]) for item in document["records"]] == [
        ("clubs", "b"),
        ("towns", "brehna"),
    ]
    assert [item["rule"] for item in document["references"]] == ["LP713"] * 3
    assert "left-out.json" in (project / "dist" / "SHA256SUMS").read_text("utf-8")
    assert invoke("build", "--project", project).exit_code == 0
    assert (project / "dist" / "left-out.json").read_text("utf-8") == listed
    assert set(codes(project, "--ignore", "LP50,LP53")) == {"LP711", "LP713"}


def test_a_table_that_does_not_leave_out_records_stops_the_build(tmp_path: Path) -> None:
    """Club B needs its town, and clubs are not left out: an error at its reference."""
    project = put_towns(tmp_path / "p", "on_error: {towns: leave_out}")
    result = invoke("build", "--project", project, "--lang", "en")
    assert result.exit_code == 1
    (error,) = errors_in(result.stderr)
    assert (error.code, error.file, error.line) == ("LP713", "source/clubs/b.yaml", 3)


def test_a_repeated_key_leaves_out_the_repetition(tmp_path: Path) -> None:
    project = put_towns(tmp_path / "p", "on_error: {counties: leave_out, towns: leave_out, clubs: leave_out}")  # fmt: skip
    counties = project / "source" / "counties.yaml"
    counties.write_text(
        counties.read_text("utf-8") + "- id: nord\n  name: Nord again\n  seat: [x]\n", "utf-8"
    )
    assert invoke("build", "--project", project).exit_code == 0
    assert "Nord" in dump(project) and "again" not in dump(project) and "Süd" in dump(project)


def test_on_error_names_tables(tmp_path: Path) -> None:
    project = put_towns(tmp_path / "p", "on_error: {twons: leave_out}")
    result = invoke("check", "--project", project, "--lang", "en")
    assert result.exit_code == 2 and "there is no table `twons`" in result.stderr


# -- other systems ---------------------------------------------------------------------------------


def test_a_build_needs_none_of_the_facilities_of_unix(tmp_path: Path) -> None:
    """tests/elsewhere.py hides what Windows lacks, imports all modules and builds."""
    project = put_towns(tmp_path / "p", LEAVE_OUT)
    done = subprocess.run(
        [sys.executable, TESTS / "elsewhere.py", "build", "--project", project, "--no-site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (project / "dist" / "left-out.json").is_file()


# -- the command line ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "There is no publication.yaml in this folder."),
        ({"publication.yaml": "name: 1"}, "whose publication.yaml has errors"),
        ({"publication.yaml": None}, "source/records.yaml is missing"),
        (dict.fromkeys(TOWNS), "It has not been built yet.\n  lodpipe check"),
        ({**dict.fromkeys(TOWNS), "dist/SHA256SUMS": ""}, "dist/ is newer than all sources."),
        ({"inner/publication.yaml": ""}, "  lodpipe check --project inner\n"),
    ],
    ids=["empty", "invalid", "begun", "not built", "built", "below"],
)
def test_without_a_command_the_next_step_is_named(
    files: dict[str, str | None], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = put_towns(tmp_path / "whole", "")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = (whole / name).read_text("utf-8") if text is None else text
        (folder / name).write_text(content, "utf-8")
    monkeypatch.chdir(folder)
    result = invoke()
    assert result.exit_code == 0 and expected in result.stdout, result.stdout


def test_a_saved_source_and_a_folder_inside_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = put_towns(tmp_path / "p", "")
    (project / "dist").mkdir()
    (project / "dist" / "SHA256SUMS").touch()
    os.utime(project / "dist" / "SHA256SUMS", (1, 1))
    monkeypatch.chdir(project)
    assert "Newer than dist/: " in invoke().stdout
    monkeypatch.chdir(project / "source" / "clubs")
    assert "lodpipe check --project ../..  the publication around it" in invoke().stdout


def test_a_misspelt_command_is_suggested() -> None:
    for word, near in (("chekc", "check"), ("biuld", "build"), ("explian", "explain")):
        result = invoke(word)
        assert result.exit_code == 2 and f"Did you mean '{near}'?" in result.stderr
    assert "Did you mean" not in invoke("zzz").stderr


SHELLS = {
    "bash": "source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
    '_lodpipe_completion lodpipe; printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": "source {script}; complete -C '{words}'",
}


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_a_shell_completes_commands_options_and_rules(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / f"lodpipe.{shell}"
    script.write_text(invoke("completion", shell).stdout, "utf-8")
    if shell == "zsh":  # completes at a terminal only
        subprocess.run([program, "-n", script], check=True)
        return
    starter = tmp_path / "lodpipe"
    starter.write_text(f'#!/bin/sh\nexec {sys.executable} -m lodpipe "$@"\n', "utf-8")
    starter.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    for words, expected in (
        ("lodpipe che", "check"),
        ("lodpipe check --stat", "--statistics"),
        ("lodpipe explain reference.mi", "reference.missing-record"),
    ):
        call = SHELLS[shell].format(script=script, words=words)
        done = subprocess.run(
            [program, "-c", call], env=environment, capture_output=True, text=True, check=True
        )
        assert expected in done.stdout.split(), (done.stdout, done.stderr)


def test_records_without_a_key_are_known_one_by_one(tmp_path: Path) -> None:
    put_things(tmp_path, "- size: x\n- size: 1\n- size: x\n", "<shape/part> sh:path schema:name .")
    records = tmp_path / "source" / "records.yaml"
    declared = records.read_text("utf-8").replace("    id: {type: slug, required: true}\n", "")
    records.write_text(declared.replace("    part: {ref: things}\n", ""), "utf-8")
    mapping = "mappings:\n  thing:\n    sources: [things~table]\n    s: thing/$(name)\n    po: [[schema:size, $(size)]]\n"
    (tmp_path / "source" / "mapping.yaml").write_text(mapping, "utf-8")
    declare(tmp_path, "baseline: known-findings.yaml\non_invalid_value: skip")
    invoke("check", "--project", tmp_path, "--write-baseline")
    text = (tmp_path / "known-findings.yaml").read_text("utf-8")
    assert re.findall("record: (.*)", text) == ["things/#1", "things/#3"]
    assert codes(tmp_path, "--select", "LP203") == {}
