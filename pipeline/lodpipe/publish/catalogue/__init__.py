"""The catalogue: what portals harvest, and the files next to the dumps; written after them and from
them as they are.

DCAT-AP, VoID, CSV tables, README and citation, withdrawn IRIs, web server rules; and the checks
that hold a written catalogue to its files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import _duckdb as duckdb

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.engine.statements import Statements
from lodpipe.publish.catalogue.checks import catalogue_findings
from lodpipe.publish.catalogue.codes import unknown_codes
from lodpipe.publish.catalogue.csv_tables import query_findings, write_tables
from lodpipe.publish.catalogue.dcat import Computed, catalogue_graph
from lodpipe.publish.catalogue.offers import offers
from lodpipe.publish.catalogue.side import write_side_files
from lodpipe.publish.catalogue.void import void_graph
from lodpipe.publish.catalogue.web import write_web
from lodpipe.publish.catalogue.withdrawn import write_withdrawn
from lodpipe.releases.tombstones import Withdrawn
from lodpipe.shacl.shapes import Validator


def write_catalogue(
    project: Project,
    statements: Statements,
    vocabulary: Vocabulary,
    withdrawn: Withdrawn,
    folder: Path,
) -> None:
    """Everything of the catalogue into the folder that holds the dumps. Raises InvalidDeclaration
    for queries that fail.
    """
    publication = project.publication
    write_tables(statements.session, project, folder)
    dumps = list(offers(publication, folder))
    catalogue_graph(publication, dumps, _computed(project, statements.session)).write(
        folder, "catalog", publication.base
    )
    (folder / "void.ttl").write_text(
        void_graph(publication, statements, vocabulary, dumps).turtle(publication.base), "utf-8"
    )
    (folder / ".well-known").mkdir()
    _copy(folder / "void.ttl", folder / ".well-known/void")
    write_side_files(publication, dumps, folder)
    write_withdrawn(withdrawn, publication.languages, folder)
    write_web(publication, withdrawn.tombstones, folder)
    _write_dated(project, folder)


def declaration_findings(project: Project, statements: Statements) -> Iterator[Finding]:
    """What is wrong with the catalogue's part of publication.yaml."""
    yield from unknown_codes(project)
    yield from query_findings(statements.session, project)


def gate(project: Project, folder: Path, validator: Validator) -> None:
    """Holds a catalogue that was just written to its shapes and files. Raises InvalidDeclaration:
    what is wrong is in publication.yaml.
    """
    wrong = [
        catalogue_finding
        for catalogue_finding in catalogue_findings(project, folder, validator)
        if catalogue_finding.severity is Severity.ERROR
    ]
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


def _write_dated(project: Project, folder: Path) -> None:
    """DATE/: the compressed dumps (else the plain ones) and the catalogue of this release under an
    address that never changes.
    """
    publication = project.publication
    target = folder / publication.date
    target.mkdir()
    for suffix in publication.dumps:
        packed, plain = (folder / f"{publication.name}.{end}" for end in (f"{suffix}.gz", suffix))
        path = packed if packed.is_file() else plain
        _copy(path, target / path.name)
    _copy(folder / "catalog.ttl", target / "catalog.ttl")


def _copy(path: Path, target: Path) -> None:
    """The same bytes under a second name, without taking their place twice where the disk can do
    that.
    """
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


__all__ = ["catalogue_findings", "declaration_findings", "gate", "write_catalogue"]
