"""The files by which a consumer of the last release gets to this one."""

from __future__ import annotations

from pathlib import Path

from lodpipe.publish.compression import gzip
from lodpipe.releases.change_formats import BY_NAME, View
from lodpipe.releases.change_set import ChangeSet

DELTAS = (
    ("changes.json", "json", False),
    ("added.nq", "added", True),
    ("removed.nq", "removed", True),
    ("patch.rdfp", "patch", True),
    ("update.ru", "update", True),
)
"""Name, format of CHANGE_FORMATS, and whether only the packed file is kept."""


def write_deltas(changes: ChangeSet, view: View, folder: Path) -> None:
    """changes.json, added.nq.gz, removed.nq.gz, patch.rdfp.gz and update.ru.gz."""
    for name, format_name, packed in DELTAS:
        path = folder / name
        with path.open("wb") as out:
            BY_NAME[format_name].write(changes, view, out)
        if packed:
            gzip(path)
            path.unlink()
