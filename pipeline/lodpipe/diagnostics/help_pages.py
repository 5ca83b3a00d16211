"""The pages of docs/ as package data, for `lodpipe help`: `make docs` writes them.

    python -m lodpipe.diagnostics.help_pages docs

A page is in if the index, docs/README.md, links it; decisions and pages of rules are not, nor is what
is about the repository alone.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

PACKAGED = Path(__file__).with_name("help_pages.json")
_LINK = re.compile(r"\]\(([a-z0-9-]+)\.md\)")


def packaged(docs: Path) -> str:
    """The pages in the order of the index, each with what the index says of it, as JSON with a line
    for each.
    """
    index = (docs / "README.md").read_text("utf-8")
    names = dict.fromkeys(_LINK.findall(index))
    pages = {name: (docs / f"{name}.md").read_text("utf-8") for name in names}
    lines = [
        f"{json.dumps(name)}: {json.dumps(text, ensure_ascii=False)}"
        for name, text in pages.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    PACKAGED.write_text(packaged(Path(sys.argv[1])), "utf-8")
