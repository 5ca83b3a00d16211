"""`lodpipe sheet`: records in a workbook, and back into their files."""

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
    from lodpipe.workflow.repairs import RepairedFile

SUFFIXES = (".xlsx", ".ods")
_TEXTS = {
    "en": {
        "exported": "{rows} row(s) in {file}",
        "done": "{cells} cell(s) changed, {added} row(s) added, {removed} removed; {files} file(s) written",
        "would": "{cells} cell(s) would be changed, {added} row(s) added, {removed} removed, in {files} file(s)",
        "none": "the workbook changes nothing",
    },
    "de": {
        "exported": "{rows} Zeile(n) in {file}",
        "done": "{cells} Zelle(n) geändert, {added} Zeile(n) neu, {removed} entfernt; {files} Datei(en) geschrieben",
        "would": "{cells} Zelle(n) würden geändert, {added} Zeile(n) neu, {removed} entfernt, in {files} Datei(en)",
        "none": "die Arbeitsmappe ändert nichts",
    },
}  # fmt: skip


@click.group("sheet")
def command() -> None:
    """Write records into a workbook for spreadsheet programs, or its changes into the records."""


@command.command("export")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
def export(options: ProjectOptions, file: Path, tables: tuple[str, ...]) -> None:
    """Write tables into FILE, a new .xlsx or .ods; without TABLE all of them."""
    _check_suffix(file)

    def work(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.diagnostics.suggestions import did_you_mean
        from lodpipe.workflow.sheets.exchange import export_workbook, table_names
        from lodpipe.workflow.sheets.workbook import MissingExtra

        declared = table_names(project)
        for name in tables:
            if name not in declared:
                raise click.UsageError(f"There is no table `{name}`{did_you_mean(name, declared)}")
        language = _language(options, project)
        try:
            rows = export_workbook(project, file, tables, language)
        except MissingExtra:
            raise click.UsageError(_MISSING) from None
        click.echo(_TEXTS[language]["exported"].format(rows=rows, file=file), err=True)
        return ()

    run_on_project(options, work)


@command.command("import")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--delete", is_flag=True, help="Remove the records and items whose rows are gone.")
@click.option("--diff", is_flag=True, help="Show the changes only; exit with 1 if there are any.")
def import_(options: ProjectOptions, file: Path, delete: bool, diff: bool) -> None:
    """Write what was changed in FILE, which `sheet export` wrote, into the records.

    A cell that was changed in the workbook and in the records is a conflict, and nothing is written.
    """
    _check_suffix(file)
    changed: list[RepairedFile] = []

    def work(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.repairs import write_repairs
        from lodpipe.workflow.sheets.exchange import import_workbook
        from lodpipe.workflow.sheets.workbook import MissingExtra

        try:
            imported = import_workbook(project, file, delete=delete)
        except MissingExtra:
            raise click.UsageError(_MISSING) from None
        changed.extend(imported.files)
        if not diff:
            write_repairs(project, changed)
        for repaired in changed:
            print_result(repaired.diff, end="")
        kind = ("would" if diff else "done") if changed else "none"
        text = _TEXTS[_language(options, project)][kind]
        counts = {"cells": imported.cells, "added": imported.added, "removed": imported.removed}
        click.echo(text.format(**counts, files=len(changed)), err=True)
        return (*imported.findings,)

    run_on_project(options, work)
    if diff and changed:
        sys.exit(1)


_MISSING = "openpyxl or odfdo is missing; install the extra in the folder of lodpipe: pip install -e '.[sheet]'"


def _language(options: ProjectOptions, project: Project) -> str:
    language = options.lang or project.publication.languages[0]
    return language if language in _TEXTS else "en"


def _check_suffix(file: Path) -> None:
    if file.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{file}: a workbook is .xlsx or .ods", param_hint="FILE")
