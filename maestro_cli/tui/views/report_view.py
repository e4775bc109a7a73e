"""One thing whole, as a report. Invariant: what could not be read says so; what was read before stays, but
nothing of now is shown as the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.rewind.comparison import text_difference
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen
from maestro_cli.tui.store.model import UNREAD, Snapshot
from maestro_cli.tui.text import Spans, plain_text
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.report_view import ReportView, report_lines
from maestro_cli.tui.widgets.source_colours import source_lines

NOT_KNOWN = "what it is now is not known"


def difference_lines(then: Sequence[str], now: Sequence[str]) -> list[Spans]:
    """Two texts as the lines that differ, coloured."""
    return source_lines(text_difference(then, now) or "nothing differs", "diff")


class ReportPane(View):
    """Renders a ReportScreen; while the past is compared with now, the lines that differ."""

    can_compare = True

    def __init__(self, screen_: ReportScreen, place: Place) -> None:
        super().__init__(screen_, place)
        self._screen = screen_
        self._targets: tuple[Target, ...] = ()

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield ReportView()

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        key = min(self.keys(snapshot.scope))
        fact = self._screen.fact(snapshot, key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(self._screen.feed.needs, [(key.context, fact)], now, is_past=is_past)
        if not fact.is_known:
            if is_past:
                self._targets = ()
                self.query_one(ReportView).show_lines(())
            return
        target = self._screen.target(self.place, fact.data)
        self._targets = () if target is None else (target,)
        live = self._screen.live
        worked = None if live is None else snapshot.fact(live(key.context, self.place.argument)).data
        moment = Moment(now, snapshot.scope, key.context, worked)
        report = self._screen.report(fact.data, moment)
        if snapshot.against is None:
            self.query_one(ReportView).show(report)
            return
        other = snapshot.against.get(key, UNREAD)
        if not other.is_known:
            self.query_one(ReportView).show_lines(source_lines(NOT_KNOWN, "text"))
            return
        then, today = (
            [plain_text(line) for line in report_lines(one)]
            for one in (report, self._screen.report(other.data, moment))
        )
        self.query_one(ReportView).show_lines(difference_lines(then, today))

    def targets(self) -> tuple[Target, ...]:
        return self._targets
