"""`lodpipe link`: matches records with the entries of a register, by way of a review file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, VERBOSE, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.linking.accepting import Accepted
    from lodpipe.workflow.linking.proposing import LinkResult

_FILE = click.Path(path_type=Path)
_TEXTS = {
    "columns": {"en": "columns of the register", "de": "Spalten des Verzeichnisses"},
    "unused": {"en": "not used", "de": "nicht verwendet"},
    "records": {
        "en": "{records} records: {linked} have the identifiers, {matched} have candidates, {rest} have none",
        "de": "{records} Datensätze: {linked} haben die Kennungen, {matched} haben Vorschläge, {rest} keine",
    },
    "candidates": {
        "en": "{file}: {count} candidates, {yes} accepted, {no} rejected, {open} undecided",
        "de": "{file}: {count} Vorschläge, {yes} angenommen, {no} abgelehnt, {open} offen",
    },
    "written": {
        "en": "{yes} accepted, {no} rejected, {open} undecided; {count} records completed",
        "de": "{yes} angenommen, {no} abgelehnt, {open} offen; {count} Datensätze ergänzt",
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Options:
    """What to match with, or which review to accept."""

    against: Path | None
    accept: Path | None
    table: str | None
    column: tuple[str, ...]
    document: tuple[str, ...]
    threshold: int
    encoding: str
    out: Path | None


@click.command("link")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE, VERBOSE)
@grouped(
    "link", _Options,
    click.option("--against", type=_FILE, metavar="FILE", help="The register: CSV, JSON, JSON Lines or Parquet."),
    click.option("--accept", type=_FILE, metavar="REVIEW", help="Write the accepted candidates of a review file into the records."),
    click.option("--table", metavar="NAME", help="The table, where `links` in publication.yaml declares several."),
    click.option(
        "--column", multiple=True, metavar="ROLE=COLUMN",
        help="A column of the register: name, other, place, country, website, latitude, longitude or an identifier; repeatable. ROLE= uses none.",
    ),
    click.option(
        "--document", multiple=True, metavar="[FIELD=]ID",
        help="The document that proves the identifiers, or one of them; repeatable.",
    ),
    click.option("--threshold", type=click.IntRange(50, 100), default=80, help="The least score of a candidate (default: 80)."),
    click.option("--encoding", default="utf-8", help="Encoding of a CSV register (default: utf-8)."),
    click.option("-o", "--out", type=_FILE, metavar="FILE", help="The review file (default: links/REGISTER-TABLE.yaml)."),
)  # fmt: skip
def command(options: ProjectOptions, link: _Options) -> None:
    """Propose matches of records with a register into a review file, or write accepted ones into
    the records.
    """
    if (link.against is None) == (link.accept is None):
        raise click.UsageError("Give either --against or --accept.")

    def work(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        language = options.lang or project.publication.languages[0]
        if link.accept is not None:
            from lodpipe.workflow.linking.accepting import accept

            print_result(_accepted(accept(project, link.accept), language))
            return ()
        from lodpipe.workflow.linking.proposing import LinkRequest, propose

        assert link.against is not None
        request = LinkRequest(
            link.against, link.table, link.column, link.document, link.threshold, link.encoding, link.out,
        )  # fmt: skip
        print_result(_proposed(propose(project, request, language, on_progress), project, language))
        return ()

    run_on_project(options, work)


def _text(name: str, language: str, **values: object) -> str:
    texts = _TEXTS[name]
    return texts.get(language, texts["en"]).format(**values)


def _proposed(result: LinkResult, project: Project, language: str) -> str:
    """The columns that were recognised, and how many candidates there are."""
    decisions = [item.accept for item in result.review.proposals]
    path = result.file.resolve()
    root = project.root.resolve()
    rest = result.records - result.linked - result.matched
    lines = [
        f"{_text('columns', language)}:",
        *(f"  {line}" for line in result.columns.lines()),
        *([f"  ({_text('unused', language)}: {', '.join(result.columns.unused)})"] if result.columns.unused else []),
        _text("records", language, records=result.records, linked=result.linked, matched=result.matched, rest=rest),
        _text(
            "candidates", language, file=path.relative_to(root) if path.is_relative_to(root) else result.file,
            count=len(decisions), yes=decisions.count(True), no=decisions.count(False), open=decisions.count(None),
        ),
    ]  # fmt: skip
    return "\n".join(lines)


def _accepted(result: Accepted, language: str) -> str:
    """What was written."""
    lines = [
        f"{record}: {', '.join(f'{name} {value}' for name, value in values.items())}"
        for record, values in sorted(result.written.items())
    ]
    counts = {"yes": result.accepted, "no": result.rejected, "open": result.undecided}
    return "\n".join(
        [*lines, _text("written", language, count=len(result.written), **counts), *result.files]
    )
