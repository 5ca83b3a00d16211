"""Loading, starting and asking stores of several sizes: `lodpipe serve` beside the Oxigraph server and
rdflib-endpoint, in one run.

    python benchmarks/serve_sizes.py FILE.nt …       registers of `lodpipe map` (generate.py), for example

Of each file the data is loaded once (by `lodpipe serve` at its first start, by `oxigraph load`; by
rdflib-endpoint at each start), then each server is started in turns, `--rounds` times, and asked.
Times of starts are until the first answer; memory is that of all processes (PSS) after the queries. A
server that does not start within `--patience` seconds, and a query that is not answered with 200, are
reported as such.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
from peers import CACHE

from serve import Server, fetched, install, memory, running

QUERIES = {
    "lookup": "SELECT ?p ?o { <%s> ?p ?o }",
    "COUNT(*)": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "GROUP BY ?p": "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "GROUP BY a class": "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c",
    "a join, grouped": (
        "SELECT ?k (COUNT(?s) AS ?n) { ?s <http://www.w3.org/ns/org#classification> ?k ; "
        "a <http://www.w3.org/ns/org#FormalOrganization> } GROUP BY ?k"
    ),
    "CONTAINS": (
        "SELECT (COUNT(*) AS ?n) { ?s <https://schema.org/name> ?name FILTER(CONTAINS(?name, 'verein 77')) }"
    ),
}


def servers(
    nt: Path, folder: Path, *, with_rdflib: bool
) -> list[tuple[Server, Callable[[], None]]]:
    """The servers, each with what loads its data before a start."""
    for name in ("oxigraph", "rdflib-endpoint"):
        install(name)
    oxigraph, rdflib = (
        CACHE / "oxigraph/bin/oxigraph",
        CACHE / "rdflib-endpoint/bin/rdflib-endpoint",
    )
    ours = ["lodpipe", "serve", nt, "-q", "--cache", "0MB", "--store", folder / "stores", "--port"]
    store = folder / "oxigraph"

    def load() -> None:
        command = [oxigraph, "load", "--location", store, "--file", nt]
        subprocess.run(command, check=True, capture_output=True)

    listed: list[tuple[Server, Callable[[], None]]] = [
        (Server("lodpipe serve", lambda port: [*ours, str(port)], "/sparql"), lambda: None),
        (
            Server(
                "Oxigraph server",
                lambda port: [oxigraph, "serve-read-only", "--location", store, "--bind", f"127.0.0.1:{port}"],
                "/query",
            ),
            load,
        ),
    ]  # fmt: skip
    if with_rdflib:
        command = [rdflib, "serve", "--host", "127.0.0.1", "--port"]
        server = Server("rdflib-endpoint", lambda port: [*command, str(port), nt], "/")
        listed.append((server, lambda: None))
    return listed


def seconds(port: int, path: str, query: str, times: int) -> float | None:
    """The median of an answer's time; None where it is refused or stopped."""
    passed = []
    for number in range(times):
        began = time.perf_counter()
        try:
            fetched(port, path, f"{query} # {number}")
        except (urllib.error.HTTPError, OSError):
            return None
        passed.append(time.perf_counter() - began)
    return statistics.median(passed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=900)
    parser.add_argument(
        "--rdflib-most", type=int, default=2_000_000, help="triples beyond which rdflib is left out"
    )
    options = parser.parse_args()
    print(f"pyoxigraph {ox.__version__}\n")
    print("| triples | server | loaded s | started s | memory MiB | " + " | ".join(QUERIES) + " |")
    print("|---:|---|---:|---:|---:|" + "---:|" * len(QUERIES))
    for file in options.files:
        nt = file.absolute()
        with nt.open("rb") as lines:
            first = next(lines).split(b" ", 1)[0].decode()[1:-1]
            triples = 1 + sum(1 for _ in lines)
        with tempfile.TemporaryDirectory() as name:
            measure(nt, triples, first, Path(name), options)


def measure(nt: Path, triples: int, first: str, folder: Path, options: argparse.Namespace) -> None:
    """Prints a line for each server."""
    listed = servers(nt, folder, with_rdflib=triples <= options.rdflib_most)
    loaded: dict[str, float] = {}
    figures: dict[tuple[str, str], list[float | None]] = {}
    for server, load in listed:
        began = time.perf_counter()
        load()
        if server.name != "Oxigraph server":
            try:
                with running(server, folder, options.patience):
                    pass
            except TimeoutError:
                continue
        loaded[server.name] = time.perf_counter() - began
    for _ in range(options.rounds):
        for server, _ in listed:
            if server.name not in loaded:
                continue
            began = time.perf_counter()
            with running(server, folder, options.patience) as (pid, port):
                figures.setdefault((server.name, ""), []).append(time.perf_counter() - began)
                for name, text in QUERIES.items():
                    query = text % first if name == "lookup" else text
                    times = 20 if name == "lookup" else 1
                    figures.setdefault((server.name, name), []).append(
                        seconds(port, server.path, query, times)
                    )
                figures.setdefault((server.name, "memory"), []).append(memory(pid))
    for server, _ in listed:
        if server.name not in loaded:
            print(f"| {triples:,} | {server.name} | more than {options.patience:g} |")
            continue
        columns = [median(figures[server.name, name]) for name in ("", "memory", *QUERIES)]
        columns = [f"{loaded[server.name]:.1f}", columns[0], columns[1], *columns[2:]]
        print(f"| {triples:,} | {server.name} | " + " | ".join(columns) + " |", flush=True)


def median(values: list[float | None]) -> str:
    """The median, or that there was no answer."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "no answer"
    middle = statistics.median(known)
    return f"{middle:.3f}" if middle < 1 else f"{middle:.1f}"


if __name__ == "__main__":
    main()
