"""What draws. Invariant: no widget talks to a source; text reaches a strip through `tui.text` only."""
