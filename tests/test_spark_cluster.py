"""Faults on a real cluster of Spark: a standalone master and three workers on this machine.

Executors and drivers are killed, executors have other packages, files are wrong, keys are skewed,
memory is small; speculation is on in all cases. The bytes are those of one machine, or there is one
finding and the old output.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.engine.spark import engine as engine_module
from lodpipe.engine.spark import spark_session as session_module
from lodpipe.engine.spark.environment import versions
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from serving import until
from spark_support import needs_spark
from support import PROGRAM, ROOT, run_process

sys.path.insert(0, str(ROOT / "benchmarks"))
try:
    from generate import generate
    from spark_cluster import SparkCluster
finally:
    sys.path.remove(str(ROOT / "benchmarks"))

pytestmark = [pytest.mark.slow, needs_spark]
ROWS = 10_000
SETTINGS = {
    "spark.cores.max": "2",  # the third worker is for a driver in a process of its own
    "spark.sql.files.maxPartitionBytes": "100000",
    "spark.sql.files.openCostInBytes": "0",
    "spark.speculation": "true",
    "spark.speculation.interval": "50ms",
    "spark.speculation.multiplier": "1.1",
    "spark.speculation.quantile": "0.3",
    "spark.speculation.minTaskRuntime": "10ms",
    "spark.lodpipe.executorTimeout": "200",
}
MAPPING = """
prefixes: {ex: "http://example.org/"}
mappings:
  thing:
    sources: ["rows.csv~csv"]
    s: http://example.org/thing/$(id)
    po:
      - [ex:value, $(value)]
      - [ex:day, $(day), xsd:date]
"""
JOIN = """
  group:
    sources: ["groups.csv~csv"]
    s: http://example.org/group/$(key)
    po: [[ex:label, $(label)]]
  member:
    sources: ["rows.csv~csv"]
    s: http://example.org/thing/$(id)
    po:
      - p: ex:group
        o: [{mapping: group, condition: {function: equal, parameters: [[str1, $(value)], [str2, $(key)]]}}]
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    paths = {"PYTHONPATH": str(ROOT / "pipeline")}
    with SparkCluster(folder, settings=SETTINGS, environment=paths) as running:
        yield running


@pytest.fixture(scope="module")
def session(cluster: SparkCluster) -> Iterator[SparkCluster]:
    """The cluster with a session in this process, which all runs share."""
    from pyspark.sql import SparkSession

    if session_module.is_running():  # of another module
        session_module.stop(SparkSession.builder.getOrCreate())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        spark = session_module.start(cluster.master)
        yield cluster
        session_module.stop(spark)


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registers")
    generate(ROWS, folder)
    shutil.copy(ROOT / "benchmarks/mappings/organisations.rml.ttl", folder)
    map_file(folder / "organisations.rml.ttl", folder / "expected.nq")
    return folder


def rows(folder: Path, lines: Iterator[str], mapping: str = MAPPING) -> Path:
    """A mapping over rows of id, value and day."""
    (folder / "rows.csv").write_text("id,value,day\n" + "".join(lines), "utf-8")
    path = folder / "mapping.yaml"
    path.write_text(mapping, "utf-8")
    return path


def content(folder: Path) -> bytes:
    """The lines of a folder of parts."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.nq")))


def left(folder: Path) -> list[str]:
    """What no run may leave beside its output."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".lodpipe-")]


def below(folder: Path, prefix: str) -> list[Path]:
    """Files and folders with names that begin like this; folders may be removed at the same time."""
    return [
        Path(path, name)
        for path, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if name.startswith(prefix)
    ]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.sort_key)


def wait_for(is_true: Callable[[], object], run: Future[object] | subprocess.Popen[str]) -> None:
    """Waits for a moment in a run. Raises AssertionError where the run ends before."""
    deadline = time.monotonic() + 240
    while not is_true():
        ended = run.done() if isinstance(run, Future) else run.poll() is not None
        assert not ended, "the run has ended before the moment that the test waits for"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refused(mapping: Path, out: Path | str, options: MappingOptions) -> tuple[Finding, ...]:
    with pytest.raises(LodpipeError) as caught:
        map_file(mapping, out, options)
    return caught.value.findings


# -- processes that end ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    ["sent/0/_temporary/0/_temporary/*", "lines/part-*"],
    ids=["first step", "second step"],
)
def test_a_killed_executor_changes_nothing(
    output: str,
    session: SparkCluster,
    registers: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "_ROWS_OF_A_PART", 2_000)
    options = MappingOptions(on=session.master)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(
            map_file, registers / "organisations.rml.ttl", f"{tmp_path}/out/", options
        )
        wait_for(lambda: list(tmp_path.glob(f".lodpipe-*/{output}")), run)
        assert session.kill_executor()
        assert not (tmp_path / "out").exists()
        assert run.result() == ()
    assert content(tmp_path / "out") == (registers / "expected.nq").read_bytes()
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_killed_driver_leaves_the_old_folder(
    number: signal.Signals, session: SparkCluster, registers: Path, tmp_path: Path
) -> None:
    old = tmp_path / "out"
    old.mkdir()
    (old / "part-00000.nq").write_text('<http://example.org/a> <http://example.org/b> "old" .\n')
    command = ["map", registers / "organisations.rml.ttl", "-o", f"{old}/", "--on", session.master]
    driver = subprocess.Popen([*PROGRAM, *map(str, command)], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(tmp_path.glob(".lodpipe-*/sent/0/_temporary")), driver)
    driver.send_signal(number)
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert errors == ""
    assert [path.name for path in old.iterdir()] == ["part-00000.nq"]
    assert content(old).endswith(b'"old" .\n')

    map_file(registers / "organisations.rml.ttl", f"{old}/", MappingOptions(on=session.master))
    assert content(old) == (registers / "expected.nq").read_bytes()
    assert left(tmp_path) == []


