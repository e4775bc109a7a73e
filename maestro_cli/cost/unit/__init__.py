"""What a million predictions cost: of a service, of each version of its model, of what nobody asked for."""
