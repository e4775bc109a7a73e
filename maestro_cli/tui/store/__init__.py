"""What the console knows. Invariant: one frozen snapshot at a time, made by the reducer and nothing else."""
