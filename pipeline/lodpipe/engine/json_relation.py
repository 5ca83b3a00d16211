"""A JSON, JSON Lines or YAML file as a relation: a column for each reference, and one for its type.

Records are what the iterator of a logical source leads to, `$.places[*]` for instance. For the
references `name` and `tags[*]`:

    SELECT doubled OR above AS doubled,
           json_text(found[1], kinds[1]) AS "c0", json_kind(found[1], kinds[1]) AS "c0 type",
           list_transform(…) AS "c1", list_transform(…) AS "c1 type"
    FROM (SELECT it, json_extract(it, ['$.name']) AS found, json_type(it, ['$.name']) AS kinds,
                 … AS doubled, above
          FROM (SELECT unnest(json_extract(json, '$.places[*]')) AS it, … AS above
                FROM read_json_objects(…)))

json_columns.py makes the parts of this SELECT; this module runs it and looks at what comes out.
"""

from __future__ import annotations

from pathlib import Path

import _duckdb as duckdb
from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.engine import json_columns
from lodpipe.engine.sql_session import Session, first_line
from lodpipe.engine.work_tables import WorkTables
from lodpipe.mapping.planning.plan import Relation, numbered, text
from lodpipe.sources import jsonpath
from lodpipe.sources.file_tables import FileTable


