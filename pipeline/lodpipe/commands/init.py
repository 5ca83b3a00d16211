"""`lodpipe init`: proposes a publication for data at hand."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import PROJECT, grouped
from lodpipe.commands.session import errors_reported, print_result
from lodpipe.config import open_answers

if TYPE_CHECKING:
    from lodpipe.workflow.scaffold.initialise import Proposal
    from lodpipe.workflow.scaffold.written_files import Answers


@dataclass(frozen=True)
class _Options:
    """What the options say of the publication."""

    name: str | None
    title: str | None
    base: str | None
    licence: str | None
    publisher: str | None
    languages: str | None
    template: str | None
    profile: str | None
    ci: str | None
    excluded: tuple[str, ...]
    yes: bool


@click.command("init")
@click.argument("data", required=False, type=click.Path(path_type=Path, exists=True))
@PROJECT
@grouped(
    "options", _Options,
    click.option("--name", metavar="SLUG", help="Short name of the publication (default: that of the folder)."),
    click.option("--title", metavar="TEXT", help="Title of the publication."),
    click.option("--base", metavar="IRI", help="Base of all IRIs, ends with `/`."),
    click.option("--licence", metavar="URL", help="Licence of the data."),
    click.option("--publisher", metavar="TEXT", help="The body that publishes."),
    click.option("--languages", metavar="de,en", help="Languages, that of the findings first (default: those of the texts, else en)."),
    click.option(
        "--template", type=click.Choice(["datasets", "organisations", "people"]),
        help="Begin with fictional records in source/ instead of data at hand.",
    ),
    click.option(
        "--profile", type=click.Choice(["none", "popolo", "cpov"]),
        help="Terms and shapes: popolo (people and posts), cpov (registers of public bodies); default: popolo where the data look so, else none.",
    ),
    click.option(
        "--ci", type=click.Choice(["github", "gitlab", "both", "none"]),
        help="File that checks changes (default: by the address of the repository, else github).",
    ),
    click.option(
        "--except", "excluded", multiple=True, metavar="PATTERN",
        help="Leave out files, by their paths below DATA: `drafts/*.yaml`; may be given several times.",
    ),
    click.option("--yes", is_flag=True, help="Ask nothing: take the proposals, and mark as open what only the publisher knows."),
)  # fmt: skip
def command(data: Path | None, root: Path, options: _Options) -> None:
    """Propose a publication for data at hand: tables, mapping, terms, shapes, queries.

    The records are read from DATA (default: source/, else this folder); each line of the tables has
    its reason. No file is written over another.
    """
    from lodpipe.workflow.scaffold.initialise import (
        InvalidExclusion,
        propose,
        write_publication,
        write_starter,
    )

    if data and options.template:
        raise click.UsageError("DATA and --template exclude each other.")
    source = root / "source"
    with errors_reported(root, lambda: "en"):
        if options.template:
            write_starter(options.template, root)
        folder = data or (source if source.is_dir() else root)
        try:
            proposal = propose(folder, options.excluded)
        except InvalidExclusion as error:
            raise click.UsageError(f"--except: {error}.") from None
        print_result(_overview(proposal), end="")
        answers = _answers(root, options, proposal.languages or ("en",), proposal.profile)
        written = write_publication(proposal, root, answers)
        print_result("".join(f"wrote {name}\n" for name in written), end="")
        place = "" if root == Path() else f" --project {root}"
        print_result(
            f"next: lodpipe query --update{place}, lodpipe build{place}; then read the new files line by line"
        )


def _overview(proposal: Proposal) -> str:
    from lodpipe.reporters import write_text

    lines = []
    for form in proposal.tables:
        keys = " and ".join(entry.source for entry in form.keys) or "no field"
        lines.append(
            f"{form.name}: {form.table.reason}; {len(form.fields)} fields; named by {keys}\n"
        )
    lines += [f"{name}: {reason}\n" for name, reason in proposal.unused.items()]
    if proposal.findings:
        write_text(proposal.findings, proposal.data, sys.stderr, "en")
    return "".join(lines)


def _answers(root: Path, options: _Options, languages: tuple[str, ...], proposed: str) -> Answers:
    """What the options say, else what is asked for, else the proposal."""
    from lodpipe.workflow.scaffold.initialise import suggested_name
    from lodpipe.workflow.scaffold.written_files import Answers

    is_interactive = not options.yes and sys.stdin.isatty()

    def answer(given: str | None, question: str, proposed: str) -> str:
        if given is not None or not is_interactive:
            return proposed if given is None else given
        return str(click.prompt(question, default=proposed, err=True))

    name = answer(options.name, "Short name (a-z, digits, hyphens)", suggested_name(root))
    return Answers(
        name,
        answer(options.title, "Title", name.replace("-", " ").capitalize()),
        answer(options.base, "Base of all IRIs", f"https://example.org/{name}/"),
        answer(options.licence, "Licence of the data (address)", open_answers.LICENCE),
        answer(options.publisher, "Publisher (empty: not yet named)", ""),
        tuple(
            answer(options.languages, "Languages", ",".join(languages)).replace(" ", "").split(",")
        ),
        profile="" if options.profile == "none" else options.profile or proposed,
        ci=_ci_files(root, options.ci),
    )


def _ci_files(root: Path, wanted: str | None) -> tuple[str, ...]:
    """The files for checks of changes; without a wish, by the first remote of the repository."""
    from lodpipe.workflow.scaffold.written_files import GITHUB, GITLAB

    wanted = wanted or _host(root)
    files = {"github": (GITHUB,), "gitlab": (GITLAB,), "both": (GITHUB, GITLAB), "none": ()}
    return files[wanted]


def _host(root: Path) -> str:
    """`gitlab` where a remote of the repository is on such a host (openCode is one), else `github`."""
    for folder in (root.resolve(), *root.resolve().parents):
        config = folder / ".git" / "config"
        if config.is_file():
            addresses = re.findall(
                r"^\s*url\s*=\s*(\S+)", config.read_text("utf-8", "replace"), re.M
            )
            return (
                "gitlab"
                if any(re.search("gitlab|opencode", text.lower()) for text in addresses)
                else "github"
            )
    return "github"
