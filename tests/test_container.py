"""The image of the Dockerfile: built, started as an unprivileged user on a read-only file system,
and asked. Skipped where no Docker runs and no other program is named:

    LODPIPE_CONTAINER="podman"                      what is called instead of docker
    LODPIPE_CONTAINER_BUILD="--isolation chroot --build-arg BASE=…"     options of its build
    LODPIPE_CONTAINER_RUN="--cgroups=disabled …"    options of its run
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from query_engines import free_port
from support import ROOT

IMAGE = "lodpipe-test"
PROGRAM = os.environ.get("LODPIPE_CONTAINER", "docker")
BUILD, MORE = (
    shlex.split(os.environ.get(f"LODPIPE_CONTAINER_{name}", "")) for name in ("BUILD", "RUN")
)
RUN = ("run", "--detach", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")  # fmt: skip


def docker(*arguments: str, timeout: float = 60) -> str:
    """The output of a Docker command. Raises CalledProcessError."""
    done = subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=timeout, check=True
    )
    return done.stdout.strip()


@functools.cache
def docker_runs() -> bool:
    try:
        return bool(shutil.which(PROGRAM) and docker("info"))
    except subprocess.SubprocessError:
        return False


@pytest.fixture(scope="module")
def address(publication: Path) -> Iterator[str]:
    """The address of a container that serves the publication."""
    docker("build", *BUILD, "--tag", IMAGE, str(ROOT), timeout=900)
    port = free_port()
    volume = ("--volume", f"{publication}:/publication:ro")
    if "--network=host" in MORE:
        container = docker(*RUN, *MORE, *volume, IMAGE, "--port", str(port))
    else:
        publish = ("--publish", f"127.0.0.1:{port}:8000")
        container = docker(*RUN, *MORE, *publish, *volume, IMAGE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        print(docker("logs", container))
        docker("stop", "--time", "15", container)


@pytest.mark.slow
@pytest.mark.skipif(not docker_runs(), reason="no Docker daemon runs")
def test_the_image_serves_a_mounted_publication(address: str) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                assert answer.status == 200
                break
        except OSError:
            assert time.monotonic() < until, "the container does not answer"
            time.sleep(0.5)
    with urllib.request.urlopen(f"{address}/sparql?query=ASK%7B%3Fs%20%3Fp%20%3Fo%7D") as answer:
        assert b"true" in answer.read()


@pytest.mark.slow
@pytest.mark.skipif(not docker_runs(), reason="no Docker daemon runs")
def test_the_program_is_unprivileged(address: str) -> None:
    """No capability, no way to get one, and nothing but /tmp to write to."""
    container = docker("ps", "--quiet", "--filter", f"ancestor={IMAGE}").splitlines()[0]
    status = docker("exec", container, "cat", "/proc/1/status")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == ["10001"] * 4
    assert int(lines["CapEff"], 16) == 0
    assert lines["NoNewPrivs"] == "1"
    assert address
    script = "touch /tmp/x && ! touch /publication/x /opt/x /x 2>/dev/null"
    docker("exec", container, "sh", "-c", script)
