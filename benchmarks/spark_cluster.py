"""A cluster of Spark on this machine: a standalone master and workers on the loopback address, from
the Spark that pip installs.

    with SparkCluster(folder) as cluster:
        subprocess.run([…, "--on", cluster.master], env=os.environ | cluster.environment)
        cluster.kill_executor()

Each worker has a core, a folder and an executor of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_CLASSES = "org.apache.spark.deploy"
_EXECUTOR = b"CoarseGrainedExecutorBackend"
_START = 120.0  # seconds until a process has to be ready
_CONFIGURATION = """\
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.executor.memory {memory}m
spark.network.timeout 60s
"""


class SparkCluster:
    """Starts the processes, and ends all of them, and what they started, at the end.

    `memory` is that of each worker in MiB; `settings` go to spark-defaults.conf; `environment` is
    added to that of the workers and so of their executors.
    """

    def __init__(
        self,
        folder: Path,
        workers: int = 3,
        memory: int = 700,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self._memory = folder, memory
        self._number = workers
        self._settings = settings or {}
        self._environment = environment or {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.master = ""

    @property
    def environment(self) -> dict[str, str]:
        """What a driver needs in its environment to use the cluster."""
        return {"SPARK_CONF_DIR": str(self.folder / "conf"), "SPARK_LOCAL_IP": "127.0.0.1"}

    @property
    def workers(self) -> list[int]:
        """The processes of the workers."""
        return [process.pid for process in self._processes[1:]]

    def __enter__(self) -> SparkCluster:
        configuration = self.folder / "conf"
        configuration.mkdir(parents=True, exist_ok=True)
        lines = [_CONFIGURATION.format(memory=self._memory - 100)]
        lines += [f"{key} {value}\n" for key, value in self._settings.items()]
        (configuration / "spark-defaults.conf").write_text("".join(lines), "utf-8")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        port = _free_port()
        self.master = f"spark://127.0.0.1:{port}"
        web = ["--webui-port", "0"]
        self._launch("master.Master", ["--host", "127.0.0.1", "--port", str(port), *web])
        self._wait_for("master.Master-0.log", "Starting Spark master at", 1)
        for number in range(1, self._number + 1):
            folder = self.folder / f"worker-{number}"
            options = ["--host", "127.0.0.1", "--cores", "1", "--memory", f"{self._memory}m", *web]
            self._launch("worker.Worker", [*options, "--work-dir", str(folder), self.master])
        self._wait_for("master.Master-0.log", "Registering worker", self._number)

    def _launch(self, name: str, arguments: list[str]) -> None:
        import pyspark

        home = Path(pyspark.__file__).parent
        log = self.folder / f"{name}-{len(self._processes)}.log"
        environment = os.environ | self.environment | self._environment
        environment |= {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m"}
        environment["SPARK_LOCAL_DIRS"] = str(self.folder / "local")
        with log.open("wb") as output:
            self._processes.append(
                subprocess.Popen(
                    [home / "bin/spark-class", f"{_CLASSES}.{name}", *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C at a terminal is for the program alone
                )
            )

    def _wait_for(self, log: str, message: str, times: int) -> None:
        deadline = time.monotonic() + _START
        while (text := (self.folder / log).read_text("utf-8", "replace")).count(message) < times:
            ended = [process for process in self._processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"the cluster does not start:\n{text[-2000:]}")
            time.sleep(0.2)

    def executors(self) -> list[int]:
        """The processes of the executors."""
        below = set(_descendants(self.workers))
        return sorted(pid for pid in below if _EXECUTOR in _command(pid))

    def kill_executor(self) -> int | None:
        """Kills an executor, and gives its process; None where there is none."""
        return _kill(self.executors()[-1:])

    def kill_worker(self) -> int | None:
        """Kills a worker with its executors, as a machine that fails; gives its process."""
        pid = self.workers[-1]
        below = _descendants([pid])
        return _kill([pid, *below])

    def stop(self) -> None:
        """Ends all processes."""
        pids = [process.pid for process in self._processes]
        below = _descendants(pids)
        _kill([*pids, *below])
        for process in self._processes:
            process.wait()
        self._processes.clear()


def _kill(pids: list[int]) -> int | None:
    ended = None
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            ended = ended or pid
        except ProcessLookupError:
            continue
    return ended


def _descendants(pids: list[int]) -> list[int]:
    """The processes that these have started, and so on."""
    parents: dict[int, list[int]] = {}
    for pid, parent in _processes():
        parents.setdefault(parent, []).append(pid)
    below, queue = [], list(pids)
    while queue:
        children = parents.get(queue.pop(), [])
        below += children
        queue += children
    return below


def _processes() -> Iterator[tuple[int, int]]:
    """All processes with their parents."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        yield int(path.parent.name), int(fields[1])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


__all__ = ["SparkCluster"]
