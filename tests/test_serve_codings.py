"""Compressed answers, conditional requests by date, and the headers by which browsers bound what an
answer can do.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from lodpipe.publish import compression
from serving import Answer, Served, cases

pytestmark = pytest.mark.slow
CASES = cases("codings.yaml")
UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: (
        zstandard.ZstdDecompressor(max_window_size=8 << 20)  # RFC 9659
        .decompressobj()
        .decompress(body)
    ),
}
PATHS = {
    "dump": "/rogl.ttl",
    "page": "/lab/brandis.html",
    "rows": "/sparql?query=SELECT*%7B%3Fs%20a%20%3Fo%7D",
    "small": "/sparql?query=ASK%7B%7D",
    "picture": "/assets/favicon.png",
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture(scope="module")
def pictured(server: Served, publication: Path) -> Served:
    """The server with a file that is no text, of bytes that each coding would make larger."""
    (publication / "dist/site/assets/favicon.png").write_bytes(bytes(range(256)) * 8)
    return server


def request(server: Served, path: str, accept: str | None, **headers: str) -> Answer:
    given = {} if accept is None else {"Accept-Encoding": accept}
    return server.request(
        path, headers=given | {k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['of']} for {case['accept']}")
def test_an_answer_comes_in_the_coding_that_is_liked_best(
    case: dict[str, Any], pictured: Served, publication: Path
) -> None:
    answer = request(pictured, PATHS[case["of"]], case["accept"])
    assert answer.status == case.get("status", 200)
    if answer.status != 200:
        return
    coding = answer.headers.get("content-encoding", "identity")
    assert coding == case["coding"]
    plain = request(pictured, PATHS[case["of"]], None)
    assert UNPACK[coding](answer.body) == plain.body
    assert answer.headers["content-type"] == plain.headers["content-type"]
    assert (answer.headers["etag"] == plain.headers["etag"]) is (coding == "identity")
    assert "Accept-Encoding" in answer.headers["vary"] or case["of"] == "picture"
    if case.get("copy"):
        assert answer.body == (publication / "dist/rogl.ttl.gz").read_bytes()


@pytest.mark.parametrize("name", ["dump", "page", "rows"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_each_coding_has_a_tag_of_its_own(server: Served, name: str, coding: str) -> None:
    path = PATHS[name]
    first = request(server, path, coding)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}'):
        again = request(server, path, coding, If_None_Match=known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert "content-encoding" not in again.headers
        assert "Accept-Encoding" in again.headers["vary"]
    other = "br" if coding == "gzip" else "gzip"
    assert request(server, path, other, If_None_Match=tag).status == 200
    assert request(server, path, None, If_None_Match=tag).status == 200


@pytest.mark.parametrize("name", ["dump", "page", "rows"])
def test_head_has_the_headers_of_get(server: Served, name: str) -> None:
    given = {"Accept-Encoding": "gzip"}
    got, head = (
        server.request(PATHS[name], method=method, headers=given) for method in ("GET", "HEAD")
    )
    names = ("etag", "content-encoding", "content-type", "vary", "last-modified")
    assert [head.headers.get(item) for item in names] == [got.headers.get(item) for item in names]
    assert head.body == b""
    assert head.headers.get("content-length") in (None, got.headers["content-length"])


def test_a_copy_of_several_members_is_not_sent_as_a_coding(
    server: Served, publication: Path
) -> None:
    """curl, wget and Chromium stop after the first member."""
    path = publication / "dist/site/large.nt"
    path.write_bytes(b"<s> <p> <o> .\n" * 1_300_000)
    compression.gzip(path)
    copy = path.with_name("large.nt.gz")
    try:
        answer = request(server, "/large.nt", "gzip")
        coding = answer.headers.get("content-encoding", "identity")
        reader = zlib.decompressobj(wbits=31)  # of a single member, as theirs are
        body = reader.decompress(answer.body) if coding == "gzip" else answer.body
        assert body == path.read_bytes() and answer.body != copy.read_bytes()
        assert request(server, "/large.nt.gz", None).body == copy.read_bytes()
    finally:
        path.unlink()
        copy.unlink()


def test_ranges_are_of_the_file_and_go_on_in_the_copy_they_were_of(
    server: Served, publication: Path
) -> None:
    data = {end: (publication / f"dist/rogl.ttl{end}").read_bytes() for end in ("", ".gz")}
    part = request(server, "/rogl.ttl", "gzip", Range="bytes=10-19")
    assert (part.status, part.body) == (206, data[""][10:20])
    assert "content-encoding" not in part.headers
    tag = request(server, "/rogl.ttl", "gzip").headers["etag"]
    rest = request(server, "/rogl.ttl", "gzip", Range="bytes=10-19", If_Range=tag)
    assert (rest.status, rest.body) == (206, data[".gz"][10:20])
    assert rest.headers["content-encoding"] == "gzip"
    page = request(server, PATHS["page"], "zstd", Range="bytes=0-3")
    assert (page.status, "content-encoding" in page.headers, len(page.body)) == (206, False, 4)


@pytest.mark.parametrize("name", ["Accept", "Accept-Encoding", "Accept-Language"])
def test_elements_without_number_are_not_read(server: Served, name: str) -> None:
    """The first hundred decide: the others would keep all clients waiting while they are read."""
    first = {"Accept": "text/turtle", "Accept-Encoding": "br", "Accept-Language": "en"}[name]
    answers = [
        server.request("/lab/brandis", headers={name: first + more})
        for more in ("", ", x/y;q=0.5" * 100, ", x/y;a=b;q=0.5" * 3_500)
    ]
    assert len({(a.status, a.headers.get("location"), a.headers["vary"]) for a in answers}) == 1


# -- dates -----------------------------------------------------------------------------------------


def test_a_file_comes_again_only_where_it_is_newer(server: Served) -> None:
    first = server.request("/rogl.nt")
    date = first.headers["last-modified"]
    earlier = formatdate(parsedate_to_datetime(date).timestamp() - 1, usegmt=True)
    later = formatdate(parsedate_to_datetime(date).timestamp() + 100, usegmt=True)

    def status(since: str, **more: str) -> int:
        headers = {"If-Modified-Since": since} | more
        return server.request("/rogl.nt", headers=headers).status

    assert [status(date), status(later), status(earlier)] == [304, 304, 200]
    assert [status(text) for text in ("yesterday", "", "Mon, 99 Foo 2026 99:99:99 GMT")] == [
        200
    ] * 3
    # A tag decides alone (RFC 9110, 13.1.3).
    assert status(later, **{"If-None-Match": '"other"'}) == 200
    assert status(earlier, **{"If-None-Match": first.headers["etag"]}) == 304


# -- browsers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "title"),
    [("de", "Diese Seite gibt es nicht"), ("en, de;q=0.5", "There is no such page")],
)
def test_a_browser_gets_the_page_of_the_site_for_what_is_not_there(
    server: Served, language: str, title: str
) -> None:
    answer = server.request("/lab/no/such/lab", BROWSER, headers={"Accept-Language": language})
    page = answer.body.decode()
    assert (answer.status, answer.media_type) == (404, "text/html")
    assert title in page
    assert 'href="/assets/site.css"' in page, "it is shown at any depth"
    assert 'href="./' not in page
    assert "Accept-Language" in answer.headers["vary"]
    for accept in (None, "*/*", "text/turtle", "application/json"):
        assert server.request("/lab/no/such/lab", accept).media_type == "text/plain"


@pytest.mark.parametrize("path", ["/", "/lab/brandis.html", "/assets/site.js", "/lab/no"])
def test_pages_have_the_policy_of_pages(server: Served, path: str) -> None:
    policy = server.request(path, BROWSER).headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    "path", ["/rogl.ttl", "/sparql?query=ASK%7B%7D", "/health", "/sparql?query=x"]
)
def test_data_do_nothing_where_they_are_shown(server: Served, path: str) -> None:
    headers = server.request(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "geolocation=()" in headers["permissions-policy"]


def test_a_link_to_a_query_opens_the_page_for_queries(server: Served) -> None:
    path = "/sparql?query=SELECT+*+%7B%3Fs+%3Fp+%22%26%23%C3%A4%22%7D"
    answer = server.request(path, BROWSER, headers={"Accept-Language": "en"})
    assert answer.status == 303
    expected = "/sparql.en.html#query=SELECT+%2A+%7B%3Fs+%3Fp+%22%26%23%C3%A4%22%7D"
    assert answer.headers["location"] == expected
    assert "Accept" in answer.headers["vary"]
    for accept in (
        None,
        "*/*",
        "application/sparql-results+json, text/html;q=0.9",
        "text/csv,text/html",
    ):
        assert server.request(path, accept).status == 200, accept
    of_a_graph = server.request(
        path + "&default-graph-uri=https%3A%2F%2Fw3id.org%2Frogl%2Fcatalog", BROWSER
    )
    assert of_a_graph.status == 200, "the page could not keep the dataset"


# -- what is refused, and why ----------------------------------------------------------------------


def test_an_encoded_body_is_refused_before_it_is_unpacked(server: Served) -> None:
    bomb = gzip.compress(b"ASK {} #" + b"x" * 50_000_000)
    for coding in ("gzip", "br", "zstd", "gzip, gzip", "GZIP"):
        headers = {"Content-Type": "application/sparql-query", "Content-Encoding": coding}
        answer = server.request("/sparql", method="POST", headers=headers, body=bomb)
        assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity"), coding
        assert b"encoded" in answer.body
    headers = {"Content-Type": "application/sparql-query", "Content-Encoding": "identity"}
    assert server.request("/sparql", method="POST", headers=headers, body=b"ASK{}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        b"X: " + b"a" * 70_000 + b"\r\n",
        b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(700)),
        b"".join(b"%x:\r\n" % number for number in range(16_000)),
    ],
    ids=["one header", "many headers", "many small ones"],
)
def test_headers_too_large_in_one_piece(server: Served, headers: bytes) -> None:
    data = server.bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
    assert data.startswith(b"HTTP/1.1 431 "), data[:80]
    assert data.endswith(b"\r\n\r\nthe headers are too large\n")
    assert server.query("ASK {}").status == 200


def test_a_client_that_sends_too_much_sees_why(server: Served) -> None:
    """The answer comes whole, although the client was still sending: 3 MB are more than any buffer."""
    headers = {"Content-Type": "application/sparql-query"}
    for _ in range(5):
        answer = server.request("/sparql", method="POST", headers=headers, body=b"#" * 3_000_000)
        assert (answer.status, b"larger" in answer.body) == (413, True)


def test_a_client_that_asks_first_need_not_send_a_body_too_large(server: Served) -> None:
    head = b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"
    data = server.bytes(head + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_every_line_of_the_log_is_json(server: Served, data: bytes) -> None:
    server.bytes(data)
    lines = server.log.read_text("utf-8").splitlines()[1:]  # the first is standard output
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert any(json.loads(line).get("event") == "http server" for line in lines)
