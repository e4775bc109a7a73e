"""Who does what about an incident: roles, tasks, status updates, who is on call, and who is told next."""
