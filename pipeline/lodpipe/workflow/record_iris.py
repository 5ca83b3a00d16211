"""The IRIs of a record, by the templates of the mapping: which record an IRI means, and which
published IRIs have a key in them.

    s: membership/$(club)/$(id)     with the key `chess` of the clubs
    membership/chess/ann            is one of them, and becomes membership/go/ann
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.mapping.model import Reference, TriplesMap
from lodpipe.releases.ledger import Ledger
from lodpipe.sources import RowTable
from lodpipe.sources.record_declaration import WHOLE
from lodpipe.workflow.declarations import read_mapping
from lodpipe.workflow.key_uses import key_columns, tables_of_key
from lodpipe.workflow.record_rows import RecordRows

_ALIAS = re.compile(r"(?i)\b(\w+)\s+AS\s+\"?(\w+)")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class SubjectTemplate(Struct, frozen=True):
    """A template of subjects: its texts and references in turn, the references that have the key in
    question, and the table whose record it is, empty where it is not that of one.
    """

    parts: tuple[str | Reference, ...]
    keys: frozenset[str]
    table: str = ""

    def renamed(self, iri: str, old: str, new: str) -> str | None:
        """An IRI with the new key in the place of the old one; None where it has no old one."""
        match = self.match(iri)
        if match is None:
            return None
        texts, is_changed, number = [], False, 0
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            number += 1
            has_key = part.name in self.keys and match[number] == old
            is_changed |= has_key
            texts.append(new if has_key else match[number])
        return "".join(texts) if is_changed else None

    def match(self, iri: str) -> re.Match[str] | None:
        """The values of the references in an IRI."""
        pattern = (re.escape(part) if isinstance(part, str) else "([^/#?]*)" for part in self.parts)
        return re.fullmatch("".join(pattern), iri)


def iri_safe(text: str) -> str:
    """A value as templates write it: all but unreserved characters is encoded (RFC 3987, 2.2).

    >>> iri_safe("a b/ü")
    'a%20b%2Fü'
    """
    return "".join(sign if sign >= "\u00a0" else quote(sign, safe="") for sign in text)


class RecordIris:
    """The templates of the subjects of a project."""

    def __init__(self, project: Project, rows: RecordRows) -> None:
        self.project, self.rows = project, rows
        self.base = project.publication.base
        vocabulary = read_vocabulary(project.root, self.base)
        self.names = vocabulary.namespaces
        mapping = read_mapping(project.root, self.base, vocabulary.prefixes)
        self.named = mapping.named_sources
        self.maps = [item for item in mapping.triples_maps.values() if not item.subject.gather]

    def records_of(self, given: str) -> Iterator[tuple[str, str]]:
        """Table and key of the records that an IRI may mean (absolute, short, or relative)."""
        expanded = given if "://" in given else self.names.expand(given) or self.base + given
        for table in (name for name, entry in self.rows.declared.items() if entry.key):
            for template in self._templates([table]):
                match = template.match(expanded) if template.table == table else None
                if match and self.rows.find(table, key := unquote(match[1])):
                    yield table, key

    def renamed(self, table: str, old: str, new: str, iris: Iterator[str]) -> dict[str, str]:
        """Those of the IRIs that have the old key of a table, each with what it becomes."""
        templates = list(self._templates(tables_of_key(self.rows.declared, table)))
        before, after = iri_safe(old), iri_safe(new)
        renamed: dict[str, str] = {}
        for iri in iris:
            if before in iri and iri.startswith(self.base):
                several = (template.renamed(iri, before, after) for template in templates)
                if other := next(filter(None, several), None):
                    renamed[iri] = other
        return renamed

    def _templates(self, tables: list[str]) -> Iterator[SubjectTemplate]:
        for triples_map in self.maps:
            expression = triples_map.subject.expression
            parts = expression.parts
            if not expression.template or not isinstance(parts[0], str):
                continue
            names = {part.name for part in parts if isinstance(part, Reference)}
            if keys := names & self._keys(triples_map, tables):
                first = parts[0] if _ABSOLUTE.match(parts[0]) else self.base + parts[0]
                plain = tuple(part for part in parts[1:] if isinstance(part, str | Reference))
                if len(plain) == len(parts) - 1:
                    own = tables[0] if self._names_record(triples_map, tables[0], names) else ""
                    yield SubjectTemplate((first, *plain), frozenset(keys), own)

    def _names_record(self, triples_map: TriplesMap, table: str, names: set[str]) -> bool:
        """Whether the only reference of a template is the key of the table that it is about."""
        source, key = triples_map.source, self.rows.declared[table].key
        is_about = source.text == table or (
            source.kind == "query"
            and re.search(rf"""(?i)\bFROM\s+"?{table}"?(?!\w)""", source.text)
        )
        return bool(is_about) and names == {key}

    def _keys(self, triples_map: TriplesMap, tables: list[str]) -> set[str]:
        """The names by which a source knows keys of these tables."""
        source = triples_map.source
        if source.kind not in ("table", "query"):
            return set()
        known = self._known(tables)
        if source.kind == "table":
            return known.get(source.text, set())
        return _keys_in(source.text, known)

    def _known(self, tables: list[str]) -> dict[str, set[str]]:
        """Of each table and each named query, the columns that have keys of these tables."""
        known: dict[str, set[str]] = {}
        for name, column in key_columns(self.rows, tables):
            known.setdefault(name, set()).add(column.name)
        for name, part in self.rows.tables.items():
            in_list = isinstance(part, RowTable) and part.extra
            if in_list and any(name.startswith(f"{top}_") for top in tables):
                known.setdefault(name, set()).add(WHOLE)
        for source in self.named:  # each may use those before it
            if source.name and (keys := _keys_in(source.text, known)):
                known[source.name] = keys
        return known


def _keys_in(query: str, known: dict[str, set[str]]) -> set[str]:
    """The columns of a query that may have keys: those of the tables that it reads, also by their
    new names.

    >>> sorted(_keys_in("c.id AS club, m.name from clubs AS c, m", {"clubs": {"id"}}))
    ['club', 'id']
    """
    read = set(re.findall(r"\w+", query))
    keys = {key for name, several in known.items() if name in read for key in several}
    return keys | {alias for column, alias in _ALIAS.findall(query) if column in keys}


def released_iris(project: Project, ledger: Ledger) -> Iterator[str] | None:
    """The IRIs that the last closed release describes, from its folder in dist/, else from the last
    build; None where neither is at hand.
    """
    name, dist = project.publication.name, project.dist
    folder = dist / ledger.last.folder
    files = (folder / f"{name}.nq", folder / f"{name}.nq.gz", dist / f"{name}.nq")
    path = next((path for path in files if path.is_file()), None)
    return _subjects(path) if path else None


def _subjects(path: Path) -> Iterator[str]:
    """The subjects of a sorted dump."""
    last = ""
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as lines
    ):
        for line in lines:
            subject = line[1 : line.find("> ")] if line.startswith("<") else last
            if subject != last:
                yield subject
                last = subject
