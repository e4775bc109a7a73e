"""What was there, hour by hour, and how much of it was asked for and used."""
