"""`lodpipe diff`: what differs between two versions of a graph."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, grouped
from lodpipe.commands.session import errors_reported, language_of


@dataclass(frozen=True)
class _Options:
    root: Path
    format: str
    out: Path | None
    limit: int | None
    lang: str | None


@click.command("diff")
@click.argument("old", required=False)
@click.argument("new", required=False)
@grouped(
    "options", _Options,
    PROJECT,
    click.option(
        "--format", type=click.Choice(["text", "markdown", "json", "patch", "update", "added", "removed"]), default="text", show_default=True,
        help="text and markdown are for people; json has labels and counts; patch: RDF Patch; update: SPARQL Update; added and removed: N-Quads.",
    ),
    click.option("-o", "--out", type=click.Path(path_type=Path), help="Output file (default: standard output)."),
    click.option("--limit", type=click.IntRange(min=1), help="Resources of each kind of change in text and markdown (default: 100)."),
    LANGUAGE,
)  # fmt: skip
def command(old: str | None, new: str | None, options: _Options) -> None:
    """Show what differs between two versions: by resource, or by statement.

    OLD and NEW are each a folder with a dump (such as dist/), a dump in any RDF format, the number
    of a closed release, or a git revision that holds dist/. OLD is the last release and NEW is
    dist/ where they are left out.
    """
    language = options.lang or language_of(options.root)
    with errors_reported(options.root, lambda: language):
        from lodpipe.runtime.machine import whole_file
        from lodpipe.workflow.comparison import write_difference

        def write(out: IO[bytes]) -> None:
            write_difference(
                options.root, (old, new), options.format, out, language, options.limit or 100
            )

        if options.out:
            with whole_file(options.out) as part, part.open("wb") as out:
                write(out)
        else:
            write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
