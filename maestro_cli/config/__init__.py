"""Settings, contexts, locations, and the strict reader of files people write."""
