"""The colour of a context, by which people tell one from another before they have read its name.

Invariant: what the settings say, else one that follows from the name alone: the same on every machine and
whatever other contexts there are. Red and orange are nobody's unless somebody says so: the console shows in
them that a context is armed, and that it shows the past.
"""

from __future__ import annotations

from typing import Literal, get_args
from zlib import crc32

Colour = Literal["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "grey"]
COLOURS: tuple[str, ...] = get_args(Colour)
OF_NAMES: tuple[str, ...] = ("yellow", "grey", "green", "blue", "cyan", "pink", "purple")
_BEGIN = 623  # with it local, dev, staging, prod, prod-eu and prod-us, which many have, are six colours


def colour_of(name: str, chosen: str | None) -> str:
    """`chosen`, or that of the name."""
    return chosen or OF_NAMES[crc32(name.encode("utf-8", "surrogatepass"), _BEGIN) % len(OF_NAMES)]
