"""A publication on line, as a stranger meets it who has the address of its start page and nothing else:
a FAIR assessor (the metrics of F-UJI 0.5, FAIRsFAIR), a search engine, and `lodpipe check --served`.

`hosting` is the one key that is set; the server listens there.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from lodpipe import Project
from lodpipe.site import feeds
from lodpipe.site.addresses import Addresses
from lodpipe.workflow import served
from query_engines import free_port
from serving import serving
from support import ROOT, copy_project, invoke

IDENTIFIER = "https://w3id.org/rogl/dataset"


@dataclass(frozen=True)
class Landing:
    """What the start page says to machines."""

    address: str
    headers: dict[str, str]
    links: list[dict[str, str]]
    markup: dict[str, Any]

    def of(self, relation: str) -> list[dict[str, str]]:
        """The links of a relation."""
        return [link for link in self.links if link.get("rel") == relation]

    def href(self, relation: str) -> list[str]:
        return [link["href"] for link in self.of(relation)]


class _Head(HTMLParser):
    """The links and the JSON-LD of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []
        self.scripts: list[str] = []
        self._in_markup = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "link":
            self.links.append(values)
        self._in_markup = tag == "script" and values.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._in_markup:
            self.scripts.append(data)
            self._in_markup = False


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The real publication with `hosting` alone, built and served there."""
    folder = tmp_path_factory.mktemp("online")
    project, port = copy_project(folder / "project"), free_port()
    address = f"http://127.0.0.1:{port}/"
    path = project / "publication.yaml"
    path.write_text(f"hosting: {address}\n" + path.read_text("utf-8"), "utf-8")
    assert invoke("build", "--project", project).exit_code == 0
    with serving(project, folder / "log", "--port", port):
        yield project, address


@pytest.fixture(scope="module")
def landing(online: tuple[Path, str]) -> Landing:
    _, address = online
    with urllib.request.urlopen(address) as answer:
        page = _Head()
        page.feed(answer.read().decode("utf-8"))
        headers = {name.lower(): value for name, value in answer.headers.items()}
    (markup,) = page.scripts
    return Landing(address, headers, page.links, json.loads(markup))


def get(address: str, accept: str = "*/*") -> tuple[int, str, bytes]:
    """Status, media type and body of an address."""
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.status, answer.headers.get_content_type(), answer.read()


def has_identifier(landing: Landing) -> bool:
    """A persistent identifier, stated in the page, its headers and its metadata."""
    return (
        landing.href("cite-as") == [IDENTIFIER]
        and f'<{IDENTIFIER}>; rel="cite-as"' in landing.headers["link"]
        and landing.markup["identifier"] == IDENTIFIER
    )


def has_core_metadata(landing: Landing) -> bool:
    wanted = "creator name identifier publisher datePublished description keywords"
    return all(landing.markup.get(name) for name in wanted.split())


def names_its_content(landing: Landing) -> bool:
    """Each file by its address, type and size, in the markup and by typed links."""
    items = {link["href"]: link["type"] for link in landing.of("item")}
    downloads = {file["contentUrl"]: file for file in landing.markup["distribution"]}
    return (
        items.keys() == downloads.keys()
        and len(items) == 16
        and all(file["contentSize"] and file["encodingFormat"] for file in downloads.values())
    )


def is_offered_to_machines(landing: Landing) -> bool:
    """Metadata in the page, by typed links and by negotiation at the very address."""
    described = {link["type"]: link["href"] for link in landing.of("describedby")}
    return all(
        get(landing.address, media_type)[:2] == (200, media_type) == get(address)[:2]
        for media_type, address in described.items()
    )


def states_access(landing: Landing) -> bool:
    return landing.markup["isAccessibleForFree"] is True and bool(
        landing.markup["conditionsOfAccess"]
    )


def is_retrieved(landing: Landing) -> bool:
    """By HTTP: the metadata and a file, of the size and checksum that is stated."""
    import hashlib

    file = landing.markup["distribution"][0]
    status, media_type, body = get(file["contentUrl"])
    return (status, media_type, f"{len(body)} B", hashlib.sha256(body).hexdigest()) == (
        200, file["encodingFormat"], file["contentSize"], file["sha256"],
    )  # fmt: skip


def is_a_graph(landing: Landing) -> bool:
    """Metadata as RDF by negotiation, with more than one vocabulary."""
    _, _, body = get(landing.address, "text/turtle")
    predicates = {quad.predicate.value for quad in ox.parse(body, format=ox.RdfFormat.TURTLE)}
    namespaces = {predicate.rpartition("/")[0].partition("#")[0] for predicate in predicates}
    return len(namespaces) >= 5


def links_to_others(landing: Landing) -> bool:
    """Qualified references: what the data were made of, and catalogue, publisher and licence."""
    return bool(landing.markup["isBasedOn"]) and bool(landing.markup["includedInDataCatalog"])


def states_content(landing: Landing) -> bool:
    return landing.markup["@type"] == "Dataset" and "https://schema.org/Dataset" in landing.href(
        "type"
    )


def states_licence(landing: Landing) -> bool:
    licence = "https://creativecommons.org/licenses/by/4.0/"
    return landing.markup["license"] == licence and landing.href("license") == [licence]


def states_provenance(landing: Landing) -> bool:
    wanted = "creator datePublished dateModified version measurementTechnique isBasedOn"
    return all(landing.markup.get(name) for name in wanted.split())


def follows_a_community_standard(landing: Landing) -> bool:
    """DCAT-AP, which portals of the public sector harvest."""
    _, _, body = get(f"{landing.address}catalog.rdf")
    return b"http://www.w3.org/ns/dcat#" in body


def has_an_open_format(landing: Landing) -> bool:
    types = [item for file in landing.markup["distribution"] for item in [file["encodingFormat"]]]
    return "text/csv" in types and "text/turtle" in types


METRICS: dict[str, Callable[[Landing], bool]] = {
    "F1 identifier": has_identifier,
    "F2 core metadata": has_core_metadata,
    "F3 identifier of the content": names_its_content,
    "F4 offered to machines": is_offered_to_machines,
    "A1 access stated": states_access,
    "A1 retrieved by a standard protocol": is_retrieved,
    "I1 formal language": is_a_graph,
    "I3 links to related entities": links_to_others,
    "R1 content stated": states_content,
    "R1.1 licence": states_licence,
    "R1.2 provenance": states_provenance,
    "R1.3 community standard": follows_a_community_standard,
    "R1.3 open format": has_an_open_format,
}


@pytest.mark.parametrize("metric", METRICS)
def test_a_fair_assessor_finds_all_from_the_landing_page(metric: str, landing: Landing) -> None:
    assert METRICS[metric](landing)


def test_the_link_set_has_all_links(landing: Landing) -> None:
    (address,) = landing.href("linkset")
    status, media_type, body = get(address)
    assert (status, media_type) == (200, "application/linkset+json")
    context, *files = json.loads(body)["linkset"]
    assert context["anchor"] == landing.address
    assert [item["href"] for item in context["item"]] == landing.href("item")
    assert {file["collection"][0]["href"] for file in files} == {landing.address}


def test_search_engines_read_texts_in_the_language_of_the_page(online: tuple[Path, str]) -> None:
    for page, title in (
        ("index.html", "Regionale Open Government Labore 2020–2022"),
        ("index.en.html", "Regional Open Government Labs 2020–2022"),
        ("catalog.en.html", "Regional Open Government Labs 2020–2022"),
    ):
        head = _Head()
        head.feed(get(f"{online[1]}{page}")[2].decode("utf-8"))
        (markup,) = (json.loads(script) for script in head.scripts)
        assert markup["name"] == title
        assert isinstance(markup["description"], str) and 50 <= len(markup["description"]) <= 5000
        assert all(isinstance(word, str) for word in markup["keywords"])
        south, west, north, east = map(float, markup["spatialCoverage"]["geo"]["box"].split())
        assert 47 < south < north < 55.1 and 5.8 < west < east < 15.1
        assert markup["temporalCoverage"] == "2020-01-01/2022-12-31"


def test_every_page_has_its_own_address_and_those_of_its_translations(
    online: tuple[Path, str],
) -> None:
    _, address = online
    for page, stem in (("lab/brandis.en.html", "lab/brandis"), ("index.html", "index")):
        head = _Head()
        head.feed(get(address + page)[2].decode("utf-8"))
        links = [(item.get("rel"), item.get("hreflang"), item["href"]) for item in head.links]
        assert ("canonical", None, address + page) in links
        for language, end in (("de", ".html"), ("en", ".en.html"), ("x-default", ".html")):
            assert ("alternate", language, address + stem + end) in links


def test_check_finds_nothing_wrong_where_all_is_served(online: tuple[Path, str]) -> None:
    project, address = online
    result = invoke("check", "--project", project, "--served", address, "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "LP55" not in result.output and "LP539" not in result.output


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # the name of the library
        pass


@pytest.fixture
def damaged(online: tuple[Path, str], tmp_path: Path) -> Iterator[str]:
    """A host that knows files only, with an old dump and without a table."""
    folder = tmp_path / "site"
    shutil.copytree(online[0] / "dist/site", folder)
    (folder / "rogl.nt").unlink()
    (folder / "rogl.nt").write_bytes(b"")
    (folder / "tables/labs.csv").unlink()
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: _Quiet(*given, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_check_names_what_a_host_lacks(online: tuple[Path, str], damaged: str) -> None:
    result = invoke("check", "--project", online[0], "--served", damaged, "--lang", "en")
    assert result.exit_code == 1
    lines = [line for line in result.output.splitlines() if "LP55" in line]

    def reported(*words: str) -> bool:
        return any(all(word in line for word in words) for line in lines)

    assert reported("LP550", "tables/labs.csv", "answers 404, not 200")
    assert reported("LP551", "rogl.nt", "another bytes: 0")
    assert reported("LP550", "https://w3id.org/rogl/", "(text/turtle) answers 404, not 200")
    assert reported("LP551", "Content-Type", "application/vnd.apache.parquet")


def test_check_reports_a_host_that_is_not_there(online: tuple[Path, str]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    result = invoke("check", "--project", online[0], "--served", nowhere, "--lang", "en")
    assert result.exit_code == 1
    assert "LP550" in result.output and "refused" in result.output


def test_the_addresses_follow_the_hosting_until_w3id_redirects(online: tuple[Path, str]) -> None:
    project, address = online
    catalogue = (project / "dist/catalog.nt").read_text("utf-8")
    assert f"<http://www.w3.org/ns/dcat#downloadURL> <{address}rogl.ttl> ." in catalogue
    path = project / "publication.yaml"
    text = path.read_text("utf-8")
    try:
        path.write_text("w3id: true\n" + text, "utf-8")
        assert Project.open(project).publication.downloads == "https://w3id.org/rogl/"
        assert Project.open(project).publication.landing_page == "https://w3id.org/rogl/"
    finally:
        path.write_text(text, "utf-8")


def test_a_large_sitemap_is_an_index_whose_pages_are_all_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_MOST_IN_SITEMAP", 5)
    sitemap = feeds.Sitemap(
        tmp_path, "https://a.example/", Addresses("", ("de", "en")), "2026-11-23"
    )
    for number in range(7):
        sitemap.add(f"cafe/{number}")
    sitemap.close()
    index = (tmp_path / "sitemap.xml").read_text("utf-8")
    files = re.findall(r"<sitemap><loc>https://a\.example/([^<]*)</loc>", index)
    assert files == ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    pages = [
        page for file in files for page in re.findall(r"<loc>([^<]*)</loc>", (tmp_path / file).read_text("utf-8"))
    ]  # fmt: skip
    assert len(pages) == len(set(pages)) == 14
    addresses: list[str] = []

    class Answering(served.Host):
        def get(self, address: str, *_: object, **__: object) -> served.Answer:
            addresses.append(address)
            return served.Answer(200)

    host = Answering(Project.open(ROOT).publication, "https://a.example/")
    for check in served._pages(host, tmp_path / "sitemap.xml"):
        assert list(check()) == []
    assert addresses == pages
