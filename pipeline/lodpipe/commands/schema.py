"""`lodpipe schema`: prints the JSON Schema of a declaration, for editors of users who have no copy of the repository."""

from __future__ import annotations

from importlib.resources import files

import click

SCHEMAS = {"publication": ("lodpipe.config", "publication.schema.json")}  # of which package, in which file


@click.command("schema")
@click.argument("what", type=click.Choice(list(SCHEMAS)))
def command(what: str) -> None:
    """Print the JSON Schema of publication.yaml, for editors."""
    package, name = SCHEMAS[what]
    click.echo(files(package).joinpath(name).read_text("utf-8"), nl=False)
