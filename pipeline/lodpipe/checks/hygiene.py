"""Texts that look right and are not: stray spaces, invisible and decomposed characters, markup,
wrong encodings, incomplete addresses, spellings without umlauts.

On for every text of every publication; `allow` in records.yaml switches them off for a field. The
engine (or one regular expression) picks the few suspicious cells, and Python judges these.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote as quoted

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.sources import Column, RecordTable, RowTable
from lodpipe.sources.record_declaration import KEY

_MANY_ROWS = 20_000
TEXTS = ("text", "url")  # the types of columns whose values people write

# Words that follow themselves by mistake only; `die, die` and `had had` are right.
_TWICE = r"\b(?i:the the|of of|and and|to to|for for|in in|und und|im im|von von|zu zu|mit mit|für für)\b"
# What Python and the engine (RE2) both understand; a superset of what the rules below report.
_SUSPECT = (
    r"^[ \t\x{A0}]|[ \t\x{A0}]$|[ \t]{2}|[\x{7F}-\x{A0}\x{AD}\x{300}-\x{36F}\x{1680}\x{180E}"
    r"\x{2000}-\x{200F}\x{2028}-\x{202F}\x{205F}-\x{206F}\x{3000}\x{FEFF}\x{FFFD}]"
    r"|<[A-Za-z/!]|&[#A-Za-z0-9]+;|[ÃÂâ][^\x00-\x7F]"
    r"|^[\"'„“”‚‘’][^\"'„“”‚‘’]*[\"'“”‘’]$"
    r"|[,;(\[]$|[(\[][^)\]]*$|[?][?]|\b(?:XXX+|TODO|FIXME|TBD)\b|\]\(https?:|^[*_]{2}|[A-Za-z][´`][a-z]"
    rf"|[a-zäöüß]- [a-zäöüß]|{_TWICE}"
    r"|[\x{FB00}-\x{FB06}]|[A-Za-z][\x{370}-\x{3FF}\x{400}-\x{4FF}]|[\x{370}-\x{3FF}\x{400}-\x{4FF}][A-Za-z]"
    r"|^(?i:n/a|null|none|nan|tbd|todo|fixme|x{3,}|\?+|-+|–|k\. ?a\.|#(?:[A-Z/0]+[!?]|n/a|n/?v|#+)|lorem ipsum.*)$"
)
# Addresses that lead to another one, which is meant.
_REDIRECTING = (
    r"(?:www\.)?google\.[a-z.]+/url\?|lm?\.facebook\.com/l\.php|"
    r"[\w.-]*safelinks\.protection\.outlook\.com/|"
    r"(?:www\.)?google\.[a-z.]+/search\?|webcache\.googleusercontent\.com/|[\w-]+\.translate\.goog/|"
    r"(?:bit\.ly|t\.co|tinyurl\.com|goo\.gl|ow\.ly|is\.gd|t1p\.de)/"
)
_SUSPECT_ADDRESS = (
    _SUSPECT
    + r"|[.,;:!)\]'*_]$|[^\x00-\x7F]|https?:/+https?:/|^[a-z]*[A-Z][A-Za-z]*://|^[a-z]+://[^/?#]*(?:[@,;]|\.\.)|^[a-z]+://[^/?#.]*(?:[/?#]|$)"
    r"|[?&](?:utm_|fbclid=|gclid=|msclkid=|igshid=|mc_[ce]id=)|#:~:text=|&amp;|(?:%20|%0[AaDd]|\+)$|\.\.\.$"
    rf"|^https?://(?:{_REDIRECTING})"
)


def _python(pattern: str) -> re.Pattern[str]:
    return re.compile(
        re.sub(r"\\x\{([0-9A-F]+)\}", lambda match: f"\\u{int(match[1], 16):04x}", pattern)
    )


_PATTERNS = {"text": _python(_SUSPECT), "url": _python(_SUSPECT_ADDRESS)}
_ENGINE_PATTERNS = {"text": _SUSPECT, "url": _SUSPECT_ADDRESS}


class TextCell(NamedTuple):
    """A value of a column of text, with the number of its record."""

    record: int
    value: str


# -- the rules -------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """What is wrong with a text: the rule, what it is about, and the parameters of the finding."""

    code: str
    kind: str
    params: dict[str, str]
    severity: Severity = Severity.WARNING


_EDGE = re.compile(r"^[ \t\xa0]+|[ \t\xa0]+$")
_RUN = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")
_ODD_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_BEFORE_SPACE = "0123456789«„‹(§№#–—"
_AFTER_SPACE = "0123456789»“›!?:;%‰€$£°)–—/"
_INVISIBLE = re.compile("[\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINED = re.compile(
    "[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]"
)
_TAGS = (
    "a|abbr|address|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|font|form|h[1-6]|head|hr|html|i|iframe|img|input|li|link|meta|nobr|ol|p|pre|q|s|"
    "script|section|small|span|strike|strong|style|sub|sup|table|tbody|td|th|title|tr|tt|u|ul|wbr"
)
_MARKUP = re.compile(
    rf"</?(?:{_TAGS})(?:\s+[a-z-]+\s*=[^<>]*|\s*/?)>|<!--|&(?:[A-Za-z]{{2,8}}|#[0-9]{{2,6}}|#x[0-9A-Fa-f]{{2,6}});",
    re.I,
)
_MISREAD = re.compile(r"[ÂÃâ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{1,2}")
_PLACEHOLDER = re.compile(
    r"n/a|N/A|null|NULL|none|None|nan|NaN|tbd|TBD|todo|TODO|FIXME|[xX]{3,}|\?+|-+|–|k\. ?[aA]\."
    r"|#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|WERT!|BEZUG!|NV|N/V|ZAHL!|#+)|(?i:lorem ipsum).*"
)
_REDIRECTS = re.compile(rf"^https?://({_REDIRECTING})")
_TRACKING = re.compile(r"[?&](utm_\w+|fbclid|gclid|msclkid|igshid|mc_[ce]id)=")
_COPIED = re.compile(r"#:~:text=|&amp;|(?:%20|%0[AaDd])+$")
_ABBREVIATION = re.compile(
    r"(?:^|[_/ (.-])(?:[A-Za-z]|Inc|Co|Corp|Ltd|St|Jr|Sr|Dr|No|Nr|Bd|etc|al)\.$"
)


def _spaces(value: str) -> Iterator[Problem]:
    if _EDGE.search(value):
        yield _space(
            "spaces", "begins or ends with a space", "beginnt oder endet mit einem Leerzeichen"
        )
    elif _RUN.search(value):
        yield _space(
            "spaces", "has several spaces in a row", "enthält mehrere Leerzeichen hintereinander"
        )


def _space(kind: str, english: str, german: str) -> Problem:
    return Problem("LP220", kind, {"detail_en": english, "detail_de": german})


def _no_break_spaces(value: str) -> Iterator[Problem]:
    for match in _ODD_SPACE.finditer(_EDGE.sub("", value)):
        if _is_usual(match):
            continue
        name = unicodedata.name(match[0]).lower()
        character = f"U+{ord(match[0]):04X} ({name})"
        yield _space(
            "no-break-spaces",
            f"contains the unusual space {character}",
            f"enthält das ungewöhnliche Leerzeichen {character}",
        )
        return


def _is_usual(match: re.Match[str]) -> bool:
    """Whether an unusual space is usual where it is: in numbers, beside punctuation, in Chinese."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    if match[0] == "\u3000" and ord(before or "\0") > 0x2E7F:
        return True
    return bool((before and before in _BEFORE_SPACE) or (after and after in _AFTER_SPACE))


