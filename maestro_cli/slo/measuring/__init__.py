"""What an objective measured over a window, from raw samples: counts, coverage, bounds, verdict."""
