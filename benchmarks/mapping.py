"""The mapping engine at scale: `lodpipe map` beside its peers, whole process, medians of
alternating runs.

    python benchmarks/mapping.py [--rows 100000] [--runs 3] [--cases organisations …] [--scale 1]
    [--engines lodpipe …] [--json FILE] [--official FOLDER]

Every engine runs the same mapping on the same files in the same round. Then its output is brought
to one spelling and compared, as a set of statements, with lodpipe's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import gtfs
import kgcw
from generate import generate
from measure import Failed, Run, alternating, machine, measure, plain, table
from peers import PEERS, Task, cache, install

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER / ".data"
LODPIPE, UNSORTED = "lodpipe", "lodpipe --no-sort"
GENERATED = ("organisations", "memberships")
GTFS = "gtfs"
REGISTERS = {
    "ror": "ror_all_51k.csv",
    "publicbodies": "okfn_publicbodies_de.csv",
    "communes": "fr_communes.json",
    "epci": "fr_epci.json",
}
PACKAGES = ("lodpipe", "duckdb", "pyoxigraph")


@dataclass
class Output:
    """What an engine wrote, brought to one spelling and sorted."""

    size: int
    lines: int
    invalid: int
    statements: int
    digest: str
    sorted: Path
    uris: Path
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """Statements that only the reference has, and only this engine; then the same with the IRIs of
    both written as URIs.
    """

    lacking: int
    added: int
    lacking_as_uris: int
    added_as_uris: int
    samples: list[str]


class Bench:
    """One case: the engines that can run it, and what they made."""

    def __init__(
        self, case: str, folder: Path, work: Path, names: Sequence[str], limit: float
    ) -> None:
        self.case, self.folder, self.work, self.limit = case, folder, work, limit
        self.commands: dict[str, Callable[[], Sequence[str | Path]]] = {}
        self.failed: dict[str, str] = {}
        for name in names:
            self._add(name)

    def task(self, name: str) -> Task:
        # lodpipe writes N-Quads, the others N-Triples; without named graphs they are the same
        # lines.
        suffix = "nq" if name in (LODPIPE, UNSORTED) else "nt"
        return Task(
            self.case,
            self.folder,
            self.folder / f"out-{name.replace(' ', '').replace(',', '-')}.{suffix}",
        )

    def _add(self, name: str) -> None:
        task = self.task(name)
        if name in (LODPIPE, UNSORTED):
            program = Path(sys.executable).with_name("lodpipe")
            # Real registers hold wrong values; as the peers do, lodpipe is to go on, yet it says
            # each of them.
            more = ["--no-sort"] if name == UNSORTED else []
            self.commands[name] = lambda: [
                program,
                "map",
                f"{self.case}.rml.ttl",
                "-o",
                task.out,
                "--on-invalid-value",
                "warn",
                *more,
            ]
            return
        peer = next(peer for peer in PEERS if peer.name == name)
        if peer.runs(self.case):
            self.commands[name] = lambda: peer.command(peer.python, task)

    def run(self, name: str) -> Run | None:
        """One run; an engine that fails is not run again."""
        if name in self.failed:
            return None
        try:
            self.task(name).out.unlink(missing_ok=True)
            return measure(self.commands[name](), self.folder, timeout=self.limit)[0]
        except Failed as error:
            # The last line that says something.
            self.failed[name] = next(
                (line for line in reversed(str(error).splitlines()) if line.strip(" ^.~")), ""
            )
            return None

    def measured(self, runs: int) -> dict[str, list[Run]]:
        all_figures = alternating(
            {name: (lambda name=name: self.run(name)) for name in self.commands}, runs
        )
        return {name: figures for name, figures in all_figures.items() if name not in self.failed}

    def output(self, name: str) -> Output:
        """Brings an engine's output to one spelling; by other processes, so that this one stays
        small (see measure.py).
        """
        output, ordered, uris = (
            self.task(name).out,
            self.work / f"{name}.sorted",
            self.work / f"{name}.uris",
        )
        spelled = self.work / "spelled"
        lines_of_output = (
            _output_of([sys.executable, FOLDER / "normalise.py", output, spelled])
            .rstrip("\n")
            .split("\n")
        )
        _sort(spelled, ordered)
        _output_of([sys.executable, FOLDER / "normalise.py", "--uri", ordered, spelled])
        _sort(spelled, uris)
        spelled.unlink()
        lines, invalid = map(int, lines_of_output[0].split())
        with ordered.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        statements = int(_output_of(["wc", "-l", ordered]).split()[0])
        return Output(
            output.stat().st_size,
            lines,
            invalid,
            statements,
            digest,
            ordered,
            uris,
            lines_of_output[1:],
        )

    def floor(self, name: str) -> dict[str, Run]:
        """What no engine can beat: copying the output, and sorting its lines."""
        output, copy = self.task(name).out, self.work / "copy"
        floor = {}
        for label, command in {
            "cp": ["cp", output, copy],
            "LC_ALL=C sort -u": ["sort", "-u", "-o", copy, output],
        }.items():
            floor[label] = measure(command, self.folder, extra={"LC_ALL": "C"})[0]
        copy.unlink()
        return floor


def _sort(source: Path, target: Path) -> None:
    subprocess.run(
        ["sort", "-u", "-o", target, source], check=True, env={**os.environ, "LC_ALL": "C"}
    )


def _output_of(command: Sequence[str | Path]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _alone(path: Path, other: Path) -> tuple[int, list[str]]:
    """How many lines only the first of two sorted files has, with samples from the beginning and
    from further on.
    """
    # The system's comm streams through files of any size.
    with subprocess.Popen(
        ["comm", "-23", path, other], stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}
    ) as lines:
        count, samples = 0, []
        for line in lines.stdout:
            count += 1
            if len(samples) < 3 or (count % 9973 == 0 and len(samples) < 6):
                samples.append(line.decode().rstrip())
    return count, samples


def compare(reference: Output, other: Output) -> Difference:
    """What each of two outputs has alone: by the letter, and once IRIs are URIs; samples are of the
    latter where there are any.
    """
    lacking, added = _alone(reference.sorted, other.sorted), _alone(other.sorted, reference.sorted)
    mild_lacking, mild_added = (
        _alone(reference.uris, other.uris),
        _alone(other.uris, reference.uris),
    )
    samples = [f"- {line}" for line in mild_lacking[1] or lacking[1]] + [
        f"+ {line}" for line in mild_added[1] or added[1]
    ]
    return Difference(lacking[0], added[0], mild_lacking[0], mild_added[0], samples)


# -- cases -----------------------------------------------------------------------------------------


def prepare(case: str, options: argparse.Namespace) -> Path:
    """A folder with the sources and mappings of a case side by side."""
    rows, registers = options.rows, options.registers
    folder = cache(DATA) / (
        str(rows)
        if case in GENERATED
        else f"{case}-{rows}"
        if case in kgcw.CASES
        else f"{case}-{options.scale}"
        if case == GTFS
        else case
    )
    folder.mkdir(parents=True, exist_ok=True)
    if case in official_cases(options.official):
        prepare_official(options.official / case, folder)
        return folder
    if case in kgcw.CASES:
        kgcw.generate(case, rows, folder)
        return folder
    if case in GENERATED:
        generate(rows, folder)
    elif case == GTFS:
        gtfs.generate(options.scale, folder)
    elif not (folder / REGISTERS[case]).exists():
        if registers is None:
            sys.exit(f"{case} needs {REGISTERS[case]}: name its folder with --registers")
        shutil.copyfile(registers / REGISTERS[case], folder / REGISTERS[case])
    for path in (FOLDER / "mappings").glob(f"{case}.*"):
        shutil.copyfile(path, folder / path.name)
    return folder


def official_cases(folder: Path | None) -> list[str]:
    """The sub-folders with a mapping of its own, `mapping.ttl`, beside its data."""
    return sorted(path.parent.name for path in folder.glob("*/mapping.ttl")) if folder else []


def prepare_official(source: Path, folder: Path) -> None:
    """Copies the data and the mapping of a case of a benchmark; paths in the container of the
    challenge become those of the folder.
    """
    for path in source.iterdir():
        if path.is_file() and path.name != "mapping.ttl":
            shutil.copyfile(path, folder / path.name)
    mapping = (source / "mapping.ttl").read_text("utf-8").replace("/data/shared/", "")
    for suffix in ("rml", "rr"):
        (folder / f"{source.name}.{suffix}.ttl").write_text(mapping, "utf-8")


def run_case(case: str, options: argparse.Namespace) -> dict[str, object]:
    folder = prepare(case, options)
    size = (
        f", {options.rows:,} rows"
        if case in GENERATED or case in kgcw.CASES
        else f", scale {options.scale}"
        if case == GTFS
        else ""
    )
    print(f"\n## {case}{size}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=DATA) as work:
        bench = Bench(case, folder, Path(work), options.engines, options.limit)
        runs = bench.measured(options.runs)
        for name, why in bench.failed.items():
            print(f"  {name} failed: {why}")
        if not runs:
            return {"failed": bench.failed}
        reference = LODPIPE if LODPIPE in runs else next(iter(runs))
        floor = bench.floor(reference)
        outputs = {} if options.no_comparison else {name: bench.output(name) for name in runs}
        print(
            "\n"
            + table(
                {**runs, **{f"floor: {label}": [run] for label, run in floor.items()}}, reference
            )
            + "\n"
        )
        differences = {
            name: compare(outputs[reference], outputs[name])
            for name in outputs
            if name != reference
        }
        _report(outputs, differences, reference)
    return {
        "figures": plain(runs),
        "floor": plain({label: [run] for label, run in floor.items()}),
        "failed": bench.failed,
        "outputs": {name: {"bytes": o.size, "lines": o.lines, "invalid": o.invalid, "statements": o.statements, "sha256": o.digest}
                    for name, o in outputs.items()},
        "differences": {name: asdict(difference) for name, difference in differences.items()},
    }  # fmt: skip


def _report(outputs: dict[str, Output], differences: dict[str, Difference], reference: str) -> None:
    if not outputs:
        return
    print(
        f"| output | MiB | lines | invalid lines | distinct statements | only {reference} | only here | the same, IRIs as URIs |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, output in outputs.items():
        alone = differences.get(name)
        cells = [output.size >> 20, output.lines, output.invalid, output.statements]
        cells += (
            [alone.lacking, alone.added, f"{alone.lacking_as_uris} / {alone.added_as_uris}"]
            if alone
            else ["–"] * 3
        )
        print(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    for name, output in outputs.items():
        for line in output.samples[:3]:
            print(f"  {name}, invalid: {line[:220]}")
        for line in differences[name].samples if name in differences else ():
            print(f"  {name} {line[:220]}")


def main() -> None:
    engines = [LODPIPE, UNSORTED, *(peer.name for peer in PEERS)]
    parser = argparse.ArgumentParser(description="`lodpipe map` beside its peers.")
    parser.add_argument(
        "--rows",
        type=int,
        default=100_000,
        help="rows of the generated registers (default: 100000)",
    )
    parser.add_argument(
        "--scale",
        type=int,
        default=1,
        help="scale of the public-transport feed of the case gtfs (default: 1)",
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="rounds; each runs every engine once (default: 3)"
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        default=[*GENERATED],
        metavar="CASE",
        help=f"of {', '.join([*GENERATED, GTFS, *REGISTERS, *kgcw.CASES])}, `kgcw` for all of the challenge's, or a folder in --official",
    )
    parser.add_argument(
        "--official",
        type=Path,
        help="folder of official cases: each a folder with mapping.ttl and its data",
    )
    parser.add_argument("--engines", nargs="+", choices=engines, default=engines)
    parser.add_argument("--registers", type=Path, help="folder of the real registers' files")
    parser.add_argument(
        "--limit",
        type=float,
        default=1800,
        help="seconds after which a run counts as failed (default: 1800)",
    )
    parser.add_argument("--no-comparison", action="store_true", help="measure only")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    known = {*GENERATED, GTFS, *REGISTERS, *kgcw.CASES, *official_cases(options.official)}
    options.cases = [
        name for case in options.cases for name in (kgcw.CASES if case == "kgcw" else [case])
    ]
    if unknown := [case for case in options.cases if case not in known]:
        parser.error(f"unknown case: {', '.join(unknown)}")
    used = [peer for peer in PEERS if peer.name in options.engines]
    for peer in used:
        install(peer)
    about = {**machine(PACKAGES), **{peer.name: peer.version() for peer in used}}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    results = {case: run_case(case, options) for case in options.cases}
    if options.json:
        figures = {
            "machine": about,
            "rows": options.rows,
            "scale": options.scale,
            "runs": options.runs,
            "cases": results,
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
