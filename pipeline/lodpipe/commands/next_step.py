"""What to do next in a folder: `lodpipe` without a command looks at the files, and
names the commands that fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

DOCUMENTATION = "docs/tutorial.md"  # in the repository
_PARTS = {
    "source/records.yaml": "declares the record tables",
    "source/mapping.yaml": "maps fields to statements",
}
_NAMED = 3  # changed files that are named


def next_steps(folder: Path, commands: Collection[str]) -> Iterator[str]:
    """The state of a folder and the commands that come next, as lines; `commands` are those of the
    program.
    """
    if not (folder / "publication.yaml").is_file():
        yield from _without_publication(folder, commands)
        return
    yield f"{_title(folder)} in this folder."
    missing = [
        (name, purpose) for name, purpose in _PARTS.items() if not _exists(folder / name, folder)
    ]
    if missing:
        yield from (
            f"{name} is missing: it {purpose} ({DOCUMENTATION})." for name, purpose in missing
        )
        yield from _listed(("lodpipe check", "reports what else is wrong"))
        return
    sums = folder / "dist" / "SHA256SUMS"
    if not sums.is_file():
        yield "It has not been built yet."
        yield from _listed(
            ("lodpipe check", "validates the records"),
            ("lodpipe build", "validates and writes dist/"),
        )
        return
    if newer := _newer(folder, sums):
        names = ", ".join(newer[:_NAMED]) + (" …" if len(newer) > _NAMED else "")
        yield f"Newer than dist/: {names}."
        yield from _listed(
            ("lodpipe check", "validates the records, and says whether dist/ is outdated"),
            ("lodpipe build", "writes dist/ again"),
        )
        return
    yield "dist/ is newer than all sources."
    yield from _listed(
        ("lodpipe serve", "shows the pages and a SPARQL endpoint on this machine"),
        ("lodpipe query", "lists the sample queries"),
        ("lodpipe release", "closes a release"),
    )


def _without_publication(folder: Path, commands: Collection[str]) -> Iterator[str]:
    yield "There is no publication.yaml in this folder."
    for parent in folder.resolve().parents:
        if (parent / "publication.yaml").is_file():
            up = "/".join([".."] * (len(folder.resolve().parents) - len(parent.parents)))
            yield from _listed((f"lodpipe check --project {up}", "the publication around it"))
            return
    inside = sorted(path.parent.name for path in folder.glob("*/publication.yaml"))
    if inside:
        yield from _listed(*((f"lodpipe check --project {name}", "") for name in inside[:_NAMED]))
        return
    steps = [("lodpipe init", "makes a publication of the records in this folder")]
    yield from _listed(
        *(step for step in steps if "init" in commands),
        ("lodpipe map MAPPING", "runs an RML, R2RML or YARRRML mapping without a publication"),
        ("lodpipe validate DATA --shapes SHAPES", "validates RDF files"),
    )
    yield f"What a publication consists of: {DOCUMENTATION}."


def _title(folder: Path) -> str:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import LodpipeError

    try:
        publication = Project.open(folder).publication
    except LodpipeError:
        return "A publication whose publication.yaml has errors"
    return f"The publication `{publication.name}` {publication.version}"


def _exists(path: Path, folder: Path) -> bool:
    return path.is_file() or (
        path.name == "mapping.yaml" and any((folder / "source").glob("*.rml.ttl"))
    )


def _newer(folder: Path, sums: Path) -> list[str]:
    """The files that were saved after the last build, the newest first."""
    from lodpipe.documents.snapshot import snapshot

    built = sums.stat().st_mtime_ns
    states = snapshot(folder).items()
    newer = sorted(((state[0], name) for name, state in states if state[0] > built), reverse=True)
    return [name for _, name in newer]


def _listed(*steps: tuple[str, str]) -> Iterator[str]:
    """Commands in a column, with what each does."""
    width = max(len(command) for command, _ in steps)
    yield from (f"  {command.ljust(width)}  {purpose}".rstrip() for command, purpose in steps)
