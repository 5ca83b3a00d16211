"""The dumps: one row for each format, every writer streaming from the statement table."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Origin
from lodpipe.engine.statements import Statements
from lodpipe.rdf.file_formats import BY_SUFFIX, QUADS, FileFormat
from lodpipe.rdf.jsonld import Context, ContextError, trees, write_graph, write_tree
from lodpipe.rdf.terms import TYPE
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.shacl.supported import without_texts

_GZIP_BLOCK = 16 * 1024 * 1024
_TREES = 500  # trees in memory at a time


class Job(Struct, frozen=True):
    """What every writer needs."""

    statements: Statements
    project: Project
    vocabulary: Vocabulary

    def terms(self) -> TermWriter:
        """Prefixes that the publication uses, for Turtle's short names."""
        return TermWriter(
            self.project.publication.base, self.statements.used_prefixes(self.vocabulary.prefixes)
        )

    def context(self) -> Context:
        """The JSON-LD context."""
        return Context(self.vocabulary.context, self.project.publication.base)


def _write_nquads(job: Job, path: Path) -> None:
    copy_file(job.statements.lines(graphs=True), path)


def _write_ntriples(job: Job, path: Path) -> None:
    copy_file(job.statements.lines(graphs=False), path)


def _write_turtle(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_turtle(job.statements.triples(), out, job.terms())


def _write_trig(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_trig(job.statements.by_graph(), out, job.terms())


def _write_jsonld(job: Job, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        write_graph(job.statements.triples(), out, job.context())


def _write_rdfxml(job: Job, path: Path) -> None:
    prefixes = job.statements.used_prefixes(job.vocabulary.prefixes)
    with path.open("wb") as out:
        ox.serialize(
            _oxigraph_triples(job.statements), out, format=ox.RdfFormat.RDF_XML, prefixes=prefixes
        )


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


def write_dumps(job: Job, folder: Path) -> None:
    """Every dump that the publication wants, its compressed copy, the trees, and the shapes that
    the data satisfy.
    """
    publication = job.project.publication
    if rules := shapes_document(job.project.root, publication.base):
        (folder / SHAPES).write_text(rules, "utf-8", newline="\n")
    counts = job.statements.count()
    for suffix in publication.dumps:
        path = folder / f"{publication.name}.{suffix}"
        WRITERS[suffix](job, path)
        _gate(BY_SUFFIX[suffix], path, publication.base, counts)
        if publication.gzip and BY_SUFFIX[suffix].compressed_copy:
            gzip(path)
    try:
        write_trees(job, folder)
    except ContextError as error:
        raise InvalidDeclaration(
            [Finding("LP601", job.project.origin("trees"), {"detail": str(error)})]
        ) from None


def _gate(form: FileFormat, path: Path, base: str, counts: tuple[int, int]) -> None:
    """Reads a dump back; `counts` are those of statements and of distinct triples.

    Raises InvalidData (LP710) where it is not of its format, or holds another number.
    """
    if form.parser is None:
        return
    statements, triples = counts
    expected = statements if form.suffix in QUADS else triples
    try:
        count = sum(1 for _ in ox.parse(path=str(path), format=form.parser, base_iri=base))
        if count == expected:
            return
        detail = f"{count} of {expected} statements"
    except SyntaxError as error:
        detail = str(error)
    raise InvalidData(
        [
            Finding(
                "LP710",
                Origin(f"dist/{path.name}"),
                {"file": path.name, "format": form.media_type, "detail": detail},
            )
        ]
    )


def write_trees(job: Job, folder: Path) -> None:
    """One JSON-LD tree for each resource of a class, named by the last part of its IRI."""
    context, statements = job.context(), job.statements
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


def _oxigraph_triples(statements: Statements) -> Iterator[ox.Triple]:
    for row in statements.triples():
        yield from (
            quad.triple
            for quad in ox.parse("{} {} {} .".format(*row), format=ox.RdfFormat.N_TRIPLES)
        )


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


def gzip(path: Path) -> None:
    """A .gz beside the file, the same bytes on every machine: no name, no time, libdeflate whatever
    zlib the system has.

    Large files become several members (RFC 1952, 2.2), which every gunzip reads as one.
    """
    import deflate

    with path.open("rb") as data, path.with_name(path.name + ".gz").open("wb") as out:
        while block := data.read(_GZIP_BLOCK):
            out.write(deflate.gzip_compress(block, 9))


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
