"""Closing a release: its number, its notes, its files, its place in the ledger.

Nothing is changed before everything is written beside it. Then publication.yaml, the ledger and
dist/ are replaced in this order; a run that was killed in between is completed by the next build.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import _duckdb as duckdb
import msgspec

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.readers import read_tree
from lodpipe.documents.snapshot import snapshot, unchanged
from lodpipe.documents.tree import Scalar, node_at, value_of
from lodpipe.releases.change_formats import BY_NAME, View
from lodpipe.releases.edition import Edition, issued_of
from lodpipe.releases.ledger import (
    PATCH,
    RECORD,
    Counts,
    Ledger,
    Release,
    Withdrawal,
    checksums_of,
    file_digest,
    free_folder,
    read_ledger,
    release_json,
    version_number,
)
from lodpipe.releases.naming import project_terms
from lodpipe.runtime import scratch
from lodpipe.runtime.atomic import exclusive, prepare, swap
from lodpipe.runtime.machine import not_written, whole_file
from lodpipe.workflow.declarations import other_records
from lodpipe.workflow.pipeline import Engines, Outcome, checked, edited, write_dist, write_pages

Progress = Callable[[str], None]
_FIRST = {"de": "Erste Veröffentlichung.", "en": "First release."}


@dataclass(frozen=True)
class ReleaseOptions:
    """What is asked for: version and date (None: proposed), whether only the notes are drafted, and
    the master of the Spark that runs the mapping (None: this machine).
    """

    version: str | None = None
    date: str | None = None
    draft: bool = False
    on: str | None = None


@dataclass(frozen=True)
class ReleaseResult:
    """The version, its date, the draft of notes or the folder that was written, and the findings
    that are not errors.
    """

    version: str
    date: str
    notes: tuple[Path, ...]
    folder: str | None
    findings: tuple[Finding, ...]


def close_release(
    project: Project,
    options: ReleaseOptions,
    *,
    on_progress: Progress = lambda _: None,
    site: bool = True,
) -> ReleaseResult:
    """Closes a release, or with `draft` writes its notes for review only.

    Raises what a build raises, and InvalidDeclaration (LP548) where the release is not possible:
    nothing changed, a version or date that goes backwards, a version that is closed.
    """
    with exclusive(project.root):
        target = prepare(project.root)
        try:
            others = other_records(project.root)
            before = snapshot(project.root, others)
            engines = Engines(on=options.on)
            with checked(
                project, engines=engines, on_progress=on_progress, writable=target
            ) as outcome:
                closing = _Closing(outcome, options)
                notes = closing.draft_notes()
                if options.draft:
                    return closing.result(notes, None)
                on_progress("writing dumps")
                release = closing.write(target)
                written = bool(site and project.publication.site) and write_pages(
                    closing.outcome, target, on_progress
                )
                unchanged(project.root, before, others)
                closing.commit(release)
                swap(target, project.dist, keeping="" if written else "site")
                return closing.result(notes, release.folder)
        except BrokenPipeError:
            raise
        except (OSError, duckdb.IOException) as error:
            raise not_written(error) from None
        finally:
            scratch.delete(target)


class _Closing:
    """The steps, on a checked publication."""

    def __init__(self, outcome: Outcome, options: ReleaseOptions) -> None:
        self.project = project = outcome.project
        self.ledger = read_ledger(project.root)
        self.state = outcome.release
        declared = outcome.declared.publication
        self.version = options.version or self._proposed(declared.version)
        self.date = options.date or self._date(declared.date)
        if findings := self._problems(explicit=options.version is not None):
            raise InvalidDeclaration(findings)
        self.folder = free_folder(self.ledger, self.date, self.version)
        self.first_outcome = outcome
        self.release = self._release()
        ledger = Ledger(project.root, (*self.ledger.releases, self.release))
        edition = Edition(self.version, self.date, issued_of(declared, ledger), self.release)
        self.outcome = edited(outcome, ledger, edition)

    def _proposed(self, declared: str) -> str:
        """The version of publication.yaml where it is not closed yet, else the next one by the rule."""
        if not self.state or declared != self.ledger.last.version:
            return declared
        return self.state.next_version or declared

    def _date(self, declared: str) -> str:
        """The date of publication.yaml where it is later than the last release, else today's."""
        if not self.ledger or declared > self.ledger.last.date:
            return declared
        return max(datetime.datetime.now(datetime.UTC).date().isoformat(), self.ledger.last.date)

    def _problems(self, *, explicit: bool) -> list[Finding]:
        """Why the release is not possible (LP548)."""
        origin = Origin("publication.yaml", *self._line())
        if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", self.version):
            return [_impossible(origin, f"`{self.version}` is not a version such as 1.2.0",
                                f"`{self.version}` ist keine Version wie 1.2.0")]  # fmt: skip
        try:
            datetime.date.fromisoformat(self.date)
        except ValueError:
            return [_impossible(origin, f"`{self.date}` is not a date such as 2026-12-01",
                                f"`{self.date}` ist kein Datum wie 2026-12-01")]  # fmt: skip
        if not self.ledger:
            return []
        last = self.ledger.last
        findings = []
        if version_number(self.version) <= last.number:
            findings.append(
                _impossible(origin, f"version {self.version} is not higher than {last.version}",
                            f"Version {self.version} ist nicht höher als {last.version}"))  # fmt: skip
        if self.date < last.date:
            findings.append(
                _impossible(origin, f"the date {self.date} is before {last.date} of {last.version}",
                            f"das Datum {self.date} liegt vor dem {last.date} von {last.version}"))  # fmt: skip
        if self.state and self.state.sha256 == last.sha256 and not explicit:
            findings = [
                _impossible(origin, f"nothing has changed since release {last.version}",
                            f"seit Veröffentlichung {last.version} hat sich nichts geändert")]  # fmt: skip
        return findings

    def _line(self) -> tuple[int, int]:
        where = self.project.origin("release", "version")
        return where.line, where.column

    def _release(self) -> Release:
        """The entry of the ledger, without the checksums of files that are not written yet."""
        changes = self.state.changes if self.state else None
        kinds: dict[str, list[str]] = {"added": [], "changed": [], "withdrawn": []}
        for change in changes or ():
            kinds[change.kind].append(change.iri)
        outcome, base = self.first_outcome, self.project.publication.base
        statements = outcome.statements
        successors = outcome.declarations.withdrawn.successors
        return Release(
            self.version,
            self.date,
            self.folder,
            self.ledger.last.version if self.ledger else None,
            self.state.sha256 if self.state else "",
            Counts(len(statements), statements.statistics(base).entities, dict(outcome.counts)),
            tuple(kinds["added"]),
            tuple(kinds["changed"]),
            tuple(
                Withdrawal(
                    iri,
                    tuple(base + local for local in successors.get(iri.removeprefix(base), ())),
                )
                for iri in kinds["withdrawn"]
            ),
            coverage={item.table: item.figures() for item in outcome.coverage} or None,
        )

    def draft_notes(self) -> tuple[Path, ...]:
        """Writes the notes that are missing, one file for each language; returns all of them."""
        folder = self.ledger.folder(self.version)
        paths = []
        for language in self.project.publication.languages:
            path = folder / f"notes.{language}.md"
            paths.append(path)
            if not path.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                with whole_file(path) as part:
                    part.write_bytes(self._notes(language))
        return tuple(paths)

    def _notes(self, language: str) -> bytes:
        heading = self.version
        changes = self.state.changes if self.state else None
        if changes is None:
            declared = self.project.publication.catalogue.version_notes
            text = declared.get(language) or _FIRST.get(language, _FIRST["en"])
            return f"# {heading}\n\n{text}\n".encode()
        terms = project_terms(self.project, self.first_outcome.declarations.vocabulary)
        out = BytesIO()
        BY_NAME["markdown"].write(changes, View(terms, language, 50, heading), out)
        return out.getvalue()

    def write(self, target: Path) -> Release:
        """Writes dist/ with the folder of the release into `target`; returns the complete entry."""
        write_dist(self.outcome, target)
        # Of the first release nothing was compared, so nothing is known yet.
        lines = self.outcome.statements.lines(graphs=True)
        digest = self.release.sha256 or file_digest(lines)
        files = checksums_of(target / self.folder)
        return msgspec.structs.replace(self.release, sha256=digest, files=files)

    def commit(self, release: Release) -> None:
        """Replaces the version in publication.yaml, then closes the release in the ledger."""
        _declare(self.project.root / "publication.yaml", self.version, self.date)
        folder = self.ledger.folder(self.version)
        changes = self.state.changes if self.state else None
        if changes is not None:
            with whole_file(folder / PATCH) as part, part.open("wb") as out:
                BY_NAME["patch"].write(changes, View(), out)
        with whole_file(folder / RECORD) as part:
            part.write_bytes(release_json(release))

    def result(self, notes: Sequence[Path], folder: str | None) -> ReleaseResult:
        """What a command reports."""
        return ReleaseResult(
            self.version, self.date, tuple(notes), folder, self.first_outcome.findings
        )


def _impossible(origin: Origin, english: str, german: str) -> Finding:
    return Finding("LP548", origin, {"detail_en": english, "detail_de": german})


_SCALAR = re.compile(r"""'[^']*'|"[^"]*"|[^\s,}#]+""")


def _declare(path: Path, version: str, date: str) -> None:
    """Writes version and date into publication.yaml, and leaves all else as it is."""
    lines = path.read_bytes().decode().splitlines(keepends=True)
    tree = read_tree(path, path.name)
    assert tree is not None
    for key, value in (("date", date), ("version", version)):
        node = node_at(tree, ["release", key])
        assert isinstance(node, Scalar)
        line, at = lines[node.line - 1], node.column - 1
        match = _SCALAR.match(line, at)
        assert match is not None
        quote = match[0][0] if match[0][0] in "'\"" else ""
        lines[node.line - 1] = f"{line[:at]}{quote}{value}{quote}{line[match.end() :]}"
        # A value of another length on the same line moves what follows it.
        with whole_file(path) as part:
            part.write_bytes("".join(lines).encode())
        tree = read_tree(path, path.name)
        assert tree is not None
    written = value_of(node_at(tree, ["release"]))
    assert written == {"version": version, "date": date}, written