def _has_purpose(value: str, match: re.Match[str]) -> bool:
    """Whether an invisible character joins letters or pictures, or directs a text from the right."""
    beside = value[max(0, match.start() - 1) : match.end() + 1].replace(match[0], "")
    if match[0] in "\u200c\u200d":
        return bool(_JOINED.search(beside))
    directs = match[0] in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    return directs and bool(_RIGHT_TO_LEFT.search(value))


def _invisible(value: str) -> Iterator[Problem]:
    for match in _INVISIBLE.finditer(value):
        if _has_purpose(value, match):
            continue
        name = unicodedata.name(match[0], "control character").lower()
        yield Problem("LP221", "invisible", {"character": f"U+{ord(match[0]):04X} ({name})"})
        return


def _decomposed(value: str) -> Iterator[Problem]:
    composed = unicodedata.normalize("NFC", value)
    if composed != value:
        at = next(
            number
            for number, (old, new) in enumerate(zip(value, composed + "\0", strict=False))
            if old != new
        )
        yield Problem("LP222", "decomposed", {"character": composed[at : at + 1]})


def _markup(value: str) -> Iterator[Problem]:
    match = _MARKUP.search(value)
    if match and (match[0][0] == "<" or html.unescape(match[0]) != match[0]):
        yield Problem("LP223", "markup", {"detail": match[0][:40]})


