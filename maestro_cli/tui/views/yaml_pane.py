"""An object as YAML. Invariant: it is drawn anew only when it has changed, so that nobody loses the place."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from maestro_cli.tui.screens.inspection import YAML
from maestro_cli.tui.store.model import UNREAD, Fact, Snapshot
from maestro_cli.tui.text import LONGEST
from maestro_cli.tui.views.report_view import NOT_KNOWN, difference_lines
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.yaml_view import YamlView

if TYPE_CHECKING:
    from maestro_cli.core.facts.inspection import ObjectText


class YamlPane(View):
    """Renders YAML; while the past is compared with now, the lines that differ."""

    can_compare = True

    def __init__(self, screen_: Any, place: Any) -> None:
        super().__init__(screen_, place)
        self._text = ""

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield YamlView()

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        key = min(self.keys(snapshot.scope))
        fact = snapshot.fact(key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(YAML.needs, [(key.context, fact)], now, is_past=is_past)
        if is_past and not fact.is_known:
            self._text = ""
            self.query_one(YamlView).show("")
        if fact.is_known and snapshot.against is not None:
            self._compare(fact.data, snapshot.against.get(key, UNREAD))
        elif fact.is_known and fact.data.text != self._text:
            self._text = fact.data.text
            self.query_one(YamlView).show(whole_text(fact.data))

    def _compare(self, then: ObjectText, now: Fact) -> None:
        self._text = ""
        if now.is_known:
            lines = difference_lines(whole_text(then).splitlines(), whole_text(now.data).splitlines())
            self.query_one(YamlView).show_lines(lines)
        else:
            self.query_one(YamlView).show(NOT_KNOWN, "text")


def whole_text(read: ObjectText) -> str:
    """The text, below what is left out of it, and which of its lines are too long to be shown whole."""
    hidden = f"# not shown: {', '.join(read.hidden)}\n" if read.hidden else ""
    long = [_cut_line(line) for line in read.text.splitlines() if len(line) > LONGEST]
    cut = f"# not shown to the end: {', '.join(long)}\n" if long else ""
    return hidden + cut + read.text


def _cut_line(line: str) -> str:
    """`example.com/notes (200,017 characters)`."""
    return f"{line.strip()[:100].partition(': ')[0]} ({len(line):,} characters)"
