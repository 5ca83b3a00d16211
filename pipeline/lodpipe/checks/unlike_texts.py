"""Texts that are unlike all others of their field: a name that is the key of its record, is in capitals,
holds an e-mail address, a footnote, a formula of a spreadsheet; two texts that changed places; a rare
spelling of what others have.

    - id: museum-north                      documents whose publisher is `Town Hall` three times, and
      name: museum-north                    one whose title is `Town Hall` and whose publisher `Report 2021`

Nothing is declared: a text is judged by the others of its field, which have to be many and nearly all
different from it in that respect. Long texts and lists of few values say too little and are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from lodpipe.checks.hygiene import excerpt, field_label, text_columns
from lodpipe.checks.integrity import same_but_for_a_typo, same_but_for_signs
from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.sources import Column, RecordTable

_FEWEST = 20  # values of a field, so that one of them can be unlike the others
_SHARE = 20  # at most one of so many is reported
_MOST = 5  # texts of a field; more of them are a habit
_LONGEST = 120  # letters that nine of ten names or titles do not exceed
_REPEATED = 3  # times that a text is in the other field, from which it came
_FEW_DIFFERENT = (
    200  # values of a field that names kinds; more of them are names, which may be alike
)
_FEW_WORDS = 30  # different texts of a field of single words, in which a letter makes no other name
_FREQUENT = 3  # times that a text is in its field, of which a rare one is a wrong spelling
_WORDS = r"\p{L}\S*\s+\S*\p{L}\S*\s+\S*\p{L}"  # three: no number, and no name of a person as others have it


class _Trait(NamedTuple):
    """What a text has that others of its field lack: a condition as SQL over the column `{0}`, the
    key `{1}` and whether it is an item of a list `{2}`, and the words of the finding. `is_odd`
    holds for those that only texts with _ODD can have.
    """

    condition: str
    english: str
    german: str
    is_odd: bool = False

    def of(self, name: str, key: str, is_item: str) -> str:
        """The condition for a column."""
        return self.condition.replace("{0}", name).replace("{1}", key).replace("{2}", is_item)


# Two words of four letters or more between spaces, and no small letter: no acronym, no list of these.
_SIGNS = r"[\p{Lu} .,&'’]*"
_CAPITALS = rf"^{_SIGNS}\p{{Lu}}{{4,}}{_SIGNS} {_SIGNS}\p{{Lu}}{{4,}}{_SIGNS}$"
# Few texts need the pattern, which is slow for long ones.
_IN_CAPITALS = f"CASE WHEN {{0}} = upper({{0}}) THEN regexp_matches({{0}}, {text(_CAPITALS)}) END"
# Signs between items, but for "A-, B- and C" and other words that belong together.
# and for a name with its rank: "Freddie Prinze, Jr.", "Leclerc, Comte de Buffon".
_RANK = r"^[^,]+, (?:(?:Jr|Sr|Ph\.?D|M\.?D|Esq|[IV]+)\b\.?$|(?:\p{Lu}\S* |[0-9]+\w+ )*(?:of|de|du|d’|von|van|di|da|do|zu) )"
_SEVERAL = (
    "{2} AND regexp_matches(regexp_replace({0}, '[(][^)]*[)]', '', 'g'), '[^-], |[;|]') "
    "AND NOT regexp_matches({0}, ' (?i:und|and|oder|or|et|ou|y|e|&) ') "
    f"AND NOT regexp_matches({{0}}, {text(_RANK)})"
)
_MAIL = r"[\w.+-]+@[\w-]+(\.[\w-]+)+"
_FAILED = (
    r"^(?:Error )?(?:403|404|500|502|503):? (?:\p{Lu}|[-–|])|(?i:\bpage not found|\bseite (?:wurde )?nicht gefunden|"
    r"^access denied|^zugriff verweigert|^just a moment|^before you continue|^bevor sie fortfahren)"
)
_FORMULA = r"^=\p{Lu}+[0-9]*[(:;+*/-]|^[+-]\p{Lu}{1,3}(?:[0-9]+[:;+*/-]|[(])"
_NOTE = r"\((?i:bitte|please|prüfen|check|todo|unklar|unclear|stimmt|\?+|!+)[^)]*\)"


def _odd(pattern: str, english: str, german: str, *, condition: str = "") -> _Trait:
    """A trait that is a pattern, of which _ODD has the signs."""
    return _Trait(
        f"{condition}regexp_matches({{0}}, {text(pattern)})", english, german, is_odd=True
    )


# What one search picks before the patterns of the odd traits are tried.
_ODD = (
    r"://|^www\.|\[[0-9]+\]|[¹²³]$|\.\.\.$|,\p{Lu}| ,|^[•·▪‣*=+-]|^[0-9]+[.)] |\.$|[(?!)]|40[34]|50[023]"
    r"|(?i:not found|nicht gefunden|denied|verweigert|moment|continue|fortfahren)|[\x{1F300}-\x{1FAFF}]"
)
_TRAITS = (
    _Trait("{0} = {1} AND {0} SIMILAR TO '.*\\p{L}.*'", "is the key of the record", "ist der Schlüssel des Datensatzes"),
    _Trait(_IN_CAPITALS, "is in capitals", "steht in Großbuchstaben"),
    _Trait(f"regexp_matches({{0}}, {text(_MAIL)}) AND NOT contains({{0}}, '://')", "contains an e-mail address", "enthält eine E-Mail-Adresse"),
    _Trait("contains(trim({0}, chr(10)), chr(10))", "contains a line break", "enthält einen Zeilenumbruch"),
    _Trait(_SEVERAL, "looks like several items in one", "sieht nach mehreren Einträgen in einem aus"),
    _odd(r"^(?:https?://|www\.)\S+$", "is an address", "ist eine Adresse"),
    _odd(r"\[[0-9]{1,3}\]$|\p{L}{3}[¹²³]$", "ends in the mark of a footnote", "endet mit dem Zeichen einer Fußnote"),
    _odd(r"^.{15,}\p{L}\.\.\.$", "is cut off", "ist abgeschnitten"),
    _odd(r"\p{Ll},\p{Lu}\p{Ll}|\p{Lu},\p{Lu}\p{Ll}", "lacks a space after a comma", "hat kein Leerzeichen nach einem Komma"),
    _odd(r"\p{L} ,", "has a space before a comma", "hat ein Leerzeichen vor einem Komma"),
    _odd(r"^[•·▪‣*] ?\p{L}", "begins with the sign of a list", "beginnt mit einem Aufzählungszeichen"),
    _odd(r"^[0-9]{1,2}[.)] \p{L}", "begins with a number of a list", "beginnt mit der Nummer einer Liste", condition="{2} AND "),
    _odd(r"\p{Ll}{4}\.$", "ends in a full stop", "endet mit einem Punkt", condition="{2} AND "),
    _odd(_FAILED, "is the title of a page that failed to load", "ist der Titel einer Seite, die nicht geladen wurde"),
    _odd(_NOTE, "contains a note to the editors", "enthält eine Notiz für die Redaktion"),
    _odd(_FORMULA, "is a formula of a spreadsheet", "ist eine Formel einer Tabellenkalkulation"),
    _odd(r"[\x{1F300}-\x{1FAFF}]", "contains an emoji", "enthält ein Emoji"),
)  # fmt: skip


class _Profile(NamedTuple):
    """A column with how many values it has, how many different ones, whether they are short, and how
    many have each trait.
    """

    column: Column
    total: int
    different: int
    is_short: bool
    having: tuple[int, ...]


def unlike_text_findings(session: Session, tables: Mapping[str, RecordTable]) -> Iterator[Finding]:
    """Warnings: LP246 for a text, LP248 for two texts that changed places, LP261 for a rare spelling."""
    judged = [(table, columns) for table in tables.values() if (columns := _judged(table))]
    # One query for all is the fastest, but those of one table need no answer again.
    groups = [[pair] for pair in judged] if session.remembers else [judged]
    for group in filter(None, groups):
        for table, profiles in _profiles(session, group):
            yield from _unlike(session, table, profiles)
            yield from _swapped(session, table, profiles)
            yield from _misspelt(session, table, profiles)


def _judged(table: RecordTable) -> list[Column]:
    return [
        column
        for column in text_columns(table)
        if not column.is_outside
        and column.field.target == "text"
        and "unlike" not in column.field.plausible.allow
    ]


def _is_item(column: Column) -> str:
    """Whether a column holds the items of a plain list, as SQL."""
    return "false" if column.path else "true"


def _key_of(table: RecordTable) -> str:
    """The key of the records as SQL; NULL where the table has none."""
    keys = (column for column in table.columns if column.field.key or column.name == "id")
    key = next(keys, None)
    return f"{quote(key.name)}::VARCHAR" if key else "NULL"


def _profiles(
    session: Session, tables: Sequence[tuple[RecordTable, Sequence[Column]]]
) -> Iterator[tuple[RecordTable, list[_Profile]]]:
    """The profiles of the columns of each table: of each pattern, one for all of them is compiled."""
    places = [(table, column) for table, columns in tables for column in columns]
    texts = " UNION ALL ".join(
        f"SELECT {number} AS n, {quote(column.name)} AS v, {_key_of(table)} AS k, {_is_item(column)} AS i FROM {quote(table.name)}"
        for number, (table, column) in enumerate(places)
    )
    traits = ", ".join(f"count(*) FILTER (WHERE {_counted(trait)})" for trait in _TRAITS)
    # A table, for a pattern is compiled again for each part of a union.
    name = quote(f"texts of {tables[0][0].name}")
    session.rows(
        f"CREATE TABLE {name} AS SELECT *, regexp_matches(v, {text(_ODD)}) AS o FROM ({texts}) WHERE v IS NOT NULL"
    )
    rows = session.rows(
        f"SELECT n, count(*), count(DISTINCT v), quantile_disc(length(v), 0.9), {traits} FROM {name} GROUP BY n ORDER BY n"
    )
    session.rows(f"DROP TABLE {name}")
    profiles: dict[str, list[_Profile]] = {}
    for number, count, different, length, *having in rows:
        table, column = places[number]
        profile = _Profile(column, count, different, length <= _LONGEST, tuple(having))
        profiles.setdefault(table.name, []).append(profile)
    yield from ((table, profiles.get(table.name, [])) for table, _ in tables)


def _counted(trait: _Trait) -> str:
    condition = trait.of("v", "k", "i")
    return f"CASE WHEN o THEN {condition} END" if trait.is_odd else condition


def _unlike(
    session: Session, table: RecordTable, profiles: Sequence[_Profile]
) -> Iterator[Finding]:
    key = _key_of(table)
    for profile in profiles:
        if not profile.is_short or profile.total < _FEWEST:
            continue
        for trait, number in zip(_TRAITS, profile.having, strict=True):
            if not 0 < number <= min(profile.total // _SHARE, _MOST) or profile.column.field.key:
                continue
            name = quote(profile.column.name)
            rows = session.rows(
                f"SELECT _record, {name} FROM {quote(table.name)} "
                f"WHERE {trait.of(name, key, _is_item(profile.column))} ORDER BY _record"
            )
            for record, value in rows:
                params = {
                    "key": field_label(profile.column), "value": excerpt(value),
                    "detail_en": trait.english, "detail_de": trait.german,
                }  # fmt: skip
                where = table.locate(record, profile.column.name)
                yield Finding("LP246", where, params, Severity.WARNING)


def _swapped(
    session: Session, table: RecordTable, profiles: Sequence[_Profile]
) -> Iterator[Finding]:
    """Two texts of a record of which the first is one of those that the second field repeats, and the
    second, a text of several words, is in that field only once.
    """
    texts = [
        profile for profile in profiles
        if profile.is_short and profile.total >= _FEWEST
    ]  # fmt: skip
    for single, repeating in permutations(texts, 2):
        is_repeated = 10 * repeating.different < 9 * repeating.total
        if 10 * single.different < 9 * single.total or not is_repeated:
            continue
        first, other, rows_of = (
            quote(single.column.name),
            quote(repeating.column.name),
            quote(table.name),
        )
        rows = session.rows(
            f"SELECT _record, {first}, {other} FROM {rows_of} WHERE {first} <> {other} "
            f"AND regexp_matches({other}, {text(_WORDS)}) "
            f"AND {first} IN (SELECT {other} FROM {rows_of} GROUP BY {other} HAVING count(*) >= {_REPEATED}) "
            f"AND {other} IN (SELECT {other} FROM {rows_of} GROUP BY {other} HAVING count(*) = 1) "
            "ORDER BY _record"
        )
        if len(rows) > single.total // _SHARE:
            continue  # the two fields have such texts in common
        for record, value, publisher in rows:
            params = {
                "key": field_label(single.column), "other": field_label(repeating.column),
                "value": excerpt(value), "found": excerpt(publisher),
            }  # fmt: skip
            where = table.locate(record, single.column.name)
            yield Finding("LP248", where, params, Severity.WARNING)


def _misspelt(
    session: Session, table: RecordTable, profiles: Sequence[_Profile]
) -> Iterator[Finding]:
    """Texts that only one record has, and that are a typo away from one that several have."""
    for profile in profiles:
        allow = profile.column.field.plausible.allow
        is_of_kinds = profile.different <= min(_FEW_DIFFERENT, 9 * profile.total // 10)
        if profile.total < _FEWEST or not is_of_kinds or "spelling" in allow:
            continue
        name = quote(profile.column.name)
        rows = session.rows(
            f"SELECT {name}, count(*), min(_record) FROM {quote(table.name)} "
            f"WHERE {name} IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, {name}"
        )
        frequent = [(value, number) for value, number, _ in rows if number >= _FREQUENT]
        typos = [
            (value, record, other)
            for value, number, record in rows if number == 1
            if (other := next((it for it in frequent if _is_typo(profile, value, it[0])), None))
        ]  # fmt: skip
        for value, record, (meant, number) in typos if len(typos) <= _MOST else ():
            params = {
                "key": field_label(profile.column), "value": excerpt(value),
                "suggestion": excerpt(meant), "number": f"{number:,}",
            }  # fmt: skip
            where = table.locate(record, profile.column.name)
            yield Finding("LP261", where, params, Severity.WARNING)


def _is_typo(profile: _Profile, value: str, other: str) -> bool:
    """Whether a text is another one with a typo. Other signs are, and another letter where a field
    repeats most of its texts, and has few different ones if they are single words: `dplyr` and
    `dbplyr`, Frances and Francis are two names. Texts of three words are no such names.
    """
    if same_but_for_signs(value, other):
        return True
    most = (min(_FEW_WORDS, profile.total // 5), profile.total // 2)  # for one word, and for two
    words = value.count(" ")
    repeats = words > 1 or profile.different <= most[words]
    return repeats and same_but_for_a_typo(value, other)