def _encoding(value: str) -> Iterator[Problem]:
    if "\ufffd" in value:
        yield Problem("LP224", "encoding", {"detail": "\ufffd"})
        return
    for match in _MISREAD.finditer(value):
        try:
            meant = match[0].encode("cp1252").decode("utf-8")
        except UnicodeError:
            continue
        yield Problem("LP224", "encoding", {"detail": match[0], "suggestion": meant})
        return


def _placeholder(value: str) -> Iterator[Problem]:
    if _PLACEHOLDER.fullmatch(value):
        yield Problem("LP226", "placeholder", {})


_QUOTED = re.compile("[\"'„“”‚‘’][^\"'„“”‚‘’]*[\"'“”‘’]")


def _quotes(value: str) -> Iterator[Problem]:
    if len(value) > 2 and _QUOTED.fullmatch(value):
        yield Problem("LP244", "quotes", {})


_APOSTROPHE = re.compile(r"[^\W\d_]([´`])(?:[smtd]|ll|re|ve)\b")
# Words between two parts of one word: `Stadt- und Landkreis`, `Patentti- ja rekisterihallitus`.
_JOINING = "und|oder|bzw|sowie|bis|and|or|to|et|ou|en|of|og|och|eller|ja|tai|oraz|lub|és|ve|ir|un"
_HYPHENATED = re.compile(rf"[^\W\d_]{{2,}}(?<=[a-zäöüß])- (?!(?:{_JOINING})\b)[a-zäöüß]{{2,}}")
_DOUBLED = re.compile(_TWICE)
_UNFINISHED = re.compile(r"\?{2,}|\b(?:XXX+|TODO|FIXME|TBD)\b")
_MARKDOWN = re.compile(r"\]\(https?:|^(\*\*|__)(?=\S).*\1$")


_FEW_IN_MARKDOWN = 3  # texts of a field that are one finding each
_IN_MARKDOWN = Problem(
    "LP245", "signs", {"detail_en": "contains Markdown", "detail_de": "enthält Markdown"}
)


def _signs(value: str) -> Iterator[Problem]:
    """Signs of work in progress or of a copy: an open bracket, a comma at the end, `???`, Markdown, a
    divided word.
    """
    english = german = ""
    if match := _UNFINISHED.search(value):
        if not _PLACEHOLDER.fullmatch(value):
            english = f"contains `{match[0]}`, a mark of something to be done"
            german = f"enthält `{match[0]}`, ein Zeichen für etwas Unerledigtes"
    elif _MARKDOWN.search(value):
        yield _IN_MARKDOWN
    elif value.count("(") > value.count(")") or value.count("[") > value.count("]"):
        english = "has a bracket that is not closed"
        german = "hat eine Klammer, die nicht geschlossen ist"
    elif match := _APOSTROPHE.search(value):
        english, german = f"has `{match[1]}` for an apostrophe", f"hat `{match[1]}` als Apostroph"
    elif match := _HYPHENATED.search(value):
        english = f"has `{match[0]}`, a word that was divided at the end of a line"
        german = f"hat `{match[0]}`, ein am Zeilenende getrenntes Wort"
    elif match := _DOUBLED.search(value):
        english = f"has `{match[0]}`, a word twice"
        german = f"hat `{match[0]}`, ein Wort zweimal"
    elif value[-1] in ",;":
        english, german = f"ends in `{value[-1]}`", f"endet mit `{value[-1]}`"
    if english:
        yield Problem("LP245", "signs", {"detail_en": english, "detail_de": german})


