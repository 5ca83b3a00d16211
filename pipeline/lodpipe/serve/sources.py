"""What a server serves: the dist/ of a project, or one file of RDF without a project."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin, SourceError
from lodpipe.queries.store_files import cache_folder
from lodpipe.rdf.file_formats import BY_SUFFIX, FORMATS
from lodpipe.serve.content import Content, read_content

_SUFFIXES = tuple(row.suffix for row in FORMATS if row.parser or row.suffix == "parquet")


@dataclass(frozen=True)
class Source:
    """Where the content comes from: `read` reads its present state, `watched` is a file that
    changes with it, `stores` names the folder for its stores on disk, `label` is the path for
    findings, `project` has the declarations that the API is made of.

    `read` raises SourceError where there is nothing to serve.
    """

    read: Callable[[], Content]
    watched: Path
    stores: Callable[[], Path]
    label: str
    project: Project | None = None

    def stamp(self) -> tuple[int, int] | None:
        """Differs for each state of the content; None where there is none now."""
        with contextlib.suppress(OSError):
            state = self.watched.stat()
            return state.st_mtime_ns, state.st_ino
        return None

    def unreadable(self, content: Content, detail: str) -> SourceError:
        """The error for content that cannot be loaded (LP822)."""
        files = ", ".join(Path(path).name for path, _ in content.dumps)
        return SourceError(
            [Finding("LP822", Origin(self.label), {"files": files, "detail": detail})]
        )

    def with_stores_in(self, folder: Path) -> Source:
        """The same with its stores in that folder."""
        return replace(self, stores=lambda: folder)


def of_project(project: Project) -> Source:
    """The dist/ of a project."""
    return Source(
        lambda: read_content(project),
        project.dist / "SHA256SUMS",
        lambda: cache_folder("serve", project.root),
        "dist",
        project,
    )


def of_file(path: Path) -> Source:
    """A file of RDF, compressed (.gz) or not, or a statement table (.parquet). Raises SourceError
    (LP823) where its suffix is none of these.
    """
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    format_ = BY_SUFFIX.get(suffix.removesuffix(".gz").removeprefix("."))
    if format_ is None or format_.suffix not in _SUFFIXES or suffix == ".parquet.gz":
        names = {"file": path.name, "suffixes": ", ".join(_SUFFIXES)}
        raise SourceError([Finding("LP823", None, names)])
    form = format_.suffix + (".gz" if path.suffix == ".gz" else "")
    return Source(
        lambda: _content_of(path.absolute(), form),
        path.absolute(),
        lambda: cache_folder("file", path),
        str(path),
    )


@dataclass(frozen=True)
class _FileContent(Content):
    """One file: an endpoint without resources, pages and files."""

    form: str = ""

    @property
    def dumps(self) -> list[tuple[str, str]]:
        """The file that workers load, with its format."""
        return [(str(self.dist / self.name), self.form)]

    @property
    def metadata(self) -> tuple[str, ...]:
        """None: nothing describes the file."""
        return ()

    def file(self, address: str) -> Path | None:
        """None: what is beside the file is not published."""
        return None

    def of_base(self, accept: str) -> str | None:
        """The endpoint, which describes itself."""
        return "sparql"

    def links(self, address: str) -> str:
        """None."""
        return ""


def _content_of(path: Path, form: str) -> Content:
    """Raises SourceError (LP822) where the file cannot be read."""
    try:
        state = path.stat()
        with path.open("rb"):
            pass
    except OSError as error:
        detail = {"files": path.name, "detail": error.strerror or str(error)}
        raise SourceError([Finding("LP822", Origin(str(path)), detail)]) from None
    mark = f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
    version = hashlib.sha256(mark.encode()).hexdigest()[:16]
    return _FileContent(path.parent, path.name, "", version, ("en",), {}, {}, form=form)
