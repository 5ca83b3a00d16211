"""`lodpipe serve`: serves dist/ over HTTP."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, errors_reported, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.serve import Settings, Source

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
    client_cpu: float
    store: Path | None


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
    click.option(
        "--client-cpu", default=30.0, type=click.FloatRange(min=0.1), metavar="SECONDS",
        help="Processor time of a client in a minute, after which others go first (default: 30).",
    ),
    click.option(
        "--store", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
        help="Folder for the store of large data (default: in the user's cache).",
    ),
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Do not log requests.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def command(
    options: ProjectOptions,
    host: str,
    port: int,
    limits: _Limits,
    quiet: bool,
    file: Path | None,
) -> None:
    """Serve dist/ with a read-only SPARQL endpoint at /sparql.

    With FILE, serve that file alone and without a project: .nq, .nt, .ttl, .trig, .rdf, .jsonld, also with .gz, or a .parquet of statements.
    """
    # Once it runs, the server handles the signal itself, and first completes the requests that it
    # has begun; until then there are none.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if file:
        with errors_reported(file.parent, lambda: options.lang or "en"):
            _serve(lambda serve: serve.of_file(file), _settings(host, port, limits), limits, quiet)
        return

    def serve_project(project: Project, _: Progress) -> tuple[Finding, ...]:
        settings = _settings(host, port, limits)
        _serve(lambda serve: serve.of_project(project), settings, limits, quiet)
        return ()

    run_on_project(options, serve_project)


def _serve(
    source_in: Callable[[ModuleType], Source], settings: Settings, limits: _Limits, quiet: bool
) -> None:
    """Serves a source until the process is asked to end."""
    from lodpipe import serve

    source = source_in(serve)
    if limits.store:
        source = source.with_stores_in(limits.store.absolute())
    serve.run(
        source,
        settings,
        log=not quiet,
        on_ready=lambda address: click.echo(f"serving {address}"),
    )


def _settings(host: str, port: int, limits: _Limits) -> Settings:
    try:
        from lodpipe.serve import Settings
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is missing; install the extra in the folder of lodpipe: pip install -e '.[serve]'"
        ) from None
    optional = {"processes": limits.processes} if limits.processes else {}
    return Settings(
        host=host, port=port, seconds=limits.timeout, memory=limits.memory, result=limits.max_result, cache=limits.cache,
        slowness=limits.client_timeout, client_seconds=limits.client_cpu, **optional,
    )  # fmt: skip
