"""The full-screen console. Invariant: it renders one store; sources are asked by feeds alone, the world is
changed by the dispatcher alone, and no text reaches the screen but through `tui.text`."""
