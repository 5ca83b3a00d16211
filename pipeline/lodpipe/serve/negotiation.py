"""Which format and language a client gets: Accept and Accept-Language by RFC 9110, 12.5, with
weights, and the more specific range before the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from lodpipe.publish.catalogue.web import NEGOTIATED
from lodpipe.rdf.file_formats import DOCUMENTS


@dataclass(frozen=True)
class Format:
    """A format that answers can have: its name for the workers, the media type it is sent as, other
    types that ask for it.
    """

    name: str
    media_type: str
    also: tuple[str, ...] = ()


RESULTS = (
    Format("json", "application/sparql-results+json", ("application/json",)),
    Format("xml", "application/sparql-results+xml", ("application/xml", "text/xml")),
    Format("csv", "text/csv; charset=utf-8"),
    Format("tsv", "text/tab-separated-values; charset=utf-8"),
)
GRAPHS = tuple(Format(row.suffix, row.content_type, row.aliases) for row in DOCUMENTS)


PAGES = tuple(Format(suffix, media_type) for suffix, media_type in NEGOTIATED)

_HTML = ("text/html", "application/xhtml+xml")
_MOST_READ, _MOST_ELEMENTS = 10_000, 100
_ELEMENTS = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
_PARTS = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*"?)+')
_ANYTHING, _ANY_SUBTYPE, _OTHER_PARAMETERS, _TYPE, _SAME_PARAMETERS = range(5)  # specificity


class Range(NamedTuple):
    """An element of Accept or Accept-Language, in lower case, with its parameters and weight."""

    name: str
    parameters: frozenset[tuple[str, str]]
    weight: float


def read_ranges(header: str) -> list[Range]:
    """The elements of a header (RFC 9110, 12.4.2 and 5.6.6). A weight that is no number is 0, one
    above 1 is 1. What is behind the hundredth element, or 10,000 characters, is not read.

    >>> [(item.name, item.weight) for item in read_ranges('text/csv;q=0.5, a/b;title="x, y;q=0"')]
    [('text/csv', 0.5), ('a/b', 1.0)]
    """
    ranges = []
    for element in islice(_ELEMENTS.finditer(header[:_MOST_READ].lower()), _MOST_ELEMENTS):
        name, *rest = (part.strip() for part in _PARTS.findall(element[0]) or [""])
        pairs = [part.partition("=") for part in rest]
        values = {key.strip(): value.strip().strip('"') for key, _, value in pairs}
        weight = values.pop("q", "1")
        number = float(weight) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?", weight) else 0.0
        ranges.append(Range(name, frozenset(values.items()), min(number, 1.0)))
    return ranges


def _weight(item: Format, ranges: Sequence[Range]) -> tuple[int, float]:
    """Specificity and weight of the most specific range that a format falls under (RFC 9110,
    12.5.1). Parameters that the format does not have do not exclude it.
    """
    media_type, *own = (part.strip().lower() for part in item.media_type.split(";"))
    best = (-1, 0.0)
    for name, parameters, weight in ranges:
        if name in (media_type, *item.also):
            same = {f"{key}={value}" for key, value in parameters} <= set(own)
            named = _SAME_PARAMETERS if same else _OTHER_PARAMETERS
            best = max(best, (named if parameters else _TYPE, weight))
        elif name == "*/*":
            best = max(best, (_ANYTHING, weight))
        elif name.endswith("/*") and media_type.startswith(name[:-1]):
            best = max(best, (_ANY_SUBTYPE, weight))
    return best


def chosen(accept: str | None, offered: Sequence[Format]) -> Format | None:
    """The offered format that a client likes best, the first of those it likes alike; None where it
    takes none of them.

    >>> chosen("text/csv;q=0.5, */*;q=0.1", RESULTS).name, chosen(None, RESULTS).name, chosen("image/png", RESULTS)
    ('csv', 'json', None)
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = read_ranges(accept)
    weight, place = max((_weight(item, ranges)[1], -place) for place, item in enumerate(offered))
    return offered[-place] if weight > 0 else None


def named(accept: str, offered: Sequence[Format]) -> list[Format]:
    """The offered formats that a client names, best first; a wildcard names none.

    >>> [item.name for item in named("text/turtle;q=0.6, application/rdf+xml;q=0.9, */*", PAGES)]
    ['rdf', 'ttl']
    """
    ranges = read_ranges(accept)
    weights = [(_weight(item, ranges), item) for item in offered]
    liked = [(weight, item) for (how, weight), item in weights if how > _ANY_SUBTYPE and weight > 0]
    return [item for _, item in sorted(liked, key=lambda pair: -pair[0])]


def prefers_page(accept: str | None) -> bool:
    """Whether a client asks for HTML by name, and for no format of answers as much.

    >>> prefers_page("text/html,application/xml;q=0.9,*/*;q=0.8"), prefers_page("*/*")
    (True, False)
    >>> prefers_page("application/sparql-results+json, text/html")
    False
    """
    ranges = read_ranges(accept or "")
    page = max((item.weight for item in ranges if item.name in _HTML), default=0.0)
    answers = [
        weight
        for how, weight in (_weight(item, ranges) for item in (*RESULTS, *GRAPHS))
        if how > _ANY_SUBTYPE
    ]
    return page > max(answers, default=0.0)


def languages(accept: str, known: Sequence[str]) -> list[str]:
    """The known languages in the order of a client's preference (RFC 9110, 12.5.4), the first of
    them where it names none.
    """
    weights: dict[str, float] = {}
    for name, _, weight in read_ranges(accept):
        language = name.split("-")[0]
        if language in known:
            weights[language] = max(weight, weights.get(language, 0.0))
    liked = [language for language in weights if weights[language] > 0]
    return sorted(liked, key=lambda language: -weights[language]) or [known[0]]
