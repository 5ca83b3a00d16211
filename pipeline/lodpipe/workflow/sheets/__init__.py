"""Records in workbooks, for editors who work in spreadsheets, and back into their files."""
