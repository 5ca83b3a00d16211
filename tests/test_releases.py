"""Releases: what closes them, what must not happen between them, and that their files never change."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import itertools
import json
import shutil
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
import yaml
from rdflib.namespace import DCAT

from lodpipe import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.releases.graph_versions import canonical_file
from lodpipe.releases.ledger import read_ledger
from lodpipe.releases.naming import project_terms
from lodpipe.releases.patches import earlier_version
from query_engines import HAS_VIRTUOSO, isql, virtuoso_server
from support import COUNTED, ROOT, TESTS, fingerprint, invoke

CASES = sorted((TESTS / "releases" / "gates").glob("*.yaml"))


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clubs of tests/releases/project with release 1.0.0 closed; to be copied."""
    project = tmp_path_factory.mktemp("clubs") / "project"
    shutil.copytree(TESTS / "releases" / "project", project)
    done = invoke("release", "--project", project, "--no-site")
    assert done.exit_code == 0, done.output
    return project


@pytest.fixture
def clubs(closed: Path, tmp_path: Path) -> Path:
    """A copy of it, for this test to change."""
    return Path(shutil.copytree(closed, tmp_path / "project"))


def take(project: Path, step: Any) -> None:
    """Takes a step of a case: replace, append, remove, release, build."""
    match step:
        case {"replace": name, "old": old, "new": new}:
            path = project / name
            text = path.read_text("utf-8")
            assert old in text, f"{name} does not contain {old!r}"
            path.write_text(text.replace(old, new), "utf-8")
        case {"append": name, "text": text}:
            path = project / name
            # Files of a build may be links to others.
            before = path.read_text("utf-8") if path.is_file() else ""
            path.unlink(missing_ok=True)
            path.write_text(before + text, "utf-8")
        case {"remove": name}:
            path = project / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        case {"release": version, "date": date}:
            run(project, "release", "--version", version, "--date", date, "--no-site")
        case "build":
            run(project, "build", "--no-site")
        case _:
            raise AssertionError(f"unknown step: {step}")


def run(project: Path, command: str, *options: str) -> str:
    """What a command that succeeds prints."""
    done = invoke(command, "--project", project, *options)
    assert done.exit_code == 0, done.output
    return done.stdout


