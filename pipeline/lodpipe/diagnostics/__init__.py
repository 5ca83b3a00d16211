"""Findings, the rules that they break with their texts in English and German, and progress."""
