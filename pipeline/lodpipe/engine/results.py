"""What an engine is asked for and what it gives, whichever it is: lines as they are wanted, how far they have come, failed checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from lodpipe.mapping.planning.plan import Check


class Stage(Struct, frozen=True):
    """How far a part of the file has come: the triples maps that make it, the share of their rows
    in per cent, the lines written.
    """

    name: str
    share: float
    lines: int


OnStage = Callable[[Stage], None]


class Failure(Struct, frozen=True):
    """A check that rows fail: how many do, and the first of these records with their values."""

    check: Check
    count: int
    samples: Sequence[tuple[int | None, str]]


class Output(Struct, frozen=True):
    """Lines as they are wanted: with graphs (N-Quads) or without (N-Triples), sorted or in any
    order.
    """

    graphs: bool = True
    sort: bool = True
    on_stage: OnStage | None = None


CANONICAL = Output()
