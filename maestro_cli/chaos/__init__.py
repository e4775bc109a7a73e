"""Experiments and drills, scored against the known truth."""
