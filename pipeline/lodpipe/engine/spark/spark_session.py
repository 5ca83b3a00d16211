"""The Spark session of a run, and what has to be on the machine for it.

spark = start("local[2]", "1GB")
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_JAVA = 17  # the oldest version that Spark 4 runs on
_SETTINGS = {
    "spark.app.name": "lodpipe",
    "spark.driver.bindAddress": "127.0.0.1",
    # Compiling with all care costs more than a run of seconds gains.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def start(master: str, memory: str = "1GB") -> SparkSession:
    """A session on a master. Raises InvalidDeclaration (LP601) where Java, pyspark or pyarrow are
    missing.
    """
    if finding := missing():
        raise InvalidDeclaration([finding])
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).config("spark.driver.memory", "1g")
    for key, value in _SETTINGS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def missing() -> Finding | None:
    """The finding for what is not installed; None where all is there."""
    detail = _missing()
    return Finding("LP601", None, {"detail": f"Spark: {detail}"}) if detail else None


def _missing() -> str:
    for package in ("pyspark", "pyarrow"):
        try:
            __import__(package)
        except ImportError:
            return f"the package {package} is not installed"
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not program or not Path(program).is_file():
        return "Java is not installed"
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(?:1\.)?([0-9]+)', answer.stderr)
    return "" if match and int(match[1]) >= _JAVA else f"Java is older than {_JAVA}"
