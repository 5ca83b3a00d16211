"""What source/records.yaml declares of values beyond their type: how they must be to be plausible.

population: {type: integer, range: [1, 100000000], at_most: within.population}
postal_code: {type: text, format: {by: country, DE: '^[0-9]{5}$'}}
legal_form: {type: text, excludes: [territory]}
named: {type: text, agrees: [organisation.name, organisation.other_names.name]}
isni: {type: text, check_digits: mod-11-2}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.documents.tree import Mapping, Node, Scalar, Sequence

TODAY = "today"  # a bound of a range: the day on which the records are checked
HYGIENE = (
    "spaces",
    "no-break-spaces",
    "invisible",
    "decomposed",
    "markup",
    "encoding",
    "addresses",
    "placeholder",
    "quotes",
    "signs",
    "lookalikes",
    "unlike",
    "spelling",
    "transliteration",
    "language",
    "translation",
    "repeated",
    "file-name",
)
CHECK_DIGITS = ("luhn", "ean", "mod-11-2", "mod-97-10", "ror")
Comparison = Literal["agrees", "equals", "begins_with", "at_most", "differs"]
Report = Callable[..., None]  # takes a node, what is wrong with it, and the path of the place in it
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


class ValueFormat(Struct, frozen=True):
    """A regular expression for the values, or one for each value of the column `by`."""

    pattern: str = ""
    by: str = ""
    patterns: tuple[tuple[str, str], ...] = ()


class ValueRange(Struct, frozen=True):
    """The least and the greatest value ("" where there is none), or those for each value of the
    column `by`.
    """

    bounds: tuple[str, str] = ("", "")
    by: str = ""
    cases: tuple[tuple[str, tuple[str, str]], ...] = ()


class Outliers(Struct, frozen=True):
    """Values far from the others of the same `by` columns are reported; `per` is the column that
    they are divided by.
    """

    by: tuple[str, ...] = ()
    per: str = ""


class Plausibility(Struct, frozen=True):
    """How the values of a field must be.

    `fits` holds patterns of other fields by the value of this one, `excludes` names fields that must be empty beside it.
    `comparisons` are paths to values of this record or of one it refers to. `language` names the
    column that holds the language of the text, `written_in` that language itself where it is fixed.
    `expected_where` are values of other fields beside which this one is not empty; references that are
    `acyclic` lead to no record that leads back.
    `check_digits` is one of CHECK_DIGITS, or empty. `allow` lists checks of texts that are off.
    """

    range: ValueRange | None = None
    format: ValueFormat | None = None
    fits: tuple[tuple[str, ValueFormat], ...] = ()
    excludes: tuple[str, ...] = ()
    comparisons: tuple[tuple[Comparison, tuple[str, ...]], ...] = ()
    outliers: Outliers | None = None
    check_digits: str = ""
    expected_where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    acyclic: bool = False
    language: str = ""
    written_in: str = ""
    allow: frozenset[str] = frozenset()

    def in_language(self, language: str) -> Plausibility:
        """The same for a text in one language."""
        return replace(self, written_in=language)


NOTHING = Plausibility()
KEYS = frozenset(
    {
        "range", "format", "fits", "excludes", "agrees", "equals", "begins_with", "at_most", "differs", "outliers",
        "check_digits", "expected_where", "acyclic", "language", "allow",
    }
)  # fmt: skip


def _is_bound(text: str) -> bool:
    return not text or text == TODAY or bool(_DATE.fullmatch(text)) or bool(_NUMBER.fullmatch(text))


def _is_reversed(low: str, high: str) -> bool:
    """Whether the least value of a range is more than the greatest."""
    if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
        return float(low) > float(high)
    return bool(_DATE.fullmatch(low) and _DATE.fullmatch(high)) and low > high


def read_plausibility(field: Mapping, wrong: Report) -> Plausibility:
    """What the keys of a field's declaration say; `wrong` is called for each that is invalid."""
    if not KEYS & set(field.items):
        return NOTHING
    reader = _Reader(field, wrong)
    return Plausibility(
        range=reader.range(),
        format=reader.format(field.items["format"]) if "format" in field.items else None,
        fits=tuple(reader.fits()),
        excludes=reader.texts("excludes"),
        comparisons=tuple(
            (kind, paths)
            for kind in ("agrees", "equals", "begins_with", "at_most", "differs")
            if (paths := reader.texts(kind))
        ),
        outliers=reader.outliers(),
        check_digits=reader.check_digits(),
        expected_where=tuple(reader.expected_where()),
        acyclic=reader.acyclic(),
        language=next(iter(reader.texts("language")), ""),
        allow=reader.allowed(),
    )


