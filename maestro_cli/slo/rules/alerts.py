"""Prometheus rules from objectives. Invariant: every alert carries its workload and its objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Notice, Objective
from maestro_cli.slo.rules.naming import MAESTRO, Names
from maestro_cli.slo.rules.recording import (
    PERIOD_INTERVAL_SECONDS,
    bad_events,
    budget_records,
    burn_record,
    ratio_record,
    remembered_records,
    told_records,
)
from maestro_cli.slo.windows import BurnWindow, Profile, spans_of

ALERT_NAME = "ErrorBudgetBurn"
ABSENT_NAME = "ObjectiveWithoutData"


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """What is written beside error ratios and burn alerts.

    `absent` alerts where an objective has no data; `budget` records what is left of it; `least_bad` bad
    events are needed over the long window before anybody is told; `windows` by period in seconds take the
    place of ours.
    """

    names: Names = MAESTRO
    absent: bool = False
    budget: bool = False
    least_bad: float = 0.0
    windows: Mapping[float, tuple[BurnWindow, ...]] = field(default_factory=dict)

    def windows_for(self, objective: Objective, profile: Profile) -> tuple[BurnWindow, ...]:
        own = self.windows.get(objective.window_seconds)
        return own if own is not None else profile.windows_for(objective.window_seconds)


def rule_file(
    objectives: Sequence[Objective], profile: Profile, options: RuleOptions | None = None
) -> dict[str, Any]:
    """The document of a Prometheus rule file: error ratios recorded, burn alerts on them.

    What no metric tells has no rules; of what nobody is to be told the ratios are recorded alone.

    For any objective with target t and factor f: alert when long and short ratio exceed f·(1−t).
    """
    chosen = options or RuleOptions()
    return {
        "groups": [
            group for one in objectives if one.is_of_metrics for group in _groups(one, profile, chosen)
        ]
    }


def _groups(objective: Objective, profile: Profile, options: RuleOptions) -> list[dict[str, Any]]:
    windows = options.windows_for(objective, profile)
    spans = spans_of(windows)
    names = options.names
    rules = told_records(objective, names)
    rules += [ratio_record(objective, span, names) for span in spans]
    if options.budget:
        rules.append(burn_record(objective, spans[0], names))
    rules += [
        _alert(objective, window, options)
        for window in windows
        if not notice_of(objective, window.severity).disabled
    ]
    if options.absent and (severity := absent_severity(objective)):
        rules.append(_absent(objective, windows, names, severity))
    found = [_group(f"slo-{objective.name}", profile.interval_seconds, rules)]
    interval = max(profile.interval_seconds, PERIOD_INTERVAL_SECONDS)
    if remembered := remembered_records(objective, names):
        found.append(_group(f"slo-{objective.name}-remembered", interval, remembered))
    if options.budget:
        found.append(_group(f"slo-{objective.name}-period", interval, budget_records(objective, names)))
    return found


def _group(name: str, interval_seconds: float, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "interval": prometheus_duration(interval_seconds), "rules": rules}


def _alert(objective: Objective, window: BurnWindow, options: RuleOptions) -> dict[str, Any]:
    spans = f"{prometheus_duration(window.long_seconds)} and {prometheus_duration(window.short_seconds)}"
    title = _literal(objective.title)
    annotations = {
        "summary": f"{title} spends its error budget over {window.factor:g} times too fast",
        "description": f"{objective.echo}; measured over {spans}: {{{{ $value | humanizePercentage }}}} bad",
    }
    sloth = {"sloth_severity": window.severity} if options.names.word == "sloth" else {}
    burn = {"burn_window": prometheus_duration(window.long_seconds), **sloth}
    return {
        "alert": alert_name(objective),
        "expr": _expression(objective, window, options),
        **({"for": prometheus_duration(window.hold_seconds)} if window.hold_seconds else {}),
        "labels": {**_labels(objective, window.severity), **burn},
        "annotations": _annotations(annotations, objective, window.severity),
    }


def alert_name(objective: Objective) -> str:
    """The name of its burn alerts: that of its file, if it has one."""
    return objective.alerting.name or ALERT_NAME


def notice_of(objective: Objective, severity: str) -> Notice:
    """What the file says of the alerts that page, or of the tickets."""
    return objective.alerting.page if severity == "page" else objective.alerting.ticket


def _expression(objective: Objective, window: BurnWindow, options: RuleOptions) -> str:
    names = options.names
    limit = f"{window.factor:.12g} * {objective.budget:.12g}"
    long = names.ratio_of(objective, window.long_seconds)
    short = names.ratio_of(objective, window.short_seconds)
    both = f"and ignoring ({names.window_label})" if names.window_label else "and"
    found = f"{long} > {limit} {both} {short} > {limit}"
    if options.least_bad:
        events = bad_events(objective, prometheus_duration(window.long_seconds))
        found += f" and on () {events} >= {options.least_bad:.12g}"
    return found


def absent_seconds(objective: Objective, windows: Sequence[BurnWindow]) -> float:
    """How long there must be no data before it is told: as long as the first short window, and as a full
    outage would take to page. A target that is restarted is nothing to tell.
    """
    first = windows[0]
    outage = first.factor * objective.budget * first.long_seconds
    return max(first.short_seconds, min(float(round(outage)), first.long_seconds))


def absent_severity(objective: Objective) -> str:
    """A ticket; a page where the file wants no tickets; "" where it wants no alerts."""
    kept = (word for word in ("ticket", "page") if not notice_of(objective, word).disabled)
    return next(kept, "")


def _absent(
    objective: Objective, windows: Sequence[BurnWindow], names: Names, severity: str
) -> dict[str, Any]:
    annotations = {
        "summary": f"{_literal(objective.title)} has no data",
        "description": "nothing is measured, so nobody knows whether the promise is kept: its counters are "
        "not scraped, or have other names or labels now",
    }
    return {
        "alert": ABSENT_NAME,
        "expr": f"absent({names.ratio_of(objective, windows[0].short_seconds)})",
        "for": prometheus_duration(absent_seconds(objective, windows)),
        "labels": _labels(objective, severity),
        "annotations": {**annotations, **_runbook(objective)},
    }


def _labels(objective: Objective, severity: str) -> dict[str, str]:
    return {
        **{name: _literal(value) for name, value in objective.labels.items()},
        "severity": severity,
        **notice_of(objective, severity).labels,  # templates, as whoever wrote them for alerts means them
        "service": _literal(objective.service),
        "objective": objective.name,
    }


def _annotations(ours: dict[str, str], objective: Objective, severity: str) -> dict[str, str]:
    """Those of the file take the place of ours; they are templates too."""
    notice = notice_of(objective, severity).annotations
    return {**ours, **_runbook(objective), **objective.alerting.annotations, **notice}


def _runbook(objective: Objective) -> dict[str, str]:
    return {"runbook_url": _literal(objective.runbook)} if objective.runbook else {}


def _literal(text: str) -> str:
    """Text that Prometheus, which reads labels and annotations as templates, shows as it is."""
    return text.replace("{{", '{{ "{{" }}')
