"""What the last build checked and had no findings for, so that the same is not checked again.

The file `.checked` of the old site has a line for each such check: a digest of everything that
decides its findings, which is the program, its files of the project, and its data. A check with
findings is never in it, and is always run again; so is every check where the file is missing,
damaged, or of another version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lodpipe.diagnostics.finding import Finding
from lodpipe.site.reuse import files_digest

FILE = ".checked"


class Confirmed:
    """The checks of the last build without findings, and those of this one; `is_written` says that they
    may be written for the next one.
    """

    def __init__(self, root: Path, dist: Path, *, is_written: bool = True) -> None:
        self._root = root
        self._now: set[str] = set()
        try:
            self._before = set((dist / "site" / FILE).read_text("utf-8").split())
        except (OSError, ValueError):
            self._before = set()
        self._is_used = is_written or bool(self._before)

    def key(self, check: str, files: Iterable[str], *data: str | Callable[[], str]) -> str:
        """The line of a check: its name, the files and folders of the project that it reads, and
        what else decides its findings, in a spelling that is always the same; digests of large data
        are made by functions. Empty where no line is compared or kept.
        """
        if not self._is_used:
            return ""
        given = (item if isinstance(item, str) else item() for item in data)
        return files_digest(self._root, files, check, *given)

    def knows(self, key: str) -> bool:
        """Whether a check had no findings before; it has none now."""
        if key in self._before:
            self._now.add(key)
        return key in self._now

    def findings(self, key: str, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings of a check, which are looked for only where there may be some."""
        if self.knows(key):
            return
        is_clean = True
        for finding in findings:
            is_clean = False
            yield finding
        if is_clean and key:
            self._now.add(key)

    def write(self, site: Path) -> None:
        """Writes the checks of this run for the next one."""
        (site / FILE).write_text("".join(f"{key}\n" for key in sorted(self._now)), "utf-8")
