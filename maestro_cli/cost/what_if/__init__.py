"""What the bill would be if something were otherwise, with bounds and every assumption."""
