"""From signals to one incident, its suspects, its clock and its post-mortem."""
