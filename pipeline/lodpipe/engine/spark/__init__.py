"""Plans on Apache Spark: it reads, joins, moves and writes; each partition runs the plan's own SQL in DuckDB."""
