"""The one parent of the platform's processes: starts, watches, restarts and stops them.

Invariant: it holds the lock of the state folder as long as it lives, and everything it starts gets SIGTERM
from the kernel when it dies (on Linux) and carries the marker (everywhere).
"""
