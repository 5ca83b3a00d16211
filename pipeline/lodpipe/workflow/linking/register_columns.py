"""Which columns of a register hold names, places and identifiers: guessed from the header and the
values, or given by options.

    {"name": ["names.types.label"], "place": ["locations.geonames_details.name"],
     "identifier:ror": ["id"], …}
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.workflow.linking.register_file import Row

IDENTIFIER = "identifier:"
PLACE_KEY = "place-key:"
ROLES = ("name", "other", "place", "country", "website", "latitude", "longitude")
_SAMPLE = 2_000  # rows that the guess looks at
_LEAST_SHARE = 0.5  # of the values of a column that fit the pattern of an identifier
# The last word of a header in several languages; the first that occurs is the one.
_WORDS: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "names.value", "names.types.label", "ror_display", "label", "itemlabel", "preflabel", "legalname",
        "legal_name", "entity.legalname", "title", "bezeichnung", "nom", "nombre", "naam", "nome", "organisation", "organization",
    ),
    "other": (
        "name_de", "name_en", "name_fr", "names.types.alias", "names.types.acronym", "names.types.label", "names.types.ror_display", "aliases",
        "alias",
        "acronyms", "acronym", "altlabel", "itemaltlabel", "alternatenames", "alternate_names", "other_names", "othernames",
        "abbreviation", "short_name", "shortname", "name_official", "official_name", "official", "native", "labels.label",
        "entity.otherentitynames.otherentityname.1", "abkuerzung", "kurzname", "sigle", "namelatin",
    ),
    "place": (
        "city", "place", "placelabel", "locations.geonames_details.name", "addresses.city", "town", "locality", "municipality",
        "headquarters", "headquarterslabel", "locationlabel", "location", "seat", "entity.legaladdress.city", "entity.headquartersaddress.city",
        "ort", "sitz", "stadt", "gemeinde", "commune", "ville", "kreis_name", "verband_name",
    ),
    "country": (
        "country", "country_code", "countrycode", "locations.geonames_details.country_code", "addresses.country_geonames.code",
        "entity.legaladdress.country", "jurisdiction_code", "iso2", "land_code", "pays", "staat",
    ),
    "website": ("website", "domains", "links", "links.type.website", "links.value", "homepage", "url", "officialwebsite", "web", "site", "webseite"),
    "latitude": ("lat", "latitude", "locations.geonames_details.lat", "breite", "breitengrad"),
    "longitude": ("lon", "lng", "long", "longitude", "locations.geonames_details.lng", "laenge", "laengengrad"),
}  # fmt: skip
_MANY = {"other", "place"}  # roles that several columns can have
_SEPARATOR = re.compile(r"\||;\s")
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@?#]*@)?(?:www\.)?([^/:?#\s@]+\.[a-z]{2,})(?:[:/?#].*)?",
    re.I | re.S,
)
_LANGUAGE = re.compile(r"^(?:[a-z]{2,3}|no_lang_code): ")


@dataclass
class Sample:
    """The columns of the first rows, with their values."""

    values: dict[str, list[str]] = field(default_factory=dict)
    rows: int = 0

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Row]]) -> Sample:
        """The sample of a register."""
        sample = cls()
        for _, row in rows:
            sample.rows += 1
            for column, texts in row.items():
                sample.values.setdefault(column, []).extend(texts)
            if sample.rows == _SAMPLE:
                break
        return sample


@dataclass(frozen=True)
class Columns:
    """The columns of each role; an identifier's role is `identifier:FIELD`."""

    roles: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]

    def of(self, role: str) -> tuple[str, ...]:
        """The columns of a role, none where nothing fits."""
        return self.roles.get(role, ())

    @property
    def identifiers(self) -> dict[str, str]:
        """The column of each identifier."""
        return {
            role.removeprefix(IDENTIFIER): columns[0]
            for role, columns in self.roles.items()
            if role.startswith(IDENTIFIER)
        }

    def lines(self) -> Iterator[str]:
        """What was guessed, for people."""
        for role, columns in self.roles.items():
            yield f"{role.split(':')[-1]}: {', '.join(columns)}"


@dataclass(frozen=True)
class Expected:
    """What a register may have beside names and places: identifiers, by field with their patterns,
    and keys of places.
    """

    patterns: Mapping[str, str]
    place_keys: Sequence[str] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """All that `--column` can name."""
        return tuple(dict.fromkeys((*ROLES, *self.patterns, *self.place_keys)))


def columns_of(sample: Sample, expected: Expected, given: Sequence[str], name: str) -> Columns:
    """The columns of a register called `name`; `given` are options such as `name=nom_complet`,
    which precede the guess.

    Raises InvalidDeclaration (LP560) for an option that names no role or column, and where no
    column has names.
    """
    chosen = _chosen(sample, expected.roles, given, name)
    roles: dict[str, tuple[str, ...]] = {}
    taken = {column for columns in chosen.values() for column in columns}
    for role in ROLES:
        roles[role] = chosen[role] if role in chosen else _guessed(role, sample, taken)
        if role in ("name", "latitude", "longitude", "country"):
            taken.update(roles[role])
    for identifier, pattern in expected.patterns.items():
        if identifier not in chosen:
            roles[IDENTIFIER + identifier] = tuple(_identifying(identifier, pattern, sample))
        else:
            roles[IDENTIFIER + identifier] = chosen[identifier]
    plain = {_plain(column): column for column in sample.values}
    for key in expected.place_keys:
        fitting = (plain[key],) if key in plain else ()
        roles[PLACE_KEY + key] = chosen.get(key, fitting)
    recognised = {role: columns for role, columns in roles.items() if columns}
    if "name" not in recognised:
        known = ", ".join(list(sample.values)[:30]) or "none"
        detail = f"no column of names was recognised; columns: {known}"
        raise _unusable(name, detail)
    used = {column for columns in recognised.values() for column in columns}
    return Columns(recognised, tuple(column for column in sample.values if column not in used))


