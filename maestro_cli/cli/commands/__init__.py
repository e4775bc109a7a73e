"""One module a command group, named like the command."""
