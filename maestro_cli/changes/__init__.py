"""The one way to change the world: plan, gate, apply, verify, undo."""
