"""Sample queries: headers and syntax that are wrong, values that try to break out, what a build
says of answers, and `lodpipe query`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest
import rdflib
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from lodpipe.commands.cli import main
from lodpipe.diagnostics.finding import InvalidDeclaration, LodpipeError
from lodpipe.queries.samples import (
    TYPES,
    Parameter,
    bind,
    read_queries,
    read_query,
    result_file,
    valid,
)
from query_engines import on_oxigraph
from support import ROOT, TESTS, errors_in, findings_in, invoke

SPEX = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared/suites")) / "spex.patched.ttl"
QUERIES = read_queries(ROOT, ("de", "en"))
LOCAL = [query for query in QUERIES if not query.federated]
WRONG = sorted((TESTS / "queries/wrong").glob("*.rq"))


# -- the sample queries ----------------------------------------------------------------------------


def test_there_are_enough_of_every_form() -> None:
    print(f"{len(QUERIES)} queries, {len(LOCAL)} of them run")
    assert len(LOCAL) >= 20 and {query.form for query in LOCAL} == {
        "select",
        "construct",
        "ask",
        "describe",
    }
    assert {query.view for query in QUERIES} >= {"table", "map", "chart"} and any(
        query.federated for query in QUERIES
    )
    text = "".join(query.text for query in LOCAL)
    words = (
        "GROUP BY",
        "HAVING",
        "GRAPH ",
        "NOT EXISTS",
        "OPTIONAL",
        "UNION",
        "CONTAINS",
        "org:subOrganizationOf+",
    )
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    "query", [query for query in LOCAL if query.form == "select"], ids=lambda query: query.name
)
def test_a_listing_does_not_depend_on_how_often_a_triple_occurs(
    query, dist: Path, store: ox.Store
) -> None:
    """Rows are the same with each triple once as with a graph for each document, and come in the
    same order.
    """
    if "GRAPH" in query.text:
        pytest.skip("asks the named graphs")
    assert "ORDER BY" in query.text
    once = ox.Store()
    once.bulk_load(path=dist / "rogl.nt", format=ox.RdfFormat.N_TRIPLES)
    rows = on_oxigraph(once, query.bound(), "select").rows
    assert (
        rows == on_oxigraph(store, query.bound(), "select").rows and len(set(rows)) == len(rows) > 0
    )


def test_every_stored_result_is_that_of_the_records(built: Path) -> None:
    findings = [
        finding
        for finding in findings_in(invoke("check", "--project", built, "--lang", "en").output)
        if finding.code.startswith("LP80")
    ]
    assert findings == []
    assert {path.name for path in (ROOT / "queries/results").iterdir()} == {
        Path(result_file(query)).name for query in LOCAL
    }


# -- published as data -----------------------------------------------------------------------------


def executables(dist: Path) -> ox.Store:
    store = ox.Store()
    store.load(path=dist / "queries.ttl", format=ox.RdfFormat.TURTLE)
    return store


def test_each_query_is_an_executable_that_runs(dist: Path, store: ox.Store) -> None:
    rows = executables(dist).query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX spex: <https://purl.expasy.org/sparql-examples/ontology#>"
        "SELECT ?query ?text { ?query a sh:SPARQLExecutable ; sh:select|sh:ask|sh:construct|spex:describe ?text }"
    )
    texts = {row["query"].value.rpartition("/")[2]: row["text"].value for row in rows}
    assert set(texts) == {query.name for query in QUERIES}
    for query in LOCAL:
        assert "#+" not in texts[query.name] and "?_" not in texts[query.name]
        assert on_oxigraph(store, texts[query.name], query.form) == on_oxigraph(
            store, query.bound(), query.form
        )


@pytest.mark.skipif(not SPEX.is_file(), reason=f"no {SPEX}")
def test_the_executables_have_the_shape_of_the_convention(dist: Path) -> None:
    import pyshacl

    data = rdflib.Graph().parse(dist / "queries.ttl")
    shapes = rdflib.Graph().parse(SPEX)
    conforms, _, text = pyshacl.validate(data, shacl_graph=shapes)
    assert conforms, text
    data.remove((None, rdflib.RDFS.comment, None))
    assert not pyshacl.validate(data, shacl_graph=shapes)[0]  # the shapes do look


# -- headers and syntax ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_what_is_wrong_is_reported_with_its_line(path: Path) -> None:
    """The first line of a case, a comment, names the code and, where one is meant, the line."""
    text = path.read_text("utf-8")
    code, _, line = text.partition("\n")[0].removeprefix("# ").partition(" ")
    with pytest.raises(InvalidDeclaration) as caught:
        read_query(text, "queries/x.rq", ("de", "en"))
    (finding,) = caught.value.findings
    assert (finding.code, finding.where.file) == (code, "queries/x.rq")
    assert not line or finding.where.line == int(line), finding


def test_cases_are_counted() -> None:
    assert len(WRONG) >= 18


# -- values ----------------------------------------------------------------------------------------

TEXT = "SELECT ?s WHERE { ?s <https://example.org/p> ?_v . # ?_v\n FILTER('?_v' != \"?_v\") }"
ATTACKS = [
    '" . ?a ?b ?c . "', "x' } #", 'a"@en } INSERT', "\\", '\\"',
    "\n} UNION { ?s ?p ?o", "?_v", "$1", "\\g<0>", "\u2028\x00", "'''", '"""', "<script>", "",
]  # fmt: skip


