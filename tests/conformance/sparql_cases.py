"""The W3C's SPARQL query tests: read from their manifests, and asked of a running endpoint.

All data files are loaded once, each as the named graph of its own address; the dataset of a case is
named by the parameters of the protocol (`default-graph-uri`, `named-graph-uri`).
"""

from __future__ import annotations

import functools
import http.client
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pyoxigraph as ox

from conformance import sparql_results
from conformance.suites import SUITES

SUITE = SUITES / "sparql"
HOW_TO_GET = (
    f"no query tests in {SUITE}; set LODPIPE_SUITES to a folder with sparql/ (the folder sparql of w3c/rdf-tests: "
    "sparql10, sparql11 and sparql12)"
)
ADDRESS = "http://suite.invalid/"  # of the suite; no request goes there
EMPTY_GRAPH = f"{ADDRESS}a-graph-that-no-file-is"
MANIFESTS = {
    "SPARQL 1.0": ("sparql10/manifest.ttl",),
    "SPARQL 1.1": ("sparql11/manifest-sparql11-query.ttl",),
    "SPARQL 1.1, results as CSV, TSV, JSON": (
        "sparql11/csv-tsv-res/manifest.ttl",
        "sparql11/json-res/manifest.ttl",
    ),
    "SPARQL 1.1, federation": ("sparql11/manifest-sparql11-fed.ttl",),
    "SPARQL 1.2": ("sparql12/manifest.ttl",),
}
FEDERATED = "SPARQL 1.1, federation"  # refused as a whole: the endpoint asks no other
PASSES = "passes"
_KINDS = {
    "QueryEvaluationTest": "evaluation",
    "CSVResultFormatTest": "evaluation",
    "PositiveSyntaxTest": "positive syntax",
    "PositiveSyntaxTest11": "positive syntax",
    "NegativeSyntaxTest": "negative syntax",
    "NegativeSyntaxTest11": "negative syntax",
}
_MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
_QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_FROM = re.compile(r"\bFROM\s+(?:NAMED\s+)?<([^<>\s]+)>", re.IGNORECASE)
_FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".trig": ox.RdfFormat.TRIG,
    ".nq": ox.RdfFormat.N_QUADS,
}


@dataclass(frozen=True)
class Case:
    """A query with the graphs of its dataset (addresses of files) and the file of the result that it
    must give; none for a test of syntax.
    """

    part: str
    name: str
    kind: str
    query: Path
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    result: Path | None = None
    is_lax: bool = False  # REDUCED: how often a row comes is open

    @property
    def text(self) -> bytes:
        """The query as it is sent: relative IRIs are those of the suite."""
        return f"BASE <{address_of(self.query)}>\n".encode() + self.query.read_bytes()


# -- reading ---------------------------------------------------------------------------------------


def address_of(path: Path) -> str:
    """The address that a file of the suite has."""
    return ADDRESS + path.relative_to(SUITE).as_posix()


