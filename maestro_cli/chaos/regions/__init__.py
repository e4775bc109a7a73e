"""What the loss of a region costs: how long nobody was served, and what was lost with it."""
