"""The Spark session of a run, and what has to be on the machines for it.

    spark = start("local[2]", "1GB")

Settings of a cluster come from its own files (spark-defaults.conf in SPARK_CONF_DIR); what is set
here are only those on which the result or the size of a partition depends.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.engine.spark.environment import check_executors
from lodpipe.engine.spark.faults import spark_faults, unavailable

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

_JAVA = 17  # the oldest version that Spark 4 runs on
_CONNECT = 10.0  # seconds until a master must have answered
_END = 20.0  # seconds until Java must have ended
_ROWS = "65536"  # rows of an Arrow batch between Java and Python
_QUIET = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}"
_SETTINGS = {
    "spark.app.name": "lodpipe",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.files.maxPartitionBytes": "67108864",
    "spark.sql.parquet.compression.codec": "snappy",
}
_DIVISION = "spark.sql.files.minPartitionNum"
_FIXED = {  # the kernels rely on them
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": _ROWS,
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.columnarReaderBatchSize": "256",  # cells may be chunks of rows
}


def start(master: str, memory: str = "1GB", work: str = "") -> SparkSession:
    """A session on a master: `local[2]`, `spark://HOST:PORT`, `yarn`, `k8s://…`; that of this process
    where there is one.

    `memory` is that of each kernel; a local master has the same for Java, at least 1 GB. `work` is the
    address of the folder of the run, which all executors have to reach. Raises InvalidDeclaration
    (LP613) where Java, pyspark or pyarrow are missing, the master cannot be reached, or the executors
    have another environment than the driver.
    """
    if finding := missing():
        raise InvalidDeclaration([finding])
    was_running = is_running()
    try:
        with spark_faults(master):
            spark = _session(master, memory)
            try:
                check_executors(spark, "" if master.startswith("local") else work)
            except Exception:
                if not was_running:
                    stop(spark)
                raise
    except (OSError, RuntimeError) as error:
        raise unavailable(master, str(error)) from None
    return spark


@contextmanager
def session_on(master: str, memory: str = "1GB") -> Iterator[SparkSession]:
    """A session for some work: what Spark raises inside becomes findings (faults.py), and a session
    on a cluster that was started for this work is stopped after it. Raises as `start`.
    """
    is_guest = is_running() or master.startswith("local")
    spark = start(master, memory)
    try:
        with spark_faults(master):
            yield spark
    finally:
        if not is_guest:
            with suppress(Exception):  # the master may be gone
                stop(spark)


def is_running() -> bool:
    """Whether this process has a session."""
    try:
        from pyspark import SparkContext
    except ImportError:
        return False
    return SparkContext._active_spark_context is not None


def stop(spark: SparkSession) -> None:
    """Ends a session and its Java, so that the cluster gives its executors to others at once."""
    from pyspark import SparkContext

    spark.stop()
    gateway: Any = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    process = getattr(gateway, "proc", None)
    if process is None:  # Java has started Python, not the other way round
        return
    gateway.shutdown()
    process.stdin.close()
    try:
        process.wait(_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _session(master: str, memory: str) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    active = SparkContext._active_spark_context
    if active is not None and active.master != master:
        raise RuntimeError(f"a session of Spark on {active.master} is open in this process")
    if active is None:
        configured = _configured()
        python = configured.get("spark.pyspark.python", sys.executable)
        os.environ.setdefault("PYSPARK_PYTHON", python)
        os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
        if master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        check_address(master)
        settings = _defaults(master, memory, configured)
        conf = SparkConf(loadDefaults=False).setMaster(master).setAll(list(settings.items()))
        if SparkContext._gateway is None:
            SparkContext(conf=conf, gateway=_java(conf))
        else:
            SparkContext(conf=conf)
    spark = SparkSession.builder.getOrCreate()
    for key, value in _FIXED.items():
        spark.conf.set(key, value)
    if spark.conf.get(_DIVISION, None) is None:
        # Else files would be divided in another way when executors come or go.
        spark.conf.set(_DIVISION, str(spark.sparkContext.defaultParallelism))
    return spark


def _java(conf: SparkConf) -> Any:
    """Starts Java. What it writes to standard error goes nowhere, because its errors are raised as
    well; where the cluster has a configuration of the log, it decides.
    """
    from pyspark import java_gateway

    launch_gateway: Any = java_gateway.launch_gateway  # it has no types
    if _own_logging():
        return launch_gateway(conf)
    with tempfile.TemporaryFile() as log:
        try:
            return launch_gateway(conf, {"stderr": log, "stdout": log})
        except Exception:
            text = os.pread(log.fileno(), 1 << 20, 0).decode("utf-8", "replace")
            lines = [line for line in text.splitlines() if re.search("error|exception", line, re.I)]
            raise RuntimeError(lines[0] if lines else "Java does not start") from None


def check_address(master: str) -> None:
    """Raises OSError where no server of `spark://HOST:PORT,HOST:PORT` can be reached; Spark itself
    would try for minutes.
    """
    if not master.startswith("spark://"):
        return
    reason = ""
    for server in master.removeprefix("spark://").split(","):
        host, _, port = server.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), _CONNECT):
                return
        except (OSError, ValueError) as error:
            reason = f"{server}: {getattr(error, 'strerror', None) or error}"
    raise OSError(f"the master cannot be reached: {reason}")


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
    return _version_of(program) if program and Path(program).is_file() else None


@lru_cache
def _version_of(program: str) -> int | None:
    """The number of the version of a Java. It is started once for it, not once for each run."""
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(?:1\.)?([0-9]+)', answer.stderr)
    return int(match[1]) if match else None


def _defaults(master: str, memory: str, configured: Mapping[str, str]) -> dict[str, str]:
    """The settings that a configuration of the cluster may override."""
    settings = dict(_SETTINGS)
    options = [] if _own_logging() else [_QUIET]
    if master.startswith("local"):
        options.append("-XX:+UseSerialGC")
        megabytes = max(1024, _megabytes(memory))
        settings |= {
            "spark.driver.memory": f"{megabytes}m",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    if options:
        settings["spark.driver.extraJavaOptions"] = " ".join(options)
    return {key: value for key, value in settings.items() if key not in configured}


def _configured() -> dict[str, str]:
    """The settings in spark-defaults.conf and in PYSPARK_SUBMIT_ARGS."""
    settings: dict[str, str] = {}
    file = _in_configuration("spark-defaults.conf")
    if file:
        lines = re.findall(
            r"^\s*(spark\.[\w.]+)[\s=]+(.*?)\s*$", file.read_text("utf-8"), re.MULTILINE
        )
        settings |= dict(lines)
    arguments = shlex.split(os.environ.get("PYSPARK_SUBMIT_ARGS", ""))
    for option, value in pairwise(arguments):
        if option == "--conf":
            key, _, setting = value.partition("=")
            settings[key] = setting
    return settings


def _own_logging() -> bool:
    """Whether the configuration of the cluster says what is logged, and where."""
    return _in_configuration("log4j2.properties") is not None


def _in_configuration(name: str) -> Path | None:
    """A file of the cluster's configuration."""
    folder = os.environ.get("SPARK_CONF_DIR")
    file = Path(folder) / name if folder else None
    return file if file and file.is_file() else None


def _megabytes(memory: str) -> int:
    match = re.fullmatch(r"([0-9]+)(MB|GB)", memory)
    return int(match[1]) * (1024 if match[2] == "GB" else 1) if match else 1024
