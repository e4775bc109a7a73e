"""What fires while nobody responds, for whoever shows incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.incidents.register import known_signals
from maestro_cli.incidents.unanswered import Unanswered, alerts_of_concern, unanswered_alerts
from maestro_cli.services.intake import alert_source, sight_of

if TYPE_CHECKING:
    from maestro_cli.core.facts.alerts import Alert
    from maestro_cli.services.root import Services

NO_SOURCE = "the context has no alertmanager and no prometheus"


def find_unanswered(services: Services) -> Unanswered:
    """Ask what alerts are read from; raises only for a journal or settings that cannot be read."""
    sight = sight_of(services)
    policy = services.incident_rules.bindings.book.policy
    try:
        source = alert_source(services)
        alerts: Sequence[Alert] = ()
        if source is not None:
            alerts = alerts_of_concern(source.alerts.alerts(), policy)
    except MaestroError as error:
        return Unanswered(sight, unknown=f"{error.what}: {error.why}" if error.why else error.what)
    known = known_signals(services.journal, [alert.fingerprint for alert in alerts])
    return Unanswered(sight, unanswered_alerts(alerts, known), NO_SOURCE if source is None else "")
