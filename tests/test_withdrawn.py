"""Withdrawn IRIs: what the list says, what it states in the graph, what pages and dumps show, and
what `lodpipe withdraw` appends.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pyoxigraph as ox
import pytest
import yaml

from lodpipe import LodpipeError, Project, checked
from lodpipe.diagnostics.finding import Finding
from lodpipe.diagnostics.rules import render
from support import ROOT, TESTS, WITHDRAWN, copy_project, findings_in, invoke, run_process
from web_servers import free_port

LIBRARIES = TESTS / "projects/libraries"
BASE = "https://libraries.example/"
GRAPH = f"<{BASE}withdrawn>"
PREFIXES = """@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def cases(name: str) -> list[Any]:
    cases = yaml.safe_load((TESTS / "withdrawn" / name).read_text("utf-8"))
    return [pytest.param(case, id=case["case"]) for case in cases]


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "project", LIBRARIES)


def triples(text: str) -> set[tuple[str, str, str]]:
    parsed = ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE, base_iri=BASE)
    return {(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in parsed}


# -- the list --------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("cases.yaml"))
def test_what_the_list_says(case: dict[str, Any], libraries: Path) -> None:
    (libraries / "source/withdrawn.yaml").write_text(case["file"], "utf-8")
    stated: set[tuple[str, str, str]] | None = None
    answers: dict[str, list[Any]] = {}
    try:
        with checked(Project.open(libraries)) as outcome:
            findings: tuple[Finding, ...] = outcome.findings
            stated = {(s, p, o) for s, p, o, g in outcome.statements.quads() if g == GRAPH}
            withdrawn = outcome.declarations.withdrawn
            answers = {
                tombstone.id: [tombstone.status, *tombstone.living]
                for tombstone in withdrawn.tombstones
            }
    except LodpipeError as error:
        findings = error.findings
    expected = case.get("findings", [])
    lines = case["file"].split("\n")
    assert [
        (finding.code, finding.where and (finding.where.file, finding.where.line))
        for finding in findings
    ] == [
        (
            code,
            ("source/withdrawn.yaml", next(n for n, line in enumerate(lines, 1) if text in line)),
        )
        for code, text, _ in expected
    ], findings
    for finding, (_, _, words) in zip(findings, expected, strict=True):
        assert words in render(finding.code, finding.params, "en")[0]
    if stated is not None:
        assert answers == case.get("answers", answers)
        assert "states" not in case or stated == triples(case["states"])


def test_an_invalid_list_states_nothing_and_an_unreadable_one_is_a_finding(libraries: Path) -> None:
    (libraries / "source/withdrawn.yaml").write_text("- {id: [", "utf-8")
    result = invoke("check", "--project", libraries, "--lang", "en")
    assert (result.exit_code, [finding.code for finding in findings_in(result.stderr)]) == (
        2,
        ["LP102"],
    )


def test_explain_names_the_line_of_a_withdrawal(libraries: Path) -> None:
    text = "\n- id: library/west\n  date: '2024-02-29'\n  reason: {en: Closed.}\n"
    (libraries / "source/withdrawn.yaml").write_text(text, "utf-8")
    result = invoke("explain", "library/west", "--project", libraries)
    assert "source/withdrawn.yaml:2 · rule withdrawn · withdrawn" in result.stdout


# -- dumps and pages -------------------------------------------------------------------------------

LIST = """
- id: [library/north, library/south]
  replaced_by: library/central
  date: '2024-02-01'
  reason: {en: Merged., de: Zusammengelegt.}
  event: event/merger
- id: library/all
  replaced_by: [library/harbour, library/central]
  label: {en: Library of all, de: Bücherei für alle}
  date: '2024-02-01'
  reason: {en: Split <in two>.}
- id: library/first
  replaced_by: library/north
  date: '2023-02-01'
  reason: {en: Renamed.}
- id: library/west
  date: '2024-02-01'
  reason: {en: Closed.}
"""


@pytest.fixture(scope="module")
def built_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dist/ of the libraries with that list."""
    project = copy_project(tmp_path_factory.mktemp("withdrawn") / "project", LIBRARIES)
    (project / "source/withdrawn.yaml").write_text(LIST, "utf-8")
    done = run_process("build", "--project", project)
    assert done.returncode == 0, done.stderr
    return project / "dist"


def test_every_dump_has_the_statements(built_list: Path) -> None:
    expected = {
        (str(quad.subject), str(quad.predicate), str(quad.object))
        for quad in ox.parse(path=built_list / "libraries.nq")
        if str(quad.graph_name) == GRAPH
    }
    assert len(expected) == 36
    for suffix in ("nt", "ttl", "jsonld"):
        path = built_list / f"libraries.{suffix}"
        statements = {
            (str(quad.subject), str(quad.predicate), str(quad.object))
            for quad in ox.parse(path=path, base_iri=BASE)
        }
        assert expected <= statements, suffix
    listed = {
        (str(quad.subject), str(quad.predicate), str(quad.object))
        for quad in ox.parse(path=built_list / "withdrawn.ttl", base_iri=BASE)
    }
    assert expected <= listed
    assert "org:ChangeEvent" in (built_list / "withdrawn.ttl").read_text("utf-8")
    assert "<http://www.w3.org/ns/org#changedBy>" in (built_list / "void.ttl").read_text("utf-8")


def test_withdrawn_resources_are_no_instances_of_a_class(built_list: Path) -> None:
    typed = {
        str(quad.subject.value)
        for quad in ox.parse(path=built_list / "libraries.nq")
        if quad.predicate.value.endswith("#type")
    }
    assert f"{BASE}event/merger" in typed
    withdrawn = {f"{BASE}library/{name}" for name in ("north", "south", "all", "first", "west")}
    assert not typed & withdrawn


PAGES = [
    ("library/north", "library/central", ["1 February 2024", "Merged.", "Central Library", "Event"]),
    ("library/north.de", "library/central", ["1. Februar 2024", "Zusammengelegt.", "Zentralbibliothek"]),
    ("library/first", "library/central", ["1 February 2023", "Renamed.", "Central Library"]),
    ("library/all", "", ["Library of all", "Split &lt;in two&gt;.", "Harbour Branch", "Central Library", "Successors"]),
    ("library/all.de", "", ["Bücherei für alle", "Split &lt;in two&gt;.", "Zweigstelle Hafen"]),
    ("library/west", "", ["library/west", "Closed.", "no longer published"]),
]  # fmt: skip


@pytest.mark.parametrize(("page", "successor", "parts"), PAGES, ids=lambda value: str(value)[:20])
def test_a_page_says_since_when_why_and_what_to_ask_instead(
    page: str, successor: str, parts: list[str], built_list: Path
) -> None:
    text = (built_list / f"site/{page}.html").read_text("utf-8")
    assert '<meta name="robots" content="noindex">' in text
    for part in parts:
        assert part in text
    canonical = re.findall(r'<link rel="canonical" href="([^"]*)">', text)
    refresh = re.findall(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', text)
    language = ".de" if page.endswith(".de") else ""
    assert canonical == ([BASE + successor] if successor else [])
    assert refresh == ([f"../{successor}{language}.html"] if successor else [])
    for target in re.findall(r'href="(\.\./library/[^"#]*)"', text) + refresh:
        assert (built_list / "site/library" / unescape(target)).is_file(), target


def test_search_and_lists_do_not_lead_to_withdrawn_resources(built_list: Path) -> None:
    site = built_list / "site"
    paths = (
        site / "sitemap.xml",
        *(site / "assets/search").iterdir(),
        *(site / "browse").iterdir(),
    )
    for path in paths:
        assert "library/west" not in path.read_text("utf-8"), path.name


@pytest.fixture(scope="module")
def static_host(built_list: Path) -> Iterator[int]:
    """Python's own server over the pages: a host without any rules."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=built_list / "site", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("library/north.html", "noindex"),
        ("library/north.de.html", "noindex"),
        ("library/north.ttl", "dct:isReplacedBy <library/central>"),
        ("library/north.jsonld", "isReplacedBy"),
        ("library/north.nt", f"<{BASE}library/central>"),
        ("library/north.rdf", "isReplacedBy"),
        ("library/west.ttl", "owl:deprecated true"),
        ("event/merger.ttl", "org:ChangeEvent"),
        ("_redirects", "/library/first /library/central 301"),
    ],
)
def test_a_static_host_sends_the_documents(static_host: int, name: str, part: str) -> None:
    with urlopen(f"http://127.0.0.1:{static_host}/{name}", timeout=10) as answer:
        assert answer.status == 200
        body = answer.read().decode("utf-8")
    prefixed = body.replace("<http://www.w3.org/2002/07/owl#deprecated>", "owl:deprecated")
    prefixed = prefixed.replace("<http://purl.org/dc/terms/isReplacedBy>", "dct:isReplacedBy")
    assert part in prefixed.replace("<http://www.w3.org/ns/org#ChangeEvent>", "org:ChangeEvent")


