"""Which release a build makes: a closed one, or a development state between two.

    digest of the data = that of release 1.0.0      →  1.0.0
    data changed, publication.yaml says 1.0.0       →  1.0.1.dev, 1.1.0.dev or 2.0.0.dev by the rule
    publication.yaml says 1.2.0, not closed yet     →  1.2.0.dev

The rule of the next version (Semantic Versioning read for data): **major** where a property or
class is no longer used that the last release used, because queries on it find nothing any more;
**minor** where resources were added or withdrawn, or a property or class is used for the first
time; **patch** where only values changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lodpipe.config.publication_keys import Publication
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.engine.statements import StatementTable
from lodpipe.rdf.terms import TYPE
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.graph_versions import GraphVersion, canonical_file, release_version
from lodpipe.releases.ledger import Ledger, Release, file_digest
from lodpipe.releases.naming import split_object

DEVELOPMENT = ".dev"


@dataclass(frozen=True)
class Edition:
    """What a build calls itself.

    `closed` is the release that it is, None between two releases and where there is no ledger;
    `issued` the day of the first release.
    """

    version: str
    date: str
    issued: str
    closed: Release | None = None

    @property
    def is_development(self) -> bool:
        """Whether the data are those between two releases."""
        return self.version.endswith(DEVELOPMENT)


@dataclass(frozen=True)
class ReleaseState:
    """The data of today beside the ledger; `changes` since the last release are None where nothing
    changed or nothing is known of it.
    """

    ledger: Ledger
    edition: Edition
    sha256: str
    current: GraphVersion
    changes: ChangeSet | None = None
    next_version: str = ""


@contextlib.contextmanager
def release_state(
    root: Path, publication: Publication, ledger: Ledger, statements: StatementTable
) -> Iterator[ReleaseState | None]:
    """Compares the statements with the last release, as long as the context is open; None where
    there is no ledger.
    """
    if not ledger:
        yield None
        return
    path = statements.lines(graphs=True)
    current = canonical_file(path, "dist")
    digest = file_digest(path)
    last, issued = ledger.last, issued_of(publication, ledger)
    if digest == last.sha256:
        closed = last if publication.version == last.version else None
        version = last.version if closed else _development(publication, last, last.version)
        edition = Edition(version, publication.date, issued, closed)
        yield ReleaseState(ledger, edition, digest, current)
        return
    try:
        changes = ChangeSet(release_version(root, ledger, last.version), current)
    except InvalidDeclaration:  # reported as damaged (LP547)
        edition = Edition(_development(publication, last, last.version), last.date, issued)
        yield ReleaseState(ledger, edition, digest, current)
        return
    with changes:
        proposed = next_version(last.version, changes, statements)
        edition = Edition(_development(publication, last, proposed), publication.date, issued)
        yield ReleaseState(ledger, edition, digest, current, changes, proposed)


def issued_of(publication: Publication, ledger: Ledger) -> str:
    """The day of the first release, or an earlier one that publication.yaml declares."""
    return min(publication.issued, ledger.first.date)


def _development(publication: Publication, last: Release, proposed: str) -> str:
    """The declared version where it is new, else the proposed one, marked as a development state."""
    declared = publication.version
    return f"{declared if declared != last.version else proposed}{DEVELOPMENT}"


def next_version(version: str, changes: ChangeSet, statements: StatementTable) -> str:
    """The version that follows by the rule above.

    `changes` lead from the release `version` to the statements.
    """
    major, minor, patch = (int(part) for part in version.split("."))
    old, new = _terms(changes)
    used = {term for term, _ in statements.terms_used()}
    if any(term not in used for term in old):
        return f"{major + 1}.0.0"
    resources = changes.counts.resources
    if resources["added"] or resources["withdrawn"] or _first_used(new, old, changes):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _terms(changes: ChangeSet) -> tuple[set[str], set[str]]:
    """The properties and classes in the statements that were removed, and in those added."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for change in changes:
        for terms, lines in zip(sides, (change.removed, change.added), strict=True):
            for line in lines:
                _, name, rest = line.split(b" ", 2)
                predicate = name.decode()
                terms.add(predicate)
                if predicate == TYPE:
                    terms.add(split_object(rest)[0])
    return sides


def _first_used(new: set[str], old: set[str], changes: ChangeSet) -> bool:
    """Whether a term of added statements did not occur in the old version at all."""
    candidates = {term.encode() for term in new - old}
    if not candidates:
        return False
    for chunk in changes.versions[0].chunks():
        candidates = {term for term in candidates if b" " + term + b" " not in chunk}
        if not candidates:
            return False
    return True


def edition_of(publication: Publication) -> Edition:
    """The edition of a publication without a ledger: what publication.yaml says."""
    return Edition(publication.version, publication.date, publication.issued)
