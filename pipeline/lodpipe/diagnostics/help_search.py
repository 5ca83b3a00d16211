"""A search in the documentation without a network: sections of the pages by the words that they hold.

A section counts by its rarest words (inverse document frequency), and words in titles count more than
words in the text. Endings of English words do not matter: "matching" finds "matches".
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lodpipe.diagnostics.explanation import page_of, title_of
from lodpipe.diagnostics.help_pages import PACKAGED
from lodpipe.diagnostics.rules import RULES

_WORD = re.compile(r"[A-Za-z0-9À-ž]+")
_IN_PAGE, _IN_HEADING = 1.5, 1.0  # a word in a title, beside at most 1 for its number in the text
_COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "can",
        "do",
        "does",
        "for",
        "how",
        "i",
        "in",
        "is",
        "it",
        "my",
        "of",
        "on",
        "one",
        "or",
        "the",
        "this",
        "to",
        "what",
        "when",
        "where",
        "which",
        "why",
        "with",
    ]
)


@dataclass(frozen=True)
class Section:
    """A part of a page (or a rule, whose code is its page) with its heading and Markdown."""

    page: str
    heading: str
    text: str


@functools.cache
def help_pages() -> Mapping[str, str]:
    """The pages of the documentation by name, Markdown."""
    pages: dict[str, str] = json.loads(PACKAGED.read_text("utf-8"))
    return pages


def title_of_page(name: str) -> str:
    """The first heading of a page, without marks of code."""
    return help_pages()[name].partition("\n")[0].lstrip("# ").replace("`", "")


def sections_of(page: str, text: str) -> Iterator[Section]:
    """A page in parts, each with its heading; headings in code are text."""
    heading, lines, is_code = "", list[str](), False
    for line in text.split("\n"):
        is_code ^= line.startswith("```")
        if not is_code and (match := re.match(r"#+ (.*)", line)):
            if any(map(str.strip, lines)):
                yield Section(page, heading, "\n".join(lines))
            heading, lines = match[1].replace("`", ""), []
        else:
            lines.append(line)
    yield Section(page, heading, "\n".join(lines))


def stem(word: str) -> str:
    """A word without its ending, roughly.

    >>> [stem(word) for word in ("Matches", "matching", "queries", "query", "releases", "status")]
    ['match', 'match', 'quer', 'quer', 'releas', 'status']
    """
    folded = word.lower()
    for ending in ("ings", "ing", "ies", "ied", "es", "ed", "s", "e", "y"):
        if (
            folded.endswith(ending)
            and len(folded) - len(ending) > 3
            and not folded.endswith(("us", "ss"))
        ):
            return folded[: -len(ending)]
    return folded


def stems(text: str) -> list[str]:
    """The words of a text without their endings; no words that every text has."""
    return [stem(word) for word in _WORD.findall(text) if word.lower() not in _COMMON]


def search(words: str, limit: int = 10) -> list[Section]:
    """The sections that fit the words best; those with all of them first, then others."""
    wanted = list(dict.fromkeys(stems(words)))
    entries = _entries()
    weight = {
        word: math.log(1 + len(entries) / (1 + sum(word in entry.words for entry in entries)))
        for word in wanted
    }
    ranked = []
    for place, entry in enumerate(entries):
        present = [word for word in wanted if word in entry.words]
        score = sum(weight[word] * entry.score(word) for word in present)
        if present:
            ranked.append((-len(present), -score, place, entry.section))
    most = max((-row[0] for row in ranked), default=0)
    return [section for count, *_, section in sorted(ranked) if -count >= max(1, most - 1)][:limit]


@dataclass(frozen=True)
class _Entry:
    """A section with the stems of its text, its heading, and the name and title of its page."""

    section: Section
    counts: Counter[str]
    heading: frozenset[str]
    page: frozenset[str]

    @functools.cached_property
    def words(self) -> set[str]:
        """All stems of the section."""
        return {*self.counts, *self.heading, *self.page}

    def score(self, word: str) -> float:
        """How much a section is about a word, by where it occurs."""
        times = self.counts[word]
        return (
            times / (times + 2)
            + _IN_HEADING * (word in self.heading)
            + _IN_PAGE * (word in self.page)
        )


@functools.cache
def _entries() -> list[_Entry]:
    """All sections of pages and rules."""
    parts = [
        (part, f"{name} {title_of_page(name)}")
        for name, text in help_pages().items() for part in sections_of(name, text)
    ]  # fmt: skip
    parts += [
        (Section(code, title_of(code), page_of(code).partition("\n")[2]), f"{code} {rule.name}")
        for code, rule in RULES.items()
    ]
    return [
        _Entry(
            part, Counter(stems(part.text)), frozenset(stems(part.heading)), frozenset(stems(page))
        )
        for part, page in parts
    ]


def excerpt(section: Section, words: str, width: int) -> str:
    """The line of a section with most of the words, as plain text of at most `width` characters."""
    wanted = set(stems(words))
    lines = [
        re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*|]", r"\1", line) for line in section.text.split("\n")
    ]
    lines = [
        " ".join(line.split()).strip("- ") for line in lines if not line.startswith(("<!--", "```"))
    ]
    best = max(lines, key=lambda line: len(wanted & set(stems(line))), default="")
    return best if len(best) <= width else f"{best[: width - 1].rsplit(' ', 1)[0]}…"
