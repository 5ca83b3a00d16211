"""What must not happen between two releases: each mistake is a finding.

A closed number with other data, a step back, an IRI that vanishes or is given to something else, a
value that changes while its evidence does not, files of a closed release that are not its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.statements import Statements
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.terms import TYPE, parse_literal
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.difference import ResourceChange
from lodpipe.releases.edition import ReleaseState
from lodpipe.releases.ledger import Ledger, Release, checksums_of, version_number
from lodpipe.releases.naming import Names, Terms, split_object
from lodpipe.releases.tombstones import FILE

_TYPE = TYPE.encode()
_LINKS = frozenset(
    f"<{name}>"
    for name in (
        "https://schema.org/url",
        "http://xmlns.com/foaf/0.1/page",
        "http://xmlns.com/foaf/0.1/homepage",
        "http://www.w3.org/ns/dcat#landingPage",
        "http://purl.org/dc/terms/source",
        "http://www.w3.org/2000/01/rdf-schema#seeAlso",
    )
)  # by which a document says where it can be read


def release_findings(
    state: ReleaseState,
    project: Project,
    statements: Statements,
    terms: Terms,
    withdrawn: Collection[str],
) -> Iterator[Finding]:
    """All findings of this module; `withdrawn` are the IRIs of source/withdrawn.yaml."""
    yield from version_findings(state, project)
    yield from file_findings(state.ledger, project.dist)
    if state.changes is None:
        return
    comparison = _Comparison(state, project, statements, terms)
    yield from comparison.vanished(withdrawn)
    yield from comparison.reused()
    yield from comparison.same_evidence()


def version_findings(state: ReleaseState, project: Project) -> Iterator[Finding]:
    """A release that goes backwards (LP543), and changed data under a closed number (LP542)."""
    publication, last = project.publication, state.ledger.last
    declared = publication.version
    if declared == last.version:
        is_step_back = publication.date != last.date
    else:
        is_step_back = version_number(declared) < last.number or publication.date < last.date
    if is_step_back:
        params = {
            "version": declared,
            "date": publication.date,
            "last": last.version,
            "last_date": last.date,
        }
        yield Finding("LP543", project.origin("release"), params)
    elif state.changes is not None and declared == last.version:
        params = {"version": declared, "next": state.edition.version}
        origin = project.origin("release", "version")
        yield Finding("LP542", origin, params, Severity.WARNING)


def file_findings(ledger: Ledger, dist: Path, only: Release | None = None) -> Iterator[Finding]:
    """Folders of closed releases that are missing or differ from the ledger (LP547); with `only`,
    those of one release.

    The last one may be missing: a build of the same data writes it again.
    """
    for release in ledger.releases if only is None else (only,):
        folder = dist / release.folder
        if not folder.is_dir():
            if release is not ledger.last:
                yield _damaged(release, "the folder is missing")
            continue
        files = checksums_of(folder)
        for name in sorted({*files, *release.files}):
            if name not in files:
                yield _damaged(release, f"{name} is missing")
            elif name not in release.files:
                yield _damaged(release, f"{name} is not one of its files")
            elif files[name] != release.files[name]:
                yield _damaged(release, f"{name} has other content")


def _damaged(release: Release, detail: str) -> Finding:
    params = {"folder": release.folder, "version": release.version, "detail": detail}
    return Finding("LP547", Origin(f"dist/{release.folder}"), params)


class _Comparison:
    """The data of today beside those of the last release."""

    def __init__(
        self, state: ReleaseState, project: Project, statements: Statements, terms: Terms
    ) -> None:
        assert state.changes is not None
        self.changes: ChangeSet = state.changes
        self.ledger, self.project, self.statements = state.ledger, project, statements
        self.base = project.publication.base
        self.terms = terms
        self.language = project.publication.languages[0]

    def vanished(self, withdrawn: Collection[str]) -> Iterator[Finding]:
        """IRIs of the publication that are described no longer and not listed as withdrawn (LP544).

        One whose name and types another resource has now was most likely renamed; IRIs that vanished
        because they were described with it are consequences.
        """
        gone = [
            change
            for change in self.changes
            if change.kind == "withdrawn"
            and change.iri.startswith(self.base)
            and change.iri not in withdrawn
        ]
        names = Names(self.changes, self.terms, (change.subject for change in gone))
        findings: dict[bytes, Finding] = {}
        renamed = self._renamed(gone)
        for change in gone:
            params = {
                "value": change.iri,
                "label": names.label(change.subject, self.language),
                "version": self.ledger.last.version,
                "local": change.iri.removeprefix(self.base),
            }
            origin = None
            if successor := renamed.get(change.subject):
                params["suggestion"] = successor.iri.removeprefix(self.base)
                origin = self.statements.origin(successor.subject.decode())
            related = (origin,) if origin else ()
            findings[change.subject] = Finding("LP544", Origin(FILE, 1), params, related=related)
        homes = _homes(gone, renamed)
        for subject, finding in findings.items():
            parts = [findings[part] for part, home in homes.items() if home == subject]
            followers = tuple(replace(part, caused_by="LP544") for part in parts)
            if subject not in homes:
                yield replace(finding, consequences=followers)

    def _renamed(self, gone: Sequence[ResourceChange]) -> dict[bytes, ResourceChange]:
        """The vanished resources, each with the only new one of a type and a name that it had."""
        new: dict[tuple[str, str], list[ResourceChange]] = {}
        for change in self.changes:
            for mark in _marks(change.added) if change.kind == "added" else ():
                new.setdefault(mark, []).append(change)
        old = Counter(mark for change in gone for mark in _marks(change.removed))
        return {
            change.subject: new[mark][0]
            for change in gone
            for mark in sorted(_marks(change.removed))
            if old[mark] == len(new.get(mark, ())) == 1
        }

    def reused(self) -> Iterator[Finding]:
        """IRIs that a release withdrew and that are described again, and IRIs of which nothing but
        the types is as before (LP545).
        """
        gone = self.ledger.withdrawn()
        replaced = [change for change in self.changes if _may_be_another(change)]
        candidates = {change.subject: change for change in replaced}
        for line in self.changes.statements(sorted(candidates), new=False):
            subject, predicate, _ = line.split(b" ", 2)
            change = candidates.get(subject)
            if change and line not in change.removed and predicate != _TYPE:
                del candidates[subject]
        for change in self.changes:
            version = gone.get(change.iri) if change.kind == "added" else None
            if version:
                yield self._reused(
                    change,
                    Severity.ERROR,
                    f"release {version} withdrew it",
                    f"Veröffentlichung {version} hat sie zurückgezogen",
                )
            elif change.subject in candidates:
                yield self._reused(
                    change,
                    Severity.WARNING,
                    "all statements about it have changed, its name included",
                    "alles, was von ihr ausgesagt wird, ist anders, auch der Name",
                )

    def _reused(
        self, change: ResourceChange, severity: Severity, english: str, german: str
    ) -> Finding:
        params = {"value": change.iri, "detail_en": english, "detail_de": german}
        origin = self.statements.origin(change.subject.decode())
        return Finding("LP545", origin, params, severity)

    def same_evidence(self) -> Iterator[Finding]:
        """Values that changed while the documents that they rest on did not (LP546); a field with
        several properties is reported once.
        """
        moved = [
            (change, *part)
            for change in self.changes
            if change.kind == "changed"
            for part in _values_in_same_graphs(change)
        ]
        editorial = self._editorial({graph for *_, graphs in moved for graph in graphs})
        moved = [item for item in moved if not editorial.intersection(item[4])]
        objects = [
            term.encode()
            for _, _, old, new, graphs in moved
            for term in (old, new, *graphs)
            if term.startswith("<")
        ]
        names = Names(self.changes, self.terms, objects)
        seen: set[tuple[Origin | None, str]] = set()
        origins = self.statements.origins(
            [(change.subject.decode(), predicate, new) for change, predicate, _, new, _ in moved]
        )
        for (_, predicate, old, new, graphs), origin in zip(moved, origins, strict=True):
            if (origin, new) in seen:
                continue
            seen.add((origin, new))
            params = {
                "property": self.terms.property(predicate, self.language),
                "old": f"`{names.value(old, self.language)}`",
                "new": f"`{names.value(new, self.language)}`",
                "document": ", ".join(
                    f"`{graph.strip('<>').removeprefix(self.base)}`" for graph in graphs
                ),
            }
            yield Finding("LP546", origin, params, Severity.WARNING)

    def _editorial(self, graphs: set[str]) -> set[str]:
        """Those of the graphs that are no documents of others: what the publication says itself may
        change without a new document.
        """
        described = self.statements.descriptions(sorted(graphs))
        return {graph for graph in graphs if not self._is_outside(described.get(graph, ()))}

    def _is_outside(self, description: Iterable[tuple[str, str]]) -> bool:
        """Whether a document has an address outside of the publication."""
        return any(
            predicate in _LINKS and value.startswith("<") and not value.startswith(f"<{self.base}")
            for predicate, value in description
        )


def _marks(lines: Sequence[bytes]) -> set[tuple[str, str]]:
    """Each type in lines with each name in them."""
    parts = {(name.decode(), split_object(rest)[0]) for _, name, rest in _split(lines)}
    types = [value for name, value in parts if name == TYPE]
    return {(kind, value) for name, value in parts if name in LABELS for kind in types}


def _split(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    return (line.split(b" ", 2) for line in lines)


def _homes(gone: Sequence[ResourceChange], renamed: Collection[bytes]) -> dict[bytes, bytes]:
    """Vanished resources that were described by, or with, a renamed one, step by step; each with that
    one.
    """
    links: dict[bytes, set[bytes]] = {}
    subjects = {change.subject for change in gone}
    for change in gone:
        for _, _, rest in _split(change.removed):
            value = split_object(rest)[0].encode()
            if value in subjects and value != change.subject:
                links.setdefault(change.subject, set()).add(value)
                links.setdefault(value, set()).add(change.subject)
    homes: dict[bytes, bytes] = {}
    # The one with the most links first: it is the whole, and the others are its parts.
    for root in sorted(renamed, key=lambda subject: (-len(links.get(subject, ())), subject)):
        waiting = [] if root in homes else [root]
        while waiting:
            for other in sorted(links.get(waiting.pop(), ())):
                if other != root and other not in homes:
                    homes[other] = root
                    waiting.append(other)
    return homes


def _may_be_another(change: ResourceChange) -> bool:
    """Whether a resource lost its name and most values, so that it deserves a closer look."""
    if change.kind != "changed" or change.unchanged > len(change.removed):
        return False
    old, new = _values(change.removed), _values(change.added)
    is_renamed = any(predicate in LABELS for predicate, _ in old - new)
    return is_renamed and len(old) >= 3 and change.unchanged <= len(old) and old.isdisjoint(new)


def _values(lines: Sequence[bytes]) -> set[tuple[str, str]]:
    """Predicates and values of lines, in whatever graph; types left out."""
    parts = (line.split(b" ", 2) for line in lines)
    return {(name.decode(), split_object(rest)[0]) for _, name, rest in parts if name != _TYPE}


def _values_in_same_graphs(
    change: ResourceChange,
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Predicate, old value, new value and graphs, where both values are in the same graphs.

    What a document says of itself is left out.
    """
    sides: tuple[dict[tuple[str, str], dict[str, set[str]]], ...] = ({}, {})
    for side, lines in zip(sides, (change.removed, change.added), strict=True):
        for line in lines:
            _, name, rest = line.split(b" ", 2)
            value, graph = split_object(rest)
            literal = parse_literal(value)
            key = name.decode(), literal.language if literal else ""
            side.setdefault(key, {}).setdefault(value, set()).add(graph)
    for key in sorted(sides[0].keys() & sides[1].keys()):
        old, new = sides[0][key], sides[1][key]
        graphs = [set().union(*values.values()) for values in (old, new)]
        if graphs[0] == graphs[1] and graphs[0].isdisjoint({"", change.subject.decode()}):
            yield key[0], min(old), min(new), tuple(sorted(graphs[0]))
