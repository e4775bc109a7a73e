"""One incident on one screen.

Invariant: what is wrong, who it hurts, what changed and the safest next key stand on the first lines in every
size; all but the revisions and the logs is from the journal, so it stays readable while no backend answers.
Opening it fixes the scope of every place that is reached from it. Logs are read while their pane is shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.widget import Widget
from textual.widgets import Input

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.incident_story import STORY
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.messages import Remarked
from maestro_cli.tui.screens.incident import REVISIONS, fixed_scope, incident_target
from maestro_cli.tui.screens.incident_runs import LiveRun, live_key
from maestro_cli.tui.screens.incident_words import head_lines
from maestro_cli.tui.screens.model import Place, Screen
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.text import Spans, plain_text, shown
from maestro_cli.tui.views.folding import folded_head
from maestro_cli.tui.views.incident_panes import (
    IDS,
    LOGS,
    MIDDLE,
    PANES,
    RUNBOOK,
    Facts,
    Pane,
    panes_shown,
    report_of,
)
from maestro_cli.tui.views.logs_pane import LogsPane
from maestro_cli.tui.views.report_view import NOT_KNOWN, difference_lines
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.report_view import ReportView, report_lines
from maestro_cli.tui.widgets.source_colours import source_lines
from maestro_cli.tui.widgets.text_view import TextView

SCROLL_BAR = 1  # beside the head, whether there is one or not


class PaneBox(Vertical):
    """A pane in its frame."""

    def __init__(self, pane: Pane) -> None:
        super().__init__(id=f"pane-{pane.id}")
        self.pane = pane
        self.border_title = pane.title
        self._drawn: tuple[Any, ...] = ()

    def compose(self) -> ComposeResult:
        yield ReportView()

    def clear(self) -> None:
        self._drawn = ()
        self.query_one(ReportView).show_lines(())

    def show(self, facts: Facts, today: Facts | None, *, is_compared: bool) -> None:
        """Draw again what is not drawn yet; ages go on by the minute. Compared, the lines that differ."""
        drawn = (is_compared, *(_drawing(one) for one in (facts, today) if one is not None))
        if drawn == self._drawn:
            return
        self._drawn, report = drawn, self.query_one(ReportView)
        if not is_compared:
            report.show(report_of(self.pane, facts))
        elif today is None:
            report.show_lines(source_lines(NOT_KNOWN, "text"))
        else:
            report.show_lines(difference_lines(*(self._lines(one) for one in (facts, today))))

    def _lines(self, facts: Facts) -> list[str]:
        """What the pane says, the first one with the head before it."""
        head = head_lines(facts.story, facts.now, facts.keys) if self.pane is PANES[0] else []
        return [plain_text(line) for line in (*head, *report_lines(report_of(self.pane, facts)))]


def _drawing(facts: Facts) -> tuple[Any, ...]:
    return (facts.story, facts.candidates, facts.live, facts.now.minute)


class LogsBox(PaneBox):
    """The pane whose lines are followed."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield LogsPane("")

    @property
    def logs(self) -> LogsPane:
        return self.query_one(LogsPane)

    def show(self, facts: Facts, today: Facts | None, *, is_compared: bool) -> None:
        target = facts.story.printing
        self.logs.about(target)
        self.logs.display = bool(target)
        self.query_one(ReportView).display = not target
        asked = self.logs.asked
        before = "of the run before" if asked.is_previous else ""
        marks = [target, before, f"/{asked.filter}" if asked.filter else ""]
        self.border_title = Text(" · ".join(shown(one) for one in (self.pane.title, *marks) if one))
        super().show(facts, today, is_compared=False)


def _box(pane: Pane) -> PaneBox:
    return LogsBox(pane) if pane.id == LOGS else PaneBox(pane)


