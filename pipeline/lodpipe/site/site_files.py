"""Files of a site, written by the calls of the system: a site has a third of a million of them, and a
path object costs as much as the file.
"""

from __future__ import annotations

import os
from pathlib import Path


class SiteFiles:
    """Writes files below a folder; a folder is made where it is missing, and stays open until a file
    of another one is written.
    """

    def __init__(self, folder: Path) -> None:
        self._root = str(folder)
        self._folder: str | None = None
        self._descriptor = -1

    def put(self, name: str, content: bytes) -> int:
        """Writes a file and returns its size. What exists already (a tree of dist/, a link to its
        bytes) stays as it is.
        """
        folder, _, last = name.rpartition("/")
        if folder != self._folder:
            self._open(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            file = os.open(last, flags, 0o666, dir_fd=self._descriptor)
        except FileExistsError:
            return os.stat(last, dir_fd=self._descriptor, follow_symlinks=False).st_size
        try:
            if (done := os.write(file, content)) < len(content):
                rest = memoryview(content)[done:]
                while rest:
                    rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        return len(content)

    def _open(self, folder: str) -> None:
        self.close()
        path = f"{self._root}/{folder}"
        Path(path).mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder = folder

    def close(self) -> None:
        """Closes the folder that is open."""
        if self._folder is not None:
            os.close(self._descriptor)
            self._folder = None
