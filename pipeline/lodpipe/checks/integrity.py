"""The records as a whole: times in order, no near duplicates, as many records as expected, not
fewer than before.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import _duckdb as duckdb

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import DuplicateRule
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import Column, RecordTable, RowTable

COUNTS = "counts.json"
_SHORTEST = 8  # letters; below, one letter more or less is another name


def integrity_findings(
    session: Session, project: Project, tables: Mapping[str, RecordTable], keys: Mapping[str, str]
) -> Iterator[Finding]:
    """Names that are nearly the same, and counts that are expected; `keys` names the key column of
    each table.

    Times out of order belong to the checks of records, before the graph is made.
    """
    for rule in project.publication.duplicates:
        yield from duplicate_findings(session, rule, tables, keys, project.origin("duplicates"))
    yield from count_findings(session, project)


# -- times in order --------------------------------------------------------------------------------


def order_findings(
    session: Session,
    tables: Mapping[str, RecordTable],
    implausible: Callable[[Column], str] = lambda _: "",
) -> Iterator[Finding]:
    """Values of columns declared `after` another column that are before it; compared in the
    precision that both have.

    `implausible` is the condition under which a column is reported in any case, so that its order
    is not judged.
    """
    for table in tables.values():
        for column in table.columns:
            if not column.field.after:
                continue
            other = "_".join((*column.path[:-1], column.field.after))
            end, start = quote(column.name), quote(other)
            length = f"least(length({end}), length({start}))"
            judged = "".join(
                f" AND NOT coalesce({condition}, false)"
                for item in table.columns
                if item.name in (column.name, other) and (condition := implausible(item))
            )
            sql = (
                f"SELECT _record, {end}, {start} FROM {quote(table.name)} WHERE left({end}, {length}) < left({start}, {length}) "
                f"AND {end} SIMILAR TO '[0-9]{{4}}.*' AND {start} SIMILAR TO '[0-9]{{4}}.*'{judged} ORDER BY _record"
            )
            for record, value, begin in session.rows(sql):
                yield Finding(
                    "LP510",
                    table.locate(record, column.name),
                    {"key": column.name, "value": value, "other": other, "start": begin},
                )


# -- near duplicates -------------------------------------------------------------------------------


def duplicate_findings(
    session: Session,
    rule: DuplicateRule,
    tables: Mapping[str, RecordTable],
    keys: Mapping[str, str],
    where: Origin,
) -> Iterator[Finding]:
    """Pairs of records that share a key or have nearly the same name: a warning with both places."""
    table = tables.get(rule.table)
    columns = {column.name for column in table.columns} if table else set()
    named = (*rule.keys, *([rule.name] if rule.name else []), *rule.within)
    unknown = [name for name in named if name not in columns]
    if table is None or unknown:
        detail = (
            f"there is no column `{unknown[0]}` in {rule.table}"
            if table and unknown
            else f"there is no table `{rule.table}`"
        )
        yield Finding("LP601", where, {"detail": f"duplicates: {detail}"})
        return
    key = keys.get(rule.table, "")
    for column in rule.keys:
        yield from _pairs(
            table, column, _shared(_cells(session, table, column, key)), rule, f"the same {column}"
        )
    if rule.name:
        cells = _cells(session, table, rule.name, key)
        pairs = (
            pair
            for group in _groups(session, table, rule.within, cells)
            for pair in nearly_same(group, rule.ignore)
        )
        yield from _pairs(table, rule.name, pairs, rule, rule.name)


Cell = tuple[int, str, str]


def _cells(session: Session, table: RecordTable, column: str, key: str) -> list[Cell]:
    """Record, value and key of each record that has a value."""
    named = quote(key) if key else "''"
    name = quote(column)
    return session.rows(
        f"SELECT _record, {name}, coalesce({named}, '') FROM {quote(table.name)} WHERE {name} IS NOT NULL ORDER BY _record"
    )


def _groups(
    session: Session, table: RecordTable, within: Sequence[str], cells: list[Cell]
) -> Iterable[list[Cell]]:
    """The cells of records that have the same values in some columns; all, where none is named."""
    if not within:
        return [cells]
    names = ", ".join(map(quote, within))
    rows = session.rows(f"SELECT _record, {names} FROM {quote(table.name)}")
    group_of = {record: tuple(values) for record, *values in rows}
    groups: dict[tuple[str | None, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(group_of[cell[0]], []).append(cell)
    return groups.values()


def _pairs(
    table: RecordTable,
    column: str,
    pairs: Iterable[tuple[Cell, Cell]],
    rule: DuplicateRule,
    detail: str,
) -> Iterator[Finding]:
    distinct = {frozenset(pair) for pair in rule.distinct}
    for first, second in pairs:
        if frozenset((first[2], second[2])) not in distinct:
            other = table.locate(first[0], column)
            params = {
                "table": table.name, "value": second[2] or second[1], "other": first[2] or first[1], "detail": detail, "place": str(other),
            }  # fmt: skip
            yield Finding(
                "LP511", table.locate(second[0], column), params, Severity.WARNING, related=(other,)
            )


def _shared(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    first: dict[str, Cell] = {}
    for cell in cells:
        if cell[1] in first:
            yield first[cell[1]], cell
        else:
            first[cell[1]] = cell


def normalised(name: str, ignore: Iterable[str] = ()) -> str:
    """A name without case, accents, punctuation, the order of its words, and ignored words.

    >>> normalised("Bürger-Verein Musterstadt e. V.", ["e. V."]) == normalised("Burger Verein, Musterstadt", ["e. V."])
    True
    """
    words = _words(name)
    for phrase in sorted((_words(phrase) for phrase in ignore), key=len, reverse=True):
        length = len(phrase)
        for at in range(len(words) - length, -1, -1):
            if words[at : at + length] == phrase and len(words) > length:
                del words[at : at + length]
    return " ".join(sorted(words))


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.findall(
        r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign))
    )


_known_words = functools.lru_cache(10_000)(_words)  # of texts that are compared with many others


def nearly_same(cells: Sequence[Cell], ignore: Iterable[str] = ()) -> Iterator[tuple[Cell, Cell]]:
    """Pairs whose normalised names are the same, one letter apart (numbers apart excepted), or
    differ in initials or a suffix that only one of them has; each record with the first similar one.

    Names one letter apart share a form with one letter taken out, so that only names with a form in
    common are compared, not all with all.
    """
    first: dict[str, int] = {}  # normalised name → the first cell that has it
    names: list[str] = []
    holder: dict[str, int] = {}  # form → the first cell that has it
    others: dict[str, list[int]] = {}  # form → the cells after it, which are few
    for number, cell in enumerate(cells):
        name = normalised(cell[1], ignore)
        names.append(name)
        if name in first:
            yield cells[first[name]], cell
            continue
        first[name] = number
        candidates: set[int] = set()
        for form in (name, *_without_a_letter(name), f"~{_main_words(name)}"):
            if holder.setdefault(form, number) != number:
                candidates.update((holder[form], *others.get(form, ())))
                others.setdefault(form, []).append(number)
        twin = next(
            (
                other
                for other in sorted(candidates)
                if _close(names[other], name) or _differ_in_initials(names[other], name)
            ),
            None,
        )
        if twin is not None:
            yield cells[twin], cell


def _without_a_letter(name: str) -> set[str]:
    if len(name) < _SHORTEST:
        return set()
    return {name[:at] + name[at + 1 :] for at in range(len(name)) if name[at].isalpha()}


_SUFFIXES = {"jr", "sr", "ii", "iii", "jun", "sen", "dr", "prof"}


def _main_words(name: str) -> str:
    """A normalised name without initials, titles and what distinguishes father and son."""
    return " ".join(
        word for word in name.split() if word not in _SUFFIXES and (len(word) > 1 or word.isdigit())
    )


def _differ_in_initials(name: str, other: str) -> bool:
    """Whether one name is the other with initials, a title or a suffix: Brian S. Evans, Brian
    Evans. Brian A. Evans is another person.
    """
    main = _main_words(name)
    if main != _main_words(other) or len(main) < _SHORTEST or " " not in main:
        return False
    if any(sign.isdigit() for sign in main):
        return False
    first, second = set(name.split()), set(other.split())
    return first <= second or second <= first


def _close(name: str, other: str) -> bool:
    """Whether two names differ by one letter inserted, omitted, changed, or swapped with its
    neighbour, and have the same numbers.
    """
    return (
        min(len(name), len(other)) >= _SHORTEST
        and _one_letter_apart(name, other)
        and re.findall("[0-9]+", name) == re.findall("[0-9]+", other)
    )


def _one_letter_apart(name: str, other: str) -> bool:
    from rapidfuzz.distance import OSA  # late: most checks compare no two names

    return OSA.distance(name, other, score_cutoff=1) <= 1


_LONG_WORD = 5  # letters; shorter words with one other letter are other words


def same_but_for_signs(text: str, other: str) -> bool:
    """Whether two texts differ in signs, spaces, accents and capitals only.

    >>> same_but_for_signs("AdaLogics", "Ada Logics"), same_but_for_signs("dplyr", "dbplyr")
    (True, False)
    """
    return "".join(_known_words(text)) == "".join(_known_words(other))


def same_but_for_a_typo(text: str, other: str) -> bool:
    """Whether two texts differ in signs, spaces and accents only, or in a letter of one long word.

    >>> same_but_for_a_typo("e.V.", "eV"), same_but_for_a_typo("Region gestallten", "Region gestalten")
    (True, True)
    >>> same_but_for_a_typo("Class A", "Class B"), same_but_for_a_typo("Level 1 test", "Level 2 test")
    (False, False)
    """
    first, second = _known_words(text), _known_words(other)
    if same_but_for_signs(text, other):
        return True
    if len(first) != len(second):
        return _close("".join(first), "".join(second))
    differing = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    is_word = all(len(word) >= _LONG_WORD and word.isalpha() for pair in differing for word in pair)
    return len(differing) == 1 and is_word and _one_letter_apart(*differing[0])


# -- counts ----------------------------------------------------------------------------------------


def count_findings(session: Session, project: Project) -> Iterator[Finding]:
    """Tables and queries that have more or fewer records than `expect` says."""
    for name, expected in project.publication.expect.items():
        least, most = (
            (expected, expected) if isinstance(expected, int) else (expected.min, expected.max)
        )
        where = project.origin("expect", name)
        try:
            ((count,),) = session.rows(f"SELECT count(*) FROM {quote(name)}")
        except duckdb.Error:
            yield Finding(
                "LP601", where, {"detail": f"expect: there is no table or query `{name}`"}
            )
            continue
        if count < least or (most is not None and count > most):
            wanted = (
                str(least) if least == most else f"≥ {least}" if most is None else f"{least}–{most}"
            )
            yield Finding("LP512", where, {"table": name, "found": str(count), "expected": wanted})


def counts(session: Session, tables: Mapping[str, RecordTable]) -> dict[str, int]:
    """How many records each table has; those of YAML and JSON are in Python already."""
    return {
        name: len(table.rows)
        if isinstance(table, RowTable)
        else session.rows(f"SELECT count(*) FROM {quote(name)}")[0][0]
        for name, table in sorted(tables.items())
    }


def write_counts(totals: Mapping[str, int], folder: Path) -> None:
    """The counts beside the dumps, with which the next build compares its own."""
    (folder / COUNTS).write_text(json.dumps(totals, indent=1) + "\n", "utf-8")


def read_counts(dist: Path) -> Mapping[str, int]:
    """The counts of an existing dist/; none where there are none that can be read."""
    try:
        before = json.loads((dist / COUNTS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return before if isinstance(before, dict) else {}


def loss_findings(
    current: Mapping[str, int], before: Mapping[str, int], limit: float, where: Origin
) -> Iterator[Finding]:
    """Tables that lost more than `limit` per cent of the records that they had before."""
    for name, number in before.items():
        now = current.get(name, 0)
        if isinstance(number, int) and number > 0 and (number - now) * 100 > limit * number:
            yield Finding(
                "LP513",
                where,
                {"table": name, "before": str(number), "found": str(now), "share": f"{limit:g}"},
            )
