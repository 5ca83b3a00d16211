"""Hidden files are no sources: editors keep locks (Emacs: a link to nowhere) and half-saved copies
beside the real ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lodpipe.documents.snapshot import snapshot
from support import copy_project, invoke

FILES = [
    "source/labs/brandis.yaml", "source/mapping.yaml", "ontology/terms.ttl", "shapes/events.ttl", "queries/labs-per-land.rq",
    "queries/results/labs-per-land.csv",
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("hidden") / "project")


@pytest.mark.parametrize("kind", ["lock", "copy"])
def test_hidden_files_beside_sources_are_not_read(kind: str, project: Path) -> None:
    wanted = (invoke("check", "--project", project).stderr, snapshot(project))
    hidden = []
    for name in FILES:
        path = project / name
        assert path.is_file(), name
        hidden.append(path.with_name(f".#{path.name}"))
        hidden[-1].symlink_to("someone@machine.4711:1764300000") if kind == "lock" else hidden[
            -1
        ].write_bytes(path.read_bytes() + b"half")
    try:
        assert (invoke("check", "--project", project).stderr, snapshot(project)) == wanted
    finally:
        for path in hidden:
            path.unlink()
