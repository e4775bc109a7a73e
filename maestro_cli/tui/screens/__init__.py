"""One module a screen, found by one table. Invariant: a screen is data and pure functions."""
