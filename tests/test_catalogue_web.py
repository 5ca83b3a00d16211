"""Identifiers answer: the generated configuration in real Apache, nginx and Caddy on loopback,
every class of resource × Accept header.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import yaml

from lodpipe import Project
from lodpipe.publish import compression
from lodpipe.publish.catalogue.web import write_web
from lodpipe.releases.history import History
from lodpipe.releases.tombstones import Tombstone, read_withdrawn
from serving import serving
from support import TESTS, WITHDRAWN, copy_project, invoke, run_process
from web_servers import SERVERS, apache_configuration, free_port, launched, start

BASE = "https://w3id.org/rogl/"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
# What is asked for, and the suffix of the document that answers.
ACCEPTS: dict[str | None, str] = {
    None: "html",
    "": "html",
    "*/*": "html",
    "text/html": "html",
    BROWSER: "html",
    "application/xhtml+xml": "html",
    "text/turtle": "ttl",
    "TEXT/TURTLE": "ttl",
    "text/turtle;charset=utf-8": "ttl",
    "text/turtle; q=1.0": "ttl",
    "application/ld+json": "jsonld",
    'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"': "jsonld",
    "application/json": "json",
    "application/json, text/plain, */*": "json",
    "application/n-triples": "nt",
    "application/rdf+xml": "rdf",
    # q-values
    "text/html;q=0.5, text/turtle": "ttl",
    "text/turtle;q=0.5, text/html": "html",
    "text/turtle;q=0, text/html;q=0.1": "html",
    "application/rdf+xml;q=0.9, application/ld+json;q=0.2": "rdf",
    "application/ld+json;q=0.2,application/rdf+xml;q=0.9": "rdf",
    "text/turtle;q=0.9, application/rdf+xml;q=0.9": "ttl",
    "text/turtle;q=0.05": "ttl",
    "application/rdf+xml,text/rdf+n3;q=0.9,application/xhtml+xml;q=0.5,*/*;q=0.1": "rdf",
    "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3": "ttl",
    # nothing known: the page for people, not 406
    "image/png": "html",
    "application/n-quads": "html",
    "nonsense": "html",
    "text/turtlesque": "html",
}
WITHDRAWN_CASES: list[dict[str, Any]] = yaml.safe_load(
    (TESTS / "catalogue/withdrawn.yaml").read_text("utf-8")
)
SUFFIXES = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "json": "application/json",
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> tuple[Path, dict[str, str]]:
    """The pages of a first release with two tombstones, and one resource of each class."""
    project = copy_project(tmp_path_factory.mktemp("web") / "project")
    project.parent.chmod(0o755)
    (project / "source/withdrawn.yaml").write_text(WITHDRAWN, "utf-8")
    done = run_process("release", "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    root = project / "dist/site"
    samples = {}
    for quad in ox.parse(path=root / "rogl.nt", format=ox.RdfFormat.N_TRIPLES):
        subject = str(quad.subject.value)
        if quad.predicate == TYPE and subject.startswith(BASE):
            samples.setdefault(quad.object.value, subject.removeprefix(BASE))
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
    return root, samples


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request, web: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[http.client.HTTPConnection]:
    if shutil.which(SERVERS[request.param]) is None:
        pytest.skip(f"{request.param} is not installed: apt-get install {SERVERS[request.param]}")
    port = free_port()
    process = start(request.param, web[0], tmp_path_factory.mktemp(request.param), port)
    yield http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    process.terminate()
    process.wait(10)


def get(
    server: http.client.HTTPConnection, path: str, accept: str | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    headers = {} if accept is None else {"Accept": accept}
    server.request(method, "/" + quote(path, safe="/%~._-"), headers=headers)
    answer = server.getresponse()
    joined = {name.lower(): str(answer.getheader(name)) for name, _ in answer.getheaders()}
    return answer.status, joined, answer.read()


def located(headers: dict[str, str]) -> str:
    """Where an answer leads, relative to the root."""
    location = headers.get("location", "")
    return (
        location.split("//", 1)[-1].split("/", 1)[-1] if "//" in location else location.lstrip("/")
    )


def successors(headers: Mapping[str, str]) -> list[str]:
    """The successors in the Link header, relative to the base."""
    addresses = re.findall(r'<([^<>]*)>; rel="successor-version"', headers.get("link", ""))
    return [iri.removeprefix(BASE) for iri in addresses]


def test_every_class_answers_every_accept_header(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]]
) -> None:
    _, samples = web
    assert len(samples) >= 30
    wrong = []
    for local in samples.values():
        for accept, suffix in ACCEPTS.items():
            status, headers, _ = get(server, local, accept)
            if (status, located(headers)) != (
                303,
                quote(f"{local}.{suffix}", safe="/%~._-"),
            ) or "accept" not in headers.get("vary", "").lower():
                wrong.append((local, accept, status, headers))
    print(f"{len(samples)} classes × {len(ACCEPTS)} Accept headers")
    assert wrong == []


def test_documents_have_their_media_type(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]]
) -> None:
    local = next(iter(web[1].values()))
    expected = {"html": "text/html"} | SUFFIXES
    for suffix, media_type in expected.items():
        status, headers, body = get(server, f"{local}.{suffix}")
        assert (status, headers["content-type"].split(";")[0], body) == (
            200,
            media_type,
            (web[0] / f"{local}.{suffix}").read_bytes(),
        )
        assert headers["access-control-allow-origin"] == "*"


def test_files_are_sent_as_they_are(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]]
) -> None:
    root, _ = web
    files = {
        "rogl.ttl": "text/turtle",
        "rogl.nq": "application/n-quads",
        "rogl.ttl.gz": "application/gzip",
        "tables/labs.csv": "text/csv",
    }
    for name, media_type in files.items():
        status, headers, body = get(server, name, "application/ld+json")
        assert (status, headers["content-type"].split(";")[0], body) == (
            200,
            media_type,
            (root / name).read_bytes(),
        ), name
        assert "content-encoding" not in headers
        status, headers, _ = get(server, name, method="HEAD")
        assert (status, headers["content-length"]) == (200, str((root / name).stat().st_size))


@pytest.mark.parametrize(
    "path",
    ["rogl.ttl", "rogl.nq", "catalog.jsonld", "tables/labs.csv", "index.html", "assets/site.css", "sitemap.xml"],
)  # fmt: skip
def test_texts_are_compressed(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]], path: str
) -> None:
    """By the copy beside them, by servers that use it."""
    data = (web[0] / path).read_bytes()
    server.request("GET", f"/{path}", headers={"Accept-Encoding": "gzip"})
    answer = server.getresponse()
    body, headers = answer.read(), answer.headers
    assert (answer.status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == data and len(body) < len(data)
    assert "accept-encoding" in ", ".join(headers.get_all("vary", [])).lower()
    copy = web[0] / f"{path}.gz"
    if copy.is_file() and "Apache" not in headers["server"]:
        assert body == copy.read_bytes()
    given = {"Accept-Encoding": "gzip", "If-None-Match": headers["etag"]}
    server.request("GET", f"/{path}", headers=given)
    again = server.getresponse()
    assert (again.status, again.read()) == (304, b"")


@pytest.mark.parametrize("path", ["rogl.ttl.gz", "rogl.parquet", "2026-11-23/rogl.nq.gz"])
def test_what_is_compressed_is_sent_as_it_is(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]], path: str
) -> None:
    server.request("GET", f"/{path}", headers={"Accept-Encoding": "gzip, zstd, br"})
    answer = server.getresponse()
    assert answer.read() == (web[0] / path).read_bytes()
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("name", SERVERS)
def test_a_copy_of_several_members_is_not_used(name: str, tmp_path: Path) -> None:
    """Browsers would read the first member only; `lodpipe build` knows which copies these are."""
    if shutil.which(SERVERS[name]) is None:
        pytest.skip(f"{name} is not installed: apt-get install {SERVERS[name]}")
    root = tmp_path / "root"
    root.mkdir()
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    data = b"<https://libraries.example/a> <https://libraries.example/b> <c> .\n" * 300_000
    (root / "libraries.nt").write_bytes(data)
    compression.gzip(root / "libraries.nt")
    publication = Project.open(TESTS / "projects/libraries").publication
    write_web(publication, [], root, History(None))
    process = start(name, root, tmp_path, port := free_port())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/libraries.nt", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        reader = zlib.decompressobj(wbits=31)  # of a single member, as those of browsers are
        assert reader.decompress(answer.read()) == data
        assert answer.headers.get_content_type() == "application/n-triples"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(
    ("path", "media_type", "lasts"),
    [
        ("feed.trig", "application/trig", "max-age=60"),
        ("catalog-feed.trig", "application/trig", "max-age=60"),
        ("feed.atom", "application/atom+xml", "max-age=60"),
        ("catalog.ttl", "text/turtle", "max-age=60"),
        ("2026-11-23/feed-1.trig", "application/trig", "max-age=31536000, immutable"),
        ("2026-11-23/catalog.ttl", "text/turtle", "max-age=31536000, immutable"),
        ("2026-11-23/rogl.nq.gz", "application/gzip", "max-age=31536000, immutable"),
    ],
)
def test_caches_keep_what_never_changes_and_ask_again_for_the_rest(
    server: http.client.HTTPConnection, path: str, media_type: str, lasts: str
) -> None:
    status, headers, _ = get(server, path)
    assert status == 200 and headers["content-type"].split(";")[0] == media_type
    assert lasts in headers["cache-control"] and "," not in headers.get("etag", "")
    assert headers["access-control-allow-origin"] == "*"
    server.request("GET", f"/{path}", headers={"If-None-Match": headers["etag"]})
    answer = server.getresponse()
    answer.read()
    assert answer.status == 304


def test_static_hosts_get_the_same_rules(web: tuple[Path, dict[str, str]]) -> None:
    rules = (web[0] / "web/_headers").read_text("utf-8")
    assert "/2026-11-23/*\n  Cache-Control: public, max-age=31536000, immutable\n" in rules
    assert "/*.trig\n  Content-Type: application/trig\n" in rules
    assert "/*\n  Access-Control-Allow-Origin: *\n" in rules


@pytest.mark.parametrize(
    "local", ["catalog", "dataset", "distribution/ttl", "distribution/nt.gz", "feed", "service"]
)
def test_the_catalogue_answers_for_what_it_describes(
    server: http.client.HTTPConnection, local: str
) -> None:
    """CKAN asks for `*/*` and reads Turtle."""
    pages = [("html", "text/html"), ("html", BROWSER)]
    harvesters = [("ttl", "*/*"), ("ttl", "application/n-quads"), ("ttl", None)]
    for suffix, accept in [*SUFFIXES.items(), *pages, *harvesters]:
        status, headers, _ = get(server, local, accept)
        assert (status, located(headers)) == (303, f"catalog.{suffix}")


@pytest.mark.parametrize(
    "local",
    ["dataset/1.0.0", "distribution/1.0.0/ttl.gz", "distribution/1.0.0/labs.csv", "release/1.0.0"],
)
def test_a_release_and_its_files_are_answered_by_the_document_of_the_release(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]], local: str
) -> None:
    whole = set(triples(web[0] / "2026-11-23/catalog.ttl"))
    for accept, suffix in ACCEPTS.items():
        status, headers, _ = get(server, local, accept)
        assert (status, located(headers)) == (303, f"dataset/1.0.0.{suffix}"), accept
        assert "accept" in headers["vary"].lower()
    for suffix, media_type in SUFFIXES.items():
        status, headers, body = get(server, f"dataset/1.0.0.{suffix}")
        assert (status, headers["content-type"].split(";")[0]) == (200, media_type)
        assert body == (web[0] / f"dataset/1.0.0.{suffix}").read_bytes()
        assert set(triples(web[0] / f"dataset/1.0.0.{suffix}")) == whole
    assert f"{BASE}dataset/1.0.0" in get(server, "dataset/1.0.0.html")[2].decode("utf-8")
    assert local.startswith("release") or f"<{BASE}{local}>" in {
        str(triple.subject) for triple in whole
    }


def triples(path: Path) -> list[ox.Triple]:
    form = ox.RdfFormat.JSON_LD if path.suffix == ".json" else None
    return [quad.triple for quad in ox.parse(path=path, format=form, base_iri=BASE)]


@pytest.mark.parametrize("local", ["dataset/9.9.9", "distribution/9.9.9/ttl.gz", "dataset/1.0"])
def test_a_release_that_never_was_answers_404(
    server: http.client.HTTPConnection, local: str
) -> None:
    for accept in ("text/turtle", BROWSER):
        assert get(server, local, accept)[0] == 404


def test_the_base_iri_answers_with_the_catalogue_or_the_start_page(
    server: http.client.HTTPConnection, web: tuple[Path, dict[str, str]]
) -> None:
    start = (web[0] / "index.html").read_bytes()
    for suffix, accept in SUFFIXES.items():
        status, headers, _ = get(server, "", accept)
        assert (status, located(headers)) == (303, f"catalog.{suffix}"), accept
    for accept in (None, "*/*", "text/html", BROWSER, "text/turtle;q=0.5, text/html", "image/png"):
        status, headers, body = get(server, "", accept)
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/html"), accept
        assert body == start


def test_the_landing_page_has_typed_links_in_its_headers(
    server: http.client.HTTPConnection,
) -> None:
    """FAIR Signposting, level 2: the link set has the files."""
    for page in ("index.html", "index.en.html", "catalog.html", ""):
        status, headers, _ = get(server, page)
        links = re.findall(r'<([^<>]*)>; rel="([^"]*)"', headers.get("link", ""))
        assert status == 200
        assert (f"{BASE}dataset", "cite-as") in links, page
        assert ("https://creativecommons.org/licenses/by/4.0/", "license") in links
        assert (f"{BASE}dataset.linkset", "linkset") in links
        assert len(links) == len(set(links)) == 10
    status, headers, body = get(server, "dataset.linkset")
    assert (status, headers["content-type"].split(";")[0]) == (200, "application/linkset+json")
    landing, *files = json.loads(body)["linkset"]
    assert len(landing["item"]) == len(files) == 17
    assert "link" not in get(server, "catalog.ttl")[1]


def test_void_is_found_where_crawlers_look(server: http.client.HTTPConnection) -> None:
    status, headers, _ = get(server, ".well-known/void")
    assert (status, located(headers)) == (302, "void.ttl")
    assert get(server, "void.ttl")[0] == 200


@pytest.mark.parametrize(
    "case", WITHDRAWN_CASES, ids=lambda case: f"{case['path']} {case['accept']}"
)
def test_withdrawn_resources_answer_in_the_format_asked_for(
    server: http.client.HTTPConnection, case: dict[str, Any]
) -> None:
    check_withdrawn(server, case)


def check_withdrawn(server: http.client.HTTPConnection, case: dict[str, Any]) -> None:
    """Compares the answer of a server with a case of withdrawn.yaml."""
    status, headers, body = get(server, case["path"], case["accept"])
    assert (status, located(headers)) == (case["status"], case.get("location", ""))
    assert ", " not in headers.get("location", "")  # one header, not two
    if "type" in case:
        assert headers["content-type"].split(";")[0] == case["type"]
        assert case["body"] in body.decode("utf-8")
        assert sorted(successors(headers)) == case.get("successors", [])
        assert "accept" in headers["vary"].lower()
        assert headers["access-control-allow-origin"] == "*"


# -- thousands, and odd characters -----------------------------------------------------------------

MANY = 5000
# Every byte that a path can have besides letters, digits and its own marks, and what configurations
# could take for their own syntax.
ODD = [
    *(f"odd/a%{byte:02X}b" for byte in range(256) if not re.match(r"[\w.~/-]", chr(byte), re.A)),
    *(
        "odd/%24host",
        "odd/%24%7Buri%7D",
        "odd/%7Bpath%7D",
        "odd/%25%7BENV:X%7D",
        "odd/%22%27%60%5C",
    ),
    *(
        "odd/ends%20",
        "odd/ends%5C",
        "odd/x.ttl",
        "odd/s%C3%BCd%20x",
        "odd/%E4%B8%AD%2B",
        "odd/%2541",
    ),
    *("odd/same", "odd/Same", "odd/-", "odd/a%2Fb", "odd/" + "long-" * 40 + "name"),
]
# What docs/errors/LP538.md says: these do not answer, with this status.
REFUSED = {
    "apache": {"odd/a%00b": 404, "odd/a%2Fb": 404},
    "nginx": {"odd/a%00b": 400},
    "caddy": {f"odd/a%{byte:02X}b": 404 for byte in range(0x80, 0x100)},
}


@pytest.fixture(scope="module")
def crowded(
    web: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Tombstone]]:
    """The same host with thousands of withdrawn resources more; of two in a row, the second has a
    successor.
    """
    project = Project.open(web[0].parents[1])
    names = [*ODD, *(f"many/x-{number:04}" for number in range(MANY))]
    more = [
        Tombstone(
            local, (), ("lab/-%22%7B%24%7D",) if number % 2 else (), "2026-12-01", {"en": "-"}
        )
        for number, local in enumerate(names)
    ]
    root = tmp_path_factory.mktemp("crowded") / "site"
    shutil.copytree(web[0], root, copy_function=os.link)
    shutil.rmtree(root / "web")
    tombstones = sorted([*read_withdrawn(project).tombstones, *more], key=lambda item: item.id)
    write_web(project.publication, tombstones, root, History(None))
    for folder in (root.parent, root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    return root, more


@pytest.fixture(scope="module", params=SERVERS)
def crowded_server(
    request, crowded: tuple[Path, list[Tombstone]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, http.client.HTTPConnection]]:
    if shutil.which(SERVERS[request.param]) is None:
        pytest.skip(f"{request.param} is not installed: apt-get install {SERVERS[request.param]}")
    port = free_port()
    process = start(request.param, crowded[0], tmp_path_factory.mktemp(request.param), port)
    yield request.param, http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    process.terminate()
    process.wait(10)


def test_among_thousands_each_withdrawn_resource_answers_as_by_itself(
    crowded_server: tuple[str, http.client.HTTPConnection],
) -> None:
    for case in WITHDRAWN_CASES:
        check_withdrawn(crowded_server[1], case)


def test_thousands_of_withdrawn_resources_answer(
    crowded_server: tuple[str, http.client.HTTPConnection], crowded: tuple[Path, list[Tombstone]]
) -> None:
    _, server = crowded_server
    for tombstone in crowded[1][len(ODD) :: 97]:
        for end in ("", ".ttl", ".en.html"):
            status, headers, _ = get(server, tombstone.id + end, "text/turtle")
            target = f"lab/-%22%7B%24%7D{end}" if tombstone.status == 301 else ""
            assert (status, located(headers)) == (tombstone.status, target), tombstone.id + end
    for local in ("many/X-0001", "many/x-0001x", "many/x-000", "many/x-0001/x", "odd/SAME"):
        assert get(server, local, "text/turtle")[0] == 404, local
    assert get(server, "lab/brandis", "text/turtle")[0] == 303


def test_all_characters_answer_that_the_server_lets_through(
    crowded_server: tuple[str, http.client.HTTPConnection], crowded: tuple[Path, list[Tombstone]]
) -> None:
    name, server = crowded_server
    wrong = []
    for tombstone in crowded[1][: len(ODD)]:
        for end in ("", ".ttl"):
            status = REFUSED[name].get(tombstone.id, tombstone.status)
            target = f"lab/-%22%7B%24%7D{end}" if status == 301 else ""
            server.request("GET", f"/{tombstone.id}{end}", headers={"Accept": "text/turtle"})
            answer = server.getresponse()
            answer.read()
            headers = {"location": answer.getheader("Location") or ""}
            if (answer.status, located(headers)) != (status, target):
                wrong.append((tombstone.id + end, answer.status, headers, status))
    assert wrong == []
    print(f"{len(ODD)} odd addresses, of these refused: {len(REFUSED[name])}")


def test_rules_for_thousands_are_tables(crowded: tuple[Path, list[Tombstone]]) -> None:
    """A rule for each would cost Apache 4 µs of every request, and Caddy minutes at its start."""
    root, more = crowded
    table = (root / "web/apache/withdrawn.txt").read_text("utf-8")
    rules = (root / "web/apache/.htaccess").read_text("utf-8")
    assert table.count("\nmany/") == MANY and rules.count("many") == 100
    for name in ("nginx/http.conf", "Caddyfile"):
        text = (root / "web" / name).read_text("utf-8")
        assert text.count('"/many/x-0001"') == 1 and len(text) < 150 * len(more)
    redirects = (root / "web/_redirects").read_text("utf-8")
    assert len(redirects.splitlines()) <= 1_005 and len(redirects) < 64_000


@pytest.mark.parametrize("name", SERVERS)
def test_without_pages_the_list_is_the_answer(
    name: str, web: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    if shutil.which(SERVERS[name]) is None:
        pytest.skip(f"{name} is not installed: apt-get install {SERVERS[name]}")
    root = tmp_path / "root"
    shutil.copytree(web[0] / "web", root / "web")
    shutil.copy(web[0] / "withdrawn.html", root)
    for folder in (tmp_path, root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    process = start(name, root, tmp_path, port := free_port())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        status, headers, body = get(connection, "lab/verirrt", "text/turtle")
        assert (status, headers["content-type"].split(";")[0]) == (410, "text/html")
        assert "War &lt;kein&gt; Labor." in body.decode("utf-8")
        status, headers, body = get(connection, "organisation/alte-stelle.ttl")
        assert (status, located(headers)) == (301, "organisation/stadt-brandis.ttl")
        assert successors(headers) == ["organisation/stadt-brandis"]
        assert "Zusammengelegt." in body.decode("utf-8")
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(
    "path", ["lab/nowhere", "nowhere", "lab/nowhere.ttl", "lab/brandis/nowhere/at/all"]
)
def test_what_never_was_answers_404(server: http.client.HTTPConnection, path: str) -> None:
    assert get(server, path, "text/turtle")[0] == 404


def test_w3id_sends_to_the_host_by_pattern_rules(
    web: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """The file for w3id.org in a real Apache, in a folder of the publication's name, as there."""
    if shutil.which("apache2") is None:
        pytest.skip("apache is not installed: apt-get install apache2")
    root, samples = web
    rules = (root / "web/w3id/.htaccess").read_text("utf-8")
    patterns = [line.split(" ")[1] for line in rules.splitlines() if line.startswith("RewriteRule")]
    assert [local for local in samples.values() if f"^{local}$" in patterns] == []
    assert "RewriteRule ^lab/verirrt$ - [R=410,L]\n" in rules
    site = tmp_path / "site"
    (site / "rogl").mkdir(parents=True)
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    (site / "rogl/.htaccess").write_text(rules)
    (tmp_path / "configuration").write_text(
        apache_configuration(site, tmp_path, port := free_port())
    )
    process = launched(
        [str(shutil.which("apache2")), "-X", "-f", str(tmp_path / "configuration")], tmp_path, port
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        wrong = []
        for local in samples.values():
            for accept, suffix in ACCEPTS.items():
                status, headers, _ = get(connection, f"rogl/{local}", accept)
                if (status, headers.get("location")) != (
                    303,
                    quote(f"https://host.invalid/{local}.{suffix}", safe=":/%~._-"),
                ):
                    wrong.append((local, accept, status, headers.get("location")))
        assert wrong == []
        others = [
            ("rogl.ttl.gz", 302, "rogl.ttl.gz"),
            ("", 303, "catalog.ttl"),
            ("feed.atom", 302, "feed.atom"),
            ("sitemap.xml", 302, "sitemap.xml"),
            ("dataset.linkset", 302, "dataset.linkset"),
            ("assets/site.css", 302, "assets/site.css"),
            ("SHA256SUMS", 302, "SHA256SUMS"),
            ("2026-11-23/SHA256SUMS", 302, "2026-11-23/SHA256SUMS"),
            ("void", 303, "void.ttl"),
            ("release/1.0.0", 303, "dataset/1.0.0.ttl"),
            ("dataset", 303, "catalog.ttl"),
            ("dataset/1.0.0", 303, "dataset/1.0.0.ttl"),
            ("dataset/1.0.0.ttl", 302, "dataset/1.0.0.ttl"),
            ("distribution/ttl.gz", 303, "catalog.ttl"),
            ("distribution/1.0.0/ttl.gz", 303, "dataset/1.0.0.ttl"),
            (".well-known/void", 302, "void.ttl"),
        ]
        for path, status, target in others:
            got, headers, _ = get(connection, f"rogl/{path}", "text/turtle")
            assert (got, headers["location"]) == (status, f"https://host.invalid/{target}")
        for path, accept, target in [
            ("", BROWSER, ""),
            ("", "*/*", ""),
            ("dataset", "*/*", "catalog.ttl"),
            ("void", "text/html", "void.ttl"),
        ]:
            headers = get(connection, f"rogl/{path}", accept)[1]
            assert headers["location"] == f"https://host.invalid/{target}", (path, accept)
    finally:
        process.terminate()
        process.wait(10)


def test_the_folder_for_w3id_passes_the_rules_of_its_checker(tmp_path: Path) -> None:
    """What the checks on proposals to perma-id/w3id.org ask of a new folder (November 2026)."""
    project = copy_project(tmp_path / "project")
    path = project / "publication.yaml"
    keys = "hosting: https://example.org/rogl/\nmaintainers: [example-office, other]\n"
    path.write_text(keys + path.read_text("utf-8"), "utf-8")
    assert run_process("build", "--no-site", "--project", project).returncode == 0
    folder = project / "dist/web/w3id"
    assert sorted(item.name for item in folder.iterdir()) == [".htaccess", "README.md"]
    for item in folder.iterdir():
        text = item.read_bytes().decode("ascii" if item.name == ".htaccess" else "utf-8")
        assert not item.stat().st_mode & 0o111
        assert "\r" not in text and "\n\n\n" not in text and text.endswith("\n")
        assert [line for line in text.splitlines() if line != line.rstrip()] == []
    readme = (folder / "README.md").read_text("utf-8")
    assert "[example-office](https://github.com/example-office), [other]" in readme
    lines = (folder / ".htaccess").read_text("utf-8").splitlines()
    assert "RewriteEngine on" in lines
    rules = [line.split(" ") for line in lines if line.startswith("RewriteRule")]
    assert len(rules) > 20
    for _, pattern, target, flags in rules:
        assert pattern.startswith("^") and pattern.endswith("$")
        assert re.fullmatch(r"\[[A-Z]+(=[^\s,]*)?(,[A-Z]+(=[^\s,]*)?)*\]", flags), flags
        assert "R=406" not in flags
        is_moved = target.startswith(BASE)  # from one identifier to another one
        assert ("R=301" in flags) == is_moved
        assert target == "-" or is_moved or re.match(r"https://example\.org/rogl/", target)
        assert not re.search(r"\((/\.[*+])\)\$$", pattern)
    assert [line for line in lines if "#" in line and not line.startswith("#")] == []


def test_the_list_of_withdrawn_iris(web: tuple[Path, dict[str, str]]) -> None:
    root, _ = web
    lines = (root / "withdrawn.csv").read_text("utf-8").splitlines()
    assert lines[0] == "iri,status,replaced_by,date,reason_de,reason_en"
    assert lines[1] == f"{BASE}lab/verirrt,410,,2026-11-23,War <kein> Labor.,Was <no> lab."
    assert lines[2].startswith(
        f"{BASE}organisation/alte-stelle,301,{BASE}organisation/stadt-brandis,2026-11-23"
    )
    assert [line.removeprefix(BASE).split(",")[:2] for line in lines[3:]] == [
        ["organisation/amt%20west%2C%20%28alt%29", "410"],
        ["organisation/amt%20west%2C%20%28alt%29/50%25", "410"],
        ["organisation/amt-nord", "301"],
        ["organisation/amt-s%C3%BCd", "301"],
        ["organisation/uralte-stelle", "301"],
        ["organisation/verbund", "410"],
    ]
    assert "owl:deprecated true" in (root / "withdrawn.ttl").read_text("utf-8")


def test_static_hosts_find_rules_in_the_root(web: tuple[Path, dict[str, str]]) -> None:
    root, _ = web
    rules = (root / "_redirects").read_text("utf-8")
    assert rules.splitlines()[2:6] == [
        "/organisation/alte-stelle /organisation/stadt-brandis 301",
        "/organisation/amt-nord /organisation/stadt-naunhof 301",
        "/organisation/amt-s%C3%BCd /organisation/stadt-naunhof 301",
        "/organisation/uralte-stelle /organisation/stadt-brandis 301",
    ]
    assert " 410" not in rules and "!" not in rules
    targets = [line.split()[1] for line in rules.splitlines() if line.startswith("/")]
    assert all((root / target[1:]).is_file() for target in targets if "." in target)
    assert "/dataset/1.0.0 /dataset/1.0.0.ttl 303\n" in rules
    assert rules.index("/distribution/1.0.0/* /dataset/1.0.0.ttl 303\n") < rules.index(
        "/distribution/* "
    )
    for_netlify = (root / "web/_redirects").read_text("utf-8")
    assert "/organisation/alte-stelle /organisation/stadt-brandis 301!\n" in for_netlify
    assert "/lab/verirrt /lab/verirrt.html 410!\n" in for_netlify
    assert "/organisation/verbund /organisation/verbund.html 410!\n" in for_netlify


# -- below a path ----------------------------------------------------------------------------------


PATHS = ("https://data.example/kg+x/v1.0/", "https://bücher.example/süd/v1/")
"""Addresses with characters of regular expressions, and beyond ASCII in host and path."""


WITHDRAWN_LIBRARIES = """
- id: [library/west, library/s%C3%BCd]
  replaced_by: library/central
  date: '2024-02-01'
  reason: {en: Merged.}
- id: library/lost
  date: '2024-02-01'
  reason: {en: Was no library.}
"""


@pytest.fixture(scope="module", params=PATHS)
def below_a_path(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A publication with a base of its own, and the path of that."""
    folder = tmp_path_factory.mktemp("path")
    folder.chmod(0o755)
    project = copy_project(folder / "project", TESTS / "projects/libraries")
    path = project / "publication.yaml"
    text = path.read_text("utf-8").replace("https://libraries.example/", request.param, 1)
    path.write_text(text, "utf-8")
    (project / "source/withdrawn.yaml").write_text(WITHDRAWN_LIBRARIES, "utf-8")
    done = run_process("build", "--project", project)
    assert done.returncode == 0, done.stderr
    return project, request.param.split("/", 3)[3]


def check_served(project: Path, served: str) -> None:
    """Nothing is wrong at an address."""
    done = run_process("check", "--project", project, "--served", served, "--lang", "en")
    assert done.returncode == 0 and "LP55" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", SERVERS)
def test_a_base_below_a_path_needs_no_hosting(
    name: str, below_a_path: tuple[Path, str], tmp_path: Path
) -> None:
    if shutil.which(SERVERS[name]) is None:
        pytest.skip(f"{name} is not installed: apt-get install {SERVERS[name]}")
    project, path = below_a_path
    site, root = project / "dist/site", tmp_path / "root"
    shutil.copytree(site, root / path, copy_function=os.link)
    (root / path / ".htaccess").write_bytes((site / "web/apache/.htaccess").read_bytes())
    for folder in [tmp_path, root, *(item for item in root.rglob("*") if item.is_dir())]:
        folder.chmod(0o755)
    process = start(name, root, tmp_path, port := free_port(), site / "web")
    (root / ".htaccess").unlink(missing_ok=True)
    try:
        check_served(project, f"http://127.0.0.1:{port}/{path}")
    finally:
        process.terminate()
        process.wait(10)
    if name == "nginx":
        assert "[warn]" not in (tmp_path / "output.log").read_text()


def test_lodpipe_serves_a_base_of_any_characters(
    below_a_path: tuple[Path, str], tmp_path: Path
) -> None:
    project, _ = below_a_path
    with serving(project, tmp_path / "log") as server:
        check_served(project, server.url)


@pytest.mark.parametrize(
    "address",
    [
        "https://host.example/x",
        "https://bücher.example/",
        "https://host.example/a b/",
        "https://host.example/a/../",
        "https://host.example/?page=a/",
        "https://host.example:999999/",
        "host.example/",
    ],
)
def test_an_address_that_rules_cannot_have_is_refused(address: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", TESTS / "projects/libraries")
    path = project / "publication.yaml"
    path.write_text(f"{path.read_text('utf-8')}hosting: '{address}'\n", "utf-8")
    output = invoke("check", "--project", project, "--lang", "en").output
    assert "LP601: hosting: expected web address in ASCII, ends with `/`" in output
