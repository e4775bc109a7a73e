"""A key of the console, as data. Invariant: an id names one thing that can be done, for good."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.tui.acting.model import Danger


@dataclass(frozen=True, slots=True)
class Key:
    """`keys`: by default, several with commas between; "" for what has none until keys.yaml gives it one.

    `place` is where it works: `everywhere`, a kind of pane (`lists`, `texts`, `logs`), or the id of a screen.
    `danger` is that of what it does, `worst` the most that it can be for what is chosen.
    """

    id: str
    keys: str
    title: str
    tooltip: str
    place: str
    danger: Danger = Danger.OBSERVE
    worst: Danger = Danger.OBSERVE
