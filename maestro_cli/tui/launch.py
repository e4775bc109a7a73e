"""Opens the console on the terminal.

Invariant: where one is is on the terminal before a full screen is imported, which takes its time. What is
remarked while it is open is shown in it, and the terminal is as it was when it ends.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from sys import getswitchinterval, setswitchinterval
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError, UsageError
from maestro_cli.output.diagnostics import note, told_to
from maestro_cli.tui.heading import header_text
from maestro_cli.tui.keys.remembered import Remembered, recall
from maestro_cli.tui.opening import opening
from maestro_cli.tui.store.model import Scope, Snapshot
from maestro_cli.tui.web.launch import is_served, serve_to_browser

SWITCH_SECONDS = 0.0005  # a key is read, done and written by three threads, each of which waits so long

if TYPE_CHECKING:
    from maestro_cli.services.pods_ahead import PodsAhead
    from maestro_cli.services.root import Services
    from maestro_cli.tui.app import ConsoleApp
    from maestro_cli.tui.console import Console
    from maestro_cli.tui.screens.model import Place


def open_console(services: Services, contexts: tuple[str, ...], namespace: str, screen: str) -> None:
    """Run until it is left; in lines with --plain. Raises UsageError without a terminal and for unknown
    screens, NotFound, InvalidFile, Interrupted once it was told to end or its terminal has gone."""
    if is_served():
        from maestro_cli.local.process import die_with_parent

        die_with_parent()
    elif services.options.is_plain:
        _open_lines(services, contexts, namespace, screen)
        return
    else:
        _require_terminal()
    kept = recall()
    scope = _first_scope(services, contexts, namespace, kept)
    words = header_text(Snapshot(scope), services.clock.now())
    shown = nullcontext() if is_served() else opening(words)
    early = EarlyRemarks()
    try:
        with (
            shown as opened, _kept_for_good(), _turns_of(SWITCH_SECONDS),
            ExitStack() as at_the_end, told_to(early.hear),
        ):  # fmt: skip
            console, app = _made(services, scope, screen, kept)
            at_the_end.callback(console.close)
            app.opening = opened
            early.tell(app.remark)
            with services.cancellation.calling(app.end_soon):
                console.recorder.start()
                app.run()
    finally:
        early.tell(note)
    if app.fault is not None:
        raise app.fault
    services.cancellation.raise_if_set()


class EarlyRemarks:
    """What is remarked while something else is on the terminal: kept until somebody can show it.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[str] = []
        self._show: Callable[[str], None] = self._kept.append

    def hear(self, text: str) -> None:
        with self._lock:
            self._show(text)

    def tell(self, show: Callable[[str], None]) -> None:
        """Show what was kept there, and all that comes."""
        with self._lock:
            self._show = show
            for text in self._kept:
                show(text)
            self._kept.clear()


def _first_scope(services: Services, contexts: tuple[str, ...], namespace: str, kept: Remembered) -> Scope:
    """What it is about when it opens. Raises NotFound, InvalidFile."""
    names = _known(services, contexts)
    own = services.settings.context(names[0]).namespace or ""
    return Scope(names, namespace or kept.namespaces.get(names[0], own))


