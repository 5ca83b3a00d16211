"""The processes that answer queries: one loads the data, and forks a worker whenever it is asked
for one.

A worker shares the loaded store (copy on write), can open no file and no connection, is bounded in
memory and processor time, and may be killed at any time: the next one is a fork away.
`serve/pool.py` asks many workers at once, `confined.py` one at a time for `lodpipe query`, `check`
and `build`. This module imports little, for its process is started with each of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import FrameType, ModuleType
from typing import IO, Any, Literal, cast

import pyoxigraph as ox

from lodpipe.queries.connections import LENGTH, Desk, Shared, send_answer
from lodpipe.queries.large_joins import by_sets
from lodpipe.queries.metadata_terms import MetadataTerms
from lodpipe.queries.predicate_counts import by_predicate
from lodpipe.queries.store_loading import Place, die_with_parent, load
from lodpipe.rdf.file_formats import PARSERS

FORK, END = b"w", b"e"  # what the process with the data is asked for: a worker, or how one ended
RESULTS_FORMATS = {
    "json": ox.QueryResultsFormat.JSON, "xml": ox.QueryResultsFormat.XML, "csv": ox.QueryResultsFormat.CSV, "tsv": ox.QueryResultsFormat.TSV,
}  # fmt: skip
UNSORTABLE = "total order"  # part of the message with which a sort of the store gives up
_SECCOMP, _NO_NEW_PRIVILEGES, _FILTER = 22, 38, 2  # of prctl(2)
# By machine: AUDIT_ARCH of seccomp(2), the numbers of socket(2) and connect(2), of open(2), creat(2)
# and openat(2).
_SYSTEM_CALLS = {
    "x86_64": (0xC000003E, (41, 42), (2, 85, 257)),
    "aarch64": (0xC00000B7, (198, 203), (56,)),
}
_IO_URING_SETUP, _OPENAT2 = 425, 437
_ONE_PIECE = 1 << 18  # bytes
_DESCRIPTORS = 64  # that a worker has beside the files of a store
_MESSAGES = 65_536  # bytes that a worker may write to its standard error
_REMEMBERED = 256  # workers whose end is remembered

_DAMAGED = re.compile(r"Corruption: | in \S+\.sst ")  # in messages of RocksDB
Cause = Literal["time", "memory", "depth", "crash", "killed"]


class TooLarge(Exception):
    """The answer is larger than allowed."""


class Bounded:
    """A file that takes so many bytes and no more; most answers come in one piece."""

    __slots__ = ("left", "pieces")

    def __init__(self, most: int) -> None:
        self.left, self.pieces = most, list[bytes]()

    def write(self, data: bytes) -> int:
        """Keeps the bytes. Raises TooLarge."""
        size = len(data)
        self.left -= size
        if self.left < 0:
            raise TooLarge
        self.pieces.append(data)
        return size

    def flush(self) -> None:
        """Nothing is held back."""

    def content(self) -> bytes:
        """All bytes."""
        return b"".join(self.pieces)


# -- answers ---------------------------------------------------------------------------------------


def answered(
    store: ox.Store,
    task: Mapping[str, Any],
    most: int,
    prefixes: Mapping[str, str],
    terms: MetadataTerms | None = None,
    predicates: Mapping[str, int] | None = None,
) -> tuple[dict[str, Any], bytes]:
    """The head and the body of an answer: status, format, whether the same question will have the
    same answer, and what is wrong. `terms` decide which queries are asked over the description too, `predicates` are how many triples
    have each.
    """
    try:
        out = Bounded(most)
        head = (
            _resource(store, task, out, prefixes)
            if "iri" in task
            else _query(store, task, out, prefixes, terms, predicates)
        )
        return head, out.content() if head["status"] == 200 else b""
    except SyntaxError as error:
        return {"status": 400, "detail": f"this is not a SPARQL query: {error}"}, b""
    except TooLarge:
        return {
            "status": 507,
            "detail": f"the answer is larger than {most:,} bytes; ask for less (LIMIT), or load the dump",
        }, b""
    except MemoryError:
        return {
            "status": 507,
            "detail": "the query needs more memory than allowed, and was stopped",
        }, b""
    except (ValueError, RuntimeError, OSError) as error:
        if _DAMAGED.search(str(error)):
            detail = "the store on disk is damaged; it is written again"
            return {"status": 500, "detail": detail, "damaged": True}, b""
        return {"status": 400, "detail": f"the query cannot be answered: {error}"}, b""


def _query(
    store: ox.Store,
    task: Mapping[str, Any],
    out: Bounded,
    prefixes: Mapping[str, str],
    terms: MetadataTerms | None,
    predicates: Mapping[str, int] | None,
) -> dict[str, Any]:
    base = prefixes.get(
        ""
    )  # relative IRIs are the publication's, as they are where it is served at home
    requested = task.get("default_graph", ()), task.get("named_graphs", ())
    is_dataset_named = bool(requested[0] or requested[1])
    if not is_dataset_named and "parsed" not in task and "ordered" not in task:
        text = task["query"]
        if _is_as_it_is(text, base, terms):
            text = _faster(text, base, store, predicates)
            return _written(store.query(text, base_iri=base), task, out, prefixes)
    parsed = task.get("parsed") or _read(task, base)
    if parsed["service"] and not task.get("federated"):
        return {
            "status": 403,
            "detail": "SERVICE is refused: this endpoint does not query others; run the query with your own client",
        }
    dataset = requested if is_dataset_named else (parsed["default"], parsed["named"])
    # Clients send parameters of their own accord, so only the text of a query is held to its names.
    missing = [] if is_dataset_named else _unknown(store, (*dataset[0], *dataset[1]))
    if missing and "query" in task:
        return {"status": 400, "detail": _no_such_graph(*missing[0])}
    unknown = [] if is_dataset_named else [*missing, *_unknown(store, parsed["graphs"])]
    result: Any
    if is_dataset_named or len(dataset[0]) > 1:
        default, named = ([ox.NamedNode(item) for item in part] for part in dataset)
        result = _of_dataset(store, parsed["text"], base, default, named)
    else:
        wider = terms.default_graphs(parsed["names"]) if terms and parsed["names"] else None
        text = parsed["text"]
        if wider is None:
            text = _faster(text, base, store, predicates)
        result = store.query(text, base_iri=base, default_graph=wider)
    return {
        **_written(result, task, out, prefixes),
        "lasting": not parsed["changing"],
        "unknown": unknown,
    }


def _faster(
    text: str, base: str | None, store: ox.Store, predicates: Mapping[str, int] | None
) -> str:
    """The query, or one with the same answer that takes less time over a large store."""
    if not predicates:
        return text
    with contextlib.suppress(SyntaxError):  # the store says what is wrong
        return by_predicate(text, predicates) or by_sets(text, base, store, predicates) or text
    return text


def _written(
    result: Any, task: Mapping[str, Any], out: Bounded, prefixes: Mapping[str, str]
) -> dict[str, Any]:
    """Writes a result in the format that the client takes; the head of the answer."""
    graph = isinstance(result, ox.QueryTriples)
    name = task["graphs"] if graph else task["results"]
    if isinstance(result, ox.QueryBoolean) and name == "tsv":
        name = "csv"
    if name is None:
        return {
            "status": 406,
            "detail": "the answer to this query is not available in a format that the client accepts",
        }
    if graph:
        _write(sorted(set(result), key=str), out, name, prefixes)
    else:
        result.serialize(cast("IO[bytes]", out), format=RESULTS_FORMATS[name])
    return {
        "status": 200,
        "format": name,
        "graph": graph,
        "lasting": True,
        "unknown": [],
    }


@cache
def _sparql() -> ModuleType:
    """The reader of SPARQL, imported where a query has to be read: other workers get theirs parsed."""
    from lodpipe.rdf import sparql

    return sparql


def _is_as_it_is(text: str, base: str | None, terms: MetadataTerms | None) -> bool:
    """Whether a query can be run as it is, over the data alone. Reading it by tokens would take
    longer than most such queries run.
    """
    if terms is None:
        return bool(_sparql().is_plain(text))
    names = _sparql().plain_names(text, base)
    return names is not None and terms.are_strangers(names)


def _read(task: Mapping[str, Any], base: str | None) -> Mapping[str, Any]:
    """The query as sparql.py reads it. Raises SyntaxError."""
    parsed = _sparql().parse(task["query"], base)
    if "ordered" in task:
        parsed = parsed.totally_ordered() or parsed
    read: Mapping[str, Any] = parsed.task()
    return read


def _of_dataset(
    store: ox.Store,
    text: str,
    base: str | None,
    default: Sequence[ox.NamedNode],
    named: Sequence[ox.NamedNode],
) -> Any:
    """The result over a dataset, which is whole: what it does not name is empty."""
    if len(default) > 1:
        return _merged(store, default, named).query(
            text, base_iri=base, default_graph=ox.DefaultGraph(), named_graphs=list(named)
        )
    return store.query(text, base_iri=base, default_graph=list(default), named_graphs=list(named))


def _no_such_graph(name: str, similar: Sequence[str]) -> str:
    meant = f"; did you mean <{similar[0]}>?" if similar else "."
    return (
        f"the dataset of this query (FROM, FROM NAMED) names a graph that does not "
        f"exist, <{name}>{meant} Without them all data is queried; SELECT DISTINCT ?g "
        "{ GRAPH ?g { ?s ?p ?o } } lists the graphs"
    )


def _unknown(store: ox.Store, graphs: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Those of the graphs that the data does not have, each with the name that is most like it."""
    if not graphs:
        return []
    missing = [
        item for item in dict.fromkeys(graphs) if not store.contains_named_graph(ox.NamedNode(item))
    ]
    known = sorted(graph.value for graph in store.named_graphs()) if missing else []
    return [(item, get_close_matches(item, known, 1)) for item in missing]


