"""What is known of the records: for each record and expected field one of five states, and how many
of each there are.

    known          with a document other than the work of the editors
    partial        known, but declared as incomplete
    contradictory  values that exclude each other
    editorial      rests on the work of the editors alone
    unknown        nothing is recorded
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from lodpipe.diagnostics.finding import Origin

STATES = ("known", "partial", "contradictory", "editorial", "unknown")
Figures = Mapping[str, Mapping[str, Mapping[str, int]]]  # table → field → state → number


class CoveredRecord(Struct, frozen=True):
    """A record: its key, its name, its resource relative to the base (None: no page), its place,
    and the state of each expected field.
    """

    key: str
    label: str
    resource: str | None
    origin: Origin
    states: Mapping[str, str]


class TableCoverage(Struct, frozen=True):
    """The records of a table, with title and field names by language."""

    table: str
    title: Mapping[str, str]
    fields: Mapping[str, Mapping[str, str]]
    records: Sequence[CoveredRecord]

    def figures(self) -> dict[str, dict[str, int]]:
        """How many records have each state, by field; fields and states in their order."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in self.fields}
        for record in self.records:
            for name, state in record.states.items():
                counts[name][state] += 1
        return {
            name: {state: count[state] for state in STATES if count[state]}
            for name, count in counts.items()
        }


def share(counts: Mapping[str, int]) -> float | None:
    """The share of expected fields with a value, from 0 to 1; None where nothing is expected.

    >>> share({"known": 2, "contradictory": 1, "unknown": 1}), share({})
    (0.75, None)
    """
    total = sum(counts.values())
    return 1 - counts.get("unknown", 0) / total if total else None


def total(fields: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The states of all fields of a table together."""
    counts: Counter[str] = Counter()
    for states in fields.values():
        counts.update(states)
    return {state: counts[state] for state in STATES if counts[state]}


def share_of_all(figures: Figures | None, table: str, fields: Iterable[str]) -> float | None:
    """The share of these fields together in the figures of a release; None where one of them was
    not counted then.
    """
    of_table = (figures or {}).get(table, {})
    several = {name: of_table.get(name) for name in fields}
    counted = {name: counts for name, counts in several.items() if counts is not None}
    return share(total(counted)) if len(counted) == len(several) else None
