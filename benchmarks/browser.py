"""Search and SPARQL in the browser at scale: time until ready, longest task, time of each query; by
hand.

    python benchmarks/browser.py FILE.csv [--entries 500 50000]

FILE.csv is a register with columns ror, name, name_de, aliases, country, city, lat, lon (ROR's).
The pages are those of dist/site/, which `lodpipe build` writes; index and dump are made of the
register.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser_support import launched, serving  # noqa: E402

BASE = "https://example.org/"
TYPED = [
    "universitat munchen", "Universität Münchn", "stiftung", "reserch institute", "open knowlege", "hochsch", "zzzzqq", "a",
    "institute of technology",
]  # fmt: skip
TYPE = """text => new Promise(done => {
  const field = document.getElementById('search-input'), status = document.querySelector('[role=status]'), start = performance.now();
  const seen = new MutationObserver(() => { seen.disconnect(); done([performance.now() - start - 80, status.textContent]); });
  seen.observe(status, {childList: true, characterData: true, subtree: true});
  field.value = text; field.dispatchEvent(new Event('input'));
})"""  # 80 ms are the pause in which the page waits for the next key
LONGEST = """window.longest = 0;
new PerformanceObserver(list => list.getEntries().forEach(one => longest = Math.max(longest, one.duration))).observe({type: 'longtask'})"""
QUERIES = {
    "count by country": f"SELECT ?c (COUNT(*) AS ?n) {{ ?s <{BASE}country> ?c }} GROUP BY ?c",
    "all names": f"SELECT * {{ ?s <{BASE}name> ?name }}",
    "all statements": "SELECT * { ?s ?p ?o }",
}


def entries(rows: list[dict[str, str]]) -> dict:
    def entry(row: dict[str, str]) -> list:
        labels = [row["name_de"], row["name"]] if row["name_de"] else [row["name"]]
        return [
            0,
            f"organisation/{row['ror'][-9:]}",
            labels,
            [alias for alias in row["aliases"].split("|") if alias],
            row["country"],
        ]

    return {
        "languages": ["de", "en"],
        "groups": [["Organisationen", "Organisations"]],
        "entries": [entry(row) for row in rows],
    }


def statements(rows: list[dict[str, str]]) -> bytes:
    columns = ("name", "name_de", "aliases", "country", "city", "lat", "lon", "established")
    return "".join(
        f"<{BASE}organisation/{row['ror'][-9:]}> <{BASE}{column}> {json.dumps(row[column], ensure_ascii=False)} <{BASE}document/ror> .\n"
        for row in rows
        for column in columns
    ).encode()


def pages(folder: Path) -> Path:
    """The two pages and what they load."""
    built = ROOT / "dist" / "site"
    for page in ("search.html", "sparql.html", "sparql.json", "feed.atom"):
        shutil.copy(built / page, folder)
    shutil.copytree(built / "assets", folder / "assets")
    return folder


def measure(folder: Path) -> None:
    with launched() as browser, serving(folder) as address, browser.page() as page:
        page.add_init_script(LONGEST)
        start = time.perf_counter()
        page.goto(f"{address}search.html")
        page.locator("[role=status]", has_text="Eintr").wait_for(timeout=120_000)
        print(f"  search ready after {time.perf_counter() - start:.1f} s")
        for text in TYPED:
            took, status = page.evaluate(TYPE, text)
            print(f"  {took:6.0f} ms  {status}")
        print(f"  longest task {page.evaluate('longest'):.0f} ms")
        for name, query in QUERIES.items():
            start = time.perf_counter()
            page.goto("about:blank")
            page.goto(f"{address}sparql.html#query={query}")
            page.locator(".downloads").wait_for(timeout=300_000)
            print(
                f"  {time.perf_counter() - start:6.1f} s from nothing to shown: {name}: {page.inner_text('.tool-status')}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("register", type=Path)
    parser.add_argument("--entries", type=int, nargs="+", default=[500, 50_000])
    options = parser.parse_args()
    with options.register.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number in options.entries:
        with tempfile.TemporaryDirectory() as name:
            folder = pages(Path(name))
            index = json.dumps(
                entries(rows[:number]), ensure_ascii=False, separators=(",", ":")
            ).encode()
            (folder / "search.json").write_bytes(index)
            dump = statements(rows[:number])
            (folder / "rogl.nq.gz").write_bytes(gzip.compress(dump))
            sizes = f"search.json {len(index) / 1e6:.2f} MB, packed {len(gzip.compress(index)) / 1e6:.2f} MB"
            print(f"{number} entries: {sizes}; {dump.count(b'> .')} statements")
            measure(folder)


if __name__ == "__main__":
    main()
