"""One service over the last half hour. Invariant: what was not measured is a gap, never zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from maestro_cli.config.explanation import suggestion
from maestro_cli.output.plots import Plot
from maestro_cli.output.views import Heading, Report
from maestro_cli.services.service_health import STEP_SECONDS, Points, ServiceHealth
from maestro_cli.tui.screens.services import SERVICES, burning_listing
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.text import shown
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.plot import LinePlot
from maestro_cli.tui.widgets.report_view import ReportView


class ServiceView(View):
    """Plots of rate, errors and latency, and each objective below."""

    DEFAULT_CSS = "ServiceView LinePlot { height: 7; } ServiceView ReportView { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield StaleLine()
        for name in ("rate", "errors", "p95"):
            yield LinePlot(id=name)
        yield ReportView()

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        """The fact of the list, of which this is one."""
        return frozenset({SERVICES.of(self.place.context or scope.context)})

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        key = min(self.keys(snapshot.scope))
        fact = snapshot.fact(key)
        is_past = snapshot.replay_at is not None
        self.query_one(StaleLine).show(SERVICES.needs, [(key.context, fact)], now, is_past=is_past)
        name = self.place.argument
        found: ServiceHealth | None = next((one for one in fact.data or () if one.name == name), None)
        if found is None:
            if fact.is_known:
                self._clear(no_such_service(name, key.context, [one.name for one in fact.data or ()]))
            elif is_past:
                self._clear("")
            return
        self._plot(found)
        blocks = (Heading("Objectives"), burning_listing(found.burning))
        self.query_one(ReportView).show(Report("service/v1", {}, blocks))

    def _clear(self, why: str) -> None:
        """Nothing of now is shown as the past, and nothing of before as now."""
        nothing = ServiceHealth(self.place.argument, None, (), (), (), ())
        self._plot(nothing, is_service=not why)
        self.query_one(ReportView).show_lines((((shown(why), ""),),) if why else ())

    def _plot(self, health: ServiceHealth, *, is_service: bool = True) -> None:
        """The same instant stands in the same column of each; of what is no service nothing is plotted."""
        plots = plots_of(health)
        for name, plot in plots.items():
            shown_plot = self.query_one(f"#{name}", LinePlot)
            shown_plot.display = is_service
            shown_plot.show(plot, beside=tuple(plots.values()))


def no_such_service(name: str, context: str, known: Sequence[str]) -> str:
    """With the one that was likely meant, or all there are: an objective makes a service."""
    if not known:
        return f"{context} has no service {name!r}: no objective names one"
    return f"{context} has no service {name!r}: {suggestion(name, known)}"


def plots_of(health: ServiceHealth) -> dict[str, Plot]:
    """By the id of its widget."""
    return {
        "rate": _plot("requests", "req/s", health.rate, 1.0),
        "errors": _plot("failed", "%", health.errors, 100.0),
        "p95": _plot("95th percentile", "ms", health.p95, 1000.0),
    }


def _plot(title: str, unit: str, points: Points, scale: float) -> Plot:
    scaled = [(at.timestamp(), None if value is None else value * scale) for at, value in points]
    start, end = (scaled[0][0], scaled[-1][0]) if scaled else (0.0, 1.0)
    return Plot(title, unit, scaled, start, end, STEP_SECONDS * 1.5)
