"""What the server keeps to: where it listens, and the bounds that keep it up."""

from __future__ import annotations

import os
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Settings:
    """Where the server listens and what a request may cost; times in seconds, sizes in bytes.

    `seconds` is how long a query may run, `memory` what its process may take beyond the data,
    `result` the size of its answer. Of `waiting` queries that find no free process each has
    `patience`. A client has `slowness` to send its headers, to send a body, and to take what is
    sent to it.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    seconds: float = 10.0
    memory: int = 1000 * MEGABYTE
    result: int = 50 * MEGABYTE
    processes: int = max(4, 2 * (os.cpu_count() or 1))
    waiting: int = 64
    patience: float = 5.0
    connections: int = 1000
    body: int = MEGABYTE
    address: int = 32_000
    headers: int = 64_000
    slowness: float = 10.0
    cache: int = 64 * MEGABYTE
    grace: float = 10.0
    watch: float = 1.0
