"""Data formats of resources by choice (`site: {formats: …}`): files, links of pages, what servers send,
and what an unknown format is answered by.
"""

from __future__ import annotations

import http.client
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from serving import Served, serving
from support import TESTS, copy_project, invoke, run_process
from test_examples import declared
from web_servers import SERVERS, apache_configuration, free_port, launched, start

CASES: list[dict[str, Any]] = yaml.safe_load((TESTS / "site/formats.yaml").read_text("utf-8"))
DATA = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
}
TOMBSTONE = "- id: {}\n  date: '2026-11-23'\n  reason: {{en: Closed., de: Geschlossen.}}\n"


class Chosen(NamedTuple):
    """A case, and the project that was built for it."""

    case: dict[str, Any]
    project: Path

    @property
    def site(self) -> Path:
        return self.project / "dist/site"


def prepared(case: dict[str, Any], root: Path, keys: str = "") -> Path:
    """The project of a case with its formats and a withdrawn resource."""
    name = case["project"]
    if name == "libraries":
        copy_project(root, TESTS / "projects" / name)
    else:
        root.mkdir(parents=True)
        shutil.copytree(TESTS / "examples" / name / "data", declared(name, root) / "data")
        shutil.rmtree(root / "queries")
    formats = ", ".join(case["formats"])
    path = root / "publication.yaml"
    text = path.read_text("utf-8").replace("dumps: [nq, ttl]", "dumps: [nq, nt]")
    path.write_text(text.replace("site:\n", f"site:\n  formats: [{formats}]\n{keys}"), "utf-8")
    (root / "source/withdrawn.yaml").write_text(TOMBSTONE.format(case["withdrawn"]), "utf-8")
    return root


def built(project: Path) -> Path:
    done = run_process("build", "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The projects of all cases, built once: tests take turns with them."""
    folder = tmp_path_factory.mktemp("projects")
    names = {case["project"]: built(prepared(case, folder / case["project"])) for case in CASES}
    for path in (*[*folder.parents][:2], folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o755)  # servers read as another user
    return names


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case["project"])
def chosen(request: pytest.FixtureRequest, projects: dict[str, Path]) -> Chosen:
    return Chosen(request.param, projects[request.param["project"]])


def test_each_resource_has_these_files_and_no_others(chosen: Chosen) -> None:
    pages = [
        path for path in chosen.site.glob("*/**/*.json") if path.with_suffix(".html").is_file()
    ]
    resources = [page for page in pages if page.parent.name not in ("api", "dataset")]
    print(f"{len(resources)} resources")
    assert len(resources) > 8
    expected = {*chosen.case["formats"]}
    for path in resources:
        formats = {name for name in DATA if path.with_suffix(f".{name}").is_file()}
        tree = chosen.project / "dist" / path.with_suffix(".jsonld").relative_to(chosen.site)
        assert formats - expected <= ({"jsonld"} if tree.is_file() else set()), path
        assert expected <= formats, path


def test_pages_lead_to_these_formats_alone(chosen: Chosen) -> None:
    expected = {(name, DATA[name]) for name in chosen.case["formats"]}
    for resource in (chosen.case["resource"], chosen.case["withdrawn"]):
        text = (chosen.site / f"{resource}.html").read_text("utf-8")
        buttons = re.findall(r'<a class="button" href="[^"/]+\.(\w+)" type="([^"]+)"', text)
        alternates = re.findall(r'<link rel="alternate" type="([^"]+)" href="[^"/]+\.(\w+)">', text)
        pages = {("html", "text/html")}
        assert {*buttons} == expected, resource
        assert {(name, media_type) for media_type, name in alternates} - pages == expected, resource
        described = re.findall(r'rel="describedby" type="[^"]+" href="[^"]+\.(\w+)"', text)
        assert len(described) == 1 and described[0] in chosen.case["formats"]
    addresses = re.search(
        r'<h2 id="addresses">.*?</main>', (chosen.site / "catalog.html").read_text("utf-8"), re.S
    )
    assert addresses is not None
    assert {*re.findall(r"\(\.(\w+)\)", addresses[0])} == {*chosen.case["formats"]}
    description = (chosen.site / "llms.txt").read_text("utf-8")
    assert f"Add `.json`, `.{described[0]}` or `.html`" in description


# -- servers -----------------------------------------------------------------------------------


class Client(NamedTuple):
    """A server that answers for a case."""

    case: dict[str, Any]
    port: int

    def request(self, path: str, accept: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers={} if accept is None else {"Accept": accept})
        answer = connection.getresponse()
        answer.read()
        return answer