def _merged(
    store: ox.Store, default: Sequence[ox.NamedNode], named: Sequence[ox.NamedNode]
) -> ox.Store:
    """The dataset of a request with several default graphs: their merge, without doubles (SPARQL
    1.1, 13.2), beside the named ones.
    """
    merged = ox.Store()
    for graph in default:
        merged.extend(
            ox.Quad(quad.subject, quad.predicate, quad.object)
            for quad in store.quads_for_pattern(None, None, None, graph)
        )
    for graph in named:
        merged.extend(store.quads_for_pattern(None, None, None, graph))
    return merged


def _resource(
    store: ox.Store, task: Mapping[str, Any], out: Bounded, prefixes: Mapping[str, str]
) -> dict[str, Any]:
    """All statements about a resource: the content of its document."""
    quads = store.quads_for_pattern(ox.NamedNode(task["iri"]), None, None, ox.DefaultGraph())
    triples = sorted((quad.triple for quad in quads), key=str)
    if not triples:
        return {"status": 404, "detail": "there are no statements about this resource"}
    _write(triples, out, task["format"], prefixes)
    return {"status": 200, "format": task["format"], "graph": True, "lasting": True}


def _write(
    triples: Sequence[ox.Triple], out: Bounded, name: str, prefixes: Mapping[str, str]
) -> None:
    """The triples in a format, with those prefixes that they use."""
    terms = {
        term.value
        for triple in triples
        for term in (triple.subject, triple.predicate, triple.object)
        if isinstance(term, ox.NamedNode)
    }
    terms |= {
        triple.object.datatype.value for triple in triples if isinstance(triple.object, ox.Literal)
    }
    used = {re.sub(r"[^/#]*$", "", term) for term in terms}
    ox.serialize(
        triples,
        cast("IO[bytes]", out),
        format=PARSERS[name],
        prefixes={name: space for name, space in prefixes.items() if space in used},
    )


