"""Where the signals of a context come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NotFound
from maestro_cli.incidents.intake.blindness import API_SOURCE, PROMETHEUS_SOURCE, Sight, read_sight
from maestro_cli.incidents.ports import Alerts

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


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
    return read_sight(services.journal, source=PROMETHEUS_SOURCE if from_prometheus else API_SOURCE)
