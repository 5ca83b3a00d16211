"""How good and how fast the reconciliation service is: names of a register, misspelt in known ways, asked
of an index of it.

    python benchmarks/reconciliation.py ror.csv --records 1000
    python benchmarks/reconciliation.py municipalities.csv --records 1000 --places

Half of the names are of entries that are in the index (how many are recognised?), half of entries that are
not (how many are taken for another?). The register is a CSV file with the columns of an ROR dump (ror, name,
name_de, aliases, city) or of German municipalities (ars, name, name_official, kreis_name).
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from linking import misspelt
from lodpipe import Project
from lodpipe.engine.name_folding import LEGAL_FORMS, words_of
from lodpipe.engine.search_index import SearchIndex
from lodpipe.engine.search_index_writer import IndexPlan, KindPlan, write_index
from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.node_documents import NodeDocuments
from lodpipe.publish.api.reconciliation import Condition, Question, Reconciliation
from lodpipe.rdf.jsonld import Context
from lodpipe.rdf.terms import Triple

BASE = "https://register.example/"
SKOS, PLACE = "http://www.w3.org/2004/02/skos/core#", "http://purl.org/dc/terms/spatial"
CONTEXT = Context({"id": "@id", "type": "@type", "place": PLACE, "skos": SKOS}, BASE)
WRITTEN_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)
DROPPED = str.maketrans("äöüÄÖÜß", "aouAOUs")


@dataclass(frozen=True)
class Entry:
    """An entry of a register: key, names, place."""

    key: str
    names: tuple[str, ...]
    place: str


def entries(path: Path) -> list[Entry]:
    """The entries of a register."""
    register = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if "ror" in row:
                names = [row["name"], row["name_de"], *row["aliases"].split("|")]
                key, place = row["ror"].rpartition("/")[2], row["city"]
            else:
                names, key, place = (
                    [row["name"], row["name_official"]],
                    row["ars"],
                    row["kreis_name"],
                )
            register.append(Entry(key, tuple(dict.fromkeys(filter(None, names))), place))
    return register


def triples(register: list[Entry]) -> Iterator[Triple]:
    """An index's triples, sorted by subject."""

    def literal(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'

    for entry in sorted(register, key=lambda item: item.key):
        subject = f"<{BASE}{entry.key}>"
        yield subject, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", f"<{BASE}Entry>"
        for number, name in enumerate(entry.names):
            yield subject, f"<{SKOS}{'altLabel' if number else 'prefLabel'}>", literal(name)
        yield subject, f"<{PLACE}>", literal(entry.place)


def swapped(name: str, _: random.Random) -> str:
    first, _, rest = name.partition(" ")
    return f"{rest} {first}" if rest else ""


def without_legal_form(name: str, _: random.Random) -> str:
    words = [word for word in name.split() if not set(words_of(word)) & LEGAL_FORMS]
    return " ".join(words) if len(words) < len(name.split()) else ""


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda name, _: name,
    "umlauts written out": lambda name, _: name.translate(WRITTEN_OUT),
    "umlauts without dots": lambda name, _: name.translate(DROPPED),
    "capitals": lambda name, _: name.upper(),
    "legal form missing": without_legal_form,
    "one letter wrong": misspelt,
    "two letters wrong": lambda name, chance: misspelt(misspelt(name, chance), chance),
    "words swapped": swapped,
}


def questions(register: list[Entry], number: int) -> Iterator[tuple[str, Entry, str]]:
    """Up to `number` names for each way to change them; a name that stays the same is none."""
    chance = random.Random(7)
    shuffled = chance.sample(register, len(register))
    for kind, change in CHANGES.items():
        count = 0
        for entry in shuffled:
            name = chance.choice(entry.names)
            if count == number or len(name) < 5 or not name.isprintable():
                continue
            changed = change(name, chance)
            if changed and (changed != name or kind == "as it is"):
                count += 1
                yield kind, entry, changed


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("register", type=Path)
    parser.add_argument("--records", type=int, default=200, help="names for each kind of change")
    parser.add_argument("--places", action="store_true", help="the place as a condition")
    options = parser.parse_args()
    register = entries(options.register)
    gone = {entry.key for entry in random.Random(3).sample(register, len(register) // 2)}
    rest = [entry for entry in register if entry.key not in gone]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite"
        plan = IndexPlan(BASE, ("de",), (KindPlan(f"<{BASE}Entry>", "entries"),), CONTEXT)
        write_index(path, triples(rest), plan, "1")
        index = SearchIndex(path)
        publication = Project.open(Path(__file__).parents[1]).publication
        api = ApiDocuments(publication, index, NodeDocuments(index, CONTEXT))
        measured(Reconciliation(api), register, gone, options)
        index.close()


def measured(
    service: Reconciliation, register: list[Entry], gone: set[str], options: argparse.Namespace
) -> None:
    """Asks each question; the table counts those that are answered right."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    times = []
    for kind, entry, name in questions(register, options.records):
        conditions = (Condition("place", (entry.place,)),) if options.places else ()
        start = time.perf_counter()
        answers = service.candidates(Question((name,), conditions=conditions, limit=5))
        times.append(time.perf_counter() - start)
        count, iri = counts[kind], f"{BASE}{entry.key}"
        count["in the index"] += entry.key not in gone
        count["among five"] += any(item.resource.iri == iri for item in answers)
        for row, sure in (("match", [item for item in answers if item.match]), ("90", answers)):
            best = next((item for item in sure if item.match or item.score >= 90), None)
            if best:
                count[f"{row} stated"] += 1
                count[f"{row} right"] += best.resource.iri == iri
    print(
        "| name | asked for | among five | `match`: precision | recall | score 90: precision | recall |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind, count in counts.items():
        known = max(1, count["in the index"])
        cells = [
            value
            for row in ("match", "90")
            for value in (
                count[f"{row} right"] / max(1, count[f"{row} stated"]),
                count[f"{row} right"] / known,
            )
        ]
        print(
            f"| {kind} | {known} | {count['among five'] / known:.3f} | "
            + " | ".join(f"{cell:.3f}" for cell in cells)
            + " |"
        )
    times.sort()
    middle, late = times[len(times) // 2], times[len(times) * 95 // 100]
    print(
        f"\n{len(times)} questions: median {1000 * middle:.0f} ms, 95 % within {1000 * late:.0f} ms"
    )


if __name__ == "__main__":
    main()
