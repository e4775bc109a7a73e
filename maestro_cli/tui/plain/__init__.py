"""The console in lines, for screen readers and pipes. Invariant: it imports no part of a screen, and writes
whole lines in the order in which they are read aloud."""
