"""Batch work on machines that may be taken away: who can, what it saves, and what it costs when they are."""
