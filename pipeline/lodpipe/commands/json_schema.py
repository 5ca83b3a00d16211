"""`lodpipe schema`: prints the JSON Schema of a declaration, for editors of users who have no copy
of the repository.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from lodpipe.commands.session import errors_reported, print_result


@click.command("schema")
@click.argument("what", type=click.Choice(["publication"]))
def command(what: str) -> None:
    """Print the JSON Schema of publication.yaml, for editors."""
    from lodpipe.config.publication import publication_schema

    schemas = {"publication": publication_schema}
    with errors_reported(Path(), lambda: "en"):
        print_result(json.dumps(schemas[what](), ensure_ascii=False, indent=2))
