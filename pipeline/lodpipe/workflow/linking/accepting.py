"""From a review file with decisions to the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import LinkRule
from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.documents.readers import limited, read_text
from lodpipe.runtime.atomic import exclusive
from lodpipe.runtime.machine import whole_file
from lodpipe.sources import RowTable, ScanTable
from lodpipe.sources.record_tables import FILE_BITS, ROW_BITS
from lodpipe.workflow.linking.proposing import (
    evidence_table,
    patterns_of,
    raise_for_links,
    rule_of,
)
from lodpipe.workflow.linking.record_edits import (
    Addition,
    not_editable,
    with_additions,
    with_cells,
)
from lodpipe.workflow.linking.register_columns import identifier_of
from lodpipe.workflow.linking.review_file import Proposal, Review, read_review
from lodpipe.workflow.record_paths import values_at
from lodpipe.workflow.record_rows import OpenedRecords, RecordRow, opened_records


@dataclass(frozen=True)
class Accepted:
    """What was written: fields with their values, by record; how many candidates are accepted,
    rejected and undecided; the files.
    """

    written: Mapping[str, Mapping[str, str]]
    accepted: int
    rejected: int
    undecided: int
    files: Sequence[str]


def accept(project: Project, path: Path) -> Accepted:
    """Writes the accepted candidates of a review file into the records, all or none.

    Raises InvalidData with everything that is wrong with the review (LP561), conflicts with the
    records (LP562) or cannot be written by a program (LP563).
    """
    root = project.root.resolve()
    resolved = path.resolve()
    name = resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(path)
    with (
        limited(project.publication.limits.for_readers()),
        exclusive(project.root),
        opened_records(project) as opened,
    ):
        review = read_review(read_text(path, name), name)
        if review.table not in {rule.table for rule in project.publication.links}:
            raise _invalid(review.places["table"], f"`links` declares no table `{review.table}`",
                           f"`links` deklariert keine Tabelle `{review.table}`")  # fmt: skip
        raise_for_links(project, opened)
        rule = rule_of(project, review.table)
        accepting = _Accepting(rule, opened, review)
        additions = accepting.additions()
        files = accepting.files(project.root, additions)
        for file, text in files.items():
            with whole_file(project.root / file) as part:
                part.write_bytes(text)
    decisions = [item.accept for item in review.proposals]
    return Accepted(
        {key: dict(addition.values) for key, addition in additions.items()},
        decisions.count(True),
        decisions.count(False),
        decisions.count(None),
        sorted(files),
    )


def _invalid(where: Origin, english: str, german: str) -> InvalidData:
    return InvalidData([_wrong(where, english, german)])


def _wrong(where: Origin, english: str, german: str) -> Finding:
    return Finding("LP561", where, {"detail_en": english, "detail_de": german})


class _Accepting:
    """The accepted candidates of a review, beside the records."""

    def __init__(self, rule: LinkRule, opened: OpenedRecords, review: Review) -> None:
        self.rule, self.rows, self.review = rule, opened.rows, review
        self.opened = opened
        self.table = opened.rows.declared[rule.table]
        self.patterns = patterns_of(rule, opened)
        self.taken: dict[tuple[str, str], str] = {
            (name, value): row.cells[self.table.key or ""] or ""
            for name in rule.identifiers
            if self.table.fields[name].unique
            for row in self.rows.rows(rule.table)
            if (value := row.cells.get(name))
        }

    def additions(self) -> dict[str, Addition]:
        """What each record gets. Raises InvalidData."""
        findings: list[Finding] = []
        additions: dict[str, Addition] = {}
        for proposal in self.review.proposals:
            row = self.rows.find(self.rule.table, proposal.record)
            problems = list(self._record_problems(proposal, row))
            findings += problems
            if proposal.accept and row is not None and not problems:
                addition = additions.setdefault(proposal.record, Addition())
                findings += self._add(proposal, row, addition)
        if findings:
            raise InvalidData(findings)
        return {
            key: addition
            for key, addition in additions.items()
            if addition.values or addition.items
        }

    def _record_problems(self, proposal: Proposal, row: RecordRow | None) -> Iterator[Finding]:
        """Whether the record is the one that was reviewed; rejected ones may have changed."""
        if row is None:
            if proposal.accept is False:
                return
            key = self.table.key or ""
            near = nearest(
                proposal.record,
                [other.cells[key] or "" for other in self.rows.rows(self.rule.table)],
            )
            hint_en, hint_de = (
                (f"; did you mean `{near}`?", f"; gemeint ist vielleicht `{near}`")
                if near
                else ("", "")
            )
            yield _wrong(
                proposal.place("record"),
                f"there is no record `{proposal.record}` in {self.rule.table}{hint_en}",
                f"es gibt keinen Datensatz `{proposal.record}` in {self.rule.table}{hint_de}",
            )
        elif proposal.accept:
            names = [
                name
                for path in self.rule.names
                for name in values_at(self.rows, self.rule.table, row, path)
            ]
            if proposal.name not in names:
                yield _wrong(
                    proposal.place("name"),
                    f"`{proposal.record}` is called {names[0] if names else 'nothing'} by now: run `lodpipe link --against` again",
                    f"`{proposal.record}` heißt inzwischen {names[0] if names else 'nicht mehr so'}: `lodpipe link --against` wiederholen",
                )

    def _add(self, proposal: Proposal, row: RecordRow, addition: Addition) -> Iterator[Finding]:
        """Adds the identifiers of a proposal, or yields why they cannot be."""
        where = proposal.place("identifiers")
        if not proposal.identifiers:
            yield _wrong(where, f"the entry {proposal.entry} has no identifier that the records hold",
                         f"der Eintrag {proposal.entry} hat keine Kennung, die in den Datensätzen steht")  # fmt: skip
        for name, value in proposal.identifiers.items():
            if name not in self.rule.identifiers:
                yield _wrong(where, f"`{name}` is no identifier of `links`",
                             f"`{name}` ist keine Kennung unter `links`")  # fmt: skip
            elif identifier_of(value, self.patterns[name]) != value:
                yield _wrong(where, f"`{value}` is no value of `{name}`",
                             f"`{value}` ist kein Wert von `{name}`")  # fmt: skip
            else:
                yield from self._add_identifier(proposal, row, (name, value), addition)

    def _add_identifier(
        self, proposal: Proposal, row: RecordRow, identifier: tuple[str, str], addition: Addition
    ) -> Iterator[Finding]:
        name, value = identifier
        where = proposal.place("identifiers")
        present = row.cells.get(name) or addition.values.get(name)
        owner = (
            self.taken.setdefault(identifier, proposal.record)
            if (self.table.fields[name].unique)
            else proposal.record
        )
        if owner != proposal.record:
            yield Finding(
                "LP562",
                where,
                {"record": owner, "key": name, "value": value, "other": proposal.record},
            )
        elif present is not None and present != value:
            place = self.rows.locate(self.rule.table, row.number, name)
            params = {"record": proposal.record, "key": name, "value": present, "other": value}
            yield Finding("LP562", where, params, related=(place,))
        elif row.cells.get(name) is None:
            addition.values[name] = value
            yield from self._evidence(proposal, row, name, addition)

    def _evidence(
        self, proposal: Proposal, row: RecordRow, name: str, addition: Addition
    ) -> Iterator[Finding]:
        """Adds the document that proves an identifier."""
        evidence = self.rule.identifiers[name]
        if not evidence:
            return
        where = self.review.places.get("documents", self.review.origin)
        document = self.review.documents.get(name)
        if not document:
            yield _wrong(where, f"`documents` names no document for `{name}`, such as {{{name}: ID}}",
                         f"`documents` nennt kein Dokument für `{name}`, etwa {{{name}: ID}}")  # fmt: skip
            return
        if not self.rows.find(evidence_table(self.rule.table, evidence, self.opened), document):
            yield _wrong(where, f"there is no document `{document}`",
                         f"es gibt kein Dokument `{document}`")  # fmt: skip
            return
        if self.table.fields[evidence].kind == "list":
            items = self.rows.items(f"{self.rule.table}_{evidence}", row.number)
            several = addition.items.setdefault(evidence, [])
            if (
                document not in [item.cells.get("value") for item in items]
                and document not in several
            ):
                several.append(document)
            if not several:
                del addition.items[evidence]
            return
        present = row.cells.get(evidence) or addition.values.get(evidence)
        if present is None:
            addition.values[evidence] = document
        elif present != document:
            params = {
                "record": proposal.record,
                "key": evidence,
                "value": present,
                "other": document,
            }
            yield Finding("LP562", where, params)

    # -- files -------------------------------------------------------------------------------------

    def files(self, root: Path, additions: Mapping[str, Addition]) -> dict[str, bytes]:
        """The new bytes of each file that changes. Raises InvalidData (LP563)."""
        table = self.rows.tables[self.rule.table]
        by_file: dict[str, dict[int, Addition]] = {}
        for key, addition in additions.items():
            row = self.rows.find(self.rule.table, key)
            assert row is not None
            file, place = _place(table, row.number)
            by_file.setdefault(file, {})[place] = addition
        return {file: self._changed(root, file, several) for file, several in by_file.items()}

    def _changed(self, root: Path, file: str, additions: Mapping[int, Addition]) -> bytes:
        data = (root / file).read_bytes()
        mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
        text = data.decode("utf-8-sig")
        suffix = Path(file).suffix.lower()
        if suffix in (".yaml", ".yml"):
            changed = with_additions(text, file, additions, list(self.table.fields))
        elif suffix == ".csv":
            changed = with_cells(
                text, file, {place: addition.values for place, addition in additions.items()}
            )
        else:
            raise not_editable(file, 0, f"files of kind `{suffix}` are not written by this command",
                               f"Dateien der Art `{suffix}` schreibt dieser Befehl nicht")  # fmt: skip
        return mark + changed.encode("utf-8")


def _place(table: RowTable | ScanTable, record: int) -> tuple[str, int]:
    """The file of a record, and in it the line where it begins, of CSV the number of the row."""
    if isinstance(table, RowTable):
        where = table.locate(record)
        return where.file, where.line
    name = table.files[(record >> ROW_BITS) & ((1 << FILE_BITS) - 1)].name
    return name, record & ((1 << ROW_BITS) - 1)
