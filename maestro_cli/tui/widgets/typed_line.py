"""A line that somebody types in, or that is filled in for them.

Invariant: whatever is filled in or pasted, it is text of one line that can be seen, short enough to be drawn.
"""

from __future__ import annotations

from typing import Any

from textual.widgets import Input

from maestro_cli.core.untrusted import visible

LONGEST = 4096  # characters
# For each character that a terminal would obey or hide: the places in the line stay as they were.
REPLACEMENT = "\ufffd"


class TypedLine(Input):
    """Satisfies `Input`."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**{"max_length": LONGEST, **named})

    def validate_value(self, value: str) -> str:
        value = value[: self.max_length]
        if visible(value) == value:
            return value
        return "".join(one if visible(one) == one else REPLACEMENT for one in value)
