"""`lodpipe mcp` by the client of the official SDK: questions with known answers and their documents,
what agents do wrong, bounds, and both transports.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult

from lodpipe.serve.agents.bounded_body import BoundedBody
from lodpipe.serve.settings import Settings
from support import PROGRAM, TESTS

QUESTIONS: list[dict[str, Any]] = yaml.safe_load((TESTS / "mcp/questions.yaml").read_text("utf-8"))
ERRORS: list[dict[str, Any]] = yaml.safe_load((TESTS / "mcp/errors.yaml").read_text("utf-8"))
BASE = "https://w3id.org/rogl/"
TOOLS = ("search", "describe", "evidence", "sample_queries", "run_sample_query", "sparql")

pytestmark = pytest.mark.slow


Call = Callable[..., Any]


@asynccontextmanager
async def connected(server: Any) -> AsyncIterator[Client]:
    async with Client(server) as client:
        yield client


def session(server: Any) -> Iterator[Call]:
    """A session; what it gives calls the client's method of a name."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(connected(server)) as client,
    ):
        yield lambda method, *given: portal.call(getattr(client, method), *given)


def started(project: Path) -> Any:
    """`lodpipe mcp` on standard input and output, as an agent starts it."""
    program, *arguments = PROGRAM
    arguments += ["mcp", "--project", str(project), "--timeout", "2"]
    return stdio_client(
        StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    )


@pytest.fixture(scope="module")
def agent(publication: Path) -> Iterator[Call]:
    """An agent that has started `lodpipe mcp` on standard input and output."""
    yield from session(started(publication))