def _address(value: str) -> Iterator[Problem]:
    rest = value.partition("://")[2].partition("/")[2]
    if re.search(r"^https?:/+https?:/", value):
        twice = _wrong_address("begins twice with `http`", "beginnt zweimal mit `http`")
        yield twice._replace(severity=Severity.ERROR)
    elif match := re.search(r"^[a-z]*[A-Z][A-Za-z]*(?=://)", value):
        small = match[0].lower()
        yield _wrong_address(f"has `{match[0]}` for `{small}`", f"hat `{match[0]}` statt `{small}`")
    elif host := _incomplete_host(value):
        yield _wrong_address(
            f"has the host `{host}`, which is no complete name",
            f"hat den Host `{host}`, der kein vollständiger Name ist",
        )
    elif match := re.search(r"^[a-z]+://([^/?#]*@)", value):
        yield _wrong_address(
            f"has `{match[1]}` before its host, as an e-mail address has",
            f"hat `{match[1]}` vor dem Host wie eine E-Mail-Adresse",
        )
    elif match := re.search(r"^[a-z]+://[^/?#]*([,;])", value):
        yield _wrong_address(f"has `{match[1]}` in its host", f"hat `{match[1]}` im Host")
    elif match := _REDIRECTS.search(value):
        yield _wrong_address(
            f"begins with `{match[1]}`, which leads to the address that is meant",
            f"beginnt mit `{match[1]}`, was nur zur gemeinten Adresse weiterleitet",
        )
    elif match := _TRACKING.search(value):
        yield _wrong_address(
            f"contains `{match[1]}`, which tracks readers",
            f"enthält `{match[1]}`, womit Leserinnen und Leser verfolgt werden",
        )
    elif match := _COPIED.search(value):
        yield _wrong_address(
            f"contains `{match[0]}`, which does not belong to it",
            f"enthält `{match[0]}`, was nicht dazugehört",
        )
    elif _ends_loosely(value, bool(rest)):
        sign = value[-1]
        yield _wrong_address(f"ends in `{sign}`", f"endet mit `{sign}`")
    elif match := re.search(r"[^\x00-\x7f]", rest):
        yield _wrong_address(
            f"contains `{match[0]}` without percent-encoding",
            f"enthält `{match[0]}` ohne Prozent-Kodierung",
        )


