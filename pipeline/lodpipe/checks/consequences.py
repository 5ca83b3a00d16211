"""One error, one finding: what only follows from a reported error is linked to it, not reported as
an error of its own.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from lodpipe.checks.dependencies import Dependencies
from lodpipe.diagnostics.finding import Finding, Origin, Severity, set_of
from lodpipe.sources import RecordTable, RowTable
from lodpipe.sources.record_tables import table_number

BROKEN_REFERENCES = ("LP206", "LP537")
_DISTINCTIVE = 5  # characters; a value this long does not occur again by chance

# What is missing, lost or unused cannot be judged while a record is wrong or was not read.
_ABSENCES = frozenset({"LP505", "LP508", "LP509", "LP512", "LP513", "LP544", "LP567", "LP730"})
_MISSING = frozenset({"MinCount", "QualifiedMinCount"})
# Constraints that a value meets or not by itself; all others compare it with statements elsewhere.
_OF_THE_VALUE = frozenset({
    "Datatype", "NodeKind", "Pattern", "LanguageIn", "UniqueLang", "MaxCount", "MinLength", "MaxLength",
    "MinInclusive", "MaxInclusive", "MinExclusive", "MaxExclusive", "In",
})  # fmt: skip
_OF_TAGS = frozenset({"Pattern", "In", "MaxLength", "MinLength"})  # of fields that hold languages
_TAGGED = re.compile(r'"@([A-Za-z-]+)\)$')  # the text that a message quotes, with its language
_MANY_REFERENCES = 3  # to one record that is missing: fewer may each be mistyped
_COUNTS = ("LP512", "LP513")  # tables that have not the records that they should have


def one_for_each_missing(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, where many references to one record that is missing (LP206) are one: it was
    removed or has another key now. The others are its consequences.
    """
    groups: dict[tuple[str, str, Severity], list[Finding]] = {}
    for finding in findings:
        if finding.code == "LP206":
            groups.setdefault(_missing_record(finding), []).append(finding)
    firsts: dict[int, Finding | None] = {}
    for group in groups.values():
        if len(group) >= _MANY_REFERENCES:
            first, *others = sorted(group, key=lambda finding: finding.sort_key)
            followers = [replace(item, caused_by="LP206", consequences=()) for item in others]
            inner = [item for finding in group for item in finding.consequences]
            firsts |= dict.fromkeys(map(id, others))
            firsts[id(first)] = replace(first, consequences=(*followers, *inner))
    joined = (firsts.get(id(finding), finding) for finding in findings)
    return [finding for finding in joined if finding is not None]


def _missing_record(finding: Finding) -> tuple[str, str, Severity]:
    return finding.params["table"], finding.params["value"], finding.severity


