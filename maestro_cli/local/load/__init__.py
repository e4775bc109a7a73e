"""The seeded open-loop load of the embedded platform.

Invariant: when a request is sent depends on the seed alone, never on how fast earlier answers came, so a
slow service cannot hide its own delay.
"""
