"""Cordon: have a node take no new pods. Invariant: those that run there stay."""

from __future__ import annotations

from maestro_cli.changes.kinds.scheduling import SchedulingKind


class Cordon(SchedulingKind):
    """Takes no parameters."""

    name = "cordon"
    flag = True
    opposite = "uncordon"
    state = "takes no new pods"
