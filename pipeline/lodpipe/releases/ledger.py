"""The ledger: `releases/VERSION/` holds what is known of each closed release.

    releases/1.1.0/release.json    version, date, digest, counts, IRIs, checksums of its files
                   patch.rdfp      the statements removed and added since the release before it
                   notes.de.md     notes for people, one file for each language

A folder without `release.json` is a draft: its notes wait for review. The ledger alone is enough to
know what earlier releases said: from the data of today, the patches lead back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin

FOLDER = "releases"
RECORD = "release.json"
PATCH = "patch.rdfp"
Version = tuple[int, ...]


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large a release is: statements, resources of its own, and records of each table."""

    statements: int
    resources: int
    records: dict[str, int]


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An IRI that is no longer described, and what took its place."""

    iri: str
    replaced_by: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A closed release.

    `folder` is its name below dist/; `sha256` the digest of its canonical N-Quads; `files` the
    SHA-256 of each file of the folder; `coverage` how many records had each state, by table and
    field (None: not counted then). Of the first release, no IRI counts as added.
    """

    version: str
    date: str
    folder: str
    previous: str | None
    sha256: str
    counts: Counts
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    files: dict[str, str] = {}
    coverage: dict[str, dict[str, dict[str, int]]] | None = None

    @property
    def has_changes(self) -> bool:
        """Whether its data differ from those of the release before."""
        return bool(self.added or self.changed or self.withdrawn)

    @property
    def number(self) -> Version:
        """The version as numbers, for comparison."""
        return version_number(self.version)


@dataclass(frozen=True)
class Ledger:
    """The closed releases of a project, from the first to the last."""

    root: Path
    releases: tuple[Release, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.releases)

    @property
    def first(self) -> Release:
        """The first release."""
        return self.releases[0]

    @property
    def last(self) -> Release:
        """The last release."""
        return self.releases[-1]

    def find(self, version: str) -> Release | None:
        """The release of a version, None where it is not closed."""
        return next((item for item in self.releases if item.version == version), None)

    def before(self, version: str) -> Release | None:
        """The last release with a lower version, None where there is none."""
        number = version_number(version)
        return next((item for item in reversed(self.releases) if item.number < number), None)

    def folder(self, version: str) -> Path:
        """Where the ledger keeps a release."""
        return self.root / FOLDER / version

    def notes(self, version: str) -> dict[str, str]:
        """The notes of a release as Markdown, by language."""
        paths = sorted(self.folder(version).glob("notes.*.md"))
        return {path.name.split(".")[1]: path.read_text("utf-8") for path in paths}

    def summaries(self, version: str) -> dict[str, str]:
        """The first paragraph of the notes of a release, by language."""
        return {
            language: " ".join(paragraph.split())
            for language, notes in self.notes(version).items()
            if (paragraph := first_paragraph(notes))
        }

    def withdrawn(self) -> dict[str, str]:
        """Every IRI that a release withdrew and none described again, with its version."""
        gone: dict[str, str] = {}
        for release in self.releases:
            for iri in release.added:
                gone.pop(iri, None)
            gone |= {item.iri: release.version for item in release.withdrawn}
        return gone


def version_number(version: str) -> Version:
    """A version as numbers.

    >>> version_number("1.10.0") > version_number("1.9.2")
    True
    """
    return tuple(int(part) for part in version.split("."))


def first_paragraph(markdown: str) -> str:
    """The first paragraph of a Markdown text that is no heading."""
    blocks = (block.strip() for block in markdown.split("\n\n"))
    return next((block for block in blocks if block and not block.startswith("#")), "")


def read_ledger(root: Path) -> Ledger:
    """The ledger of a project; empty where it has none.

    Raises InvalidDeclaration (LP540) with every release that cannot be read.
    """
    releases: list[Release] = []
    findings: list[Finding] = []
    for path in sorted((root / FOLDER).glob(f"*/{RECORD}")):
        name = path.relative_to(root).as_posix()
        try:
            release = msgspec.json.decode(path.read_bytes(), type=Release)
            if release.version != path.parent.name:
                raise ValueError(f"expected version {path.parent.name}, found {release.version}")
            version_number(release.version)
            if not all(map(_is_safe, (release.folder, *release.files))):
                raise ValueError("a name of a folder or file leads elsewhere")
            if not (path.parent / PATCH).is_file() and release.has_changes:
                raise ValueError(f"{PATCH} is missing")
            releases.append(release)
        except (msgspec.DecodeError, ValueError) as error:
            findings.append(Finding("LP540", Origin(name, 1), {"detail": str(error)}))
    releases.sort(key=lambda release: release.number)
    findings += _order_findings(releases)
    if findings:
        raise InvalidDeclaration(findings)
    return Ledger(root, tuple(releases))


def _is_safe(name: str) -> bool:
    """Whether a name stays below the folder that it is in."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def _order_findings(releases: Sequence[Release]) -> Iterator[Finding]:
    """Releases that do not follow each other."""
    for earlier, release in zip([None, *releases], releases, strict=False):
        expected = earlier.version if earlier else None
        origin = Origin(f"{FOLDER}/{release.version}/{RECORD}", 1)
        if release.previous != expected:
            detail = f"previous: expected {expected}, found {release.previous}"
            yield Finding("LP540", origin, {"detail": detail})
        if earlier and release.date < earlier.date:
            detail = f"date {release.date} is before {earlier.date} of {earlier.version}"
            yield Finding("LP540", origin, {"detail": detail})


def release_json(release: Release) -> bytes:
    """The text of release.json, one IRI a line, so that changes are readable in version control."""
    return msgspec.json.format(msgspec.json.encode(release), indent=1) + b"\n"


def free_folder(ledger: Ledger, date: str, version: str) -> str:
    """The name of a new release's folder below dist/: its date; with the version where two releases
    have the same date.
    """
    taken = {release.folder for release in ledger.releases if release.version != version}
    return f"{date}-{version}" if date in taken else date


def checksums_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder, by its name in it."""
    digests: Mapping[str, str] = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return dict(digests)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
