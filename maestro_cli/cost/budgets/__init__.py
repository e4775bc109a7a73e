"""What may be spent in a month: how much is spent, what it will come to, and what made a day dear."""
