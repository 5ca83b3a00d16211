"""From the declarations to the collections of the API and to their index.

A kind of `publication.yaml` (`site.kinds`) is a collection, named by its key `collection`, else by its
English plural (`Towns` → `towns`); kinds with the same name share one. A class without a kind is named by
its label or the last part of its IRI.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import sqlite3
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import SiteKeys
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.engine import name_folding, search_index_writer
from lodpipe.engine.name_folding import words_of
from lodpipe.engine.search_index import EVERYTHING, SearchIndex
from lodpipe.engine.search_index_writer import IndexPlan, KindPlan, write_index
from lodpipe.rdf import jsonld, labels
from lodpipe.rdf.jsonld import Context
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.terms import Triple, parse_literal
from lodpipe.releases.naming import words

FOLDER = ".lodpipe"
"""Where a project keeps what can be made again."""
_PROGRAM = (name_folding, search_index_writer, jsonld, labels)
RESERVED = frozenset(
    (EVERYTHING, "queries", "suggest", "openapi", "context", "index", "reconcile", "mcp", "docs")
)
"""Names below /api/ that no collection has."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def address_name(text: str) -> str:
    """A text as the name of a collection.

    >>> address_name("Initiatives and parts"), address_name("Städte")
    ('initiatives-and-parts', 'staedte')
    """
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UMLAUTS))
    ascii_ = plain.encode("ascii", "ignore").decode()
    name = re.sub("[^a-z0-9]+", "-", ascii_).strip("-") or "collection"
    return f"{name}-list" if name in RESERVED else name


def index_plan(project: Project, vocabulary: Vocabulary) -> IndexPlan:
    """What the declarations of a publication say of its index."""
    publication = project.publication
    declared = publication.site
    site = SiteKeys() if isinstance(declared, bool) else declared

    def term(name: str) -> str:
        whole = vocabulary.namespaces.expand(name) or (
            name if "://" in name else vocabulary.base + name
        )
        return f"<{whole}>"

    kinds = tuple(
        KindPlan(
            term(kind.class_),
            kind.collection
            or address_name(_named(kind.plural or kind.label) or words(term(kind.class_))),
            kind.minor,
            tuple(term(name) for name in kind.name),
        )
        for kind in site.kinds
    )
    ignored = {
        word for item in publication.duplicates for form in item.ignore for word in words_of(form)
    }
    return IndexPlan(
        publication.base,
        publication.languages,
        kinds,
        Context(vocabulary.context, publication.base),
        _collection_names(vocabulary),
        frozenset(ignored),
    )


def _named(texts: Mapping[str, str]) -> str:
    """The English text, else the first."""
    return texts.get("en") or next(iter(texts.values()), "")


def _collection_names(vocabulary: Vocabulary) -> Callable[[str], str]:
    """What names the collection of a class (in angle brackets) that has no kind."""
    texts = term_labels(vocabulary)
    return lambda iri: address_name(_named(texts.get(iri[1:-1], {})) or words(iri))


def term_labels(vocabulary: Vocabulary) -> dict[str, dict[str, str]]:
    """What the ontology calls its terms: IRI → language → label."""
    texts: dict[str, dict[str, str]] = {}
    for s, p, o, _ in vocabulary.triples:
        if p in LABELS and (literal := parse_literal(o)):
            texts.setdefault(s[1:-1], {}).setdefault(literal.language, literal.text)
    return texts


def plan_digest(plan: IndexPlan) -> str:
    """What decides the bytes of an index besides its triples: the program, the library, the plan."""
    program = [Path(str(item.__file__)).read_bytes() for item in _PROGRAM]
    given = (program, sqlite3.sqlite_version, plan.base, plan.languages, plan.kinds)
    rest = (plan.context.given, sorted(plan.ignored))
    return hashlib.sha256(repr((given, rest)).encode()).hexdigest()[:16]


def open_index(
    project: Project,
    plan: IndexPlan,
    version: str,
    triples: Callable[[], Iterable[Triple]],
    other_folder: Callable[[], Path] | None = None,
) -> SearchIndex:
    """The index of a version of the data: the file that an earlier run left, else a new one, made of
    triples sorted by subject.

    It is in `.lodpipe/` of the project; where that cannot be written to, in the other folder; else
    in a temporary one that is gone with the process.
    """
    name = f"api-{version}-{plan_digest(plan)}.sqlite"
    own = project.root / FOLDER
    for folder in (lambda: own, *([other_folder] if other_folder else [])):
        with contextlib.suppress(OSError, sqlite3.Error):
            return _index_in(
                folder(), name, lambda path: write_index(path, triples(), plan, version)
            )
    holder = tempfile.TemporaryDirectory(prefix="lodpipe-api-")
    path = Path(holder.name) / name
    write_index(path, triples(), plan, version)
    return SearchIndex(path, holder)


def page_index(plan: IndexPlan, triples: Iterable[Triple]) -> SearchIndex:
    """What pages need of an index, without what only a server looks for, in a temporary folder."""
    holder = tempfile.TemporaryDirectory(prefix="lodpipe-api-")
    path = Path(holder.name) / "pages.sqlite"
    write_index(path, triples, replace(plan, is_searched=False), "")
    return SearchIndex(path, holder)


def _index_in(folder: Path, name: str, write: Callable[[Path], None]) -> SearchIndex:
    """The index of that name in a folder, written if it is not there; others of the API are removed.
    Raises OSError and sqlite3.Error.
    """
    path = folder / name
    with contextlib.suppress(sqlite3.Error):
        if path.is_file():
            return SearchIndex(path)
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", "utf-8")
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb"):  # an error of the file system is one of it, not of SQLite
            pass
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for old in folder.glob("api-*.sqlite"):
        if old.name != name:
            with contextlib.suppress(OSError):
                old.unlink()
    return SearchIndex(path)