def _chosen(
    sample: Sample, known: Sequence[str], given: Sequence[str], name: str
) -> dict[str, tuple[str, ...]]:
    """The options by role. Raises InvalidDeclaration."""
    chosen: dict[str, tuple[str, ...]] = {}
    for option in given:
        role, _, column = option.partition("=")
        if role not in known:
            detail = f"--column {option}: there is no role `{role}`; known: {', '.join(known)}"
            raise _unusable(name, detail)
        if column and column not in sample.values:
            near = nearest(column, list(sample.values))
            hint = f"; did you mean `{near}`?" if near else ""
            raise _unusable(name, f"--column {option}: there is no column `{column}`{hint}")
        chosen[role] = (*chosen.get(role, ()), *([column] if column else ()))
    return chosen


def _unusable(name: str, detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP560", Origin(name), {"detail": detail})])


def _plain(column: str) -> str:
    """A header as the table of words has it: `itemLabel.value` is `itemlabel`."""
    return column.lower().removesuffix(".value" if not column.startswith("names") else "\0")


def _guessed(role: str, sample: Sample, taken: set[str]) -> tuple[str, ...]:
    plain = {_plain(column): column for column in reversed(sample.values) if column not in taken}
    hits = [plain[word] for word in _WORDS[role] if word in plain]
    if not hits:
        ends = [
            column
            for word in _WORDS[role]
            for key, column in plain.items()
            if re.split(r"[.:_\s/-]", key)[-1] == word
        ]
        hits = ends[:1]
    hits = [column for column in hits if _fits(role, sample.values[column])]
    return tuple(dict.fromkeys(hits if role in _MANY else hits[:1]))


def _fits(role: str, values: Sequence[str]) -> bool:
    """Whether the values of a column can be those of a role."""
    if role in ("latitude", "longitude"):
        return any(number(value) is not None for value in values)
    if role == "website":
        return any(domain(value) for value in values)
    if role in ("name", "place"):
        addresses = sum("://" in value for value in values)
        return addresses * 2 < len(values)  # an address names no place
    return True


def _identifying(identifier: str, pattern: str, sample: Sample) -> list[str]:
    """The column of an identifier: the one of its name whose values fit, else the one whose values
    fit best.
    """
    shares: Counter[str] = Counter()
    for column, values in sample.values.items():
        fitting = sum(identifier_of(value, pattern) is not None for value in values)
        few = fitting <= 1.2 * sample.rows  # not the keys of all members of an entry
        if fitting and few and fitting >= _LEAST_SHARE * min(len(values), sample.rows):
            shares[column] = fitting
    word = identifier.rsplit(".", maxsplit=1)[-1].lower()
    named = [column for column in shares if word in re.split(r"[.:_\s/-]", _plain(column))]
    if named:
        return [max(named, key=lambda column: shares[column])]
    # Numbers and plain texts fit many columns; a pattern with letters of its own does not.
    if not re.search(r"[A-Za-z]{2}|\bQ|/", re.sub(r"\\.|\[[^\]]*\]", "", pattern)):
        return []
    return [column for column, _ in shares.most_common(1)]


def identifier_of(value: str, pattern: str) -> str | None:
    """The identifier in a value: the value itself, or the last part of an address; None where
    nothing fits.

    >>> identifier_of("http://www.wikidata.org/entity/Q42", "^Q[1-9][0-9]*$")
    'Q42'
    """
    compiled = _whole(pattern)
    if compiled.fullmatch(value):
        return value
    last = value.rstrip("/").rsplit("/", 1)[-1]
    return last if compiled.fullmatch(last) else None


@functools.cache
def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removeprefix("^").removesuffix("$"))


def texts(values: Iterable[str]) -> Iterator[str]:
    """The texts in cells: those separated by `|` or `;`, without the language before them.

    >>> list(texts(["en: University of Siegen; de: Universität Siegen", "Uni|USI"]))
    ['University of Siegen', 'Universität Siegen', 'Uni', 'USI']
    """
    for value in values:
        if "|" not in value and ";" not in value and ": " not in value:
            yield value
            continue
        for part in _SEPARATOR.split(value):
            if text := _LANGUAGE.sub("", part.strip()).strip():
                yield text


def number(text: Any) -> float | None:
    """A number of degrees, None for anything else."""
    try:
        value = float(str(text).replace(",", "."))
    except ValueError:
        return None
    return value if -180 <= value <= 180 else None


def domain(address: str) -> str:
    """The host of an address without `www.`, empty where there is none.

    >>> domain("https://www.uni-siegen.de/start/"), domain("ifib.de"), domain("Siegen")
    ('uni-siegen.de', 'ifib.de', '')
    """
    match = _HOST.fullmatch(address.strip())
    return match[1].lower() if match else ""
