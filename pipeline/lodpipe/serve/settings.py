"""What the server keeps to: where it listens, and the bounds that keep it up."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

MEGABYTE = 1_000_000
_PROCESSORS = os.cpu_count() or 1


def _half_of_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError):
        return 4000 * MEGABYTE


@dataclass(frozen=True)
class Settings:
    """Where the server listens and what a request may cost; times in seconds, sizes in bytes.

    `seconds` is how long a query may run, `memory` what its process may take beyond the data,
    `result` the size of its answer. Of `waiting` queries that find no free process each has
    `patience`. Of `long` queries that have taken more than a tenth of a second, `running` run at a
    time, within `all_memory` together. A client may use `client_seconds` of processor time in a
    minute before it has to let others go first. A client has `slowness` to send its headers, to
    send a body, and to take what is sent to it.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    seconds: float = 10.0
    memory: int = 1000 * MEGABYTE
    all_memory: int = field(default_factory=_half_of_memory)
    result: int = 50 * MEGABYTE
    processes: int = max(4, 2 * _PROCESSORS)
    client_seconds: float = 30.0
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

    @property
    def running(self) -> int:
        """How many long queries run at a time: one for each processor."""
        return min(self.processes, max(_PROCESSORS, 1))

    @property
    def long(self) -> int:
        """How many queries may be long, running or paused."""
        return 4 * self.processes
