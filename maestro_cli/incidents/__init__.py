"""Signals become incidents, with evidence, suspects, a clock and a post-mortem."""
