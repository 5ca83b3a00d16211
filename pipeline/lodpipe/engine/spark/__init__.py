"""Plans on Apache Spark: it reads, joins, shuffles and writes; each partition runs the plan's own SQL in DuckDB."""
