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
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from landing_page import METRICS, Answered, Landing, Page, read_landing
from lodpipe import Project
from lodpipe.site import feeds
from lodpipe.site.addresses import Addresses
from lodpipe.workflow import served
from query_engines import free_port
from serving import serving
from static_host import serving_pages
from support import ROOT, TESTS, copy_project, invoke


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
    return read_landing(online[1], get)


def get(address: str, accept: str = "*/*") -> Answered:
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answered(answer.status, answer.headers.get_content_type(), answer.read(), headers)


@pytest.mark.parametrize("metric", METRICS)
def test_a_fair_assessor_finds_all_from_the_landing_page(metric: str, landing: Landing) -> None:
    assert METRICS[metric](landing)


def test_the_link_set_has_all_links(landing: Landing) -> None:
    (address,) = landing.href("linkset")
    status, media_type, body = get(address)[:3]
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
        head = Page(get(f"{online[1]}{page}").body.decode("utf-8"))
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
        head = Page(get(address + page).body.decode("utf-8"))
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
    assert reported("LP551", "Content-Type", "application/vnd.apache.parquet")
    assert reported("warning LP552", "https://w3id.org/rogl/dataset (text/turtle) answers ")
    assert not any("w3id.org" in line for line in lines if "LP552" not in line)


def test_a_host_of_files_without_rules_gives_warnings(online: tuple[Path, str]) -> None:
    """Such as GitHub Pages: it negotiates nothing, and knows neither `_headers` nor `_redirects`."""
    port = free_port()
    with serving_pages(online[0] / "dist/site", port, rules=False):
        address = f"http://127.0.0.1:{port}/"
        result = invoke("check", "--project", online[0], "--served", address, "--lang", "en")
    lines = [line for line in result.output.splitlines() if "LP55" in line]
    assert result.exit_code == 0, lines
    assert len(lines) == 2 and all(": warning LP55" in line for line in lines)
    assert "dataset.linkset" in lines[0] and "LP552" in lines[1]


def test_identifiers_that_redirects_should_serve_are_errors(
    online: tuple[Path, str], damaged: str
) -> None:
    path = online[0] / "publication.yaml"
    text = path.read_text("utf-8")
    try:
        path.write_text("w3id: true\n" + text, "utf-8")
        result = invoke("check", "--project", online[0], "--served", damaged, "--lang", "en")
    finally:
        path.write_text(text, "utf-8")
    assert ": error LP552: no identifier answers with RDF" in result.output


def test_check_reports_a_host_that_is_not_there(online: tuple[Path, str]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    result = invoke("check", "--project", online[0], "--served", nowhere, "--lang", "en")
    assert result.exit_code == 1
    assert result.output.count("LP550") == 2  # the finding, and where to read more
    assert "refused" in result.output


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


def test_every_page_has_a_title_and_a_picture_for_previews(online: tuple[Path, str]) -> None:
    project, address = online
    titles = set()
    for page, text in (
        ("index.html", "Karte der 13 Labore"),
        ("index.en.html", "Map of the 13 labs"),
        ("lab/brandis.en.html", "Map of the 13 labs"),
        ("releases.html", "Karte der 13 Labore"),
    ):
        meta = Page(get(address + page).body.decode("utf-8")).meta
        assert meta["og:image"] == f"{address}assets/preview.png"
        assert meta["og:image:alt"].startswith(text)
        assert (meta["og:image:width"], meta["og:image:height"]) == ("1200", "630")
        assert meta["og:url"] == address + page and meta["og:description"] == meta["description"]
        titles.add(meta["og:title"])
    assert len(titles) == 4
    status, media_type, body, _ = get(f"{address}assets/preview.png")
    assert (status, media_type) == (200, "image/png")
    assert body == (project / "source/preview.png").read_bytes()


def test_the_picture_is_drawn_from_the_data(tmp_path: Path) -> None:
    """A change of records, or another release of resvg, needs a new one: `lodpipe preview`."""
    pytest.importorskip("resvg_py", reason="resvg-py is not installed: pip install '.[preview]'")
    target = tmp_path / "preview.png"
    result = invoke("preview", "--project", ROOT, "--output", target)
    assert result.exit_code == 0, result.output
    assert target.read_bytes() == (ROOT / "source/preview.png").read_bytes()


def test_a_declared_picture_that_is_missing_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed: pip install '.[preview]'")
    project = copy_project(tmp_path / "project")
    (project / "source/preview.png").unlink()
    assert "LP842" in invoke("check", "--project", project).output
    assert invoke("preview", "--project", project).exit_code == 0
    assert (project / "source/preview.png").is_file()


def test_without_map_and_network_there_is_nothing_to_draw(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", TESTS / "projects/libraries")
    result = invoke("preview", "--project", project)
    assert result.exit_code == 2 and "neither `site.map` nor `site.graph`" in result.output