class CascadeFilter:
    """Recognises findings that only follow from errors in the records.

    `early` are the reported errors. `hidden` follow from these and have consequences too. `files`
    are the record files with the tables that are read from them.
    """

    def __init__(
        self,
        early: Iterable[Finding],
        hidden: Sequence[Finding],
        tables: Mapping[str, RecordTable],
        dependencies: Dependencies,
        files: Mapping[str, frozenset[str]],
    ) -> None:
        self._causes: list[Finding] = []
        self._followers: dict[tuple[object, ...], list[Finding]] = {}
        self._nesting, self._depends, self._files = _Nesting(tables), dependencies, files
        self._lines: dict[tuple[str, int], Finding] = {}
        self._records: dict[int, Finding] = {}
        self._values: dict[str, Finding] = {}
        self._referenced: dict[str, Finding] = {}
        self._columns: dict[tuple[str, str], Finding] = {}
        self.add(early)
        for finding in hidden:
            self._note(finding)
            self._link(finding, self._by_table(finding, {finding.params["table"]}))

    def add(self, findings: Iterable[Finding]) -> None:
        """Adds reported findings; what follows from the errors among them is recognised from now on."""
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        self._causes += errors
        for error in errors:
            self._note(error)

    def _note(self, error: Finding) -> None:
        if error.code == "LP257":  # a cycle is wrong in each of its records
            for place in error.related:
                self._lines.setdefault((place.file, place.line), error)
        if error.where:
            self._lines.setdefault((error.where.file, error.where.line), error)
            if error.code == "LP564":
                self._columns[error.where.file, error.where.field] = error
            record = self._nesting.innermost(error.where)
            if record is not None:
                self._records.setdefault(record, error)
        for follower in error.consequences:
            if (text := follower.params.get("value", "")) and len(text) >= _DISTINCTIVE:
                self._values.setdefault(text, error)
        value = error.params.get("value", "")
        if len(value) >= _DISTINCTIVE:
            self._values.setdefault(value, error)
        suggestion = error.params.get("suggestion")
        if error.code in BROKEN_REFERENCES and suggestion:
            self._referenced.setdefault(suggestion, error)

    # -- what follows from errors in records -------------------------------------------------------

    def without_consequences(
        self, findings: Iterable[Finding], is_described: Callable[[str], bool] = lambda _: True
    ) -> list[Finding]:
        """Those of later findings that do not follow from the errors; the others are linked to the
        one that they follow from.

        It does if it has the same invalid value, concerns the record that a broken reference most
        likely means, is on the same line, or is in a record that is invalid or part of an invalid
        one. It also does if it compares statements, and a table that these come from has an error;
        or if it is about what is missing: unused, not described (`is_described` of an IRI), less
        than expected.
        """
        own = []
        for finding in findings:
            cause = self._cause(finding, is_described) if self._causes else None
            if cause is None:
                own.append(finding)
            else:
                self._link(finding, cause)
        return own

    def _cause(self, finding: Finding, is_described: Callable[[str], bool]) -> Finding | None:
        near = self._near(finding)
        if near is not None:
            return near
        if _is_absence(finding) or self._names_nothing(finding, is_described):
            return self._by_table(finding, self._tables_of(finding))
        if _compares(finding):
            return self._of_tables(self._tables_of(finding))
        return None

    def _near(self, finding: Finding) -> Finding | None:
        """The error with the same value, of the same line or of a record around it."""
        cause = self._values.get(finding.params.get("value", ""))
        cause = cause or self._referenced.get(finding.params.get("focus", "").rsplit("/", 1)[-1])
        where = finding.where
        if cause or where is None:
            return cause
        if (where.file, where.line) in self._lines:
            return self._lines[where.file, where.line]
        if (where.file, where.field) in self._columns:
            return self._columns[where.file, where.field]
        around = self._nesting.upwards(self._nesting.innermost(where))
        return next((self._records[number] for number in around if number in self._records), None)

    def _names_nothing(self, finding: Finding, is_described: Callable[[str], bool]) -> bool:
        """Whether the value of a finding is a resource of which nothing is stated."""
        value = finding.params.get("value", "")
        return (
            finding.code == "LP401"
            and self._depends.is_own(value)
            and not is_described(f"<{value}>")
        )

    def _by_table(self, finding: Finding, tables: Iterable[str]) -> Finding:
        """The error in one of the tables, else the one that names what the finding does, else the
        first.
        """
        iri = finding.params.get("value", "")
        return self._of_tables(tables) or next(
            (cause for value, cause in self._values.items() if value in iri), self._causes[0]
        )

    def _of_tables(self, tables: Iterable[str]) -> Finding | None:
        wanted = set(tables)
        return next(
            (cause for cause in self._causes if wanted.intersection(self._home(cause))), None
        )

    def _home(self, finding: Finding) -> frozenset[str]:
        """The tables that hold the record of a finding, or that it counts."""
        if finding.code in _COUNTS:
            return self._depends.tables_in(finding.params["table"])
        return self._files.get(finding.where.file if finding.where else "", frozenset())

    def _tables_of(self, finding: Finding) -> frozenset[str]:
        """The tables that a finding depends on."""
        if finding.code in _COUNTS or finding.code == "LP505":
            return self._depends.tables_in(finding.params["table"])
        if finding.code == "LP544":
            return self._depends.tables_of(finding.params["value"])
        if finding.code != "LP401":
            return frozenset()
        nodes = (finding.params.get("focus", ""), finding.params.get("value", ""))
        return frozenset().union(*(self._depends.tables_of(node) for node in nodes if node))

    # -- what follows from one another -------------------------------------------------------------

    def grouped(
        self, findings: Sequence[Finding], is_described: Callable[[str], bool] = lambda _: True
    ) -> list[Finding]:
        """The findings, each with those that follow from it.

        Where no record is wrong, but something is missing, what misses it elsewhere follows: from
        a table that lost records, or from a record that lacks what it should state, when that
        depends on no table of the others.
        """
        own = self._without_unused(set_of(findings))
        own = self._without_warned(self._without_shared(self._without_withdrawn(own)))
        own = self._without_unmade(self._without_tagged(own))
        roots = _Roots(self._missing_things(own), self._kind_of)
        reported = []
        for finding in own:
            names = finding if roots.every and self._names_nothing(finding, is_described) else None
            cause = self._root_of(finding, roots, names)
            if cause is None:
                reported.append(finding)
            else:
                self._link(finding, cause)
        return [self._with_consequences(finding) for finding in reported]

    def _without_unused(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; that a record is unused follows from what is wrong with it, or with a record
        that may refer to it.
        """
        errors = [
            finding
            for finding in findings
            if finding.code == "LP401" and finding.severity is Severity.ERROR and finding.where
        ]
        lines = {(error.where.file, error.where.line): error for error in errors if error.where}
        referring = {
            table: error
            for error in reversed(errors)
            for table in self._depends.referred_to(self._home(error))
        }

        def cause_of(finding: Finding) -> Finding | None:
            where = finding.where
            if finding.code != "LP505" or where is None:
                return None
            return lines.get((where.file, where.line)) or referring.get(finding.params["table"])

        return self._linked(findings, cause_of)

    def _without_withdrawn(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; what shapes say of a withdrawn resource follows from its being described."""
        withdrawn = {finding.where: finding for finding in findings if finding.code == "LP522"}

        def cause_of(finding: Finding) -> Finding | None:
            is_of_shape = finding.code == "LP401" and finding.where is not None
            return withdrawn.get(finding.where) if is_of_shape else None

        return self._linked(findings, cause_of)

    def _without_unmade(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; that no rule makes a property follows from its wrong name, in the mapping or in
        the shape.
        """
        causes = {}
        for finding in findings:
            if finding.code == "LP501":
                prefix = finding.params["term"].partition(":")[0]
                causes[f"{prefix}:{finding.params.get('suggestion')}"] = finding
                causes[finding.params["term"]] = finding

        def cause_of(finding: Finding) -> Finding | None:
            cause = causes.get(finding.params["term"]) if finding.code == "LP730" else None
            return cause if cause and cause.severity >= finding.severity else None

        return self._linked(findings, cause_of)

    def _without_shared(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; that two records have the same identifier is no duplicate as well where a
        shape says so of both.
        """
        forbidden: dict[tuple[str, int | None], dict[tuple[str, str], Finding]] = {}
        for finding in findings:
            if finding.code == "LP401" and finding.where and _constraint(finding) == "SPARQL":
                shared = finding.params.get("shape", ""), finding.params.get("value", "")
                forbidden.setdefault(self._record_at(finding.where), {})[shared] = finding

        def cause_of(finding: Finding) -> Finding | None:
            if finding.code != "LP511" or finding.where is None or not finding.related:
                return None
            own = forbidden.get(self._record_at(finding.where), {})
            other = forbidden.get(self._record_at(finding.related[0]), {})
            return next((own[shared] for shared in own if shared in other), None)

        return self._linked(findings, cause_of)

    def _record_at(self, where: Origin) -> tuple[str, int | None]:
        return where.file, self._nesting.innermost(where)

    def _without_warned(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; a warning about an address that a shape does not allow says the same of it."""
        wrong = {
            (finding.where.file, finding.where.line, finding.where.column): finding
            for finding in findings
            if finding.code == "LP401" and finding.where and finding.severity is Severity.ERROR
        }

        def cause_of(finding: Finding) -> Finding | None:
            where = finding.where
            if finding.code != "LP225" or where is None:
                return None
            return wrong.get((where.file, where.line, where.column))

        return self._linked(findings, cause_of)

    def _linked(
        self, findings: Sequence[Finding], cause_of: Callable[[Finding], Finding | None]
    ) -> list[Finding]:
        """The findings that have no cause; the others are linked to theirs."""
        own = []
        for finding in findings:
            if cause := cause_of(finding):
                self._link(finding, cause)
            else:
                own.append(finding)
        return own

    def _without_tagged(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; that the language of a text is none of those allowed follows from the field of
        the same record that holds the language, if its value is invalid.
        """
        languages = {
            (finding.where.file, self._nesting.innermost(finding.where), finding.params["value"]): finding
            for finding in findings
            if finding.code == "LP401" and finding.where and _constraint(finding) in _OF_TAGS
        }  # fmt: skip

        def cause_of(finding: Finding) -> Finding | None:
            where, tag = finding.where, _TAGGED.search(finding.params.get("message_en", ""))
            if where is None or tag is None or _constraint(finding) != "LanguageIn":
                return None
            return languages.get((where.file, self._nesting.innermost(where), tag[1]))

        return self._linked(findings, cause_of)

    def _missing_things(self, findings: Sequence[Finding]) -> list[Finding]:
        """What is missing: tables by their counts first, then records that lack something."""
        counted = [
            finding
            for code in _COUNTS
            for finding in findings
            if finding.code == code and finding.severity is Severity.ERROR
        ]
        lacking = [
            finding
            for finding in findings
            if finding.code == "LP401"
            and finding.severity is Severity.ERROR
            and _is_absence(finding)
            and len(self._tables_of(finding)) == 1
            and self._tables_of(finding) == self._home(finding)
        ]
        renamed = [
            finding for finding in findings if finding.code == "LP544" and finding.consequences
        ]
        wrong = [
            finding
            for finding in findings
            if finding.code == "LP401" and finding.severity is Severity.ERROR
        ]
        return [*counted[:1], *renamed, *lacking, *wrong]

    def _kind_of(self, root: Finding) -> tuple[object, ...]:
        """What decides whether a finding follows from a root, unless it names the same."""
        return root.code, _is_absence(root), self._home(root), self._tables_of(root)

    def _root_of(self, finding: Finding, roots: _Roots, naming: Finding | None) -> Finding | None:
        """The first root that a finding follows from; `naming` is the finding where its value is a
        resource of which nothing is stated.
        """
        if not (_is_absence(finding) or _compares(finding)):
            return None
        places = [
            at for at, root in roots.kinds if finding != root and self._follows(finding, root)
        ][:1]
        if naming is not None:
            value = naming.params["value"]
            places += [
                at for at, name in roots.names if name in value and finding != roots.every[at]
            ][:1]
        return roots.every[min(places)] if places else None

    def _follows(self, finding: Finding, root: Finding) -> bool:
        if root.code == "LP544":
            return False
        if root.code == "LP401" and not _is_absence(root):
            return self._is_counted_from(finding, root)
        if finding.code == "LP505" and root.code in _COUNTS:
            return True  # what is missing may have used it
        home = self._home(root)
        return bool(home & self._tables_of(finding)) and (
            root.code in _COUNTS or not home & self._home(finding)
        )

    def _is_counted_from(self, finding: Finding, root: Finding) -> bool:
        """Whether a finding is about figures that come from the table of another one, and not the
        other way round.
        """
        return (
            _compares(finding)
            and self._depends.is_aggregated(finding.params["focus"])
            and bool(self._home(root) & self._tables_of(finding))
            and not self._home(finding) & (self._home(root) | self._tables_of(root))
        )

    def _link(self, finding: Finding, cause: Finding) -> None:
        followers = self._followers.setdefault(_identity(cause), [])
        followers.append(replace(finding, caused_by=cause.code))

    def _with_consequences(self, finding: Finding) -> Finding:
        followers = [*finding.consequences, *self._followers.get(_identity(finding), [])]
        inner = [follower for item in followers for follower in self._flat(item)]
        ordered = sorted(set_of(inner), key=lambda item: item.sort_key)
        return replace(finding, consequences=tuple(ordered)) if ordered else finding

    def _flat(self, finding: Finding) -> Iterable[Finding]:
        yield replace(finding, consequences=())
        for follower in finding.consequences:
            yield from self._flat(follower)
        for follower in self._followers.get(_identity(finding), []):
            yield from self._flat(follower)


class _Roots:
    """What others may follow from, in order; `kinds` has the first of each kind with its place,
    `names` what each is about.
    """

    def __init__(
        self, roots: Sequence[Finding], kind_of: Callable[[Finding], tuple[object, ...]]
    ) -> None:
        self.every = roots
        first: dict[tuple[object, ...], int] = {}
        for at, root in enumerate(roots):
            first.setdefault(kind_of(root), at)
        self.kinds = [(at, roots[at]) for at in first.values()]
        self.names = [(at, name) for at, root in enumerate(roots) for name in _names(root)]


def _identity(finding: Finding) -> tuple[object, ...]:
    return finding.severity, *finding.sort_key


def _names(finding: Finding) -> list[str]:
    """The IRIs, without the base, of what a finding and its consequences are about."""
    every = (finding, *finding.consequences)
    names = (item.params.get("local") or item.params.get("focus") for item in every)
    return [name for name in names if name]


def _constraint(finding: Finding) -> str:
    return finding.params.get("component", "").removesuffix("ConstraintComponent")


def _is_absence(finding: Finding) -> bool:
    return finding.code in _ABSENCES or _constraint(finding) in _MISSING


def _compares(finding: Finding) -> bool:
    """Whether a finding of a shape is about more than a value by itself."""
    return finding.code == "LP401" and _constraint(finding) not in _OF_THE_VALUE


class _Nesting:
    """Which record a line is in, and which record contains that one; values of plain lists are no
    records.
    """

    def __init__(self, tables: Mapping[str, RecordTable]) -> None:
        self._tables = {
            table.number: table
            for table in tables.values()
            if isinstance(table, RowTable)
            and not any(column.path == () for column in table.columns)
        }
        self._starts: dict[str, list[tuple[int, int]]] = {}

    def innermost(self, where: Origin) -> int | None:
        """The number of the last record that begins at or above a place."""
        places = self._starts.get(where.file)
        if places is None:
            places = self._starts[where.file] = sorted(
                (line, int(row[0] or 0))
                for table in self._tables.values()
                for line, row in table.in_file(where.file)
            )
        at = bisect_right(places, where.line, key=lambda place: place[0])
        return places[at - 1][1] if at else None

    def upwards(self, record: int | None) -> Iterable[int]:
        """A record, the record that contains it, and so on."""
        while record is not None:
            yield record
            table = self._tables.get(table_number(record))
            record = table.parent_of(record) if table else None
