"""Shared by every room. Invariant: standard library only, no input or output."""
