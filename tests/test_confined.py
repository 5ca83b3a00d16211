"""Queries of check, build and query: the union counted once, bounds, crashes that are findings, and
no request.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lodpipe.queries.confined import Limits, Stopped, confined
from lodpipe.queries.store_loading import Place
from lodpipe.queries.worker import cause_of
from lodpipe.rdf.sparql import parse
from serving import Served, descendants, until
from support import ROOT, TESTS, copy_project, findings_in, invoke, run_process

SPELLINGS = yaml.safe_load((TESTS / "sparql/spellings.yaml").read_text("utf-8"))
CYCLE = (TESTS / "sparql/cycle.rq").read_text("utf-8")
HEADER = "#+ title: {de: Probe, en: Probe}\n#+ description: {de: Probe, en: Probe}\n"
NAMES = "PREFIX def: <https://w3id.org/rogl/def/> PREFIX schema: <https://schema.org/> PREFIX org: <http://www.w3.org/ns/org#> "
TRIPLES = (ROOT / "dist/rogl.nt").read_bytes().count(b"\n")
# What the answers are where each triple counts once; with one count for each document they were 161
# and 229.
ONCE = [
    ("SELECT (COUNT(?m) AS ?n) { ?m a org:Membership }", "138"),
    ("SELECT (COUNT(?m) AS ?n) { ?m a org:Membership ; def:counted true }", "98"),
    ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", str(TRIPLES)),
    (
        "SELECT (SUM(?value) AS ?n) { ?lab a org:OrganizationalCollaboration ; schema:funding/schema:amount ?amount . "
        "?amount schema:currency 'EUR' ; schema:value ?value }",
        "915800",
    ),
]
TWO_GRAPHS = ['<x:a> <x:p> "1" <x:g> .\n', '<x:a> <x:p> "1" <x:h> .\n', '<x:a> <x:q> "2" <x:g> .\n']
UNION = ['<x:a> <x:p> "1" .\n', '<x:a> <x:q> "2" .\n']


class Listener(threading.Thread):
    """A port on loopback that counts who connects, and answers nothing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.connections = 0

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    listener.start()
    yield listener
    listener.socket.close()


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """A small project with a folder for queries."""
    project = copy_project(tmp_path / "libraries", TESTS / "projects/libraries")
    (project / "queries").mkdir(exist_ok=True)
    return project


def query_output(project: Path, text: str, folder: Path, *more: str) -> tuple[int, str, str]:
    (folder / "asked.rq").write_text(text, "utf-8")
    done = invoke(
        "query", folder / "asked.rq", "--project", project, "--format", "csv", "--lang", "en", *more
    )
    return done.exit_code, done.stdout, done.stderr


# -- each triple once ------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), ONCE)
def test_a_triple_of_several_documents_counts_once(
    text: str, expected: str, built: Path, tmp_path: Path
) -> None:
    assert query_output(built, NAMES + text, tmp_path) == (0, f"n\n{expected}\n", "")


def test_endpoint_and_query_count_alike(publication: Path, server: Served, tmp_path: Path) -> None:
    for text in (
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
        "SELECT (SUM(?v) AS ?n) { ?a <https://schema.org/value> ?v FILTER isNUMERIC(?v) }",
    ):
        assert query_output(publication, text, tmp_path)[1].split() == [
            "n",
            *server.query(text).rows()[0],
        ]


def test_the_service_description_counts_each_triple_once(server: Served) -> None:
    (count,) = server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").rows()[0]
    assert f'triples> "{count}"' in server.request("/sparql", "application/n-triples").body.decode(
        "utf-8"
    )


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("with_union", [False, True])
def test_quads_are_counted_once_and_their_graphs_stay(
    on_disk: bool, with_union: bool, tmp_path: Path
) -> None:
    """From a file of quads, with or without one of their union; in memory, or in a folder."""
    (tmp_path / "data.nq").write_text("".join(TWO_GRAPHS), "utf-8")
    (tmp_path / "data.nt").write_text("".join(UNION), "utf-8")
    place = Place(str(tmp_path / "stores"), "store") if on_disk else None
    data = [(tmp_path / f"data.{name}", name) for name in ["nq", *(["nt"] if with_union else [])]]
    with confined(data, Limits(20), place=place) as store:
        for text, expected in (
            ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", 2),
            ("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }", 3),
        ):
            assert store.run(parse(text), "csv", "nt")[1].decode().split() == ["n", str(expected)]


