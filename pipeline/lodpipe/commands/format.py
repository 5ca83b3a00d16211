"""`lodpipe format`: puts the keys of records in order, and their files in one style."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding

_SUMMARIES = {
    "en": ("{changed} of {files} file(s) formatted", "{changed} of {files} file(s) would be formatted", "{files} file(s) are formatted"),
    "de": ("{changed} von {files} Datei(en) formatiert", "{changed} von {files} Datei(en) würden formatiert", "{files} Datei(en) sind formatiert"),
}  # fmt: skip


@click.command("format")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Name the files to format only; exit with 1 if there are any."
)
@click.option("--diff", is_flag=True, help="Show the changes only; exit with 1 if there are any.")
def command(options: ProjectOptions, files: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Put the keys of records in the declared order, and their files in one style; --diff shows it only.

    FILES are record files (default: those of all tables); others are passed over. Values and comments
    stay.
    """
    changed: list[str] = []

    def tidy(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.formatting import formatted_files, unformatted_files
        from lodpipe.workflow.repairs import write_repairs

        if check and not diff:
            state = unformatted_files(project, files)
            changed.extend(state.names)
            count, findings, lines = state.count, state.findings, [f"{name}\n" for name in changed]
        else:
            formatting = formatted_files(project, files)
            changed.extend(file.name for file in formatting.files)
            count, findings = formatting.count, formatting.findings
            lines = [file.diff if diff else f"{file.name}\n" for file in formatting.files]
            if not diff:
                write_repairs(project, [*formatting.files])
        print_result("".join(lines), end="")
        language = options.lang or project.publication.languages[0]
        done, would, nothing = _SUMMARIES.get(language, _SUMMARIES["en"])
        summary = (would if check or diff else done) if changed else nothing
        click.echo(summary.format(changed=len(changed), files=count), err=True)
        return (*findings,)

    run_on_project(options, tidy)
    if (check or diff) and changed:
        sys.exit(1)
