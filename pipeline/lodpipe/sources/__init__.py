"""Source files become record tables in which every record and field knows its file and line."""

from lodpipe.sources.declaration_reader import read_declaration
from lodpipe.sources.record_declaration import Column, Field, Table
from lodpipe.sources.record_tables import RecordReader, RecordTable, RowTable, ScanTable
from lodpipe.sources.schema import Lexicon, file_schema, pattern_of

__all__ = [
    "Column", "Field", "Lexicon", "RecordReader", "RecordTable", "RowTable", "ScanTable", "Table",
    "file_schema", "pattern_of", "read_declaration",
]  # fmt: skip
