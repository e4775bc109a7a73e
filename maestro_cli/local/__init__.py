"""The embedded platform: real processes on loopback, for rehearsal, tests and CI.

Invariant: everything started here carries `MAESTRO_LOCAL_PLATFORM` in its environment, so that
nothing can be left behind unseen.
"""
