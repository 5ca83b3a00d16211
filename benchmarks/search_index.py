"""How large and how fast the index of the JSON API is: organisations of `generate.py`, asked as people and
programs ask.

    python benchmarks/search_index.py 1000000 FOLDER

The index stays in the folder, and is written once. Each question is asked several times; the first time
may read from the disk. Memory is that of a process of its own for each part.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from generate import organisations

from lodpipe import Project
from lodpipe.engine.search_index import Filter, SearchIndex, Selection
from lodpipe.engine.search_index_writer import IndexPlan, KindPlan, write_index
from lodpipe.publish.api.api_documents import ApiDocuments
from lodpipe.publish.api.list_parameters import read_list
from lodpipe.publish.api.node_documents import NodeDocuments
from lodpipe.rdf.jsonld import Context
from lodpipe.rdf.namespaces import XSD
from lodpipe.rdf.terms import TYPE, Triple, iri, quote_literal

BASE = "https://register.example/"
SKOS, ORG, DCT, SDO = (
    "http://www.w3.org/2004/02/skos/core#",
    "http://www.w3.org/ns/org#",
    "http://purl.org/dc/terms/",
    "https://schema.org/",
)
CONTEXT = Context(
    {"id": "@id", "type": "@type", "skos": SKOS, "org": ORG, "dct": DCT, "schema": SDO}, BASE
)
PLAN = IndexPlan(
    BASE,
    ("de", "en"),
    (KindPlan(f"<{ORG}Organization>", "organisations"), KindPlan(f"<{DCT}Location>", "places")),
    CONTEXT,
)


def triples(rows: int) -> Iterator[Triple]:
    """The statements of the organisations, and of the places that they are in."""
    places: dict[str, None] = {}
    for key, name, name_en, text, kind, place, founded, employees, website in organisations(rows):
        subject = iri(f"{BASE}organisation/{quote(key)}")
        places[place] = None
        yield subject, TYPE, f"<{ORG}Organization>"
        yield subject, f"<{SKOS}prefLabel>", quote_literal(name.strip(), "de")
        yield subject, f"<{ORG}classification>", f"<{BASE}kind/{kind}>"
        yield subject, f"<{DCT}spatial>", iri(f"{BASE}place/{quote(place)}")
        for predicate, value, datatype in (
            (f"<{SKOS}altLabel>", name_en, ""),
            (f"<{DCT}description>", text, ""),
            (f"<{SDO}foundingDate>", founded, XSD + "date"),
            (f"<{SDO}numberOfEmployees>", employees, XSD + "integer"),
            (f"<{SDO}url>", website, XSD + "anyURI"),
        ):
            if value:
                yield subject, predicate, quote_literal(value, "", datatype)
    for place in sorted(places):
        subject = iri(f"{BASE}place/{quote(place)}")
        yield subject, TYPE, f"<{DCT}Location>"
        yield subject, f"<{SKOS}prefLabel>", quote_literal(place, "de")


def questions(index: SearchIndex, rows: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked, with words for it."""

    def listed(**wanted: Any) -> Callable[[], Any]:
        return lambda: index.select(Selection("organisations", **wanted))

    middle = rows // 2
    yield "page 1 of a list", listed()
    yield "its last page", listed(offset=rows - 50)
    yield (
        "a filter (an eighth of all)",
        listed(filters=(Filter("org:classification", ("kind/verein",)),)),
    )
    yield (
        "two filters",
        listed(
            filters=(
                Filter("org:classification", ("kind/verein",)),
                Filter("schema:numberOfEmployees", ("19000",), "gte"),
            )
        ),
    )
    yield "in the order of a number", listed(sort="-schema:numberOfEmployees")
    yield (
        "a filter, in the order of a date",
        listed(
            filters=(Filter("org:classification", ("kind/verein",)),), sort="schema:foundingDate"
        ),
    )
    yield "words of a text, by relevance", listed(text="Wasser Netzwerk")
    yield "a word of one in twelve, by relevance", listed(text="Wasser")
    yield (
        "a word and a filter",
        listed(text="Wasser", filters=(Filter("org:classification", ("kind/verein",)),)),
    )
    yield "search: a whole name", lambda: index.search(f"Bürger Straße {middle}")
    yield "search: a frequent word", lambda: index.search("Wasser")
    yield "search: three misspelt words", lambda: index.search("Netzwrek Gesundhiet Verkher")
    for beginning in ("w", "wa", "was", "wasser", "wasser net", f"netzwerk kultur {middle}"):
        yield f"suggest: {beginning}", lambda beginning=beginning: index.suggest(beginning)
    yield "candidates: a name", lambda: index.candidates(f"Bürger Straße e. V. {middle}")
    yield "candidates: a misspelt name", lambda: index.candidates(f"Bürgre Starße {middle}")
    yield "a resource by its IRI", lambda: index.find(f"{BASE}organisation/org-{middle}")


def peak() -> int:
    """The most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def own_memory() -> int:
    """The memory of this process now without pages of files, in MB (Linux)."""
    status = Path("/proc/self/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) // 1024


def write(path: Path, rows: int) -> None:
    """Writes the index, unless it is there."""
    start, used = time.perf_counter(), time.process_time()
    write_index(path, triples(rows), PLAN, "1")
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(f"written in {seconds:.0f} s ({processor:.0f} s of processor), {peak()} MB of memory")


def answer(path: Path, rows: int, runs: int) -> None:
    """Asks each question and prints a table."""
    start = time.perf_counter()
    index = SearchIndex(path)
    print(
        f"opened in {1000 * (time.perf_counter() - start):.1f} ms; {path.stat().st_size / 1e6:.0f} MB\n"
    )
    print("| question | first | median | processor |\n|---|---:|---:|---:|")
    for name, question in questions(index, rows):
        times, used = [], []
        for _ in range(runs):
            start, processor = time.perf_counter(), time.process_time()
            question()
            times.append(1000 * (time.perf_counter() - start))
            used.append(1000 * (time.process_time() - processor))
        row = (times[0], statistics.median(times), statistics.median(used))
        print(f"| {name} | {' | '.join(f'{value:.1f} ms' for value in row)} |", flush=True)
    print(f"\n{own_memory()} MB of memory besides pages of the file")
    index.close()


def send(path: Path, _: int) -> None:
    """Reads a whole collection as JSON Lines, as a client that takes all of it."""
    index = SearchIndex(path)
    publication = Project.open(Path(__file__).parents[1]).publication
    api = ApiDocuments(publication, index, NodeDocuments(index, CONTEXT))
    request = read_list([], "organisations", index, CONTEXT)
    start, processor, size, memory = time.perf_counter(), time.process_time(), 0, own_memory()
    most = memory
    for part in api.whole_table(request, "jsonl"):
        size += len(part)
        most = max(most, own_memory())
    seconds, used = time.perf_counter() - start, time.process_time() - processor
    print(
        f"all as JSON Lines: {size / 1e6:.0f} MB in {seconds:.0f} s ({used:.0f} s of processor), {most} MB of memory, "
        f"{memory} MB before"
    )
    index.close()


def main() -> None:
    """Each part in a process of its own, for its memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"organisations-{options.rows}.sqlite"
    process = multiprocessing.get_context("spawn").Process
    parts = [] if path.exists() else [process(target=write, args=(path, options.rows))]
    parts += [
        process(target=answer, args=(path, options.rows, options.runs)),
        process(target=send, args=(path, options.rows)),
    ]
    for part in parts:
        part.start()
        part.join()


if __name__ == "__main__":
    main()
