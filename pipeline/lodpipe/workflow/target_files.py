"""The files that the logical targets of a mapping name: where they may be, and what is written there.

Which targets a statement has is known before any data is read (Select.targets). So the plan is
divided: the statements of each set of files are a plan of their own over the same loaded sources,
written as any plan is, sorted and each once. The statements without targets are the default output.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration
from lodpipe.engine.plan_engines import PlanEngine
from lodpipe.engine.results import Output, Stage
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.logical_target import (
    COMPRESSIONS,
    FORMATS,
    MAPPING_FOLDER,
    WORKING_FOLDER,
    LogicalTarget,
)
from lodpipe.mapping.model import LogicalSource, MappingDocument
from lodpipe.mapping.planning.plan import Plan
from lodpipe.publish.archives import PACKERS, encode_utf16
from lodpipe.rdf.rdf_json import write_rdf_json
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.runtime.whole_files import is_work_file, work_file

_LINES = ("nq", "nt")
_NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")  # XML 1.0, 2.2
_XML_NAME = re.compile(r"[^\W\d][\w.·-]*>", re.UNICODE)
_XML_PREFIX = re.compile(r"(?!xml)([A-Za-z_][\w.-]*)?", re.IGNORECASE | re.ASCII)
_CHUNK = 1 << 20


class TargetFile(NamedTuple):
    """A file for the statements of one or more logical targets, which describe it alike."""

    path: Path
    name: str
    targets: tuple[LogicalTarget, ...]

    @property
    def how(self) -> LogicalTarget:
        """Format, compression and encoding."""
        return self.targets[0]

    @property
    def member(self) -> str:
        """The name of the file before it is compressed."""
        return self.path.name.removesuffix(COMPRESSIONS[self.how.compression])


class Written(NamedTuple):
    """How many statements a file has, and the name that it is reported by."""

    name: str
    statements: int


class TargetFolders(NamedTuple):
    """The mapping file, the folder of the run, and other folders in which targets may be."""

    mapping: Path
    working: Path
    allowed: tuple[Path, ...] = ()


# -- where targets are -----------------------------------------------------------------------------


def target_files(
    document: MappingDocument, folders: TargetFolders, output: Path | None
) -> tuple[TargetFile, ...]:
    """The files of all logical targets, in the order of the mapping.

    Raises InvalidDeclaration (LP602) for each that may not be written: outside of the folders for
    targets, in the place of a source, of the mapping or of the `output`, or described in two ways.
    """
    files: dict[Path, TargetFile] = {}
    findings: list[Finding] = []
    for target in document.targets:
        try:
            path = _place(target, folders)
            _check_place(path, document, folders, output)
            known = files.get(path)
            if known and _description(known.how) != _description(target):
                raise ValueError(
                    f"another target writes `{known.name}` in another format, compression or encoding"
                )
            files[path] = TargetFile(
                path, _short(path, folders), (*(known.targets if known else ()), target)
            )
        except (ValueError, OSError, RuntimeError) as error:  # links in a circle, a NUL in a name
            detail = error.strerror if isinstance(error, OSError) else None
            reason = detail or str(error)
            findings.append(
                Finding("LP602", target.origin, {"detail": f"target `{target.path}`: {reason}"})
            )
    if findings:
        raise InvalidDeclaration(findings)
    return tuple(files.values())


def _place(target: LogicalTarget, folders: TargetFolders) -> Path:
    """The path of a target. Raises ValueError where no target may be there."""
    beside = folders.mapping.parent
    roots = {WORKING_FOLDER: folders.working, MAPPING_FOLDER: beside}
    path = (roots.get(target.root, beside / target.root) / target.path).resolve()
    allowed = [folder.resolve() for folder in (folders.working, beside, *folders.allowed)]
    if not target.path:
        raise ValueError("the path is empty")
    if not any(path.is_relative_to(folder) for folder in allowed):
        raise ValueError(
            "it is neither below the working directory nor below the mapping; "
            f"--root {path.parent} allows it"
        )
    if path.is_dir():
        raise ValueError("it is a folder")
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    if not path.parent.is_dir():
        raise ValueError("its folder does not exist; create it")
    return path


def _check_place(
    path: Path, document: MappingDocument, folders: TargetFolders, output: Path | None
) -> None:
    """Raises ValueError where something else has that place."""
    if path == folders.mapping.resolve():
        raise ValueError("it is the mapping itself")
    if output is not None and path == output.resolve():
        raise ValueError("it is the default output (--out) as well")
    for source in document.sources:
        if any(_reads(source, path, root) for root in (folders.mapping.parent, folders.working)):
            raise ValueError(f"`{source.text}` is a source; sources are not overwritten")


def _reads(source: LogicalSource, path: Path, root: Path) -> bool:
    """Whether a source would read a file, now or in the next run."""
    if source.kind in ("table", "query"):
        return False
    named = source.text
    if source.kind == "sql":
        named = (source.database or "").removeprefix("sqlite:").removeprefix("///")
    if not named or "://" in named:
        return False
    place = (root / named).resolve()
    pattern = str((root / named).absolute())
    return path == place or path.parent == place or fnmatch.fnmatchcase(str(path), pattern)


def _description(target: LogicalTarget) -> tuple[str, str, str]:
    return target.format.name, target.compression, target.encoding


def _short(path: Path, folders: TargetFolders) -> str:
    """The path below the working directory where it is there."""
    working = folders.working.resolve()
    return str(path.relative_to(working) if path.is_relative_to(working) else path)


# -- what is written -------------------------------------------------------------------------------


def without_targets(plan: Plan) -> Plan:
    """The plan of the default output."""
    return plan.only(lambda targets: not targets)


class TargetWriter:
    """Writes the files of a plan's targets; `terms` shortens the terms of Turtle."""

    def __init__(self, engine: PlanEngine, plan: Plan, terms: TermWriter) -> None:
        self._engine, self._plan, self._terms = engine, plan, terms

    def write(self, files: Sequence[TargetFile], parts: Sequence[Path]) -> Iterator[Written]:
        """Writes each file into its part. What files have in common is made once."""
        for members in self._by_statements(files, parts).values():
            plan = self._plan.only(partial(_has, members[0][0]))
            plain = _Plain(self._engine, plan, self._terms)
            try:
                for file, part in members:
                    with _named(part):
                        count = plain.write(file, part)
                    yield Written(file.name, count)
            finally:
                plain.close()

    def _by_statements(
        self, files: Sequence[TargetFile], parts: Sequence[Path]
    ) -> dict[tuple[bool, ...], list[tuple[TargetFile, Path]]]:
        """The files with their parts, those together that get the same statements."""
        targets = [select.targets(part) for select in self._plan.selects for part in select.parts]
        groups: dict[tuple[bool, ...], list[tuple[TargetFile, Path]]] = {}
        for file, part in zip(files, parts, strict=True):
            groups.setdefault(tuple(_has(file, item) for item in targets), []).append((file, part))
        return groups


