"""`python -m tests.bench.bare_scene`: as little as a full screen can be that is made of the same framework.

No console made of it paints sooner than this.
"""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("READ-ONLY")


if __name__ == "__main__":
    Bare().run()
