"""SHACL on Apache Spark beside one machine: whole commands, and their reports compared by their bytes.

    python benchmarks/validation_spark.py [--triples 1000000] [--on local[2]] [--runs 3] [--json FILE]

The data and the sixteen constraints are those of validation.py, with one statement in a hundred
wrong; as N-Triples, and as a statement table in Parquet.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from measure import Failed, Run, measure
from validation import SHAPES, lines

_CHOICES = 170  # of so many people twelve break something: 1 % of the statements


def tables(folder: Path, triples: int) -> Iterator[Path]:
    """The data as N-Triples, and as a folder of Parquet files that are sorted one after the other."""
    import duckdb

    data = folder / "data.nt"
    with data.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines(triples, _CHOICES))
    yield data
    table = folder / "table"
    table.mkdir()
    from lodpipe.shacl.data_graph import load_files

    with duckdb.connect() as connection:
        load_files(connection, [data])
        connection.execute("SET threads = 1")
        ((count,),) = connection.execute("SELECT count(*) FROM triples").fetchall()
        parts = max(2, count // 500_000)
        for part in range(parts):
            rows = (
                "SELECT s, p, o, '' AS g, 0 AS record, 0 AS rule FROM (SELECT *, ntile(?) OVER (ORDER BY s, p, o) - 1 AS part FROM triples) "
                f"WHERE part = {part} ORDER BY s, p, o"
            )
            path = table / f"part-{part:05}.parquet"
            connection.execute(
                f"COPY ({rows.replace('?', str(parts))}) TO '{path}' (FORMAT parquet)"
            )
    yield table


def validated(data: Path, shapes: Path, master: str, folder: Path) -> tuple[Run, bytes]:
    """One run of the command, which ends with 1 as the data do not conform; its figures and report."""
    report = folder / "report.nt"
    options = ["--on", master] if master else []
    command = " ".join(
        [sys.executable, "-m", "lodpipe", "validate", str(data), "--shapes", str(shapes), "--report", str(report), *options]
    )  # fmt: skip
    run, _ = measure(["sh", "-c", f"{command} > found.txt 2>&1 || test $? = 1"], folder)
    if not report.exists():
        raise Failed((folder / "found.txt").read_text("utf-8")[-2000:])
    content = report.read_bytes()
    report.unlink()
    return run, content


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--triples", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--on", default="local[2]")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    for triples in given.triples:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shapes = folder / "shapes.ttl"
            shapes.write_text(SHAPES, "utf-8")
            for data in tables(folder, triples):
                runs: dict[str, list[Run]] = {"": [], given.on: []}
                reports = set()
                for _ in range(given.runs):  # in turns, for the machine has other users
                    for master, some in runs.items():
                        run, report = validated(data, shapes, master, folder)
                        some.append(run)
                        reports.add(report)
                for master, some in runs.items():
                    figures = {
                        key: round(statistics.median(asdict(run)[key] for run in some), 1)
                        for key in ("wall", "cpu", "rss")
                    }
                    row = {
                        "triples": triples, "data": data.name, "on": master or "one machine", **figures,
                        "results": report.count(b"#ValidationResult>"), "equal": len(reports) == 1,
                    }  # fmt: skip
                    rows.append(row)
                    print(row, flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
