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
QUIET = click.option(
    "-q", "--quiet", is_flag=True,
    help="Print errors only, and nothing if there are none.",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
ALL = click.option(
    "--all", "list_all", is_flag=True,
    help="List every finding, also where a rule has many (default: the first ten of each such rule).",
)  # fmt: skip
STATISTICS = click.option(
    "--statistics", is_flag=True, help="Print how many findings each rule has, instead of them."
)


def complete_rule(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Codes and names of rules for the completion of a shell."""
    from lodpipe.diagnostics.rules import RULES

    words = [*RULES, *(rule.name for rule in RULES.values())]
    return [word for word in words if word.startswith(incomplete)]


SELECT = click.option(
    "--select", multiple=True, metavar="RULES", shell_complete=complete_rule,
    help="Report these rules only: LP206, LP2, reference.missing-record, reference; with commas, repeatable.",
)  # fmt: skip
IGNORE = click.option(
    "--ignore", multiple=True, metavar="RULES", shell_complete=complete_rule,
    help="Do not report these rules; as --select."
)  # fmt: skip
VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Print each step and its time, and what follows from each finding.",
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
    """In which formats findings are printed and written to files, how they are listed, and which of
    them fail.
    """

    formats: tuple[str, ...]
    reports: tuple[str, ...]
    fail_on: str
    no_color: bool
    quiet: bool = False
    as_json: bool = False
    list_all: bool = False
    statistics: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def output(self, files: tuple[str, ...] | None = None) -> ReportOutput:
        """Where the findings go; `files` are those to report on, relative to the project. Raises
        click.BadParameter for a report file without a known format, and for an unknown rule.
        """
        from lodpipe.diagnostics.finding import Severity
        from lodpipe.reporters import ReportOutput, Selection, parse_target

        targets = []
        for target in self.reports:
            try:
                name, file = parse_target(target)
            except ValueError:
                raise click.BadParameter(
                    f"{target}: unknown format; name it, as in sarif:{target}",
                    param_hint="--report",
                ) from None
            targets.append((name, Path(file)))
        select = _rules("--select", self.select) if self.select else None
        formats = (*self.formats, "json") if self.as_json else self.formats
        return ReportOutput(
            tuple(dict.fromkeys(formats)) or ("text",),
            tuple(targets),
            None if self.fail_on == "never" else Severity[self.fail_on.upper()],
            False if self.no_color else None,
            Selection(select, _rules("--ignore", self.ignore), files, self.quiet),
            "statistics" if self.statistics else "all" if self.list_all else "grouped",
            self.quiet,
        )


def _rules(option: str, words: tuple[str, ...]) -> frozenset[str]:
    """The codes of the rules that an option names. Raises click.BadParameter."""
    from lodpipe.diagnostics.rule_selection import UnknownRule, all_codes_of

    try:
        return all_codes_of(words)
    except UnknownRule as error:
        raise click.BadParameter(str(error), param_hint=option) from None


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


report_options = grouped(
    "report", ReportOptions, FORMAT, JSON, REPORT, FAIL_ON, ALL, STATISTICS, QUIET, NO_COLOR
)
check_options = grouped(
    "report", ReportOptions,
    FORMAT, JSON, REPORT, FAIL_ON, SELECT, IGNORE, ALL, STATISTICS, QUIET, NO_COLOR,
)  # fmt: skip
