"""`lodpipe query`: runs a query over dist/ or at an endpoint."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import errors_reported, language_of, print_result


@dataclass(frozen=True)
class _Request:
    """Which query is run where, with which parameters, and in which format its result is printed."""

    name: str | None
    params: tuple[str, ...]
    style: str | None
    endpoint: str | None
    timeout: float | None

    def values(self) -> dict[str, str]:
        """The parameters by name. Raises click.BadParameter where one has no value."""
        if wrong := [param for param in self.params if "=" not in param]:
            raise click.BadParameter(f"{wrong[0]}: expected NAME=VALUE", param_hint="--param")
        return dict(param.split("=", 1) for param in self.params)


@click.command("query")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@grouped(
    "request", _Request,
    click.argument("name", required=False, metavar="[NAME|FILE|-]"),
    click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable."),
    click.option(
        "--format", "style", type=click.Choice(["table", "csv", "json", "ttl", "markdown"]),
        help="Output format (default: table for rows, ttl for triples).",
    ),
    click.option("--endpoint", metavar="URL", help="SPARQL endpoint to query instead of the dump in dist/."),
    click.option(
        "--timeout", type=click.FloatRange(min=0.1), metavar="SECONDS",
        help="How long a query over dist/ may run (default: `limits: query` in publication.yaml, 60).",
    ),
)  # fmt: skip
@click.option(
    "--update",
    is_flag=True,
    help="Write all stored results in queries/results/ again, from the records.",
)
def command(options: ProjectOptions, request: _Request, update: bool) -> None:
    """Run a query of queries/, a file, or standard input (-); without an argument, list the
    queries.
    """
    if request.endpoint and not request.endpoint.startswith(("http://", "https://")):
        raise click.BadParameter(
            "the address of an endpoint begins with http:// or https://", param_hint="--endpoint"
        )
    values = request.values()
    with errors_reported(options.root, lambda: options.lang or language_of(options.root)):
        if update:
            _update_results(options.root)
        else:
            print_result(_answer(options, request, values), end="")


def _update_results(root: Path) -> None:
    from lodpipe.config.publication import Project
    from lodpipe.queries.confined import Limits
    from lodpipe.queries.samples import update
    from lodpipe.workflow.pipeline import checked

    with checked(Project.open(root), queries=False) as outcome:
        limits = Limits(outcome.project.publication.limits.query)
        for name in update(
            outcome.declarations.queries, outcome.statements, outcome.project.root, limits
        ):
            print_result(name)


def _answer(options: ProjectOptions, request: _Request, values: dict[str, str]) -> str:
    """The result as a text; without a query, the list of queries. The user's own query at an
    endpoint needs no project.
    """
    from lodpipe.config.publication import Project
    from lodpipe.queries.client import (
        answer_locally,
        answer_remotely,
        find_query,
        listing,
        rendered,
    )
    from lodpipe.reporters import write_text

    without_project = request.endpoint and not (options.root / "publication.yaml").is_file()
    project = None if without_project else Project.open(options.root)
    if request.name is None:
        return listing(project, options.lang or project.publication.languages[0]) if project else ""
    query = find_query(request.name, project)
    if project and not request.endpoint:
        answer, warnings = answer_locally(
            query, values, project, request.timeout or project.publication.limits.query
        )
        if warnings:
            write_text(
                warnings, options.root, sys.stderr, options.lang or project.publication.languages[0]
            )
    else:
        answer = answer_remotely(query, values, request.endpoint or "")
    style = request.style or ("table" if answer.form in ("select", "ask") else "ttl")
    try:
        return rendered(answer, style, query.text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--format") from None
