"""Matching records with the entries of a register, and writing accepted matches into the records.

records ──┐
          ├─ candidates with scores and reasons ── review file ── decisions ── records
register ─┘
"""
