"""Files become trees in which every value knows its line and column."""
