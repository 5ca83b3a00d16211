"""The dumps: one row for each format, every writer streaming from the statement table."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.engine.statements import Statements
from lodpipe.publish.compression import gzip
from lodpipe.publish.dump_updates import (
    LAYOUTS,
    Changes,
    NotUpdated,
    OldDumps,
    Selection,
    blocks_of,
    changes_between,
    line_count,
    selection,
    update,
)
from lodpipe.rdf.file_formats import BY_SUFFIX, QUADS, REIFIERS, FileFormat
from lodpipe.rdf.jsonld import Context, ContextError, trees, write_graph, write_tree
from lodpipe.rdf.namespaces import RDF
from lodpipe.rdf.terms import TYPE, Quad, Triple
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.shacl.supported import without_texts

_TREES = 500  # trees in memory at a time


class Job:
    """What every writer needs: the statements, or a selection of them, and how terms are written."""

    def __init__(
        self,
        statements: Statements,
        project: Project,
        vocabulary: Vocabulary,
        selected: Selection | None = None,
    ) -> None:
        self.statements, self.project, self.vocabulary = statements, project, vocabulary
        self._selected = selected

    def part(self, selected: Selection) -> Job:
        """The same for a selection of the statements, with all prefixes."""
        job = Job(self.statements, self.project, self.vocabulary, selected)
        job.terms, job.context, job.prefixes = self.terms, self.context, self.prefixes
        return job

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """Prefixes that the publication uses."""
        return self.statements.used_prefixes(self.vocabulary.prefixes)

    @cached_property
    def terms(self) -> TermWriter:
        """Turtle's short names."""
        return TermWriter(self.project.publication.base, self.prefixes)

    @cached_property
    def context(self) -> Context:
        """The JSON-LD context."""
        return Context(self.vocabulary.context, self.project.publication.base)

    def triples(self) -> Iterator[Triple]:
        """The union of all graphs, in order."""
        return self.statements.triples(self._selected.described if self._selected else None)

    def by_graph(self) -> Iterator[Quad]:
        """Graph, subject, predicate and object, in order."""
        return self.statements.by_graph(self._selected.described if self._selected else None)

    def parsed_triples(self) -> Iterator[ox.Triple]:
        """The same triples for Oxigraph."""
        if self._selected:
            lines = "".join(f"{s} {p} {o} .\n" for s, p, o in self.triples())
            quads = ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)
        else:
            quads = ox.parse(
                path=str(self.statements.lines(graphs=False)), format=ox.RdfFormat.N_TRIPLES
            )
        return (quad.triple for quad in quads)


def _write_nquads(job: Job, path: Path) -> None:
    copy_file(job.statements.lines(graphs=True), path)


def _write_ntriples(job: Job, path: Path) -> None:
    copy_file(job.statements.lines(graphs=False), path)


