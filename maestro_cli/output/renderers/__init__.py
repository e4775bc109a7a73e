"""How each room's facts look: one module a room, data to views, no input or output."""
