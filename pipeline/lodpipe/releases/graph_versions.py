"""A version of a graph by the name that users give it: a file, a folder, a release, a git revision.

All of them become sorted lines of N-Quads, which is what `difference.py` compares.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import Enum, auto
from io import SEEK_END, BufferedReader
from operator import lt
from pathlib import Path
from types import TracebackType
from typing import IO, cast

import pyoxigraph as ox

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidDeclaration,
    SourceError,
    invalid_rdf,
)
from lodpipe.engine.parquet import statement_lines
from lodpipe.rdf.file_formats import BY_SUFFIX, PARSERS
from lodpipe.releases.difference import BLOCK
from lodpipe.releases.ledger import Ledger
from lodpipe.releases.line_sort import sort_lines

# What canonical N-Quads do not contain: other spellings of a character, a string, a space.
_ODD = (b"\t", b"\r", b"XMLSchema#string>")
_SPACES = re.compile(rb">  ")  # takes half the time of a search in bytes
_ESCAPED = re.compile(rb"\\(?:U|u(?!00(?:[01][0-9A-F]|7F)))")
_NO_STATEMENT = re.compile(rb"\n(?:#|(?<! \.\n))")  # a comment, or an end other than ` .`
_DATA = ("nq", "trig", "nt", "ttl", "jsonld", "rdf", "xml", "parquet")
_TRIPLES = ("nt", "ttl", "jsonld", "rdf", "xml")


@dataclass(frozen=True)
class GraphVersion:
    """A version to compare: the name that it was given, and how its file is opened.

    `suffix` is the format of the file; `read` opens it again each time; `canonical` where a build
    wrote it, so that its spelling need not be checked.
    """

    name: str
    suffix: str
    read: Callable[[], AbstractContextManager[IO[bytes]]]
    path: Path | None = None
    canonical: bool = False

    @property
    def has_graphs(self) -> bool:
        """Whether the file keeps the graph of each statement."""
        return self.suffix not in _TRIPLES


class SortedLines(AbstractContextManager["SortedLines"]):
    """The lines of a version in byte order, each once; may be read several times while open.

    A file in canonical order is read as it is; any other is sorted into a temporary file first,
    and parsed where its lines are not those of canonical N-Quads. Raises SourceError (LP603) for
    what is no RDF.
    """

    def __init__(self, version: GraphVersion, *, graphs: bool = True) -> None:
        self._version, self._graphs = version, graphs
        self._stack = ExitStack()
        self._sorted: Path | None = None

    def __enter__(self) -> SortedLines:
        version = self._version
        try:
            form = _form(version)
            if form is not _Form.SORTED:
                lines = _lines(version) if form is _Form.SPELLED else _parsed(version)
                folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lodpipe-"))
                self._sorted = sort_lines(lines, Path(folder))
        except (SyntaxError, gzip.BadGzipFile, EOFError) as error:
            raise self._invalid(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def chunks(self, start: bytes = b"") -> Iterator[bytes]:
        """Chunks of bytes, together all lines; where the file allows it, from a line that is not
        after `start`.
        """
        chunks = self._raw(start)
        return chunks if self._graphs or not self._version.has_graphs else _without_graphs(chunks)

    def check(self, lines: Sequence[bytes]) -> None:
        """Raises SourceError (LP603) where one of some lines of the version is no statement: what is
        in order is not parsed as a whole.
        """
        if self._version.canonical or self._version.suffix not in ("nq", "nt"):
            return
        for line in lines:
            try:
                list(ox.parse(line, format=ox.RdfFormat.N_QUADS))
            except SyntaxError as error:
                text = line[:80].decode("utf-8", "replace")
                invalid = ValueError(f"`{text}`: {error.msg}")
                raise self._invalid(invalid) from None

    def _invalid(self, error: Exception) -> SourceError:
        format_name = BY_SUFFIX[self._version.suffix].label
        return SourceError([invalid_rdf(self._version.name, format_name, error)])

    def _raw(self, start: bytes) -> Iterator[bytes]:
        opened = self._sorted.open("rb") if self._sorted else self._version.read()
        with opened as file:
            if start and isinstance(file, BufferedReader):  # not packed
                _seek(file, start)
            while chunk := file.read(BLOCK):
                yield chunk


def _seek(file: BufferedReader, start: bytes) -> None:
    """Moves to a line before the first one that is not below `start`, less than a block before it;
    to the begin of the file where that is nearer.
    """
    low, high = 0, file.seek(0, SEEK_END)
    while high - low > BLOCK:
        file.seek((low + high) // 2)
        file.readline()
        at = file.tell()
        if at < high and file.readline() < start:
            low = at
        else:
            high = (low + high) // 2
    file.seek(low)


def canonical_file(path: Path, name: str) -> GraphVersion:
    """A file of canonical N-Quads under the name of its version."""
    return GraphVersion(name, "nq", lambda: path.open("rb"), path, canonical=True)


def find_version(name: str, root: Path, ledger: Ledger, stem: str) -> GraphVersion:
    """The version that a user means: a path, else the number of a release, else a git revision.

    `stem` is the name of the publication's dumps. Raises InvalidDeclaration (LP541) where it is
    none of them.
    """
    path = Path(name)
    if path.is_dir():
        folder = path / "dist" if (path / "publication.yaml").is_file() else path
        if dump := _dump_in(folder):
            written = (folder / "SHA256SUMS").is_file()
            return _file_version(name, dump, canonical=written)
        raise _unknown(name, f"{folder} holds no dump", f"{folder} enthält keinen Dump")
    if path.is_file():
        return _file_version(name, path)
    if release := ledger.find(name):
        if dump := _dump_in(root / "dist" / release.folder):
            return _file_version(name, dump, canonical=True)
        where = f"dist/{release.folder}"
        raise _unknown(name, f"{where} holds no dump of it", f"{where} enthält keinen Dump davon")
    return _revision(name, root, stem)


def release_version(root: Path, ledger: Ledger, version: str) -> GraphVersion:
    """The dump of a closed release. Raises InvalidDeclaration (LP541) where its folder is gone."""
    return find_version(version, root, ledger, "")


def _dump_in(folder: Path) -> Path | None:
    """The dump of a folder that keeps most: N-Quads rather than Turtle, plain rather than packed."""
    for suffix in _DATA:
        for end in (suffix, f"{suffix}.gz"):
            paths = sorted(path for path in folder.glob(f"*.{end}") if _is_dump(path))
            if paths:
                return paths[0]
    return None


def _is_dump(path: Path) -> bool:
    """Whether a file holds the data, not what is written beside them."""
    stem, _, suffixes = path.name.partition(".")
    beside = "catalog|void|dataset|queries|shapes|withdrawn|added|removed|feed|metadata|prefixes|croissant"
    return not suffixes.startswith("rdf12.") and not re.match(f"({beside})(-|$)", stem)


def _file_version(name: str, path: Path, *, canonical: bool = False) -> GraphVersion:
    packed = path.suffix == ".gz"
    suffix = (path.with_suffix("") if packed else path).suffix[1:].lower()
    if suffix not in (*PARSERS, "parquet"):
        known = ", ".join(PARSERS)
        raise _unknown(
            name,
            f"format `{suffix}` is not known; known are {known}",
            f"das Format `{suffix}` ist unbekannt; bekannt sind {known}",
        )
    return GraphVersion(
        name,
        suffix,
        lambda: cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb"),
        path,
        canonical and suffix in ("nq", "nt"),
    )


def _revision(name: str, root: Path, stem: str) -> GraphVersion:
    """The dump that a git revision holds."""
    for end in ("nq", "nq.gz", "nt", "nt.gz"):
        file = f"{name}:./dist/{stem}.{end}"
        command = ["git", "-C", str(root), "cat-file", "-e", file]
        try:
            exists = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            break
        if exists:

            def read(file: str = file, packed: bool = end.endswith(".gz")) -> IO[bytes]:
                output = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
                command = ["git", "-C", str(root), "cat-file", "blob", file]
                subprocess.run(command, stdout=output, check=True)
                output.seek(0)
                return cast("IO[bytes]", gzip.GzipFile(fileobj=output)) if packed else output

            return GraphVersion(name, end.removesuffix(".gz"), read)
    raise _unknown(
        name,
        "it is no file, no folder, no closed release and no git revision with a dump in dist/",
        "weder Datei noch Ordner, abgeschlossene Veröffentlichung oder Git-Revision mit einem Dump in dist/",
    )


def _unknown(name: str, english: str, german: str) -> InvalidDeclaration:
    params = {"version": name, "detail_en": english, "detail_de": german}
    return InvalidDeclaration([Finding("LP541", None, params)])


class _Form(Enum):
    """What a file has of the canonical form: order and spelling, the spelling of its lines alone, or
    neither.
    """

    SORTED = auto()
    SPELLED = auto()
    OTHER = auto()


def _form(version: GraphVersion) -> _Form:
    if version.canonical:
        return _Form.SORTED
    if version.suffix not in ("nq", "nt"):
        return _Form.OTHER
    form, last = _Form.SORTED, b""
    with version.read() as file:
        for data in _whole_lines(file):
            lines = data.split(b"\n")
            if lines.pop() or not _is_spelled(data):
                return _Form.OTHER
            if form is _Form.SORTED and not _is_ascending([last, *lines]):
                form = _Form.SPELLED
            last = lines[-1]
    return form


def _is_ascending(lines: list[bytes]) -> bool:
    return all(map(lt, lines, lines[1:]))


def _is_spelled(data: bytes) -> bool:
    """Whether lines with their breaks are spelled as the canonical form spells them."""
    return not (
        any(part in data for part in _ODD)
        or (b"\\" in data and _ESCAPED.search(data))
        or data.startswith(b"#")
        or _NO_STATEMENT.search(data)
        or _SPACES.search(data)
    )


def _whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Some megabytes at a time that end with a line break; the last of a file may have none."""
    rest = b""
    while chunk := file.read(BLOCK):
        data, end, rest = (rest + chunk).rpartition(b"\n")
        if data:
            yield data + end
    if rest:
        yield rest


