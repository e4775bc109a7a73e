"""Every screen, in the order of the menu.

Invariant: a room brings its screens by one line here: a module of this folder with a tuple `SCREENS`. Nothing
else of the console names a screen's module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from maestro_cli.tui.feeds.model import AnyFeed
from maestro_cli.tui.screens.model import Screen

MODULES: tuple[str, ...] = (
    "incidents",
    "services",
    "objectives",
    "sla",
    "costs",
    "unit_costs",
    "cost_budgets",
    "rightsizing",
    "workloads",
    "pods",
    "nodes",
    "inspection",
    "logs",
    "models",
    "changes",
    "silences",
    "records",
    "incident",
    "runs",
    "runbooks",
    "experiments",
)
FIRST = "incidents"


@cache
def every_screen() -> Mapping[str, Screen]:
    """By id, in the order of MODULES."""
    found: dict[str, Screen] = {}
    for name in MODULES:
        for screen in import_module(f"maestro_cli.tui.screens.{name}").SCREENS:
            if screen.id in found:
                raise ValueError(f"two screens are called {screen.id!r}")
            found[screen.id] = screen
    return found


@cache
def strip_feed() -> AnyFeed:
    """What the line of burn shows on every screen."""
    from maestro_cli.tui.screens.services import BURNING

    return BURNING


@cache
def announced_feed() -> AnyFeed:
    """What is listened to on every screen, for the bell."""
    from maestro_cli.tui.screens.incidents import INCIDENTS

    return INCIDENTS


@cache
def every_feed() -> Mapping[str, AnyFeed]:
    """By id; screens may share one."""
    found: dict[str, AnyFeed] = {one.id: one for one in (strip_feed(), announced_feed())}
    for screen in every_screen().values():
        for feed in screen.feeds:
            if found.setdefault(feed.id, feed) is not feed:
                raise ValueError(f"two feeds are called {feed.id!r}")
    return found


@cache
def screen_names() -> Mapping[str, str]:
    """The id of the screen that each id and alias names."""
    return {name: one.id for one in every_screen().values() for name in (one.id, *one.aliases)}
