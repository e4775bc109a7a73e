"""Faults for drills: what can be made to go wrong, where, and the record of what was.

Invariant: nothing here runs, or is even loaded, unless the server was started with it; every fault has an
end that nobody has to remember, and is in the journal before it does anything.
"""
