"""Seeds as people write them: `7`, `1-5`, `1,3,7-9`."""

from __future__ import annotations

import re

from maestro_cli.core.errors import UsageError

MAX_SEEDS = 100
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def read_seeds(text: str) -> tuple[int, ...]:
    """In the order written, each once. Raises UsageError."""
    found: dict[int, None] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + MAX_SEEDS:
            raise UsageError(
                f"{text!r} are no seeds", why=f"{part.strip()!r} is none", fix="such as 1-5 or 1,3,7"
            )
        found |= dict.fromkeys(range(first, last + 1))
    if len(found) > MAX_SEEDS:
        raise UsageError(f"{text!r} are over {MAX_SEEDS} seeds", fix="name fewer")
    return tuple(found)
