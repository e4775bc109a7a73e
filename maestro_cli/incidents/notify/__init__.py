"""Which channel is told of what happens to incidents."""
