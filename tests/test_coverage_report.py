"""`lodpipe coverage`: states of expected fields, their figures in each format, in the ledger and on
the page.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.releases.coverage_figures import share, share_of_all
from support import ROOT, TESTS, errors_in, invoke

PROJECT = TESTS / "linking/project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def report(project: Path, *arguments: str) -> str:
    result = invoke("coverage", "--project", project, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_each_field_of_each_record_has_its_state(project: Path) -> None:
    tables = json.loads(report(project, "--format", "json"))["tables"]
    clubs, towns = ({item["key"]: item["states"] for item in table["records"]} for table in tables)
    assert clubs == {
        # 1890 is less precise than 1890-05, which is no contradiction; the list of members is declared incomplete.
        "chor": {"founded": "known", "grants": "unknown", "website": "unknown", "members": "partial", "wikidata": "unknown"},
        # Two grants of one year contradict each other; members are expected of clubs only.
        "institut": {"founded": "unknown", "grants": "contradictory", "website": "unknown", "wikidata": "unknown"},
        "laufgruppe": dict.fromkeys(("founded", "grants", "website", "wikidata"), "unknown"),
        "ruderclub": {"founded": "contradictory", "grants": "known", "website": "editorial", "members": "unknown", "wikidata": "unknown"},
    }  # fmt: skip
    assert towns["altdorf"] == {"ags": "unknown", "wikidata": "known"}
    assert tables[0]["figures"]["members"] == {"partial": 1, "unknown": 1}


def states_of(project: Path, record: str) -> dict[str, str]:
    rows = list(csv.DictReader(io.StringIO(report(project, "--format", "csv"))))
    return {row["field"]: row["state"] for row in rows if row["record"] == record}


@pytest.mark.parametrize(
    ("documents", "state"), [(("editors", "editors"), "editorial"), (("report", "editors"), "known")]
)  # fmt: skip
def test_a_value_is_editorial_where_all_its_documents_are(
    project: Path, documents: tuple[str, str], state: str
) -> None:
    path = project / "source/clubs.yaml"
    head, _, institute = path.read_text("utf-8").partition("- id: institut")
    institute = institute.replace("value: 700", "value: 500").replace("editors", documents[1])
    path.write_text(f"{head}- id: institut{institute.replace('report', documents[0])}", "utf-8")
    assert states_of(project, "institut")["grants"] == state


def test_a_less_precise_date_contradicts_one_that_the_editors_preferred(project: Path) -> None:
    path = project / "source/clubs.yaml"
    text = path.read_text("utf-8").replace(
        "date: '1890'\n", "date: '1890'\n      preferred: false\n"
    )
    path.write_text(text, "utf-8")
    assert states_of(project, "chor")["founded"] == "contradictory"


def test_each_format_says_the_same(project: Path) -> None:
    text = report(project, "--table", "clubs", "--lang", "en")
    assert (
        "all             2           1              2               1       12        33.3 %"
        in text
    )
    assert "   ?  !  ?     ?  Institut für Vogelkunde" in text
    markdown = report(project, "--table", "clubs", "--lang", "en", "--format", "markdown")
    assert "| all | 2 | 1 | 2 | 1 | 12 | 33.3 % |" in markdown
    assert (
        "| Institut für Vogelkunde | unknown | contradictory | unknown |  | unknown |" in markdown
    )
    rows = list(csv.DictReader(io.StringIO(report(project, "--table", "clubs", "--format", "csv"))))
    assert len(rows) == 18
    first = next(row for row in rows if row["record"] == "ruderclub")
    assert (first["file"], first["line"], first["state"]) == (
        "source/clubs.yaml",
        "19",
        "contradictory",
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{field: website", "{field: webseite", "there is no field `webseite` in clubs"),
        ("single: date", "single: day", "the items of `founded` have no field `day`"),
        ("evidence: documents", "evidence: papers", "there is no table `papers`"),
        ("when: {kind: [club]}", "when: {sort: [club]}", "there is no field `sort` in clubs"),
        ("- table: towns\n    fields:", "- table: town\n    fields:", "there is no table `town` whose records have a key"),
    ],
)  # fmt: skip
def test_a_rule_that_names_what_does_not_exist_is_reported(
    project: Path, old: str, new: str, message: str
) -> None:
    path = project / "publication.yaml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    result = invoke("coverage", "--project", project, "--lang", "en")
    assert result.exit_code == 2
    (finding,) = errors_in(result.output)
    assert (finding.code, finding.what) == ("LP601", f"coverage: {message}")
    assert finding.line in (28, 38)


def test_an_unknown_table_is_refused(project: Path) -> None:
    result = invoke("coverage", "--project", project, "--table", "club", "--lang", "en")
    assert result.exit_code == 2
    assert "declares no table `club`; declared: clubs, towns" in result.output


def test_figures_of_earlier_releases_are_not_invented() -> None:
    figures = {"clubs": {"founded": {"known": 1, "unknown": 3}, "website": {"known": 2}}}
    assert share_of_all(figures, "clubs", ["founded", "website"]) == 0.5
    assert share_of_all(figures, "clubs", ["founded", "grants"]) is None  # a field that is new
    assert share_of_all(None, "clubs", ["founded"]) is None  # closed before figures were counted
    assert share({}) is None


def test_a_closed_release_keeps_its_figures(tmp_path: Path) -> None:
    project = Path(shutil.copytree(TESTS / "releases/project", tmp_path / "clubs"))
    with (project / "publication.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "coverage:\n  - {table: clubs, fields: [{field: website}, {field: document}, {field: members}]}\n"
        )
    assert json.loads(report(project, "--format", "json"))["tables"][0]["releases"] == []
    done = invoke("release", "--project", project, "--no-site")
    assert done.exit_code == 0, done.output
    entry = json.loads((project / "releases/1.0.0/release.json").read_text("utf-8"))
    (table,) = json.loads(report(project, "--format", "json"))["tables"]
    assert entry["coverage"] == {"clubs": table["figures"]}
    assert table["releases"][0]["version"] == "1.0.0"
    assert 0 < table["releases"][0]["share"] <= 1
    # A field that is declared later was not counted then.
    path = project / "publication.yaml"
    path.write_text(path.read_text("utf-8").replace("{field: website}", "{field: website}, {field: name}"), "utf-8")  # fmt: skip
    (table,) = json.loads(report(project, "--format", "json"))["tables"]
    assert table["releases"] == [{"version": "1.0.0", "share": None}]


def with_disputes(project: Path, declared: str) -> None:
    """Gives clubs remarks that name fields, one of them of the choir, and declares where they are."""
    records, clubs, publication = (
        project / name for name in ("source/records.yaml", "source/clubs.yaml", "publication.yaml")
    )
    fields = "    remarks: {list: {fields: {kind: {type: text}, about: {list: {fields: {field: {type: text}}}}}}}\n"
    text = records.read_text("utf-8")
    records.write_text(
        text.replace("    kind: {type: slug}\n", f"    kind: {{type: slug}}\n{fields}", 1), "utf-8"
    )
    remarks = "  remarks:\n    - {kind: dispute, about: [{field: members}]}\n    - {kind: note, about: [{field: founded}]}\n"
    text = clubs.read_text("utf-8")
    clubs.write_text(
        text.replace("  town: musterstadt\n", f"  town: musterstadt\n{remarks}", 1), "utf-8"
    )
    text = publication.read_text("utf-8")
    after = "    editorial: [editors]\n"
    publication.write_text(text.replace(after, f"{after}    disputed: {declared}\n", 1), "utf-8")


def test_editors_say_that_a_field_is_contradictory(project: Path) -> None:
    with_disputes(project, "{list: remarks, when: {kind: dispute}, field: about.field}")
    states = states_of(project, "chor")
    assert (states["members"], states["founded"]) == ("contradictory", "known")


@pytest.mark.parametrize(
    ("declared", "detail"),
    [
        ("{list: notes, field: about.field}", "there is no list `notes` in clubs"),
        ("{list: remarks, field: about.fields}", "the items of `remarks` have no field `about.fields`"),
        ("{list: remarks, when: {sort: x}, field: about.field}", "the items of `remarks` have no field `sort`"),
    ],
)  # fmt: skip
def test_disputes_that_are_declared_wrongly(project: Path, declared: str, detail: str) -> None:
    with_disputes(project, declared)
    result = invoke("coverage", "--project", project, "--lang", "en")
    assert result.exit_code == 2
    assert detail in result.output


@pytest.mark.slow
def test_coverage_sees_every_contradiction_of_the_graph() -> None:
    """Those between records, too: the amount of a lab against what its programme says of each."""
    tables = json.loads(report(ROOT, "--format", "json"))["tables"]
    covered = {
        f"{table['table'][:-1]}/{record['key']}"
        for table in tables
        for record in table["records"]
        if "contradictory" in record["states"].values()
    }
    store = ox.Store()
    store.bulk_load(path=str(ROOT / "dist/rogl.nq"), format=ox.RdfFormat.N_QUADS)
    rows = store.query(
        "PREFIX def: <https://w3id.org/rogl/def/> PREFIX oa: <http://www.w3.org/ns/oa#> "
        "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX schema: <https://schema.org/> "
        "SELECT DISTINCT ?about WHERE { ?c a def:Contradiction ; schema:about ?about ; oa:hasTarget/rdf:predicate ?p "
        'FILTER (!CONTAINS(STR(?p), "Label") && !CONTAINS(STR(?about), "/total/")) }',  # no fields of coverage
        use_default_graph_as_union=True,
    )
    assert covered == {row["about"].value.removeprefix("https://w3id.org/rogl/") for row in rows}
    labs = {record["key"]: record["states"] for record in tables[0]["records"]}
    assert labs["marburg-biedenkopf"]["amounts"] == "contradictory"
