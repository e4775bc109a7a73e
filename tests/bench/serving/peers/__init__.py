"""What runs in the peers' own environments. Invariant: nothing here is imported by maestro or its tests."""
