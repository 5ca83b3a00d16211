"""Sentences of the start page as they are declared: where their links lead, and the names of their
figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Pages of the site that are no resources.
PAGES = frozenset(
    (
        "index",
        "contradictions",
        "coverage",
        "search",
        "sparql",
        "catalog",
        "releases",
        "queries",
        "vocabulary",
        "shapes",
    )
)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
NAME = re.compile(r"\{(\w+)\}")


def placeholders(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in braces, each once, in order.

    >>> placeholders(["{all} places, [{unknown} of {all}](coverage) without"])
    ('all', 'unknown')
    """
    return tuple(dict.fromkeys(name for text in texts for name in NAME.findall(text)))


def targets(texts: Iterable[str]) -> list[str]:
    """Where links lead.

    >>> targets(["{all} places, [{unknown} of {all}](coverage) without"])
    ['coverage']
    """
    return [target for text in texts for _, target in LINK.findall(text)]
