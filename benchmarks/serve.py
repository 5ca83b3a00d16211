"""The endpoint beside others: requests a second and latencies of simple queries, and how it bears
hostile ones.

python benchmarks/serve.py             # simple queries: lodpipe, rdflib-endpoint, the Oxigraph
server, in turns (needs wrk) python benchmarks/serve.py --hostile   # 32 clients for a minute, one
query in twenty hostile
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph as ox
from measure import machine
from peers import CACHE, cache

from lodpipe.config.publication import Project
from lodpipe.queries.samples import read_queries

ROOT = Path(__file__).resolve().parent.parent
SIMPLE = ("labs-of-an-organisation", "labs-per-land", "organisations-in-several-labs")
LOOKUP = "SELECT ?p ?o WHERE { <https://w3id.org/rogl/lab/brandis> ?p ?o }"
REQUIREMENTS = {
    "rdflib-endpoint": (
        "rdflib-endpoint==0.6.3",
        "oxrdflib==0.5.0",
        "uvicorn==0.54.0",
        "click==8.5.1",
    ),
    "oxigraph": ("oxigraph==0.5.13",),
}
JSON, DIRECT = "application/sparql-results+json", "application/sparql-query"
HOSTILE = {
    "product": "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "regular expression": 'SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(CONCAT(STR(?c), STR(?f)), "(x+x+)+y{1,500}$")) }',
    "path without end": "SELECT (COUNT(*) AS ?n) WHERE { ?a (!<x:>|^!<x:>)* ?b . ?b (!<x:>|^!<x:>)* ?c }",
    "memory": "SELECT ?a WHERE { ?a ?b ?c . ?d ?e ?f } ORDER BY CONCAT(STR(?c), STR(?f))",
    "large answer": "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f }",
    "deep nesting": "SELECT * WHERE " + "{" * 20_000 + "?a ?b ?c" + "}" * 20_000,
    "large VALUES": "SELECT (COUNT(*) AS ?n) WHERE { VALUES ?x { "
    + "1 " * 20_000
    + "} VALUES ?y { "
    + "2 " * 20_000
    + "} VALUES ?z { 1 2 3 } }",
}
# wrk asks the same requests in turn on each connection, and prints what it counted as one line of
# JSON.
_WRK = """
local asked, turn = {}, 0
init = function()
  for path in io.lines(os.getenv("BENCH_PATHS")) do
    asked[#asked + 1] = wrk.format("GET", path, {["Accept"] = "application/sparql-results+json"})
  end
end
request = function()
  turn = turn % #asked + 1
  return asked[turn]
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"requests": %d, "microseconds": %d, "median": %d, "p99": %d, "wrong": %d}', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
"""


# -- servers ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """An endpoint to measure: how it is started at a port, and the path of its endpoint."""

    name: str
    command: Callable[[int], Sequence[str | Path]]
    path: str


@contextlib.contextmanager
def running(server: Server, folder: Path, patience: float = 60) -> Iterator[tuple[int, int]]:
    """The server's process and its port on loopback, from its first answer on, for which it has so
    many seconds. It is ended afterwards.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in server.command(port)], cwd=folder, stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if process.poll() is not None:
                raise SystemExit(
                    f"{server.name} did not start:\n{(folder / 'log').read_text('utf-8', 'replace')[-2000:]}"
                )
            with contextlib.suppress(OSError):
                fetched(port, server.path, "ASK {}")
                break
            time.sleep(0.02)
        else:
            raise TimeoutError
        yield process.pid, port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def lodpipe(name: str, *options: str) -> Server:
    program = Path(sys.executable).parent / "lodpipe"
    return Server(
        name,
        lambda port: [program, "serve", "--project", ROOT, "-q", "--port", str(port), *options],
        "/sparql",
    )


def install(name: str) -> None:
    """Puts a peer into an environment of its own, where it is not there."""
    place, requirements = cache(CACHE) / name, REQUIREMENTS[name]
    done = place / ".done"
    if done.exists() and done.read_text("utf-8") == " ".join(requirements):
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
    subprocess.run(
        [place / "bin/pip", "install", "-q", "--disable-pip-version-check", *requirements],
        check=True,
    )
    done.write_text(" ".join(requirements), "utf-8")


def peers(folder: Path, nt: Path, nq: Path) -> list[Server]:
    """Those that lodpipe is measured against, each in an environment of its own."""
    for name in REQUIREMENTS:
        install(name)
    rdflib, oxigraph, store = (
        CACHE / "rdflib-endpoint/bin/rdflib-endpoint",
        CACHE / "oxigraph/bin/oxigraph",
        folder / "store",
    )
    subprocess.run(
        [oxigraph, "load", "--location", store, "--file", nt, nq], check=True, capture_output=True
    )
    at = ("--host", "127.0.0.1")
    return [
        Server(
            "rdflib-endpoint", lambda port: [rdflib, "serve", *at, "--port", str(port), nt], "/"
        ),
        Server(
            "rdflib-endpoint, store Oxigraph",
            lambda port: [rdflib, "serve", *at, "--port", str(port), "--store", "Oxigraph", nt],
            "/",
        ),
        Server(
            "Oxigraph server",
            lambda port: [
                oxigraph,
                "serve-read-only",
                "--location",
                store,
                "--bind",
                f"127.0.0.1:{port}",
            ],
            "/query",
        ),
    ]


