"""What a step can be: one module a kind, and the table of them."""