def _lines(version: GraphVersion) -> Iterator[bytes]:
    with version.read() as file:
        yield from file


def _parsed(version: GraphVersion) -> Iterator[bytes]:
    """The statements of a file as lines, in the order of the file."""
    if version.suffix == "parquet":
        assert version.path is not None  # git holds no Parquet that this reads
        yield from (f"{line}\n".encode() for line in statement_lines(version.path))
        return
    with version.read() as file:
        base = version.path.resolve().as_uri() if version.path else None
        for quad in ox.parse(file, format=PARSERS[version.suffix], base_iri=base):
            graph = "" if isinstance(quad.graph_name, ox.DefaultGraph) else f" {quad.graph_name}"
            yield f"{quad.triple}{graph} .\n".encode()


def _without_graphs(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of N-Quads as lines of N-Triples, each once."""
    rest, last = b"", b""
    for chunk in chunks:
        data, _, rest = (rest + chunk).rpartition(b"\n")
        lines = [without_graph(line) for line in data.split(b"\n")] if data else []
        different = [
            line for before, line in zip([last, *lines], lines, strict=False) if line != before
        ]
        if lines:
            last = lines[-1]
        if different:
            yield b"\n".join(different) + b"\n"


_GRAPH = re.compile(rb" (?:<[^<>\" ]*>|_:[^ ]+) \.$")


def without_graph(line: bytes) -> bytes:
    """A line of N-Quads as one of N-Triples: what follows the object, if anything does, is left out.

    >>> without_graph(b'<s> <p> "a" <g> .'), without_graph(b"<s> <p> <o> .")
    (b'<s> <p> "a" .', b'<s> <p> <o> .')
    """
    *_, value = line.split(b" ", 2)
    if not value.startswith(b'"') and value.count(b" ") < 2:
        return line  # an IRI or blank node, and no graph
    return _GRAPH.sub(b" .", line)
