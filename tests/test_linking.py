"""`lodpipe link`: registers of many shapes, candidates, the review file, and what is written into
the records.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from lodpipe.workflow.linking.link_candidates import Described, Matching
from lodpipe.workflow.linking.name_forms import Forms, Weights, similarity
from lodpipe.workflow.linking.review_file import scalar
from support import TESTS, errors_in, invoke

HERE = TESTS / "linking"
REGISTERS = HERE / "registers"


def cases(name: str) -> list[Any]:
    several = yaml.safe_load((HERE / name).read_text("utf-8"))
    return [pytest.param(case, id=case["case"]) for case in several]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE / "project", tmp_path / "project"))


def link(project: Path, *arguments: str | Path, code: int = 0) -> str:
    result = invoke("link", "--project", project, *arguments)
    assert result.exit_code == code, result.output
    return result.output


def review(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


# -- proposals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("cases.yaml"))
def test_a_register_gives_its_candidates(
    case: dict[str, Any], project: Path, tmp_path: Path
) -> None:
    out = tmp_path / "review.yaml"
    arguments = ["--table", case["table"], "--against", REGISTERS / case["register"], "-o", out]
    options = case.get("options", [])
    if refused := case.get("refused"):
        code = 1 if refused[1] in ("LP101", "LP102") else 2
        output = link(project, *arguments, *options, "--lang", "en", code=code)
        (finding,) = errors_in(output)
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        assert [where, finding.code, finding.what] == refused
        assert not out.exists()
        return
    output = link(project, *arguments, *options)
    columns = [
        line.strip() for line in output.splitlines() if line.startswith("  ") and "(" not in line
    ]
    assert columns == case["columns"]
    candidates = [
        {key: item[key] for key in ("record", "entry", "score", "reasons")}
        for item in review(out)["candidates"]
    ]
    assert candidates == case["candidates"]


def test_parquet_is_read_like_csv(project: Path, tmp_path: Path) -> None:
    parquet = tmp_path / "register[1].parquet"
    csv = REGISTERS / "wikidata-labels.csv"
    duckdb.sql(
        f"COPY (SELECT * FROM read_csv('{csv}', header = true)) TO '{parquet}' (FORMAT parquet)"
    )
    out = tmp_path / "review.yaml"
    link(project, "--table", "clubs", "--against", parquet, "-o", out)
    assert [item["entry"] for item in review(out)["candidates"]] == ["Q81", "Q77"]
    parquet.write_bytes(b"PAR1")
    output = link(project, "--table", "clubs", "--against", parquet, "-o", out, code=1)
    assert [finding.code for finding in errors_in(output)] == ["LP102"]


def test_a_table_must_be_chosen_where_several_are_declared(project: Path) -> None:
    output = link(project, "--against", REGISTERS / "ror.json", "--lang", "en", code=2)
    (finding,) = errors_in(output)
    assert (finding.code, finding.line) == ("LP601", 13)
    assert "declares: clubs, towns" in finding.what


def test_a_rule_with_unknown_fields_is_reported_by_link_and_check(project: Path) -> None:
    path = project / "publication.yaml"
    text = (
        path.read_text("utf-8")
        .replace("town.country", "town.land")
        .replace("lei: ''", "website: ''")
    )
    path.write_text(text, "utf-8")
    output = link(project, "--table", "clubs", "--against", REGISTERS / "ror.json", "--lang", "en", code=2)  # fmt: skip
    assert [finding.what for finding in errors_in(output)] == [
        "links: `town.land` leads to no value: there is no field `land`",
        "links: the identifier `website` is no single value of `clubs`",
    ]  # fmt: skip


# -- the review file -------------------------------------------------------------------------------


def proposed(project: Path, register: str = "ror.json") -> Path:
    documents = ["--document", "register", "--document", "wikidata=wikidata"]
    link(project, "--table", "clubs", "--against", REGISTERS / register, *documents)
    return project / f"links/{Path(register).stem}-clubs.yaml"


def decide(path: Path, decisions: list[str]) -> None:
    first, *parts = path.read_text("utf-8").split("  accept:\n")
    assert len(parts) == len(decisions)
    path.write_text(
        first + "".join(f"  accept: {decision}".rstrip() + "\n" + part for decision, part in zip(decisions, parts, strict=True)),
        "utf-8",
    )  # fmt: skip


def test_the_same_run_gives_the_same_bytes(project: Path) -> None:
    path = proposed(project)
    before = path.read_bytes()
    proposed(project)
    assert path.read_bytes() == before
    assert b"accept:\n" in before


def test_a_rejected_candidate_stays_rejected_and_keeps_its_note(project: Path) -> None:
    path = proposed(project)
    decide(path, ["", "no\n  note: 'Nein: andere Vögel'"])
    proposed(project)
    items = review(path)["candidates"]
    assert [(item["record"], item["accept"], item.get("note")) for item in items] == [
        ("institut", None, None),
        ("ruderclub", False, "Nein: andere Vögel"),
    ]
    records = (project / "source/clubs.yaml").read_bytes()
    assert "0 angenommen, 1 abgelehnt, 1 offen; 0 Datensätze ergänzt" in link(
        project, "--accept", path
    )
    assert (project / "source/clubs.yaml").read_bytes() == records


def test_a_decided_candidate_stays_when_it_is_not_proposed_any_more(
    project: Path, tmp_path: Path
) -> None:
    path = proposed(project)
    decide(path, ["", "no"])
    link(project, "--table", "clubs", "--against", REGISTERS / "nothing.csv", "-o", path)
    assert [item["record"] for item in review(path)["candidates"]] == ["ruderclub"]


def test_a_text_is_quoted_where_a_reader_could_take_it_for_something_else() -> None:
    words = ["Q42", "007", "1e3", "no", "yes", "null", "~", "2020-01-01", "", "a:", "ü", "\t"]
    texts = [*words, "a: b", "a #b", "- a", "https://ror.org/01", "x, y", "[x]", "it's", " a"]
    for text in texts:
        assert yaml.safe_load(f"- {scalar(text)}") == [text]
        assert yaml.safe_load(f"{{a: {scalar(text)}}}") == {"a": text}


# -- acceptance ------------------------------------------------------------------------------------


def test_accepted_identifiers_are_written_with_evidence_and_all_else_stays(project: Path) -> None:
    path = proposed(project)
    decide(path, ["yes", "yes"])
    records = project / "source/clubs.yaml"
    before = records.read_text("utf-8").splitlines()
    assert "2 angenommen, 0 abgelehnt, 0 offen; 2 Datensätze ergänzt" in link(
        project, "--accept", path
    )
    after = records.read_text("utf-8").splitlines()
    assert [line for line in after if line not in before] == [
        "  wikidata: Q77",
        "  ror: https://ror.org/01bbbbb22",
        "    - wikidata",
        "  wikidata: Q78",
        "  identified_by: [register, wikidata]",
    ]
    assert [line for line in before if line not in after] == ["  identified_by: [register]"]
    names = [line.split(":")[0].strip(" -") for line in after[after.index("- id: ruderclub") :]]
    assert names.index("wikidata") < names.index("ror") < names.index("identified_by")
    # Once more changes nothing, and nothing is proposed any more.
    assert "2 angenommen, 0 abgelehnt, 0 offen; 0 Datensätze ergänzt" in link(
        project, "--accept", path
    )
    assert records.read_text("utf-8").splitlines() == after
    path.unlink()
    proposed(project)
    assert review(path)["candidates"] == []


def test_cells_of_a_csv_file_are_filled_and_all_else_stays(project: Path) -> None:
    register = REGISTERS / "municipalities.csv"
    arguments = ["--table", "towns", "--against", register, "--document", "wikidata=wikidata"]
    link(project, *arguments)
    path = project / "links/municipalities-towns.yaml"
    decide(path, ["no", "yes", "yes"])
    towns = project / "source/towns.csv"
    towns.write_bytes(b"\xef\xbb\xbf" + towns.read_bytes().replace(b"\n", b"\r\n"))
    link(project, "--accept", path)
    assert towns.read_bytes().decode("utf-8-sig").split("\r\n") == [
        "id,name,country,ags,lat,lon,wikidata,wikidata_document",
        'musterstadt,"Musterstadt, Stadt",DE,01001000,54.0,10.0,Q91,wikidata',
        "neudorf,Neudorf (Heide),DE,01001001,54.1,10.1,Q92,wikidata",
        "altdorf,Altdorf,DE,,48.0,11.0,Q9,wikidata",
        "",
    ]
    assert towns.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("case", cases("accepting.yaml"))
def test_a_decision_that_cannot_be_followed_changes_nothing(
    case: dict[str, Any], project: Path
) -> None:
    path = proposed(project)
    decide(path, case["decisions"])
    for file, (old, new) in case.get("change", {}).items():
        text = (project / file).read_text("utf-8")
        assert old in text
        (project / file).write_text(text.replace(old, new, 1), "utf-8")
    before = {item: item.read_bytes() for item in project.rglob("*") if item.is_file()}
    output = link(project, "--accept", path, "--lang", "en", code=1)
    place, code, message = case["refused"]
    finding = errors_in(output)[0]
    assert (f"{finding.file}:{finding.line}", finding.code) == (place, code)
    assert message in finding.what
    assert {item: item.read_bytes() for item in project.rglob("*") if item.is_file()} == before


def test_against_and_accept_exclude_each_other(project: Path) -> None:
    assert "either --against or --accept" in link(project, code=2)


# -- names -----------------------------------------------------------------------------------------


def test_frequent_words_weigh_little_and_misspelt_ones_count() -> None:
    forms, weights = Forms(["e. V."]), Weights()
    names = [f"University of {town}" for town in ("Siegen", "Siena", "Bonn", "Kiel", "Ulm")]
    for name in names:
        weights.add(forms.of(name))

    def likeness(first: str, second: str) -> float:
        return similarity(forms.of(first), forms.of(second), weights)

    assert likeness("University of Siegen e.V.", "Siegen, University of") == 1.0
    assert likeness("Univeristy of Siegen", "University of Siegen") > 0.9
    assert likeness("University of Siegen", "University of Siena") < 0.75
    assert likeness("University of Siegen", "University of Bonn") < 0.65
    assert likeness("Neuland 21", "neuland21") > 0.95


def test_a_pair_with_one_misspelt_word_is_compared_whatever_the_block() -> None:
    """The index must not lose what the comparison would accept."""
    forms, weights = Forms(), Weights()
    names = [f"Verein {a}{b}" for a in ("Acker", "Birken", "Dorn", "Eichen") for b in ("heim", "feld", "bach", "wald")]  # fmt: skip
    entries = [Described(name, (forms.of(name),)) for name in names]
    for entry in entries:
        weights.add(entry.names[0])
    for name in names:
        for at in range(8, len(name)):
            record = Described("r", (forms.of(name[:at] + name[at + 1 :]),))
            best = Matching(weights, 80).best([record], entries)
            assert best["r"][0].entry.key == name, (name, at)
