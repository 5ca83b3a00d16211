"""Sentences of the start page: links and figures in declared texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from lodpipe.rdf.namespaces import XSD
from lodpipe.site.values import is_safe, written

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
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_NAME = re.compile(r"\{(\w+)\}")


def placeholders(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in braces, each once, in order.

    >>> placeholders(["{labs} labs, [{unknown} of {labs}](coverage) without"])
    ('labs', 'unknown')
    """
    return tuple(dict.fromkeys(name for text in texts for name in _NAME.findall(text)))


def targets(texts: Iterable[str]) -> list[str]:
    """Where links lead.

    >>> targets(["{labs} labs, [{unknown} of {labs}](coverage) without"])
    ['coverage']
    """
    return [target for text in texts for _, target in _LINK.findall(text)]


def sentence(
    text: str, values: Mapping[str, Any], language: str, address: Callable[[str], str | None]
) -> Markup:
    """A declared text as markup: figures as people write them in a language, links to the addresses
    of their targets; values are never read as links.

    >>> sentence("{n} of [{all}](x)", {"n": 1200, "all": "<b>"}, "en", lambda target: target)
    Markup('<strong>1,200</strong> of <a href="x">&lt;b&gt;</a>')
    """
    parts, place = [], 0
    for match in _LINK.finditer(text):
        words, target = match.groups()
        parts.append(_filled(text[place : match.start()], values, language))
        filled, link = _filled(words, values, language), address(target)
        parts.append(Markup('<a href="{}">{}</a>').format(link, filled) if link else filled)
        place = match.end()
    return Markup("").join([*parts, _filled(text[place:], values, language)])


def outside(target: str) -> str | None:
    """The address of a page elsewhere; None where it is none that a link may lead to."""
    return target if "://" in target and is_safe(target) else None


def _filled(text: str, values: Mapping[str, Any], language: str) -> Markup:
    parts, place = [], 0
    for match in _NAME.finditer(text):
        parts += [escape(text[place : match.start()]), figure(values.get(match[1]), language)]
        place = match.end()
    return Markup("").join([*parts, escape(text[place:])])


def figure(value: Any, language: str) -> Markup:
    """A value of a query: numbers are emphasised."""
    if value is None:
        return Markup("–")
    text = str(value)
    if not re.fullmatch(r"-?\d+", text):
        return escape(text)
    return Markup("<strong>{}</strong>").format(whole(int(text), language))


def whole(value: int, language: str) -> str:
    """A whole number as people write it."""
    return written(str(value), f"{XSD}integer", language)
