"""From a decoded request to the model's answer. Invariant: every request settles, with its own answer."""
