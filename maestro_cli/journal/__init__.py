"""The one append-only, hash-chained record."""
