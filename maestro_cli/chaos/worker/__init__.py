"""The child in which Chaos Toolkit performs one experiment: `python -m maestro_cli.chaos.worker FD`."""
