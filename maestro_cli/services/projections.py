"""Every room's tables in the journal."""

from __future__ import annotations

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.chaos.projection import ExperimentsProjection
from maestro_cli.incidents.intake.anomalies.projection import AnomalyProjection
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.people.escalation_rows import EscalationProjection
from maestro_cli.incidents.people.projection import PeopleProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.messages import OutboxProjection
from maestro_cli.journal.model import Projection
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.slo.exclusion_rows import ExclusionsProjection


def every_projection() -> tuple[Projection, ...]:
    """Whoever opens a journal opens it with all of these: they are kept with each append."""
    return (
        IncidentProjection(),
        ChangesProjection(),
        RunsProjection(),
        OutboxProjection(),
        PeopleProjection(),
        RulesProjection(),
        EscalationProjection(),
        AnomalyProjection(),
        ExclusionsProjection(),
        ExperimentsProjection(),
    )
