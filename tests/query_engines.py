"""The other engines that sample queries run on: rdflib in this process, Virtuoso, Jena and Comunica as
processes of their own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import rdflib

from lodpipe.queries.client import answer_remotely, from_json
from lodpipe.queries.samples import Answer, Query
from lodpipe.rdf.sparql import Form
from support import ROOT, TESTS

Engine = Callable[[Query], Answer]
COMUNICA = TESTS / "comunica"
HAS_VIRTUOSO = bool(shutil.which("virtuoso-t") and shutil.which("isql-vt"))
JARS = Path("/usr/share/java")
HAS_JENA = (JARS / "jena-tdb2.jar").is_file() and bool(shutil.which("javac"))
HAS_COMUNICA = bool(shutil.which("node")) and (COMUNICA / "node_modules/.made").is_file()


# -- pyoxigraph in this process --------------------------------------------------------------------


def on_oxigraph(store: ox.Store, text: str, form: Form) -> Answer:
    """The answer of a store in this process, over the union of its graphs."""
    result: Any = store.query(text, use_default_graph_as_union=True)
    if form == "select":
        return Answer(
            form,
            tuple(variable.value for variable in result.variables),
            tuple(tuple(row) for row in result),
        )
    if form == "ask":
        return Answer(form, truth=bool(result))
    return Answer(
        form,
        triples=tuple(
            sorted(
                {
                    (str(triple.subject), str(triple.predicate), str(triple.object))
                    for triple in result
                }
            )
        ),
    )


# -- rdflib ----------------------------------------------------------------------------------------


def on_rdflib(nquads: Path) -> Engine:
    """rdflib's own engine over a Dataset whose default graph is the union."""
    data = rdflib.Dataset(default_union=True)
    data.parse(nquads, format="nquads")

    def run(query: Query) -> Answer:
        result = data.query(query.bound())
        if result.type == "SELECT":
            return from_json(json.loads(result.serialize(format="json")), "select")
        if result.type == "ASK":
            return Answer("ask", truth=bool(result.askAnswer))
        return _triples(result.graph.serialize(format="nt").encode(), query)

    return run


def _triples(ntriples: bytes, query: Query) -> Answer:
    triples = {
        (str(triple.subject), str(triple.predicate), str(triple.object))
        for triple in ox.parse(ntriples, format=ox.RdfFormat.N_TRIPLES)
    }
    return Answer(query.form, triples=tuple(sorted(triples)))


# -- Virtuoso --------------------------------------------------------------------------------------

_INI = """\
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
ErrorLogLevel = 3
FileExtend = 100
MaxCheckpointRemap = 500

[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx

[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
ServerThreads = 8
NumberOfBuffers = 8000
MaxDirtyBuffers = 6000
DirsAllowed = .
CheckpointInterval = 0
SchedulerInterval = 0

[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 4

[SPARQL]
ResultSetMaxRows = 100000
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def virtuoso(nquads: Path, folder: Path) -> Iterator[Engine]:
    """A server on loopback in an empty folder, loaded by its bulk loader."""
    with virtuoso_server(nquads, folder) as (_, http):
        yield lambda query: answer_remotely(query, {}, f"http://127.0.0.1:{http}/sparql")


@contextlib.contextmanager
def virtuoso_server(nquads: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """The same; its ports for SQL and HTTP."""
    sql, http = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(_INI.format(sql=sql, http=http), "utf-8")
    shutil.copy(nquads, folder / "dump.nq")
    command = ["virtuoso-t", "+foreground", "+configfile", "virtuoso.ini"]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        isql(sql, "status();", tries=60)
        isql(sql, f"ld_dir('{folder}', 'dump.nq', 'urn:unused'); rdf_loader_run(); checkpoint;")
        yield sql, http
    finally:
        server.kill()
        server.wait()


def isql(port: int, statements: str, tries: int = 1) -> None:
    """Runs statements on a Virtuoso server. Raises RuntimeError where one fails."""
    for last in range(tries - 1, -1, -1):
        command = ["isql-vt", f"127.0.0.1:{port}", "dba", "dba", f"exec={statements}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0 and "Error" not in done.stderr:
            return
        time.sleep(0.5 if last else 0)
    raise RuntimeError(f"isql-vt: {done.stdout}{done.stderr}")


# -- Jena ------------------------------------------------------------------------------------------

# What ARQ and TDB2 need of Debian's folder of libraries; all of it at once would have two loggers.
_NEEDED = (
    "jena-*", "slf4j-api", "slf4j-nop", "thrift", "commons-cli", "commons-codec", "commons-compress", "commons-csv", "commons-io", "commons-lang3",
    "commons-logging", "dexx*", "gson", "guava", "failureaccess", "httpclient*", "httpcore*", "jackson-*", "jsonld-java", "titanium-json-ld",
    "jakarta.json*", "protobuf*",
)  # fmt: skip
_MESSAGES = "org/apache/jena/ext/xerces/"


def on_jena(dist: Path, queries: list[Query], folder: Path) -> dict[str, Answer | str]:
    """The answers of one Java process to all queries; an error message where one fails."""
    for query in queries:
        (folder / f"{query.name}.rq").write_text(query.bound(), "utf-8")
    _put_messages_in_place(folder / "classes")
    paths = [folder / "classes", *(path for name in _NEEDED for path in JARS.glob(f"{name}.jar"))]
    command = [
        "java",
        "-cp",
        ":".join(map(str, paths)),
        TESTS / "jena/Run.java",
        dist / "rogl.nt",
        dist / "rogl.nq",
        folder,
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {query.name: _jena_answer(query, folder / query.name) for query in queries}


def _put_messages_in_place(folder: Path) -> None:
    """Debian's Jena 4.5 has its messages of Xerces beside the packages that look for them, and does
    not start for that reason.
    """
    with zipfile.ZipFile(JARS / "jena-core.jar") as jar:
        for name in jar.namelist():
            if name.startswith(_MESSAGES) and name.endswith(".properties"):
                target = folder / "xerces" / name.removeprefix(_MESSAGES)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(jar.read(name))


def _jena_answer(query: Query, path: Path) -> Answer | str:
    if (error := path.with_suffix(".error")).is_file():
        return error.read_text("utf-8")
    if query.form in ("select", "ask"):
        return from_json(json.loads(path.with_suffix(".srj").read_bytes()), query.form)
    return _triples(path.with_suffix(".nt").read_bytes(), query)


# -- Comunica --------------------------------------------------------------------------------------


def on_comunica(dist: Path, queries: list[Query], folder: Path) -> dict[str, Answer | str]:
    """The answers of one Node process to all queries; an error message where one fails."""
    (folder / "queries.json").write_text(
        json.dumps({query.name: {"form": query.form, "text": query.bound()} for query in queries}),
        "utf-8",
    )
    command = [
        "node",
        COMUNICA / "run.mjs",
        dist / "rogl.nt",
        dist / "rogl.nq",
        folder / "queries.json",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout)
    return {query.name: _comunica_answer(query, answers[query.name]) for query in queries}


def _comunica_answer(query: Query, answer: dict[str, object]) -> Answer | str:
    if "error" in answer:
        return str(answer["error"])
    if query.form in ("select", "ask"):
        return from_json(answer["json"], query.form)  # type: ignore[arg-type]
    return _triples(str(answer["ntriples"]).encode(), query)


__all__ = [
    "HAS_COMUNICA",
    "HAS_JENA",
    "HAS_VIRTUOSO",
    "ROOT",
    "Engine",
    "isql",
    "on_comunica",
    "on_jena",
    "on_oxigraph",
    "on_rdflib",
    "virtuoso",
    "virtuoso_server",
]
