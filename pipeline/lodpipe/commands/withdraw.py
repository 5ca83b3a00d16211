"""`lodpipe withdraw`: lists IRIs in source/withdrawn.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding

_IN_LANGUAGE = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class _Withdrawal:
    """The options that describe the withdrawal."""

    vanished: bool
    replaced_by: tuple[str, ...]
    reason: tuple[str, ...]
    event: str | None
    date: str | None


@click.command("withdraw")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.argument("iri", nargs=-1)
@grouped(
    "withdrawal", _Withdrawal,
    click.option("--vanished", is_flag=True, help="All IRIs that the last release described and that are no longer described (LP544)."),
    click.option("--replaced-by", multiple=True, metavar="IRI", help="What took their place; repeat it for a split."),
    click.option(
        "--reason", multiple=True, required=True, metavar="TEXT",
        help="Why, in the first language of the publication, or LANGUAGE=TEXT, such as en=Merged.; repeatable.",
    ),
    click.option("--event", metavar="IRI", help="IRI of the event of a merger or split; it becomes an org:ChangeEvent."),
    click.option("--date", metavar="DATE", help="Since when (default: the date of the release in publication.yaml)."),
)  # fmt: skip
def command(options: ProjectOptions, iri: tuple[str, ...], withdrawal: _Withdrawal) -> None:
    """List IRIs as no longer described, with reason and successors.

    They are absolute, short (prefix:name) or relative to the base; source/withdrawn.yaml gets an
    entry at its end.
    """

    if not iri and not withdrawal.vanished:
        raise click.UsageError("Name an IRI, or give --vanished.")

    def append(project: Project, _: Progress) -> tuple[Finding, ...]:
        iris = [*iri, *(_vanished(project) if withdrawal.vanished else ())]
        if iris:
            _append(project, iris, withdrawal)
        return ()

    run_on_project(options, append)


def _vanished(project: Project) -> list[str]:
    """The IRIs that a check reports as vanished. Raises its findings where there are other errors."""
    from lodpipe.diagnostics.finding import InvalidData, Severity
    from lodpipe.workflow.pipeline import checked

    try:
        with checked(project):
            return []
    except InvalidData as error:
        errors = [item for item in error.findings if item.severity is Severity.ERROR]
        if any(item.code != "LP544" for item in errors):
            raise
        every = [part for item in errors for part in (item, *item.consequences)]
        return [item.params["local"] for item in every if item.code == "LP544"]


def _append(project: Project, iris: Sequence[str], withdrawal: _Withdrawal) -> None:
    """Appends the entry and prints it."""
    from lodpipe.config.vocabulary import read_vocabulary
    from lodpipe.documents.readers import read_text
    from lodpipe.releases.tombstones import FILE
    from lodpipe.releases.withdrawal_entry import Entry, addition, published_label
    from lodpipe.runtime.atomic import exclusive
    from lodpipe.runtime.machine import whole_file

    publication = project.publication
    first = publication.languages[0]
    entry = Entry(
        iris, withdrawal.replaced_by, withdrawal.date or publication.date, _texts(withdrawal.reason, first), withdrawal.event,
    ).relative(read_vocabulary(project.root, publication.base).namespaces)  # fmt: skip
    if len(entry.ids) == 1:
        published = project.dist / f"{publication.name}.nq"
        iri = publication.base + entry.ids[0]
        entry = entry.called(published_label(published, iri, publication.languages))
    path = project.root / FILE
    with exclusive(project.root):
        text = read_text(path, FILE) if path.is_file() else ""
        added = addition(text, entry, publication.base)
        before = path.read_bytes() if path.is_file() else b""
        with whole_file(path) as part:
            part.write_bytes(before + added.encode("utf-8"))
    print_result(f"{FILE}, appended:\n{added}", end="")


def _texts(given: Sequence[str], first: str) -> dict[str, str]:
    """The reasons by language."""
    texts: dict[str, str] = {}
    for reason in given:
        match = _IN_LANGUAGE.fullmatch(reason)
        language, text = (match[1], match[2]) if match else (first, reason)
        if language in texts:
            raise click.BadParameter(f"two texts in `{language}`", param_hint="--reason")
        texts[language] = text
    return texts