def test_rules_of_static_hosts_stay_within_their_limits(tmp_path: Path) -> None:
    from lodpipe.publish.catalogue.web import write_web
    from lodpipe.releases.history import History
    from lodpipe.releases.tombstones import Tombstone

    gone = [Tombstone(f"library/{n:04}", (), (), "2024-01-01", {}) for n in range(700)]
    moved = [
        Tombstone(f"old/{n:04}", ("library/x",), ("library/x",), "2024-01-01", {})
        for n in range(700)
    ]
    write_web(Project.open(LIBRARIES).publication, [*gone, *moved], tmp_path, History(None))
    lines = (tmp_path / "web/_redirects").read_text("utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert len(rules) <= 1_000 and sum(len(line) + 1 for line in lines) <= 64_000
    assert sum(line.endswith(" 301!") for line in rules) == 700
    assert rules[-1] == "/distribution/* /catalog.ttl 303"
    assert any("more withdrawn addresses" in line for line in lines)


# -- the real publication --------------------------------------------------------------------------


def findings_without_line(output: str) -> list[tuple[str, str, str]]:
    return sorted((finding.code, finding.file, finding.what) for finding in findings_in(output))


@pytest.mark.slow
def test_an_organisation_of_the_real_publication_is_withdrawn(tmp_path: Path) -> None:
    """Its record goes, the command lists it: no shape, query or other check sees a difference."""
    project = copy_project(tmp_path / "project")
    (project / "dist").mkdir()
    shutil.copy(ROOT / "dist/rogl.nq", project / "dist")
    record = "organisation/bremer-heimstiftung"
    path = project / "source/organisations.yaml"
    text = re.sub(r"- id: bremer-heimstiftung\n(?:  .*\n)*\n?", "", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    path = project / "source/labs/bremen-bremerhaven.yaml"
    text = path.read_text("utf-8")
    entry = r"  - organisation: bremer-heimstiftung\n(?:    .*\n)*"
    assert re.search(entry, text)
    path.write_text(re.sub(entry, "", text), "utf-8")
    before = run_process("check", "--project", project, "--lang", "en")
    arguments = [
        record, "--replaced-by", "organisation/awo-bremen", "--event", "event/heimstiftung",
        "--reason", "Aufgegangen.", "--reason", "en=Merged.",
    ]  # fmt: skip
    done = run_process("withdraw", *arguments, "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert "de: 'Bremer Heimstiftung'" in done.stdout
    after = run_process("check", "--project", project, "--lang", "en")
    assert findings_without_line(after.stderr) == findings_without_line(before.stderr)
    with checked(Project.open(project), queries=False) as outcome:
        stated = {
            (s, p) for s, p, _, g in outcome.statements.quads() if g.endswith("rogl/withdrawn>")
        }
    assert len({s for s, _ in stated}) == 3 + 3  # those of the publication itself


# -- the command -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("command.yaml"))
def test_the_command_appends_an_entry_or_leaves_the_file(
    case: dict[str, Any], built_libraries: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(built_libraries, project, ignore=shutil.ignore_patterns("site"))
    path = project / "source/withdrawn.yaml"
    before = case.get("file", "").encode("utf-8")
    if "file" in case:
        path.write_bytes(before)
    result = invoke("withdraw", *case["arguments"], "--project", project, "--lang", "en")
    if "appends" in case:
        assert result.exit_code == 0, result.stderr
        assert path.read_bytes() == before + case["appends"].encode("utf-8")
        assert result.stdout.endswith(case["appends"].replace("\r", ""))
    else:
        assert result.exit_code != 0
        assert case["says"] in result.stderr
        assert [finding.code for finding in findings_in(result.stderr)] == (
            [case["code"]] if "code" in case else []
        )
        assert (path.read_bytes() if path.is_file() else b"") == before
    assert list(path.parent.glob(".*")) == []


def test_the_file_of_the_tests_is_what_the_command_would_accept(libraries: Path) -> None:
    """The list that the web servers are tested with can be appended to as well."""
    path = libraries / "source/withdrawn.yaml"
    path.write_text(WITHDRAWN, "utf-8")
    result = invoke("withdraw", "library/west", "--reason", "Closed.", "--project", libraries)
    assert result.exit_code == 0, result.stderr
    assert path.read_text("utf-8").startswith(WITHDRAWN)
