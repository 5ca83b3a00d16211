"""`lodpipe map`: runs a mapping without a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, ON, REPORT, VERBOSE, ReportOptions, grouped
from lodpipe.commands.session import errors_reported, progress_printer

if TYPE_CHECKING:
    from lodpipe.workflow.target_files import Written


@dataclass(frozen=True)
class _Options:
    base: str
    database: str | None
    unsorted: bool
    memory: str
    on_invalid_value: str
    functions: tuple[Path, ...]
    roots: tuple[Path, ...]
    empty: str | None
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
    click.option(
        "--functions", metavar="FILE", type=click.Path(path_type=Path), multiple=True,
        help="Functions of your own: SQL in a YAML file, or a Python file, which is run (repeatable).",
    ),
    click.option(
        "--root", "roots", multiple=True, metavar="FOLDER",
        type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
        help="Folder in which the mapping may name files by absolute paths; can be repeated.",
    ),
    click.option(
        "--empty", type=click.Choice(["value", "null"]),
        help="What an empty CSV cell or XML element is where the mapping declares no nulls: a text, or no value.",
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

    Its sources are relative to it. What logical targets get is printed. With --verbose, also the number of statements of each rule is
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
            functions=options.functions,
            roots=options.roots,
            empty=options.empty,
        )
        findings = map_file(mapping, out, run, on_progress=on_progress, on_written=_print_written)
        written = report if findings else replace(report, formats=())
        written.emit(findings, mapping.parent, language, 0)


def _print_written(written: Written) -> None:
    """One of the files that the targets of a mapping name, on standard error: standard output may
    be one of them.
    """
    plural = "" if written.statements == 1 else "s"
    click.echo(f"{written.name}: {written.statements:,} statement{plural}", err=True)
