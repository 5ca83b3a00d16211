"""The habits of a linter: pages of rules on the terminal, chosen rules, severities, known findings,
left out records, files as arguments, long lists.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from lodpipe.diagnostics.explanation import explanation, summary_of, title_of
from lodpipe.diagnostics.rules import RULES
from support import invoke
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
    german = invoke("explain", "LP206", "--project", tmp_path, "--lang", "de").stdout
    assert "Abhilfe: Den Verweis berichtigen" in german and "\nRichtig\n" in german


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
