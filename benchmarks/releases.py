"""Differences and change feeds at scale, whole processes, beside `comm` on the same sorted files.

    python benchmarks/releases.py [--statements 1000000] [--changed 0.01] [--runs 3] [--forms]

The data are resources with ten statements each, one in ten twice (in two graphs); of one resource in
a hundred a value changes, one in a thousand is removed and as many are added. Each difference is
checked: what `lodpipe diff` removes and adds is what `comm` finds in one file only.

With `--forms` the same versions are compared as gzip, as N-Quads in any order, and as Turtle
(without graphs), beside `sort` and `comm`.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.pop(0)  # this file's folder: its names would hide packages
sys.path.append(str(Path(__file__).parent))

from measure import Run, alternating, measure, table

BASE = "https://example.org/"
C_LOCALE = {"LC_ALL": "C"}


def statements(count: int, changed: float, *, new: bool) -> Iterator[str]:
    """Lines of canonical N-Quads, in order."""
    resources = count // 11
    step = round(1 / changed)
    for number in range(resources + resources // 1000):
        is_removed, is_added = number % 1000 == 7, number >= resources
        if is_removed if new else is_added:
            continue
        subject = f"<{BASE}thing/{number:08}>"
        graph = f"<{BASE}document/{number % 97}>"
        for key in range(9):
            value = f"value {number * 31 % 99_991} of property {key}, in some words"
            if new and key == 4 and number % step == 3:
                value += ", corrected"
            yield f'{subject} <{BASE}def/p{key}> "{value}"@en {graph} .\n'
        target = f"<{BASE}thing/{number * 7 % resources:08}>"
        yield f"{subject} <{BASE}def/p9> {target} <{BASE}document/x> .\n"
        yield f"{subject} <{BASE}def/p9> {target} <{BASE}document/y> .\n"


def write_feed(old: str, new: str, folder: str) -> None:
    """The pages of a release that leads from one file to the other; of a first one without `old`."""
    from lodpipe.releases.change_set import ChangeSet
    from lodpipe.releases.feed import Event, changed_members, first_members, write_pages
    from lodpipe.releases.graph_versions import SortedLines, canonical_file

    event = Event(BASE, "1.1.0", "2026-12-01", "2026-12-01T00:00:00Z")
    after = canonical_file(Path(new), "new")
    if old == "-":
        with SortedLines(after) as lines:
            write_pages(event, first_members(lines), Path(folder))
    else:
        with ChangeSet(canonical_file(Path(old), "old"), after) as changes:
            write_pages(event, changed_members(changes), Path(folder))


def main() -> None:
    """Makes the files, measures, checks, prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--statements", type=int, default=1_000_000)
    parser.add_argument("--changed", type=float, default=0.01, help="part of the resources")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--forms", action="store_true", help="gzip, unsorted and Turtle instead")
    parser.add_argument("--write-feed", nargs=3, metavar=("OLD", "NEW", "FOLDER"))
    options = parser.parse_args()
    if options.write_feed:
        write_feed(*options.write_feed)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, is_new in (("old.nq", False), ("new.nq", True)):
            with (folder / file).open("w", encoding="utf-8", newline="\n") as out:
                out.writelines(statements(options.statements, options.changed, new=is_new))
        check(folder)
        measured = forms if options.forms else differences_and_feeds
        runs = alternating(measured(folder), options.runs)
        print(f"\n{table(runs, 'comm')}\n")
        if options.forms:
            check_forms(folder)
        else:
            print_sizes(folder)


def _run(folder: Path, *command: str) -> Run:
    return measure(command, folder, extra=C_LOCALE)[0]


def _diff(folder: Path, old: str, new: str, form: str = "patch") -> Run:
    command = [sys.executable, "-m", "lodpipe", "diff", old, new]
    return _run(folder, *command, "--format", form, "-o", f"{old}.{form}")


def differences_and_feeds(folder: Path) -> dict[str, Callable[[], Run]]:
    """What is measured of sorted files."""
    feed = [sys.executable, str(Path(__file__).resolve()), "--write-feed"]
    (folder / "first").mkdir()
    (folder / "next").mkdir()
    return {
        "comm": lambda: _run(folder, "comm", "-3", "old.nq", "new.nq"),
        "diff, RDF Patch": lambda: _diff(folder, "old.nq", "new.nq"),
        "diff, JSON with labels": lambda: _diff(folder, "old.nq", "new.nq", "json"),
        "feed of the changes": lambda: _run(folder, *feed, "old.nq", "new.nq", "next"),
        "feed of a first release": lambda: _run(folder, *feed, "-", "new.nq", "first"),
    }


