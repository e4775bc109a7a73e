"""What the console knew before. Invariant: facts are kept, and nothing is done while the past is shown."""
