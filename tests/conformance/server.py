"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, on a port of its own,
without password.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "PostgreSQL's initdb is not there; on Debian: apt-get install postgresql"


def programs() -> Path | None:
    """The folder of initdb and postgres; Debian keeps it out of the path."""
    program = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(program).resolve().parent if program else debian[-1].parent if debian else None


@contextmanager
def running() -> Iterator[str | None]:
    """Starts a server, gives its address, and stops it; None where PostgreSQL is not there."""
    folder = programs()
    if folder is None:
        yield None
        return
    with tempfile.TemporaryDirectory(
        prefix="lodpipe-postgresql-", ignore_cleanup_errors=True
    ) as name:
        data, user = Path(name) / "data", _unprivileged(Path(name))
        subprocess.run(
            [folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd=name, **user,
        )  # fmt: skip
        port = _free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 10,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        server = subprocess.Popen(
            [folder / "postgres", "-D", data, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=name,
            **user,
        )
        try:
            _wait(port, server)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)


def _unprivileged(folder: Path) -> dict[str, str]:
    """PostgreSQL refuses to be run by root; then it is run by its own user, else by the user `nobody`."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return {"user": user}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(300):
        try:
            psycopg.connect(
                f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2
            ).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the PostgreSQL server of the tests does not start")
