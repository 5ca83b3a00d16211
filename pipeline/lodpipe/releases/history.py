"""What a catalogue and pages say of the releases of a publication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lodpipe.releases.edition import Edition
from lodpipe.releases.ledger import Ledger, Release

_DEVELOPMENT = {
    "de": "Zwischenstand nach {version}; noch keine Veröffentlichung.",
    "en": "Development state after {version}; not a release yet.",
}


@dataclass(frozen=True)
class History:
    """The closed releases up to an edition, the edition included where it is closed.

    `folder` is where below dist/ the files of the edition never change: None for a development
    state. `notes` say by language what is new in it; they are empty without a ledger.
    """

    folder: str | None
    releases: tuple[Release, ...] = ()
    previous: Release | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    is_development: bool = False


def history_of(ledger: Ledger, edition: Edition) -> History:
    """The history of an edition; without a ledger, the folder of its date is all there is."""
    if not ledger:
        return History(edition.date)
    if edition.is_development:
        notes = {
            language: text.format(version=ledger.last.version)
            for language, text in _DEVELOPMENT.items()
        }
        return History(None, ledger.releases, ledger.last, notes, is_development=True)
    assert edition.closed is not None
    releases = tuple(item for item in ledger.releases if item.number <= edition.closed.number)
    return History(
        edition.closed.folder,
        releases,
        ledger.before(edition.version),
        ledger.summaries(edition.version),
    )