@contextmanager
def _kept_for_good() -> Iterator[None]:
    """No cycle is looked for in what is imported, made and first read, which stays until the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _look_for_cycles() -> None:
    """From now on, in what is made from now on."""
    gc.freeze()
    gc.enable()


@contextmanager
def _turns_of(seconds: float) -> Iterator[None]:
    """Threads that want to run wait so long for one that computes."""
    before = getswitchinterval()
    setswitchinterval(seconds)
    try:
        yield
    finally:
        setswitchinterval(before)


def _made(services: Services, scope: Scope, screen: str, kept: Remembered) -> tuple[Console, ConsoleApp]:
    """The console and its full screen, of which nothing runs yet. Raises as `open_console`."""
    from maestro_cli.tui.screens.model import Place

    first = screen or first_screen(services, scope.contexts, kept.screen)
    ahead = _begun_apart(services, first, scope)
    place = Place(
        named_screen(screen) if screen else _screen_or_first(first)
    )  # refused before more is opened
    from maestro_cli.tui.console import Console

    chosen = {name: one.color for name, one in services.settings.contexts.items() if one.color}
    console = Console(services.options, services.clock, scope.contexts, scope.namespace, ahead, chosen)
    _read_ahead(console, place)
    from maestro_cli.tui.app import ConsoleApp
    from maestro_cli.tui.keys.keymap import usable_keymap
    from maestro_cli.tui.left_over import left_over_words

    keymap, fault = usable_keymap()
    app = ConsoleApp(console, place, keymap, kept)
    if fault is not None:
        app.tell_first("keys.yaml is not used: every key is as it comes", fault)
    app.when_whole = _look_for_cycles
    app.greeting = lambda: left_over_words(console, app.chosen_keys)
    return console, app


def _begun_apart(services: Services, screen: str, scope: Scope) -> PodsAhead | None:
    """Have the list of pods of one cluster be read by another process while this one imports, the other
    screens too; on one core that would only be more to do."""
    from maestro_cli.tui.screens.pods import SCREENS

    if (
        (os.cpu_count() or 1) < 2
        or len(scope.contexts) > 1
        or screen not in {name for one in SCREENS for name in (one.id, *one.aliases)}
    ):
        return None
    from maestro_cli.services.pods_ahead import read_pods_ahead

    return read_pods_ahead(services, scope.context, scope.namespace)


def _read_ahead(console: Console, place: Place) -> None:
    """Have the first list be on its way while a full screen is imported."""
    from maestro_cli.tui.screens.model import TableScreen
    from maestro_cli.tui.screens.table import every_screen

    screen = every_screen()[place.screen]
    if isinstance(screen, TableScreen):
        console.feeds.want(screen.keys(place, console.store.snapshot.scope))


def _open_lines(services: Services, contexts: tuple[str, ...], namespace: str, screen: str) -> None:
    """The console without a screen: no part of one is imported."""
    from maestro_cli.tui.console import Console
    from maestro_cli.tui.plain.launch import open_lines
    from maestro_cli.tui.screens.model import Place

    names = _known(services, contexts)
    first = namespace or services.settings.context(names[0]).namespace or ""
    wanted = named_screen(screen)
    console = Console(services.options, services.clock, names, first)
    open_lines(console, Place(wanted))


def serve_console(
    services: Services, contexts: tuple[str, ...], namespace: str, screen: str, port: int
) -> None:
    """Serve it to one browser until it is ended. Raises as `open_console`, and ActionFailed, Unreachable."""
    names = _known(services, contexts)
    named_screen(screen)
    serve_to_browser(services, names, namespace, screen, port)


def _require_terminal() -> None:
    """Raises UsageError where there is none, or one that cannot show a full screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the console needs a terminal", why="its input or output is none", fix="maestro status -o json"
        )
    if os.environ.get("TERM") == "dumb":
        raise UsageError(
            "the console needs a terminal that moves its cursor", why="TERM is dumb", fix="maestro status"
        )


def _known(services: Services, contexts: tuple[str, ...]) -> tuple[str, ...]:
    """The contexts, or the one of the command; raises NotFound."""
    names = tuple(dict.fromkeys(contexts)) or (services.context_name,)
    for name in names:
        services.settings.context(name)
    return names


def first_screen(services: Services, contexts: tuple[str, ...], remembered: str) -> str:
    """The incidents while one is open, or while nobody can tell; else where the console was last, which may
    be no screen any more."""
    from maestro_cli.tui.screens.table import FIRST

    if remembered in ("", FIRST):
        return FIRST
    from maestro_cli.incidents.glance import is_any_open

    try:
        own = services.context_name
        of_each = (services if one == own else services.in_context(one) for one in contexts)
        is_quiet = all(is_any_open(one.journal_path) is False for one in of_each)
    except MaestroError:
        is_quiet = False
    return remembered if is_quiet else FIRST


def _screen_or_first(screen: str) -> str:
    """That screen, unless there is none of this id."""
    from maestro_cli.tui.screens.table import FIRST, every_screen

    return screen if screen in every_screen() else FIRST


def named_screen(text: str) -> str:
    """The id of the screen of that name or alias; the first one for "". Raises UsageError."""
    from maestro_cli.tui.screens.table import FIRST, screen_names

    names = screen_names()
    if text and text not in names:
        from maestro_cli.config.explanation import suggestion

        raise UsageError(f"there is no screen {text[:60]!r}", why=suggestion(text, names), fix="maestro tui")
    return names[text or FIRST]
