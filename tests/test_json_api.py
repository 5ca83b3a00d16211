"""The JSON API over HTTP: what comes back, that it is JSON-LD and says what the graph says, that files for
static hosts say the same, and that strangers find their way by its description.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest
import yaml
from pyld import jsonld

from lodpipe.publish.api.api_page import framed
from request_cases import get, wrong_answers
from serving import Served, serving
from support import ROOT, TESTS

CASES: list[dict[str, Any]] = yaml.safe_load((TESTS / "api/requests.yaml").read_text("utf-8"))
Statement = tuple[str, str, str]


def triples(data: bytes | str, form: ox.RdfFormat) -> set[Statement]:
    return {
        (str(item.subject), str(item.predicate), str(item.object))
        for item in ox.parse(data, format=form)
    }


def expanded(document: Any) -> set[Statement]:
    """What a JSON-LD processor reads in a document."""
    lines = jsonld.to_rdf(
        document, {"format": "application/n-quads", "base": "http://host.invalid/api/"}
    )
    return triples(lines.encode(), ox.RdfFormat.N_QUADS)


@pytest.fixture(scope="module")
def graph(publication: Path) -> set[Statement]:
    return triples((publication / "dist/rogl.nt").read_bytes(), ox.RdfFormat.N_TRIPLES)


def test_requests(server: Served) -> None:
    assert len(CASES) >= 100
    wrong = wrong_answers(server, CASES)
    assert not wrong, "\n".join(map(str, wrong))


def test_every_list_is_json_ld_and_together_they_are_the_graph(
    server: Served, graph: set[Statement]
) -> None:
    overview = json.loads(get(server, "/api/").body)
    stated: set[Statement] = set()
    for item in overview["collections"]:
        if item["name"] == "resources":
            continue
        document = json.loads(get(server, f"{item['href']}?size=1000").body)
        assert document["total"] == item["total"] == len(document["items"])
        own = expanded(document)
        assert not own - graph, item["name"]
        stated |= own
    print(f"{len(overview['collections'])} collections, {len(stated)} statements")
    assert stated == graph


def test_details_and_lines_say_what_the_graph_says(server: Served, graph: set[Statement]) -> None:
    for local in ("lab/brandis", "organisation/stadt-brandis", "def/kind/stadt"):
        document = json.loads(get(server, f"/{local}.json").body)
        subject = f"<https://w3id.org/rogl/{local}>"
        own = expanded(document)
        assert not own - graph
        assert {item for item in own if item[0] == subject} == {
            item for item in graph if item[0] == subject
        }
    context = json.loads(get(server, "/api/context.jsonld").body)
    answer = get(server, "/api/labs.jsonl")
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in answer.headers["link"]
    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert len(lines) == 13
    assert not expanded([{**context, **line} for line in lines]) - graph


def test_tables_have_the_same_columns_on_each_page(server: Served) -> None:
    pages = [
        list(
            csv.reader(
                io.StringIO(get(server, f"/api/places.csv?size=30&page={page}").body.decode())
            )
        )
        for page in (1, 2, 3)
    ]
    assert pages[0][0] == pages[1][0] == pages[2][0]
    assert len({row[0] for page in pages for row in page[1:]}) == 77
    assert {len(row) for page in pages for row in page} == {len(pages[0][0])}


def test_answers_are_asked_again_by_their_tags(server: Served) -> None:
    for address in (
        "/api/",
        "/api/labs",
        "/api/labs/brandis",
        "/api/suggest?q=a",
        "/api/openapi.json",
    ):
        first = get(server, address)
        tag = first.headers["etag"]
        again = get(server, address, headers={"If-None-Match": tag})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), address
        head = get(server, address, method="HEAD")
        assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)
        assert first.headers["access-control-allow-origin"] == "*"
        assert "Link" in first.headers["access-control-expose-headers"]
        assert get(server, address, method="POST").status == 405


def test_files_for_static_hosts_say_the_same(publication: Path, server: Served) -> None:
    site = publication / "dist/site"
    overview = json.loads((site / "api/index.json").read_bytes())
    overview_of_server = json.loads(get(server, "/api/").body)
    assert [(item["name"], item["total"]) for item in overview["collections"]] == [
        (item["name"], item["total"])
        for item in overview_of_server["collections"]
        if item["name"] != "resources"
    ]
    for item in overview["collections"]:
        file = json.loads((site / "api" / item["href"]).read_bytes())
        answer = json.loads(get(server, f"/api/{item['name']}?size=500").body)
        assert file["items"] == answer["items"], item["name"]
        for form in ("csv", "jsonl"):
            body = get(server, f"/api/{item['name']}.{form}?size=1000").body
            whole = get(server, f"/api/{item['name']}.{form}")
            assert (site / f"api/{item['name']}.{form}").read_bytes() == body == whole.body
            assert "content-length" not in whole.headers  # sent part by part
    for local in ("lab/brandis", "organisation/stadt-brandis"):
        detail = get(server, f"/api/resources/{local}").body
        assert (site / f"{local}.json").read_bytes() == detail
    for name, address in (("html", "text/html"), ("json", "application/json")):
        assert get(server, f"/api/index.{name}").body == get(server, "/api/", address).body
    assert (
        b"http" not in (site / "api/index.html").read_bytes().split(b"<h2>")[1].split(b"</main>")[0]
    )


def paragraphs(page: str) -> list[str]:
    """The texts of the content of a page that have more than names and codes."""
    content = page.partition("<main")[2].partition("</main>")[0]
    without_code = re.sub("<code>.*?</code>", "…", content)
    texts = re.findall("<(?:p|td|th|li|summary|h2)[^>]*>([^<]*)", without_code)
    return [text for text in texts if re.search("[a-z]{3,} [a-z]{2,}", text)]


def test_the_description_is_in_the_languages_of_the_pages(server: Served) -> None:
    pages = {
        name: get(server, f"/api/{name}").body.decode() for name in ("index.html", "index.en.html")
    }
    german, english = map(paragraphs, pages.values())
    assert len(german) > 100 and len(english) > 100
    shared = [
        text for text in {*german} & {*english} if re.search(r"\b(the|of|is|are|which|and)\b", text)
    ]
    assert shared == []
    english_words = [
        text for text in german if re.search(r"\b(the|of|which|whether|with|by)\b", text)
    ]
    assert english_words == []
    for name, page in pages.items():
        assert f'<html lang="{"en" if ".en." in name else "de"}">' in page
        assert '<nav class="menu"' in page and "../catalog" in page  # the way back
        assert "Anfragen zum Ausprobieren" in page or "Requests to try" in page
    preferred = get(server, "/api/", "text/html", headers={"Accept-Language": "en"})
    assert preferred.body.decode() == pages["index.en.html"]
    assert "Accept-Language" in preferred.headers["vary"]


def test_without_pages_the_description_is_a_page_of_its_own() -> None:
    assert framed(b"<main>other</main>", "content") == b""
    assert framed(b"<main><!-- api -->a<!-- /api --></main>", "b") == (
        b"<main><!-- api -->b<!-- /api --></main>"
    )


def test_a_stranger_writes_an_application_by_the_description_alone(server: Served) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, TESTS / "api/app.mjs", f"{server.url}api/openapi.json", "organisations", "Makerspcae Partheland"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert output["listed"] == output["distinct"] > 100
    assert output["hit"].endswith("/organisation/makerspace-partheland")
    assert output["detail"] == "Makerspace Partheland"
    assert "Makerspace Partheland" in output["suggested"]


def test_generated_clients_know_the_type_of_each_answer(server: Served) -> None:
    """A union of rows and text compiles in no client without a cast."""
    document = json.loads(get(server, "/api/openapi.json").body)
    operations = [methods["get"] for methods in document["paths"].values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) > 100
    for operation in operations:
        content = operation["responses"]["200"]["content"].values()
        assert len({json.dumps(form["schema"]) for form in content}) == 1, operation["operationId"]


@pytest.fixture(scope="module")
def small(build_once: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over the small project of another domain."""
    project = build_once("libraries", origin=TESTS / "projects/libraries")
    with serving(project, tmp_path_factory.mktemp("small") / "log") as server:
        yield server


