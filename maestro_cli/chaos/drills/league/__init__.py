"""The drill league: many scenarios, details drawn from a seed, the truth sealed in another process."""
