"""Writes the table of functions into docs/functions.md: python -m lodpipe.mapping.functions.function_docs PAGE."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import Function, short

_GENERATED = re.compile(r"(?<=<!-- functions -->\n).*?(?=<!-- /functions -->)", re.DOTALL)


def update_page(page: str) -> str:
    """A page with the table of all functions between its markers."""
    rows = [_row(function) for function in BUILT_IN.functions()]
    head = "| function | parameters | gives | also called |\n|---|---|---|---|\n"
    return _GENERATED.sub(lambda _: head + "".join(rows), page)


def _row(function: Function) -> str:
    parameters = ", ".join(
        f"`{short(item.iri)}`"
        + ("" if item.type == "text" else f" {item.type}")
        + ("" if item.default is None else " (optional)")
        for item in function.parameters
    )
    also = ", ".join(f"`{short(iri)}`" for iri in function.also)
    return f"| `{short(function.iri)}` | {parameters} | {function.returns} | {also} |\n"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(update_page(path.read_text("utf-8")), "utf-8")
