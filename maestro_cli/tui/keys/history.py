"""Lines that were typed before, over sessions.

Invariant: at most LONGEST lines in a file for this user alone; a file that cannot be read or written costs
the memory of lines and nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.files import open_file, write_atomically

LONGEST = 200
LONGEST_LINE = 500
LONGEST_FILE = LONGEST * (LONGEST_LINE + 1) * 4


class History:
    """The lines of one file, the oldest first, and where a person who goes through them is."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or state_dir() / "console-history"
        self._at = 0
        self._draft = ""

    def lines(self) -> list[str]:
        try:
            with open_file(self._path) as stream:
                text = stream.read(LONGEST_FILE).decode("utf-8", "replace")
        except OSError:
            return []
        found = (line.strip()[:LONGEST_LINE] for line in text.splitlines())
        return [line for line in found if line and line.isprintable()][-LONGEST:]

    def add(self, line: str) -> None:
        """Remember a line as the newest one; it is there once."""
        line = line.strip()[:LONGEST_LINE]
        self._at = 0
        if not line or not line.isprintable():
            return
        kept = [one for one in self.lines() if one != line]
        with suppress(OSError, MaestroError):
            make_private(self._path.parent)
            text = "\n".join([*kept, line][-LONGEST:]) + "\n"
            write_atomically(self._path, text, mode=0o600)

    def step(self, by: int, typed: str) -> str:
        """The line `by` further back (negative: forward) than the one shown; at the end what was typed."""
        lines = self.lines()
        if self._at == 0:
            self._draft = typed
        self._at = max(0, min(self._at + by, len(lines)))
        return lines[-self._at] if self._at else self._draft

    def rest(self) -> None:
        """Begin again at the newest line."""
        self._at = 0