def _incomplete_host(value: str) -> str:
    """The host of an address if it has no dot or an empty part: https://museum/, https://a..example/."""
    host = re.split(r"[/?#]", value.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    name = host if host.startswith("[") else host.partition(":")[0]
    is_complete = name.startswith("[") or all([*name.removesuffix(".").split("."), "." in name])
    return "" if is_complete else name


def _ends_loosely(value: str, has_path: bool) -> bool:
    """Whether an address ends in a sign that belongs to the sentence from which it was copied."""
    if value[-1] == ")":
        return value.count(")") > value.count("(")
    if value[-1] == "]":
        return value.count("]") > value.count("[")
    return value[-1] in ".,;:!'*" and not (has_path and _ABBREVIATION.search(value))


def _wrong_address(english: str, german: str) -> Problem:
    return Problem("LP225", "addresses", {"detail_en": english, "detail_de": german})


_LIGATURE = re.compile("[\ufb00-\ufb06]")
_LATIN, _GREEK_OR_CYRILLIC = "A-Za-z\xc0-\u024f", "\u0370-\u03ff\u0400-\u04ff"
_WORD_OF_TWO_SCRIPTS = re.compile(
    rf"[{_LATIN}]{{2,}}([{_GREEK_OR_CYRILLIC}])(?![{_GREEK_OR_CYRILLIC}])"
    rf"|(?<![{_GREEK_OR_CYRILLIC}])([{_GREEK_OR_CYRILLIC}])[{_LATIN}]{{3,}}"
)
# Letters that look like Latin ones; others are signs of mathematics and physics, such as µ and α.
_LOOKALIKES = dict(
    zip("АВЕКМНОРСТХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTXaeopcyxijsABEZHIKMNOPTYXo", strict=True)
)


def _lookalikes(value: str) -> Iterator[Problem]:
    """Letters of another script or a ligature that look like Latin letters and are not found by them."""
    if match := _LIGATURE.search(value):
        meant = unicodedata.normalize("NFKC", match[0])
    elif match := _WORD_OF_TWO_SCRIPTS.search(value):
        meant = _LOOKALIKES.get(match[1] or match[2], "")
    if match and meant:
        letter = match[0] if len(match[0]) == 1 else match[1] or match[2]
        character = f"U+{ord(letter):04X} ({unicodedata.name(letter).lower()})"
        yield Problem("LP253", "lookalikes", {"character": character, "suggestion": meant})


TextRule = Callable[[str], Iterator[Problem]]
_OF_TEXTS: tuple[TextRule, ...] = (
    _spaces, _no_break_spaces, _invisible, _decomposed, _markup, _encoding, _placeholder, _quotes, _signs, _lookalikes,
)  # fmt: skip
_RULES: dict[str, tuple[TextRule, ...]] = {
    "text": _OF_TEXTS,
    "url": (_invisible, _decomposed, _address),
}


def problems_of_text(
    value: str, target: str, allow: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """What is wrong with a value of type `text` or `url`; the first problem of each rule.

    >>> [problem.code for problem in problems_of_text("Stadt  Naunhof", "text")]
    ['LP220']
    """
    codes = set()
    for rule in _RULES[target]:
        for problem in rule(value):
            if problem.kind not in allow and problem.code not in codes:
                codes.add(problem.code)
                yield problem


def cleaned(value: str, target: str, allow: frozenset[str] = frozenset()) -> str:
    """The value with its spaces, invisible and decomposed characters and addresses corrected; what
    a person has to decide stays.

    >>> cleaned(" Stadt\\u00a0 Bru\\u0308hl", "text"), cleaned("https://a.example/ü", "url")
    ('Stadt Brühl', 'https://a.example/%C3%BC')
    """
    kinds = {problem.kind for problem in problems_of_text(value, target, allow)}
    if "invisible" in kinds:
        value = re.sub("[\\u2028\\u2029]", " ", value)
        value = _INVISIBLE.sub(lambda match: _if_purposeful(value, match), value)
    if "decomposed" in kinds:
        value = unicodedata.normalize("NFC", value)
    if "lookalikes" in kinds:
        value = _in_latin(value)
    if target == "url":
        return _encoded(value) if "addresses" in kinds else value
    return _spaced(value, allow)


def _in_latin(value: str) -> str:
    """The text with Latin letters for ligatures, and for lookalikes in words of Latin letters."""
    value = _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), value)

    def latin(match: re.Match[str]) -> str:
        letter = match[1] or match[2]
        return match[0].replace(letter, _LOOKALIKES.get(letter, letter))

    return _WORD_OF_TWO_SCRIPTS.sub(latin, value)


def _spaced(value: str, allow: frozenset[str]) -> str:
    if "no-break-spaces" not in allow:
        value = _ODD_SPACE.sub(lambda m: m[0] if _is_usual(m) else " ", value)
    return value if "spaces" in allow else _RUN.sub(" ", _EDGE.sub("", value))


def _if_purposeful(value: str, match: re.Match[str]) -> str:
    """An invisible character where it has a purpose, else nothing."""
    return match[0] if _has_purpose(value, match) else ""


def _encoded(address: str) -> str:
    """The address with percent-encoded characters (RFC 3987, 3.1); its host stays."""
    scheme, slashes, rest = address.partition("://")
    scheme = scheme.lower()
    host, slash, path = rest.partition("/")
    encoded = re.sub(r"[^\x00-\x7f]+", lambda match: quoted(match[0]), path)
    return f"{scheme}{slashes}{host}{slash}{encoded}"


# -- the cells -------------------------------------------------------------------------------------


