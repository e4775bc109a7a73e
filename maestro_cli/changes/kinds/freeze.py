"""Freeze: have nothing promoted, and no canary grow, until it is unfrozen."""

from __future__ import annotations

from maestro_cli.changes.kinds.freezing import FreezingKind


class Freeze(FreezingKind):
    """Takes no parameters."""

    name = "freeze"
    flag = True
    opposite = "unfreeze"