@pytest.mark.parametrize("value", ATTACKS)
def test_a_text_comes_back_as_it_was_given(value: str) -> None:
    store = ox.Store()
    (row,) = store.query(
        bind("SELECT (?_v AS ?x) {}", {"v": Parameter("string", "")}, {"v": value})
    )
    assert row["x"] == ox.Literal(value)


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8")))
@settings(max_examples=300, deadline=None)
def test_any_text_at_all_stays_a_value(value: str) -> None:
    (row,) = ox.Store().query(
        bind("SELECT (?_v AS ?x) {}", {"v": Parameter("string", "")}, {"v": value})
    )
    assert row["x"].value == value


@pytest.mark.parametrize("kind", [type_ for type_ in TYPES if type_ != "string"])
@pytest.mark.parametrize(
    "value",
    [
        *ATTACKS,
        "1 } #",
        "https://e.org/> . ?s ?p <https://e.org/",
        "https://e.org/\n",
        "1\n",
        "2022-01-01\n",
    ],
)
def test_what_is_not_of_the_type_is_refused(kind: str, value: str) -> None:
    assert not valid(kind, value)
    with pytest.raises(LodpipeError) as caught:
        bind(TEXT, {"v": Parameter(kind, "1")}, {"v": value})
    assert [finding.code for finding in caught.value.findings] == ["LP807"]


def test_strings_comments_and_iris_are_left_alone() -> None:
    bound = bind(TEXT, {"v": Parameter("integer", "7")}, {})
    assert bound == TEXT.replace("> ?_v .", '> "7"^^<http://www.w3.org/2001/XMLSchema#integer> .')


# -- what a build says -----------------------------------------------------------------------------


def test_an_answer_that_misses_its_expectation_stops_the_build(copy_of_project: Path) -> None:
    path = copy_of_project / "queries/labs-by-land.rq"
    path.write_text(path.read_text("utf-8").replace("rows = 13", "rows = 14"), "utf-8")
    done = invoke("build", "--project", copy_of_project, "--lang", "en")
    (error,) = errors_in(done.output)
    assert done.exit_code == 1 and (error.file, error.line, error.code) == (
        "queries/labs-by-land.rq",
        7,
        "LP804",
    )
    assert not (copy_of_project / "dist").exists()


def test_a_change_of_a_record_shows_in_the_answers_and_update_takes_it(
    copy_of_project: Path,
) -> None:
    path = copy_of_project / "source/labs/brandis.yaml"
    path.write_text(
        path.read_text("utf-8").replace(
            "Labor Brandis und Partnerkommunen", "Labor Brandis und Partner"
        ),
        "utf-8",
    )
    first = invoke("check", "--project", copy_of_project, "--format", "json")
    (finding,) = [item for item in json.loads(first.stdout)["findings"] if item["code"] == "LP566"]
    changed = {item["file"] for item in finding["consequences"] if item["code"] == "LP803"}
    assert first.exit_code == 0 and "queries/labs-by-land.rq" in changed
    assert (finding["severity"], finding["params"]["count"]) == ("warning", str(len(changed)))
    assert invoke("check", "--project", copy_of_project, "--fail-on", "warning").exit_code == 1
    done = invoke("query", "--update", "--project", copy_of_project)
    assert done.exit_code == 0 and len(done.output.splitlines()) == len(changed)
    assert [
        finding
        for finding in findings_in(invoke("check", "--project", copy_of_project).output)
        if finding.code.startswith(("LP80", "LP566"))
    ] == []


# -- lodpipe query ---------------------------------------------------------------------------------


def test_the_listing_names_every_query_and_parameter(built: Path) -> None:
    output = invoke("query", "--project", built, "--lang", "en").output
    assert [
        query.name for query in QUERIES if f"{query.name}\n    {query.title['en']}" not in output
    ] == []
    assert output.count("--param") == sum(len(query.params) for query in QUERIES)


