"""TextsByRecord in another language than declared, and texts without a translation.

A language is recognised by its most frequent words, of which each is in one list only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lodpipe.checks.hygiene import TextCell, cells_of, excerpt, field_label
from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import Column, RecordTable, RowTable

_FREQUENT = {
    "de": (
        "der das und ist nicht ein eine einer einem einen eines mit von für auf als auch sich dem "
        "den des zu zum zur bei nach über oder wird wurde werden sind aus durch wie noch nur vom "
        "beim keine unter ihre seine dass"
    ),
    "en": (
        "the and of is not with from for by which are were has have had been this that these their "
        "its it be or but as at on to who than other through between about each only into you they"
    ),
    "fr": (
        "le les une et est dans pour par avec sur du aux ne pas qui sont ou ce cette ces leur plus "
        "être entre été la"
    ),
    "es": ("el los las y es del para por con una que en se su al como más sus entre pero esta"),
    "it": "il gli della delle dei di che è per nel nella con si sono alla come anche dal ed",
    "nl": "het een van niet met voor zijn op te bij naar ook maar aan deze wordt worden dat",
    "pl": "jest nie się na do w z oraz przez dla że od jako tego przy",
}
_WORDS = {language: frozenset(words.split()) for language, words in _FREQUENT.items()}
_ONLY = {
    language: words - frozenset().union(*(_WORDS[other] for other in _WORDS if other != language))
    for language, words in _WORDS.items()
}
_LEAST = 3  # frequent words of the other language
_RATIO = 3  # times as many as of the declared one
_COMMON = 0.95  # share of texts with a translation from which on a missing one is a mistake
_FEWEST = 10  # texts that make such a share
_FEW_SAME = 3  # texts that are the same in two languages, where hardly another is


def recognised(text: str, declared: str) -> str:
    """The language that a text is written in where that is surely not the declared one, else empty.

    >>> recognised("The date is that of the report, which is not dated.", "de")
    'en'
    >>> recognised("Das Datum ist das des Berichts.", "de")
    ''
    """
    if declared not in _ONLY:
        return ""
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    if len(words) < _LEAST + 1:
        return ""
    scores = {language: len(words & only) for language, only in _ONLY.items()}
    best = max(scores, key=lambda language: scores[language])
    certain = scores[best] >= max(_LEAST, _RATIO * scores[declared] + 1)
    return best if best != declared and certain else ""


# -- texts in several languages --------------------------------------------------------------------


class LanguageGroup(NamedTuple):
    """The columns of one field with texts in several languages, by language."""

    table: RecordTable
    columns: Mapping[str, Column]


def _groups(tables: Mapping[str, RecordTable]) -> Iterator[LanguageGroup]:
    for table in tables.values():
        fields: dict[tuple[str, ...], dict[str, Column]] = {}
        for column in table.columns:
            if language := column.field.plausible.written_in:
                fields.setdefault(column.path[:-1], {})[language] = column
        for columns in fields.values():
            yield LanguageGroup(table, columns)


def language_findings(session: Session, tables: Mapping[str, RecordTable]) -> Iterator[Finding]:
    """TextsByRecord whose language is another one than declared, and translations that are missing where
    nearly all other texts have them: warnings.
    """
    groups = [(group, _texts(session, group)) for group in _groups(tables)]
    for group, records in groups:
        yield from _other_languages(group, records)
        yield from _not_translated(group, records)
    yield from _missing(groups)
    for table in tables.values():
        for column in table.columns:
            if column.field.plausible.language:
                yield from _declared_elsewhere(session, table, column)


TextsByRecord = dict[int, dict[str, str]]  # the texts of each record, by language


def _texts(session: Session, group: LanguageGroup) -> TextsByRecord:
    records: TextsByRecord = {}
    for language, column in group.columns.items():
        for record, value in _cells(session, group.table, column):
            records.setdefault(record, {})[language] = value
    return records


def _cells(session: Session, table: RecordTable, column: Column) -> Sequence[TextCell]:
    if isinstance(table, RowTable):
        return list(cells_of(table, column))
    name = quote(column.name)
    sql = f"SELECT _record, {name} FROM {quote(table.name)} WHERE {name} IS NOT NULL"
    return [TextCell(*row) for row in session.rows(sql)]


def _other_languages(group: LanguageGroup, records: TextsByRecord) -> Iterator[Finding]:
    """The first text of each record that is in another language, so that swapped texts are one
    finding.
    """
    for record, texts in records.items():
        for language, value in texts.items():
            column = group.columns[language]
            spoken = recognised(value, language.partition("-")[0].lower())
            if spoken and "language" not in column.field.plausible.allow:
                yield _other(group.table, column, record, (value, language, spoken))
                break


def _not_translated(group: LanguageGroup, records: TextsByRecord) -> Iterator[Finding]:
    """Texts that are the same in the first language and another, are surely not in that one, and are
    few among those that are translated.
    """
    first, *others = group.columns
    for language in others:
        column = group.columns[language]
        pairs = {
            record: texts[language]
            for record, texts in records.items() if {first, language} <= set(texts)
        }  # fmt: skip
        same = [record for record, value in pairs.items() if value == records[record][first]]
        if len(pairs) < _FEWEST or len(same) > max(_FEW_SAME, (1 - _COMMON) * len(pairs)):
            continue
        for record in same:
            value = pairs[record]
            is_known = recognised(value, language) or "language" in column.field.plausible.allow
            if not is_known and _reads_only_like(value, first, language):
                params = {"key": field_label(column), "value": excerpt(value), "other": first}
                where = group.table.locate(record, column.name)
                yield Finding("LP255", where, params, Severity.WARNING)


def _reads_only_like(text: str, language: str, other: str) -> bool:
    """Whether a text has a frequent word of one language, and none of another."""
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    first, second = _ONLY.get(language, frozenset()), _ONLY.get(other)
    return second is not None and bool(words & first) and not words & second


def _other(table: RecordTable, column: Column, record: int, text: tuple[str, str, str]) -> Finding:
    value, language, spoken = text
    params = {
        "key": field_label(column),
        "value": excerpt(value),
        "language": language,
        "found": spoken,
    }
    return Finding("LP229", table.locate(record, column.name), params, Severity.WARNING)


def _missing(groups: Sequence[tuple[LanguageGroup, TextsByRecord]]) -> Iterator[Finding]:
    total = sum(len(records) for _, records in groups)
    languages = {language for group, _ in groups for language in group.columns}
    for language in sorted(languages):
        has = sum(language in texts for _, records in groups for texts in records.values())
        if total < _FEWEST or has == total or has < _COMMON * total:
            continue
        for group, records in groups:
            column = group.columns.get(language)
            if column is None or "translation" in column.field.plausible.allow:
                continue
            for record, texts in records.items():
                if language not in texts and next(iter(group.columns)) in texts:
                    where = group.table.locate(record, group.columns[next(iter(texts))].name)
                    params = {"key": field_label(column), "language": language}
                    yield Finding("LP228", where, params, Severity.WARNING)


# -- texts whose language is in another column -----------------------------------------------------


def _declared_elsewhere(session: Session, table: RecordTable, column: Column) -> Iterator[Finding]:
    other = "_".join((*column.path[:-1], column.field.plausible.language))
    declared = next((item for item in table.columns if item.name == other), None)
    if declared is None:
        detail = f"`language`: {table.name} has no column `{other}`"
        yield Finding("LP601", column.field.origin, {"detail": detail})
        return
    languages = dict(_cells(session, table, declared))
    for record, value in _cells(session, table, column):
        language = languages.get(record, "")
        if spoken := recognised(value, language.partition("-")[0].lower()):
            yield _other(table, column, record, (value, language, spoken))
