"""What reads the world for the console. Invariant: nothing else in the room calls a source."""
