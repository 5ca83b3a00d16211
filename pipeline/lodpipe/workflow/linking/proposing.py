"""From records and a register to a review file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import LinkRule
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.documents.readers import limited, read_text
from lodpipe.releases.ledger import file_digest
from lodpipe.runtime.machine import whole_file
from lodpipe.sources import pattern_of
from lodpipe.workflow.linking.link_candidates import (
    Candidate,
    Described,
    Matching,
    Reason,
    reason_text,
)
from lodpipe.workflow.linking.name_forms import Form, Forms, Weights, place_forms, spellings
from lodpipe.workflow.linking.register_columns import (
    PLACE_KEY,
    Columns,
    Expected,
    Sample,
    columns_of,
    domain,
    identifier_of,
    number,
    texts,
)
from lodpipe.workflow.linking.register_file import RegisterFile, Row
from lodpipe.workflow.linking.review_file import (
    Proposal,
    Review,
    merged,
    read_review,
    review_text,
)
from lodpipe.workflow.record_paths import link_findings, values_at
from lodpipe.workflow.record_rows import OpenedRecords, RecordRow, opened_records

FOLDER = "links"
_MOST_HELD = 100_000  # entries that are held in memory
Progress = Callable[[str], None]


@dataclass(frozen=True)
class LinkRequest:
    """A register to match with: its file, the table (None: the only declared one), columns such as
    `name=nom`, documents such as `ror` or `wikidata=wikidata`, the least score, the review file.
    """

    against: Path
    table: str | None = None
    columns: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    threshold: int = 80
    encoding: str = "utf-8"
    out: Path | None = None


@dataclass(frozen=True)
class LinkResult:
    """What a run proposed: the columns used, the number of records, of those that have the
    leading identifier of the register already, of the others with candidates, and the review file.
    """

    table: str
    columns: Columns
    records: int
    linked: int
    matched: int
    review: Review
    file: Path


def rule_of(project: Project, table: str | None) -> LinkRule:
    """The rule of a table. Raises InvalidDeclaration (LP601) where none is declared."""
    rules = {rule.table: rule for rule in project.publication.links}
    if table is None and len(rules) == 1:
        return next(iter(rules.values()))
    if table in rules:
        return rules[table]
    known = ", ".join(rules) or "none"
    detail = (
        f"`links` declares no table `{table}`; declared: {known}"
        if table
        else f"choose a table by `--table`; `links` declares: {known}"
    )
    raise InvalidDeclaration([Finding("LP601", project.origin("links"), {"detail": detail})])


def raise_for_links(project: Project, opened: OpenedRecords) -> None:
    """Raises InvalidDeclaration for a rule that names what does not exist (LP601)."""
    if findings := list(link_findings(project, opened.rows.declared)):
        raise InvalidDeclaration(findings)


def propose(
    project: Project, request: LinkRequest, language: str, on_progress: Progress = lambda _: None
) -> LinkResult:
    """Compares the records of a table with a register, and writes the review file.

    Raises InvalidDeclaration for wrong declarations and options (LP601, LP560), SourceError and
    InvalidData for files that cannot be read.
    """
    rule = rule_of(project, request.table)
    with limited(project.publication.limits.for_readers()), opened_records(project) as opened:
        raise_for_links(project, opened)
        return _Proposing(project, request, rule, opened).run(language, on_progress)


class _Proposing:
    """One run."""

    def __init__(
        self, project: Project, request: LinkRequest, rule: LinkRule, opened: OpenedRecords
    ) -> None:
        self.project, self.request, self.rule, self.opened = project, request, rule, opened
        self.forms = Forms(rule.ignore)
        self.file = RegisterFile(request.against, request.against.name, request.encoding)
        self.out = request.out or (
            project.root / FOLDER / f"{request.against.stem}-{rule.table}.yaml"
        )

    def run(self, language: str, on_progress: Progress) -> LinkResult:
        on_progress("reading records")
        patterns = patterns_of(self.rule, self.opened)
        records = [self._record(row) for row in self.opened.rows.rows(self.rule.table)]
        on_progress("reading the register")
        sample = Sample.of(self.file.rows())
        place_keys = [path.split(".")[-1] for path in self.rule.place_keys]
        columns = columns_of(
            sample, Expected(patterns, place_keys), self.request.columns, self.file.name
        )
        reader = EntryReader(columns, patterns, place_keys, self.forms)
        documents = self._documents(columns)
        weights = Weights()
        entries: list[Described] | None = []  # None: too many to hold, and read again
        for entry in reader.entries(self.file.rows()):
            for form in entry.names:
                weights.add(form)
            if entries is not None:
                entries.append(entry)
                if len(entries) > _MOST_HELD:
                    entries = None
        on_progress("comparing")
        matching = Matching(weights, self.request.threshold)
        leading = next(iter(columns.identifiers), "")
        linked = {record.key for record in records if leading in record.keys}
        best = matching.best(
            records, reader.entries(self.file.rows()) if entries is None else entries
        )
        names = {record.key: record.names[0].name for record in records if record.names}
        keys = {record.key: record.keys for record in records}
        proposals = [
            _proposal(candidate, names[candidate.record], keys[candidate.record], language)
            for candidates in best.values()
            for candidate in candidates
            if _is_news(candidate, keys[candidate.record])
        ]
        review = self._write(proposals, documents, language)
        matched = len({item.record for item in proposals} - linked)
        return LinkResult(
            self.rule.table, columns, len(records), len(linked), matched, review, self.out
        )

    def _write(
        self, proposals: Sequence[Proposal], documents: Mapping[str, str], language: str
    ) -> Review:
        name = self._name()
        before = read_review(read_text(self.out, name), name) if self.out.is_file() else None
        given = dict(documents) or (dict(before.documents) if before else {})
        review = Review(
            self.rule.table,
            self.request.against.name,
            file_digest(self.request.against),
            given,
            merged(proposals, before.proposals if before else ()),
        )
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.out) as part:
            part.write_bytes(review_text(review, name, language).encode("utf-8"))
        return review

    def _name(self) -> str:
        root = self.project.root.resolve()
        path = self.out.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(self.out)

    def _documents(self, columns: Columns) -> dict[str, str]:
        """The document of each identifier that the register has. Raises InvalidDeclaration (LP560)
        for one that is no record.
        """
        several: dict[str, str] = {}
        general = [given for given in self.request.documents if "=" not in given]
        for name in columns.identifiers:
            if general and self.rule.identifiers.get(name):
                several[name] = general[-1]
        for given in self.request.documents:
            name, sign, document = given.partition("=")
            if sign:
                if name not in self.rule.identifiers:
                    self._wrong_document(f"`{name}` is no identifier of `links`")
                several[name] = document
        for name, document in several.items():
            evidence = self.rule.identifiers.get(name)
            if evidence and not self.opened.rows.find(self._evidence_table(evidence), document):
                self._wrong_document(f"there is no document `{document}`")
        return several

    def _wrong_document(self, detail: str) -> None:
        params = {"detail": f"--document: {detail}"}
        raise InvalidDeclaration([Finding("LP560", Origin(self.file.name), params)])

    def _evidence_table(self, evidence: str) -> str:
        return evidence_table(self.rule.table, evidence, self.opened)

    def _record(self, row: RecordRow) -> Described:
        rule = self.rule

        def values(paths: Sequence[str]) -> list[str]:
            matches = (values_at(self.opened.rows, rule.table, row, path) for path in paths)
            return list(dict.fromkeys(value for several in matches for value in several))

        place_keys = {
            path.split(".")[-1]: value
            for path in reversed(rule.place_keys)
            for value in values([path])[:1]
        }
        point = _point(values(rule.latitude), values(rule.longitude))
        return Described(
            row.cells[self.opened.rows.declared[rule.table].key or ""] or "",
            tuple(
                form
                for name in spellings(values(rule.names))
                if (form := self.forms.of(name)).words
            ),
            place_forms(self.forms, values(rule.places)),
            place_keys,
            point,
            tuple(value.upper() for value in values(rule.country)),
            tuple(host for value in values(rule.website) if (host := domain(value))),
            {name: value for name in rule.identifiers if (value := row.cells.get(name))},
        )


def evidence_table(table: str, evidence: str, opened: OpenedRecords) -> str:
    """The table that an evidence field refers to."""
    entry = opened.rows.declared[table].fields[evidence]
    return (entry.item or entry).target


def patterns_of(rule: LinkRule, opened: OpenedRecords) -> dict[str, str]:
    """The pattern of each identifier."""
    fields = opened.rows.declared[rule.table].fields
    return {name: pattern_of(fields[name], opened.lexicon) or ".+" for name in rule.identifiers}


def _point(latitudes: Sequence[str], longitudes: Sequence[str]) -> tuple[float, float] | None:
    for north, east in zip(latitudes, longitudes, strict=False):
        latitude, longitude = number(north), number(east)
        if latitude is not None and longitude is not None:
            return latitude, longitude
    return None


@dataclass(frozen=True)
class EntryReader:
    """Reads rows of a register as entries."""

    columns: Columns
    patterns: Mapping[str, str]
    place_keys: Sequence[str]
    forms: Forms

    def names(self, row: Row) -> list[Form]:
        """The names of an entry, the leading one first."""
        several = (
            text
            for column in (*self.columns.of("name"), *self.columns.of("other"))
            for text in texts(row.get(column, ()))
            if "://" not in text
        )
        forms: dict[str, Form] = {}
        for name in spellings(several):
            form = self.forms.of(name)
            if form.words:
                forms.setdefault(form.joined, form)
        return list(forms.values())

    def entries(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Described]:
        """The entries that have a name."""
        for line, row in rows:
            if names := self.names(row):
                yield self._entry(line, row, names)

    def _entry(self, line: int, row: Row, names: Sequence[Form]) -> Described:
        keys = {
            name: value
            for name, column in self.columns.identifiers.items()
            if (value := _only(row.get(column, ()), self.patterns[name]))
        }
        places = [
            text for column in self.columns.of("place") for text in texts(row.get(column, ()))
        ]
        addresses = [
            text for column in self.columns.of("website") for text in texts(row.get(column, ()))
        ]
        numbers = [
            [text for column in self.columns.of(role) for text in row.get(column, ())]
            for role in ("latitude", "longitude")
        ]
        return Described(
            next(iter(keys.values()), "") or f"{row.get('id', ('',))[0] or f'row {line}'}",
            tuple(names),
            place_forms(self.forms, places),
            {
                name: texts_of_row[0]
                for name in self.place_keys
                for column in self.columns.of(PLACE_KEY + name)
                if (texts_of_row := row.get(column))
            },
            _point(*numbers),
            tuple(
                text.upper()
                for column in self.columns.of("country")
                for text in row.get(column, ())
            ),
            tuple(dict.fromkeys(host for text in addresses if (host := domain(text)))),
            keys,
        )


def _only(values: Sequence[str], pattern: str) -> str | None:
    """The one identifier in a cell, None where there are several."""
    identifiers = {value for text in values if (value := identifier_of(text, pattern)) is not None}
    return identifiers.pop() if len(identifiers) == 1 else None


def _is_news(candidate: Candidate, known: Mapping[str, str]) -> bool:
    """Whether an entry has an identifier that the record lacks, or would say something else of an
    entry that is the record's by another identifier; entries beside the linked one are none.
    """
    new = [name for name in candidate.entry.keys if name not in known]
    other = [
        name for name, value in candidate.entry.keys.items() if known.get(name, value) != value
    ]
    same = [name for name, value in candidate.entry.keys.items() if known.get(name) == value]
    if other and not same:
        return False
    return bool(new or other or not candidate.entry.keys)


def _proposal(candidate: Candidate, name: str, known: Mapping[str, str], language: str) -> Proposal:
    entry = candidate.entry
    conflicts = [
        Reason("conflict", f"{field} {known[field]}")
        for field, value in entry.keys.items()
        if known.get(field, value) != value
    ]
    places = [
        *(place.name for place in entry.places[:1]),
        *entry.countries[:1],
        *entry.websites[:1],
    ]
    return Proposal(
        candidate.record,
        name,
        entry.key,
        entry.names[0].name,
        {field: value for field, value in entry.keys.items() if known.get(field) != value},
        candidate.score,
        tuple(reason_text(reason, language) for reason in (*candidate.reasons, *conflicts)),
        " · ".join(places),
    )