def hygiene_findings(session: Session, tables: Mapping[str, RecordTable]) -> Iterator[Finding]:
    """The texts of all tables that are not clean, each with its place: warnings."""
    for table in tables.values():
        judged = [
            (cell.record, column, problem, excerpt(cell.value))
            for column, cells in suspicious_cells(session, table, text_columns(table))
            for cell in cells
            for problem in problems_of_text(
                cell.value, column.field.target, column.field.plausible.allow
            )
        ]
        # In the order of the records, so that a file is read once to find their lines.
        ordered = _without_repeated_markdown(sorted(judged, key=lambda item: item[0]))
        for record, column, problem, value in ordered:
            params = {"key": field_label(column), "value": value, **problem.params}
            where = table.locate(record, column.name)
            yield Finding(problem.code, where, params, problem.severity)


_Judged = tuple[int, Column, Problem, str]


def _without_repeated_markdown(judged: list[_Judged]) -> list[_Judged]:
    """The problems; of fields whose texts are Markdown, that is one problem, and what else is odd with
    the signs of these texts is none.
    """
    written: Counter[str] = Counter(
        column.name for _, column, problem, _ in judged if problem == _IN_MARKDOWN
    )
    fields = {name for name, number in written.items() if number > _FEW_IN_MARKDOWN}
    listed: set[str] = set()
    left = []
    for record, column, problem, value in judged:
        if column.name not in fields or problem.code != _IN_MARKDOWN.code:
            left.append((record, column, problem, value))
        elif problem == _IN_MARKDOWN and column.name not in listed:
            listed.add(column.name)
            number = written[column.name] - 1
            detail = {
                "detail_en": f"contains Markdown, and so do {number:,} other texts of this field",
                "detail_de": f"enthält Markdown, ebenso {number:,} andere Texte dieses Felds",
            }
            left.append((record, column, problem._replace(params=detail), value))
    return left


def text_columns(table: RecordTable) -> list[Column]:
    """The columns of texts and addresses."""
    return [
        column
        for column in table.columns
        if column.field.kind == "value" and column.field.target in TEXTS
    ]


def field_label(column: Column) -> str:
    """What an editor calls a column: `note.de`; the values of a plain list have no name."""
    return ".".join(column.path) or "value"


def excerpt(value: str) -> str:
    """A value as a finding quotes it: bounded, with what cannot be seen as code points.

    >>> excerpt("Stadt\xa0Naunhof ")
    'Stadt␣Naunhof '
    """
    visible = _INVISIBLE.sub(lambda match: f"<U+{ord(match[0]):04X}>", _ODD_SPACE.sub("␣", value))
    visible = visible.replace("\n", " ")
    return visible if len(visible) <= 80 else visible[:77] + "…"


def suspicious_cells(
    session: Session, table: RecordTable, columns: Sequence[Column]
) -> Iterator[tuple[Column, list[TextCell]]]:
    """The cells of each column that some rule may report."""
    if isinstance(table, RowTable) and not _is_large(table):
        for column in columns:
            yield column, _cells_that(_PATTERNS[column.field.target].search, table, column)
        return
    conditions = []
    for target, engine_pattern in _ENGINE_PATTERNS.items():
        names = [quote(column.name) for column in columns if column.field.target == target]
        if names:
            # One search in all cells of a record; each cell is a line, so that ^ and $ hold.
            lines = f"concat_ws(chr(10), {', '.join(names)})"
            conditions.append(f"regexp_matches({lines}, {text('(?m)' + engine_pattern)})")
    rows = _rows(session, table, columns, " OR ".join(conditions)) if conditions else []
    for at, column in enumerate(columns, 1):
        pattern = _PATTERNS[column.field.target]
        cells = (TextCell(row[0], row[at]) for row in rows if row[at] is not None)
        yield column, [cell for cell in cells if pattern.search(cell.value)]


def _rows(
    session: Session, table: RecordTable, columns: Sequence[Column], condition: str
) -> list[tuple[Any, ...]]:
    """`_record` and these columns of the records that meet a condition."""
    names = ", ".join(quote(column.name) for column in columns)
    return session.rows(
        f"SELECT _record, {names} FROM {quote(table.name)} WHERE {condition} ORDER BY _record"
    )


