"""Ledger of releases, differences of two releases, delta files, change feed."""
