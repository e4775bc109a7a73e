"""What maestro knows of the outside world, as frozen data that every room can share.

Invariant: plain values that a source filled in; no behaviour that needs a source.
"""
