"""What each verb of the command line does. Invariant: a verb only calls what a key could have called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.keys.commands import Do, Known, names_in
from maestro_cli.tui.keys.export import session_markdown, write_new
from maestro_cli.tui.screens.table import screen_names
from maestro_cli.tui.store.events import ContextDisarmed

if TYPE_CHECKING:
    from maestro_cli.tui.app import ConsoleApp
    from maestro_cli.tui.store.model import Snapshot

SEEN_ITEMS = 5000  # of a fact, that are asked for their namespace


def known_now(app: ConsoleApp) -> Known:
    """What can be named now."""
    snapshot = app.behind.store.snapshot
    return Known(screen_names(), app.behind.contexts(), app.theme_names, seen_namespaces(snapshot))


def seen_namespaces(snapshot: Snapshot) -> tuple[str, ...]:
    """The namespaces of what was read, and the one of the scope."""
    found = {snapshot.scope.namespace} - {""}
    for fact in snapshot.facts.values():
        if isinstance(fact.data, tuple):
            for item in fact.data[:SEEN_ITEMS]:
                name = getattr(item, "namespace", None)
                if isinstance(name, str) and name:
                    found.add(name)
    return tuple(sorted(found))


def do(app: ConsoleApp, command: Do) -> None:
    """Carry it out. Raises UsageError."""
    DOES[command.verb](app, command.argument)


def _contexts(app: ConsoleApp, argument: str) -> None:
    names = names_in(argument)
    scope = app.behind.store.snapshot.scope
    app.is_beside = False
    namespace = app.behind.own_namespace(names[0]) if names[0] not in scope.contexts else scope.namespace
    app.rescope(replace(scope, contexts=names, namespace=namespace, incident="", since=None))


def _side(app: ConsoleApp, argument: str) -> None:
    """Raises UsageError where there is no room for so many panes."""
    from maestro_cli.tui.views.side_view import arranged, room_words

    scope = app.behind.store.snapshot.scope
    names = names_in(argument) or scope.contexts
    if app.is_beside and not argument:
        app.is_beside = False
    elif len(names) < 2:
        raise UsageError("side by side are several contexts", fix=":side prod-eu prod-us")
    elif arranged(app.body.size.width, app.body.size.height, len(names)) == "one":
        raise UsageError(
            f"there is no room for {len(names)} panes", why=room_words(len(names)), fix=":ctx a,b"
        )
    else:
        app.is_beside = True
    namespace = scope.namespace if names[0] in scope.contexts else app.behind.own_namespace(names[0])
    app.rescope(replace(scope, contexts=names, namespace=namespace, incident="", since=None))


def _namespace(app: ConsoleApp, argument: str) -> None:
    """At once for one that was seen; else the clusters are asked, beside, whether there is such a one.

    An answer that comes after something else was wanted changes nothing.
    """
    scope = app.behind.store.snapshot.scope
    app.wanted_namespace = argument
    if argument == "all" or argument in seen_namespaces(app.behind.store.snapshot):
        app.rescope(replace(scope, namespace="" if argument == "all" else argument))
        return

    def show() -> None:
        if app.behind.store.snapshot.scope == scope and app.wanted_namespace == argument:
            app.rescope(replace(scope, namespace=argument))

    def look() -> None:
        try:
            refused = app.behind.why_no_namespace(argument, scope.contexts)
        except Exception as error:  # noqa: BLE001 - the border of the thread: it is told where it was asked
            refused = f"whether there is a namespace {argument} is not known: {told(error).line}"
        if refused:
            app.remark(refused)
        else:
            app.call_later(show)

    app.status.tell(f"asking for the namespace {argument}")
    app.beside(look)


def _write(app: ConsoleApp, argument: str) -> None:
    app.arm(app.chosen_context, argument or "10")


def _read(app: ConsoleApp, argument: str) -> None:
    app.behind.store.dispatch(*map(ContextDisarmed, tuple(app.behind.store.snapshot.armed)))


def _at(app: ConsoleApp, argument: str) -> None:
    at = _instant(app, "at", argument)
    app.beside(lambda: app.behind.recorder.go_to(at, is_compared=False))


def _diff(app: ConsoleApp, argument: str) -> None:
    at = _instant(app, "diff", argument)
    if app.view is not None and not app.view.can_compare:
        raise UsageError(f"{app.view.spec.title} has no rows or lines that can be compared", fix=":at 14:05")
    app.beside(lambda: app.behind.recorder.go_to(at, is_compared=True))


def _instant(app: ConsoleApp, verb: str, argument: str) -> datetime:
    """Raises UsageError."""
    from maestro_cli.tui.rewind.recorder import read_instant

    try:
        return read_instant(argument, app.now())
    except ValueError as error:
        fix = f":{verb} 14:05, or :{verb} 10m"
        raise UsageError(f"{argument!r} is no time", why=str(error), fix=fix) from error


def _live(app: ConsoleApp, argument: str) -> None:
    app.behind.recorder.resume()


def _back(app: ConsoleApp, argument: str) -> None:
    app.action_leave()


def _quit(app: ConsoleApp, argument: str) -> None:
    app.call_later(app.action_quit)


def _theme(app: ConsoleApp, argument: str) -> None:
    app.theme = argument


def _notify(app: ConsoleApp, argument: str) -> None:
    herald = app.herald
    herald.wanted = argument or herald.wanted
    here = f": {herald.way} here" if herald.way != herald.wanted else ""
    app.status.tell(f"notify is {herald.wanted}{here}")


def _done(app: ConsoleApp, argument: str) -> None:
    app.call_later(app.action_log)


def _answer(app: ConsoleApp, argument: str) -> None:
    app.call_later(app.action_answer)


def _keys(app: ConsoleApp, argument: str) -> None:
    app.call_later(app.action_keys)


def _tour(app: ConsoleApp, argument: str) -> None:
    app.call_later(app.show_tour)


def _export(app: ConsoleApp, argument: str) -> None:
    now = app.now()
    text = session_markdown(app.behind.store.snapshot, app.trail, now, app.behind.cluster_options)
    path = write_new(argument, f"maestro-session-{now.astimezone():%Y%m%d-%H%M%S}.md", text)
    app.status.tell(f"written: {path}")


def _screenshot(app: ConsoleApp, argument: str) -> None:
    """After the prompt is gone, so that the picture is of what was looked at."""

    from maestro_cli.tui.keys.picture import take

    app.call_after_refresh(take, app, argument)


DOES: Mapping[str, Callable[[ConsoleApp, str], None]] = {
    "ctx": _contexts,
    "side": _side,
    "ns": _namespace,
    "write": _write,
    "read": _read,
    "at": _at,
    "diff": _diff,
    "live": _live,
    "back": _back,
    "theme": _theme,
    "notify": _notify,
    "quit": _quit,
    "done": _done,
    "answer": _answer,
    "keys": _keys,
    "tour": _tour,
    "export": _export,
    "screenshot": _screenshot,
}
