"""Who gets the processor: the use of each client in the last minute, and the order of long queries.

Short queries are served as they come. Where they have to wait, the client that has used least comes
first. Long queries take turns: those that have used little so far before those that have used much,
in steps that double, so a query without end gives way to one that ends. At the same step each client
has one query before any has its second.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Protocol, TypeVar

_MINUTE = 60.0
_FIRST_STEP = 0.25  # seconds of processor time; each further step is as long as all before it
_FORGOTTEN = 0.01  # seconds of use below which a client need not be remembered
_MANY = 4096
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 addresses behind a translator (RFC 6052)


class Queued(Protocol):
    """A query as far as its turn goes: seconds of processor time so far, and when it arrived."""

    client: str
    used: float
    arrived: float


_Job = TypeVar("_Job", bound=Queued)


class Usage:
    """Processor time by client, in seconds. What was used fades with time: a client that uses one
    processor all the time has 60, and a minute after its last query 22.
    """

    def __init__(self, budget: float, clock: Callable[[], float]) -> None:
        self.budget, self.clock = budget, clock
        self._levels: dict[str, tuple[float, float]] = {}

    def add(self, client: str, seconds: float) -> None:
        """Records processor time that a client has used."""
        self._levels[client] = (self.of(client) + seconds, self.clock())
        if len(self._levels) > _MANY:
            self._levels = {
                name: pair for name, pair in self._levels.items() if self.of(name) > _FORGOTTEN
            }

    def of(self, client: str) -> float:
        """Seconds of processor time that count for a client now."""
        level, at = self._levels.get(client, (0.0, 0.0))
        return level * math.exp((at - self.clock()) / _MINUTE) if level else 0.0

    def wait(self, client: str) -> int:
        """Whole seconds until a client is within its budget again; 0 where it is."""
        level = self.of(client)
        return math.ceil(_MINUTE * math.log(level / self.budget)) if level > self.budget else 0

    def rank(self, client: str) -> tuple[bool, float]:
        """The order of clients that wait: over their budget last, then by use."""
        level = self.of(client)
        return level > self.budget, level

    def turns(self, jobs: Iterable[_Job]) -> list[_Job]:
        """Long queries in the order of their turns: those of clients over their budget last, then by
        the processor time that the query has had, then the first of each client before the second
        of any, then by arrival.
        """
        steps = sorted(
            jobs, key=lambda job: (self.wait(job.client) > 0, _step(job.used), job.arrived)
        )
        places: dict[tuple[str, int], int] = {}
        ranks = []
        for number, job in enumerate(steps):
            step = _step(job.used)
            place = places[job.client, step] = places.get((job.client, step), 0) + 1
            ranks.append((self.wait(job.client) > 0, step, place, number))
        return [steps[rank[-1]] for rank in sorted(ranks)]


def _step(used: float) -> int:
    """
    >>> [_step(used) for used in (0.1, 0.3, 0.6, 1.1, 2.1)]
    [0, 1, 2, 3, 4]
    """
    return 0 if used < _FIRST_STEP else 1 + int(math.log2(used / _FIRST_STEP))


@lru_cache(_MANY)
def client_of(address: str) -> str:
    """The client that an address counts for: an IPv6 network of 64 bits is one client, since each
    of its hosts can take any address of it; an IPv4 address in IPv6 is what it is alone.

    >>> client_of("192.0.2.7"), client_of("2001:db8::7"), client_of("")
    ('192.0.2.7', '2001:db8::/64', '')
    >>> client_of("::ffff:192.0.2.7"), client_of("64:ff9b::c000:207"), client_of("fe80::1%eth0")
    ('192.0.2.7', '192.0.2.7', 'fe80::/64')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped or parsed in _TRANSLATED:
            return str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return address
