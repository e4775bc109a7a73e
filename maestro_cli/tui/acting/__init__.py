"""What the console does. Invariant: everything that alters anything goes through the one dispatcher."""