# -- processes -------------------------------------------------------------------------------------


def work(
    channel: socket.socket,
    store: ox.Store,
    bounds: Mapping[str, Any],
    shared: Shared | None = None,
) -> Callable[[], None]:
    """What answers tasks until the other side goes; where memory is shared with the server, also
    the requests on connections that it gives. What that opens is open when this returns.
    """
    limited = 0.0

    def answer(task: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        terms, predicates = bounds.get("terms"), bounds.get("predicates")
        return answered(store, task, bounds["result"], bounds["prefixes"], terms, predicates)

    def limit(used: float) -> None:
        nonlocal limited
        if used >= limited:
            limited = _limit_time(bounds["seconds"])

    def loop() -> None:
        while (data := channel.recv(_ONE_PIECE)) and (message := _message(channel, data)):
            limit(time.process_time())
            send_answer(channel, *answer(json.loads(message)))

    return Desk(channel, shared, answer, limit).run if shared else loop


def _message(channel: socket.socket, begun: bytes) -> bytes | None:
    """A message of which this much is there; None where the other side has gone."""
    if len(begun) < LENGTH.size:
        begun += _received(channel, LENGTH.size - len(begun)) or b""
        if len(begun) < LENGTH.size:
            return None
    missing = LENGTH.size + LENGTH.unpack_from(begun)[0] - len(begun)
    rest = _received(channel, missing) if missing else b""
    return None if rest is None else begun[LENGTH.size :] + rest


def _received(channel: socket.socket, size: int) -> bytes | None:
    """So many bytes; None where the other side has gone."""
    data = bytearray()
    while len(data) < size:
        more = channel.recv(min(size - len(data), 1 << 20))
        if not more:
            return None
        data += more
    return bytes(data)


def _limit_time(seconds: float) -> float:
    """A second watch over the one that the asking process holds: the system ends a worker whose
    asker is no more. Returns the processor time at which the limit has to be set again.
    """
    import resource

    used = time.process_time()
    most = int(used + seconds) + 3
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    return used + 1


def confine(memory: int, *, network: bool = False, files: int = 0, connections: int = 0) -> None:
    """No more memory than allowed, no new file, no connection (but for a federated query), no child
    that outlives its parent. `files` is how many a store on disk opens when it needs them,
    `connections` how many of its clients the server gives to this process.
    """
    import resource

    die_with_parent()
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm") as pages:  # noqa: PTH123  # pathlib would take longer to import than all else here
            taken = int(pages.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MESSAGES, _MESSAGES))
    if not network:
        most = 0
        if files or connections:  # these are open files, too: the walls are built in another way
            _refuse_calls(files=not files)
            most = files + connections + _DESCRIPTORS
            most = min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _refuses_calls() -> bool:
    """Whether the system refuses calls where a process wants that (seccomp), which some containers
    do not let it; tried by a process of its own.
    """
    if sys.platform != "linux" or os.uname().machine not in _SYSTEM_CALLS:
        return False
    child = os.fork()
    if child == 0:
        try:
            _refuse_calls(files=True)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _refuse_calls(*, files: bool) -> None:
    """Makes the system refuse new sockets and connections to this process, by a filter of system
    calls (seccomp), and new files where asked. Elsewhere than on Linux, and on other processors,
    the query's text is the only wall (SERVICE is refused).
    """
    known = _SYSTEM_CALLS.get(os.uname().machine) if sys.platform == "linux" else None
    if known is None:
        return
    architecture, sockets, opening = known
    numbers = [*sockets, _IO_URING_SETUP, *((*opening, _OPENAT2) if files else ())]
    refuse, allow = 0x00050000 | errno.EACCES, 0x7FFF0000
    last = len(numbers)
    steps = [  # instruction, where to go if true, if false, operand
        (0x20, 0, 0, 4),  # the architecture
        (0x15, 0, last + 3, architecture),
        (0x20, 0, 0, 0),  # the number of the call
        (0x35, last + 1, 0, 0x40000000),  # calls of another numbering
        *((0x15, last - place, 0, number) for place, number in enumerate(numbers)),
        (0x06, 0, 0, allow),
        (0x06, 0, 0, refuse),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    filters = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(steps), ctypes.addressof(filters))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, program, 0, 0)):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), "system calls cannot be refused (seccomp)")


