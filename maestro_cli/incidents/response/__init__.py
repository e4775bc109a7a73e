"""The whole response to an incident, by a person's command or on duty."""
