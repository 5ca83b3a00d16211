"""Where the references of a term map are found: columns of a relation."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.mapping.planning.plan import Relation, quote


class Scope(Struct, frozen=True):
    """Where a term map's references are found: a relation, the alias it has in a join, and the
    term's place in the statement.
    """

    relation: Relation
    rule: str
    base: str
    slot: str = "o"
    alias: str = ""
    prefix: str = ""

    def column(self, name: str) -> str:
        """The column with a reference's text; a list is read from the column that unnests it for
        this place.
        """
        column = self.prefix + self.relation.column(name)
        return self.alias + quote(f"{column}#{self.slot}" if name in self.relation.many else column)

    def type_column(self, name: str) -> str:
        column = f"{self.prefix}{self.relation.column(name)} type"
        return self.alias + quote(f"{column}#{self.slot}" if name in self.relation.many else column)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of several references, with their types where the relation has them."""
        columns = [self.column(name) for name in names]
        return tuple(
            dict.fromkeys(
                [*columns, *(self.type_column(name) for name in names)]
                if self.relation.typed
                else columns
            )
        )

    def list_column(self, name: str) -> str:
        """The column with all values of a reference that gives a list."""
        return self.alias + quote(self.prefix + self.relation.column(name))

    def at(self, slot: str) -> Scope:
        return replace(self, slot=slot)
