"""The bill, shared out to whoever caused it, so that the shares add up to it."""
