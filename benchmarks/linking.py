"""How good and how fast `lodpipe link` matches: records made from a register, with errors seeded,
against the register.

    python benchmarks/linking.py ror.csv --records 2000

Half of the records come from entries that stay in the register (how many are recognised?), half
from entries that are taken out (how many are taken for another?). The register is a CSV file with
the columns of an ROR dump: ror, name, name_de, aliases, city, country.
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

from lodpipe.workflow.linking.link_candidates import Described, Matching
from lodpipe.workflow.linking.name_forms import Forms, Weights, place_forms

LETTERS = "abcdefghijklmnopqrstuvwxyz"
IGNORED = ("e. V.", "GmbH", "gGmbH", "Inc", "Ltd", "SA", "AG")


@dataclass(frozen=True)
class Seed:
    """A record made from an entry: its identifier, its changed name, its place."""

    entry: str
    name: str
    city: str
    country: str
    stays: bool


def names_of(row: dict[str, str]) -> list[str]:
    several = [row["name"], row["name_de"], *row["aliases"].split("|")]
    return list(dict.fromkeys(name for name in several if name))


def misspelt(name: str, chance: random.Random) -> str:
    """A letter omitted, doubled, changed or swapped with its neighbour."""
    at = chance.randrange(1, len(name) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return name[:at] + name[at + 1 :]
    if kind == 1:
        return name[:at] + name[at] + name[at:]
    if kind == 2:
        return name[:at] + chance.choice(LETTERS) + name[at + 1 :]
    return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]


def changed(name: str, chance: random.Random) -> str:
    """A name as others write it: as it is, misspelt once or twice, without a short word, in another order."""
    kind = chance.randrange(5)
    words = name.split()
    if kind == 1:
        return misspelt(name, chance)
    if kind == 2:
        return misspelt(misspelt(name, chance), chance)
    if kind == 3 and len(words) > 3:
        shortest = min(words, key=len)
        return " ".join(word for word in words if word != shortest)
    if kind == 4 and len(words) > 1:
        return f"{' '.join(words[1:])}, {words[0]}"
    return name


def seeds(rows: list[dict[str, str]], number: int) -> list[Seed]:
    chance = random.Random(7)
    usable = [row for row in rows if len(row["name"]) > 10]
    several = chance.sample(usable, number)
    return [
        Seed(
            row["ror"],
            changed(chance.choice([name for name in names_of(row) if len(name) > 10]), chance),
            row["city"],
            row["country"],
            place % 2 == 0,
        )
        for place, row in enumerate(several)
    ]


def entries(rows: list[dict[str, str]], gone: set[str], forms: Forms) -> Iterator[Described]:
    for row in rows:
        if row["ror"] not in gone:
            yield Described(
                row["ror"], tuple(map(forms.of, names_of(row))), place_forms(forms, [row["city"]]), countries=(row["country"],)
            )  # fmt: skip


def figures(title: str, ranked: dict[int, list[tuple[float, str]]], several: list[Seed]) -> None:
    """Precision and recall of the best candidate, at several thresholds."""
    present = sum(seed.stays for seed in several)
    for threshold in (70, 75, 80, 85, 90, 95, 100):
        best = {n: items[0] for n, items in ranked.items() if items and items[0][0] >= threshold}
        right = sum(
            several[n].stays and entry == several[n].entry for n, (_, entry) in best.items()
        )
        print(
            f"{title:24} {threshold:4} precision {right / max(1, len(best)):.3f} recall {right / present:.3f} "
            f"candidates {len(best)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("register", type=Path)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--all-pairs", type=int, default=0, help="records compared with all names")
    options = parser.parse_args()
    with options.register.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    several = seeds(rows, options.records)
    gone = {seed.entry for seed in several if not seed.stays}
    forms = Forms(IGNORED)
    register = list(entries(rows, gone, forms))
    weights = Weights()
    for entry in register:
        for form in entry.names:
            weights.add(form)
    for places in (False, True):
        records = [
            Described(
                str(number), (forms.of(seed.name),),
                place_forms(forms, [seed.city] if places else []), countries=(seed.country,) if places else (),
            )
            for number, seed in enumerate(several)
        ]  # fmt: skip
        start = time.process_time()
        candidates = Matching(weights, 70).best(records, register)
        spent = time.process_time() - start
        ranked = {
            int(key): [(item.score, item.entry.key) for item in items]
            for key, items in candidates.items()
        }
        figures(f"lodpipe{', places' if places else ''}", ranked, several)
        print(f"{len(records):,} × {len(register):,}: {spent:.1f} s")
    if options.all_pairs:
        some = several[: options.all_pairs]
        choices = [(form.key, entry.key) for entry in register for form in entry.names]
        texts = [text for text, _ in choices]
        start = time.process_time()
        ranked = {}
        for number, seed in enumerate(some):
            match = process.extractOne(forms.of(seed.name).key, texts, scorer=fuzz.token_sort_ratio)
            ranked[number] = [(match[1], choices[match[2]][1])]
        figures("token_sort_ratio", ranked, some)
        print(f"{time.process_time() - start:.1f} s for {len(some)} records")


if __name__ == "__main__":
    main()
