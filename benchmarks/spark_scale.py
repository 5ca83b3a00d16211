"""Where Spark begins to pay: tasks that were measured, scheduled on clusters that were not.

    python benchmarks/spark_scale.py [--rows 1000000] [--figures FILE] [--skew 3] [--json FILE]

Runs `organisations` once on `local[2]`, and takes from it the processor seconds of each step by
million rows, and the bytes that go from the first step to the second. Java's seconds and those of
one machine come from the figures of mapping_spark.py (`--figures`).

Then it schedules the tasks of more rows on 16, 64 and 256 cores. Assumptions, most in `Cluster`:
machines of 16 cores; each reads, writes and sends so many bytes a second; in each step one task
takes `skew` times the mean, and starts last; the driver spends some milliseconds on each task; the
order of the source has nothing to do with that of the subjects, so that a chunk goes to as many more
ranges as there are ranges for each chunk of a block.
"""

from __future__ import annotations

import argparse
import heapq
import json
import shutil
import tempfile
from pathlib import Path

from generate import generate
from msgspec import Struct
from msgspec.structs import asdict
from spark_stages import measured

from lodpipe.workflow.mapping_run import MappingOptions, map_file

_MAPPING = Path(__file__).parent / "mappings/organisations.rml.ttl"
_MILLION = 1_000_000
_ROWS_OF_A_TASK = 400_000  # of a block of 64 MB, and of a range of subjects
_CHUNKS_OF_A_TASK = 800  # of 500 rows


class Costs(Struct, frozen=True):
    """Processor seconds and bytes of a million rows; `fixed` are seconds of the clock."""

    read: float
    send: float
    receive: float
    write: float
    java: float
    source: float
    sent: float
    output: float
    fixed: float
    one_machine: float


