"""Chaos Mesh: what its resources look like, what maestro demands of them, and how they are followed."""
