"""The life of a server: start, new data under load, the end by signals; its logs and metrics."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lodpipe.commands.cli import main
from lodpipe.runtime.atomic import swap
from serving import Answer, Served, descendants, running, serving, until
from support import ROOT, copy_project, errors_in, run_process

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
# hours on any machine
PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p }"
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second publication, built."""
    project = copy_project(
        tmp_path_factory.mktemp("small") / "project", ROOT / "tests/projects/libraries"
    )
    done = run_process("build", "--project", project, "--no-site")
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def project(small: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may change."""
    return Path(shutil.copytree(small, tmp_path / "project"))


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers over it, and ends them."""
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(
            serving(project, tmp_path / "log", "--processes", 2, *options)
        )


def replaced(project: Path, change: Callable[[Path], None]) -> None:
    """Another dist/ in the place of the present one, in one step as a build does it."""
    new = project / "dist.next"
    shutil.copytree(project / "dist", new)
    change(new)
    names = sorted(path for path in new.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    sums = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(new)}\n"
        for path in names
    )
    (new / "SHA256SUMS").write_text("".join(sums), "utf-8")
    swap(new, project / "dist")
    shutil.rmtree(new, ignore_errors=True)


def with_another_record(number: int) -> Callable[[Path], None]:
    """A change of dist/: another statement in each dump."""

    def change(dist: Path) -> None:
        for suffix, graph in (("nt", ""), ("nq", " <https://libraries.example/more>")):
            with (dist / f"libraries.{suffix}").open("a", encoding="utf-8") as dump:
                dump.write(
                    f'<https://libraries.example/more/{number}> <https://schema.org/name> "more"{graph} .\n'
                )

    return change


# -- new data --------------------------------------------------------------------------------------


class Load(threading.Thread):
    """Asks without pause."""

    def __init__(self, server: Served, request: Callable[[int], Answer]) -> None:
        super().__init__(daemon=True)
        self.server, self.request, self.ending = server, request, threading.Event()
        self.answers: Counter[tuple[int, str]] = Counter()
        self.failed: list[str] = []

    def run(self) -> None:
        number = 0
        while not self.ending.is_set():
            number += 1
            try:
                answer = self.request(number)
                self.answers[answer.status, answer.headers.get("etag", "")] += 1
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            time.sleep(0.002)


def test_new_data_takes_the_place_of_old_under_load(
    project: Path, start: Callable[..., Served]
) -> None:
    server = start()
    (before,) = server.query(COUNT).rows()[0]
    tag, file_tag = (
        server.query(COUNT).headers["etag"],
        server.request("/libraries.nt").headers["etag"],
    )
    requests: list[Callable[[int], Answer]] = [
        lambda number: server.query(COUNT),
        lambda number: server.query(f"SELECT ({number} AS ?n) (COUNT(*) AS ?m) {{ ?s ?p ?o }}"),
        lambda number: server.request("/libraries.nt"),
        lambda number: server.request("/catalog.ttl"),
        lambda number: server.request("/health"),
    ]
    load = [Load(server, request) for request in requests]
    for client in load:
        client.start()
    for number in range(3):
        until(
            lambda number=number: len(load[0].answers) == number + 1,
            seconds=15,
            what="the load has an answer of this state",
        )
        replaced(project, with_another_record(number))
        expected = [(str(int(before) + number + 1),)]
        until(
            lambda expected=expected: server.query(COUNT).rows() == expected,
            seconds=15,
            what=f"the new answer {expected}",
        )
    until(
        lambda: len(load[0].answers) == 4,
        seconds=15,
        what="the load has an answer of the last state",
    )
    for client in load:
        client.ending.set()
        client.join(20)
    print([dict(client.answers) for client in load])
    assert [client.failed for client in load] == [[]] * len(load)
    assert {status for client in load for status, _ in client.answers} == {200}
    assert len(load[0].answers) == 4, "each state of the data has its own tag"
    assert server.query(COUNT).headers["etag"] != tag
    assert server.request("/libraries.nt").headers["etag"] != file_tag
    assert server.metrics()["lodpipe_reloads_total"] == 3
    until(
        lambda: len(descendants(server.process.pid)) == 3,
        seconds=15,
        what="the processes of old data have gone",
    )


def test_a_query_that_runs_ends_on_the_old_data(
    project: Path, start: Callable[..., Served]
) -> None:
    server = start("--timeout", 4)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(server.query(PRODUCT)))
    thread.start()
    until(lambda: server.health()["busy"] == 1, seconds=3, what="the query runs")
    version = server.health()["version"]
    replaced(project, with_another_record(1))
    until(lambda: server.health()["version"] != version, seconds=10, what="the new data is there")
    thread.join(20)
    assert [answer.status for answer in answers] == [504], (
        "stopped at its own time, not by the change"
    )


