"""Stored models: what to move to cheaper storage, when that pays, and what has to stay at hand."""
