"""The packages that executors need, as an archive that Spark unpacks on each of them.

    python -m lodpipe.engine.spark.packages executors.tar.gz

They are those of this environment, so driver and executors have the same versions.
"""

from __future__ import annotations

import re
import sys
import tarfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import lodpipe

_ROOTS = ("lodpipe", "pyarrow")


def distributions(names: tuple[str, ...] = _ROOTS) -> list[Distribution]:
    """Installed packages by name, with all that they require; what only an extra needs is left out."""
    installed: dict[str, Distribution] = {}
    queue = list(names)
    while queue:
        name = _normal(queue.pop())
        if name in installed:
            continue
        try:
            installed[name] = distribution(name)
        except PackageNotFoundError:  # for another system or version of Python
            continue
        for requirement in installed[name].requires or []:
            if "extra ==" not in requirement:
                queue.append(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
    return [installed[name] for name in sorted(installed)]


def files(item: Distribution) -> Iterator[tuple[Path, str]]:
    """The files of a package with their names in the archive, without scripts and compiled modules."""
    for file in item.files or []:
        name = file.as_posix()
        if not name.startswith(("..", "/")) and "__pycache__" not in name:
            path = Path(str(file.locate()))
            if path.is_file() and path.suffix != ".pth":
                yield path, name
    if _normal(item.metadata["Name"]) == "lodpipe":  # also where it is used from its sources
        root = Path(lodpipe.__file__).parent
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, f"lodpipe/{path.relative_to(root).as_posix()}"


def write_archive(target: Path) -> int:
    """Writes the archive, and gives how many packages it has."""
    items = distributions()
    written: set[str] = set()
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for item in items:
            for path, name in files(item):
                if name not in written:
                    archive.add(path, name, recursive=False)
                    written.add(name)
    return len(items)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m lodpipe.engine.spark.packages ARCHIVE.tar.gz")
    print(f"{write_archive(Path(sys.argv[1]))} packages in {sys.argv[1]}")