class JsonReader(Struct, frozen=True):
    """Reads one file into a work table of a session; `plain` is that of its source, texts in `nulls` are
    no values.
    """

    session: Session
    tables: WorkTables
    file: FileTable
    plain: bool = False
    nulls: tuple[str, ...] = ()

    def relation(self, references: tuple[str, ...]) -> Relation:
        """Each reference is read from the record once, with its type. Raises InvalidData."""
        names = numbered(references)
        many = frozenset(name for name in references if jsonpath.is_many(jsonpath.parse(name)))
        path, mark = self._strict_file()
        if json_columns.needs_query((*references, self.file.iterator)):
            self.session.define_query()
        try:
            records = f"(SELECT {json_columns.followed(names)}, above FROM {self._records(path)})"
            columns = json_columns.columns(names, self.nulls, exact=bool(mark), plain=self.plain)
            sql = f"SELECT doubled OR above AS doubled{columns} FROM {records}"
            relation = self.tables.create_records(sql, self.file.number)
            absent, findings = self._unfollowed(relation, records, names)
            ((doubled,),) = self.session.rows(f"SELECT bool_or(doubled) FROM {relation}")
        except duckdb.Error as error:
            self.file.read()  # finds the line, where the file itself is wrong
            words = {"format": "JSON", "detail": self._reason(error)}
            raise InvalidData([Finding("LP102", Origin(self.file.name), words)]) from None
        finally:
            if path != self.file.path:
                path.unlink()
        if doubled:
            self.file.read()
        return Relation(
            relation,
            None,
            typed=True,
            many=many,
            names=names,
            absent=absent,
            findings=findings,
            mark=mark,
        )

    def _reason(self, error: duckdb.Error) -> str:
        """What is wrong with a file that the engine cannot read."""
        if "top-level JSON array" in str(error):
            return f"the iterator `{self.file.iterator}` expects a list, and the file has none"
        return first_line(error)

    def _strict_file(self) -> tuple[Path, str]:
        """The file for the engine to read, and the mark of exact numbers if it has some.

        Raises InvalidData where the source is no JSON. The file is the file itself, or a copy where
        that has something in it that the engine would misread (json_columns.py).
        """
        if self.file.kind == "yaml":
            mark, documents = json_columns.of_tree(self.file.read())
        else:
            suspicion = json_columns.suspect(self.file.path)
            if not suspicion.lenient and not suspicion.long:
                return self.file.path, ""
            texts = self.file.documents()
            if not json_columns.is_strict(texts):
                self.file.read()
            if not suspicion.long:
                return self.file.path, ""
            mark, documents = json_columns.with_exact_numbers(texts)
        self.session.rows(f"SET VARIABLE exact = {text(mark)}")
        copy = self.session.exchange / "records.json"
        with copy.open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{document}\n" for document in documents)
        return copy, mark

    def _records(self, path: Path) -> str:
        """A relation with the records in the column `it`.

        Its column `above` says whether an object above the record has two members of one name.
        """
        steps = jsonpath.parse(self.file.iterator)
        size = max(16_777_216, path.stat().st_size + 1)
        reader = f"read_json_objects({text(str(path))}, maximum_object_size = {size}, format = "
        if self.file.kind == "jsonl":
            return json_columns.unfolded(reader + "'newline_delimited')", steps)
        if steps and steps[0] is None:
            # The records of a top-level array are read one by one, whatever the size of the file.
            return json_columns.unfolded(reader + "'array')", steps[1:])
        if self._filters_array(path, steps):
            documents = f"(SELECT '[' || json || ']' AS json FROM {reader}'array'))"
            return json_columns.unfolded(documents, steps)
        reader += "'unstructured')"
        if self.session.rows(f"SELECT count(*) FROM {reader}")[0][0] > 1:
            self.file.read()  # a second document, which JSON does not allow
        return json_columns.unfolded(reader, steps)

    def _filters_array(self, path: Path, steps: tuple[jsonpath.Step, ...]) -> bool:
        """Whether the records are elements of a top-level array that a filter looks at one by one."""
        query = jsonpath.whole_query(steps) if len(steps) == 1 else None
        if query is None or not jsonpath.filters_elements(query):
            return False
        with path.open("rb") as file:
            return file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")

    def _unfollowed(
        self, relation: str, records: str, names: dict[str, str]
    ) -> tuple[dict[str, str], tuple[Finding, ...]]:
        """The references that lead to nothing in any record, each with a suggestion.

        Where there is no record, a finding instead.
        """
        paths = {name: jsonpath.parse(name) for name in names}
        counts = "".join(
            f", count(*) FILTER ({_is_followed(column, paths[name])})"
            for name, column in names.items()
        )
        ((rows, *followed),) = self.session.rows(f"SELECT count(*){counts} FROM {relation}")
        if not rows:
            return {}, tuple(self.file.unfollowed())
        unused = [name for name, count in zip(names, followed, strict=True) if not count]
        suggestions = ((name, self._suggestion(records, paths[name])) for name in unused)
        return {name: near for name, near in suggestions if near is not None}, ()

    def _suggestion(self, records: str, steps: tuple[jsonpath.Step, ...]) -> str | None:
        """A known member that the first unknown one of a path may be a typo of.

        None where the path ends in empty lists only.
        """
        if jsonpath.whole_query(steps):
            return ""
        for number, step in enumerate(steps):
            path = steps[: number + 1]
            kind = f"json_type(it, {text(jsonpath.for_engine(path))})"
            exists = f"len({kind}) > 0" if jsonpath.is_many(path) else f"{kind} IS NOT NULL"
            if self.session.rows(f"SELECT 1 FROM {records} WHERE {exists} LIMIT 1"):
                continue
            return (
                nearest(step, self._members(records, steps[:number]))
                if isinstance(step, str)
                else None
            )
        return None

    def _members(self, records: str, path: tuple[jsonpath.Step, ...]) -> list[str]:
        """The names of the members of the objects that a path leads to, in order."""
        objects = f"json_extract(it, {text(jsonpath.for_engine(path))})"
        if jsonpath.is_many(path):
            objects = f"unnest({objects})"
        rows = self.session.rows(
            "SELECT DISTINCT unnest(json_keys(value)) "
            f"FROM (SELECT {objects} AS value FROM {records}) LIMIT 1000"
        )
        return sorted(member for (member,) in rows)


def _is_followed(column: str, steps: tuple[jsonpath.Step, ...]) -> str:
    """Whether a row of JSON has a value under a reference, be it null."""
    return (
        f'len("{column} type") > 0' if jsonpath.is_many(steps) else f'"{column} type" IS NOT NULL'
    )
