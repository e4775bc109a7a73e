"""What it costs, who spends it, and what can be saved: prices × amounts, shared out so that they add up."""
