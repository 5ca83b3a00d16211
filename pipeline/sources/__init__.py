"""Source files become record tables in which every record and field knows its file and line."""

from pipeline.sources.declaration import Column, Field, Table, read_declaration
from pipeline.sources.schema import Lexicon, file_schema, pattern_of
from pipeline.sources.tables import RecordReader, RecordTable, RowTable, ScanTable

__all__ = [
    "Column", "Field", "Lexicon", "RecordReader", "RecordTable", "RowTable", "ScanTable", "Table",
    "file_schema", "pattern_of", "read_declaration",
]  # fmt: skip
