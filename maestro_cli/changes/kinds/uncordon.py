"""Uncordon: have a node take new pods again. Invariant: no pod is moved to it."""

from __future__ import annotations

from maestro_cli.changes.kinds.scheduling import SchedulingKind


class Uncordon(SchedulingKind):
    """Takes no parameters."""

    name = "uncordon"
    flag = False
    opposite = "cordon"
    state = "takes new pods"
