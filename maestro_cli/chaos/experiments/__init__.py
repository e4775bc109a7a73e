"""Experiment files: read, checked, found. Invariant: what Chaos Toolkit runs is run as it was written."""