@pytest.mark.slow
def test_generated_requests_are_answered_as_the_description_says(
    small: Served, tmp_path: Path
) -> None:
    """Schemathesis, a second opinion: all operations with the same seed and few examples; by hand it runs
    longer (docs/api.md).
    """
    pytest.importorskip("schemathesis")
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(TESTS / "api/schemathesis.toml"),
        "run", f"{small.url}api/openapi.json",
        "--seed", "1", "--max-examples", "4", "--phases", "examples,fuzzing", "--generation-database", "none", "--no-color",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    print(done.stdout[-600:])
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    "name", [pytest.param("server", marks=pytest.mark.slow), "small"]
)  # two publications
def test_the_requests_to_try_are_answered(name: str, request: pytest.FixtureRequest) -> None:
    served: Served = request.getfixturevalue(name)
    page = get(served, "/api/index.en.html").body.decode()
    tried = page.split("Requests to try", 1)[1].split("</ul>", 1)[0]
    addresses = [unescape(address) for address in re.findall(r'href="([^"]+)"', tried)]
    assert len(addresses) == 8
    assert [get(served, f"/api/{address}").status for address in addresses] == [200] * 8


def test_the_commands_of_the_documentation(server: Served) -> None:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    commands = [
        command
        for block in re.findall(r"<!-- curl -->\n```sh\n(.*?)```", page, re.S)
        for command in block.splitlines()
    ]
    print(f"{len(commands)} commands")
    assert len(commands) >= 14
    for command in commands:
        _, *words = shlex.split(command.replace("http://127.0.0.1:8000/", server.url))
        done = subprocess.run(
            ["curl", "-sSf", *words], capture_output=True, timeout=20, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
        assert len(done.stdout) > 100, command


def test_addresses_of_any_length_are_refused_with_problem_details(server: Served) -> None:
    for length in (17_000, 70_000):
        headers = "Host: a\r\nConnection: close\r\n\r\n"
        answer = server.bytes(f"GET /api/labs?q={'x' * length} HTTP/1.1\r\n{headers}".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 414 "), head
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == 414


def test_an_address_of_a_list_can_be_followed(server: Served) -> None:
    address, seen = "/api/organisations?size=40&q=stadt", []
    while address:
        assert urlsplit(address).netloc == ""
        page = json.loads(get(server, address).body)
        seen += [item["id"] for item in page["items"]]
        address = page.get("next", "")
    assert len(seen) == len(set(seen)) == page["total"]