@contextlib.contextmanager
def _named(part: Path) -> Iterator[None]:
    """Faults of an open file have no name; this gives them that of the part."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(part)
        raise


def _has(file: TargetFile, targets: Sequence[LogicalTarget]) -> bool:
    return any(target in targets for target in file.targets)


class _Plain:
    """The statements of a plan as plain files of several formats, each written once."""

    def __init__(self, engine: PlanEngine, plan: Plan, terms: TermWriter) -> None:
        self._engine, self._plan, self._terms = engine, plan, terms
        self._table: StatementTable | None = None
        self._files: dict[str, tuple[Path, int]] = {}

    def write(self, file: TargetFile, part: Path) -> int:
        """Writes a file as its target describes it; the number of its statements."""
        suffix = file.how.format.suffix
        if suffix not in self._files:
            path = work_file(part, f"{part.name}.{suffix}")
            self._files[suffix] = (path, self._write_plain(file, path))
        plain, count = self._files[suffix]
        if (file.how.encoding, file.how.compression) == ("UTF-8", "none"):
            self._files[suffix] = (_placed(plain, part), count)
            return count
        encoded = plain
        if file.how.encoding == "UTF-16":
            encoded = work_file(part, f"{part.name}.utf-16")
            encode_utf16(plain, encoded)
        if pack := PACKERS.get(file.how.compression):
            pack(encoded, part, file.member)
        else:
            encoded.replace(part)
        if encoded != plain:
            encoded.unlink(missing_ok=True)
        return count

    def close(self) -> None:
        """Removes what was needed on the way."""
        if self._table is not None:
            self._table.drop()
        for path, _ in self._files.values():
            if is_work_file(path):
                path.unlink(missing_ok=True)

    def _write_plain(self, file: TargetFile, path: Path) -> int:
        form = file.how.format
        if form.suffix in _LINES:
            return self._write_lines(path, graphs=form.graphs)
        if self._table is None:
            self._table = self._engine.make_statements(self._plan)
        table = self._table
        if form.suffix == "rdf":
            _check_predicates(table, file)
        _WRITERS[form.suffix](table, path, self._terms)
        if form.suffix == "rdf":
            _escape_characters(path, file)
        return table.count()[0 if form.graphs else 1]

    def _write_lines(self, path: Path, *, graphs: bool) -> int:
        lines: dict[str, int] = {}

        def on_stage(stage: Stage) -> None:
            lines[stage.name] = stage.lines

        self._engine.write_lines(self._plan, path, Output(graphs, on_stage=on_stage))
        return sum(lines.values())


def _placed(plain: Path, part: Path) -> Path:
    """A part with the bytes of a plain file, which becomes the part itself where it can."""
    if plain.parent.parent == part.parent.parent and is_work_file(plain):
        return plain.replace(part)
    shutil.copyfile(plain, part)
    return plain


def _write_turtle(table: StatementTable, path: Path, terms: TermWriter) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_turtle(table.triples(), out, terms)


def _write_trig(table: StatementTable, path: Path, terms: TermWriter) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_trig(table.by_graph(), out, terms)


def _write_jsonld(table: StatementTable, path: Path, _: TermWriter) -> None:
    """Expanded JSON-LD: without a context, no IRI can be taken for a prefixed name."""
    lines = path.with_name(f"{path.name}.nq")
    with lines.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{s} {p} {o}{g and ' '}{g} .\n" for g, s, p, o in table.by_graph())
    quads = ox.parse(path=str(lines), format=ox.RdfFormat.N_QUADS, lenient=True)
    with path.open("wb") as document:
        ox.serialize(quads, document, format=ox.RdfFormat.JSON_LD)
        document.write(b"\n")
    lines.unlink()


def _write_rdfxml(table: StatementTable, path: Path, terms: TermWriter) -> None:
    lines = table.lines(graphs=False)
    quads = ox.parse(path=str(lines), format=ox.RdfFormat.N_TRIPLES, lenient=True)
    with path.open("wb") as document:
        ox.serialize(
            (quad.triple for quad in quads),
            document,
            format=ox.RdfFormat.RDF_XML,
            prefixes={name: iri for name, iri in terms.prefixes if _XML_PREFIX.fullmatch(name)},
        )


def _write_rdf_json(table: StatementTable, path: Path, _: TermWriter) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_rdf_json(table.triples(), out)


_WRITERS: Mapping[str, Callable[[StatementTable, Path, TermWriter], None]] = {
    "ttl": _write_turtle,
    "n3": _write_turtle,  # each Turtle document is one of Notation3
    "trig": _write_trig,
    "jsonld": _write_jsonld,
    "rdf": _write_rdfxml,
    "rj": _write_rdf_json,
}
assert {row.suffix for row in FORMATS.values()} == {*_WRITERS, *_LINES}


def _check_predicates(table: StatementTable, file: TargetFile) -> None:
    """In RDF/XML a predicate is the name of an element, which the end of its IRI has to be.

    Raises InvalidData (LP602).
    """
    for predicate, _ in table.sizes("p"):
        if not _XML_NAME.search(predicate):
            raise _not_written(file, f"{predicate} ends in no name, as a predicate has to")


def _escape_characters(path: Path, file: TargetFile) -> None:
    """Carriage returns are escaped, which a reader of XML would take for line feeds (XML 1.0, 2.11).
    Most other control characters have no form there. Raises InvalidData (LP602).
    """
    raw = path.with_name(f"{path.name}.raw")
    path.replace(raw)
    with raw.open("rb") as data, path.open("wb") as out:
        rest = b""
        while chunk := data.read(_CHUNK):
            if match := _NOT_XML.search(rest + chunk):
                character = match[0].decode("utf-8")
                raise _not_written(file, f"a text has the character U+{ord(character):04X}")
            rest = chunk[-2:]
            out.write(chunk.replace(b"\r", b"&#13;"))
        out.write(b"\n")
    raw.unlink()


def _not_written(file: TargetFile, detail: str) -> InvalidData:
    words = {"detail": f"target `{file.name}` cannot be RDF/XML: {detail}"}
    return InvalidData([Finding("LP602", file.how.origin, words)])