def fetched(port: int, path: str, query: str) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}?{urlencode({'query': query})}", headers={"Accept": JSON}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


# -- answers ---------------------------------------------------------------------------------------


def queries() -> dict[str, str]:
    texts = {
        query.name: query.bound()
        for query in read_queries(ROOT, Project.open(ROOT).publication.languages)
    }
    return {"lookup": LOOKUP} | {name: texts[name] for name in SIMPLE}


def expected(nt: Path, texts: Mapping[str, str]) -> dict[str, Counter[str]]:
    """The rows of each query by pyoxigraph alone."""
    store = ox.Store()
    store.bulk_load(path=nt, format=ox.RdfFormat.N_TRIPLES)
    return {
        name: rows(store.query(text).serialize(format=ox.QueryResultsFormat.JSON))
        for name, text in texts.items()
    }


def rows(body: bytes) -> Counter[str]:
    """The rows of SPARQL 1.1 Query Results JSON, in a spelling of their own; xsd:string is no other
    type than none (RDF 1.1, 3.3).
    """
    string = "http://www.w3.org/2001/XMLSchema#string"
    plain = [
        {
            name: {
                key: value for key, value in term.items() if (key, value) != ("datatype", string)
            }
            for name, term in row.items()
        }
        for row in json.loads(body)["results"]["bindings"]
    ]
    return Counter(json.dumps(row, sort_keys=True) for row in plain)


# -- simple queries --------------------------------------------------------------------------------


def simple(folder: Path, connections: int, seconds: int, rounds: int) -> None:
    """Prints the figures of each server, in turns, the median of the rounds."""
    project = Project.open(ROOT)
    nt, nq = (project.dist / f"{project.publication.name}.{suffix}" for suffix in ("nt", "nq"))
    texts = queries()
    right = expected(nt, texts)
    servers = [
        lodpipe("lodpipe serve"),
        lodpipe("lodpipe serve, no answers kept", "--cache", "0MB"),
        *peers(folder, nt, nq),
    ]
    runs_by_server: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    for number in range(1, rounds + 1):
        for server in servers:
            with running(server, folder) as (_, port):
                for name, text in texts.items():
                    if rows(fetched(port, server.path, text)) != right[name]:
                        raise SystemExit(f"{server.name} answers {name} otherwise than pyoxigraph")
                run = wrk(
                    folder,
                    port,
                    [f"{server.path}?{urlencode({'query': text})}" for text in texts.values()],
                    connections,
                    seconds,
                )
            runs_by_server[server.name].append(run)
            print(f"  round {number}/{rounds}  {server.name:<32} {run['rate']:9.0f} /s", flush=True)
    ground = statistics.median(run["rate"] for run in runs_by_server["rdflib-endpoint"])
    print(
        "\n| | requests/s | spread | median ms | 99th percentile ms | wrong | rate : rdflib-endpoint |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, runs in runs_by_server.items():
        rate, middle, late = (
            statistics.median(run[key] for run in runs) for key in ("rate", "median", "p99")
        )
        rates = [run["rate"] for run in runs]
        spread = f"{min(rates):,.0f}–{max(rates):,.0f}"
        print(
            f"| {name} | {rate:,.0f} | {spread} | {middle:.1f} | {late:.1f} | {sum(run['wrong'] for run in runs):.0f} | {rate / ground:.1f} |"
        )


def wrk(
    folder: Path, port: int, paths: Sequence[str], connections: int, seconds: int
) -> dict[str, float]:
    """What wrk counts: requests a second, milliseconds."""
    script, listed = folder / "ask.lua", folder / "paths"
    script.write_text(_WRK, "utf-8")
    listed.write_text("\n".join(paths) + "\n", "utf-8")
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "60s",
        "-s",
        script,
        f"http://127.0.0.1:{port}",
    ]
    output = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "BENCH_PATHS": str(listed)},
    ).stdout
    summary = json.loads(output.splitlines()[-1])
    return {
        "rate": summary["requests"] / summary["microseconds"] * 1e6,
        "median": summary["median"] / 1000,
        "p99": summary["p99"] / 1000,
        "wrong": summary["wrong"],
    }


# -- hostile queries -------------------------------------------------------------------------------


@dataclass
class Seen:
    """What the clients met: seconds by status of simple and of hostile queries, wrong answers, MiB
    of the server's processes.
    """

    simple: dict[int, list[float]] = field(default_factory=dict)
    hostile: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    wrong: int = 0
    memory: list[float] = field(default_factory=list)


