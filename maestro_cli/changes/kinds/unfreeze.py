"""Unfreeze: allow promotions and growing canaries again."""

from __future__ import annotations

from maestro_cli.changes.kinds.freezing import FreezingKind


class Unfreeze(FreezingKind):
    """Takes no parameters."""

    name = "unfreeze"
    flag = False
    opposite = "freeze"
