"""Clients with long queries leave room for others; the short way of simple queries answers as the
application does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from lodpipe.rdf.sparql import parse, plain_names
from lodpipe.serve.fairness import Usage, client_of
from lodpipe.serve.index_places import IndexPlaces
from lodpipe.serve.protocol import Refused
from serving import Answer, Served, serving, until

PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c != ?f) } # %d"
# Some tenths of a second of processor time: long, but it ends.
AGGREGATE = "SELECT (SUM(STRLEN(?c)) AS ?n) { { SELECT ?c { ?a ?b ?c } LIMIT 700 } { SELECT ?d { ?d ?e ?f } LIMIT 700 } } # %d"


@dataclass
class Job:
    client: str
    used: float
    arrived: float


def usage(budget: float = 30) -> tuple[Usage, list[float]]:
    now = [0.0]
    return Usage(budget, lambda: now[0]), now


def names(jobs: list[Job]) -> str:
    return " ".join(f"{job.client}{job.arrived:g}" for job in jobs)


def test_a_query_that_has_used_little_comes_before_one_that_has_used_much() -> None:
    jobs = [Job("a", 5, 1), Job("b", 0.1, 4), Job("c", 0.2, 3), Job("d", 0.9, 2)]
    assert names(usage()[0].turns(jobs)) == "c3 b4 d2 a1"


def test_each_client_has_a_turn_before_any_has_its_second() -> None:
    jobs = [Job("a", 0.1, number) for number in range(4)] + [Job("b", 0.1, 9)]
    assert names(usage()[0].turns(jobs)) == "a0 b9 a1 a2 a3"


def test_a_client_over_its_budget_comes_last_for_a_number_of_seconds() -> None:
    use, now = usage(budget=10)
    use.add("a", 11)
    assert names(use.turns([Job("a", 0.1, 1), Job("b", 9, 2)])) == "b2 a1"
    assert use.wait("a") == 6
    now[0] = 6
    assert use.wait("a") == 0
    assert use.wait("b") == 0
    assert min(("a", "b"), key=use.rank) == "b"


def test_use_fades_and_is_forgotten() -> None:
    use, now = usage()
    for number in range(5000):
        use.add(str(number), 0.001)
    now[0] = 600
    use.add("a", 1)
    assert use.of("a") == 1
    assert use.of("17") == 0
    assert len(use._levels) < 5000


def test_addresses_of_one_network_are_one_client() -> None:
    assert (
        client_of("2001:db8::1")
        == client_of("2001:db8:0:0:ffff::2")
        != client_of("2001:db8:0:1::1")
    )
    assert client_of("192.0.2.1") != client_of("192.0.2.2")
    assert client_of("unix socket") == "unix socket"


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1", "::ffff:c000:201", "64:ff9b::192.0.2.1"])
def test_an_ipv4_address_in_ipv6_is_a_client_of_its_own(address: str) -> None:
    assert client_of(address) == "192.0.2.1"


# -- questions to the index ------------------------------------------------------------------------


async def question(
    places: IndexPlaces, address: str, release: threading.Event, answers: list[str]
) -> None:
    """A question that ends when it is released."""
    try:
        await places.run(address, release.wait, 10)
        answers.append(address)
    except Refused as refused:
        answers.append(f"{address} {refused.status} {refused.headers['Retry-After']}")


async def crowd(use: Usage, *addresses: str) -> list[str]:
    """The answers to questions that come in this order, while none of them ends."""
    places, release, answers = IndexPlaces(use), threading.Event(), []
    tasks = []
    for address in addresses:
        tasks.append(asyncio.create_task(question(places, address, release, answers)))
        await asyncio.sleep(0)
    refused, running = [*answers], dict(places._running)
    release.set()
    await asyncio.gather(*tasks)
    assert places.waiting == 0 and not places._running
    return [*refused, *(f"{address} runs {count}" for address, count in running.items())]


def test_one_client_never_has_all_places_of_the_index() -> None:
    use, _ = usage()
    assert asyncio.run(crowd(use, *["a"] * 20, "b", "b", "b")) == ["a runs 6", "b runs 2"]


def test_a_client_over_its_budget_asks_the_index_one_question_at_a_time() -> None:
    use, _ = usage(budget=10)
    use.add("a", 20)
    assert asyncio.run(crowd(use, *["a"] * 3, "b")) == ["a runs 1", "b runs 1"]


def test_a_full_queue_refuses_the_client_with_most_of_it() -> None:
    use, _ = usage(budget=10)
    use.add("a", 20)
    answers = asyncio.run(crowd(use, *["a"] * 66, "b"))
    assert answers == ["a 429 42", "a runs 1", "b runs 1"]
    assert asyncio.run(crowd(usage()[0], *["a"] * 71, "b", "c", "c", "c")) == [
        "a 503 1",
        "a 503 1",
        "a runs 6",
        "b runs 1",
        "c runs 1",
    ]


def test_questions_to_the_index_are_charged_to_their_client() -> None:
    use, _ = usage()
    places = IndexPlaces(use)
    asyncio.run(places.run("a", sum, range(3_000_000)))
    asyncio.run(places.run("b", len, ""))
    assert use.of("a") > 0.01 > use.of("b") >= 0.001


@pytest.fixture(scope="module")
def served(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("fairness") / "log"
    with serving(publication, log, "--timeout", 8, "--processes", 2, "--cache", "0MB") as server:
        yield server


def test_aggregates_are_answered_beside_queries_without_end(served: Served) -> None:
    """More of these than may run, from an address of their own and from the same."""
    ending = threading.Event()

    def keep(number: int, address: str) -> None:
        while not ending.is_set():
            path = f"/sparql?query={quote(PRODUCT % number)}"
            served.request(path, headers={"X-Forwarded-For": address}, timeout=60)

    hostile = [
        threading.Thread(target=keep, args=(number, address), daemon=True)
        for number, address in enumerate(["192.0.2.1", "192.0.2.1", "192.0.2.2", "127.0.0.1"])
    ]
    for thread in hostile:
        thread.start()
    until(lambda: served.health()["busy"] >= 4, seconds=20, what="they run")
    answers = [served.query(AGGREGATE % number, timeout=60) for number in range(4)]
    ending.set()
    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.rows()[0] for answer in answers}) == 1
    for thread in hostile:
        thread.join(40)
    until(lambda: served.health()["free"] == 2, seconds=10, what="all workers are free again")


def test_clients_that_come_at_once_are_all_answered(served: Served) -> None:
    answers: list[Answer] = []
    threads = [
        threading.Thread(
            target=lambda number=number: answers.append(
                served.query(AGGREGATE % (100 + number), timeout=60)
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in answers] == [200] * 8


# -- the short way ---------------------------------------------------------------------------------

WAYS = [
    ("SELECT ?p ?o { <https://w3id.org/rogl/lab/brandis> ?p ?o }", None),
    ("SELECT ?p ?o { <lab/brandis> ?p ?o } ORDER BY ?p ?o", "text/csv"),
    ("ASK { ?s ?p ?o }", "text/tab-separated-values"),
    ("CONSTRUCT { ?s a ?o } WHERE { ?s a ?o } LIMIT 3", "application/ld+json, text/csv"),
    ("SELECT (NOW() AS ?now) {}", "image/png"),
    ("SELECT (RAND() > 2 AS ?never) {}", None),
    ("SELECT * { SERVICE <http://192.0.2.1/> { ?s ?p ?o } }", None),
    ("SELECT * { nonsense", "text/html, application/json"),
    ("SELECT ('ü' AS ?x) {}", "application/sparql-results+xml"),
    ("SELECT * { ?s ?p ?o }", "text/csv"),
    ("SELECT ?p ?n { [] <http://www.w3.org/ns/shacl#prefix> ?p ; <http://www.w3.org/ns/shacl#namespace> ?n }", None),
    ("SELECT * { ?s ?p ?o } LIMIT 1", "text/html"),
]  # fmt: skip


@pytest.mark.parametrize("coding", [None, "gzip", "identity;q=0, br", "zstd, gzip;q=0.5"])
@pytest.mark.parametrize(("text", "accept"), WAYS)
def test_both_ways_answer_alike(
    served: Served, text: str, accept: str | None, coding: str | None
) -> None:
    headers = {"Accept-Encoding": coding} if coding else {}
    path = f"/sparql?query={quote(text)}"
    short = served.request(path, accept, headers=headers)
    long = served.request(path, accept, headers={**headers, "X-Other": "1"})
    assert short.status == long.status
    assert {name: value for name, value in short.headers.items() if name != "date"} == {
        name: value for name, value in long.headers.items() if name != "date"
    }
    assert short.body == long.body


def test_requests_in_one_piece_are_answered_in_order(served: Served) -> None:
    texts = [f"SELECT ({number} AS ?n) {{}}" for number in range(5)]
    others = {2: "X-Other: 1\r\n"}
    data = "".join(
        f"GET /sparql?query={quote(text)} HTTP/1.1\r\nHost: a\r\nAccept: text/csv\r\n{others.get(number, '')}"
        f"{'Connection: close' if number == 4 else 'Connection: keep-alive'}\r\n\r\n"
        for number, text in enumerate(texts)
    )
    answer = served.bytes(data.encode())
    assert answer.count(b"HTTP/1.1 200 OK") == 5
    assert [part[:6] for part in answer.split(b"\r\n\r\n")[1:]] == [
        f"n\r\n{number}\r\n".encode() for number in range(5)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <x:> {} }",
        "SELECT * { ser\\u0076ice <x:> {} }",
        "select * { SeRvIcE silent ?x {} }",
        "SELECT * { \u017fervice <x:> {} }",
        "SELECT * FROM <x:g> { ?s ?p ?o }",
        "SELECT * { GRAPH ?g { ?s ?p ?o } }",
        "SELECT (UUID() AS ?x) {}",
        "BASE <x:> SELECT * { <a> ?p ?o }",
    ],
)
def test_what_has_to_be_read_is_not_run_as_it_is(text: str) -> None:
    assert plain_names(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX s: <https://schema.org/> SELECT * { ?x s:name ?n ; a s:Organization. } # <x:comment>",
        "PREFIX : <x:> PREFIX a.b: <y:> SELECT * { :a a.b:c :d.e }",
        "SELECT * { <lab/brandis> <../p> 'x:y <z:z>' }",
    ],
)
def test_a_query_names_no_more_than_is_read_of_it_quickly(text: str) -> None:
    base = "https://example.org/a/"
    names = plain_names(text, base)
    assert names is not None
    assert set(parse(text, base).names) <= names
