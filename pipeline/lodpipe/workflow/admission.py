"""What may pass: the declared severities of rules, known findings, and records that are left out
because they have errors.

A run with errors in records of a table whose `on_error` is `leave_out` begins again without these
records; what only they state is then not stated, and fields that refer to them are empty. So the
rest is checked as if they had never been entered:

    run 1: people/ada has an error       → leave people/ada out, begin again
    run 2: offices/mayor refers to it    → the reference is emptied (LP713); no error: the run passes
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lodpipe.checks.consequences import one_for_each_missing
from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import CountRange
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    Origin,
    Severity,
    set_of,
)
from lodpipe.diagnostics.rule_selection import UnknownRule
from lodpipe.diagnostics.rules import render
from lodpipe.diagnostics.severities import declared_severities, is_fixed, rated
from lodpipe.engine.loading import Records
from lodpipe.sources import RecordReader, RecordTable, RowTable, ScanTable, Table
from lodpipe.workflow.baseline import read_baseline
from lodpipe.workflow.record_index import IndexedRecord, RecordIndex

LEFT_OUT = "left-out.json"  # in dist/


class Admission:
    """What a run lets pass. `collecting` takes all findings that may be known ones as known."""

    def __init__(self, project: Project, *, collecting: bool = False) -> None:
        self.project, self.collecting = project, collecting
        self.severities = _severities(project)
        file = project.publication.baseline
        self._baseline = read_baseline(project.root, file) if file and not collecting else None
        self.known: list[Finding] = []
        self.index = RecordIndex({}, {})
        self._left_out: dict[tuple[str, int], tuple[IndexedRecord, list[Finding]]] = {}
        self._notes: list[Finding] = []
        self.changes_rows = False  # whether the last errors leave out records that are in tables

    # -- records that are left out -----------------------------------------------------------------

    def retries(self, findings: Iterable[Finding]) -> bool:
        """Whether errors are in records that may be left out: they are, in the next run."""
        progress = self.changes_rows = False
        for finding in _each(findings):
            record = self._culprit(finding)
            if record is None:
                continue
            place = record.file, record.line
            if place not in self._left_out:
                self._left_out[place] = record, []
                progress = True
                self.changes_rows |= record.number >= 0  # others repeat a key
            self._left_out[place][1].append(finding)
        return progress

    def _culprit(self, finding: Finding) -> IndexedRecord | None:
        """The record whose error a finding is, if its table leaves out such records."""
        if finding.severity is not Severity.ERROR or finding.where is None:
            return None
        if finding.code[:3] not in ("LP2", "LP3", "LP4", "LP5") and finding.code != "LP713":
            return None
        record = self.index.record_at(finding.where)
        on_error = self.project.publication.on_error
        return record if record and on_error.get(record.table) == "leave_out" else None

    def read(
        self,
        reader: RecordReader,
        tables: Mapping[str, RecordTable],
        declared: Mapping[str, Table],
    ) -> None:
        """Takes the records that are to be left out from the tables that were read, whatever was taken
        from them before.
        """
        for table in tables.values():
            if isinstance(table, RowTable):
                table.restore()
        self._check_tables(declared)
        self.index = RecordIndex(tables, declared, reader.repeated)
        self._notes = []
        if not self._left_out:
            return
        gone = self._numbers()
        keys = self._keys()
        for table in tables.values():  # parents come before the tables of their lists
            if isinstance(table, RowTable):
                gone |= {int(row[0] or 0) for row in table.rows if row[1] in gone}
                table.leave_out(gone)
                gone |= (items := set(self._without_references(table, keys)))
                table.leave_out(items)

    def loaded(self, records: Records, tables: Mapping[str, RecordTable]) -> None:
        """The same in tables that the engine read itself."""
        keys, numbers = self._keys(), self._numbers()
        for table in tables.values():
            if self._left_out and isinstance(table, ScanTable):
                records.leave_out(table, numbers)
                for column in table.columns:
                    if column.field.kind == "ref" and (lost := keys.get(column.field.target)):
                        for record, key in records.empty_references(table, column.name, lost):
                            where = table.locate(record, column.name)
                            self._note(where, column.name, key, column.field.required)

    def _check_tables(self, declared: Mapping[str, Table]) -> None:
        for name in self.project.publication.on_error:
            if name not in declared:
                where = self.project.origin("on_error", name)
                detail = {"detail": f"on_error: there is no table `{name}`"}
                raise InvalidDeclaration([Finding("LP601", where, detail)])

    def _numbers(self) -> set[int]:
        return {record.number for record, _ in self._left_out.values()}

    def _keys(self) -> dict[str, set[str]]:
        """The keys of the records that are left out, by table."""
        keys: dict[str, set[str]] = {}
        for record, _ in self._left_out.values():
            if record.number >= 0:  # the first record of a repeated key stays
                keys.setdefault(record.table, set()).add(record.key)
        return keys

    def _without_references(self, table: RowTable, keys: Mapping[str, set[str]]) -> Iterator[int]:
        """Empties the references to records that are left out; gives the items of lists that cannot
        be without theirs.
        """
        for at, column in enumerate(table.columns, 2):
            lost = keys.get(column.field.target, set()) if column.field.kind == "ref" else set()
            for place, row in enumerate(table.rows) if lost else ():
                if row[at] in lost:
                    number, key = int(row[0] or 0), str(row[at])
                    is_item = row[1] is not None
                    fails = column.field.required and not is_item
                    self._note(table.locate(number, column.name), column.name, key, fails)
                    table.rows[place] = [*row[:at], None, *row[at + 1 :]]
                    if is_item and (column.field.required or not column.path):
                        yield number

    def _note(self, where: Origin, key: str, value: str, fails: bool) -> None:
        severity = Severity.ERROR if fails else Severity.WARNING
        self._notes.append(Finding("LP713", where, {"key": key, "value": value}, severity))

    # -- findings ----------------------------------------------------------------------------------

    def rated(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings with their declared severity, without those in records that are left out."""
        return [
            finding
            for finding in rated(findings, self.severities)
            if not self._is_of_left_out(finding)
        ]

    def _is_of_left_out(self, finding: Finding) -> bool:
        if not self._left_out or finding.where is None:
            return False
        if finding.code == "LP512":
            return self._is_expected(finding)
        record = self.index.record_at(finding.where)
        return record is not None and (record.file, record.line) in self._left_out

    def _is_expected(self, finding: Finding) -> bool:
        """Whether a table has as many records as expected with those that are left out."""
        name = finding.params["table"]
        expected = self.project.publication.expect[name]
        left = sum(record.table == name for record, _ in self._left_out.values())
        count = int(finding.params["found"]) + left
        if isinstance(expected, CountRange):
            return count >= expected.min and (expected.max is None or count <= expected.max)
        return count == expected

    def gate(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings that are not known, in order. Raises InvalidData with them where one is an
        error.
        """
        new = [finding for finding in (*findings, *self._notes) if not self._is_known(finding)]
        if any(finding.severity is Severity.ERROR for finding in new):
            raise InvalidData([*one_for_each_missing(new), *self.left_out_findings()])
        return tuple(sorted(set_of(new), key=lambda finding: finding.sort_key))

    def _is_known(self, finding: Finding) -> bool:
        if self.collecting:
            known = not is_fixed(finding.code) and self._culprit(finding) is None
            known = known and finding.code not in ("LP504", "LP711", "LP712", "LP713")
            if known:
                self.known.append(finding)
            return known
        return self._baseline is not None and self._baseline.knows(finding, self.index)

    def last(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings of a run that passes, with what it left out and stale entries."""
        stale = self._baseline.stale() if self._baseline else ()
        every = [*findings, *self.left_out_findings(), *rated(stale, self.severities)]
        return tuple(sorted(set_of(every), key=lambda finding: finding.sort_key))

    def left_out_findings(self) -> Iterator[Finding]:
        """A warning for each record that is left out, with the places of its errors."""
        for record, errors in self._left_out.values():
            rules = ", ".join(sorted({finding.code for finding in errors}))
            places = tuple(sorted({finding.where for finding in errors if finding.where}))
            params = {"record": record.name, "rules": rules}
            where = Origin(record.file, record.line)
            yield Finding("LP711", where, params, Severity.WARNING, related=places)

    def left_out_document(self, languages: Sequence[str]) -> str:
        """What was left out, as JSON; empty where nothing was."""
        if not self._left_out:
            return ""
        language = languages[0]
        records = [
            {
                "table": record.table,
                "record": record.key or None,
                "file": record.file,
                "line": record.line,
                "errors": [_plain(finding, language) for finding in set_of(errors)],
            }
            for record, errors in sorted(self._left_out.values(), key=lambda pair: pair[0].name)
        ]
        references = [_plain(finding, language) for finding in set_of(self._notes)]
        document = {"records": records, "references": references}
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _each(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings one by one: those of the same rule that were joined are taken apart."""
    for finding in findings:
        joined = [item for item in finding.consequences if item.code == finding.code]
        yield from (finding, *joined)


def _plain(finding: Finding, language: str) -> dict[str, object]:
    where = finding.where or Origin("")
    message, _ = render(finding.code, finding.params, language)
    return {"rule": finding.code, "file": where.file, "line": where.line, "message": message}


def _severities(project: Project) -> dict[str, Severity | None]:
    """The severities of publication.yaml. Raises InvalidDeclaration (LP601)."""
    severities: dict[str, Severity | None] = {}
    problems = []
    for word, value in project.publication.severities.items():
        try:
            severities |= declared_severities({word: value})
        except UnknownRule as error:
            problems.append((word, f"severities: {error}"))
        except ValueError as error:
            problems.append((word, f"severities: the severity of {error} is fixed"))
    if problems:
        raise InvalidDeclaration(
            [
                Finding("LP601", project.origin("severities", word), {"detail": detail})
                for word, detail in problems
            ]
        )
    return severities


def write_left_out(folder: Path, document: str) -> None:
    """Writes what was left out beside the dumps."""
    if document:
        (folder / LEFT_OUT).write_text(document, "utf-8", newline="\n")
