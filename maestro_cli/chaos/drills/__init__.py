"""Rehearsals of a whole incident, scored against what was really done.

Invariant: the truth about a drill is known to the conductor alone until the score is written.
"""
