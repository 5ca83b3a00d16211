"""`lodpipe validate`: validates RDF files with SHACL, without a project."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from lodpipe.commands.options import LANGUAGE, VERBOSE, grouped
from lodpipe.commands.session import errors_reported, print_result, progress_printer


@dataclass(frozen=True)
class _Options:
    base: str
    engine: str
    ignored_terms: tuple[str, ...]
    memory: str
    master: str


@dataclass(frozen=True)
class _Files:
    data: tuple[Path, ...]
    shapes: tuple[Path, ...]
    report: Path | None
    since: tuple[Path, ...]


@click.command("validate")
@grouped(
    "files",
    _Files,
    click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option(
        "--shapes",
        multiple=True,
        required=True,
        type=click.Path(path_type=Path),
        help="Shapes graph; repeatable.",
    ),
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write the validation report as RDF: x.ttl, x.nt.",
    ),
    click.option(
        "--since",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="OLD",
        help="Earlier version of the data: validate only what has changed since; repeatable.",
    ),
)
@grouped(
    "options", _Options,
    click.option("--base", default="", metavar="IRI", help="Base IRI of the data and the shapes (default: the address of each file)."),
    click.option("--engine", type=click.Choice(["columns", "pyshacl"]), default="columns", show_default=True, help="SHACL engine."),
    click.option(
        "--ignore-term", "ignored_terms", multiple=True, metavar="TERM",
        help="Ignore a SHACL term that is unknown or not supported, such as sh:rule; repeatable.",
    ),
    click.option("--memory", default="1GB", show_default=True, help="Limit on memory of the engine columns; beyond it data is spilled to disk."),
    click.option("--on", "master", default="", metavar="MASTER", help="Validate on Apache Spark: local[2], spark://HOST:PORT, yarn."),
)  # fmt: skip
@LANGUAGE
@VERBOSE
def command(files: _Files, options: _Options, lang: str | None, verbose: bool) -> None:
    """Validate RDF files with SHACL, without a project."""
    language = lang or "en"
    on_progress = progress_printer(verbose)
    with errors_reported(Path(), lambda: language):
        from lodpipe.diagnostics.finding import Severity
        from lodpipe.reporters import summary, write_text
        from lodpipe.workflow.validation_run import ValidationOptions, validate_files

        validation = ValidationOptions(
            options.engine, options.base, _terms(options), options.memory, options.master
        )
        findings = validate_files(
            files.data,
            files.shapes,
            validation,
            report=files.report,
            since=files.since,
            on_progress=on_progress,
        )
    if not findings:
        print_result(summary(findings, language))
        return
    write_text(findings, Path(), sys.stderr, language)
    if any(finding.severity is Severity.ERROR for finding in findings):
        sys.exit(1)


def _terms(options: _Options) -> frozenset[str]:
    """The local names of the terms to ignore. Raises click.BadParameter for those that cannot be,
    and for a relative base IRI.
    """
    from lodpipe.shacl.supported import allowable

    terms, refused = allowable(options.ignored_terms)
    if refused:
        raise click.BadParameter(f"{refused[0]} cannot be ignored", param_hint="--ignore-term")
    if options.base and ":" not in options.base:
        raise click.BadParameter(f"{options.base}: expected an absolute IRI", param_hint="--base")
    return terms
