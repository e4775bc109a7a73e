"""What is written about an incident once it is over."""
