"""Pages at scale: a register of tens of thousands of organisations, or the real publication; time
and peak memory of the pages alone, and the floor: the same files written from memory. By hand.

System time counts only where no large folder was removed on that disk in the minutes before: ext4
passes over inodes that were just freed, which costs ten times as much as to write a file.

python benchmarks/pages.py ../shared/data/scale/ror_all_51k.csv
python benchmarks/pages.py ../shared/data/scale/ror_all_51k.csv --packed
python benchmarks/pages.py ../shared/data/scale/ror_all_51k.csv --formats ttl,jsonld
python benchmarks/pages.py
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FILES = {
    "publication.yaml": """
name: register
base: https://register.example/
title: {en: Register of research organisations}
description: {en: Research organisations of the world}
languages: [en]
release: {version: 1.0.0, date: '2026-11-01'}
licence: https://creativecommons.org/publicdomain/zero/1.0/
attribution: ROR, CC0
publisher: {name: Example Office, url: https://register.example/}
contact: {name: Example Office, url: https://register.example/}
graph: terms
dumps: [nq, nt]
on_invalid_value: warn
memory: MEMORY
shacl_engine: columns
""",
    "source/records.yaml": """
organisations:
  files: organisations.csv
  fields:
    ror: {type: url, required: true, key: true}
COLUMNS
""",
    "source/mapping.yaml": """
sources:
  rows: {query: "SELECT *, substr(ror, 17) AS key, split_part(types, '|', 1) AS type FROM organisations"}
mappings:
  organisation:
    sources: rows
    subjects: organisation/$(key)
    graphs: register
    predicateobjects:
      - [a, schema:Organization]
      - [[skos:prefLabel, schema:name], $(name), en~lang]
      - [schema:foundingDate, $(established), xsd:gYear]
      - [schema:location, place/$(city)~iri]
      - [schema:addressCountry, $(country)]
      - [schema:additionalType, type/$(type)~iri]
      - [schema:identifier, $(ror)]
      - [schema:description, $(aliases), en~lang]
      - [schema:keywords, $(types)]
  place:
    sources: {query: "SELECT DISTINCT _record, city, country FROM rows WHERE city IS NOT NULL"}
    subjects: place/$(city)
    graphs: register
    predicateobjects:
      - [a, schema:City]
      - [schema:name, $(city), en~lang]
      - [schema:addressCountry, $(country)]
  type:
    sources: {query: "SELECT min(_record) AS _record, type FROM rows WHERE type IS NOT NULL GROUP BY type"}
    subjects: type/$(type)
    graphs: register
    predicateobjects:
      - [a, skos:Concept]
      - [skos:prefLabel, $(type), en~lang]
""",
    "ontology/context.jsonld": '{"@context": {"schema": "https://schema.org/", "skos": "http://www.w3.org/2004/02/skos/core#", '
    '"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "xsd": "http://www.w3.org/2001/XMLSchema#"}}\n',
    "shapes/shapes.ttl": """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix schema: <https://schema.org/> .
<shape/Organization> a sh:NodeShape ; sh:targetClass schema:Organization ; sh:property <shape/Organization-name> .
<shape/Organization-name> a sh:PropertyShape ; sh:path schema:name ; sh:minCount 1 ; sh:message "A name is needed."@en .
""",
}


def project_of(table: Path, folder: Path, memory: str, site: Sequence[str] = ()) -> Path:
    """A publication of a table of organisations, by a small mapping."""
    header = table.open(encoding="utf-8").readline().strip().split(",")
    columns = "\n".join(f"    {name}: {{type: text}}" for name in header if name != "ror")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            text.lstrip().replace("COLUMNS", columns).replace("MEMORY", memory), "utf-8"
        )
    if site:
        with (folder / "publication.yaml").open("a", encoding="utf-8") as declarations:
            declarations.write(f"site: {{{', '.join(site)}}}\n")
    shutil.copy(table, folder / "source/organisations.csv")
    return folder


def files_of(site: Path) -> dict[str, bytes]:
    """Every file of a site that is no second name of another, also of its archive."""
    from lodpipe.publish.packed_pages import FILE, packed_pages

    paths = [path for path in site.rglob("*") if path.is_file() and path.stat().st_nlink == 1]
    files = {str(path.relative_to(site)): path.read_bytes() for path in paths if path.name != FILE}
    if pages := packed_pages(site.parent):
        archive = site / FILE
        with sqlite3.connect(archive) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlar")]
        random.Random(1).shuffle(names)
        before = sum(processor())
        packed = {name: pages.read(name) or b"" for name in names}
        each = (sum(processor()) - before) / len(names)
        size = sum(map(len, packed.values()))
        print(
            f"archive: {len(names)} files, {size / 1e6:.0f} MB in {archive.stat().st_size / 1e6:.0f} MB, "
            f"{1e6 * each:.0f} µs to read one"
        )
        files |= packed
    return files


def peak() -> float:
    """The most memory that this process or one of its children has held, in MB."""
    return max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def processor() -> tuple[float, float]:
    """User and system seconds of this process and of its children that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + children.ru_utime, own.ru_stime + children.ru_stime


def floor(files: Mapping[str, bytes], target: Path) -> tuple[float, float]:
    """Wall and processor seconds: all files written again from memory by `open`, `write` and
    `close` alone.
    """
    for folder in sorted({str(Path(name).parent) for name in files}):
        (target / folder).mkdir(parents=True, exist_ok=True)
    started, before = time.perf_counter(), sum(processor())
    opened = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    for name, content in files.items():
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=opened)
        os.write(file, content)
        os.close(file)
    os.close(opened)
    took, cpu = time.perf_counter() - started, sum(processor()) - before
    return took, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--packed", action="store_true", help="pages in one file; with a table")
    parser.add_argument("--formats", help="data formats of resources: ttl,jsonld; with a table")
    given = parser.parse_args()
    site = ["packed: true"] if given.packed else []
    site += [f"formats: [{given.formats}]"] if given.formats else []
    from lodpipe.config.publication import Project
    from lodpipe.site.writer import Declared, Releases, site_digest, write_site
    from lodpipe.workflow.pipeline import checked, write_dist

    with tempfile.TemporaryDirectory(prefix="site-") as name:
        root = (
            project_of(given.table, Path(name) / "project", given.memory, site)
            if given.table
            else ROOT
        )
        project, target = Project.open(root), Path(name) / "dist"
        target.mkdir()
        with checked(project, writable=target) as outcome:
            write_dist(outcome, target)
            before = peak()
            started, worked = time.perf_counter(), processor()
            declared = outcome.declarations
            write_site(
                project,
                outcome.statements,
                Declared(
                    declared.vocabulary,
                    declared.shapes,
                    declared.queries,
                    Releases(outcome.ledger, outcome.history),
                ),
                target,
                site_digest(
                    project,
                    outcome.statements,
                    target,
                    outcome.coverage,
                    [table.files.root or "source" for table in declared.tables.values()],
                ),
            )
            took = time.perf_counter() - started
            user, system = (now - then for now, then in zip(processor(), worked, strict=True))
            after = peak()
        files = files_of(target / "site")
        pages = sum(1 for name in files if name.endswith(".html"))
        cpu = user + system
        print(
            f"{pages} pages: {took:.1f} s, processor {user:.1f} + {system:.1f} = {cpu:.1f} s, {1000 * cpu / pages:.2f} ms a page"
        )
        print(f"peak {before:.0f} MB before, {after:.0f} MB after")
        wall, least = floor(files, Path(name) / "floor")
        size = sum(map(len, files.values()))
        print(
            f"floor: {len(files)} files, {size / 1e6:.0f} MB: {wall:.1f} s, processor {least:.1f} s; the pages cost {cpu / least:.1f} times that"
        )


if __name__ == "__main__":
    main()
