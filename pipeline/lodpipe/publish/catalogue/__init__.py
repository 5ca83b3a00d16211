"""The catalogue: what portals harvest, and the files next to the dumps; written after them and from
them as they are.

DCAT-AP, VoID, CSV tables, README and citation, withdrawn IRIs, web server rules; and the checks
that hold a written catalogue to its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import _duckdb as duckdb

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import Publication
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.engine.statements import Statements
from lodpipe.publish.catalogue.checks import catalogue_findings
from lodpipe.publish.catalogue.codes import unknown_codes
from lodpipe.publish.catalogue.csv_tables import query_findings, write_tables
from lodpipe.publish.catalogue.dcat import Computed, catalogue_graph
from lodpipe.publish.catalogue.offers import offers
from lodpipe.publish.catalogue.self_description import write_metadata, write_prefixes
from lodpipe.publish.catalogue.side import write_side_files
from lodpipe.publish.catalogue.signposting import landing_links, write_linkset
from lodpipe.publish.catalogue.versions import write_versions
from lodpipe.publish.catalogue.void import void_graph
from lodpipe.publish.catalogue.web import write_web
from lodpipe.publish.catalogue.withdrawn import write_withdrawn
from lodpipe.publish.dumps import copy_file
from lodpipe.releases.feed import DATA
from lodpipe.releases.history import History
from lodpipe.releases.tombstones import Withdrawn


def write_catalogue(
    project: Project,
    statements: Statements,
    vocabulary: Vocabulary,
    withdrawn: Withdrawn,
    folder: Path,
    history: History,
) -> None:
    """Everything of the catalogue into the folder that holds the dumps. Raises InvalidDeclaration
    for queries that fail.
    """
    publication = project.publication
    write_tables(statements.session, project, vocabulary, folder)
    dumps = list(offers(publication, folder))
    computed = _computed(project, statements.session)
    catalogue_graph(publication, dumps, computed, history).write(
        folder, "catalog", publication.base
    )
    (folder / "void.ttl").write_text(
        void_graph(publication, statements, vocabulary, dumps, _feeds(publication, history)).turtle(
            publication.base
        ),
        "utf-8",
    )
    (folder / ".well-known").mkdir()
    copy_file(folder / "void.ttl", folder / ".well-known/void")
    write_side_files(publication, dumps, folder, history, computed)
    write_withdrawn(withdrawn, publication.languages, folder)
    links = landing_links(publication, dumps)
    write_linkset(publication, links, folder)
    write_web(publication, withdrawn.tombstones, folder, history, links)
    if history.folder and not history.releases:
        _write_dated(project, folder)


def _feeds(publication: Publication, history: History) -> list[str]:
    """The files that say what changes: with pages the Atom feed, with releases the change feed."""
    atom = ["feed.atom"] if publication.site else []
    return [*atom, f"{DATA}.trig"] if history.releases else atom


def declaration_findings(project: Project, statements: Statements) -> Iterator[Finding]:
    """What is wrong with the catalogue's part of publication.yaml."""
    yield from unknown_codes(project)
    yield from query_findings(statements.session, project)


def gate(findings: Iterable[Finding]) -> None:
    """Holds a catalogue that was just written to its shapes and files, by the findings of
    `catalogue_findings`. Raises InvalidDeclaration: what is wrong is in publication.yaml.
    """
    wrong = [finding for finding in findings if finding.severity is Severity.ERROR]
    if wrong:
        raise InvalidDeclaration(wrong)


def _computed(project: Project, session: Session) -> Computed:
    """What the queries of publication.yaml find."""
    own = project.publication.catalogue
    try:
        points = session.rows(own.spatial.points) if own.spatial and own.spatial.points else []
        derived = [] if own.derived_from is None else session.rows(own.derived_from)
        return Computed(
            sorted(
                (Decimal(str(latitude)), Decimal(str(longitude)))
                for latitude, longitude, *_ in points
            ),
            sorted(str(row[0]).strip("<>") for row in derived),
        )
    except (duckdb.Error, ArithmeticError, ValueError) as error:
        raise InvalidDeclaration(
            [Finding("LP604", project.origin("catalogue"), {"detail": str(error).split("\n")[0]})]
        ) from None


def write_release_folder(
    project: Project, statements: Statements, folder: Path, history: History
) -> Path:
    """FOLDER/ of a release below dist/: the compressed dumps (else the plain ones), and a catalogue
    of this version that points to them. Returns the folder, which nothing changes once it is
    closed.
    """
    publication = project.publication
    assert history.folder is not None
    target = _copy_dumps(project, folder, history.folder)
    (target / "tables").mkdir()
    for path in sorted((folder / "tables").glob("*.csv")):
        copy_file(path, target / "tables" / path.name)
    graph = catalogue_graph(
        publication,
        list(offers(publication, target)),
        _computed(project, statements.session),
        history,
        dated=True,
    )
    (target / "catalog.ttl").write_text(graph.turtle(publication.base), "utf-8")
    return target


def _write_dated(project: Project, folder: Path) -> None:
    """DATE/ of a publication without a ledger: the dumps and the catalogue as they are."""
    copy_file(
        folder / "catalog.ttl",
        _copy_dumps(project, folder, project.publication.date) / "catalog.ttl",
    )


def _copy_dumps(project: Project, folder: Path, name: str) -> Path:
    publication = project.publication
    target = folder / name
    target.mkdir()
    for suffix in publication.dumps:
        packed, plain = (folder / f"{publication.name}.{end}" for end in (f"{suffix}.gz", suffix))
        path = packed if packed.is_file() else plain
        copy_file(path, target / path.name)
    return target


def carry_over(dist: Path, folder: Path, name: str) -> None:
    """Puts the files of a closed release from one dist/ into the next."""
    for path in sorted((dist / name).rglob("*")):
        target = folder / path.relative_to(dist)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(path, target)


__all__ = [
    "carry_over",
    "catalogue_findings",
    "declaration_findings",
    "gate",
    "write_catalogue",
    "write_metadata",
    "write_prefixes",
    "write_release_folder",
    "write_versions",
]
