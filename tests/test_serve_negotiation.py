"""What a client gets by its headers: forms of queries, and every class of resource, like the web
servers' configurations.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.query import Result

from serving import Served, cases, serving
from support import TESTS, copy_project, run_process
from test_catalogue_web import (
    ACCEPTS,
    BASE,
    BROWSER,
    SUFFIXES,
    TYPE,
    WITHDRAWN_CASES,
    successors,
)

CASES = cases("negotiation.yaml")
LAB = f"{BASE}lab/brandis"
QUERIES = {
    "select": f"SELECT ?label {{ <{LAB}> <http://www.w3.org/2000/01/rdf-schema#label>|<https://schema.org/name> ?label }}",
    "ask": f"ASK {{ <{LAB}> ?p ?o }}",
    "construct": f"CONSTRUCT {{ <{LAB}> ?p ?o }} WHERE {{ <{LAB}> ?p ?o }}",
    "describe": f"DESCRIBE <{LAB}>",
}


def parser_of(media_type: str) -> str:
    """What rdflib calls the format; JSON of the API is JSON-LD."""
    return "application/ld+json" if media_type == "application/json" else media_type


@pytest.fixture(scope="module")
def samples(publication: Path) -> list[str]:
    """One resource of each class, below the base."""
    by_class: dict[str, str] = {}
    for quad in ox.parse(path=publication / "dist/rogl.nt", format=ox.RdfFormat.N_TRIPLES):
        subject = str(quad.subject.value)
        if quad.predicate == TYPE and subject.startswith(BASE) and len(subject) > len(BASE):
            by_class.setdefault(quad.object.value, subject.removeprefix(BASE))
    assert len(by_class) >= 30, "classes"
    return sorted(set(by_class.values()))


def test_the_matrix_of_queries(server: Served) -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 45
    wrong = []
    for case in CASES:
        answer = server.query(QUERIES[case["form"]], case["accept"])
        if (answer.status, answer.media_type) != (case["status"], case["type"]) or (
            answer.status == 200 and answer.headers["vary"] != "Accept, Accept-Encoding"
        ):
            wrong.append((case, answer.status, answer.headers))
    assert not wrong, "\n".join(map(str, wrong))


def test_every_format_says_the_same(server: Served) -> None:
    for form in ("select", "ask"):
        results = {}
        for media_type in ("application/sparql-results+json", "application/sparql-results+xml"):
            result = Result.parse(
                io.BytesIO(server.query(QUERIES[form], media_type).body), content_type=media_type
            )
            results[media_type] = result.askAnswer if form == "ask" else sorted(map(tuple, result))
        assert (
            results["application/sparql-results+json"] == results["application/sparql-results+xml"]
        )
        assert results["application/sparql-results+json"]
    for form in ("construct", "describe"):
        graphs = [
            set(rdflib.Graph().parse(data=server.query(QUERIES[form], value).body, format=value))
            for value in SUFFIXES.values()
            if value != "application/json"  # the endpoint's rows
        ]
        assert len(graphs[0]) > 5
        assert all(graph == graphs[0] for graph in graphs)


def test_every_class_answers_every_accept_header(server: Served, samples: list[str]) -> None:
    """The table of the web servers (tests/test_catalogue_web.py), with the pages that are built."""
    wrong = []
    for local in samples:
        for accept, suffix in ACCEPTS.items():
            answer = server.request(f"/{local}", accept)
            if (answer.status, answer.headers.get("location")) != (
                303,
                f"/{local}.{suffix}",
            ) or "Accept" not in answer.headers.get("vary", ""):
                wrong.append((local, accept, answer.status, answer.headers.get("location")))
    print(f"{len(samples)} resources × {len(ACCEPTS)} Accept headers")
    assert not wrong, "\n".join(map(str, wrong))


def test_the_document_behind_the_redirect_describes_the_resource(
    server: Served, samples: list[str]
) -> None:
    for local in samples:
        for suffix, media_type in SUFFIXES.items():
            answer = server.request(f"/{local}.{suffix}")
            assert (answer.status, answer.media_type) == (200, media_type), local
            graph = rdflib.Graph().parse(data=answer.body, format=parser_of(media_type))
            assert (rdflib.URIRef(BASE + local), None, None) in graph, f"{local}.{suffix}"
        page = server.request(f"/{local}.html")
        assert (page.status, page.media_type) == (200, "text/html")
        assert f"{BASE}{local}".encode() in page.body


@pytest.mark.parametrize(
    ("language", "page"),
    [
        (None, ""),
        ("de", ""),
        ("en", ".en"),
        ("en-GB,en;q=0.8,de;q=0.2", ".en"),
        ("de;q=0.3, en;q=0.2", ""),
        ("fr", ""),
        ("en;q=0", ""),
        ("*", ""),
    ],
)
def test_the_language_chooses_the_page(server: Served, language: str | None, page: str) -> None:
    headers = {} if language is None else {"Accept-Language": language}
    answer = server.request("/lab/brandis", BROWSER, headers=headers)
    assert (answer.status, answer.headers["location"]) == (303, f"/lab/brandis{page}.html")
    assert "Accept-Language" in answer.headers["vary"]
    start = server.request("/", BROWSER, headers=headers)
    assert (start.status, start.media_type) == (200, "text/html")
    assert f'lang="{page[1:] or "de"}"'.encode() in start.body


@pytest.mark.parametrize(
    "local", ["catalog", "dataset", "distribution/ttl", "distribution/nt.gz", "service"]
)
def test_the_catalogue_answers_for_what_it_describes(server: Served, local: str) -> None:
    for suffix, accept in SUFFIXES.items():
        answer = server.request(f"/{local}", accept)
        assert (answer.status, answer.headers["location"]) == (303, f"/catalog.{suffix}")
        assert server.request(answer.headers["location"]).media_type == accept
    assert server.request(f"/{local}", BROWSER).headers["location"] == "/catalog.html"


SMALL = "https://libraries.example/"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a closed release, of a small project: the names of a release are the same."""
    folder = tmp_path_factory.mktemp("released")
    project = copy_project(folder / "project", TESTS / "projects" / "libraries")
    publication = project / "publication.yaml"
    text = publication.read_text("utf-8").replace("gzip: false", "gzip: true")
    publication.write_text(text.replace("version: 0.3.0", "version: 1.0.0"), "utf-8")
    done = run_process("release", "--project", project, "--lang", "en")
    assert done.returncode == 0, done.stderr
    with serving(project, folder / "log") as server:
        yield server


