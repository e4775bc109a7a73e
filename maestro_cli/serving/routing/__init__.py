"""Which model answers: one document, compiled once, swapped whole.

Invariant: a request is routed by exactly one document, the one whose digest its answer names.
"""
