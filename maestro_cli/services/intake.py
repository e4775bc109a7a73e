"""Where the signals of a context come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from maestro_cli.core.errors import NotFound
from maestro_cli.incidents.intake.anomalies.model import Measure
from maestro_cli.incidents.intake.anomalies.patrol import SOURCE as ANOMALIES_SOURCE
from maestro_cli.incidents.intake.anomalies.patrol import Patrol
from maestro_cli.incidents.intake.blindness import API_SOURCE, PROMETHEUS_SOURCE, Sight, read_sight
from maestro_cli.incidents.intake.warnings import SOURCE as WARNINGS_SOURCE
from maestro_cli.incidents.intake.warnings import TABLE, WarningRule, WarningSignals
from maestro_cli.incidents.intake.watch import Eye
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.ports import Alerts

if TYPE_CHECKING:
    from maestro_cli.config.intake import Warnings
    from maestro_cli.config.settings import Context
    from maestro_cli.services.root import Services


WARNINGS_SECONDS = 30.0
ANOMALIES_SECONDS = 60.0
HISTORY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class AlertSource:
    """What alerts are read from: its name in the journal, the backend's key in the context, and words that
    tell a person of it."""

    name: str
    backend: str
    alerts: Alerts
    words: str


def alert_source(services: Services) -> AlertSource | None:
    """The context's Alertmanager, else its Prometheus, which knows of no silences; None without both."""
    context = services.context
    if context.alertmanager is not None:
        source = services.alertmanager
        return AlertSource(API_SOURCE, "alertmanager", source, source.url)
    if context.prometheus is not None:
        prometheus = services.prometheus
        words = f"{prometheus.url}, as the context has no alertmanager: there are no silences"
        return AlertSource(PROMETHEUS_SOURCE, "prometheus", prometheus, words)
    return None


def further_sources(services: Services) -> tuple[str, ...]:
    """The names of the sources that a context has besides its alerts."""
    context = services.settings.contexts.get(services.context_name)
    if context is None:
        return ()
    has = {
        WARNINGS_SOURCE: context.warnings.enabled,
        ANOMALIES_SOURCE: context.anomalies.enabled and context.prometheus is not None,
    }
    return tuple(name for name, is_there in has.items() if is_there)


def further_eyes(services: Services, actor: str, note: Callable[[str], None]) -> tuple[Eye, ...]:
    """Those sources, to be read by a watch in that name; `note` tells the user."""
    made = []
    context = services.settings.contexts.get(services.context_name)
    for name in further_sources(services):
        assert context is not None  # it has sources
        if name == WARNINGS_SOURCE:
            made.append(Eye(name, _warnings(services, context), WARNINGS_SECONDS))
        else:
            patrol = _patrol(services, context, actor, note)
            made.append(Eye(name, patrol, ANOMALIES_SECONDS, waits=True))
    return tuple(made)


def _patrol(services: Services, context: Context, actor: str, note: Callable[[str], None]) -> Patrol:
    """It reads with a patience of its own: weeks of every service take longer than one number."""
    assert context.prometheus is not None  # callers have looked
    metrics = services.slow_prometheus(HISTORY_SECONDS)
    trusted = frozenset(map(Measure, context.anomalies.trusted))
    most = context.anomalies.max_series
    return Patrol(
        metrics, services.journal, services.clock, actor, trusted=trusted, max_series=most, note=note
    )


def _warnings(services: Services, context: Context) -> WarningSignals:
    return WarningSignals(
        services.cluster,
        services.journal,
        services.clock,
        namespace=context.namespace,
        table=warning_table(context.warnings),
    )


def warning_table(chosen: Warnings) -> Mapping[str, WarningRule]:
    """The shipped rules of reasons, as a context changes them."""
    table = {reason: rule for reason, rule in TABLE.items() if reason not in chosen.ignore}
    for reason, change in chosen.reasons.items():
        said = {key: value for key, value in msgspec.structs.asdict(change).items() if value is not None}
        if "severity" in said:
            said["severity"] = Severity(said["severity"])
        table[reason] = replace(table.get(reason, WarningRule(Severity.SEV4)), **said)
    return table


def needed_alert_source(services: Services) -> AlertSource:
    """As `alert_source`; raises NotFound when nothing can be read."""
    found = alert_source(services)
    if found is None:
        name = services.context_name
        raise NotFound(
            f"the context {name!r} has nothing to read alerts from",
            fix=f"add contexts.{name}.alertmanager or .prometheus to {services.settings.origins[name]},"
            " or listen to the webhook of an Alertmanager: maestro watch --listen",
        )
    return found


def sight_of(services: Services) -> Sight:
    """What the journal says of detection; no source is built, and a journal without a context has it too."""
    context = services.settings.contexts.get(services.context_name)
    from_prometheus = context is not None and context.alertmanager is None and context.prometheus is not None
    source = PROMETHEUS_SOURCE if from_prometheus else API_SOURCE
    return read_sight(services.journal, source=source, others=_opening_sources(services))


def _opening_sources(services: Services) -> tuple[str, ...]:
    """Of the further sources those whose signals may open an incident: anomalies only of trusted measures."""
    context = services.settings.contexts.get(services.context_name)
    trusted = context is not None and bool(context.anomalies.trusted)
    return tuple(name for name in further_sources(services) if name != ANOMALIES_SOURCE or trusted)
