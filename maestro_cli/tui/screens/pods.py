"""Pods of the scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.refs import ref_of
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, TableScreen

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.core.facts.inventory import PodLine
    from maestro_cli.output.views import Listing
    from maestro_cli.services.root import Services
    from maestro_cli.tui.acting.model import Answers


def read_pods(services: Services, argument: str) -> tuple[PodLine, ...]:
    from maestro_cli.services.inventory import Wanted

    return tuple(services.list_pods(Wanted(namespace=argument or None, everywhere=not argument)))


PODS: Feed[tuple[PodLine, ...]] = Feed("pods", "Kubernetes", 5.0, read_pods)


def pods_listing(pods: Sequence[PodLine], moment: Moment) -> Listing[PodLine]:
    from maestro_cli.output.renderers.inventory import pods_view

    return pods_view(pods, moment.now, everywhere=not moment.scope.namespace)


def pod_target(pod: PodLine, context: str) -> Target:
    return Target(context, "Pod", pod.uid, f"{pod.namespace}/pod/{pod.name}", pod)


def plan_delete(services: Services, target: Target, answers: Answers) -> Plan:
    pod: PodLine = target.item
    return services.changes.plan("delete-pod", ref_of("Pod", pod.namespace, pod.name), {})


def delete_line(target: Target, answers: Answers) -> tuple[str, ...]:
    return ("pod", "delete", target.name)


SCREENS = (
    TableScreen(
        id="pods",
        title="Pods",
        help="Every pod with its health, restarts, node and zone.",
        feed=PODS,
        rows=tuple,
        listing=pods_listing,
        key=lambda pod: pod.uid,
        target=pod_target,
        labels=lambda pod: pod.labels,
        aliases=("pod", "po"),
        actions=(
            Action(
                "pods.delete",
                "End the pod",
                "Have the pod end and be replaced, as a gated change.",
                Danger.DISRUPTIVE,
                delete_line,
                key="ctrl+x",
                plans=plan_delete,
            ),
        ),
    ),
)
