"""The review file: candidates for people to decide on, in YAML.

    table: cafes
    register: clubs.csv
    documents: {wikidata: wikidata}
    candidates:
      - record: spoke
        name: Spoke
        entry: Q42
        entry_name: Spoke e.V.
        score: 100
        reasons: ['same name: Spoke e.V.']
        identifiers: {wikidata: Q42}
        accept: yes

`accept` is empty, `yes` or `no`; `note` may say why. Another run keeps what was decided, so that a
rejected candidate does not come back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.core_schema import typed
from lodpipe.documents.readers import read_yaml
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Scalar, describe, value_of
from lodpipe.documents.tree import Sequence as List

# Texts that no YAML reader takes for anything else, outside and inside of brackets.
_PLAIN = re.compile(
    r"(?![0-9]{4}-)(?![0-9][0-9A-Fa-fx_:.]*$)\w[\w./+-]*(?::[\w./+-]+)*(?: [\w(+][\w./()+-]*)*(?<![.:])"
)
_DECISIONS: dict[object, bool | None] = {
    None: None, "": None, "yes": True, "no": False, True: True, False: False,
}  # fmt: skip
_TEXTS = ("record", "name", "entry", "entry_name")
_KEYS = (*_TEXTS, "entry_place", "score", "reasons", "identifiers", "accept", "note")
_HEAD = ("table", "register", "sha256", "documents", "candidates")
_COMMENT = {
    "en": (
        "# Matches to decide on: write yes or no after `accept:`, and why after `note:` if you like.\n"
        "# Then: lodpipe link --accept {}"
    ),
    "de": (
        "# Vorschläge zur Entscheidung: hinter `accept:` yes oder no schreiben, hinter `note:` auf\n"
        "# Wunsch den Grund. Dann: lodpipe link --accept {}"
    ),
}


class Proposal(Struct, frozen=True):
    """A candidate in a review file, with the decision (None: not decided yet) and its place."""

    record: str
    name: str
    entry: str
    entry_name: str
    identifiers: Mapping[str, str]
    score: int = 0
    reasons: tuple[str, ...] = ()
    entry_place: str = ""
    accept: bool | None = None
    note: str = ""
    origin: Origin = Origin("")
    places: Mapping[str, Origin] = {}

    @property
    def pair(self) -> tuple[str, str]:
        """The record and the entry."""
        return self.record, self.entry

    def place(self, key: str) -> Origin:
        """Where a key of it is in the file."""
        return self.places.get(key, self.origin)


class Review(Struct, frozen=True):
    """A review file: the table, the register with its digest, the documents that prove identifiers,
    by field, and the proposals.
    """

    table: str
    register: str
    sha256: str
    documents: Mapping[str, str]
    proposals: Sequence[Proposal] = ()
    origin: Origin = Origin("")
    places: Mapping[str, Origin] = {}


def merged(new: Iterable[Proposal], old: Iterable[Proposal]) -> list[Proposal]:
    """New proposals with the decisions of old ones; decided pairs that are not proposed any more
    stay, undecided ones go.
    """
    decided = {item.pair: item for item in old if item.accept is not None or item.note}
    decisions = [item for item in decided.values() if item.accept is not None]
    several = {item.pair: item for item in decisions}
    for item in new:
        before = decided.get(item.pair)
        several[item.pair] = (
            Proposal(
                item.record, item.name, item.entry, item.entry_name, item.identifiers, item.score,
                item.reasons, item.entry_place, before.accept, before.note,
            )
            if before
            else item
        )  # fmt: skip
    return sorted(several.values(), key=lambda item: (item.record, -item.score, item.entry))


# -- writing ---------------------------------------------------------------------------------------


def review_text(review: Review, file: str, language: str) -> str:
    """The text of a review file; the same review gives the same text."""
    return "".join(f"{line}\n" for line in _lines(review, file, language))


def _lines(review: Review, file: str, language: str) -> Iterator[str]:
    yield _COMMENT.get(language, _COMMENT["en"]).format(file)
    yield f"table: {scalar(review.table)}"
    yield f"register: {scalar(review.register)}"
    yield f"sha256: {scalar(review.sha256)}"
    yield f"documents: {_flow(review.documents)}"
    yield "candidates:" if review.proposals else "candidates: []"
    for item in review.proposals:
        yield f"- record: {scalar(item.record)}"
        yield f"  name: {scalar(item.name)}"
        yield f"  entry: {scalar(item.entry)}"
        yield f"  entry_name: {scalar(item.entry_name)}"
        if item.entry_place:
            yield f"  entry_place: {scalar(item.entry_place)}"
        yield f"  score: {item.score}"
        yield "  reasons:" if item.reasons else "  reasons: []"
        yield from (f"  - {scalar(reason)}" for reason in item.reasons)
        yield f"  identifiers: {_flow(item.identifiers)}"
        yield "  accept:" + {None: "", True: " yes", False: " no"}[item.accept]
        if item.note:
            yield f"  note: {scalar(item.note)}"


def _flow(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in values.items()) + "}"


def scalar(text: str) -> str:
    """A text in YAML: plain where it cannot be taken for anything else, else in quotes.

    >>> print(scalar("Q42"), scalar("007"), scalar("9:00"), scalar("no: it's"))
    Q42 '007' '9:00' 'no: it''s'
    """
    plain = _PLAIN.fullmatch(text) and typed(text, 0, 0).value == text
    if plain and text.lower() not in ("yes", "no", "on", "off", "y", "n"):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=True)


# -- reading ---------------------------------------------------------------------------------------


def read_review(text: str, file: str) -> Review:
    """A review file. Raises InvalidData with everything that is wrong with it (LP561)."""
    reader = _Reader(file)
    review = reader.review(read_yaml(text, file))
    if reader.findings:
        raise InvalidData(reader.findings)
    return review


class _Reader:
    """Reads a review and collects what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def wrong(self, node: Node | None, english: str, german: str) -> None:
        where = Origin(self.file, node.line, node.column) if node else Origin(self.file)
        params = {"detail_en": english, "detail_de": german}
        self.findings.append(Finding("LP561", where, params))

    def review(self, tree: Node | None) -> Review:
        if not isinstance(tree, Map):
            self.wrong(tree, f"expected a map with {', '.join(_HEAD)}",
                       f"erwartet ist eine Map mit {', '.join(_HEAD)}")  # fmt: skip
            return Review("", "", "", {})
        self._unknown(tree, _HEAD)
        documents = tree.items.get("documents")
        candidates = tree.items.get("candidates")
        items = candidates.items if isinstance(candidates, List) else []
        if not isinstance(candidates, List):
            self.wrong(candidates or tree, "`candidates` is a list", "`candidates` ist eine Liste")
        return Review(
            self._text(tree, "table"),
            self._text(tree, "register"),
            self._text(tree, "sha256", needed=False),
            self._texts(documents, "documents"),
            [proposal for item in items if (proposal := self._proposal(item))],
            Origin(self.file, tree.line, tree.column),
            self._places(tree),
        )

    def _places(self, node: Map) -> dict[str, Origin]:
        return {
            key: Origin(self.file, value.line, value.column, key)
            for key, value in node.items.items()
        }

    def _unknown(self, node: Map, known: Sequence[str]) -> None:
        for key, (line, column) in node.keys.items():
            if key not in known:
                self.wrong(Scalar(key, key, line, column), f"there is no key `{key}`; known: {', '.join(known)}",
                           f"es gibt keinen Schlüssel `{key}`; bekannt: {', '.join(known)}")  # fmt: skip

    def _proposal(self, node: Node) -> Proposal | None:
        if not isinstance(node, Map):
            self.wrong(node, f"expected a candidate, found {describe(node)}",
                       "erwartet ist ein Vorschlag mit `record`, `entry` und `accept`")  # fmt: skip
            return None
        self._unknown(node, _KEYS)
        accept = node.items.get("accept")
        decision = value_of(accept) if accept is not None else None
        if isinstance(decision, list | dict) or decision not in _DECISIONS:
            self.wrong(accept, "`accept` is yes, no or empty", "`accept` ist yes, no oder leer")
            decision = None
        reasons, score = node.items.get("reasons"), node.items.get("score")
        points = score.value if isinstance(score, Scalar) else 0
        record, name, entry, entry_name = (self._text(node, key) for key in _TEXTS)
        return Proposal(
            record, name, entry, entry_name,
            self._texts(node.items.get("identifiers"), "identifiers"),
            points if isinstance(points, int) else 0,
            tuple(item.text or "" for item in reasons.items if isinstance(item, Scalar))
            if isinstance(reasons, List) else (),
            self._text(node, "entry_place", needed=False),
            _DECISIONS[decision],
            self._text(node, "note", needed=False),
            Origin(self.file, node.line, node.column),
            self._places(node),
        )  # fmt: skip

    def _text(self, node: Map, key: str, *, needed: bool = True) -> str:
        value = node.items.get(key)
        if isinstance(value, Scalar) and (value.text or not needed):
            return value.text or ""
        if needed or value is not None:
            self.wrong(value or node, f"`{key}` is a text", f"`{key}` ist ein Text")
        return ""

    def _texts(self, node: Node | None, key: str) -> dict[str, str]:
        if isinstance(node, Map) and all(isinstance(item, Scalar) for item in node.items.values()):
            return {
                name: item.text or ""
                for name, item in node.items.items()
                if isinstance(item, Scalar)
            }
        self.wrong(node, f"`{key}` is a map of texts", f"`{key}` ist eine Map von Texten")
        return {}
