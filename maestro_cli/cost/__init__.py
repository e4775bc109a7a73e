"""What an incident costs."""
