"""Workloads of the scope, the rollout of one, and the revisions that it could return to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from maestro_cli.core.refs import ObjectRef, parse_workload_ref
from maestro_cli.tui.acting.changing import Parameters, change_action, whole_number
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.watching import gather
from maestro_cli.tui.screens.inspection import describe_action, yaml_action
from maestro_cli.tui.screens.logs import logs_action
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.changes.candidates.model import Candidate
    from maestro_cli.changes.rollouts import Rollout
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.facts.inventory import WorkloadLine
    from maestro_cli.core.facts.live import Seen
    from maestro_cli.output.views import Listing, Report
    from maestro_cli.services.root import Services


def read_rollout(services: Services, argument: str) -> Rollout:
    return services.read_rollout(argument, None)


def read_revisions(services: Services, argument: str) -> tuple[Candidate, ...]:
    return services.rollback_candidates(parse_workload_ref(argument))


def follow_workloads(
    services: Services, argument: str, hearer: Hearer[tuple[WorkloadLine, ...]], cancellation: Cancellation
) -> None:
    from maestro_cli.services.inventory import told_without_secrets

    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    cluster = services.cluster

    def watching(over: Cancellation) -> list[Iterator[Seen[WorkloadLine]]]:
        watch = partial(cluster.watches.workloads, namespace=argument or None, cancellation=over)
        return [told_without_secrets(services, watch(kind)) for kind in kinds]

    gather(
        hearer,
        lambda line: (line.ref.namespace, line.ref.name, line.ref.kind),
        watching,
        cancellation,
        cluster.version,
    )


def workload_type() -> Any:
    from maestro_cli.core.facts.inventory import WorkloadLine

    return WorkloadLine


WORKLOADS: Feed[tuple[WorkloadLine, ...]] = Feed(
    "workloads",
    "Kubernetes",
    3.0,
    follow=follow_workloads,
    item=workload_type,
    namespace_of=lambda line: str(line.ref.namespace),
)
ROLLOUT: Feed[Rollout] = Feed("rollout", "Kubernetes", 1.0, read_rollout)
REVISIONS: Feed[tuple[Candidate, ...]] = Feed("revisions", "Kubernetes and Prometheus", 15.0, read_revisions)


def workloads_listing(lines: Sequence[WorkloadLine], moment: Moment) -> Listing[WorkloadLine]:
    from maestro_cli.output.renderers.inventory import workloads_view

    return workloads_view(lines, moment.now)


def revisions_listing(found: Sequence[Candidate], moment: Moment) -> Listing[Candidate]:
    from maestro_cli.output.renderers.candidates import candidates_view

    return candidates_view(found)


def rollout_report(rollout: Rollout, moment: Moment) -> Report:
    from maestro_cli.output.renderers.rollouts import rollout_view

    return rollout_view(rollout)


def workload_target(line: WorkloadLine, place: Place) -> Target:
    return Target(place.context, line.ref.kind, line.uid, str(line.ref), line.ref)


def rollout_target(place: Place, rollout: Any) -> Target:
    return Target(place.context, rollout.ref.kind, str(rollout.ref), str(rollout.ref), rollout.ref)


def named_by(target: Target) -> ObjectRef:
    ref: ObjectRef = target.item
    return ref


def _open(
    screen: str, action_id: str, key: str, title: str, tooltip: str, command: tuple[str, ...]
) -> Action:
    return Action(
        action_id,
        title,
        tooltip,
        Danger.OBSERVE,
        lambda target, answers: (*command, target.name),
        key=key,
        opens=lambda target: Place(screen, target.name, target.context),
    )


TO_REVISION = Ask(
    "revision", "to revision (empty: the last known good one)", check=whole_number, is_needed=False
)


def revision_parameters(target: Target, answers: Answers) -> Parameters:
    return {"to_revision": int(answers["revision"])} if answers["revision"] else {}


def revision_option(answers: Answers) -> tuple[str, ...]:
    return ("--to-revision", answers["revision"]) if answers["revision"] else ()


CHANGES = (
    change_action(
        "workloads.rollback",
        "rollback",
        "Roll back",
        "return to the last known good revision, or to one that is named",
        Danger.REVERSIBLE,
        named_by,
        lambda target, answers: ("rollback", target.name, *revision_option(answers)),
        parameters=revision_parameters,
        asks=(TO_REVISION,),
    ),
    change_action(
        "workloads.scale",
        "scale",
        "Scale",
        "set how many replicas it wants",
        Danger.REVERSIBLE,
        named_by,
        lambda target, answers: ("scale", target.name, "--replicas", answers["replicas"]),
        parameters=lambda target, answers: {"replicas": int(answers["replicas"])},
        asks=(Ask("replicas", "replicas", check=whole_number),),
    ),
    change_action(
        "workloads.restart",
        "restart",
        "Restart",
        "replace every replica by a new one of the same release",
        Danger.DISRUPTIVE,
        named_by,
        lambda target, answers: ("restart", target.name),
    ),
    change_action(
        "workloads.pause",
        "pause",
        "Hold the rollout",
        "hold it where it is, and every template change to come",
        Danger.REVERSIBLE,
        named_by,
        lambda target, answers: ("rollout", "pause", target.name),
    ),
    change_action(
        "workloads.resume",
        "resume",
        "Let the rollout go on",
        "with every template change that was held back",
        Danger.REVERSIBLE,
        named_by,
        lambda target, answers: ("rollout", "resume", target.name),
    ),
)

VISITS = (
    _open("rollout", "workloads.rollout", "o", "Rollout", "the tree of its rollout", ("rollout", "status")),
    _open("revisions", "workloads.revisions", "v", "Revisions", "each with its record", ("rollback", "plan")),
)


def revision_target(one: Candidate, place: Place) -> Target:
    number = one.judged.revision
    item = (parse_workload_ref(place.argument), number)
    return Target(
        place.context, "Revision", f"{place.argument}@{number}", f"{place.argument} revision {number}", item
    )


RETURN = change_action(
    "revisions.rollback",
    "rollback",
    "Return to it",
    "roll the workload back to this revision",
    Danger.REVERSIBLE,
    lambda target: target.item[0],
    lambda target, answers: ("rollback", str(target.item[0]), "--to-revision", str(target.item[1])),
    parameters=lambda target, answers: {"to_revision": target.item[1]},
)

SCREENS = (
    TableScreen(
        id="workloads",
        title="Workloads",
        help="Deployments, stateful sets and daemon sets: replicas, revision, rollout.",
        feed=WORKLOADS,
        rows=tuple,
        listing=workloads_listing,
        key=lambda line: line.uid,
        target=workload_target,
        opens=lambda target: Place("rollout", target.name, target.context),
        aliases=("workload", "wl", "deployments", "deploy", "dp", "sts", "ds"),
        digit="2",
        actions=(
            *VISITS,
            describe_action("workloads"),
            yaml_action("workloads"),
            logs_action("workloads"),
            *CHANGES,
        ),
    ),
    ReportScreen(
        id="rollout",
        title="Rollout",
        help="One workload's rollout: its revisions and their pods.",
        feed=ROLLOUT,
        report=rollout_report,
        target=rollout_target,
        aliases=("rollouts",),
        actions=(VISITS[1], logs_action("rollout"), *CHANGES),
    ),
    TableScreen(
        id="revisions",
        title="Revisions",
        help="The revisions of a workload with their record, and which one a rollback would choose.",
        feed=REVISIONS,
        rows=tuple,
        listing=revisions_listing,
        key=lambda one: one.name or str(one.judged.revision),
        target=revision_target,
        aliases=("revision", "rev"),
        actions=(RETURN,),
    ),
)