def broken(dist: Path) -> None:
    (dist / "libraries.nq").write_text("<broken", "utf-8")


def missing(dist: Path) -> None:
    (dist / "libraries.nt").unlink()


@pytest.mark.parametrize("change", [broken, missing])
def test_a_broken_dist_leaves_the_old_data_in_place(
    project: Path, start: Callable[..., Served], change: Callable[[Path], None]
) -> None:
    server = start()
    before = server.query(COUNT).rows()
    good = shutil.copytree(project / "dist", project.parent / "good")
    replaced(project, change)
    until(
        lambda: server.metrics().get("lodpipe_reloads_failed_total", 0) == 1,
        seconds=10,
        what="the change is seen",
    )
    assert server.query(COUNT).rows() == before
    assert (
        server.query("SELECT (1 AS ?x) (COUNT(*) AS ?n) { ?s ?p ?o }").rows()[0][1] == before[0][0]
    )
    assert [line["event"] for line in server.lines() if "event" in line] == ["reload failed"]
    shutil.rmtree(project / "dist.next", ignore_errors=True)
    shutil.copytree(good, project / "dist.next")
    with_another_record(1)(project / "dist.next")
    swap(project / "dist.next", project / "dist")
    expected = [(str(int(before[0][0]) + 1),)]
    until(
        lambda: server.query(COUNT).rows() == expected, seconds=10, what="the fixed data is there"
    )


# -- the end ---------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(("word", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_query_that_runs_is_answered_before_the_end(
    start: Callable[..., Served], word: signal.Signals, code: int
) -> None:
    server = start("--timeout", 2)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(server.query(PRODUCT)))
    thread.start()
    until(lambda: server.health()["busy"] == 1, seconds=3, what="the query runs")
    processes = server.processes()
    assert len(processes) == 4
    server.process.send_signal(word)
    assert server.process.wait(15) == code
    thread.join(5)
    assert [answer.status for answer in answers] == [504]
    until(lambda: not any(map(running, processes)), seconds=3, what="no process is left over")
    assert "Traceback" not in server.log.read_text("utf-8")


