"""Two versions of a publication side by side."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.rdf.namespaces import RDF, RDFS, Namespaces
from lodpipe.releases.change_formats import BY_NAME, View
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.graph_versions import find_version
from lodpipe.releases.ledger import read_ledger
from lodpipe.releases.naming import Terms, project_terms

_WITHOUT_PROJECT = Terms(Namespaces({"rdf": RDF, "rdfs": RDFS, "schema": "https://schema.org/"}))


def write_difference(
    root: Path,
    versions: tuple[str | None, str | None],
    format_name: str,
    out: IO[bytes],
    language: str,
    limit: int | None = None,
) -> None:
    """Writes the difference of two versions in a format of CHANGE_FORMATS.

    The first is the last closed release, the second dist/, where they are None; resources and
    properties have the names that the project declares, if there is one. Raises InvalidDeclaration
    (LP541) for a version that cannot be found.
    """
    project = Project.open(root) if (root / "publication.yaml").is_file() else None
    ledger = read_ledger(root)
    old_name, new_name = versions
    if old_name is None and not ledger:
        params = {
            "version": "",
            "detail_en": "no release is closed yet, so name the old version",
            "detail_de": "noch ist keine Veröffentlichung abgeschlossen; die alte Version nennen",
        }
        raise InvalidDeclaration([Finding("LP541", None, params)])
    stem = project.publication.name if project else "*"
    old = find_version(old_name or ledger.last.version, root, ledger, stem)
    new = find_version(new_name or str(root / "dist"), root, ledger, stem)
    with ChangeSet(old, new) as changes:
        BY_NAME[format_name].write(changes, _view(project, language, limit), out)


def _view(project: Project | None, language: str, limit: int | None) -> View:
    if project is None:
        return View(_WITHOUT_PROJECT, language, limit)
    vocabulary = read_vocabulary(project.root, project.publication.base)
    return View(project_terms(project, vocabulary), language, limit)