def _write_turtle(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_turtle(job.triples(), out, job.terms)


def _write_trig(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_trig(job.by_graph(), out, job.terms)


def _write_jsonld(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_graph(job.triples(), out, job.context)


def _write_rdfxml(job: Job, path: Path) -> None:
    with path.open("wb") as out:
        ox.serialize(job.parsed_triples(), out, format=ox.RdfFormat.RDF_XML, prefixes=job.prefixes)


def _write_parquet(job: Job, path: Path) -> None:
    job.statements.write_parquet(path)


WRITERS: dict[str, Callable[[Job, Path], None]] = {
    "nq": _write_nquads,
    "nt": _write_ntriples,
    "ttl": _write_turtle,
    "trig": _write_trig,
    "jsonld": _write_jsonld,
    "rdf": _write_rdfxml,
    "parquet": _write_parquet,
}
"""The writer of each dump format of `rdf/file_formats.py`."""


def origin_of(job: Job, program: str) -> str:
    """What decides the bytes of dumps besides the statements: a digest of the program, and what is
    declared.
    """
    publication = job.project.publication
    return repr((program, publication.name, job.terms.head(), job.context.given))


def write_dumps(job: Job, folder: Path, old: OldDumps) -> None:
    """Every dump that the publication wants, its compressed copy, the trees, and the shapes that
    the data satisfy. What the old dumps have is taken from them.
    """
    publication = job.project.publication
    if rules := shapes_document(job.project.root, publication.base):
        (folder / SHAPES).write_text(rules, "utf-8", newline="\n")
    changes = _changes(job, old)
    counts = job.statements.count()
    for suffix in publication.dumps:
        form, path = BY_SUFFIX[suffix], folder / f"{publication.name}.{suffix}"
        packed = [f"{path.name}.gz"] if publication.gzip and form.compressed_copy else []
        if (
            changes
            and changes.are_none
            and form.parser
            and _copied([path.name, *packed], old, folder)
        ):
            continue
        count = counts[suffix not in QUADS]
        if changes is None or not _updated(Dump(form, path, count), job, old, changes):
            WRITERS[suffix](job, path)
            _gate(form, path, publication.base, count)
        if packed:
            gzip(path, old.compressed(path.name))
    write_reifiers(job, folder / f"{publication.name}.{REIFIERS.suffix}")
    try:
        write_trees(job, folder)
    except ContextError as error:
        raise InvalidDeclaration(
            [Finding("LP601", job.project.origin("trees"), {"detail": str(error)})]
        ) from None


def write_reifiers(job: Job, path: Path) -> None:
    """Each `rdf:Statement` as the reifier of its triple (RDF 1.2, 1.5); no file where there is none."""
    lines = [
        f"{node} <{RDF}reifies> <<( {s} {p} {o} )>> .\n"
        for node, s, p, o in job.statements.reified()
    ]
    if lines:
        path.write_text("".join(lines), "utf-8", newline="\n")
        _gate(REIFIERS, path, job.project.publication.base, len(lines))


def _changes(job: Job, old: OldDumps) -> Changes | None:
    """How the statements differ from those of the old dumps; None where these are of no use."""
    file = old.file(f"{job.project.publication.name}.nq")
    try:
        return changes_between(file, job.statements.lines(graphs=True)) if file else None
    except NotUpdated:
        return None


def _copied(names: Sequence[str], old: OldDumps, folder: Path) -> bool:
    """Copies files of the old dist/, all of them or none."""
    files = [old.file(name) for name in names]
    if not all(files):
        return False
    for file in files:
        if file:
            shutil.copyfile(file, folder / file.name)
    return True


class Dump(NamedTuple):
    """A dump that is written: its format, where, and with how many statements."""

    form: FileFormat
    path: Path
    expected: int


def _updated(dump: Dump, job: Job, old: OldDumps, changes: Changes) -> bool:
    """Whether a dump could be made of the old one: what is new in it is read back."""
    suffix, file = dump.form.suffix, old.file(dump.path.name)
    if file is None:
        return False
    try:
        if suffix in ("nq", "nt"):
            _write_and_compare(dump, job, file, changes)
            return True
        if suffix in LAYOUTS:
            _write_blocks(dump, job, file, changes)
            return True
    except NotUpdated:
        dump.path.unlink(missing_ok=True)
    return False


def _write_and_compare(dump: Dump, job: Job, old: Path, changes: Changes) -> None:
    """Writes a dump of lines, and reads back those that the old one does not have; `changes` are
    those of N-Quads.
    """
    suffix, name = dump.form.suffix, dump.path.name
    WRITERS[suffix](job, dump.path)
    added = (changes if suffix == "nq" else changes_between(old, dump.path)).added
    part = job.statements.session.exchange / f"added.{suffix}"
    part.write_bytes(b"".join(line + b"\n" for line in added))
    _gate(dump.form, part, job.project.publication.base, len(added), name)
    if (count := line_count(dump.path)) != dump.expected:
        raise _invalid(dump.form, name, f"{count} of {dump.expected} statements")


def _write_blocks(dump: Dump, job: Job, old: Path, changes: Changes) -> None:
    """Writes the blocks that changed as a document of their own, and the rest from the old dump."""
    suffix, statements = dump.form.suffix, job.statements
    layout = LAYOUTS[suffix]
    changed = selection(statements, layout.column, changes)
    part, smaller = statements.session.exchange / f"changed.{suffix}", job.part(changed)
    WRITERS[suffix](smaller, part)
    rows = smaller.by_graph() if suffix in QUADS else smaller.triples()
    count = sum(1 for _ in rows)
    _gate(dump.form, part, job.project.publication.base, count, dump.path.name)
    update(old, part, dump.path, layout, blocks_of(statements, changes, changed))


def _gate(form: FileFormat, path: Path, base: str, expected: int, name: str = "") -> None:
    """Reads a dump back, or the new part of the dump `name`.

    Raises InvalidData (LP710) where it is not of its format, or holds another number of statements.
    """
    if form.parser is None:
        return
    try:
        count = sum(1 for _ in ox.parse(path=str(path), format=form.parser, base_iri=base))
        if count == expected:
            return
        detail = f"{count} of {expected} statements"
    except SyntaxError as error:
        detail = str(error)
    raise _invalid(form, name or path.name, detail)


def _invalid(form: FileFormat, name: str, detail: str) -> InvalidData:
    words = {"file": name, "format": form.media_type, "detail": detail}
    return InvalidData([Finding("LP710", Origin(f"dist/{name}"), words)])


def write_trees(job: Job, folder: Path) -> None:
    """One JSON-LD tree for each resource of a class, named by the last part of its IRI."""
    context, statements = job.context, job.statements
    for item in job.project.publication.trees:
        target = folder / item.folder
        target.mkdir(parents=True, exist_ok=True)
        roots = statements.subjects_with(TYPE, f"<{context.expand(item.class_)}>")
        for at in range(0, len(roots), _TREES):
            some = roots[at : at + _TREES]
            nodes = trees(some, item.frame, context, statements.descriptions, statements.pointing)
            for root, node in zip(some, nodes, strict=True):
                path = target / f"{root[1:-1].rsplit('/', 1)[-1]}.jsonld"
                with path.open("w", encoding="utf-8", newline="\n") as out:
                    write_tree(node, out, context)


def copy_file(path: Path, target: Path) -> None:
    """The same bytes under a second name, without taking their place twice where the disk can do
    that.
    """
    try:
        os.link(path, target)
    except OSError:
        try:
            shutil.copyfile(path, target)
        except OSError as error:  # it names the source, also where the target has no room
            raise OSError(error.errno, error.strerror, str(target)) from error


SHAPES = "shapes.ttl"


def shapes_document(root: Path, base: str) -> str:
    """All of shapes/*.ttl as one Turtle document, whose IRIs are the same wherever it is read: each
    file after the base IRI.

    Blank nodes with labels stay apart by the number of their file. Empty where there are no shapes.
    """
    parts = []
    for number, path in enumerate(sorted((root / "shapes").glob("[!.]*.ttl"))):
        source = path.read_text("utf-8").strip()
        seen = without_texts(source)
        labels = [match.start() + 2 for match in re.finditer(r"(?<![\w:.-])_:(?=\w)", seen)]
        for at in reversed(labels):
            source = f"{source[:at]}f{number}-{source[at:]}"
        parts.append(f"@base <{base}> .\n{source}\n")
    return "\n".join(parts)


def checksums(folder: Path) -> str:
    """SHA256SUMS of all files below a folder but the pages, as `sha256sum --check` reads it."""
    lines = []
    for path in sorted(
        path
        for part in folder.iterdir()
        if part.name != "site"
        for path in (part, *part.rglob("*"))
    ):
        if path.is_file() and path.name != "SHA256SUMS":
            with path.open("rb") as file:
                digest: Any = hashlib.file_digest(file, "sha256")
            lines.append(f"{digest.hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)
