"""The page of a rule as text for a terminal: what the rule means, an example that breaks it and one
that does not.

The pages of docs/errors/ are in the package (rule_pages.json), so that `lodpipe explain LP206` needs
neither the repository nor the web.
"""

from __future__ import annotations

import functools
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from lodpipe.diagnostics.rules import RULES, Rule, render
from lodpipe.diagnostics.severities import is_fixed

_PAGES = Path(__file__).with_name("rule_pages.json")
_HEADINGS = {
    "de": {
        "Anti-pattern": "Falsch",
        "Best practice": "Richtig",
        "What it looks like": "Wie es aussieht",
        "What to check": "Was zu prüfen ist",
        "What to do": "Was zu tun ist",
    }
}
_LABELS = {"de": ("Meldung", "Abhilfe", "seit"), "en": ("Message", "Help", "since")}
_SEVERITY = {
    "de": ("mit `rules` in publication.yaml einstellbar", "die Schwere steht fest"),
    "en": ("adjustable by `rules` in publication.yaml", "its severity is fixed"),
}
_OF_SHAPE = ("die Meldung der Shape", "the message of the shape")
_FILE = re.compile(r"<!-- (?:wrong|fixed): (\S+) -->")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@functools.cache
def _pages() -> dict[str, str]:
    pages: dict[str, str] = json.loads(_PAGES.read_text("utf-8"))
    return pages


def page_of(code: str) -> str:
    """The page of a rule as Markdown, without its messages; empty if there is none."""
    return _pages().get(code, "")


def title_of(code: str, language: str = "en") -> str:
    """What a rule is about, in a few words; in English where there is no German title.

    >>> title_of("LP206")
    'the referenced record does not exist'
    """
    if german := _german(code, language):
        return german.partition("\n")[0]
    return page_of(code).partition("\n")[0].partition(": ")[2] or RULES[code].name


def _german(code: str, language: str) -> str:
    """Title and text of a rule in German; empty for another language."""
    return _pages().get(f"{code}/de", "") if language.startswith("de") else ""


def generic(template: str) -> str:
    """A text of a rule without the values of a finding: each `{name}` as a word, without optional
    parts that name one.

    >>> generic("`{key}`: there is no `{value}` in {table}[[; did you mean `{suggestion}`?]]")
    '`<key>`: there is no `<value>` in <table>'
    """
    return re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\[\[.*?\]\]", "", template))


def summary_of(code: str, language: str = "en") -> str:
    """What a rule means: the first paragraph of its page, as one line."""
    if german := _german(code, language).partition("\n")[2]:
        return german.strip()
    for block in _blocks(page_of(code).partition("\n")[2]):
        if not re.match(r"#|```|<!--|\|", block[0]):
            return _plain(" ".join(block))
    return ""


def explanation(rule: Rule, language: str, width: int = 80) -> str:
    """The page of a rule as text: title, message, help, explanation and examples, with lines of at
    most `width` columns; examples stay as they are.
    """
    labels = _LABELS["de" if language.startswith("de") else "en"]
    params = {name: f"{{{name}}}" for name in rule.params}
    params |= dict(zip(("message_de", "message_en"), _OF_SHAPE, strict=True))
    message, help_text = render(rule.code, params, language)
    lines = [f"{rule.code} {rule.name}: {title_of(rule.code, language)}", ""]
    for label, text in zip(labels, (message, help_text), strict=False):
        lines += _wrapped(f"{label}: {text}", width, "  ")
    severity = _SEVERITY["de" if language.startswith("de") else "en"][is_fixed(rule.code)]
    lines += [f"  {rule.status}, {labels[2]} {rule.since}; {severity}", ""]
    body = page_of(rule.code).partition("\n")[2]
    german = _german(rule.code, language).partition("\n")[2].strip()
    if german:
        lines += [*_wrapped(german, width, ""), ""]
    rendered = _rendered(body, language, width, examples_only=bool(german))
    return "\n".join([*lines, *rendered]).rstrip() + "\n"


def as_text(page: str, width: int = 80) -> str:
    """A page of the documentation, Markdown, as text for a terminal."""
    title, _, body = page.partition("\n")
    lines = [title.lstrip("# "), "", *_rendered(body, "en", width, examples_only=False)]
    return "\n".join(lines).rstrip() + "\n"


def _rendered(body: str, language: str, width: int, *, examples_only: bool) -> Iterator[str]:
    """The lines of a page of Markdown: its paragraphs, lists and tables wrapped, its code indented.
    With `examples_only`, paragraphs, lists and tables are left out.
    """
    for block in _blocks(body):
        first = block[0]
        if first.startswith("```"):
            yield from (f"    {line}".rstrip() for line in block[1:-1])
        elif match := _FILE.fullmatch(first):
            yield f"  {match[1]}:"
            continue
        elif first.startswith("<!--"):
            continue
        elif first.startswith("#"):
            heading = first.lstrip("# ")
            yield _HEADINGS.get(language, {}).get(heading, heading)
        elif examples_only:
            continue
        elif first.startswith("|"):
            yield from _table(block)
        else:
            indent = "  " if re.match(r"[-*] ", first) else ""
            yield from _wrapped(_plain(" ".join(block)), width, indent)
        yield ""


def _blocks(body: str) -> Iterator[list[str]]:
    """Paragraphs, headings, items of lists, tables, comments and fenced code, each as its lines."""
    block: list[str] = []
    fenced = False
    for line in body.split("\n"):
        if fenced:
            block.append(line)
            if line.startswith("```"):
                yield block
                block, fenced = [], False
            continue
        begins = re.match(r"```|#|<!--|[-*] |\d+\. ", line) is not None
        if block and (not line.strip() or begins):
            yield block
            block = []
        if line.strip():
            block.append(line)
        fenced = line.startswith("```")
        if block and line.startswith("<!--"):
            yield block
            block = []
    if block:
        yield block


def _plain(text: str) -> str:
    """Text without the marks of links: the words, and the address of a page of the web."""
    return _LINK.sub(
        lambda match: f"{match[1]} ({match[2]})" if match[2].startswith("http") else match[1], text
    )


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _table(rows: list[str]) -> Iterator[str]:
    """A table with columns of equal width."""
    cells = [
        [_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
        for row in rows
        if not re.fullmatch(r"[|:\s-]+", row)
    ]
    columns = max(map(len, cells))
    widths = [max(len(row[at]) for row in cells if at < len(row)) for at in range(columns)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield ("  " + "  ".join(padded)).rstrip()
