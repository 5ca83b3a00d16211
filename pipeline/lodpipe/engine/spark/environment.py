"""What the driver and the executors must have in common: the versions of what makes the bytes, and the folder of the run.

    versions()    lodpipe 0.2.0, DuckDB 2.0.0, Python 3.11

It is checked before the first step, where a difference can be reported in a second, and again by
each task, because executors may join a run later.
"""

from __future__ import annotations

import secrets
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lodpipe.engine.spark.storage import Storage, is_on_disk, local_path

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WAIT_KEY = "spark.lodpipe.executorTimeout"
_WAIT = "120"  # seconds until an executor must have started


class EnvironmentDiffers(RuntimeError):
    """A task runs where lodpipe, DuckDB or Python have another version."""


def versions() -> str:
    """What a kernel depends on: two machines with equal texts make equal bytes."""
    from importlib.metadata import version

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"lodpipe {version('lodpipe')}, DuckDB {version('duckdb')}, Python {python}"


def check_executors(spark: SparkSession, work: str) -> None:
    """Runs a task on as many executors as there are. `work` is the address of the run's folder.

    Raises RuntimeError where one has other versions, or another disk, or where none starts in time.
    """
    context = spark.sparkContext
    tasks = context.defaultParallelism
    seconds = float(context.getConf().get(_WAIT_KEY, _WAIT) or _WAIT)
    token = _token(spark, work)
    late = threading.Event()

    def stop() -> None:
        late.set()
        context.cancelAllJobs()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        rows = context.parallelize(range(tasks), tasks).map(_probe(token)).collect()
    except Exception:
        if late.is_set():
            detail = f"no executor has started in {seconds:.0f} seconds ({_WAIT_KEY})"
            raise RuntimeError(
                f"{detail}: the cluster has no free cores, or less memory than spark.executor.memory"
            ) from None
        raise
    finally:
        timer.cancel()
        if token:
            Path(token).unlink(missing_ok=True)
    own = versions()
    if other := sorted({text for text, _ in rows} - {own}):
        raise RuntimeError(f"the driver has {own}; an executor has {'; '.join(other)}")
    if not all(is_shared for _, is_shared in rows):
        raise RuntimeError(
            f"an executor does not see the folder {local_path(work)}; the output must be on a disk "
            "that all of them share, or in a store"
        )


def _token(spark: SparkSession, work: str) -> str:
    """A file in the folder of the run that executors look for; empty for a store."""
    if not work or not is_on_disk(work):
        return ""
    Storage(spark).create_folder(work)
    path = Path(local_path(work)) / f"token-{secrets.token_hex(8)}"
    path.touch()
    return str(path)


def _probe(token: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # of no type that an executor knows
    """A function that gives the versions of an executor, and whether it sees the token.

    It is nested and imports all by itself, because it has to run where lodpipe is not installed.
    """

    def probe(_: int) -> tuple[str, bool]:
        import sys
        from importlib import import_module
        from importlib.metadata import PackageNotFoundError, version
        from pathlib import Path

        texts = []
        for name, package in (("lodpipe", "lodpipe"), ("DuckDB", "duckdb"), ("", "pyarrow")):
            try:
                import_module(package)
                if name:
                    texts.append(f"{name} {version(package)}")
            except (ImportError, PackageNotFoundError):
                texts.append(f"no {name or package}")
        texts.append(f"Python {sys.version_info.major}.{sys.version_info.minor}")
        return ", ".join(texts), not token or Path(token).is_file()

    return probe