def path_of(address: str) -> Path:
    """The file at an address of the suite."""
    return SUITE / address.removeprefix(ADDRESS)


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every query test of the suite; none where it is not there."""
    read = [
        case
        for part, manifests in MANIFESTS.items()
        for manifest in manifests
        if (SUITE / manifest).is_file()
        for case in _cases_of(part, SUITE / manifest)
    ]
    return tuple({case.name: case for case in read}.values())


class _Manifest:
    """The statements of a manifest."""

    def __init__(self, path: Path) -> None:
        self.store = ox.Store()
        self.store.load(
            path=str(path), format=ox.RdfFormat.TURTLE, base_iri=address_of(path), lenient=True
        )

    def values(self, subject: ox.NamedNode | ox.BlankNode | None, name: str) -> list[ox.NamedNode]:
        """The objects of a property, by its whole name."""
        quads = self.store.quads_for_pattern(subject, ox.NamedNode(name), None)
        return [quad.object for quad in quads]

    def listed(self, name: str) -> Iterator[ox.NamedNode]:
        """The members of all lists that the manifest has under a property, in order."""
        for node in self.values(None, name):
            while node.value != _RDF + "nil":
                yield from self.values(node, _RDF + "first")
                (node,) = self.values(node, _RDF + "rest")


def _cases_of(part: str, path: Path) -> Iterator[Case]:
    manifest = _Manifest(path)
    for included in manifest.listed(_MF + "include"):
        yield from _cases_of(part, path_of(included.value))
    for entry in manifest.listed(_MF + "entries"):
        for type_ in manifest.values(entry, _RDF + "type"):
            if kind := _KINDS.get(type_.value.removeprefix(_MF)):
                yield _case(part, manifest, path, entry, kind)


def _case(part: str, manifest: _Manifest, path: Path, entry: ox.NamedNode, kind: str) -> Case:
    name = f"{path.parent.relative_to(SUITE).as_posix()}/{entry.value.rpartition('#')[2]}"
    (action,) = manifest.values(entry, _MF + "action")
    if isinstance(action, ox.NamedNode):
        return Case(part, name, kind, path_of(action.value))
    (query,), results = (
        manifest.values(action, _QT + "query"),
        manifest.values(entry, _MF + "result"),
    )
    graphs = (
        tuple(sorted(value.value for value in manifest.values(action, _QT + name)))
        for name in ("data", "graphData")
    )
    lax = manifest.values(entry, _MF + "resultCardinality")
    default, named = graphs
    named += tuple(name for address in default for name in _graphs_in(path_of(address)))
    return Case(
        part, name, kind, path_of(query.value), default, named,
        result=path_of(results[0].value) if results else None,
        is_lax=any(value.value.endswith("LaxCardinality") for value in lax),
    )  # fmt: skip


def _graphs_in(path: Path) -> list[str]:
    """The names of the graphs that a file of data has itself."""
    if path.suffix not in (".trig", ".nq"):
        return []
    names = {quad.graph_name for quad in _parsed(path)} - {ox.DefaultGraph()}
    return sorted(name.value for name in names)


def _parsed(path: Path) -> Iterator[ox.Quad]:
    return ox.parse(
        path=str(path), format=_FORMATS[path.suffix], base_iri=address_of(path), lenient=True
    )


# -- the data --------------------------------------------------------------------------------------


def write_data(target: Path) -> int:
    """Writes all data of the cases as N-Quads, each file a graph; returns how many graphs."""
    addresses = {
        address
        for case in cases()
        for address in (*case.default_graphs, *case.named_graphs, *_named_in(case))
    }
    paths = sorted(path for path in map(path_of, addresses) if path.is_file())
    with target.open("wb") as file:
        for number, path in enumerate(paths):
            ox.serialize(_quads(path, number), file, format=ox.RdfFormat.N_QUADS)
    return len(paths)


def _named_in(case: Case) -> list[str]:
    """The addresses of the graphs that a query names by FROM."""
    text = case.query.read_text("utf-8", "replace")
    return [address_of(case.query.parent / name) for name in _FROM.findall(text) if ":" not in name]


def _quads(path: Path, number: int) -> Iterator[ox.Quad]:
    """The statements of a file; its blank nodes are no other file's."""
    for quad in _parsed(path):
        terms = (_own(term, number) for term in (quad.subject, quad.predicate, quad.object))
        graph = quad.graph_name
        yield ox.Quad(*terms, _graph_of(path) if graph == ox.DefaultGraph() else graph)


def _graph_of(path: Path) -> ox.NamedNode:
    return ox.NamedNode(address_of(path))


def _own(term: sparql_results.Term, number: int) -> sparql_results.Term:
    if isinstance(term, ox.BlankNode):
        return ox.BlankNode(f"f{number}x{term.value}")
    if isinstance(term, ox.Triple):
        parts = (_own(part, number) for part in (term.subject, term.predicate, term.object))
        return ox.Triple(*parts)
    return term


# -- asking ----------------------------------------------------------------------------------------


class Endpoint:
    """An endpoint at an address, asked on a connection that is kept."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.path = parts.path
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def post(self, case: Case, accept: str) -> tuple[int, str, bytes]:
        """Status, media type and body of the answer to a case's query."""
        dataset: list[tuple[str, str]] = []
        if not _named_in(case):  # parameters would take the place of its FROM
            dataset += [("default-graph-uri", name) for name in case.default_graphs]
            dataset += [("named-graph-uri", name) for name in case.named_graphs]
            dataset = dataset or [("default-graph-uri", EMPTY_GRAPH)]
        headers = {"Content-Type": "application/sparql-query", "Accept": accept}
        self._connection.request("POST", f"{self.path}?{urlencode(dataset)}", case.text, headers)
        answer = self._connection.getresponse()
        media_type = (answer.headers.get("content-type") or "").partition(";")[0]
        return answer.status, media_type, answer.read()

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def verdict(case: Case, endpoint: Endpoint) -> str:
    """`passes`, or what is wrong with the answer to a case."""
    accept = sparql_results.accepted(case.result)
    status, media_type, body = endpoint.post(case, accept)
    if case.kind == "negative syntax":
        return PASSES if status == 400 else f"status {status} instead of 400"
    if status != 200:
        return f"status {status}: {body.decode('utf-8', 'replace')[:200]}"
    if case.result is None:
        return PASSES
    expected = sparql_results.expected(case.result, address_of(case.result))
    answer = sparql_results.received(media_type, body)
    complaint = sparql_results.difference(expected, answer, is_lax=case.is_lax)
    return complaint or PASSES


def counted(verdicts: Iterable[tuple[Case, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    """By part and kind: how many cases there are, and how many pass."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for case, outcome in verdicts:
        cases, passed = counts.get((case.part, case.kind), (0, 0))
        counts[case.part, case.kind] = cases + 1, passed + (outcome == PASSES)
    return counts
