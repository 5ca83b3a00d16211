"""The page that says which expected fields of the records are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lodpipe.releases.coverage_figures import (
    STATES,
    CoveredRecord,
    TableCoverage,
    share,
    share_of_all,
    total,
)
from lodpipe.releases.ledger import Ledger
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.names import chosen

MOST = 500  # records on the page


@dataclass(frozen=True)
class FieldRow:
    """A field with the number of each state, in the order of STATES, and the share with a value."""

    label: str
    counts: Sequence[int]
    share: str


@dataclass(frozen=True)
class RecordLine:
    """A record with the state of each field, empty where it is not expected."""

    label: str
    href: str | None
    states: Sequence[str]


@dataclass(frozen=True)
class CoverageView:
    """A table on the page; `over_time` are the shares of all fields by release, None where they
    were not recorded.
    """

    anchor: str
    title: str
    fields: Sequence[FieldRow]
    over_time: Sequence[tuple[str, str, str | None]]
    lines: Sequence[RecordLine]
    records: int


def coverage_views(
    coverage: Sequence[TableCoverage], ledger: Ledger, addresses: Addresses, language: str
) -> Iterator[CoverageView]:
    """The tables in a language."""
    for item in coverage:
        figures = item.figures()
        rows = [
            _row(chosen(item.fields[name], language), counts, language)
            for name, counts in figures.items()
        ]
        together = total(figures)
        past = [
            (
                release.version,
                release.date,
                percent(share_of_all(release.coverage, item.table, item.fields), language),
            )
            for release in ledger.releases
        ]
        yield CoverageView(
            item.table,
            chosen(item.title, language),
            [*rows, _row("", together, language)],
            [*past, ("", "", percent(share(together), language))],
            [
                _line(record, list(item.fields), addresses, language)
                for record in item.records[:MOST]
            ],
            len(item.records),
        )


def _row(label: str, counts: Mapping[str, int], language: str) -> FieldRow:
    text = percent(share(counts), language) or "–"
    return FieldRow(label, [counts.get(state, 0) for state in STATES], text)


def percent(part: float | None, language: str) -> str | None:
    """A share in per cent.

    >>> percent(0.615, "de"), percent(0.615, "en")
    ('61,5\\u202f%', '61.5%')
    """
    if part is None:
        return None
    text = f"{100 * part:.1f}"
    return text.replace(".", ",") + "\u202f%" if language == "de" else f"{text}%"


def _line(
    record: CoveredRecord, fields: Sequence[str], addresses: Addresses, language: str
) -> RecordLine:
    page = addresses.page(addresses.base + record.resource) if record.resource else None
    link = href(page) + addresses.suffix(language) + ".html" if page else None
    return RecordLine(record.label, link, [record.states.get(name, "") for name in fields])
