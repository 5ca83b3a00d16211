"""`lodpipe mcp`: dist/ as tools for agents, by the Model Context Protocol."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding

_RESULT = 1_000_000  # bytes: more than a language model can read


@click.command("mcp")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.option(
    "--http",
    is_flag=True,
    help="Streamable HTTP on this machine, at /mcp, instead of standard input and output.",
)
@click.option(
    "--port",
    default=8001,
    type=click.IntRange(0, 65535),
    help="Port of --http; 0 takes a free one (default: 8001).",
)
@click.option(
    "--timeout",
    default=10.0,
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="How long a query may take (default: 10).",
)
def command(options: ProjectOptions, http: bool, port: int, timeout: float) -> None:
    """Offer dist/ to agents by the Model Context Protocol: search, description, evidence, queries.

    On standard input and output, as agents start it; docs/mcp.md says how to add it to one.
    """

    def serve_agents(project: Project, _: Progress) -> tuple[Finding, ...]:
        try:
            from lodpipe.serve import Settings, of_project
            from lodpipe.serve.agents.mcp_server import run_on_http, run_on_stdio
            from lodpipe.serve.run import listening_socket
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is missing; install the extra in the folder of lodpipe: pip install -e '.[mcp]'"
            ) from None
        settings = Settings(port=port, seconds=timeout, result=_RESULT, processes=2)
        if http:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the server handles it itself
            run_on_http(
                of_project(project),
                settings,
                listening_socket(settings),
                lambda address: click.echo(f"serving {address}"),
            )
        else:
            # A thread waits for input, and a handler in Python would wait for that thread.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            run_on_stdio(of_project(project), settings)
        return ()

    run_on_project(options, serve_agents)