@pytest.mark.parametrize("local", ["dataset/1.0.0", "distribution/1.0.0/ttl.gz"])
def test_a_release_and_its_files_are_answered_by_the_document_of_the_release(
    released: Served, local: str
) -> None:
    for accept, suffix in ACCEPTS.items():
        answer = released.request(f"/{local}", accept)
        assert (answer.status, answer.headers["location"]) == (303, f"/dataset/1.0.0.{suffix}")
    for suffix, media_type in SUFFIXES.items():
        document = released.request(f"/dataset/1.0.0.{suffix}")
        assert (document.status, document.media_type) == (200, media_type)
        graph = rdflib.Graph().parse(
            data=document.body, format=parser_of(media_type), publicID=SMALL
        )
        assert (rdflib.URIRef(SMALL + local), None, None) in graph
    answer = released.request(f"/{local}", BROWSER, headers={"Accept-Language": "en"})
    assert (answer.status, answer.headers["location"]) == (303, "/dataset/1.0.0.html")
    assert f"{SMALL}dataset/1.0.0".encode() in released.request("/dataset/1.0.0.html").body


@pytest.mark.parametrize("local", ["dataset/9.9.9", "distribution/9.9.9/ttl.gz", "dataset/1.0"])
def test_a_release_that_never_was_answers_404(released: Served, local: str) -> None:
    for accept in ("text/turtle", BROWSER):
        assert released.request(f"/{local}", accept).status == 404


def test_void_is_found_where_crawlers_look(server: Served) -> None:
    answer = server.request("/.well-known/void")
    assert (answer.status, answer.headers["location"]) == (302, "/void.ttl")
    assert server.request("/void.ttl").media_type == "text/turtle"


@pytest.mark.parametrize(
    "case", WITHDRAWN_CASES, ids=lambda case: f"{case['path']} {case['accept']}"
)
def test_withdrawn_resources_answer_in_the_format_asked_for(
    server: Served, case: dict[str, Any]
) -> None:
    answer = server.request("/" + quote(case["path"]), case["accept"])
    location = answer.headers.get("location", "").removeprefix("/")
    assert (answer.status, location) == (case["status"], case.get("location", ""))
    if "type" in case:
        assert answer.media_type == case["type"]
        assert case["body"] in answer.body.decode("utf-8")
        assert sorted(successors(answer.headers)) == case.get("successors", [])


def test_a_withdrawn_resource_has_a_page_in_the_language_asked_for(server: Served) -> None:
    headers = {"Accept-Language": "en"}
    answer = server.request("/organisation/alte-stelle", BROWSER, headers=headers)
    assert (answer.status, b"Merged." in answer.body) == (301, True)
    assert server.request("/lab/verirrt", BROWSER, headers={"Range": "bytes=0-9"}).status == 410


@pytest.mark.parametrize(
    "path",
    [
        "lab/nowhere",
        "nowhere",
        "lab/nowhere.ttl",
        "lab/brandis/nowhere/at/all",
        "lab/brandis.exe",
        "lab/",
        "sparql/x",
    ],
)
def test_what_never_was_answers_404(server: Served, path: str) -> None:
    for accept in (None, BROWSER, "text/turtle"):
        assert server.request(f"/{path}", accept).status == 404


def test_files_are_sent_as_they_are(server: Served, publication: Path) -> None:
    files = {
        "rogl.ttl": "text/turtle",
        "rogl.nq": "application/n-quads",
        "rogl.ttl.gz": "application/gzip",
        "tables/labs.csv": "text/csv",
    }
    for name, media_type in files.items():
        answer = server.request(f"/{name}", "application/ld+json")
        assert (answer.status, answer.media_type, answer.body) == (
            200,
            media_type,
            (publication / "dist" / name).read_bytes(),
        ), name
        assert "content-encoding" not in answer.headers
    assert json.loads(server.request("/dataset.jsonld").body)


def test_a_browser_at_the_endpoint_gets_the_page_for_queries(server: Served) -> None:
    answer = server.request("/sparql", BROWSER)
    assert answer.status == 303
    assert server.request(answer.headers["location"], BROWSER).media_type == "text/html"
    assert server.request("/sparql", "text/turtle").media_type == "text/turtle"
