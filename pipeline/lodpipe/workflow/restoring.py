"""Brings back the folders of closed releases from where they are published."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.releases.gates import file_findings
from lodpipe.releases.ledger import Release, checksums_of, read_ledger
from lodpipe.runtime import scratch
from lodpipe.runtime.atomic import exclusive

_TIMEOUT = 60.0  # seconds without a byte


def restore_releases(
    project: Project, source: str, on_progress: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Fetches every folder of a closed release that dist/ lacks or that is damaged there; returns
    their names.

    `source` is a folder or the address at which dist/ is served. A folder takes its place only when
    each file has the SHA-256 of the ledger. Raises InvalidData (LP547) with every release that
    could not be had; the others are restored.
    """
    ledger = read_ledger(project.root)
    restored: list[str] = []
    findings: list[Finding] = []
    with exclusive(project.root):
        for release in ledger.releases:
            target = project.dist / release.folder
            if checksums_of(target) == release.files:
                continue
            on_progress(f"restoring {release.folder}")
            project.dist.mkdir(exist_ok=True)
            with scratch.part_folder(project.dist) as part:
                try:
                    _fetch(release, source, part / release.folder)
                except (OSError, ValueError) as error:
                    findings.append(_missing(release, source, error))
                    continue
                wrong = list(file_findings(ledger, part, only=release))
                findings += wrong
                if not wrong:
                    scratch.delete(target)
                    (part / release.folder).rename(target)
                    restored.append(release.folder)
    if findings:
        raise InvalidData(findings)
    return restored


def _fetch(release: Release, source: str, target: Path) -> None:
    for name in release.files:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if urlsplit(source).scheme in ("http", "https"):
            address = f"{source.rstrip('/')}/{release.folder}/{quote(name)}"
            with (
                urllib.request.urlopen(address, timeout=_TIMEOUT) as answer,
                path.open("wb") as out,
            ):
                shutil.copyfileobj(answer, out)
        else:
            shutil.copyfile(Path(source) / release.folder / name, path)


def _missing(release: Release, source: str, error: Exception) -> Finding:
    reason = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
    params = {
        "folder": release.folder,
        "version": release.version,
        "detail": f"cannot be fetched from {source} ({reason})",
    }
    return Finding("LP547", Origin(f"dist/{release.folder}"), params)
