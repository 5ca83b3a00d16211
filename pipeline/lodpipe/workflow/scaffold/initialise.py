"""Proposes a publication for the data of a folder and writes its files, none of them over another."""

from __future__ import annotations

import csv
import glob
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.readers import is_hidden
from lodpipe.runtime.whole_files import whole_files
from lodpipe.sources.file_patterns import PatternError
from lodpipe.sources.inventory import is_note
from lodpipe.workflow.scaffold.data_tables import DataTable, data_tables, may_have_records
from lodpipe.workflow.scaffold.even_values import with_even_values
from lodpipe.workflow.scaffold.field_forms import (
    FieldForm,
    TableForm,
    languages_of,
    table_forms,
    with_language,
)
from lodpipe.workflow.scaffold.field_terms import Terms, fitting_profile, terms_of
from lodpipe.workflow.scaffold.joint_references import with_joint_references
from lodpipe.workflow.scaffold.shared_values import with_shared_concepts
from lodpipe.workflow.scaffold.written_files import (
    IGNORED,
    Answers,
    publication_files,
    rewritten_name,
)

_CAPTURE = re.compile(r"\{[^{}/]*\}")  # in a pattern of files: {id}.txt


@dataclass(frozen=True)
class Proposal:
    """The tables of a folder, what could not be read, and the files that are not used, with the reason."""

    data: Path
    tables: tuple[TableForm, ...]
    findings: tuple[Finding, ...]
    unused: Mapping[str, str] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the texts in the data, the one that most have first."""
        return languages_of(self.tables)

    @property
    def profile(self) -> str:
        """The profile that the fields of the tables show, empty where none fits."""
        return fitting_profile([[entry.name for entry in form.fields] for form in self.tables])


class InvalidExclusion(ValueError):
    """A pattern of files to leave out that means nothing."""


def propose(data: Path, excluded: tuple[str, ...] = ()) -> Proposal:
    """Reads the data of a folder or file, without files of `excluded` patterns. Raises
    InvalidDeclaration (LP720) where nothing holds records, InvalidExclusion.
    """
    folder = data if data.is_dir() else data.parent
    try:
        tables, findings, unused = data_tables(folder, None if data.is_dir() else data, excluded)
    except PatternError as error:
        raise InvalidExclusion(str(error)) from None
    if not tables:
        raise InvalidDeclaration(
            [Finding("LP720", Origin(str(data)), {"path": str(data)}), *findings]
        )
    tables = [with_even_values(table) for table in tables]
    forms = with_joint_references(with_shared_concepts(table_forms(tables)))
    return Proposal(folder, tuple(forms), tuple(findings), unused)


def write_publication(proposal: Proposal, root: Path, answers: Answers) -> list[str]:
    """Writes the files of the publication into `root` and returns their names. Raises
    InvalidDeclaration (LP721) where one of them exists, and writes nothing then.
    """
    more = [name for name in proposal.languages if name not in answers.languages]
    languages = (*answers.languages, *more)
    terms = terms_of(answers.profile)
    answers = replace(
        answers,
        root=data_root(proposal, root),
        languages=languages,
        unread=_unread(proposal) if data_root(proposal, root) == "" else (),
    )
    tables = [_with_profile(with_language(form, languages[0]), terms) for form in proposal.tables]
    files = publication_files(tables, answers)
    if (root / IGNORED).exists():
        del files[IGNORED]
    rewritten = {
        f"source/{name}": form for form in proposal.tables if (name := rewritten_name(form))
    }
    names = sorted([*files, *rewritten])
    existing = [name for name in names if (root / name).exists()]
    if existing:
        raise _existing(existing)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    with whole_files([root / name for name in names]) as parts:
        for name, part in zip(names, parts, strict=True):
            if name in rewritten:
                _write_rows(part, rewritten[name].table)
            else:
                part.write_text(files[name], "utf-8")
    return names


def _unread(proposal: Proposal) -> tuple[str, ...]:
    """Globs of the files in `source/` that no table reads: those that are written again, those without
    records, and those of other kinds, such as pictures. Files with errors are not among them.
    """
    again, read = (
        {
            _CAPTURE.sub("*", name)
            for form in proposal.tables
            if bool(rewritten_name(form)) is is_again
            for name in form.table.files
        }
        for is_again in (True, False)
    )
    broken = {finding.where.file for finding in proposal.findings if finding.where}
    others = set()
    for path in proposal.data.rglob("*"):
        below = path.relative_to(proposal.data)
        name = below.as_posix()
        if is_hidden(below) or not path.is_file() or name in broken or is_note(path.name):
            continue
        if not any(fnmatchcase(name, pattern) for pattern in (*again, *read)):
            others.add(
                glob.escape(name)
                if may_have_records(path)
                else f"{below.parent.as_posix()}/*{path.suffix}"
            )
    return tuple(f"source/{name.removeprefix('./')}" for name in sorted(again | others))


def _with_profile(form: TableForm, terms: Terms) -> TableForm:
    """The table without those fields in lists of maps that the profile has no term for."""

    def changed(entry: FieldForm) -> FieldForm:
        known = terms.list_of(entry.name)
        if entry.kind != "list" or entry.item is None or not known or not known.value:
            return entry
        used = tuple(field for field in entry.item.fields if field.name == known.value)
        if not used:
            return entry
        ignored = (
            *entry.item.ignored,
            *(field.source for field in entry.item.fields if field not in used),
        )
        return replace(entry, item=replace(entry.item, fields=used, ignored=ignored))

    return replace(form, fields=tuple(map(changed, form.fields)))


def starters() -> dict[str, Path]:
    """The folders of fictional records to begin with, by what they are about."""
    return {path.name: path for path in sorted((Path(__file__).parent / "starters").iterdir())}


def write_starter(name: str, root: Path) -> None:
    """Writes fictional records into the empty or missing `source/` of `root`. Raises
    InvalidDeclaration (LP721) where it holds a file of their names.
    """
    files = {
        f"source/{path.name}": path.read_bytes() for path in sorted(starters()[name].iterdir())
    }
    if existing := [name for name in files if (root / name).exists()]:
        raise _existing(existing)
    (root / "source").mkdir(parents=True, exist_ok=True)
    with whole_files([root / name for name in files]) as parts:
        for part, content in zip(parts, files.values(), strict=True):
            part.write_bytes(content)


def _existing(names: list[str]) -> InvalidDeclaration:
    named = ", ".join(f"`{name}`" for name in names)
    return InvalidDeclaration([Finding("LP721", Origin(names[0]), {"files": named})])


def data_root(proposal: Proposal, root: Path) -> str:
    """The folder of the data relative to the publication, empty for its `source/`."""
    path = os.path.relpath(proposal.data.resolve(), root.resolve()).replace(os.sep, "/")
    return "" if path == "source" else path


def _write_rows(path: Path, table: DataTable) -> None:
    """Rows with commas, in UTF-8; other records as JSON Lines."""
    if not table.is_rows:
        lines = (json.dumps(record, ensure_ascii=False) for record in table.records)
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return
    names = list(dict.fromkeys(name for record in table.records for name in record))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for record in table.records:
            cells = (str(record.get(name) or "") for name in names)
            writer.writerow([cell if cell.strip() else "" for cell in cells])


def suggested_name(path: Path) -> str:
    """A folder's name as that of a publication: letters a–z, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", path.resolve().name.lower()).strip("-")
    return name if name and name[0].isalpha() else f"data-{name}".strip("-")
