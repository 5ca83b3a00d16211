"""The reconciliation service: which candidates a name has, that nothing doubtful is called a match, and
that both versions of the protocol are spoken over HTTP.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from lodpipe import Project
from lodpipe.engine.search_index import SearchIndex
from lodpipe.engine.search_index_writer import IndexPlan, KindPlan, read_ntriples, write_index
from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.node_documents import NodeDocuments
from lodpipe.publish.api.reconciliation import Reconciliation
from lodpipe.publish.api.reconciliation_protocol import BATCH, read_queries
from lodpipe.rdf.jsonld import Context
from request_cases import sent, wrong_answers
from serving import Served
from support import ROOT, TESTS

FOLDER = TESTS / "reconcile"
QUESTIONS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "questions.yaml").read_text("utf-8"))
REQUESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "requests.yaml").read_text("utf-8"))
BASE = "https://region.example/"
CONTEXT = Context(
    {
        "id": "@id",
        "type": "@type",
        "dct": "http://purl.org/dc/terms/",
        "dct:spatial": {"@id": "http://purl.org/dc/terms/spatial", "@type": "@id"},
        "org": "http://www.w3.org/ns/org#",
        "schema": "https://schema.org/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
    },
    BASE,
)
PLAN = IndexPlan(
    BASE,
    ("de", "en"),
    (
        KindPlan("<http://www.w3.org/ns/org#Organization>", "organisations"),
        KindPlan("<http://purl.org/dc/terms/Location>", "places"),
    ),
    CONTEXT,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reconciliation]:
    path = tmp_path_factory.mktemp("index") / "register.sqlite"
    write_index(path, read_ntriples(FOLDER / "register.nt"), PLAN, "1")
    index = SearchIndex(path)
    publication = Project.open(ROOT).publication
    yield Reconciliation(ApiDocuments(publication, index, NodeDocuments(index, CONTEXT)))
    index.close()


def test_candidates_are_the_right_ones_and_only_certain_ones_match(service: Reconciliation) -> None:
    print(f"{len(QUESTIONS)} questions")
    assert len(QUESTIONS) >= 30
    wrong = []
    for case in QUESTIONS:
        (question,) = read_queries(json.dumps({"q": case["ask"]}).encode(), service).values()
        answers = service.candidates(question)
        keys = [item.resource.iri.rpartition("/")[2] for item in answers]
        matches = [key for key, item in zip(keys, answers, strict=True) if item.match]
        best = keys[: len(case["best"])] if case["best"] else keys
        if best != case["best"] or matches != ([case["match"]] if "match" in case else []):
            wrong.append((case, keys, matches))
        assert all(0 <= item.score <= 100 for item in answers)
    assert not wrong, "\n".join(map(str, wrong))


def test_requests_in_both_versions(server: Served) -> None:
    assert len(REQUESTS) >= 40
    wrong = wrong_answers(server, REQUESTS)
    assert not wrong, "\n".join(map(str, wrong))


def test_a_batch_that_is_too_large_is_refused(server: Served) -> None:
    queries = {f"q{number}": {"query": "x"} for number in range(BATCH + 1)}
    answer = sent(server, {"post": "/reconcile", "form": {"queries": json.dumps(queries)}})
    assert answer.status == 413, answer.body
    long = json.dumps({"q": {"query": "x" * 501}})
    assert sent(server, {"post": "/reconcile", "form": {"queries": long}}).status == 400


def test_scripts_of_other_sites_may_ask(server: Served) -> None:
    for path in ("/reconcile", "/reconcile/match", "/reconcile/v1/extend"):
        answer = server.request(path, method="OPTIONS")
        assert answer.status == 204
        assert "POST" in answer.headers["access-control-allow-methods"]


def test_the_commands_of_the_page_work(server: Served) -> None:
    page = (ROOT / "docs/reconcile.md").read_text("utf-8")
    (block,) = re.findall(r"<!-- curl -->\n```sh\n(.*?)```", page, re.S)
    commands = block.splitlines()
    print(f"{len(commands)} commands")
    assert len(commands) >= 7
    for command in commands:
        _, *given = shlex.split(command.replace("http://127.0.0.1:8000/", server.url))
        done = subprocess.run(
            ["curl", "-sSf", *given], capture_output=True, timeout=20, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
        assert len(done.stdout) > 100, command


def schema_of(answer: str) -> dict[str, str]:
    """The official schemas of answers, by the addresses of requests."""
    return {
        "manifest": "/reconcile" if answer == "0.2" else "/reconcile/v1",
        "suggest-entities-response": "/reconcile/suggest/entity?prefix=s",
        "suggest-types-response": "/reconcile/suggest/type?prefix=",
        "suggest-properties-response": "/reconcile/suggest/property?prefix=",
        "data-extension-property-proposal": "/reconcile/extend/propose",
    }


@pytest.mark.skipif(
    not (Path(os.environ.get("LODPIPE_SUITES", "-")) / "reconciliation").is_dir(),
    reason="the official schemas are not there (LODPIPE_SUITES)",
)
@pytest.mark.parametrize("version", ["0.2", "1.0-draft"])
def test_answers_fit_the_official_schemas(server: Served, version: str) -> None:
    folder = Path(os.environ["LODPIPE_SUITES"]) / "reconciliation" / version / "schemas"
    schemas = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    swagger = {"definitions": {"securityDefinitions": {"additionalProperties": True}}}
    resources = [("http://swagger.io/v2/schema.json", swagger)]
    resources += [(schema["$id"], schema) for schema in schemas.values() if "$id" in schema]
    registry = jsonschema_rs.Registry(resources)
    requests: dict[str, dict[str, Any]] = {
        name: {"get": address} for name, address in schema_of(version).items()
    }
    extension = {
        "ids": ["organisation/stadt-brandis", "lab/brandis", "nothing"],
        "properties": [{"id": "skos:prefLabel"}, {"id": "org:classification"}],
    }
    if version == "0.2":
        queries = json.dumps({"q": {"query": "Brandis"}, "r": {"query": "Zzyzx"}})
        requests["reconciliation-result-batch"] = {
            "post": "/reconcile",
            "form": {"queries": queries},
        }
        requests["data-extension-response"] = {
            "post": "/reconcile",
            "form": {"extend": json.dumps(extension)},
        }
    else:
        batch = {"queries": [{"conditions": [{"matchType": "name", "propertyValue": "Brandis"}]}]}
        requests["reconciliation-result-batch"] = {"post": "/reconcile/match", "json": batch}
        requests["data-extension-response"] = {"post": "/reconcile/extend", "json": extension}
    for name, request in requests.items():
        answer = sent(server, request)
        assert answer.status == 200, answer.body
        validator = jsonschema_rs.Draft7Validator(schemas[name], registry=registry)
        validator.validate(json.loads(answer.body))
    print(f"{len(requests)} answers")