# -- no request ------------------------------------------------------------------------------------


def test_no_spelling_of_service_reaches_the_network(
    libraries: Path, listener: Listener, server: Served, tmp_path: Path
) -> None:
    """check, build, query and serve over each spelling; every one that asks another endpoint, or
    that is refused, is an error.
    """
    done = run_process("build", "--project", libraries, "--no-site")
    assert done.returncode == 0, done.stderr
    for number, case in enumerate(SPELLINGS):
        text = case["text"].replace("ADDRESS", listener.url)
        (libraries / f"queries/q{number:02}.rq").write_text(f"{HEADER}{text}\n", "utf-8")
        code = query_output(libraries, text, tmp_path, "--timeout", "5")[0]
        assert (code == 0) is (case["reads"] == "plain"), case
        answer = server.query(text, "text/csv, text/turtle", post=True)
        expected = {"service": 403, "refused": 400, "plain": 400 if "FROM" in case["text"] else 200}
        assert answer.status == expected[case["reads"]], (
            case,
            answer.body,
        )
    for command in ("check", "build"):
        report = tmp_path / f"{command}.txt"  # has all, where the terminal shows the first ten
        done = run_process(command, "--project", libraries, "--lang", "en", "--report", report)
        errors = {
            (finding.file, finding.code)
            for finding in findings_in(report.read_text("utf-8"))
            if finding.severity == "error"
        }
        wanted = {
            (f"queries/q{number:02}.rq", "LP801" if case["reads"] == "service" else "LP802")
            for number, case in enumerate(SPELLINGS) if case["reads"] != "plain"
        }  # fmt: skip
        assert {file for file, _ in errors} >= {
            file for file, _ in wanted
        } and done.returncode == 2, done.stderr
        assert wanted - errors == set()
    assert listener.connections == 0


def test_only_lodpipe_query_runs_a_federated_query(libraries: Path, listener: Listener) -> None:
    text = f"{HEADER}#+ federated: {listener.url}\nSELECT * {{ SERVICE SILENT <{listener.url}> {{ ?s ?p ?o }} }}\n"
    (libraries / "queries/far.rq").write_text(text, "utf-8")
    assert run_process("build", "--project", libraries, "--no-site", timeout=30).returncode == 0
    assert listener.connections == 0
    assert invoke("query", "far", "--project", libraries).exit_code == 0
    assert listener.connections > 0


# -- bounds and crashes ----------------------------------------------------------------------------


def test_a_query_that_fails_is_a_finding_with_its_file(libraries: Path) -> None:
    """The others run all the same; nothing of the new dist/ stays."""
    (libraries / "publication.yaml").open("a", encoding="utf-8").write("\nlimits: {query: 1}\n")
    texts = {
        "crash": CYCLE.replace("ORDER BY ORDER", "ORDER BY (IF(true, ?o, 0))"),
        "sorted": CYCLE.replace("ORDER BY ORDER", "ORDER BY DESC(?o)"),
        "long": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }",
        "near": "SELECT * { GRAPH <https://example.org/documnt/x> { ?s ?p ?o } }",
    }
    for name, text in texts.items():
        (libraries / f"queries/{name}.rq").write_text(
            f"{HEADER}#+ expect: rows >= 0\n{text}\n", "utf-8"
        )
    for command in ("check", "build"):
        done = run_process(command, "--project", libraries, "--lang", "en", timeout=60)
        findings = {
            (finding.file, finding.severity, finding.code) for finding in findings_in(done.stderr)
        }
        errors = {("queries/crash.rq", "error", "LP813"), ("queries/long.rq", "error", "LP811")}
        assert {finding for finding in findings if finding[1] == "error"} == errors, done.stderr
        assert ("queries/near.rq", "warning", "LP815") in findings
        assert (
            done.returncode == 1
            and not (libraries / "dist.next").exists()
            and not (libraries / "dist").exists()
        )


def test_query_ends_with_one_line_and_the_right_code(built: Path, tmp_path: Path) -> None:
    code, out, err = query_output(
        built, CYCLE.replace("ORDER BY ORDER", "ORDER BY (IF(true, ?o, 0))"), tmp_path
    )
    assert (
        (code, out) == (3, "") and "error LP813: the store failed" in err and "backtrace" not in err
    )
    code, out, err = query_output(
        built,
        "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        tmp_path,
        "--timeout",
        "0.5",
    )
    assert (code, out) == (2, "") and "LP811" in err and "0.5 seconds" in err


