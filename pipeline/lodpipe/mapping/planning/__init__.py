"""The model of a mapping compiled to a plan: the SELECTs that make the statements."""