def test_an_idle_server_ends_at_once(start: Callable[..., Served]) -> None:
    server = start()
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        server.process.terminate()
        assert server.process.wait(15) == 0
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("after", [0.05, 0.2, 0.35, 0.5])
def test_a_server_that_is_asked_to_end_while_it_starts_does_so(project: Path, after: float) -> None:
    command = [sys.executable, "-m", "lodpipe", "serve", "--port", "0", "--project", str(project)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)  # reading modules, declarations, data; or ready
    process.terminate()
    assert process.wait(20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


@linux
def test_a_server_that_is_killed_leaves_no_process(start: Callable[..., Served]) -> None:
    server = start("--timeout", 60)

    def send() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.query(PRODUCT)

    threading.Thread(target=send, daemon=True).start()
    until(lambda: server.health()["busy"] == 1, seconds=3, what="the query runs")
    processes = server.processes()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait(5)
    until(lambda: not any(map(running, processes)), seconds=5, what="no process is left over")


@linux
def test_workers_that_are_killed_are_replaced(start: Callable[..., Served]) -> None:
    server = start()
    (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
    for pid in descendants(holder):
        os.kill(pid, signal.SIGKILL)
    until(
        lambda: server.query(f"SELECT ({time.monotonic_ns()} AS ?n) {{}}").status == 200,
        seconds=5,
        what="queries are answered again",
    )
    until(lambda: len(descendants(holder)) == 2, seconds=5, what="as many workers as before")


@linux
def test_data_whose_process_is_killed_is_loaded_again(start: Callable[..., Served]) -> None:
    server = start()
    (holder,) = [pid for pid in descendants(server.process.pid) if descendants(pid)]
    os.kill(holder, signal.SIGKILL)
    until(
        lambda: any(line.get("event") == "reload" for line in server.lines()),
        seconds=10,
        what="the data is loaded again",
    )
    assert server.request("/health").status == 200
    assert server.query(f"SELECT ({time.monotonic_ns()} AS ?n) {{}}").status == 200


# -- logs and metrics ------------------------------------------------------------------------------


def test_the_log_is_one_line_of_json_for_each_request(start: Callable[..., Served]) -> None:
    server = start()
    secret = {
        "User-Agent": "agent-of-a-user",
        "Referer": "https://somewhere.example/",
        "X-Forwarded-For": "192.0.2.1",
        "Cookie": "a=b",
    }
    server.request("/catalog.ttl", headers=secret)
    server.request("/library/nowhere%0a%22x", headers=secret)
    server.query("ASK { 'ü' }", None)
    server.request("/sparql?query=" + "x" * 20_000)
    until(lambda: len(server.lines()) >= 4, seconds=3, what="four lines")
    # A line is written when its answer is out, so the next request's may overtake it.
    lines = sorted(server.lines(), key=lambda line: (line["status"], line["address"]))
    lines = [
        *(line for line in lines if line["status"] != 400),
        *(line for line in lines if line["status"] == 400),
    ]
    assert [(line["method"], line["status"]) for line in lines] == [
        ("GET", 200),
        ("GET", 404),
        ("GET", 400),
        ("GET", 400),
    ]
    assert [set(line) for line in lines] == [
        {"time", "method", "address", "status", "bytes", "milliseconds"}
    ] * 4
    assert lines[0]["address"] == "/catalog.ttl"
    assert lines[0]["bytes"] == len(server.request("/catalog.ttl").body)
    assert all(len(line["address"]) <= 2000 for line in lines)
    text = "\n".join(server.log.read_text("utf-8").splitlines()[1:])
    assert not any(word in text for word in ("127.0.0.1", *secret.values()))


def test_quiet_means_no_log(start: Callable[..., Served]) -> None:
    server = start("--quiet")
    assert server.query(COUNT).status == 200
    assert len(server.log.read_text("utf-8").splitlines()) == 1


def test_figures_for_prometheus(start: Callable[..., Served]) -> None:
    server = start("--timeout", 0.3)
    server.query(COUNT)
    server.query(COUNT)
    server.query("nonsense")
    server.query(PRODUCT)
    server.request("/catalog.ttl")
    until(lambda: server.health()["free"] == 2, seconds=3, what="the worker is replaced")
    of_file = "lodpipe_requests_total route=file status=200"
    until(lambda: server.metrics().get(of_file) == 1, seconds=3, what="the file is counted")
    figures = server.metrics()
    assert figures["lodpipe_requests_total route=sparql status=200"] == 2
    assert figures["lodpipe_requests_total route=sparql status=400"] == 1
    assert figures["lodpipe_requests_total route=sparql status=504"] == 1
    assert figures["lodpipe_requests_total route=file status=200"] == 1
    assert figures["lodpipe_request_seconds_count route=sparql"] == 4
    assert figures["lodpipe_cache_hits_total"] == 1
    assert figures["lodpipe_workers_replaced"] == 1
    assert (
        figures["lodpipe_workers state=free"],
        figures["lodpipe_workers state=busy"],
        figures["lodpipe_queries_waiting"],
    ) == (2, 0, 0)
    assert figures["lodpipe_statements"] == int(server.query(COUNT).rows()[0][0])


def test_health(start: Callable[..., Served]) -> None:
    server = start()
    answer = server.request("/health")
    assert (answer.status, answer.media_type, answer.headers["cache-control"]) == (
        200,
        "application/json",
        "no-store",
    )
    state = server.health()
    assert (state["status"], state["free"], state["busy"], len(state["version"])) == (
        "ok",
        2,
        0,
        16,
    )


# -- the start -------------------------------------------------------------------------------------


def test_without_dist_there_is_nothing_to_serve(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT / "tests/projects/libraries")
    done = run_process("serve", "--project", project, "--port", "0", "--lang", "en")
    assert done.returncode == 2
    assert [finding.code for finding in errors_in(done.stdout + done.stderr)] == ["LP820"]
    assert "libraries.nq, libraries.nt, SHA256SUMS" in done.stdout + done.stderr


def test_a_port_that_is_taken_is_reported(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_process("serve", "--project", project, "--port", port, "--lang", "en")
    assert done.returncode == 2
    assert "LP821" in done.stdout + done.stderr
    assert f"127.0.0.1:{port}" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_dumps_that_cannot_be_read_are_reported(project: Path) -> None:
    broken(project / "dist")
    done = run_process("serve", "--project", project, "--port", "0", "--lang", "en")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "LP822" in done.stdout + done.stderr


@pytest.mark.parametrize("module", ["uvicorn", "starlette", "prometheus_client", "httptools"])
def test_a_missing_extra_is_reported(module: str, project: Path) -> None:
    script = f"import sys\nsys.modules[{module!r}] = None\nfrom lodpipe.commands.cli import main\nmain(['serve', '--project', {str(project)!r}])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install -e '.[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--memory", "much"],
        ["--max-result", "-1MB"],
        ["--port", "70000"],
        ["--timeout", "0"],
        ["--processes", "0"],
    ],
)
def test_a_bound_that_is_none_is_reported(options: list[str], project: Path) -> None:
    done = run_process("serve", "--project", project, *options)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_help_lists_the_options() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"]).output
    options = (
        "--host",
        "--port",
        "--timeout",
        "--memory",
        "--processes",
        "--max-result",
        "--client-timeout",
        "--quiet",
        "--project",
    )
    assert [option for option in options if option not in text] == []
