"""What an incident costs, and what a million predictions cost."""