def test_our_own_data_can_be_sorted(built: Path, tmp_path: Path) -> None:
    for order in ("DESC(?o)", "?p DESC(?o)"):
        code, out, err = query_output(built, f"SELECT * {{ ?s ?p ?o }} ORDER BY {order}", tmp_path)
        assert (code, len(out.splitlines()), err) == (0, TRIPLES + 1, "")


def test_a_graph_that_does_not_exist_is_a_warning(built: Path, tmp_path: Path) -> None:
    known = query_output(
        built, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY STR(?g) LIMIT 1", tmp_path
    )[1].split()[1]
    for form in ("FROM <{}>", "FROM NAMED <{}>"):
        code, out, err = query_output(
            built, f"SELECT * {form.format(known + 'x')} {{ ?s ?p ?o }}", tmp_path
        )
        assert (
            (code, out.strip()) == (0, "o,p,s")
            and f"did you mean `{known}`?" in err
            and "LP815" in err
        )
        assert (
            "LP815"
            not in query_output(built, f"SELECT * {form.format(known)} {{ ?s ?p ?o }}", tmp_path)[2]
        )
    assert (
        "asked.rq:2"
        in query_output(built, f"ASK {{\n GRAPH <{known}x> {{ ?s ?p ?o }} }}", tmp_path)[2]
    )


def test_serve_gives_the_right_reason(server: Served) -> None:
    crash = server.query(CYCLE.replace("ORDER BY ORDER", "ORDER BY (IF(true, ?o, 0))"))
    assert (crash.status, b"the store failed on this query" in crash.body) == (500, True)
    ordered = server.query(CYCLE.replace("ORDER BY ORDER", "ORDER BY DESC(?o)"))
    assert len(ordered.rows()) == 500
    before = set(descendants(server.process.pid))
    endings: list[tuple[int, bytes]] = []

    def send() -> None:
        answer = server.query("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
        endings.append((answer.status, answer.body))

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(0.4)
    for pid in before:
        if (
            os.getpriority(os.PRIO_PROCESS, pid) > 0
        ):  # the one that stepped back with the long query
            os.kill(pid, signal.SIGKILL)
    thread.join(20)
    assert endings and endings[0][0] in (503, 504)
    until(
        lambda: server.query("ASK {}").status == 200, seconds=5, what="the next query is answered"
    )


@pytest.mark.parametrize(
    ("status", "messages", "cause"),
    [
        (signal.SIGXCPU, "", "time"), (signal.SIGKILL, "", "killed"), (signal.SIGSEGV, "", "depth"),
        (signal.SIGABRT, "memory allocation of 1048576 bytes failed", "memory"), (1 << 8, "MemoryError: ", "memory"),
        (signal.SIGABRT, "\nthread 'main' has overflowed its stack\nfatal runtime error", "depth"),
        (signal.SIGABRT, "thread '<unnamed>' panicked at core/sort.rs:1:2:\nno total order\nnote: …", "crash"),
    ],
)  # fmt: skip
def test_ends_of_a_process_are_distinguished(status: int, messages: str, cause: str) -> None:
    assert cause_of(int(status), messages)[0] == cause


def _many(folder: Path, count: int) -> list[tuple[Path, str]]:
    path = folder / "many.nt"
    path.write_text("".join(f"<x:s{n}> <x:p> <x:o{n}> .\n" for n in range(count)), "utf-8")
    return [(path, "nt")]


def test_a_process_killed_from_outside_is_no_crash_of_the_store(tmp_path: Path) -> None:
    with confined(_many(tmp_path, 500), Limits(20)) as store:
        store.run(parse("ASK {}"), "csv", "nt")
        (pid, _) = store._worker or (0, None)
        timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        timer.start()
        with pytest.raises(Stopped, match="killed"):
            store.run(
                parse("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"), "csv", "nt"
            )
        assert store.run(parse("ASK {}"), "csv", "nt")[1].strip() == b"true"


def test_memory_ends_as_memory(tmp_path: Path) -> None:
    text = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?d ?g"
    with confined(_many(tmp_path, 300), Limits(60, memory=200_000_000)) as store:
        with pytest.raises(Stopped) as stopped:
            store.run(parse(text), "csv", "nt")
        assert stopped.value.cause == "memory"