def findings(project: Path) -> list[str]:
    """The findings of a check as `severity code place`, in order."""
    done = invoke("check", "--project", project, "--format", "json", "--fail-on", "never")
    report = json.loads(done.stdout)
    return sorted(
        f"{item['severity']} {item['code']} {item.get('file', '–')}"
        + (f":{item['line']}" if item.get("line") else "")
        for item in report["findings"]
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_gate_reports_its_mistake_and_nothing_else(path: Path, clubs: Path) -> None:
    case = yaml.safe_load(path.read_text("utf-8"))
    for step in case["steps"]:
        take(clubs, step)
    outdated = {"warning LP504 dist"} - set(case["findings"])
    assert [item for item in findings(clubs) if item not in outdated] == sorted(case["findings"])
    if "says" in case:
        done = invoke("check", "--project", clubs, "--fail-on", "never", "--lang", "en")
        assert case["says"] in done.stderr
    if "version" in case:
        run(clubs, "build", "--no-site")
        assert f'dcat:version "{case["version"]}"' in (clubs / "dist/catalog.ttl").read_text()


def test_cases_are_counted(request: pytest.FixtureRequest) -> None:
    request.config.stash.setdefault(COUNTED, []).append(f"gates of releases: {len(CASES)} cases")
    assert len(CASES) >= 20
    assert fingerprint(TESTS / "releases" / "project")


MERGED = """
- id: club/choir
  replaced_by: club/cinema
  date: '2024-03-31'
  reason: {en: Merged., de: Fusioniert.}
"""


def test_all_that_vanished_is_withdrawn_at_once(clubs: Path) -> None:
    take(clubs, {"replace": "source/clubs.yaml", "old": CHOIR, "new": ""})
    run(clubs, "withdraw", "--vanished", "--reason", "Dissolved.", "--date", "2024-02-29")
    assert "club/choir" in (clubs / "source/withdrawn.yaml").read_text()
    assert findings(clubs) == ["warning LP504 dist", "warning LP542 publication.yaml:8"]
    run(clubs, "withdraw", "--vanished", "--reason", "Again.")
    assert "Again" not in (clubs / "source/withdrawn.yaml").read_text()


def test_withdraw_needs_an_iri(clubs: Path) -> None:
    done = invoke("withdraw", "--project", clubs, "--reason", "Dissolved.")
    assert (done.exit_code, "Name an IRI" in done.stderr) == (2, True)


CHOIR = "- id: choir\n  name: Town Choir\n  members: 31\n  document: register\n"
CHANGES: list[tuple[str, str, list[Any]]] = [
    (
        "1.1.0",
        "2024-02-29",
        [
            {"append": "source/clubs.yaml", "text": "- id: cinema\n  name: Cinema\n  document: gazette\n"},
            {"replace": "source/clubs.yaml", "old": "members: 24", "new": "members: 25"},
        ],
    ),
    (
        "1.2.0",
        "2024-03-31",
        [
            {"replace": "source/clubs.yaml", "old": "- id: choir\n  name: Town Choir\n  members: 31\n  document: register\n", "new": ""},
            {"append": "source/withdrawn.yaml", "text": MERGED},
        ],
    ),
]  # fmt: skip


@pytest.fixture(scope="session")
def three_releases(closed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clubs after three releases; to be copied. The version is the proposed one."""
    project = Path(shutil.copytree(closed, tmp_path_factory.mktemp("three") / "project"))
    for version, date, steps in CHANGES:
        for step in steps:
            take(project, step)
        output = run(project, "release", "--date", date, "--no-site")
        assert f"{version}, {date}: dist/{date}/" in output
    return project


def test_ledger_says_what_changed(three_releases: Path) -> None:
    second, third = (
        json.loads((three_releases / "releases" / version / "release.json").read_text())
        for version in ("1.1.0", "1.2.0")
    )
    base = "https://clubs.example/club/"
    assert (second["previous"], second["added"], second["changed"]) == (
        "1.0.0",
        [base + "cinema"],
        [base + "chess"],
    )
    assert third["withdrawn"] == [{"iri": base + "choir", "replaced_by": [base + "cinema"]}]
    assert third["counts"]["records"] == {"clubs": 4, "documents": 3}


def test_declared_version_is_written_and_comments_stay(three_releases: Path) -> None:
    text = (three_releases / "publication.yaml").read_text()
    assert "  version: 1.2.0  # of the data\n  date: '2024-03-31'\n" in text


def test_files_of_closed_releases_never_change(three_releases: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    folders = ("2024-01-31", "2024-02-29", "2024-03-31")
    before = {name: fingerprint(project / "dist" / name) for name in folders}
    for number in range(20):
        take(
            project, {"replace": "source/clubs.yaml", "old": "Friends", "new": f"{number} Friends"}
        )
        run(project, "build", "--no-site")
        assert {name: fingerprint(project / "dist" / name) for name in folders} == before
    assert not list((project / "dist").glob("*.dev"))


def test_last_release_is_built_again_byte_for_byte(three_releases: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    before = fingerprint(project / "dist")
    shutil.rmtree(project / "dist" / "2024-03-31")
    run(project, "build", "--no-site")
    assert fingerprint(project / "dist") == before


def test_lost_folders_are_left_out_on_demand_only(three_releases: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    shutil.rmtree(project / "dist" / "2024-01-31")
    done = invoke("build", "--project", project, "--no-site")
    assert done.exit_code == 1
    assert "LP547" in done.stderr
    run(project, "build", "--no-site", "--allow-loss")
    assert not (project / "dist" / "2024-01-31").exists()


def test_each_dated_catalogue_describes_its_own_files(three_releases: Path) -> None:
    dist = three_releases / "dist"
    for version, date, previous in (
        ("1.0.0", "2024-01-31", None),
        ("1.1.0", "2024-02-29", "1.0.0"),
        ("1.2.0", "2024-03-31", "1.1.0"),
    ):
        graph = rdflib.Graph().parse(dist / date / "catalog.ttl")
        (dataset,) = graph.subjects(rdflib.RDF.type, DCAT.Dataset)
        assert str(dataset) == f"https://clubs.example/dataset/{version}"
        assert str(graph.value(dataset, DCAT.version)) == version
        assert str(graph.value(dataset, rdflib.OWL.versionInfo)) == version
        assert str(graph.value(dataset, rdflib.DCTERMS.issued)) == date
        assert graph.value(dataset, DCAT.isVersionOf) == rdflib.URIRef(
            "https://clubs.example/dataset"
        )
        before = graph.value(dataset, DCAT.previousVersion)
        assert before == (previous and rdflib.URIRef(f"https://clubs.example/dataset/{previous}"))
        addresses = [str(item) for item in graph.objects(None, DCAT.downloadURL)]
        assert addresses
        for address in addresses:
            assert (dist / address.removeprefix("https://clubs.example/")).is_file(), address
            assert f"/{date}/" in address
        sums = (dist / date / "SHA256SUMS").read_text().splitlines()
        assert len(sums) == sum(1 for path in (dist / date).rglob("*") if path.is_file()) - 1


def test_first_issue_date_stays_in_the_catalogue(three_releases: Path) -> None:
    graph = rdflib.Graph().parse(three_releases / "dist" / "catalog.ttl")
    (dataset,) = graph.subjects(rdflib.RDF.type, DCAT.Dataset)
    assert str(dataset) == "https://clubs.example/dataset"
    assert str(graph.value(dataset, rdflib.DCTERMS.issued)) == "2024-01-31"
    assert str(graph.value(dataset, rdflib.DCTERMS.modified)) == "2024-03-31"
    assert sorted(map(str, graph.objects(dataset, DCAT.hasVersion))) == [
        f"https://clubs.example/dataset/{version}" for version in ("1.0.0", "1.1.0", "1.2.0")
    ]


def test_development_state_is_marked_everywhere(three_releases: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    take(project, {"replace": "source/clubs.yaml", "old": "members: 7", "new": "members: 8"})
    run(project, "build", "--no-site")
    dist = project / "dist"
    catalogue = (dist / "catalog.ttl").read_text()
    assert 'dcat:version "1.2.1.dev"' in catalogue
    assert "distribution-status/DEVELOP" in catalogue
    assert "Development state after 1.2.0" in catalogue
    assert "version: 1.2.1.dev" in (dist / "CITATION.cff").read_text()
    assert '"version": "1.2.1.dev"' in (dist / "dataset.jsonld").read_text()


def test_deltas_lead_from_one_store_to_the_next(three_releases: Path) -> None:
    dist = three_releases / "dist"
    dates = ("2024-01-31", "2024-02-29", "2024-03-31")
    for earlier, later in itertools.pairwise(dates):
        old, new = (loaded(dist / date) for date in (earlier, later))
        update = gzip.decompress((dist / later / "update.ru.gz").read_bytes()).decode()
        by_update, by_patch = loaded(dist / earlier), set(map(str, old))
        by_update.update(update)
        assert set(map(str, by_update)) == set(map(str, new))
        for line in (
            gzip.decompress((dist / later / "patch.rdfp.gz").read_bytes()).decode().splitlines()
        ):
            if line[:2] in ("A ", "D "):
                (quad,) = ox.parse(line[2:], format=ox.RdfFormat.N_QUADS)
                (by_patch.add if line[0] == "A" else by_patch.remove)(str(quad))
        assert by_patch == set(map(str, new))
        added, removed = (
            set(gzip.decompress((dist / later / f"{name}.nq.gz").read_bytes()).splitlines())
            for name in ("added", "removed")
        )
        lines = [set(dump(dist / date).splitlines()) for date in (earlier, later)]
        assert (added, removed) == (lines[1] - lines[0], lines[0] - lines[1])


@pytest.mark.slow
@pytest.mark.skipif(not HAS_VIRTUOSO, reason="Virtuoso is not installed")
def test_updates_lead_virtuoso_from_one_release_to_the_next(
    three_releases: Path, tmp_path: Path
) -> None:
    dist = three_releases / "dist"
    nquads = tmp_path / "first.nq"
    nquads.write_bytes(dump(dist / "2024-01-31"))
    folder = tmp_path / "virtuoso"
    folder.mkdir()
    with virtuoso_server(nquads, folder) as (sql, http):
        for date in ("2024-02-29", "2024-03-31"):
            update = gzip.decompress((dist / date / "update.ru.gz").read_bytes()).decode()
            for operation in filter(str.strip, update.split("} ;\n")):
                isql(sql, f"SPARQL {operation}}};")
            # Virtuoso keeps a boolean as a number.
            expected = {
                (quad.subject.value, quad.predicate.value, quad.object.value.replace("true", "1"))
                for quad in loaded(dist / date)
            }
            assert in_virtuoso(http) == expected


def in_virtuoso(port: int) -> set[tuple[str, str, str]]:
    """The statements of the publication's graphs in a Virtuoso server."""
    query = """SELECT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } FILTER strstarts(str(?g), "https://clubs.example/") }"""
    parameters = urllib.parse.urlencode(
        {"query": query, "format": "application/sparql-results+json"}
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sparql?{parameters}") as answer:
        rows = json.load(answer)["results"]["bindings"]
    return {(row["s"]["value"], row["p"]["value"], row["o"]["value"]) for row in rows}


def test_changes_are_listed_with_labels(three_releases: Path) -> None:
    changes = json.loads((three_releases / "dist/2024-03-31/changes.json").read_text())
    assert (changes["from"], changes["to"]) == ("1.1.0", "1.2.0")
    assert changes["counts"]["resources"] == {"added": 0, "changed": 0, "withdrawn": 1}
    assert [(item["iri"], item["label"]) for item in changes["withdrawn"]] == [
        ("https://clubs.example/club/choir", {"en": "Town Choir"})
    ]


def test_earlier_releases_are_known_without_their_dumps(three_releases: Path) -> None:
    dist, ledger = three_releases / "dist", read_ledger(three_releases)
    current = canonical_file(dist / "clubs.nq", "1.2.0")
    for release in ledger.releases[:-1]:
        with (
            earlier_version(ledger, current, ledger.last, release) as version,
            version.read() as file,
        ):
            assert file.read() == dump(dist / release.folder)


def test_draft_of_notes_is_kept(clubs: Path) -> None:
    take(clubs, {"replace": "source/clubs.yaml", "old": "members: 7", "new": "members: 8"})
    output = run(clubs, "release", "--draft")
    assert "releases/1.0.1/notes.en.md" in output
    notes = clubs / "releases/1.0.1/notes.en.md"
    assert "number of members: 7 → 8" in notes.read_text()
    notes.write_text("# 1.0.1\n\nThe archive counts again.\n\n## Details\n", "utf-8")
    run(clubs, "release", "--no-site", "--date", "2024-02-29")
    assert '"The archive counts again."@en' in (clubs / "dist/catalog.ttl").read_text()


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ((), "nothing has changed since release 1.0.0"),
        (("--version", "1.0.0"), "version 1.0.0 is not higher than 1.0.0"),
        (("--version", "0.9.9"), "version 0.9.9 is not higher than 1.0.0"),
        (("--version", "next"), "`next` is not a version such as 1.2.0"),
        (
            ("--version", "2.0.0", "--date", "2023-01-01"),
            "the date 2023-01-01 is before 2024-01-31",
        ),
        (("--date", "31.12.2024"), "`31.12.2024` is not a date such as 2026-12-01"),
    ],
)
def test_impossible_release_is_refused(clubs: Path, options: tuple[str, ...], detail: str) -> None:
    before = fingerprint(clubs)
    done = invoke("release", "--project", clubs, "--no-site", *options)
    assert done.exit_code == 2
    assert detail in done.stderr
    assert fingerprint(clubs) == before


def test_release_without_changed_data_is_possible_on_demand(clubs: Path) -> None:
    run(clubs, "release", "--version", "1.0.1", "--date", "2024-02-29", "--no-site")
    assert (clubs / "dist/2024-02-29/catalog.ttl").is_file()


def test_two_releases_of_one_day_have_folders_of_their_own(clubs: Path) -> None:
    take(clubs, {"replace": "source/clubs.yaml", "old": "members: 7", "new": "members: 8"})
    output = run(clubs, "release", "--date", "2024-01-31", "--no-site")
    assert "dist/2024-01-31-1.0.1/" in output


@pytest.mark.parametrize("served", [True, False], ids=["from a server", "from a folder"])
def test_lost_folders_are_restored(three_releases: Path, tmp_path: Path, served: bool) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    before = fingerprint(project / "dist")
    shutil.rmtree(project / "dist" / "2024-01-31")
    damaged = project / "dist" / "2024-02-29" / "changes.json"
    damaged.unlink()
    damaged.write_text("{}")
    origin = three_releases / "dist"
    with directory_server(origin) if served else contextlib.nullcontext(str(origin)) as source:
        output = run(project, "restore", source)
    assert output.splitlines() == ["dist/2024-01-31/", "dist/2024-02-29/"]
    assert fingerprint(project / "dist") == before


def test_wrong_files_are_not_restored(three_releases: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(three_releases, tmp_path / "project"))
    origin = Path(shutil.copytree(three_releases / "dist", tmp_path / "origin"))
    shutil.rmtree(project / "dist" / "2024-01-31")
    shutil.rmtree(project / "dist" / "2024-02-29")
    (origin / "2024-01-31" / "catalog.ttl").unlink()
    (origin / "2024-01-31" / "catalog.ttl").write_text("other")
    done = invoke("restore", origin, "--project", project)
    assert done.exit_code == 1
    assert (
        "dist/2024-01-31/ is not what release 1.0.0 published: catalog.ttl has other content"
        in done.stderr
    )
    assert not (project / "dist" / "2024-01-31").exists()
    assert (project / "dist" / "2024-02-29").is_dir()
    shutil.rmtree(origin / "2024-01-31")
    assert "cannot be fetched from" in invoke("restore", origin, "--project", project).stderr


@contextlib.contextmanager
def directory_server(folder: Path) -> Iterator[str]:
    """The files of a folder on loopback; the address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_declared_names_of_kinds_and_properties_are_used() -> None:
    project = Project.open(ROOT)
    terms = project_terms(project, read_vocabulary(ROOT, project.publication.base))
    organisation = "<http://www.w3.org/ns/org#FormalOrganization>"
    assert terms.kind(organisation, "de", many=True) == "Organisationen"
    assert terms.property("<https://w3id.org/rogl/def/counted>", "en") == "Counted"
    assert terms.property("<https://schema.org/name>", "de") == "Name"
    assert terms.kinds["<http://www.w3.org/ns/org#Membership>"].name == (
        "<http://www.w3.org/ns/org#organization>",
        "<http://www.w3.org/ns/org#member>",
    )


def dump(folder: Path) -> bytes:
    """The N-Quads of a release's folder."""
    return gzip.decompress((folder / "clubs.nq.gz").read_bytes())


def loaded(folder: Path) -> ox.Store:
    """A store with the statements of a release."""
    store = ox.Store()
    store.bulk_load(dump(folder), format=ox.RdfFormat.N_QUADS)
    return store
