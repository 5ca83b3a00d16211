"""Which expected fields of the records are known: on the page of all, on that of contradictions and
gaps, and on the page of each record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
MOST_INCOMPLETE = 100  # records of a table on the page of contradictions and gaps
_SETTLED = frozenset(("known", "editorial", ""))


@dataclass(frozen=True)
class FieldRow:
    """A field with the number of each state, in the order of STATES, and the share with a value."""

    label: str
    counts: Sequence[int]
    share: str


@dataclass(frozen=True)
class RecordLine:
    """A record with each field by its label and its state, which is empty where it is not expected."""

    label: str
    href: str | None
    states: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class KnownFields:
    """What is known of one record: the fields of each state, in the order of STATES, and how many
    of all have a value.
    """

    groups: Sequence[tuple[str, Sequence[str]]]
    known: int
    expected: int


@dataclass(frozen=True)
class CoverageView:
    """A table on the page; `over_time` are the shares of all fields by release, None where they
    were not recorded; `records` is how many there are of which `lines` are the first.
    """

    anchor: str
    title: str
    fields: Sequence[FieldRow]
    over_time: Sequence[tuple[str, str, str | None]]
    lines: Sequence[RecordLine]
    records: int


def coverage_views(
    coverage: Sequence[TableCoverage],
    addresses: Addresses,
    language: str,
    ledger: Ledger | None = None,
) -> Iterator[CoverageView]:
    """The tables in a language, with the releases of a ledger."""
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
            for release in (ledger.releases if ledger else ())
        ]
        yield CoverageView(
            item.table,
            chosen(item.title, language),
            [*rows, _row("", together, language)],
            [*past, ("", "", percent(share(together), language))],
            [_line(record, item.fields, addresses, language) for record in item.records[:MOST]],
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
    record: CoveredRecord,
    fields: Mapping[str, Mapping[str, str]],
    addresses: Addresses,
    language: str,
) -> RecordLine:
    page = addresses.page(addresses.base + record.resource) if record.resource else None
    link = href(page) + addresses.suffix(language) + ".html" if page else None
    states = [
        (chosen(label, language), record.states.get(name, "")) for name, label in fields.items()
    ]
    return RecordLine(record.label, link, states)


def incomplete(view: CoverageView) -> CoverageView:
    """The same with the records of which something is missing or contradictory, as many as a page
    shows.
    """
    lines = [
        line for line in view.lines if not _SETTLED.issuperset(state for _, state in line.states)
    ]
    return replace(view, lines=lines[:MOST_INCOMPLETE], records=len(lines))


def records_by_page(
    coverage: Sequence[TableCoverage],
) -> dict[str, tuple[TableCoverage, CoveredRecord]]:
    """Each record that has a page, by its resource relative to the base."""
    return {
        record.resource: (item, record)
        for item in coverage
        for record in item.records
        if record.resource is not None
    }


def known_fields(item: TableCoverage, record: CoveredRecord, language: str) -> KnownFields:
    """What is known of a record of a table."""
    groups = [
        (state, [chosen(item.fields[name], language) for name, of in record.states.items() if of == state])
        for state in STATES
    ]  # fmt: skip
    expected = sum(len(labels) for _, labels in groups)
    missing = sum(len(labels) for state, labels in groups if state == "unknown")
    return KnownFields(
        [(state, labels) for state, labels in groups if labels], expected - missing, expected
    )
