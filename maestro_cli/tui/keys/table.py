"""Every key of the console: of the app, of its panes, of each screen's actions.

Invariant: read from the very bindings that work, so that help, documents and keys.yaml cannot differ from
them. Ids are unique.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module

from textual.binding import Binding
from textual.widget import Widget

from maestro_cli.tui.keys.bindings import APP_BINDINGS
from maestro_cli.tui.keys.model import Key
from maestro_cli.tui.keys.names import normal_key, split_keys, spoken_keys
from maestro_cli.tui.screens.model import OwnScreen, Place, ReportScreen, Screen, TableScreen
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.views.side_view import SideView
from maestro_cli.tui.views.view import View

EVERYWHERE = "everywhere"
SIDES = "contexts side by side"
# How ids of panes begin → what people call those.
PANES = {
    "table": "lists",
    "lines": "texts",
    "log": "what is followed",
    "prompt": "the line that is typed in",
    "done": "the log of what was done",
}
_PANES_OF: Mapping[type[Screen], tuple[str, ...]] = {TableScreen: ("lists",), ReportScreen: ("texts",)}


@cache
def every_key() -> tuple[Key, ...]:
    """All of them, in the order of help; an id is there once, though several screens may share an action."""
    found: dict[str, Key] = {}
    of_screens = (key for screen in every_screen().values() for key in keys_of_screen(screen))
    for key in (*app_keys(), *pane_keys(), *side_keys(), *of_screens):
        found.setdefault(key.id, key)
    return tuple(found.values())


def app_keys() -> tuple[Key, ...]:
    """Those that work everywhere."""
    return (*_keys(APP_BINDINGS, EVERYWHERE), *_keys(View.BINDINGS, EVERYWHERE))


def side_keys() -> tuple[Key, ...]:
    """Of several contexts side by side."""
    return tuple(_keys(SideView.BINDINGS, SIDES))


@cache
def pane_keys() -> tuple[Key, ...]:
    """Of the widgets that lists, texts and logs are shown in."""
    import maestro_cli.tui.widgets as package

    found: dict[str, Key] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, Widget) and kind.__module__ == module.name:
                for key in _keys(kind.__dict__.get("BINDINGS", ()), ""):
                    place = PANES.get(key.id.split(".")[0], key.id.split(".")[0])
                    found[key.id] = Key(key.id, key.keys, key.title, key.tooltip, place)
    return tuple(found.values())


def keys_of_screen(screen: Screen) -> Iterator[Key]:
    """Of its actions, and of its own view where it has one."""
    for action in screen.actions:
        yield Key(action.id, action.key, action.title, action.tooltip, screen.id, action.danger, action.worst)
    if isinstance(screen, OwnScreen) or (isinstance(screen, TableScreen) and screen.picture is not None):
        known = {action.id for action in screen.actions} | {key.id for key in app_keys()}
        for kind in type(screen.view(Place(screen.id))).__mro__:
            if kind.__module__.startswith("maestro_cli."):
                yield from (
                    key for key in _keys(kind.__dict__.get("BINDINGS", ()), screen.id) if key.id not in known
                )


def keys_together(screen: Screen) -> tuple[Key, ...]:
    """Those that work at the same time on a screen, also of several contexts side by side."""
    panes = screen.panes if isinstance(screen, OwnScreen) else _PANES_OF[type(screen)]
    return (
        *app_keys(),
        *(key for key in pane_keys() if key.place in panes),
        *(() if isinstance(screen, OwnScreen) else side_keys()),
        *keys_of_screen(screen),
    )


def first_key(name: str, chosen: Mapping[str, str]) -> str:
    """What is pressed for what has that id, as people name it; the menu for what has no key of its own."""
    keys = chosen.get(name) or next(key.keys for key in every_key() if key.id == name)
    return spoken_keys(keys).split()[0] if keys else first_key("view.menu", chosen)


def clashes(keys: Iterable[Key], chosen: Mapping[str, str]) -> list[tuple[str, Key, Key]]:
    """Each key that two of them are on, as `chosen` (id → keys) has it, with both."""
    found, holders = [], dict[str, Key]()
    for key in keys:
        for one in map(normal_key, split_keys(chosen.get(key.id, key.keys))):
            holder = holders.setdefault(one, key)
            if holder.id != key.id:
                found.append((one, holder, key))
    return found


def _keys(bindings: Iterable[object], place: str) -> Iterator[Key]:
    for one in bindings:
        if isinstance(one, Binding) and one.id:
            yield Key(one.id, one.key, one.description, one.tooltip or one.description, place)