class _Reader:
    """Reads the keys of one field."""

    def __init__(self, field: Mapping, wrong: Report) -> None:
        self.items, self.field, self.wrong = field.items, field, wrong

    def texts(self, key: str) -> tuple[str, ...]:
        """One text, or a list of texts."""
        node = self.items.get(key)
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else [node]
        texts = [item.text for item in items if isinstance(item, Scalar) and item.text]
        if not texts or len(texts) != len(items):
            self.wrong(self.field, f"`{key}` is a name or a list of names", key)
        return tuple(texts)

    def range(self) -> ValueRange | None:
        node = self.items.get("range")
        if node is None:
            return None
        if isinstance(node, Mapping) and isinstance(node.items.get("by"), Scalar):
            cases = tuple(
                (key, self.bounds(item)) for key, item in node.items.items() if key != "by"
            )
            return ValueRange(by=getattr(node.items["by"], "text", "") or "", cases=cases)
        return ValueRange(self.bounds(node))

    def bounds(self, node: Node) -> tuple[str, str]:
        items = node.items if isinstance(node, Sequence) else []
        texts = [item.text or "" for item in items if isinstance(item, Scalar)]
        texts = ["" if text in ("null", "~") else text for text in texts]
        if len(items) == len(texts) == 2 and any(texts) and all(map(_is_bound, texts)):
            if _is_reversed(*texts):
                self.wrong(node, f"`range`: {texts[0]} is more than {texts[1]}")
            return texts[0], texts[1]
        detail = (
            "`range` is a list of the least and the greatest value: numbers, dates, `today`, or "
            "null for no bound; or a map of such lists with `by: FIELD`"
        )
        self.wrong(node, detail)
        return "", ""

    def format(self, node: Node) -> ValueFormat:
        if isinstance(node, Scalar) and node.text:
            return ValueFormat(self.pattern(node))
        if not isinstance(node, Mapping) or not isinstance(node.items.get("by"), Scalar):
            self.wrong(node, "`format` is a pattern, or a map of patterns with `by: FIELD`")
            return ValueFormat()
        by = node.items["by"]
        return ValueFormat(by=getattr(by, "text", "") or "", patterns=self.patterns(node))

    def patterns(self, node: Mapping) -> tuple[tuple[str, str], ...]:
        return tuple((key, self.pattern(item)) for key, item in node.items.items() if key != "by")

    def pattern(self, node: Node) -> str:
        text = node.text if isinstance(node, Scalar) else None
        try:
            re.compile(text or "(")
        except re.error as error:
            self.wrong(node, f"no valid regular expression ({error if text else 'none'})")
            return ""
        return text or ""

    def fits(self) -> Iterator[tuple[str, ValueFormat]]:
        node = self.items.get("fits")
        if node is None:
            return
        if not isinstance(node, Mapping):
            self.wrong(self.field, "`fits` is a map of fields", "fits")
            return
        for name, patterns in node.items.items():
            if isinstance(patterns, Mapping):
                yield name, ValueFormat(patterns=self.patterns(patterns))
            else:
                self.wrong(self.field, f"`{name}` is a map of values and patterns", "fits", name)

    def outliers(self) -> Outliers | None:
        node = self.items.get("outliers")
        if node is None or (isinstance(node, Scalar) and node.value is False):
            return None
        if isinstance(node, Scalar) and node.value is True:
            return Outliers()
        if not isinstance(node, Mapping) or not set(node.items) <= {"by", "per"}:
            self.wrong(self.field, "`outliers` is true, or a map with `by` and `per`", "outliers")
            return None
        inner = _Reader(node, self.wrong)
        return Outliers(inner.texts("by"), next(iter(inner.texts("per")), ""))

    def expected_where(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        node = self.items.get("expected_where")
        if node is None:
            return
        if not isinstance(node, Mapping):
            self.wrong(self.field, "`expected_where` is a map of fields", "expected_where")
            return
        inner = _Reader(node, self.wrong)
        for name in node.items:
            yield name, inner.texts(name)

    def acyclic(self) -> bool:
        node = self.items.get("acyclic")
        if node is None:
            return False
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, bool):
            self.wrong(self.field, "`acyclic` is true or false", "acyclic")
        return value is True

    def check_digits(self) -> str:
        name = next(iter(self.texts("check_digits")), "")
        if name and name not in CHECK_DIGITS:
            known = ", ".join(CHECK_DIGITS)
            self.wrong(
                self.field, f"`check_digits`: `{name}` is unknown; known: {known}", "check_digits"
            )
            return ""
        return name

    def allowed(self) -> frozenset[str]:
        names = self.texts("allow")
        for name in names:
            if name not in HYGIENE and name != "all":
                known = ", ".join(("all", *HYGIENE))
                self.wrong(self.field, f"`allow`: `{name}` is unknown; known: {known}", "allow")
        return frozenset(HYGIENE) if "all" in names else frozenset(names)
