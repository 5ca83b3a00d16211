"""A publication proposed from data at hand: what `lodpipe init` writes.

files ── tables (data_tables) ── census of fields (field_census) ── forms and references
(field_forms) ── classes and properties (field_terms) ── the declarations as texts (written_files)
"""
