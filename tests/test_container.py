"""The image of the Dockerfile: built, started as an unprivileged user on a read-only file system,
and asked. Skipped where no Docker runs.
"""

from __future__ import annotations

import functools
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
RUN = ("run", "--detach", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")  # fmt: skip


def docker(*arguments: str, timeout: float = 60) -> str:
    """The output of a Docker command. Raises CalledProcessError."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=True
    )
    return done.stdout.strip()


@functools.cache
def docker_runs() -> bool:
    try:
        return bool(shutil.which("docker") and docker("info", "--format", "{{.ServerVersion}}"))
    except subprocess.SubprocessError:
        return False


@pytest.fixture(scope="module")
def address(publication: Path) -> Iterator[str]:
    """The address of a container that serves the publication."""
    docker("build", "--tag", IMAGE, str(ROOT), timeout=900)
    port = free_port()
    place = ("--publish", f"127.0.0.1:{port}:8000", "--volume", f"{publication}:/publication:ro")
    container = docker(*RUN, *place, IMAGE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        print(docker("logs", container))
        docker("stop", container)


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
