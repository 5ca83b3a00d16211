"""Declarative mappings in YARRRML or RML, read into one frozen model."""
