"""The processes that answer queries: one loads the data, and forks a worker whenever it is asked for one.

A worker shares the loaded store (copy on write), can open no file and no connection, is bounded in memory and processor time, and may be
killed at any time: the next one is a fork away. This module imports little, for its process is started with every server.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from pipeline.serve.negotiation import GRAPH_FORMATS, RESULTS_FORMATS
from pipeline.tokens import tokens, unescaped, words

LENGTH = struct.Struct("!I")
LENGTHS = struct.Struct("!II")
# Functions whose value is another one each time (SPARQL 1.1, 17.4).
_CHANGING = {"now", "rand", "uuid", "struuid", "bnode"}
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class TooLarge(Exception):
    """The answer is larger than allowed."""


class Bounded(io.BytesIO):
    """A file that takes so many bytes and no more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def write(self, data: Any) -> int:
        """Keeps the bytes. Raises TooLarge."""
        self.left -= len(data)
        if self.left < 0:
            raise TooLarge
        return super().write(data)


# -- answers -----------------------------------------------------------------------------------------------------------


def answered(store: ox.Store, task: Mapping[str, Any], most: int, prefixes: Mapping[str, str]) -> tuple[dict[str, Any], bytes]:
    """The head and the body of an answer: status, format, whether the same question will have the same answer, and what is wrong."""
    try:
        out = Bounded(most)
        made = _resource(store, task, out, prefixes) if "iri" in task else _query(store, task, out, prefixes)
        return made, out.getvalue() if made["status"] == 200 else b""
    except SyntaxError as error:
        return {"status": 400, "detail": f"this is no SPARQL 1.1 query: {error}"}, b""
    except TooLarge:
        return {"status": 507, "detail": f"the answer is larger than {most:,} bytes; ask for less (LIMIT), or load the dump"}, b""
    except (ValueError, RuntimeError, OSError) as error:
        return {"status": 400, "detail": f"the query cannot be answered: {error}"}, b""


def _query(store: ox.Store, task: Mapping[str, Any], out: Bounded, prefixes: Mapping[str, str]) -> dict[str, Any]:
    found = Counter(words(task["query"]))
    if "service" in found:
        return {"status": 403, "detail": "SERVICE is refused: this endpoint asks no other; run the query with a client of your own"}
    text, base = task["query"], prefixes[""]  # relative IRIs are the publication's, as they are where it is served at home
    default, named = ([ox.NamedNode(one) for one in task[name]] for name in ("default_graph", "named_graphs"))
    if not (default or named) and found["from"] > 1:
        default, named = _own_dataset(text, base)
    if len(default) > 1:
        merged = _merged(store, default, named)
        result: Any = merged.query(text, base_iri=base, default_graph=ox.DefaultGraph(), named_graphs=list(named))
    elif default or named:  # a dataset of the request is whole: what it does not name is empty
        result = store.query(text, base_iri=base, default_graph=list(default), named_graphs=list(named))
    else:
        result = store.query(text, base_iri=base)
    graph = isinstance(result, ox.QueryTriples)
    name = task["graphs"] if graph else task["results"]
    if isinstance(result, ox.QueryBoolean) and name == "tsv":
        name = "csv"
    if name is None:
        return {"status": 406, "detail": "the answer to this query has no format that you take"}
    if graph:
        _write(sorted(set(result), key=str), out, name, prefixes)
    else:
        result.serialize(out, format=RESULTS_FORMATS[name])
    return {"status": 200, "format": name, "graph": graph, "lasting": not found.keys() & _CHANGING}


def _own_dataset(text: str, base: str) -> tuple[list[ox.NamedNode], list[ox.NamedNode]]:
    """The default and named graphs of a query's FROM and FROM NAMED; the engine's own parser resolves their names. Raises SyntaxError."""
    ox.Store().query(text, base_iri=base)  # a wrong query is told as it stands
    plain = unescaped(text)
    signs = [one for one in tokens(plain) if not one["comment"] and one[0].strip()]
    form = next(place for place, one in enumerate(signs) if (one["word"] or "").lower() in ("select", "construct", "ask", "describe"))
    graphs: dict[bool, list[str]] = {False: [], True: []}
    for before, one, after, last in zip(signs[form:], signs[form + 1 :], signs[form + 2 :], signs[form + 3 :], strict=False):
        if (one["word"] or "").lower() == "from" and before[0] != "@":
            named = (after["word"] or "").lower() == "named"
            graphs[named].append((last if named else after)[0])
    terms = graphs[False] + graphs[True]
    bound = " ".join(f"({term} AS ?_{place})" for place, term in enumerate(terms))
    row: Any = next(iter(ox.Store().query(f"{plain[: signs[form].start()]} SELECT {bound} {{}}", base_iri=base)))  # type: ignore[arg-type]
    found = [row[place] for place in range(len(terms))]
    return found[: len(graphs[False])], found[len(graphs[False]) :]


