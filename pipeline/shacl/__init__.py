"""SHACL as set-based queries over a table of statements: shapes are read, compiled, run, and told as a validation report."""