def print_sizes(folder: Path) -> None:
    """How large the feed of the changes is."""
    pages = list((folder / "next").iterdir())
    size = sum(path.stat().st_size for path in pages)
    print(f"The feed of the changes: {len(pages)} pages, {size / 1e6:.1f} MB;", end=" ")
    print(f"new.nq: {(folder / 'new.nq').stat().st_size / 1e6:.0f} MB.")


def forms(folder: Path) -> dict[str, Callable[[], Run]]:
    """What is measured of the same versions in other forms, which are made first."""
    for name in ("old", "new"):
        path = folder / f"{name}.nq"
        with path.open("rb") as lines, gzip.open(f"{path}.gz", "wb", compresslevel=6) as packed:
            shutil.copyfileobj(lines, packed, 1 << 22)
        # In another process, because a measured one begins with the peak memory of this one.
        shuffled = ["shuf", f"--random-source={path}", str(path), "-o"]
        subprocess.run([*shuffled, str(folder / f"{name}-unsorted.nq")], check=True)
        with path.open("rb") as lines, (folder / f"{name}.ttl").open("wb") as out:
            out.writelines(turtle(lines))
    sorting = " && ".join(f"sort -u {name}-unsorted.nq -o {name}-sorted" for name in ("old", "new"))
    return {
        "comm": lambda: _run(folder, "comm", "-3", "old.nq", "new.nq"),
        "sort -u, comm": lambda: _run(
            folder, "sh", "-c", f"{sorting} && comm -3 old-sorted new-sorted"
        ),
        "diff, sorted": lambda: _diff(folder, "old.nq", "new.nq"),
        "diff, sorted, gzip": lambda: _diff(folder, "old.nq.gz", "new.nq.gz"),
        "diff, unsorted": lambda: _diff(folder, "old-unsorted.nq", "new-unsorted.nq"),
        "diff, Turtle": lambda: _diff(folder, "old.ttl", "new.ttl"),
    }


def turtle(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Sorted N-Quads in Turtle, without graphs: a block for each subject."""
    last = b""
    for line in lines:
        subject, predicate, rest = line.split(b" ", 2)
        value = rest.rsplit(b" ", 2)[0]
        if subject == last:
            yield b" ;\n  %b %b" % (predicate, value)
        else:
            yield b"%b%b %b %b" % (b" .\n" if last else b"", subject, predicate, value)
        last = subject
    yield b" .\n"


def check_forms(folder: Path) -> None:
    """Compares the patches of all forms. Ends the run where they differ."""
    expected = (folder / "old.nq.patch").read_bytes()
    for name in ("old.nq.gz", "old-unsorted.nq"):
        if (folder / f"{name}.patch").read_bytes() != expected:
            sys.exit(f"{name} gives another patch than old.nq")
    triples = {line.rsplit(b" ", 2)[0] for line in expected.splitlines() if line[:2] != b"TX"}
    without_graphs = (folder / "old.ttl.patch").read_bytes().splitlines()
    if {line.removesuffix(b" .") for line in without_graphs[1:-1]} != triples - {b"TC"}:
        sys.exit("Turtle gives another patch than N-Quads without graphs")
    print("The patches of all forms are the same.")


def check(folder: Path) -> None:
    """Compares the difference with that of `comm`. Ends the run where they differ."""

    def lines(*command: str) -> list[str]:
        environment = {**os.environ, **C_LOCALE}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    for column, name in (("-23", "removed"), ("-13", "added")):
        expected = lines("comm", column, "old.nq", "new.nq")
        actual = lines(
            sys.executable, "-m", "lodpipe", "diff", "old.nq", "new.nq", "--format", name
        )
        if actual != expected:
            sys.exit(f"{name}: comm finds {len(expected)} lines, lodpipe diff {len(actual)}")
        print(f"{name}: {len(actual):,} statements, the same as comm")


if __name__ == "__main__":
    main()