def leaves(value: Any) -> Iterator[str]:
    """All texts and numbers of a document, keys included; IRIs without the base."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (*leaves(key), *leaves(item))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value).removeprefix(BASE)


def stated_in(reply: CallToolResult, value: str) -> set[str]:
    """The ids of the documents of the statements with a value, each described with title and address."""
    data = reply.structured_content or {}
    described = {item["id"] for item in data["documents"] if {"title", "address"} <= item.keys()}
    stated = {
        document
        for item in data["statements"]
        if value in {*leaves(item["value"]), item.get("label")}
        for document in item["documents"]
    }
    assert stated <= described
    return {iri.removeprefix(BASE + "document/") for iri in stated}


def wrong_answer(agent: Call, case: dict[str, Any]) -> object:
    """What is wrong with the answer to a question; None where nothing is."""
    tool = next(name for name in TOOLS if name in case)
    reply: CallToolResult = agent("call_tool", tool, case[tool])
    data = reply.structured_content or {}
    if reply.is_error:
        return reply.content[0].text
    if case["value"] is None:
        items = data.get("statements", data.get("items"))
        if tool == "search":
            return (
                reply.content[0].text if "Nothing is named" not in reply.content[0].text else None
            )
        missing = not any(word in reply.content[0].text for word in ("not known", "No rows"))
        return items or (reply.content[0].text if missing else None)
    answers = leaves(data["items"][:1]) if tool == "search" else leaves(data)
    if case["value"] not in set(answers):
        return data
    proof, value = reply, case["value"]
    if tool != "evidence":
        proof = agent("call_tool", "evidence", case["proof"])
        statements = (proof.structured_content or {}).get("statements")
        if not statements:
            return proof.content[0].text
        value = str(statements[0]["value"]).removeprefix(BASE)
    documents = stated_in(proof, value)
    return None if documents == set(case["documents"]) else sorted(documents)


def test_questions_are_answered_with_their_documents(agent: Call) -> None:
    print(f"{len(QUESTIONS)} questions")
    assert len(QUESTIONS) >= 50
    wrong = [(case["question"], wrong_answer(agent, case)) for case in QUESTIONS]
    assert [item for item in wrong if item[1] is not None] == []


def test_errors_say_what_to_do(agent: Call) -> None:
    print(f"{len(ERRORS)} calls")
    assert len(ERRORS) >= 12
    wrong = []
    for case in ERRORS:
        reply: CallToolResult = agent("call_tool", case["tool"], case["arguments"])
        text = reply.content[0].text
        if not reply.is_error or [part for part in case["says"] if part not in text]:
            wrong.append((case, text))
    assert wrong == []


def test_tools_are_described_as_read_only_with_schemas_of_their_results(agent: Call) -> None:
    tools = agent("list_tools").tools
    assert tuple(tool.name for tool in tools) == TOOLS
    for tool in tools:
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.description and tool.output_schema
        case = next((item for item in QUESTIONS if tool.name in item), {tool.name: {}})
        reply: CallToolResult = agent("call_tool", tool.name, case[tool.name])
        jsonschema_rs.validator_for(tool.output_schema).validate(reply.structured_content)
        assert json.loads(reply.content[1].text) == reply.structured_content


def test_quotes_are_the_words_of_the_document(agent: Call) -> None:
    given = {"resource": "programme/rogl", "property": "statedStart", "value": "2020-03"}
    reply: CallToolResult = agent("call_tool", "evidence", given)
    (statement,) = (reply.structured_content or {})["statements"]
    assert statement["quotes"] == [
        {
            "text": "Der Projektauftakt war im März 2020.",
            "document": f"{BASE}document/ic-themenwoche",
        }
    ]


def test_the_dataset_is_described_by_resources(agent: Call) -> None:
    resources = {item.name: str(item.uri) for item in agent("list_resources").resources}
    assert set(resources) == {"overview", "catalog", "void", "prefixes", "queries"}
    texts = {name: agent("read_resource", uri).contents[0].text for name, uri in resources.items()}
    labs = next(
        item for item in json.loads(texts["overview"])["collections"] if item["name"] == "labs"
    )
    assert labs["total"] == 13
    assert "dcat:Dataset" in texts["catalog"] and "sh:prefix" in texts["prefixes"]


def test_documents_of_another_publication_are_its_named_graphs(built_libraries: Path) -> None:
    for agent in session(started(built_libraries)):
        given = {"resource": "library/central", "property": "visitors"}
        reply: CallToolResult = agent("call_tool", "evidence", given)
        (statement,) = (reply.structured_content or {})["statements"]
        assert (statement["key"], statement["value"]) == ("term:visitors", "104217")
        assert statement["documents"] == ["https://libraries.example/statistics/2023"]


def test_the_same_over_http_for_this_machine_alone(publication: Path) -> None:
    arguments = ["mcp", "--project", str(publication), "--http", "--port", "0"]
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"serving (http://127\.0\.0\.1:(\d+)/mcp)\n", line)
            assert match, line
            for agent in session(match[1]):
                assert tuple(tool.name for tool in agent("list_tools").tools) == TOOLS
                assert wrong_answer(agent, QUESTIONS[0]) is None
            connection = http.client.HTTPConnection("127.0.0.1", int(match[2]), timeout=10)
            headers = {"Host": "attacker.example", "Content-Type": "application/json"}
            connection.request("POST", "/mcp", "{}", headers)
            assert connection.getresponse().status == 421  # misdirected: DNS rebinding
            connection.close()
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


# -- bounds of HTTP --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "status"),
    [((b"{}",), 200), ((b"{", b"}"), 200), ((b"{", None), 408), ((b"x" * 60, b"x" * 60), 413)],
)
def test_a_body_has_the_bounds_of_serve(parts: tuple[bytes | None, ...], status: int) -> None:
    """In parts, whole; one that stays out (None) or is too large does not reach the application."""
    bodies: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    messages = [
        {"type": "http.request", "body": part, "more_body": place + 1 < len(parts)}
        for place, part in enumerate(parts)
    ]
    statuses: list[int] = []

    async def receive() -> Any:
        message = messages.pop(0)
        if message["body"] is None:
            await asyncio.sleep(60)
        return message

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    settings = Settings(slowness=0.05, body=100)
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": [], "query_string": b""}
    asyncio.run(BoundedBody(application, settings)(scope, receive, send))
    assert statuses == [status]
    assert bodies == ([b"{}"] if status == 200 else [])
