"""Rates of simple and heavier queries: `lodpipe serve` beside the Oxigraph server, in turns.

    python benchmarks/serve_rates.py FILE.nt --queries simple --by python

FILE.nt is a dump, or a register of `lodpipe map` (generate.py). All queries differ, so no answer comes
from a cache. `--by wrk` asks with a compiled program, which takes little of the machine; `--by python`
with one that takes about as much of it as the servers do, as clients on the same machine would. The
processor time for each request does not depend on what else the machine does. It prints a table of
each number of clients, with the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
from peers import CACHE

from serve import JSON, Server, install, memory, running, wrk

TEMPLATES = {
    "simple": (
        "SELECT ?p ?o WHERE {{ {s} ?p ?o }} # {n}",
        "SELECT ?o WHERE {{ {s} a ?o }} # {n}",
        "ASK {{ {s} ?p ?o }} # {n}",
        "SELECT ?s ?p WHERE {{ ?s ?p {s} }} LIMIT 10 # {n}",
        "SELECT ?p ?l WHERE {{ {s} ?p ?x . ?x <https://schema.org/name> ?l }} LIMIT 20 # {n}",
    ),
    "heavier": (
        "SELECT ?type (COUNT(*) AS ?n) WHERE {{ ?s <https://schema.org/name> ?name ; a ?type }} GROUP BY ?type ORDER BY DESC(?n) # {n}",
        "SELECT ?s ?name WHERE {{ ?s <https://schema.org/name> ?name }} ORDER BY ?name LIMIT 20 OFFSET {n}",
    ),
}


def queries(nt: Path, kind: str, count: int) -> list[str]:
    """Queries about subjects of the file, each another text."""
    subjects: dict[str, None] = {}
    with nt.open(encoding="utf-8") as lines:
        for _, line in zip(range(400_000), lines, strict=False):
            subjects[line.split(" ", 1)[0]] = None
    names = [name for name in subjects if name.startswith("<")]
    random.Random(1).shuffle(names)
    texts = TEMPLATES[kind]
    return [texts[n % len(texts)].format(s=names[n % len(names)], n=n) for n in range(count)]


async def _client(port: int, paths: Sequence[str], until: float) -> list[float]:
    """One connection that asks one query after the other; the seconds of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    turn = 0
    while time.monotonic() < until:
        started = time.perf_counter()
        head = (
            f"GET {paths[turn % len(paths)]} HTTP/1.1\r\nHost: localhost\r\nAccept: {JSON}\r\n\r\n"
        )
        writer.write(head.encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not lines.startswith(b"http/1.1 200"):
            raise SystemExit(f"no answer: {lines!r}")
        if b"transfer-encoding: chunked" in lines:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(lines.split(b"content-length: ")[1].split(b"\r\n")[0]))
        times.append(time.perf_counter() - started)
        turn += 1
    writer.close()
    return times


async def _all_clients(
    port: int, paths: Sequence[str], clients: int, seconds: float
) -> list[float]:
    until = time.monotonic() + seconds
    share = len(paths) // clients
    parts = [paths[n * share : (n + 1) * share] for n in range(clients)]
    listed = await asyncio.gather(*(_client(port, part, until) for part in parts))
    return [passed for times in listed for passed in times]


def by_python(port: int, paths: Sequence[str], clients: int, seconds: float) -> dict[str, float]:
    times = sorted(asyncio.run(_all_clients(port, paths, clients, seconds)))
    place = int(len(times) * 0.99)
    return {
        "rate": len(times) / seconds, "median": times[len(times) // 2] * 1000, "p99": times[place] * 1000, "requests": len(times),
    }  # fmt: skip


def cpu(pid: int) -> float:
    """Seconds of processor time of a process and all below it, also of those that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # it has ended since it was listed; its parent has its time
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(
        cpu(int(child)) for child in children
    )


def servers(nt: Path, folder: Path) -> list[Server]:
    install("oxigraph")
    oxigraph, store = CACHE / "oxigraph/bin/oxigraph", folder / "oxigraph-store"
    subprocess.run(
        [oxigraph, "load", "--location", store, "--file", nt], check=True, capture_output=True
    )
    ours = ["lodpipe", "serve", nt, "-q", "--cache", "0MB", "--store", folder / "stores", "--port"]
    return [
        Server("lodpipe serve", lambda port: [*ours, str(port)], "/sparql"),
        Server(
            "Oxigraph server",
            lambda port: [
                oxigraph, "serve-read-only", "--location", store, "--bind", f"127.0.0.1:{port}",
            ],
            "/query",
        ),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--queries", choices=TEMPLATES, default="simple")
    parser.add_argument("--by", choices=("python", "wrk"), default="python")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    nt = options.file.absolute()
    texts = queries(nt, options.queries, 40_000)
    runs: dict[tuple[str, int], list[dict[str, float]]] = {}
    start: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = servers(nt, folder)
        with running(listed[0], folder):
            pass  # its store is written
        for _ in range(options.rounds):
            for server in listed:
                began = time.perf_counter()
                with running(server, folder) as (pid, port):
                    start.setdefault(server.name, []).append(time.perf_counter() - began)
                    for clients in options.clients:
                        paths = [f"{server.path}?query={quote(text)}" for text in texts]
                        before = cpu(pid)
                        run = (
                            by_python(port, paths, clients, options.seconds)
                            if options.by == "python"
                            else wrk(folder, port, paths, clients, options.seconds)
                        )
                        requests = run.get("requests", run["rate"] * options.seconds)
                        run["cpu"] = (cpu(pid) - before) / max(requests, 1) * 1e6
                        run["memory"] = memory(pid)
                        runs.setdefault((server.name, clients), []).append(run)
    print(f"pyoxigraph {ox.__version__}; {options.queries} queries asked by {options.by}")
    print(
        "| clients | server | requests/s | median ms | p99 ms | CPU µs a request | MiB | rate : Oxigraph |"
    )
    print("|---:|---|---:|---:|---:|---:|---:|---:|")
    for clients in options.clients:
        ground = statistics.median(run["rate"] for run in runs[listed[1].name, clients])
        for server in listed:
            rate, middle, late, cost, size = (
                statistics.median(run[key] for run in runs[server.name, clients])
                for key in ("rate", "median", "p99", "cpu", "memory")
            )
            print(
                f"| {clients} | {server.name} | {rate:,.0f} | {middle:.2f} | {late:.1f} | {cost:.0f} | {size:.0f} | {rate / ground:.2f} |"
            )
    for name, seconds in start.items():
        print(f"Start of {name} to the first answer: {statistics.median(seconds):.2f} s")


if __name__ == "__main__":
    main()
