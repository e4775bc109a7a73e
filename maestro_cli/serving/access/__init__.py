"""Who may ask for what. Invariant: what no rule allows is refused."""
