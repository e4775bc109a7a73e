"""What lasted a while cost in machines and in people: an incident, a drill, any window."""
