"""The composition root: the one place where endpoints become sources and sources become use cases.

Invariant: everything is built on first use and imported where it is built.
"""

from maestro_cli.services.root import GlobalOptions, Services

__all__ = ["GlobalOptions", "Services"]
