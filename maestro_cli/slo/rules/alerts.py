"""Prometheus rules from objectives. Invariant: every alert carries its workload and its objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.rules.naming import MAESTRO, Names
from maestro_cli.slo.rules.recording import PERIOD_INTERVAL_SECONDS, budget_records, burn_record, ratio_record
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
    rules = [ratio_record(objective, span, names) for span in spans]
    if options.budget:
        rules.append(burn_record(objective, spans[0], names))
    quiet = {"page": objective.alerting.page.disabled, "ticket": objective.alerting.ticket.disabled}
    rules += [_alert(objective, one, options) for one in windows if not quiet.get(one.severity, False)]
    if options.absent and objective.is_watched:
        rules.append(_absent(objective, windows, names))
    found = [_group(f"slo-{objective.name}", profile.interval_seconds, rules)]
    if options.budget:
        interval = max(profile.interval_seconds, PERIOD_INTERVAL_SECONDS)
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
        "alert": ALERT_NAME,
        "expr": _expression(objective, window, options),
        **({"for": prometheus_duration(window.hold_seconds)} if window.hold_seconds else {}),
        "labels": {**_labels(objective, window.severity), **burn},
        "annotations": _with_runbook(annotations, objective),
    }


def _expression(objective: Objective, window: BurnWindow, options: RuleOptions) -> str:
    names = options.names
    limit = f"{window.factor:.12g} * {objective.budget:.12g}"
    long = names.ratio_of(objective, window.long_seconds)
    short = names.ratio_of(objective, window.short_seconds)
    both = f"and ignoring ({names.window_label})" if names.window_label else "and"
    return f"{long} > {limit} {both} {short} > {limit}"


def _absent(objective: Objective, windows: Sequence[BurnWindow], names: Names) -> dict[str, Any]:
    """Told once it lasts as long as the shortest window, and as a full outage would take to page: a target
    that is restarted is nothing to tell.
    """
    first = windows[0]
    outage = first.factor * objective.budget * first.long_seconds
    hold = max(first.short_seconds, min(round(outage), first.long_seconds))
    annotations = {
        "summary": f"{_literal(objective.title)} has no data",
        "description": "nothing is measured, so nobody knows whether the promise is kept: its counters are "
        "not scraped, or have other names or labels now",
    }
    return {
        "alert": ABSENT_NAME,
        "expr": f"absent({names.ratio_of(objective, first.short_seconds)})",
        "for": prometheus_duration(hold),
        "labels": _labels(objective, "ticket"),
        "annotations": _with_runbook(annotations, objective),
    }


def _labels(objective: Objective, severity: str) -> dict[str, str]:
    return {
        **{name: _literal(value) for name, value in objective.labels.items()},
        "severity": severity,
        "service": _literal(objective.service),
        "objective": objective.name,
    }


def _with_runbook(annotations: dict[str, str], objective: Objective) -> dict[str, str]:
    runbook = {"runbook_url": _literal(objective.runbook)} if objective.runbook else {}
    return {**annotations, **runbook}


def _literal(text: str) -> str:
    """Text that Prometheus, which reads labels and annotations as templates, shows as it is."""
    return text.replace("{{", '{{ "{{" }}')
