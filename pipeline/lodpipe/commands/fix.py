"""`lodpipe fix`: repairs what is wrong in the records and needs no decision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.repairs import RepairedFile

_SUMMARIES = {
    "en": ("{values} value(s) in {files} file(s) repaired", "{values} value(s) in {files} file(s) would be repaired", "nothing to repair"),
    "de": ("{values} Wert(e) in {files} Datei(en) berichtigt", "{values} Wert(e) in {files} Datei(en) würden berichtigt", "nichts zu berichtigen"),
}  # fmt: skip


@click.command("fix")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.option("--diff", is_flag=True, help="Show the changes only; exit with 1 if there are any.")
def command(options: ProjectOptions, diff: bool) -> None:
    """Repair what needs no decision in the records, such as stray spaces; --diff shows it only.

    Repaired are spaces, invisible and decomposed characters, encodings of addresses, truth values,
    and leading zeros that another key proves.
    """
    files: list[RepairedFile] = []

    def repair(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.repairs import repaired_files, write_repairs

        files.extend(repaired_files(project))
        if not diff:
            write_repairs(project, files)
        for file in files:
            print_result(file.diff, end="")
        language = options.lang or project.publication.languages[0]
        done, would, nothing = _SUMMARIES.get(language, _SUMMARIES["en"])
        summary = (would if diff else done) if files else nothing
        values = sum(file.count for file in files)
        click.echo(summary.format(values=values, files=len(files)), err=True)
        return ()

    run_on_project(options, repair)
    if diff and files:
        sys.exit(1)
