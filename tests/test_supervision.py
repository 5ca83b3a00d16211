"""The process that waits: it ends work that ignores signals, and what the work has started; it is
distinguished from the work's own end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import ROOT

SCRIPT = """
import os, subprocess, sys, time
from lodpipe.runtime.supervision import Ending, supervised

def work():
    print("begun", flush=True)
    {work}
    return {code}

end = supervised(work, ending=Ending() if {patient} else None)
print(end.code, end.requested, end.died)
"""
# a loop in native code: no signal is handled there, and no other thread runs
DEAF = "sum(range(10**12))"
SLOW = "time.sleep(1.5)"
FOREVER = "time.sleep(1000)"
PARENT = "print(subprocess.Popen(['sleep', '1000']).pid, flush=True); time.sleep(1000)"


def start(tmp_path: Path, work: str, code: int = 0, patient: bool = False) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(work=work, code=code, patient=patient)],
        cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def ended(process: subprocess.Popen[str], tmp_path: Path) -> tuple[int, ...]:
    """Exit code, signal that asked, signal that the work died of; nothing is left in the temporary
    folder.
    """
    output, _ = process.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == []
    return tuple(map(int, output.split()))


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
@pytest.mark.parametrize("work", [DEAF, FOREVER])
def test_a_signal_ends_work_that_ignores_it(
    work: str, number: signal.Signals, tmp_path: Path
) -> None:
    process = start(tmp_path, work)
    process.send_signal(number)
    assert ended(process, tmp_path) == (128 + number, number, 0)


def test_a_signal_to_the_whole_group_is_one_request(tmp_path: Path) -> None:
    process = start(tmp_path, FOREVER)
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process, tmp_path) == (130, signal.SIGINT, 0)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_first_ctrl_c_waits_where_that_is_asked_for(code: int, tmp_path: Path) -> None:
    process = start(tmp_path, SLOW, code, patient=True)
    process.send_signal(signal.SIGINT)
    assert ended(process, tmp_path) == (code, signal.SIGINT, 0)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    process = start(tmp_path, FOREVER, patient=True)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)  # two signals of one kind at once are one
    assert ended(process, tmp_path) == (130, signal.SIGINT, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to the supervisor")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_what_the_work_has_started_ends_with_it(number: signal.Signals, tmp_path: Path) -> None:
    process = start(tmp_path, PARENT)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    worker = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    process.send_signal(number)
    process.wait(60)
    assert not alive(worker)
    if number == signal.SIGTERM:
        assert not alive(child)
    else:
        os.kill(
            child, signal.SIGKILL
        )  # a stranger's program has no owner after a kill of the supervisor


def alive(pid: int) -> bool:
    """Whether a process is there for more than the moment that its end takes."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("work", "died"), [("os.abort()", signal.SIGABRT), ("os.kill(os.getpid(), 9)", signal.SIGKILL)]
)
def test_work_that_dies_by_itself_is_no_request(
    work: str, died: signal.Signals, tmp_path: Path
) -> None:
    assert ended(start(tmp_path, work), tmp_path) == (128 + died, 0, died)
