"""`lodpipe mapping`: writes a mapping in another notation."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lodpipe.commands.options import LANGUAGE
from lodpipe.commands.session import errors_reported, print_result


@click.command("mapping")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option(
    "--to", "notation", type=click.Choice(["rml", "yarrrml"]), required=True,
    help="The notation: RML in Turtle, or YARRRML.",
)  # fmt: skip
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Output (default: standard output)."
)
@click.option(
    "--base",
    default="http://example.com/base/",
    show_default=True,
    help="Base IRI of a mapping that has none.",
)
@click.option(
    "--functions", metavar="FILE", type=click.Path(path_type=Path), multiple=True,
    help="Functions of your own that the mapping calls, as for `lodpipe map` (repeatable).",
)  # fmt: skip
@LANGUAGE
def command(
    mapping: Path,
    notation: str,
    out: Path | None,
    base: str,
    functions: tuple[Path, ...],
    lang: str | None,
) -> None:
    """Write an RML, R2RML or YARRRML file in another notation.

    What the notation cannot say is an error; nothing is written then.
    """
    language = lang or "en"
    with errors_reported(mapping.parent, lambda: language):
        from lodpipe.workflow.mapping_conversion import converted

        text, warnings = converted(mapping, notation, base, functions)
        if out is None:
            print_result(text.rstrip("\n"))
        else:
            from lodpipe.runtime.machine import whole_file

            with whole_file(out) as path:
                path.write_text(text, "utf-8")
    if warnings:
        from lodpipe.reporters import write_text

        write_text(warnings, mapping.parent, sys.stderr, language)
