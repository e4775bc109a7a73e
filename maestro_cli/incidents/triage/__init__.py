"""Evidence is collected, suspects are ranked; free, deterministic, and able to say "none found"."""
