"""`lodpipe rename`: gives a record a new key, everywhere."""

from __future__ import annotations

import itertools
import shlex
import sys
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.renaming import Mention, Renaming

_MOST_LINES = 5  # of one file
_WIDTH = 100
_TEXTS = {
    "en": {
        "done": "{record} is now {new}: {references} reference(s), {files} file(s)",
        "would": "{record} would become {new}: {references} reference(s), {files} file(s)",
        "mentions": "Not changed, because these lines may mean something else; look at them:",
        "more": "and {count} more line(s)",
        "withdraw": "A closed release has the old IRIs; list them as withdrawn (or rename with --withdraw):",
        "unknown": "A release is closed and its data are not in dist/: run lodpipe check, then lodpipe withdraw --vanished.",
    },
    "de": {
        "done": "{record} heißt jetzt {new}: {references} Verweis(e), {files} Datei(en)",
        "would": "{record} würde zu {new}: {references} Verweis(e), {files} Datei(en)",
        "mentions": "Nicht geändert, weil diese Zeilen etwas anderes meinen können; bitte ansehen:",
        "more": "und {count} weitere Zeile(n)",
        "withdraw": "Ein abgeschlossenes Release enthält die alten IRIs; sie als zurückgezogen eintragen (oder mit --withdraw umbenennen):",
        "unknown": "Ein Release ist abgeschlossen, und seine Daten fehlen in dist/: lodpipe check ausführen, dann lodpipe withdraw --vanished.",
    },
}  # fmt: skip


@click.command("rename")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("record")
@click.argument("new")
@click.option("--diff", is_flag=True, help="Show the changes only; exit with 1 if there are any.")
@click.option(
    "--withdraw",
    is_flag=True,
    help="List the IRIs that a closed release describes in source/withdrawn.yaml.",
)
def command(options: ProjectOptions, record: str, new: str, diff: bool, withdraw: bool) -> None:
    """Give a record a new key, in its file and in every reference to it; --diff shows it only.

    RECORD is a key, `table/key` or an IRI. All files are changed or none; texts and declarations that
    mention the old key are listed, not changed.
    """
    results: list[Renaming] = []

    def rename(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.renaming import renaming_of
        from lodpipe.workflow.repairs import write_repairs

        renaming = renaming_of(project, record, new, withdraw=withdraw)
        if not diff:
            write_repairs(project, list(renaming.files))
        for file in renaming.files:
            print_result(file.diff, end="")
        language = options.lang or project.publication.languages[0]
        texts = _TEXTS.get(language, _TEXTS["en"])
        click.echo(_summary(renaming, texts["would" if diff else "done"]), err=True)
        _print_mentions(renaming.mentions, texts)
        if not withdraw:
            _print_withdrawals(renaming, project, texts)
        results.append(renaming)
        return ()

    run_on_project(options, rename)
    if diff and results:
        sys.exit(1)


def _summary(renaming: Renaming, text: str) -> str:
    return text.format(
        record=renaming.record,
        new=f"{renaming.table}/{renaming.new}",
        references=renaming.references,
        files=len(renaming.files),
    )


def _print_mentions(mentions: tuple[Mention, ...], texts: dict[str, str]) -> None:
    """The lines to look at, the first ones of each file."""
    if mentions:
        click.echo(texts["mentions"], err=True)
    for _, of_file in itertools.groupby(mentions, lambda mention: mention.file):
        lines = list(of_file)
        for mention in lines[:_MOST_LINES]:
            text = mention.text if len(mention.text) <= _WIDTH else mention.text[: _WIDTH - 1] + "…"
            click.echo(f"  {mention.file}:{mention.line}: {text}", err=True)
        if (more := len(lines) - _MOST_LINES) > 0:
            click.echo(f"  {lines[0].file}: {texts['more'].format(count=more)}", err=True)


def _print_withdrawals(renaming: Renaming, project: Project, texts: dict[str, str]) -> None:
    """The commands that list the old IRIs as withdrawn."""
    from lodpipe.workflow.renaming import reasons

    if renaming.iris is None:
        click.echo(texts["unknown"], err=True)
    elif renaming.iris:
        click.echo(texts["withdraw"], err=True)
        given = reasons(project.publication.languages)
        why = " ".join(f"--reason {shlex.quote(f'{word}={text}')}" for word, text in given.items())
        for old, new in renaming.iris.items():
            words = f"{shlex.quote(old)} --replaced-by {shlex.quote(new)} {why}"
            click.echo(f"  lodpipe withdraw {words}", err=True)
