"""How the shipped models came to be: one module a model, and what they share."""