class IncidentView(View):
    """Head, tabs and panes; Tab moves between them, `l` leads to the logs, `z` gives one the whole screen."""

    can_compare = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "pane(1)", "Next pane", id="incident.next-pane", tooltip="To the next pane."),
        Binding(
            "shift+tab", "pane(-1)", "Pane before", id="incident.pane-before",
            tooltip="To the pane before.", show=False,
        ),
        Binding(
            "l", "logs", "Logs", id="incident.pane-logs",
            tooltip="What its suspect or its workload prints, as it is printed; / filters it.",
        ),
        Binding(
            "p", "previous", "Run before", id="incident.logs-before", show=False,
            tooltip="The log of the run before, or of now.",
        ),
        Binding("z", "zoom", "Zoom", id="incident.zoom", tooltip="Give the pane the whole screen, or not."),
    ]  # fmt: skip
    DEFAULT_CSS = """
    IncidentView { layout: vertical; }
    IncidentView #head { height: 7; background: $panel; }
    IncidentView Grid { height: 1fr; grid-gutter: 0; }
    IncidentView PaneBox { border: round $primary; border-title-color: $text; height: 1fr; }
    IncidentView PaneBox:focus-within { border: round $accent; }
    IncidentView PaneBox ReportView { height: 1fr; }
    """

    def __init__(self, screen_: Screen, place: Place) -> None:
        super().__init__(screen_, place)
        self._story: IncidentStory | None = None
        self._fixed: Scope | None = None
        self._current = IDS[0]
        self._is_zoomed = False
        self._site = place.context
        self._followed = ""  # the run that this console was seen to work on last
        self._facts: tuple[Facts, Facts | None] | None = None  # and of now, where the past is compared
        self._is_compared = False
        self._newest: tuple[Snapshot, datetime] | None = None

    def compose(self) -> ComposeResult:
        yield StaleLine(id="stale-journal")
        yield TextView(wrap=False, id="head")
        yield StaleLine(id="stale-cluster")
        with Grid():
            yield from map(_box, PANES)

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        context = self.place.context or scope.context
        is_whole = self.is_mounted and self._is_there
        logs = self._logs.key(context) if is_whole and self._box(LOGS).display else None
        about = frozenset(feed.of(context, self.place.argument) for feed in (STORY, REVISIONS))
        return about if logs is None else about | {logs}

    @property
    def _is_there(self) -> bool:
        """Whether its panes are: not before they are made, and not while it is left. A key that it was given
        before that, or a resize, comes to it even then."""
        return self.display and len(self.query(PaneBox)) == len(PANES)  # no display while it is left

    def _box(self, pane: str) -> PaneBox:
        return self.query_one(f"#pane-{pane}", PaneBox)

    @property
    def _logs(self) -> LogsPane:
        return self.query_one(LogsPane)

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        self._site = context = self.place.context or snapshot.scope.context
        fact = snapshot.fact(STORY.of(context, self.place.argument))
        revisions = snapshot.fact(REVISIONS.of(context, self.place.argument))
        is_past = snapshot.replay_at is not None
        self.query_one("#stale-journal", StaleLine).show(STORY.needs, [(context, fact)], now, is_past=is_past)
        self.query_one("#stale-cluster", StaleLine).show(
            "revisions of the workload", [(context, revisions)] if revisions.is_stale else [], now
        )
        if not fact.is_known:
            if is_past:
                self._clear()
            return
        self._story = story = fact.data
        live: LiveRun | None = snapshot.fact(live_key(context, story.incident.id)).data
        facts = Facts(story, revisions.data, live, now, self._key)
        self._facts, self._newest = (facts, self._today(snapshot, context, now)), (snapshot, now)
        self._is_compared = snapshot.against is not None
        if live is not None and live.run and live.run != self._followed:
            self._followed, self._current = live.run, RUNBOOK  # its output is on the screen, whatever was
            self._arrange()
        else:
            self._draw()
        if not is_past:
            self._fix(snapshot.scope, story)

    def _today(self, snapshot: Snapshot, context: str, now: datetime) -> Facts | None:
        """What is known now, while the past is compared with it; None where it is not known."""
        if snapshot.against is None:
            return None
        argument = self.place.argument
        found = [snapshot.against.get(feed.of(context, argument)) for feed in (STORY, REVISIONS)]
        story, candidates = (one.data if one is not None else None for one in found)
        return None if story is None else Facts(story, candidates, None, now, self._key)

    def _key(self, name: str) -> str:
        """What is pressed for it, as the keys are now."""
        from maestro_cli.tui.keys.table import first_key

        app: Any = self.app
        return first_key(name, app.chosen_keys.keys)

    def _clear(self) -> None:
        """Nothing of now is shown as the past."""
        self._story = self._facts = None
        self.query_one("#head", TextView).show_lines(())
        for box in self.query(PaneBox):
            box.clear()

    def _fix(self, scope: Scope, story: IncidentStory) -> None:
        """From now on every place is about this incident: its context, its namespace, since it began."""
        fixed = fixed_scope(scope, story, self._site)
        if fixed not in (scope, self._fixed):
            self._fixed = fixed
            self.post_message(self.ScopeFixed(self, fixed))

    def targets(self) -> tuple[Target, ...]:
        if self._story is None:
            return ()
        return (incident_target(self._story, self._site),)

    # Panes

    def on_mount(self) -> None:
        if self.place.filter and self._is_there:
            try:
                self._logs.set_filter(self.place.filter)
            except UsageError as error:  # it is open all the same
                self.post_message(Remarked(f"{error.what}: {error.why}"))
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Show the panes that have room, the current one always among them."""
        size = self.app.size
        chosen, columns = panes_shown(size.width, size.height, self._current, is_zoomed=self._is_zoomed)
        if not self._is_there:
            return
        grid = self.query_one(Grid)
        grid.styles.grid_size_columns = columns
        grid.styles.grid_size_rows = -(-len(chosen) // columns)
        had_logs = self._box(LOGS).display
        for box in self.query(PaneBox):
            box.display = box.pane.id in chosen
            box.styles.column_span = 1
        if len(chosen) % columns and len(chosen) > 1:
            self.query_one(f"#pane-{chosen[-1]}", PaneBox).styles.column_span = (
                columns - len(chosen) % columns + 1
            )
        self._keep_focus()
        self._draw()
        if had_logs != self._box(LOGS).display:
            self.post_message(self.KeysChanged())

    def _keep_focus(self) -> None:
        """The keys of a pane that is hidden go to the current one; what is typed elsewhere stays there."""
        focused = self.screen.focused
        is_hidden = focused is not None and any(
            isinstance(one, PaneBox) and not one.display for one in focused.ancestors
        )
        if is_hidden and self.home is not None:
            self.screen.set_focus(self.home)

    def _draw(self) -> None:
        """What is known, in the panes that are shown."""
        if self._facts is None or self._newest is None:
            return
        (facts, today), (snapshot, now) = self._facts, self._newest
        for box in self.query(PaneBox):
            if box.display:
                box.show(facts, today, is_compared=self._is_compared)
        newer = today if self._is_compared else facts  # the newer side has the first word
        head: list[Spans] = [] if newer is None else head_lines(newer.story, newer.now, newer.keys)
        lines = [_safe(line) for line in head] or [((NOT_KNOWN, "dim"),)]
        rows = [*folded_head(lines, self.app.size.width - SCROLL_BAR), self._tabs()]
        self.query_one("#head", TextView).styles.height = len(rows)
        self.query_one("#head", TextView).show_lines(rows)
        if self._box(LOGS).display:
            self._logs.show(snapshot, now, self._site)

    def _tabs(self) -> Spans:
        """The names of the panes, the current one in brackets; where those have no room, it alone."""
        spans: list[tuple[str, str]] = [("panes    ", "key")]
        for place, pane in enumerate(PANES, start=1):
            if pane.id == self._current:
                spans.append((f"[{pane.title}] ", "title"))
                if self.app.size.width < MIDDLE:
                    return (*spans, (f"{place} of {len(PANES)}, tab: the next", "dim"))
            elif self.app.size.width >= MIDDLE:
                spans.append((f" {pane.title}  ", "dim"))
        return (*spans, ("z: all panes" if self._is_zoomed else "z: whole screen", "dim"))

    def action_pane(self, step: int) -> None:
        self._turn_to(IDS[(IDS.index(self._current) + step) % len(IDS)])

    def action_logs(self) -> None:
        self._turn_to(LOGS)

    def action_previous(self) -> None:
        self._turn_to(LOGS)
        if self._is_there:
            self._logs.turn_previous()

    def set_filter(self, text: str) -> None:
        """Of the logs, which come on the screen for it."""
        if self._is_there:
            self._logs.set_filter(text)
        if text:
            self._turn_to(LOGS)

    @property
    def home(self) -> Widget | None:
        """What is read in the current pane."""
        if not self._is_there:
            return None
        inside = self._box(self._current).query("*")
        return next((one for one in inside if one.focusable and one.display), None)

    def _turn_to(self, pane: str) -> None:
        self._current = pane
        self._arrange()
        if self.home is not None and not isinstance(self.app.focused, Input):
            self.home.focus()

    def action_zoom(self) -> None:
        self._is_zoomed = not self._is_zoomed
        self._arrange()


def _safe(line: Spans) -> Spans:
    """Every text through the door to the screen."""
    return tuple((_kept(text), tone) for text, tone in line)


def _kept(text: str) -> str:
    """Blanks at the ends stay: they part what stands beside."""
    body = text.strip(" ")
    left = len(text) - len(text.lstrip(" "))
    return " " * left + (shown(body) if body else "") + " " * (len(text) - left - len(body))