def _merged(store: ox.Store, default: Sequence[ox.NamedNode], named: Sequence[ox.NamedNode]) -> ox.Store:
    """The dataset of a request with several default graphs: their merge, without doubles (SPARQL 1.1, 13.2), beside the named ones."""
    merged = ox.Store()
    for graph in default:
        merged.extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in store.quads_for_pattern(None, None, None, graph))
    for graph in named:
        merged.extend(store.quads_for_pattern(None, None, None, graph))
    return merged


def _resource(store: ox.Store, task: Mapping[str, Any], out: Bounded, prefixes: Mapping[str, str]) -> dict[str, Any]:
    """All that is said of a resource, its document's worth of data."""
    quads = store.quads_for_pattern(ox.NamedNode(task["iri"]), None, None, ox.DefaultGraph())
    triples = sorted((quad.triple for quad in quads), key=str)
    if not triples:
        return {"status": 404, "detail": "nothing is said of this resource"}
    _write(triples, out, task["format"], prefixes)
    return {"status": 200, "format": task["format"], "graph": True, "lasting": True}


def _write(triples: Sequence[ox.Triple], out: Bounded, name: str, prefixes: Mapping[str, str]) -> None:
    """The triples in a format, with those prefixes that they use."""
    terms = {term.value for triple in triples for term in (triple.subject, triple.predicate, triple.object) if isinstance(term, ox.NamedNode)}
    terms |= {triple.object.datatype.value for triple in triples if isinstance(triple.object, ox.Literal)}
    used = {re.sub(r"[^/#]*$", "", term) for term in terms}
    ox.serialize(triples, out, format=GRAPH_FORMATS[name], prefixes={name: space for name, space in prefixes.items() if space in used})


# -- processes ---------------------------------------------------------------------------------------------------------


def work(channel: socket.socket, store: ox.Store, bounds: Mapping[str, Any]) -> None:
    """Answers tasks until the other side goes."""
    while (size := _received(channel, LENGTH.size)) is not None:
        task = json.loads(_received(channel, LENGTH.unpack(size)[0]) or b"{}")
        _limit_time(bounds["seconds"])
        head, body = answered(store, task, bounds["result"], bounds["prefixes"])
        data = json.dumps(head).encode()
        channel.sendall(LENGTHS.pack(len(data), len(body)) + data)
        channel.sendall(body)


def _received(channel: socket.socket, size: int) -> bytes | None:
    """So many bytes; None where the other side has gone."""
    data = bytearray()
    while len(data) < size:
        more = channel.recv(min(size - len(data), 1 << 20))
        if not more:
            return None
        data += more
    return bytes(data)


def _limit_time(seconds: float) -> None:
    """A second watch over the one that the server holds: the system ends a worker whose server is no more."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 3
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def confine(memory: int) -> None:
    """No more memory than allowed, no new file, no connection, no child that outlives its parent."""
    import resource

    _die_with_parent()
    with contextlib.suppress(OSError, ValueError):
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def load(dumps: Mapping[str, str]) -> tuple[ox.Store, int]:
    """A store with the union of all graphs as default graph, and each named graph under its name; and the number of triples of the union.

    Loaded twice, because a union made for each query would repeat what stands in several graphs.
    """
    store = ox.Store()
    store.bulk_load(path=dumps["nt"], format=ox.RdfFormat.N_TRIPLES)
    triples = len(store)
    store.bulk_load(path=dumps["nq"], format=ox.RdfFormat.N_QUADS)
    return store, triples


def main() -> None:
    """Loads the dumps named by the first message, then forks a worker for each connection that it is sent."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the system
    _die_with_parent()
    bounds = json.loads(sys.argv[2])
    started = time.perf_counter()
    store, triples = load(bounds["dumps"])
    seconds = round(time.perf_counter() - started, 3)
    control.sendall(json.dumps({"statements": len(store), "triples": triples, "seconds": seconds}).encode())
    while True:
        message, descriptors, *_ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        child = os.fork()
        if child == 0:
            _be_worker(control, descriptors[0], store, bounds)
        os.close(descriptors[0])
        control.sendall(LENGTH.pack(child))


def _be_worker(control: socket.socket, descriptor: int, store: ox.Store, bounds: Mapping[str, Any]) -> None:
    """The life of a worker; it ends the process."""
    try:
        control.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        channel = socket.socket(fileno=descriptor)
        confine(bounds["memory"])
        work(channel, store, bounds)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
