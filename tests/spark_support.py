"""A Spark on this machine for tests; they are skipped with one line where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lodpipe.engine.spark.spark_session import is_running, missing, start, stop

MASTER = "local[2]"
JDBC_DRIVER = Path("/usr/share/java/postgresql.jar")  # where Debian has it
_MISSING = missing()
needs_spark = pytest.mark.skipif(
    _MISSING is not None,
    reason=f"Spark is not there: {_MISSING.params['detail'] if _MISSING else ''}",
)


@contextmanager
def session_with_driver(folder: Path) -> Iterator[None]:
    """A session on this machine that has the JDBC driver, as users give it: in the spark-defaults.conf
    of `folder`. To start Java and to warm it up takes as long as some dozen small mappings.
    """
    lines = f"spark.jars {JDBC_DRIVER}\n" if JDBC_DRIVER.is_file() else ""
    (folder / "spark-defaults.conf").write_text(lines, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        spark = start(MASTER)
    yield
    from pyspark import SparkContext

    if SparkContext._active_spark_context is spark.sparkContext:
        stop(spark)


@contextmanager
def small_blocks(size: int) -> Iterator[None]:
    """Spark divides files into blocks of so many bytes."""
    settings = {
        "spark.sql.files.maxPartitionBytes": str(size),
        "spark.sql.files.openCostInBytes": "0",
    }
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate() if is_running() else start(MASTER)
    before = {key: spark.conf.get(key) for key in settings}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        yield
        assert spark.conf.get("spark.sql.files.maxPartitionBytes") == str(size)
    finally:
        for key, value in before.items():
            spark.conf.set(key, value)
