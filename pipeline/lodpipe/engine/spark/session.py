"""The Spark session of a run, and what has to be on the machines for it.

    spark = start("local[2]", "1GB")

Settings of a cluster come from its own files (spark-defaults.conf in SPARK_CONF_DIR); what is set
here are only those on which the result or the size of a partition depends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_JAVA = 17  # the oldest version that Spark 4 runs on
_ROWS = "65536"  # rows of an Arrow batch between Java and Python
_QUIET = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}"
_SETTINGS = {
    "spark.driver.extraJavaOptions": _QUIET,
    "spark.app.name": "lodpipe",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.files.maxPartitionBytes": "67108864",
    "spark.sql.parquet.compression.codec": "snappy",
}
_FIXED = {  # the kernels rely on them
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": _ROWS,
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.caseSensitive": "true",
}


def start(master: str, memory: str = "1GB") -> SparkSession:
    """A session on a master: `local[2]`, `spark://HOST:PORT`, `yarn`, `k8s://…`.

    `memory` is that of each kernel; a local master has the same for Java, at least 1 GB. Raises
    InvalidDeclaration (LP613) where Java, pyspark or pyarrow are missing, the master cannot be
    reached, or the executors have another environment than the driver.
    """
    if finding := missing():
        raise InvalidDeclaration([finding])
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master(master)
    for key, value in _defaults(master, memory).items():
        builder = builder.config(key, value)
    try:
        spark = builder.getOrCreate()
        for key, value in _FIXED.items():
            spark.conf.set(key, value)
        _check_executors(spark)
    except (PySparkException, OSError, RuntimeError) as error:
        raise unavailable(master, str(error)) from None
    except Exception as error:
        if type(error).__module__.startswith("py4j"):
            raise unavailable(master, str(error)) from None
        raise
    return spark


def unavailable(master: str, message: str) -> InvalidDeclaration:
    """The finding for a master that cannot run a plan (LP613), with the line that says why."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reasons = [line for line in lines if "Error:" in line or "Exception:" in line]
    detail = (reasons or lines or ["no reason is known"])[-1]
    return InvalidDeclaration([Finding("LP613", None, {"master": master, "detail": detail[:300]})])


def missing() -> Finding | None:
    """The finding (LP613) for what is not installed here; None where all is there."""
    for package in ("pyspark", "pyarrow"):
        try:
            __import__(package)
        except ImportError:
            detail = f"the package {package} is not installed"
            return Finding("LP613", None, {"master": "Spark", "detail": detail})
    version = java_version()
    if version is None:
        detail = "Java is not installed (no `java` in PATH, no JAVA_HOME)"
    elif version < _JAVA:
        detail = f"Java {version} is installed; Spark needs {_JAVA} or newer"
    else:
        return None
    return Finding("LP613", None, {"master": "Spark", "detail": detail})


def java_version() -> int | None:
    """The number of the Java version that Spark would use; None without any.

    Example: 17 for `openjdk version "17.0.15" 2025-04-15`.
    """
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not program or not Path(program).is_file():
        return None
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(?:1\.)?([0-9]+)', answer.stderr)
    return int(match[1]) if match else None


def _defaults(master: str, memory: str) -> dict[str, str]:
    """The settings that a configuration of the cluster may override."""
    settings = dict(_SETTINGS)
    if master.startswith("local"):
        megabytes = max(1024, _megabytes(memory))
        settings |= {
            "spark.driver.extraJavaOptions": f"{_QUIET} -XX:+UseSerialGC",
            "spark.driver.memory": f"{megabytes}m",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    configured = _configured()
    return {key: value for key, value in settings.items() if key not in configured}


def _configured() -> set[str]:
    """The keys in spark-defaults.conf and in PYSPARK_SUBMIT_ARGS."""
    keys = set(re.findall(r"--conf\s+([\w.]+)=", os.environ.get("PYSPARK_SUBMIT_ARGS", "")))
    folder = os.environ.get("SPARK_CONF_DIR")
    file = Path(folder) / "spark-defaults.conf" if folder else None
    if file and file.is_file():
        keys |= set(re.findall(r"^\s*(spark\.[\w.]+)[\s=]", file.read_text("utf-8"), re.MULTILINE))
    return keys


def _megabytes(memory: str) -> int:
    match = re.fullmatch(r"([0-9]+)(MB|GB)", memory)
    return int(match[1]) * (1024 if match[2] == "GB" else 1) if match else 1024


# -- the environment of the executors --------------------------------------------------------------


def versions() -> str:
    """What a kernel depends on: two machines with equal texts make equal bytes."""
    from importlib.metadata import version

    import duckdb

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"lodpipe {version('lodpipe')}, DuckDB {duckdb.__version__}, Python {python}"


def _check_executors(spark: SparkSession) -> None:
    """Runs a task on as many executors as there are; raises RuntimeError where one has other
    versions.
    """
    tasks = spark.sparkContext.defaultParallelism
    rows = spark.range(0, tasks, 1, tasks).mapInArrow(_report_versions, "versions string").collect()
    own = versions()
    if other := sorted({row.versions for row in rows} - {own}):
        raise RuntimeError(f"Error: the driver has {own}, an executor has {'; '.join(other)}")


def _report_versions(batches: Iterator[Any]) -> Iterator[Any]:
    import pyarrow as pa

    for _ in batches:
        pass
    yield pa.RecordBatch.from_pydict({"versions": [versions()]})
