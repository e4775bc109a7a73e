"""The only writer of stdout and stderr."""
