"""Runs plans on DuckDB: loading, databases, the statement table, the N-Quads writer."""