# -- what runs on executors ------------------------------------------------------------------------


@pytest.fixture
def other_lodpipe(session: SparkCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the executors have another version of lodpipe."""
    from pyspark import SparkContext

    package = tmp_path / "packages" / "lodpipe-9.9.9.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.4\nName: lodpipe\nVersion: 9.9.9\n")
    context = SparkContext.getOrCreate()
    monkeypatch.setitem(context.environment, "PYTHONPATH", str(package.parent))


def test_executors_with_another_version_are_refused(
    other_lodpipe: None, session: SparkCluster, registers: Path, tmp_path: Path
) -> None:
    options = MappingOptions(on=session.master)
    (finding,) = refused(registers / "organisations.rml.ttl", tmp_path / "out.nq", options)
    own = versions()
    other = own.replace(own.split(",")[0], "lodpipe 9.9.9")
    assert finding.code == "LP613"
    assert finding.params["detail"] == f"the driver has {own}; an executor has {other}"


def test_an_executor_with_another_version_that_joins_later_is_refused(
    other_lodpipe: None,
    session: SparkCluster,
    registers: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "check_executors", lambda *_: None)
    options = MappingOptions(on=session.master)
    (finding,) = refused(registers / "organisations.rml.ttl", f"{tmp_path}/out/", options)
    assert finding.code == "LP613"
    assert "lodpipe 9.9.9" in finding.params["detail"]
    assert "\n" not in finding.params["detail"]
    assert not (tmp_path / "out").exists()
    assert left(tmp_path) == []


def test_executors_without_lodpipe_are_refused(
    session: SparkCluster, registers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext.getOrCreate(), "pythonExec", sys._base_executable)
    options = MappingOptions(on=session.master)
    (finding,) = refused(registers / "organisations.rml.ttl", tmp_path / "out.nq", options)
    assert finding.code == "LP613"
    assert ", no DuckDB, no pyarrow, Python" in finding.params["detail"]


# -- what is not there -----------------------------------------------------------------------------


def test_without_java_there_is_a_finding(registers: Path, tmp_path: Path) -> None:
    done = run_process(
        "map", registers / "organisations.rml.ttl", "-o", tmp_path / "out.nq", "--on", "local[2]",
        environment={"PATH": str(tmp_path), "JAVA_HOME": ""},
    )  # fmt: skip
    assert done.returncode == 2
    assert "LP613: Spark cannot be used: Java is not installed" in done.stderr


def test_a_master_that_cannot_be_reached_is_a_finding(registers: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    done = run_process(
        "map", registers / "organisations.rml.ttl", "-o", tmp_path / "out.nq", "--on", "spark://127.0.0.1:1"
    )  # fmt: skip
    assert done.returncode == 2
    assert "LP613: spark://127.0.0.1:1 cannot be used" in done.stderr
    assert "Connection refused" in done.stderr
    assert "\tat " not in done.stderr
    assert time.monotonic() - began < 60


def test_a_second_master_in_one_process_is_a_finding(
    session: SparkCluster, registers: Path, tmp_path: Path
) -> None:
    options = MappingOptions(on="local[2]")
    (finding,) = refused(registers / "organisations.rml.ttl", tmp_path / "out.nq", options)
    assert session.master in finding.params["detail"]


# -- data ------------------------------------------------------------------------------------------


def failed_tasks(cluster: SparkCluster) -> int:
    """How many times a task has thrown an exception, by the logs of the executors."""
    logs = cluster.folder.glob("worker-*/*/*/stderr")
    return sum(path.read_text("utf-8", "replace").count("Exception in task") for path in logs)


@pytest.mark.parametrize("fault", ["a wrong date", "no UTF-8"])
def test_a_bad_record_among_many_is_located_and_not_tried_again(
    fault: str, session: SparkCluster, tmp_path: Path
) -> None:
    lines = [f"{number},v{number % 7},2026-01-01\n" for number in range(30_000)]
    lines[20_000] = "20000,v1,2026-99-99\n"
    mapping = rows(tmp_path, iter(lines), MAPPING + JOIN)
    groups = "".join(f"v{number},group {number}\n" for number in range(7))
    (tmp_path / "groups.csv").write_text("key,label\n" + groups)
    if fault == "no UTF-8":
        text = (tmp_path / "rows.csv").read_bytes()
        (tmp_path / "rows.csv").write_bytes(text.replace(b"20000,v1,2026", b"20000,v\xff,2026"))
    local = refused(mapping, tmp_path / "out.nq", MappingOptions())
    before = failed_tasks(session)
    assert refused(mapping, tmp_path / "out.nq", MappingOptions(on=session.master)) == local
    assert failed_tasks(session) == before
    assert [(finding.where.line if finding.where else 0) for finding in local] == [20_002]


def test_a_file_that_is_no_parquet_is_not_tried_again(
    session: SparkCluster, tmp_path: Path
) -> None:
    mapping = rows(tmp_path, iter([]), MAPPING.replace("rows.csv~csv", "rows-*.parquet~parquet"))
    for number in range(3):
        (tmp_path / f"rows-{number}.parquet").write_bytes(b"PAR1 and no more")
    before = failed_tasks(session)
    local = refused(mapping, tmp_path / "out.nq", MappingOptions())
    assert refused(mapping, tmp_path / "out.nq", MappingOptions(on=session.master)) == local
    assert failed_tasks(session) == before
    assert [str(finding.where) for finding in local] == [
        f"rows-{number}.parquet" for number in range(3)
    ]


@pytest.fixture
def large_blocks(session: SparkCluster) -> Iterator[None]:
    """Files are divided into few blocks."""
    from pyspark.sql import SparkSession

    settings = SparkSession.builder.getOrCreate().conf
    before = settings.get("spark.sql.files.maxPartitionBytes")
    settings.set("spark.sql.files.maxPartitionBytes", "20000000")
    yield
    settings.set("spark.sql.files.maxPartitionBytes", before)


def test_a_large_subject_and_a_common_key_in_little_memory(
    session: SparkCluster, tmp_path: Path, large_blocks: None
) -> None:
    """One subject has more than 300,000 statements, half of the rows follow one key; what does not fit into
    the memory of a task is on the disk, and is removed from there.
    """
    tail = "x" * 60
    lines = (
        f"{'s' if number % 4 else number},{'v0' if number % 8 < 4 else number} {tail},{number}\n"
        for number in range(400_000)
    )
    mapping = rows(tmp_path, lines, MAPPING.replace(", xsd:date", "") + JOIN)
    groups = (f"{'v0' if number == 0 else number} {tail},g{number}\n" for number in range(50))
    (tmp_path / "groups.csv").write_text("key,label\n" + "".join(groups))
    local = map_file(mapping, tmp_path / "expected.nq", MappingOptions())
    before = set(below(session.folder / "local", "lodpipe-"))  # of executors that were killed
    killed = [
        blocks / "lodpipe-task-1-0123456789abcdef"  # as a killed task leaves it
        for blocks in below(session.folder / "local", "blockmgr-")
    ]
    for path in killed:
        path.mkdir()
    spilled: set[str] = set()
    options = MappingOptions(on=session.master, memory="60MB")
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(map_file, mapping, f"{tmp_path}/out/", options)
        while not run.done():
            spilled |= {path.name for path in below(session.folder / "local", "duckdb_temp")}
            time.sleep(0.05)
        findings = run.result()
    assert in_order(findings) == in_order(local)
    assert content(tmp_path / "out") == (tmp_path / "expected.nq").read_bytes()
    assert spilled
    # Spark may have killed a task whose twin was faster: the next one removes what that left.
    mapping = rows(tmp_path, iter(["1,a,2026-01-01\n"]))

    def is_clear_after_a_run() -> bool:
        map_file(mapping, f"{tmp_path}/next/", MappingOptions(on=session.master))
        left_over = set(below(session.folder / "local", "lodpipe-")) - before
        return left_over <= set(killed) and not all(path.exists() for path in killed)

    until(is_clear_after_a_run, seconds=60, what="the folders of tasks are removed")


# -- folders ---------------------------------------------------------------------------------------


def test_a_folder_of_others_is_refused(session: SparkCluster, tmp_path: Path) -> None:
    mapping = rows(tmp_path, iter(["1,a,2026-01-01\n"]))
    out = tmp_path / "out"
    (out / "statements").mkdir(parents=True)
    (out / "part-00000.nq").write_text("")
    (out / "statements" / "notes.txt").write_text("mine")
    (finding,) = refused(mapping, f"{out}/", MappingOptions(on=session.master))
    assert finding.code == "LP601"
    assert "`statements/notes.txt`" in finding.params["detail"]
    assert (out / "statements" / "notes.txt").read_text() == "mine"
    assert left(tmp_path) == []


def test_the_rest_of_a_killed_run_in_a_store_is_removed(
    session: SparkCluster, tmp_path: Path
) -> None:
    mapping = rows(tmp_path, iter(["1,a,2026-01-01\n"]))
    rest = tmp_path / "out.work" / "rows" / "0"
    rest.mkdir(parents=True)
    (rest / "part-00000.parquet").write_text("half of a file")
    for _ in range(2):  # also over the folder of the first
        map_file(mapping, (tmp_path / "out").as_uri(), MappingOptions(on=session.master))
        assert content(tmp_path / "out").count(b"\n") == 2
    assert (tmp_path / "out" / "_SUCCESS").is_file()
    assert not (tmp_path / "out.work").exists()
