"""Rules of incidents: which signals belong together, read from files that people write."""
