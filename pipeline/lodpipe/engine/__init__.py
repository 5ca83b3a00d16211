"""Runs plans on DuckDB: session, records, relations, the run of a plan, statements, N-Quads."""
