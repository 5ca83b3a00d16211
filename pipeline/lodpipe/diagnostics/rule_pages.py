"""Writes what the table of rules states into the pages of docs/errors/ (`make docs`).

A page keeps its title, its explanation and its examples; name, message, help and life cycle are
generated between two markers, and so is the index of all pages. A new rule needs a page with
a title (`# LP999: …`) and the two markers.

What people wrote of each page is also stored in the package, for `lodpipe explain`.

    python -m lodpipe.diagnostics.rule_pages docs/errors
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from lodpipe.diagnostics.rules import RULES, Rule, render

PACKAGED = Path(__file__).with_name("rule_pages.json")
_GENERATED = re.compile(r"(?<=<!-- rule -->\n).*?(?=<!-- /rule -->\n)", re.S)
_GROUPS = {
    "LP1": "1xx: files that cannot be read",
    "LP2": "2xx: records against `source/records.yaml`",
    "LP3": "3xx: values in the mapping",
    "LP4": "4xx: the graph against `shapes/`",
    "LP5": "5xx: records, vocabularies and `dist/` as a whole",
    "LP6": "6xx: declarations",
    "LP7": "7xx: the machine, and what a run leaves out",
    "LP8": "8xx: queries, server and pages",
}


def update_page(page: str, rule: Rule) -> str:
    """A page with the state of its rule between the markers."""
    return _GENERATED.sub(lambda _: _state(rule), page)


def _state(rule: Rule) -> str:
    params = {name: f"{{{name}}}" for name in rule.params}
    rows = (
        f"| {language} | {' | '.join(render(rule.code, params, language))} |\n"
        for language in ("en", "de")
    )
    head = f"`{rule.name}` · {rule.status}, since {rule.since}\n\n| | Message | Help |\n|---|---|---|\n"
    return head + "".join(rows)


def update_index(index: str, pages: dict[str, str]) -> str:
    """The index with a line for each rule: code, name, and the title of its page."""
    lines = []
    for group, heading in _GROUPS.items():
        lines.append(f"\n## {heading}\n")
        for rule in RULES.values():
            if rule.code.startswith(group):
                title = pages[rule.code].partition("\n")[0].partition(": ")[2]
                lines.append(f"- [{rule.code}]({rule.code}.md) `{rule.name}`: {title}\n")
    return _GENERATED.sub(lambda _: "".join(lines), index)


def update_folder(folder: Path) -> dict[Path, str]:
    """Path and content of every page, of the index and of the packaged pages, as they should be."""
    pages = {
        code: update_page((folder / f"{code}.md").read_text("utf-8"), rule)
        for code, rule in RULES.items()
    }
    index = folder / "README.md"
    contents = {folder / f"{code}.md": page for code, page in pages.items()}
    contents[index] = update_index(index.read_text("utf-8"), pages)
    german = (folder / "de.md").read_text("utf-8")
    return contents | {PACKAGED: packaged(pages, german)}


def packaged(pages: dict[str, str], german: str) -> str:
    """The pages without what is generated of their rules, and title and text of each in German, as
    JSON with a line for each.
    """
    lines = []
    for code, page in pages.items():
        body = re.sub(r"<!-- rule -->\n.*?<!-- /rule -->\n\n?", "", page, flags=re.S)
        body = body.replace("\n[All codes](README.md)\n", "")
        lines.append(f"{json.dumps(code)}: {json.dumps(body, ensure_ascii=False)}")
    for section in german.split("\n## ")[1:]:
        code, _, text = section.partition(": ")
        lines.append(f"{json.dumps(f'{code}/de')}: {json.dumps(text.strip(), ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    for path, content in update_folder(Path(sys.argv[1])).items():
        path.write_text(content, "utf-8")
