"""What shapes cannot express: references, chronology, duplicates, counts, lint."""