class Client:
    """HTTP/1.1 on one connection that is kept; no more of it than an answer with a length needs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None

    async def send(self, query: str) -> tuple[int, bytes]:
        if self.reader is None or self.reader.at_eof():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = query.encode()
        sent = (
            "POST /sparql HTTP/1.1",
            "Host: 127.0.0.1",
            f"Accept: {JSON}",
            f"Content-Type: {DIRECT}",
            f"Content-Length: {len(data)}",
        )
        self.writer.write("\r\n".join((*sent, "", "")).encode() + data)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.writer.close()
            self.reader = None
        return int(lines[0].split()[1]), body


async def besieged(
    port: int,
    pid: int,
    clients: int,
    seconds: float,
    texts: Mapping[str, str],
    right: Mapping[str, Counter[str]],
) -> Seen:
    """Clients that ask one after the other, one query in twenty hostile, each with dice of its own."""
    seen, until = Seen(), time.monotonic() + seconds

    async def client(number: int) -> None:
        dice, connection = random.Random(number), Client(port)
        while time.monotonic() < until:
            name = dice.choice(list(HOSTILE if (bad := dice.random() < 0.05) else texts))
            text = (
                HOSTILE[name] if bad else texts[name] + f"\n# {dice.random()}"
            )  # a kept answer would prove nothing
            started = time.perf_counter()
            status, body = await connection.send(text)
            passed = time.perf_counter() - started
            if bad:
                seen.hostile.setdefault(name, []).append((status, passed))
            else:
                seen.simple.setdefault(status, []).append(passed)
                seen.wrong += status == 200 and rows(body) != right[name]
            if status == 503:
                await asyncio.sleep(0.2)

    async def sampler() -> None:
        while True:
            seen.memory.append(memory(pid))
            await asyncio.sleep(1)

    sampling = asyncio.create_task(sampler())
    await asyncio.gather(*(client(number) for number in range(clients)))
    await asyncio.sleep(3)
    seen.memory.append(memory(pid))
    sampling.cancel()
    return seen


def memory(pid: int) -> float:
    """MiB of a process and all below it; pages that several share are counted once (proportional
    set size).
    """
    total = 0
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += memory(int(child)) * 1024
    return total / 1024


def hostile(folder: Path, clients: int, seconds: int, limit: float) -> None:
    """Prints what each kind of query met."""
    project = Project.open(ROOT)
    texts = queries()
    right = expected(project.dist / f"{project.publication.name}.nt", texts)
    with running(lodpipe("lodpipe serve", "--timeout", str(limit)), folder) as (pid, port):
        seen = asyncio.run(besieged(port, pid, clients, seconds, texts, right))
    print(
        "| query | asked | statuses | median ms | 99th percentile ms | longest s |\n|---|---:|---|---:|---:|---:|"
    )
    print(_line("simple, answered", {200: seen.simple.get(200, [])}))
    print(
        _line(
            "simple, refused",
            {status: times for status, times in seen.simple.items() if status != 200},
        )
    )
    for name, outcomes in sorted(seen.hostile.items()):
        print(
            _line(
                name,
                {
                    status: [passed for code, passed in outcomes if code == status]
                    for status in sorted({code for code, _ in outcomes})
                },
            )
        )
    longest = max(passed for outcomes in seen.hostile.values() for _, passed in outcomes)
    broken = sum(len(times) for status, times in seen.simple.items() if status not in (200, 503))
    broken += sum(
        status not in (200, 400, 503, 504, 507)
        for outcomes in seen.hostile.values()
        for status, _ in outcomes
    )
    print(
        f"\nWrong answers: {seen.wrong}. Statuses that must not be: {broken}. Longest hostile query: {longest:.1f} s, limit {limit:g} s."
    )
    print(
        f"Memory of all processes: {seen.memory[0]:.0f} MiB at first, {max(seen.memory):.0f} at most, {seen.memory[-1]:.0f} after it."
    )
    if seen.wrong or broken or longest > limit + 1:
        sys.exit(1)


def _line(name: str, by_status: Mapping[int, Sequence[float]]) -> str:
    times = sorted(server for listed in by_status.values() for server in listed)
    statuses = ", ".join(f"{status}: {len(listed)}" for status, listed in by_status.items())
    if not times:
        return f"| {name} | 0 | | | | |"
    middle, late = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return f"| {name} | {len(times):,} | {statuses} | {middle:.1f} | {late:.0f} | {times[-1]:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--hostile",
        action="store_true",
        help="hostile queries among the simple ones, against lodpipe alone",
    )
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument(
        "--seconds", type=int, default=None, help="of each measurement (default: 10; hostile: 60)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--limit", type=float, default=10.0, help="time limit of a query where it is hostile"
    )
    options = parser.parse_args()
    print(
        "```json\n"
        + json.dumps(machine(["pyoxigraph", "starlette", "uvicorn", "httptools"]))
        + "\n```"
    )
    with tempfile.TemporaryDirectory() as folder:
        if options.hostile:
            hostile(Path(folder), options.connections, options.seconds or 60, options.limit)
        elif shutil.which("wrk") is None:
            raise SystemExit("wrk is missing (Debian: apt-get install wrk)")
        else:
            simple(Path(folder), options.connections, options.seconds or 10, options.rounds)


if __name__ == "__main__":
    main()