@pytest.mark.parametrize("query", LOCAL, ids=lambda query: query.name)
def test_the_dump_gives_the_stored_result(query, built: Path) -> None:
    style = {"csv": "csv", "ttl": "ttl", "txt": "table"}[result_file(query).rpartition(".")[2]]
    done = invoke("query", query.name, "--project", built, "--format", style)
    assert done.exit_code == 0 and done.output == (ROOT / result_file(query)).read_text("utf-8")


def test_formats(built: Path) -> None:
    def run(name: str, style: str) -> str:
        done = invoke("query", name, "--project", built, "--format", style)
        assert done.exit_code == 0
        return done.output

    rows = json.loads(run("labs-per-land", "json"))
    assert rows["head"]["vars"] == ["land", "labs"] and len(rows["results"]["bindings"]) == 8
    assert rows["results"]["bindings"][0]["land"] == {
        "type": "literal",
        "value": "Nordrhein-Westfalen",
        "xml:lang": "de",
    }
    assert json.loads(run("amounts-without-currency", "json")) == {"head": {}, "boolean": False}
    assert (
        json.loads(run("describe-a-lab", "json"))[0]["@id"] == "https://w3id.org/rogl/lab/brandis"
    )
    assert run("labs-per-land", "markdown").startswith(
        "| land | labs |\n| --- | --- |\n| Nordrhein-Westfalen | 4 |\n"
    )
    assert run("describe-a-lab", "csv").startswith("subject,predicate,object\n")
    assert invoke("query", "labs-per-land", "--project", built, "--format", "ttl").exit_code == 2


def test_what_comes_from_the_data_cannot_command_the_terminal_or_the_page(
    tmp_path: Path, built: Path
) -> None:
    file = tmp_path / "own.rq"
    file.write_text('SELECT ("\\u001b[31m a|b <b>\\n c" AS ?x) {}', "utf-8")
    assert "\x1b" not in invoke("query", file, "--project", built).output
    assert (
        invoke("query", file, "--project", built, "--format", "markdown").output.splitlines()[2]
        == "|  [31m a\\|b &lt;b>  c |"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["labs-by-lan"], "LP810"),
        (["labs-in-a-land", "--param", "state=Hessen"], "LP807"),
        (["participants-of-a-lab", "--param", "lab=x> ?y ?z . ?a ?b <x"], "LP807"),
        (["labs-by-land", "--endpoint", "http://127.0.0.1:9/sparql"], "LP808"),
    ],
)
def test_wrong_use_is_reported(arguments: list[str], code: str, built: Path) -> None:
    done = invoke("query", *arguments, "--project", built, "--lang", "en")
    assert done.exit_code == 2 and code in done.output


def test_an_endpoint_is_http_and_a_parameter_has_a_value(built: Path) -> None:
    assert (
        invoke(
            "query", "labs-by-land", "--endpoint", "file:///etc/passwd", "--project", built
        ).exit_code
        == 2
    )
    assert invoke("query", "labs-in-a-land", "--param", "land", "--project", built).exit_code == 2


def test_a_missing_dump_is_reported(copy_of_project: Path) -> None:
    done = invoke("query", "labs-by-land", "--project", copy_of_project, "--lang", "en")
    assert done.exit_code == 2 and "LP809" in done.output and "lodpipe build" in done.output


# -- an endpoint -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endpoint(store: ox.Store) -> Iterator[str]:
    """A real server on loopback that answers the POST of a form."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][
                0
            ]
            try:
                result = store.query(text, use_default_graph_as_union=True)
            except SyntaxError:
                self.send_error(400)
                return
            rdf = isinstance(result, ox.QueryTriples)
            body = result.serialize(
                format=ox.RdfFormat.TURTLE if rdf else ox.QueryResultsFormat.JSON
            )
            self.send_response(200)
            self.send_header(
                "Content-Type", "text/turtle" if rdf else "application/sparql-results+json"
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/sparql"
        server.shutdown()


@pytest.mark.parametrize(
    "name", ["labs-in-a-land", "describe-a-lab", "amounts-without-currency", "search-in-remarks"]
)
def test_an_endpoint_gives_the_same_as_the_dump(name: str, endpoint: str, built: Path) -> None:
    local, remote = (
        invoke("query", name, "--project", built, *more) for more in ([], ["--endpoint", endpoint])
    )
    assert remote.exit_code == 0 and remote.output == local.output


def test_standard_input_at_an_endpoint_needs_no_project(endpoint: str, tmp_path: Path) -> None:
    arguments = [
        "query",
        "-",
        "--endpoint",
        endpoint,
        "--project",
        str(tmp_path),
        "--format",
        "csv",
    ]
    done = CliRunner().invoke(main, arguments, input="SELECT (1 + 1 AS ?n) {}")
    assert (done.exit_code, done.output) == (0, "n\n2\n")
