"""`lodpipe serve`: serves dist/ over HTTP."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.serve import Settings

_UNITS = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


@dataclass(frozen=True)
class _Limits:
    """What a request may take; sizes in bytes, times in seconds."""

    timeout: float
    memory: int
    processes: int | None
    max_result: int
    cache: int
    client_timeout: float


def _bytes(_: click.Context, parameter: click.Parameter, size: str) -> int:
    """A size such as 50MB or 1GB in bytes."""
    if size[-2:] not in _UNITS or not size[:-2].isdigit():
        raise click.BadParameter(
            f"{size}: expected a number with KB, MB or GB, such as 1GB", param=parameter
        )
    return int(size[:-2]) * _UNITS[size[-2:]]


@click.command("serve")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.option(
    "--host",
    default="127.0.0.1",
    help="Address to listen at (default: 127.0.0.1, this machine only).",
)
@click.option(
    "--port",
    default=8000,
    type=click.IntRange(0, 65535),
    help="Port to listen at; 0 takes a free one (default: 8000).",
)
@grouped(
    "limits", _Limits,
    click.option("--timeout", default=10.0, type=click.FloatRange(min=0.1), metavar="SECONDS", help="How long a query may take (default: 10)."),
    click.option("--memory", default="1GB", metavar="SIZE", callback=_bytes, help="Memory of a query beyond the data (default: 1GB)."),
    click.option("--processes", type=click.IntRange(1, 256), help="Queries at the same time (default: two for each core, at least 4)."),
    click.option("--max-result", default="50MB", metavar="SIZE", callback=_bytes, help="Largest answer (default: 50MB)."),
    click.option("--cache", default="64MB", metavar="SIZE", callback=_bytes, help="Memory for cached answers (default: 64MB; 0MB: no cache)."),
    click.option(
        "--client-timeout", default=10.0, type=click.FloatRange(min=0.1), metavar="SECONDS",
        help="How long a client may take to send a request, and to continue reading an answer (default: 10).",
    ),
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Do not log requests.")
def command(options: ProjectOptions, host: str, port: int, limits: _Limits, quiet: bool) -> None:
    """Serve dist/ with a read-only SPARQL endpoint at /sparql."""

    def serve_project(project: Project, _: Progress) -> tuple[Finding, ...]:
        try:
            from lodpipe.serve import run
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is missing; install the extra: pip install 'lodpipe[serve]'"
            ) from None
        run(
            project,
            _settings(host, port, limits),
            log=not quiet,
            on_ready=lambda address: click.echo(f"serving {address}"),
        )
        return ()

    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # the server handles it itself, and first completes the requests that it has begun
    run_on_project(options, serve_project)


def _settings(host: str, port: int, limits: _Limits) -> Settings:
    from lodpipe.serve import Settings

    optional = {"processes": limits.processes} if limits.processes else {}
    return Settings(
        host=host, port=port, seconds=limits.timeout, memory=limits.memory, result=limits.max_result, cache=limits.cache,
        slowness=limits.client_timeout, **optional,
    )  # fmt: skip
