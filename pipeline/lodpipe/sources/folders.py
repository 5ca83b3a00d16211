"""The folders in which a mapping may name files.

| path | relative to | allowed below |
|---|---|---|
| `a.csv`, with `rml:root rml:MappingDirectory` or none | the folder of the mapping | that folder |
| `a.csv`, with `rml:root rml:CurrentWorkingDirectory` | the working directory | that directory |
| `a.csv`, with `rml:root "/data"`, or `/data/a.csv` | | folders that the user names (`--root`) |
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from lodpipe.sources.access import WORKING_DIRECTORY


class Folders(Struct, frozen=True):
    """`mapping` is the folder of the mapping, `working` the working directory, None where there is
    none to rely on; `named` are those that the user allows for absolute paths.
    """

    mapping: Path
    working: Path | None = None
    named: tuple[Path, ...] = ()

    def of_root(self, root: str) -> Path:
        """The folder that paths with a root (`Access.root`) are relative to."""
        return self.working or self.mapping if root == WORKING_DIRECTORY else self.mapping

    def may_read(self, path: Path, root: str) -> bool:
        """Whether a path without links is below one of the folders that its source may use."""
        return any(
            path.is_relative_to(folder.resolve()) for folder in (self.of_root(root), *self.named)
        )

    @property
    def all(self) -> tuple[Path, ...]:
        """Every folder that may be read."""
        return tuple(folder for folder in (self.mapping, self.working, *self.named) if folder)