@pytest.fixture(scope="module")
def served(chosen: Chosen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(chosen.project, tmp_path_factory.mktemp("served") / "log") as server:
        yield server


@pytest.fixture(scope="module", params=["lodpipe", *SERVERS])
def server(
    request: pytest.FixtureRequest, chosen: Chosen, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "lodpipe":
        yield Client(chosen.case, request.getfixturevalue("served").port)
        return
    if shutil.which(SERVERS[request.param]) is None:
        pytest.skip(f"{request.param} is not installed: apt-get install {SERVERS[request.param]}")
    prefix = path_of(chosen.project).strip("/")
    root = folder / "root"
    shutil.copytree(chosen.site, root / prefix if prefix else root)
    folder.chmod(0o755)
    port = free_port()
    process = start(request.param, root, folder, port, (root / prefix) / "web")
    if request.param == "apache" and prefix:
        (root / ".htaccess").rename(root / prefix / ".htaccess")
    yield Client(chosen.case | {"prefix": prefix}, port)
    process.terminate()
    process.wait(10)


def path_of(project: Path) -> str:
    """The path of the addresses of a project on its host."""
    base = yaml.safe_load((project / "publication.yaml").read_text("utf-8"))["base"]
    return "/" + base.split("/", 3)[3]


def below(server: Client, local: str) -> str:
    prefix = server.case.get("prefix")
    return f"/{prefix}/{local}" if prefix else f"/{local}"


def test_a_server_leads_to_a_document_that_exists(server: Client) -> None:
    case, resource = server.case, server.case["resource"]
    expected = {accept: f"{resource}.{suffix}" for accept, suffix in case["accepts"].items()}
    wrong = []
    for accept, target in expected.items():
        answer = server.request(below(server, resource), accept)
        location = (answer.getheader("Location") or "").partition("//")[2].partition("/")[2]
        location = location or (answer.getheader("Location") or "").lstrip("/")
        followed = server.request(below(server, target), accept)
        where = below(server, target).lstrip("/")
        if (answer.status, location, followed.status) != (303, where, 200):
            wrong.append((accept, answer.status, location, followed.status))
    assert wrong == []
    for suffix in case["absent"]:
        assert server.request(below(server, resource + suffix)).status == 404, suffix


def test_what_has_formats_of_its_own_keeps_them(server: Client) -> None:
    for local, documents in server.case["others"].items():
        for accept, target in documents.items():
            answer = server.request(below(server, local), accept)
            assert answer.status == 303, (local, accept)
            assert (answer.getheader("Location") or "").endswith(f"/{target}"), (local, accept)


def test_a_withdrawn_resource_answers_in_these_formats(server: Client) -> None:
    for accept, suffix in server.case["accepts"].items():
        answer = server.request(below(server, server.case["withdrawn"]), accept)
        expected = {"html": "text/html", "json": "application/json", **DATA}[suffix]
        media_type = (answer.getheader("Content-Type") or "").split(";")[0]
        assert (answer.status, media_type) == (410, expected), accept


def test_w3id_sends_to_documents_that_exist(chosen: Chosen, tmp_path: Path) -> None:
    program = shutil.which("apache2")
    if program is None:
        pytest.skip("apache is not installed: apt-get install apache2")
    site, port = tmp_path / "site", free_port()
    (site / "x").mkdir(parents=True)
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    shutil.copy(chosen.site / "web/w3id/.htaccess", site / "x")
    (tmp_path / "configuration").write_text(apache_configuration(site, tmp_path, port))
    process = launched([program, "-X", "-f", str(tmp_path / "configuration")], tmp_path, port)
    try:
        client, resource = Client(chosen.case, port), chosen.case["resource"]
        for accept, suffix in chosen.case["accepts"].items():
            location = client.request(f"/x/{resource}", accept).getheader("Location") or ""
            assert location.endswith(f"/{resource}.{suffix}"), accept
        for accept, target in chosen.case["others"]["dataset"].items():
            location = client.request("/x/dataset", accept).getheader("Location") or ""
            assert location.endswith(f"/{target}"), accept
    finally:
        process.terminate()
        process.wait(10)
    readme = (chosen.site / "web/w3id/README.md").read_text("utf-8")
    offered = re.search(r"document in (.*),\n", readme)
    assert offered and len(re.split(", | or ", offered[1])) == 1 + len(chosen.case["formats"])


def test_a_running_host_is_checked_for_these_formats(chosen: Chosen, served: Served) -> None:
    """`check --served` requests no format that nothing promises."""
    done = invoke("check", "--served", served.url, "--project", chosen.project)
    assert "LP550" not in done.output and "LP552" not in done.output, done.output


# -- packed pages, declarations ------------------------------------------------------------------


def test_packed_pages_have_these_formats(tmp_path: Path) -> None:
    project = built(prepared(CASES[0], tmp_path / "project", "  packed: true\n"))
    with sqlite3.connect(project / "dist/site/pages.sqlar") as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlar")]
    resource = CASES[0]["resource"]
    ends = {name.removeprefix(resource) for name in names if name.startswith(f"{resource}.")}
    assert ends == {".html", ".de.html", ".json", *(f".{name}" for name in CASES[0]["formats"])}


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["ttl", "trix"], '"trix" is not one of "ttl", "nt", "jsonld", "rdf"'),
        (["turtle"], '"turtle" is not one of "ttl", "nt", "jsonld", "rdf"'),
        (["json-ld", "nt"], '"json-ld" is not one of "ttl", "nt", "jsonld", "rdf"'),
        (["nq"], '"nq" is not one of "ttl", "nt", "jsonld", "rdf"'),
        ([], "has less than 1 item"),
        (["nt", "nt"], "non-unique"),
    ],
)
def test_an_unknown_format_is_an_error_with_the_known_ones(
    formats: list[str], message: str, tmp_path: Path
) -> None:
    project = prepared(CASES[0] | {"formats": formats}, tmp_path / "project")
    done = invoke("check", "--project", project)
    assert done.exit_code == 2
    assert "LP601" in done.output and message in done.output
