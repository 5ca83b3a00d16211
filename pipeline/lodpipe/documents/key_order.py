"""The order in which the keys of a file are to be, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct


class KeyOrder(Struct):
    """The keys of a map in their order, each with the order below it; what its other values have
    (`rest`), and what the items of a list have (`item`).
    """

    keys: dict[str, KeyOrder] = {}
    rest: KeyOrder | None = None
    item: KeyOrder | None = None

    def below(self, key: str) -> KeyOrder:
        """The order of the value of a key."""
        return self.keys.get(key) or self.rest or UNORDERED

    @property
    def of_items(self) -> KeyOrder:
        """The order of the items of a list."""
        return self.item or UNORDERED

    def sorted(self, keys: Sequence[str]) -> list[int]:
        """The numbers of the keys in the order they are to have; a key that is not known stays
        behind the one that it follows.

        >>> KeyOrder({"a": KeyOrder(), "b": KeyOrder()}).sorted(["b", "x", "a"])
        [2, 0, 1]
        """
        places: Mapping[str, int] = {key: place for place, key in enumerate(self.keys)}
        ranks, rank = [], -1
        for key in keys:
            rank = places.get(key, rank)
            ranks.append(rank)
        return sorted(range(len(keys)), key=ranks.__getitem__)


UNORDERED = KeyOrder()
