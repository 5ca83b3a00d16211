"""YARRRML documents read into the model of a mapping, and the own functions that a publication declares."""
