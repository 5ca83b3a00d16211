"""What `lodpipe init` writes where only the publisher knows the answer, and a check asks for (LP516)."""

from __future__ import annotations

LICENCE = "https://example.org/licence-not-yet-chosen"
DATE = "2000-01-01"
