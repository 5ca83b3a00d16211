"""The command line `lodpipe` and the table of its commands.

A new command is a module of this package, with a click command called `command`, and a row of
COMMANDS.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast

import click

from lodpipe.commands.options import RENAMED
from lodpipe.commands.process import run_supervised, run_unsupervised


class Entry(NamedTuple):
    """A command: its module, imported when it is called; its line in `lodpipe --help`; and whether
    it handles signals itself.

    `handles_signals` is True, or the option with which the command does so. All others run in a
    supervised process.
    """

    module: str
    summary: str
    handles_signals: bool | str = False


COMMANDS = {
    "init": Entry(
        "init", "Propose a publication for data at hand: tables, mapping, terms, shapes, queries."
    ),
    "build": Entry(
        "build",
        "Read, map and validate a publication, and write dist/ completely or not at all.",
        "--watch",
    ),
    "check": Entry(
        "check",
        "Read, map and validate a publication without writing; warn if dist/ is outdated.",
        "--watch",
    ),
    "fix": Entry(
        "fix",
        "Repair what needs no decision in the records, such as stray spaces; --diff shows it only.",
    ),
    "new": Entry(
        "new",
        "Write a new record of a table: ask for its fields, check each answer, put it in its file.",
    ),
    "rename": Entry(
        "rename",
        "Give a record a new key, in its file and in every reference to it; --diff shows it only.",
    ),
    "format": Entry(
        "format",
        "Put the keys of records in the declared order, and their files in one style; --diff shows it only.",
    ),
    "sheet": Entry(
        "sheet",
        "Write records into a workbook for spreadsheet programs, or its changes into the records.",
    ),
    "map": Entry("map", "Run an RML, R2RML or YARRRML file without a project."),
    "mapping": Entry("convert_mapping", "Write an RML, R2RML or YARRRML file in another notation."),
    "validate": Entry("validate", "Validate RDF files with SHACL, without a project."),
    "diff": Entry("diff", "Show what differs between two versions: by resource, or by statement."),
    "release": Entry(
        "release", "Close a release: write its notes, its entry in releases/, its files, and dist/."
    ),
    "restore": Entry(
        "restore",
        "Fetch the folders of closed releases that dist/ lacks, and compare them with the ledger.",
    ),
    "query": Entry(
        "query",
        "Run a query of queries/, a file, or standard input (-); without an argument, list the queries.",
    ),
    "catalogue": Entry(
        "catalogue",
        "Show the metadata quality score of data.europa.eu for dist/catalog.ttl, and what would raise it.",
    ),
    "preview": Entry(
        "draw_preview",
        "Draw the picture that is shown where a page is shared, from the data, as PNG.",
    ),
    "explain": Entry(
        "explain",
        "Explain a rule by its code or name (LP206) with examples, or show where a resource comes from (its IRI, full or relative).",
    ),
    "help": Entry(
        "help",
        "Show a page of the documentation (help tutorial), a command, a rule, or where WORDS occur.",
    ),
    "withdraw": Entry("withdraw", "List IRIs as no longer described, with reason and successors."),
    "link": Entry(
        "link",
        "Propose matches of records with a register into a review file, or write accepted ones into the records.",
    ),
    "coverage": Entry(
        "coverage",
        "Report which expected fields of the records are known, unknown, contradictory or rest on the editors alone.",
    ),
    "completion": Entry(
        "completion",
        "Print the script with which bash, zsh or fish completes commands, options and rules.",
    ),
    "schema": Entry("json_schema", "Print the JSON Schema of publication.yaml, for editors."),
    "serve": Entry("serve", "Serve dist/ with a read-only SPARQL endpoint at /sparql.", True),
    "mcp": Entry(
        "mcp",
        "Offer dist/ to agents by the Model Context Protocol: search, description, evidence, queries.",
        True,
    ),
}


class LazyGroup(click.Group):
    """The commands of the table; `lodpipe --help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from its module."""
        if cmd_name not in COMMANDS:
            return None
        return cast(
            click.Command, import_module(f"lodpipe.commands.{COMMANDS[cmd_name].module}").command
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument; a misspelt one is an error with a suggestion."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from lodpipe.diagnostics.suggestions import nearest

            near = nearest(name, COMMANDS)
            ctx.fail(f"No such command '{name}'." + (f" Did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Calls the command; an option of an earlier version is answered with its name of today."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if new := RENAMED.get(error.option_name):
                raise click.UsageError(
                    f"{error.option_name} is now called {new}", error.ctx
                ) from None
            raise


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(package_name="lodpipe", prog_name="lodpipe")
@click.pass_context
def main(context: click.Context) -> None:
    """Publish source records that people edit as validated linked open data. Without a command, say
    what to do next in this folder.

    Exit codes: 0 conforms; 1 data does not conform; 2 wrong usage or declaration, or a lack of disk
    space, permissions or memory; 3 internal error; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP;
    137 killed by the system; 141 output closed by its reader.
    """
    if context.invoked_subcommand is None:
        from lodpipe.commands.next_step import next_steps

        for line in next_steps(Path(), COMMANDS):
            click.echo(line)
        click.echo("All commands: lodpipe --help")


def run() -> None:
    """The program `lodpipe`."""
    (run_unsupervised if _handles_signals(sys.argv[1:]) else run_supervised)(_call)


def _call() -> None:
    code = main(standalone_mode=False, prog_name="lodpipe")
    if isinstance(code, int) and code:
        sys.exit(code)


def _handles_signals(arguments: Sequence[str]) -> bool:
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    entry = COMMANDS.get(name)
    return entry is not None and (
        entry.handles_signals is True or entry.handles_signals in arguments
    )


if __name__ == "__main__":
    run()
