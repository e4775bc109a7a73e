"""One incident on one screen.

Invariant: what is wrong, who it hurts, what changed and the safest next key stand on the first lines in every
size; all but the revisions is from the journal, so it stays readable while no backend answers. Opening it
fixes the scope of every place that is reached from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical

from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.incident_story import STORY, IncidentStory
from maestro_cli.tui.screens.incident import REVISIONS, fixed_scope, incident_target
from maestro_cli.tui.screens.incident_runs import LiveRun, live_key
from maestro_cli.tui.screens.incident_words import head_lines
from maestro_cli.tui.screens.model import Place, Screen
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.text import Spans, shown
from maestro_cli.tui.views.incident_panes import IDS, MIDDLE, PANES, Facts, Pane, panes_shown, report_of
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.report_view import ReportView
from maestro_cli.tui.widgets.text_view import TextView


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

    def show(self, facts: Facts) -> None:
        """Draw again what is not drawn yet; ages go on by the minute."""
        drawn = (facts.story, facts.candidates, facts.live, facts.now.minute)
        if drawn != self._drawn:
            self._drawn = drawn
            self.query_one(ReportView).show(report_of(self.pane, facts))


class IncidentView(View):
    """Head, tabs and panes; Tab moves between panes, `z` gives one the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "pane(1)", "Next pane", id="incident.next-pane", tooltip="To the next pane."),
        Binding(
            "shift+tab", "pane(-1)", "Pane before", id="incident.pane-before",
            tooltip="To the pane before.", show=False,
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

    def compose(self) -> ComposeResult:
        yield StaleLine(id="stale-journal")
        yield TextView(wrap=False, id="head")
        yield StaleLine(id="stale-cluster")
        with Grid():
            for pane in PANES:
                yield PaneBox(pane)

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        context = self.place.context or scope.context
        return frozenset({STORY.of(context, self.place.argument), REVISIONS.of(context, self.place.argument)})

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
        self.query_one("#head", TextView).show_lines(
            [*(_safe(line) for line in head_lines(story, now)), self._tabs()]
        )
        facts = Facts(story, revisions.data, live, now)
        for box in self.query(PaneBox):
            if box.display:
                box.show(facts)
        self._facts = facts
        self._fix(snapshot.scope, story)

    def _clear(self) -> None:
        """Nothing of now is shown as the past."""
        self._story = None
        self.query_one("#head", TextView).show_lines(())
        for box in self.query(PaneBox):
            box.clear()

    def _fix(self, scope: Scope, story: IncidentStory) -> None:
        """From now on every place is about this incident: its context, its namespace, since it began."""
        fixed = fixed_scope(scope, story, self._site)
        if fixed not in (scope, self._fixed):
            self._fixed = fixed
            self.post_message(self.ScopeFixed(fixed))

    def targets(self) -> tuple[Target, ...]:
        if self._story is None:
            return ()
        return (incident_target(self._story, self._site),)

    # Panes

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Show the panes that have room, the current one always among them."""
        size = self.app.size
        chosen, columns = panes_shown(size.width, size.height, self._current, is_zoomed=self._is_zoomed)
        grid = self.query_one(Grid)
        grid.styles.grid_size_columns = columns
        grid.styles.grid_size_rows = -(-len(chosen) // columns)
        for box in self.query(PaneBox):
            box.display = box.pane.id in chosen
            box.styles.column_span = 1
        if len(chosen) % columns and len(chosen) > 1:
            self.query_one(f"#pane-{chosen[-1]}", PaneBox).styles.column_span = (
                columns - len(chosen) % columns + 1
            )
        if self._story is not None:
            self._draw()

    def _draw(self) -> None:
        for box in self.query(PaneBox):
            if box.display:
                box.show(self._facts)
        lines = [*(_safe(line) for line in head_lines(self._facts.story, self._facts.now)), self._tabs()]
        self.query_one("#head", TextView).show_lines(lines)

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
        self._current = IDS[(IDS.index(self._current) + step) % len(IDS)]
        self._arrange()
        self.query_one(f"#pane-{self._current} ReportView", ReportView).focus()

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
