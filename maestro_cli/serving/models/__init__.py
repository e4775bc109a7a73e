"""Model versions, on disk and in memory. Invariant: a version that did not prove itself never answers."""