def cells_of(table: RowTable, column: Column) -> Iterator[TextCell]:
    """The cells of a column that hold a value, of records that are in Python."""
    at = 2 + table.columns.index(column)
    for row in table.rows:
        if row[at] is not None:
            yield TextCell(int(row[0] or 0), str(row[at]))


def _is_large(table: RowTable) -> bool:
    """Whether the engine, on all cores, searches the texts of a table faster than Python."""
    return len(table.rows) > _MANY_ROWS


def _values_of(table: RowTable, column: Column) -> Counter[str]:
    """Each value of a column and how often it occurs, in the order of their first records: columns
    repeat their values more often than not.
    """
    at = 2 + table.columns.index(column)
    return Counter(str(row[at]) for row in table.rows if row[at] is not None)


def _values_with(
    session: Session, table: RowTable, column: Column, pattern: str
) -> Mapping[str, int]:
    """The same, at least of the values in which a pattern occurs."""
    if not _is_large(table):
        return _values_of(table, column)
    name = quote(column.name)
    sql = (
        f"SELECT {name}, count(*) FROM {quote(table.name)} WHERE regexp_matches({name}, "
        f"{text(pattern)}) GROUP BY {name} ORDER BY min(_record)"
    )
    return dict(session.rows(sql))


def _cells_that(search: Callable[[str], object], table: RowTable, column: Column) -> list[TextCell]:
    """The cells of a column in which something is found, of records that are in Python."""
    values = {value for value in _values_of(table, column) if search(value)}
    at = 2 + table.columns.index(column)
    return [
        TextCell(int(row[0] or 0), str(row[at]))
        for row in table.rows
        if values and row[at] in values
    ]


# -- spellings without umlauts ---------------------------------------------------------------------

_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WORD = re.compile(r"\w+")
_LETTERS = r"[\p{L}\p{N}]*"  # of the engine, whose \w knows no umlauts
_WITH_UMLAUT = "[äöüßÄÖÜ]"
_WITHOUT_UMLAUT = "(?:[AaOoUu]e|ss)"
_ADDRESSES = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+")
# Words that had ß before the spelling of 1996, after a short vowel.
_OLD_SPELLING = re.compile(
    r"(?:schlo|flu|schlu|schu|proze|kongre|expre|adre|gewi|^(?:\w*ab|\w*aus|\w*ein|\w*be)?(?:ro|ha|fa|pa|me|ku|nu|mu|ba|na|mi|bi|da|e(?=ßling|ßzet)|ru(?=ßl)))ß",
    re.IGNORECASE,
)
_SHORTEST_WORD = 5  # letters; shorter words are often two different words

_WORDS = (
    "SELECT word, count(*) FROM (SELECT unnest(regexp_extract_all(cells, {word})) AS word "
    "FROM (SELECT {0} AS cells FROM {1}) WHERE regexp_matches(cells, {part})) GROUP BY word"
)

TextColumns = list[tuple[RecordTable, Column]]


def transliteration_findings(
    session: Session, tables: Mapping[str, RecordTable]
) -> Iterator[Finding]:
    """Words with ae, oe, ue or ss that the records elsewhere write with an umlaut or ß, at least as
    often: warnings.

    Names begin with a capital; other words ("dass", "Masse") are too often words of their own. Texts
    that are in other languages, or are other spellings of names, are not compared.
    """
    columns = [
        (table, column)
        for table in tables.values()
        if not _has_languages_as_keys(session, table)
        for column in text_columns(table)
        if column.field.target == "text" and "transliteration" not in column.field.plausible.allow
        and _may_be_german(table, column)
    ]  # fmt: skip
    spelt = _words(session, columns, _WITH_UMLAUT)
    meant = {word.translate(_FOLD): word for word in spelt if not _OLD_SPELLING.search(word)}
    if not meant:
        return
    plain = _words(session, columns, _WITHOUT_UMLAUT)
    wrong = {
        word: meant[word]
        for word, number in plain.items()
        if word in meant and spelt[meant[word]] >= number
    }
    if wrong:
        yield from _spelt_wrong(session, columns, wrong)


