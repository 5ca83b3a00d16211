"""The model of a mapping written as RML or YARRRML."""