def cause_of(status: int, messages: str) -> tuple[Cause, str]:
    """Why a worker ended, of the status that the system gives and what it wrote to standard error;
    with the store's own words for a crash.
    """
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU:
        return "time", ""
    if number == signal.SIGKILL:
        return "killed", ""
    if (
        "memory allocation of" in messages
        or "MemoryError" in messages
        or "capacity overflow" in messages
    ):
        return "memory", ""
    if "overflowed its stack" in messages or number in (signal.SIGSEGV, signal.SIGBUS):
        return "depth", ""
    panic = re.search(r"panicked at [^\n]*\n([^\n]*)", messages)
    return "crash", panic[
        1
    ].strip() if panic else f"it ended with signal {number}" if number else "it ended by itself"


class Holder:
    """The process with the data: forks workers, and remembers how each ended until it is asked."""

    def __init__(self, control: socket.socket, bounds: Mapping[str, Any]) -> None:
        self.control, self.bounds = control, bounds
        if bounds["parses"]:
            _sparql()  # workers can open no file
        self.messages: dict[int, IO[bytes]] = {}
        self.ends: OrderedDict[int, tuple[Cause, str]] = OrderedDict()
        started = time.perf_counter()
        self.files = 0  # that the engine may open
        # How many connections a worker takes: other walls than a number of 0 must hold for these.
        self.connections = bounds.get("connections", 0) if _refuses_calls() else 0
        ready = {**self._open(bounds), "connections": self.connections}
        if graphs := bounds.get("metadata"):
            self.bounds = {**self.bounds, "terms": MetadataTerms(self.store, graphs)}
        ready["seconds"] = round(time.perf_counter() - started, 3)
        control.sendall(json.dumps(ready).encode())

    def _open(self, bounds: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the store on disk, or loads one into memory; the report of it for the asking process."""
        trusted = bounds.get("trusted", False)
        if "place" not in bounds:
            self.store = ox.Store()
            return {"triples": load(self.store, bounds["data"], trusted=trusted)}
        from lodpipe.queries.store_files import on_disk

        opened = on_disk(bounds["data"], Place(**bounds["place"]), trusted=trusted)
        self.store, self.files = opened.store, opened.files
        self.bounds = {**bounds, "predicates": opened.predicates}
        # Read only, it outlives a fork: its workers read the same files at their own places.
        return {"triples": opened.triples, "store": opened.event, "reason": opened.reason}

    def run(self) -> None:
        """Answers until the other side goes."""
        signal.signal(signal.SIGCHLD, self._reap)
        gc.collect()
        gc.freeze()  # what workers share is not looked at by them, and so not copied
        while True:
            message, descriptors, *_ = socket.recv_fds(self.control, 1, 2)
            if not message:
                return
            if message == FORK:
                self._fork(descriptors)
            else:
                (pid,) = LENGTH.unpack(_received(self.control, LENGTH.size) or bytes(LENGTH.size))
                data = json.dumps(self._end(pid)).encode()
                self.control.sendall(LENGTH.pack(len(data)) + data)

    def _fork(self, descriptors: Sequence[int]) -> None:
        """A worker at a channel, and with memory that it shares with the server."""
        messages = _scratch()
        signal.pthread_sigmask(
            signal.SIG_BLOCK, [signal.SIGCHLD]
        )  # a worker that ends at once is reaped when it is known
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._be_worker(descriptors, messages)
        self.messages[child] = messages
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for descriptor in descriptors:
            os.close(descriptor)
        self.control.sendall(LENGTH.pack(child))

    def _be_worker(self, descriptors: Sequence[int], messages: IO[bytes]) -> None:
        """The life of a worker; it ends the process."""
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            self.control.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(messages.fileno(), 2)
            messages.close()
            shared = Shared(descriptors[1]) if len(descriptors) > 1 else None
            for descriptor in descriptors[1:]:
                os.close(descriptor)
            channel = socket.socket(fileno=descriptors[0])
            run = work(channel, self.store, self.bounds, shared)
            confine(
                self.bounds["memory"],
                network=self.bounds.get("network", False),
                files=self.files,
                connections=self.connections if shared else 0,
            )
            run()
        except BaseException as error:  # the last words of this process
            with contextlib.suppress(OSError):
                os.write(2, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        os._exit(0)

    def _reap(self, _: int = 0, __: FrameType | None = None) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                self._remember(*ended)

    def _remember(self, pid: int, status: int) -> None:
        with self.messages.pop(pid) as messages:
            messages.seek(0)
            self.ends[pid] = cause_of(status, messages.read(_MESSAGES).decode("utf-8", "replace"))
        while len(self.ends) > _REMEMBERED:
            self.ends.popitem(last=False)

    def _end(self, pid: int) -> tuple[Cause, str]:
        """Why a worker ended; waits for its end where it is at hand."""
        if pid not in self.ends and pid in self.messages:
            with contextlib.suppress(ChildProcessError):
                self._remember(*os.waitpid(pid, 0))
        return self.ends.pop(pid, ("killed", ""))


def _scratch() -> IO[bytes]:
    """A nameless file."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("messages"), "w+b", buffering=0)
    import tempfile

    return tempfile.TemporaryFile(buffering=0)


def command(descriptor: int, bounds: Mapping[str, Any]) -> list[str]:
    """How the process with the data is started: with this one's search path, and without the
    modules that would search for it again.
    """
    path = [*sys.path, os.path.abspath(f"{__file__}/../../..")]  # noqa: PTH100  # as above
    start = f"import sys; sys.path[:] = {path!r}; from lodpipe.queries.worker import main; main()"
    return [sys.executable, "-S", "-c", start, str(descriptor), json.dumps(bounds)]


def main() -> None:
    """Loads the data that the second argument names, then forks a worker for each connection that
    comes over the first.
    """
    os.environ["RUST_BACKTRACE"] = "0"
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    try:
        holder = Holder(control, json.loads(sys.argv[2]))
    except (OSError, ValueError, SyntaxError) as error:
        control.sendall(json.dumps({"error": " ".join(str(error).split())[:800]}).encode())
        os._exit(1)
    holder.run()
    os._exit(0)  # a store of gigabytes need not be taken apart
