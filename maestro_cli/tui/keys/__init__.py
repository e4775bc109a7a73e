"""Which key does what, and the command line. Invariant: one table holds every binding of the console."""
