"""Pause: hold a rollout where it is, and every template change to come. Invariant: it ends no replica."""

from __future__ import annotations

from maestro_cli.changes.kinds.pausing import PausingKind


class Pause(PausingKind):
    """Takes no parameters."""

    name = "pause"
    flag = True
    opposite = "resume"
    state = "paused"