_OTHER_SPELLINGS = re.compile(
    r"(^|_)(alt|alternate|alternative|alternatives|alias|aliases|variants?|spellings?|other_?names?|native)($|_|[A-Z])"
)
_LANGUAGE_KEY = re.compile("[a-z]{2,3}(-[A-Za-z0-9]+)*")
_GERMAN = ("de", "deu", "ger")


def _may_be_german(table: RecordTable, column: Column) -> bool:
    """Whether words of a column are compared: neither those of a language whose code is in the path,
    nor other spellings, as `altNames` say of themselves.
    """
    *_, last = ("", *column.path)
    is_language = len(column.path) > 1 and re.fullmatch("[a-z]{2}", last) is not None
    called = "_".join((table.name, *column.path))
    is_german = not is_language or last in _GERMAN
    return is_german and not _OTHER_SPELLINGS.search(called)


def _has_languages_as_keys(session: Session, table: RecordTable) -> bool:
    """Whether the rows are entries of a map whose keys are codes of languages: `{nld: …, fra: …}`."""
    key = next((column for column in table.columns if column.field.source[:1] == (KEY,)), None)
    if key is None:
        return False
    if isinstance(table, RowTable):
        codes: Iterable[str] = _values_of(table, key)
    else:
        rows = session.rows(f"SELECT DISTINCT {quote(key.name)} FROM {quote(table.name)} LIMIT 999")
        codes = [str(row[0]) for row in rows]
    known = set(codes)
    return len(known) > 1 and all(map(_LANGUAGE_KEY.fullmatch, known))


def _spelt_wrong(
    session: Session, columns: TextColumns, wrong: Mapping[str, str]
) -> Iterator[Finding]:
    either = "|".join(map(re.escape, sorted(wrong)))
    word = re.compile(rf"\b(?:{either})\b")
    for table, own in _by_table(columns):
        spelt = [
            (cell.record, column, match[0])
            for column, cells in _cells_with(session, table, own, either)
            for cell in cells
            if (match := word.search(_ADDRESSES.sub("", cell.value)))
        ]
        for record, column, value in sorted(spelt, key=lambda item: item[0]):
            params = {"key": field_label(column), "value": value, "suggestion": wrong[value]}
            yield Finding("LP227", table.locate(record, column.name), params, Severity.WARNING)


def _by_table(columns: TextColumns) -> Iterator[tuple[RecordTable, list[Column]]]:
    for name in dict.fromkeys(table.name for table, _ in columns):
        own = [(table, column) for table, column in columns if table.name == name]
        yield own[0][0], [column for _, column in own]


def _words(session: Session, columns: TextColumns, part: str) -> Counter[str]:
    """How often each word with such a part occurs; only words that begin with a capital."""
    words: Counter[str] = Counter()
    search = re.compile(part).search
    parts = {"part": text(part), "word": text(_LETTERS + part + _LETTERS)}
    for table, column in columns:
        if isinstance(table, RowTable):
            for value, number in _values_with(session, table, column, part).items():
                for word in filter(search, _WORD.findall(value) if search(value) else ()):
                    words[word] += number
    for table, own in _by_table(columns):
        if not isinstance(table, RowTable):
            joined = f"concat_ws(' ', {', '.join(quote(column.name) for column in own)})"
            words.update(dict(session.rows(_WORDS.format(joined, quote(table.name), **parts))))
    return Counter(
        {
            word: number
            for word, number in words.items()
            if word[0].isupper() and len(word.translate(_FOLD)) >= _SHORTEST_WORD
        }
    )


def _cells_with(
    session: Session, table: RecordTable, columns: Sequence[Column], pattern: str
) -> Iterator[tuple[Column, list[TextCell]]]:
    """The cells of each column in which a pattern occurs."""
    search = re.compile(pattern).search
    if isinstance(table, RowTable) and not _is_large(table):
        for column in columns:
            yield column, _cells_that(search, table, column)
        return
    joined = f"concat_ws(' ', {', '.join(quote(column.name) for column in columns)})"
    rows = _rows(session, table, columns, f"regexp_matches({joined}, {text(pattern)})")
    for at, column in enumerate(columns, 1):
        cells = (TextCell(row[0], row[at]) for row in rows if row[at] is not None)
        yield column, [cell for cell in cells if search(cell.value)]