class Cluster(Struct, frozen=True):
    """The assumptions: bytes a second of a machine's storage and network, and seconds of the driver
    for each task.
    """

    cores: int
    skew: float
    cores_of_a_machine: int = 16
    storage: float = 1e9
    network: float = 600e6
    driver: float = 0.01
    executors: float = 15.0

    @property
    def machines(self) -> int:
        return max(1, self.cores // self.cores_of_a_machine)


def stages(rows: int, folder: Path) -> dict[str, float]:
    """Processor seconds and bytes of a million rows, from one run."""
    generate(rows, folder)
    mapping = Path(shutil.copy(_MAPPING, folder))
    log = folder / "tasks.jsonl"
    measured(log)
    out = folder / "out.nq"
    map_file(mapping, out, MappingOptions(on="local[2]"))
    tasks = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    first, second = ([task for task in tasks if task["step"] == step] for step in (1, 2))
    totals = {
        "read": sum(task["load"] for task in first),
        "send": sum(task["work"] for task in first),
        "sent": sum(task["bytes"] for task in first),
        "receive": sum(task["load"] for task in second),
        "write": sum(task["work"] for task in second),
        "source": (folder / "organisations.csv").stat().st_size,
        "output": out.stat().st_size,
    }
    return {name: total / rows * _MILLION for name, total in totals.items()}


def of_commands(figures: Path) -> dict[str, float]:
    """Java's and one machine's processor seconds of a million rows, by the smallest and the largest
    run.
    """
    table = json.loads(figures.read_text("utf-8"))

    def of_a_million(engine: str, field: str) -> float:
        least, *_, most = sorted((row["rows"], row[field]) for row in table if row["on"] == engine)
        return float(most[1] - least[1]) / (most[0] - least[0]) * _MILLION

    return {
        "java": of_a_million("local[2]", "java"),
        "one_machine": of_a_million("one machine", "cpu"),
    }


def makespan(tasks: int, seconds: float, cores: int, skew: float) -> float:
    """When the last of equal tasks ends, of which one takes longer and starts last.

    >>> makespan(4, 1.0, 2, 3.0)
    4.0
    """
    ends = [0.0] * cores
    for number in range(tasks):
        last = number == tasks - 1
        end = heapq.heappop(ends) + seconds * (skew if last else 1)
        heapq.heappush(ends, end)
    return max(ends)


def on_cluster(costs: Costs, rows: int, cluster: Cluster) -> dict[str, float]:
    """Seconds of the clock, by what they are for."""
    millions = rows / _MILLION
    tasks = max(1, round(rows / _ROWS_OF_A_TASK))
    machines = cluster.machines

    def step(seconds: float, stored: float) -> float:
        """The processors or the storage, whichever takes longer."""
        processors = makespan(tasks, seconds * millions / tasks, cluster.cores, cluster.skew)
        return max(processors, stored * millions / (machines * cluster.storage))

    java = costs.java / 2
    copies = 1 + tasks / _CHUNKS_OF_A_TASK  # of a chunk
    away = 1 - 1 / machines  # the share of rows that go to another machine
    return {
        "fixed": costs.fixed + cluster.executors,
        "step 1": step(costs.read + costs.send + java, costs.source + costs.sent),
        "shuffle": costs.sent * copies * millions * away / (machines * cluster.network),
        "step 2": step(costs.receive * copies + costs.write + java, costs.output),
        "driver": 2 * tasks * cluster.driver,
    }


def on_one_machine(costs: Costs, rows: int, cores: int, storage: float) -> float:
    """Seconds of the clock of one machine; of more than two cores it uses 60 %."""
    used = cores if cores <= 2 else 0.6 * cores
    millions = rows / _MILLION
    stored = (costs.source + costs.output) * millions / storage
    return max(costs.one_machine * millions / used, stored)


def first_that_pays(costs: Costs, cluster: Cluster, cores: int) -> int | None:
    """The least number of rows for which a cluster is sooner ready than one machine."""
    for exponent in range(60, 110):
        rows = int(10 ** (exponent / 10))
        if sum(on_cluster(costs, rows, cluster).values()) < on_one_machine(
            costs, rows, cores, cluster.storage
        ):
            return rows
    return None


def table(costs: Costs, skew: float) -> list[dict[str, object]]:
    """A row for each number of rows and of cores."""
    result: list[dict[str, object]] = []
    for rows in (_MILLION, 10 * _MILLION, 100 * _MILLION, 1000 * _MILLION):
        for cores in (16, 64, 256):
            cluster = Cluster(cores, skew)
            seconds = on_cluster(costs, rows, cluster)
            result.append(
                {
                    "rows": rows,
                    "cores": cores,
                    "one machine, 2 cores": on_one_machine(costs, rows, 2, cluster.storage),
                    "one machine, 16 cores": on_one_machine(costs, rows, 16, cluster.storage),
                    "Spark": sum(seconds.values()),
                    **seconds,
                }
            )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=_MILLION)
    parser.add_argument("--figures", type=Path, required=True, help="--json of mapping_spark.py")
    parser.add_argument("--fixed", type=float, default=13.0, help="fixed seconds of the clock")
    parser.add_argument("--skew", type=float, default=3.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measures = stages(options.rows, Path(folder))
    costs = Costs(**measures, **of_commands(options.figures), fixed=options.fixed)
    print(json.dumps({name: round(value, 2) for name, value in asdict(costs).items()}, indent=1))
    rows = table(costs, options.skew)
    print("| " + " | ".join(rows[0]) + " |")
    for row in rows:
        cells = (f"{value:,.0f}" for value in row.values())
        print("| " + " | ".join(cells) + " |")
    for cores in (16, 64, 256):
        for own in (2, 16):
            least = first_that_pays(costs, Cluster(cores, options.skew), own)
            rows_needed = f"{least:,}" if least else "no number of"
            print(f"{cores} cores pass one machine of {own} from {rows_needed} rows")
    if options.json:
        options.json.write_text(json.dumps({"costs": asdict(costs), "table": rows}, indent=1))


if __name__ == "__main__":
    main()
