"""Game days: several experiments in a row, with roles, breaks and a report."""
