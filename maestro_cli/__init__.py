"""maestro: from the page to the post-mortem without leaving the terminal."""

__version__ = "0.1.0"
