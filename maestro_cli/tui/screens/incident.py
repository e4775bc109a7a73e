"""One incident: everything of it on one screen, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.feeds.incident_story import STORY
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.incident_actions import ACTIONS
from maestro_cli.tui.screens.incident_runs import CANCEL, CONSIDER, REHEARSE
from maestro_cli.tui.screens.model import OwnScreen, Place
from maestro_cli.tui.screens.workloads import TO_REVISION, revision_option, revision_parameters
from maestro_cli.tui.store.model import Scope

if TYPE_CHECKING:
    from maestro_cli.changes.candidates.model import Candidate
    from maestro_cli.changes.model import Plan
    from maestro_cli.services.root import Services
    from maestro_cli.tui.feeds.story import IncidentStory
    from maestro_cli.tui.views.view import View


def read_revisions(services: Services, ref: str) -> tuple[Candidate, ...]:
    """Every revision of the incident's workload with its record; none where it names no workload."""
    workload = services.desk.get(ref.removeprefix("#")).workload
    return services.rollback_candidates(workload) if workload is not None else ()


def candidate_type() -> Any:
    from maestro_cli.changes.candidates.model import Candidate

    return Candidate


REVISIONS: Feed[tuple[Candidate, ...]] = Feed(
    "incident-revisions", "Kubernetes and Prometheus", 15.0, read_revisions,
    item=candidate_type, is_kept_when_shown=True,
)  # fmt: skip


def plan_rollback(services: Services, target: Target, answers: Answers) -> Plan:
    """To the last known good revision, or to the one that is named, as a gated change."""
    workload = target.item.incident.workload
    if workload is None:
        raise UsageError(f"incident {target.name} names no workload", fix="roll back from :workloads")
    return services.changes.plan("rollback", workload, revision_parameters(target, answers))


def rollback_line(target: Target, answers: Answers) -> tuple[str, ...]:
    return ("rollback", str(target.item.incident.workload), *revision_option(answers))


ROLLBACK = Action(
    "incident.rollback",
    "Roll back",
    "Give its workload the last known good revision, or one that is named, as a gated change.",
    Danger.REVERSIBLE,
    rollback_line,
    asks=(TO_REVISION,),
    plans=plan_rollback,
    cause=lambda target: f"by hand ({target.id})",
)


def logs_of(target: Target) -> Place:
    """What its suspect or its workload prints; the pods of its namespace where it names none."""
    story: IncidentStory = target.item
    if not story.printing:
        return Place("pods", story.incident.namespace or "", target.context)
    return Place("logs", story.printing, target.context)


LOGS = Action(
    "incident.logs",
    "Logs",
    "What its suspect or its workload prints, on a screen of its own.",
    Danger.OBSERVE,
    lambda target, answers: ("pod", "logs", target.item.printing, "-f"),
    opens=logs_of,
)


def incident_target(story: IncidentStory, site: str) -> Target:
    """By its id; people call it by its number."""
    return Target(site, "Incident", story.incident.id, f"#{story.incident.number}", story)


def fixed_scope(scope: Scope, story: IncidentStory, site: str) -> Scope:
    """What every place is about that is reached from an incident: its context, namespace, since it began."""
    incident = story.incident
    others = tuple(name for name in scope.contexts if name != site)
    return Scope(
        (site, *others) if site in scope.contexts else (site,),
        incident.namespace or scope.namespace,
        f"#{incident.number}",
        incident.times.started_at,
    )


def incident_view(place: Place) -> View:
    from maestro_cli.tui.views.incident_view import IncidentView
    from maestro_cli.tui.views.view import bound

    return bound(IncidentView, SCREEN.actions)(SCREEN, place)


SCREEN = OwnScreen(
    id="incident",
    title="Incident",
    help="One incident whole: timeline, suspects, evidence, runbook and runs, changes, people.",
    feeds=(STORY, REVISIONS),
    view=incident_view,
    panes=("texts", "what is followed"),
    actions=(REHEARSE, CONSIDER, LOGS, CANCEL, ROLLBACK, *ACTIONS),
)
SCREENS = (SCREEN,)
