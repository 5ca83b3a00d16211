"""The functions that a mapping can call: their table, their implementations, their documentation."""
