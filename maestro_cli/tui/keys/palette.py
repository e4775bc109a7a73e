"""What ctrl+p finds: screens, actions of what is chosen, contexts, themes and verbs.

Invariant: nothing here is markup: what is found is shown as text, and an action says its danger for what is
chosen, and why it is refused now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.keys.commands import VERBS
from maestro_cli.tui.screens.table import every_screen

if TYPE_CHECKING:
    from maestro_cli.tui.app import ConsoleApp

Found = tuple[str, str, Callable[[], object]]  # what is searched, what is said of it, what it does


def _shown(title: str, words: str) -> Text:
    """Dim words could not be read on the chosen row of every theme."""
    return Text(title).append(f"  {words}", style="not bold")


class ConsoleCommands(Provider):
    """The console's own; there are no others."""

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, words, does in self._all():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, _shown(title, words), does, text=title)

    async def discover(self) -> Hits:
        for title, words, does in self._all():
            yield DiscoveryHit(_shown(title, words), does, text=title)

    def _all(self) -> Iterator[Found]:
        app = cast("ConsoleApp", self.app)
        yield from self._actions(app)
        for screen in every_screen().values():
            yield f"Go to {screen.title}", screen.help, partial(app.run_line, screen.id)
        for name in app.behind.contexts():
            shown = visible(name, 100)
            yield f"Context {shown}", "show it alone", partial(app.run_line, f"ctx {name}")
        for name in app.theme_names:
            yield f"Theme {name}", "colours", partial(app.run_line, f"theme {name}")
        for verb in VERBS:
            if not verb.needs:
                yield verb.usage, verb.help, partial(app.run_line, verb.name)

    def _actions(self, app: ConsoleApp) -> Iterator[Found]:
        view = app.view
        if view is None:
            return
        targets = view.targets()
        of = (
            targets[0].name
            if len(targets) == 1
            else f"{len(targets)} marked"
            if targets
            else "nothing chosen"
        )
        for action in view.spec.actions:
            refusal = app.dispatcher.refusal(action, targets)
            danger = action.on(targets).danger.value
            words = danger if refusal is None else f"{danger}, refused now: {refusal.why}"
            title = visible(f"{action.title}: {of}", 200)
            yield title, visible(words, 200), partial(app.act, action, targets)
