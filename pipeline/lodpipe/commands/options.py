"""Options that several commands share, and the groups in which a command gets their values."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lodpipe.reporters import ReportOutput

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

PROJECT = click.option(
    "--project",
    "root",
    default=".",
    type=click.Path(path_type=Path),
    help="Folder of the publication (default: this one).",
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(["columns", "pyshacl"]),
    help="SHACL engine (default: `shacl_engine` in publication.yaml, else columns).",
)
ON = click.option(
    "--on",
    metavar="MASTER",
    help="Run the mapping on Apache Spark: local[2], spark://HOST:PORT, yarn, k8s://… (docs/spark.md).",
)
LANGUAGE = click.option(
    "--lang",
    type=click.Choice(["de", "en"]),
    help="Language of the findings (default: the first one of the publication).",
)


class ReportFormatName(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions
    """A name of the table of report formats, which is imported when an option is read or explained."""

    name = "format"

    @property
    def names(self) -> list[str]:
        """All names, in the order of the table."""
        from lodpipe.reporters import REPORT_FORMATS

        return [report_format.name for report_format in REPORT_FORMATS]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What `--help` shows."""
        return f"[{'|'.join(self.names)}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name. Fails for one that is not in the table."""
        if value not in self.names:
            self.fail(f"{value!r} is not one of {', '.join(map(repr, self.names))}.", param, ctx)
        return value


FORMAT = click.option(
    "--format",
    "formats",
    multiple=True,
    type=ReportFormatName(),
    help="Output format of findings (default: text); repeatable. All but text go to standard output.",
)
REPORT = click.option(
    "--report", "reports", multiple=True, metavar="FILE",
    help="Write the findings to a file, too: x.sarif, x.xml (JUnit), x.json, x.md, x.txt, x.ttl (RER), or FORMAT:FILE; repeatable.",
)  # fmt: skip
FAIL_ON = click.option(
    "--fail-on", type=click.Choice(["info", "warning", "error", "never"]), default="error",
    help="Lowest severity that fails (default: error). `never`: findings in the data pass, wrong declarations still exit with 2.",
)  # fmt: skip
NO_COLOR = click.option(
    "--no-color",
    is_flag=True,
    help="No colours; they are also off with the variable NO_COLOR and in a pipe.",
)


def _without_cache(_: click.Context, __: click.Parameter, value: bool) -> bool:
    """Has every file read again, in this process and those that it starts."""
    if value:
        os.environ["LODPIPE_CACHE"] = "off"
    return value


NO_CACHE = click.option(
    "--no-cache",
    is_flag=True,
    expose_value=False,
    callback=_without_cache,
    help="Read all record files again; large tables are otherwise kept in ~/.cache/lodpipe.",
)
VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Print each step and its time.")

# Options of earlier versions and their names of today; an old one is a usage error that names the
# new one.
RENAMED = {
    "--allow": "--ignore-term",
    "--allow-shrink": "--allow-loss",
    "--bad-values": "--on-invalid-value",
    "--client-seconds": "--client-timeout",
    "--result": "--max-result",
    "--seconds": "--timeout",
}


@dataclass(frozen=True)
class ProjectOptions:
    """The folder of the publication, and how a command runs on it."""

    root: Path
    lang: str | None = None
    engine: str | None = None
    verbose: bool = False
    on: str | None = None


@dataclass(frozen=True)
class ReportOptions:
    """In which formats findings are printed and written to files, and which of them fail."""

    formats: tuple[str, ...]
    reports: tuple[str, ...]
    fail_on: str
    no_color: bool

    def output(self) -> ReportOutput:
        """Where the findings go. Raises click.BadParameter for a report file without a known
        format.
        """
        from lodpipe.diagnostics.finding import Severity
        from lodpipe.reporters import ReportOutput, parse_target

        files = []
        for target in self.reports:
            try:
                name, file = parse_target(target)
            except ValueError:
                raise click.BadParameter(
                    f"{target}: unknown format; name it, as in sarif:{target}",
                    param_hint="--report",
                ) from None
            files.append((name, Path(file)))
        lowest = None if self.fail_on == "never" else Severity[self.fail_on.upper()]
        return ReportOutput(
            self.formats or ("text",), tuple(files), lowest, False if self.no_color else None
        )


def grouped(argument: str, kind: type[Any], *options: Decorator) -> Decorator:
    """Adds options to a command, which gets their values as one argument: a `kind`, a dataclass
    with a field for each option.
    """
    names = [field.name for field in fields(kind)]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_group(**values: Any) -> None:
            group = kind(**{name: values.pop(name) for name in names if name in values})
            command(**values, **{argument: group})

        decorated: Callable[..., None] = with_group
        for option in reversed(options):  # as decorators are applied: the last one first
            decorated = option(decorated)
        return decorated

    return decorate


report_options = grouped("report", ReportOptions, FORMAT, REPORT, FAIL_ON, NO_COLOR)
