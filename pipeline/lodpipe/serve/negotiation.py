"""Which format a client gets: RFC 9110, section 12.5.1, with weights and the more specific range
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def chosen(accept: str | None, offered: Sequence[Format]) -> Format | None:
    """The offered format that a client likes best, ours of those it likes alike; None where it
    takes none of them.

    >>> chosen("text/csv;q=0.5, */*;q=0.1", RESULTS).name, chosen(None, RESULTS).name, chosen("image/png", RESULTS)
    ('csv', 'json', None)
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = list(_ranges(accept))
    weighed = [(_weight(item, ranges), -place) for place, item in enumerate(offered)]
    best, place = max(weighed)
    return offered[-place] if best > 0 else None


def _ranges(accept: str) -> list[tuple[str, float]]:
    """Media ranges with their weights; what cannot be read is passed over."""
    ranges = []
    for part in accept.split(","):
        media_range, *parameters = (item.strip() for item in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    weight = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        if "/" in media_range:
            ranges.append((media_range.lower(), weight))
    return ranges


def _weight(item: Format, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that a format falls under."""
    names = [item.media_type.split(";")[0], *item.also]
    best = (-1, 0.0)
    for media_range, weight in ranges:
        specific = (
            2
            if media_range in names
            else int(media_range.endswith("/*") and names[0].startswith(media_range[:-1]))
        )
        if specific or media_range == "*/*":
            best = max(best, (specific, weight))
    return best[1]
