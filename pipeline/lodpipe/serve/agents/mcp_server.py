"""The tools by the Model Context Protocol: on standard input and output, or over HTTP.

The protocol is that of the official SDK; here are the names, descriptions and schemas that an agent
reads, made of what the publication declares.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field
from starlette.types import ASGIApp, Receive, Scope, Send

from lodpipe.publish.api.node_documents import dumped
from lodpipe.serve.agents.agent_tools import MOST_ROWS, AgentTools, client
from lodpipe.serve.agents.bounded_body import BoundedBody
from lodpipe.serve.agents.replies import (
    DescribeReply,
    EvidenceReply,
    QueryReply,
    Reply,
    SampleQueriesReply,
    SearchReply,
    ToolFailure,
)
from lodpipe.serve.app import Server
from lodpipe.serve.content import Content, media_type
from lodpipe.serve.guard import guarded
from lodpipe.serve.settings import Settings
from lodpipe.serve.sources import Source

PATH = "/mcp"
"""Where the protocol is spoken over HTTP."""
SCHEME = "dataset:///"
"""What the addresses of resources begin with."""
_FILES = {
    "catalog.ttl": "Catalogue (DCAT-AP): titles, licence, distributions",
    "void.ttl": "VoID: classes and properties with their numbers",
    "prefixes.ttl": "Prefixes that queries may use",
    "queries.ttl": "Sample queries with their texts",
}
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

Text = Annotated[str, Field(min_length=1, max_length=500)]
Iri = Annotated[
    str,
    Field(
        min_length=1, max_length=2000, description="IRI, or what follows the base of the dataset."
    ),
]
Limit = Annotated[int, Field(ge=1, le=50)]
Rows = Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows to return.")]
Query = Annotated[str, Field(min_length=1, max_length=50_000)]


def mcp_server(server: Server) -> MCPServer:
    """The tools and resources of a server whose data is loaded."""
    tools = AgentTools(server)
    about = tools.api.documents.overview()
    mcp = MCPServer(
        server.content.name,
        title=_named(about["title"]),
        description=_named(about["description"]),
        instructions=_instructions(about),
        version=str(about["version"]),
        log_level="ERROR",
    )
    _add_resource_tools(mcp, tools)
    _add_query_tools(mcp, tools)
    _add_resources(mcp, server)
    return mcp


def _instructions(about: Mapping[str, Any]) -> str:
    collections = "; ".join(
        f"{item['name']} ({item['total']})" for item in about["collections"] if not item["minor"]
    )
    return (
        f"{_named(about['title'])}: {_named(about['description'])} Read only. Licence: {about['licence']}. "
        f"IRIs begin with {about['base']}. Collections: {collections}. "
        "Begin with `search` (names in any language, misspelt ones too), then `describe` the IRI. "
        "`evidence` gives the documents of a statement: cite their title and address. "
        "Prefer `sample_queries` to `sparql` for lists and counts. What is not stated is not known: say so and do not guess."
    )


def _named(texts: Mapping[str, str]) -> str:
    """The English text, else the first."""
    return texts.get("en") or next(iter(texts.values()), "")


async def _result(work: Awaitable[Reply]) -> CallToolResult:
    """A reply as structured content, and for clients that read texts alone as text."""
    try:
        reply = await work
    except ToolFailure as failure:
        raise ToolError(str(failure)) from None
    texts = (reply.text, dumped(reply.data, compact=True).decode().strip())
    return CallToolResult(
        content=[TextContent(type="text", text=text) for text in texts],
        structured_content=dict(reply.data),
    )


def _add_resource_tools(mcp: MCPServer, tools: AgentTools) -> None:
    tool = functools.partial(mcp.tool, annotations=_READ_ONLY)

    @tool(title="Search resources by name")
    async def search(
        text: Text, collection: Text | None = None, limit: Limit = 10
    ) -> Annotated[CallToolResult, SearchReply]:
        """Find resources by names and texts in any language, misspelt ones too. Returns IRIs, labels,
        collections and scores (0 to 100). `collection` limits the search to one kind.
        """
        return await _result(tools.search(text, collection, limit))

    @tool(title="Describe a resource")
    async def describe(resource: Iri) -> Annotated[CallToolResult, DescribeReply]:
        """Everything that is stated about a resource: its values with the labels of what they refer
        to, what refers to it, and the documents that state it, with the keys each of them states.
        """
        return await _result(tools.describe(resource))

    @tool(title="Documents of statements")
    async def evidence(
        resource: Iri, property: Text | None = None, value: Text | None = None
    ) -> Annotated[CallToolResult, EvidenceReply]:
        """The documents that state something: title, publisher, date, address, and quotes where there
        are any. Of all statements of a resource; with `property` (key as in `describe`, or IRI) of
        that one; with `value` (text, IRI or label) of one statement.
        """
        return await _result(tools.evidence(resource, property, value))


def _add_query_tools(mcp: MCPServer, tools: AgentTools) -> None:
    tool = functools.partial(mcp.tool, annotations=_READ_ONLY)

    @tool(title="List sample queries")
    async def sample_queries(
        text: Text | None = None,
    ) -> Annotated[CallToolResult, SampleQueriesReply]:
        """Queries that are prepared, with titles, descriptions and parameters (name, type, default).
        `text` chooses those with one of its words.
        """
        return await _result(_ready(lambda: tools.sample_queries(text)))

    @tool(title="Run a sample query")
    async def run_sample_query(
        name: Text, parameters: dict[str, str] | None = None, limit: Rows = 100
    ) -> Annotated[CallToolResult, QueryReply]:
        """Run a query of `sample_queries` with values for its parameters; those without a value have
        their defaults. An IRI may be what follows the base of the dataset.
        """
        return await _result(tools.run_sample_query(name, parameters or {}, limit))

    @tool(title="Query by SPARQL")
    async def sparql(query: Query, limit: Rows = 100) -> Annotated[CallToolResult, QueryReply]:
        """Run a SPARQL 1.1 query (SELECT, ASK, CONSTRUCT, DESCRIBE), read only, with bounds on time,
        memory and size. Prefixes of the dataset need no declaration. The default graph is the union
        of all; `GRAPH ?document { … }` gives the document of a statement.
        """
        return await _result(tools.sparql(query, limit))


async def _ready(work: Callable[[], Reply]) -> Reply:
    return work()


def _add_resources(mcp: MCPServer, server: Server) -> None:
    """The overview and the files that describe the dataset, as far as they were built."""

    def overview() -> str:
        return "" if server.api is None else dumped(server.api.documents.overview()).decode()

    mcp.resource(
        f"{SCHEME}overview.json",
        name="overview",
        title="Title, licence, collections with their sizes",
        mime_type="application/json",
    )(overview)
    content: Content = server.content
    for name, title in _FILES.items():
        if path := content.file(name):
            mcp.resource(
                f"{SCHEME}{name}",
                name=name.partition(".")[0],
                title=title,
                mime_type=media_type(path).partition(";")[0],
            )(functools.partial(_file, server, name))


def _file(server: Server, name: str) -> str:
    """The present state of a file."""
    path = server.content.file(name)
    return path.read_text("utf-8") if path else ""


# -- transports ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _loaded(source: Source, settings: Settings) -> AsyncIterator[Server]:
    """A server with its data, which is loaded again whenever it changes; all processes end with it."""
    server = Server(source, settings)
    await server.load()
    watching = asyncio.create_task(server.watch())
    try:
        yield server
    finally:
        watching.cancel()
        await asyncio.gather(server.pool.close(0), *server.leaving)


def run_on_stdio(source: Source, settings: Settings) -> None:
    """Answers one agent on standard input and output until the input ends. Raises SourceError (LP820,
    LP822).
    """

    async def main() -> None:
        async with _loaded(source, settings) as server:
            await mcp_server(server).run_stdio_async()

    asyncio.run(main())


def _of_clients(app: ASGIApp) -> ASGIApp:
    """The application, whose tools know which client calls: each has a budget of its own."""

    async def called(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            client.set(scope["client"][0])
        await app(scope, receive, send)

    return called


def run_on_http(
    source: Source, settings: Settings, listening: socket.socket, on_ready: Callable[[str], None]
) -> None:
    """Answers agents over streamable HTTP until it is asked to end (SIGTERM, SIGINT). Requests of
    other hosts' pages are refused by the SDK (Host and Origin); headers and bodies have the bounds
    of serve. Raises SourceError (LP820, LP822).
    """

    async def main() -> None:
        async with _loaded(source, settings) as server:
            host, port = listening.getsockname()[:2]
            app = mcp_server(server).streamable_http_app(
                streamable_http_path=PATH, json_response=True, stateless_http=True, host=host
            )
            config = uvicorn.Config(
                BoundedBody(_of_clients(app), settings), http=guarded(settings), ws="none", log_level="warning",
                access_log=False, server_header=False, limit_concurrency=settings.connections, timeout_graceful_shutdown=round(settings.grace),
            )  # fmt: skip
            listening.listen()  # who reads the address may connect at once
            on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}")
            await uvicorn.Server(config).serve(sockets=[listening])

    asyncio.run(main())
