"""What the server tells about itself. Invariant: telling it never stops or slows serving."""
