"""`lodpipe map`: runs a mapping without a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from lodpipe.commands.options import LANGUAGE, ON, REPORT, VERBOSE, ReportOptions, grouped
from lodpipe.commands.session import errors_reported, progress_printer


@dataclass(frozen=True)
class _Options:
    base: str
    database: str | None
    unsorted: bool
    memory: str
    on_invalid_value: str
    on: str | None
    reports: tuple[str, ...]


@click.command("map")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    help="Output; its suffix decides: nq, nt, ttl, trig (default: N-Quads to stdout). A folder, with a slash at its end, gets parts (--on).",
)
@grouped(
    "options", _Options,
    click.option("--base", default="http://example.com/base/", show_default=True, help="Base IRI of a mapping that has none."),
    click.option("--database", metavar="URL", help="Database of a mapping that names none: sqlite:///FILE or postgresql://USER@HOST/NAME."),
    click.option("--no-sort", "unsorted", is_flag=True, help="Write statements in any order; still without duplicates."),
    click.option("--memory", default="1GB", show_default=True, help="Limit on memory; beyond it data is spilled to disk."),
    click.option(
        "--on-invalid-value", type=click.Choice(["error", "warn", "skip"]), default="error",
        help="What to do with values that make no valid term (default: error).",
    ),
    ON,
    REPORT,
)  # fmt: skip
@LANGUAGE
@VERBOSE
def command(
    mapping: Path, out: str | None, options: _Options, lang: str | None, verbose: bool
) -> None:
    """Run an RML, R2RML or YARRRML file without a project.

    Its sources are relative to it. With --verbose, also the number of statements of each rule is
    printed.
    """
    language = lang or "en"
    on_progress = progress_printer(verbose)
    report = ReportOptions((), options.reports, "error", no_color=False).output()
    with errors_reported(mapping.parent, lambda: language, report):
        from lodpipe.workflow.mapping_run import MappingOptions, map_file

        run = MappingOptions(
            options.base,
            options.database,
            not options.unsorted,
            options.memory,
            options.on_invalid_value,
            counts=verbose,
            on=options.on,
        )
        findings = map_file(mapping, out, run, on_progress=on_progress)
        written = report if findings else replace(report, formats=())
        written.emit(findings, mapping.parent, language, 0)
