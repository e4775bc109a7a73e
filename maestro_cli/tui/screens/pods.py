"""Pods of the scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.refs import ObjectRef, ref_of
from maestro_cli.tui.acting.changing import change_action
from maestro_cli.tui.acting.model import Danger, Target
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.watching import gather
from maestro_cli.tui.screens.inspection import describe_action, yaml_action
from maestro_cli.tui.screens.logs import logs_action, logs_place
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.facts.inventory import PodLine
    from maestro_cli.core.facts.live import Seen
    from maestro_cli.output.views import Listing
    from maestro_cli.services.root import Services


def follow_pods(
    services: Services, argument: str, hearer: Hearer[tuple[PodLine, ...]], cancellation: Cancellation
) -> None:
    from maestro_cli.services.inventory import told_without_secrets
    from maestro_cli.services.pods_ahead import watched_pods

    def watching(over: Cancellation) -> list[Iterator[Seen[PodLine]]]:
        return [told_without_secrets(services, watched_pods(services, argument, over))]

    def answers() -> str:
        return services.cluster.version()

    gather(hearer, lambda pod: (pod.namespace, pod.name), watching, cancellation, answers)


def pod_type() -> Any:
    from maestro_cli.core.facts.inventory import PodLine

    return PodLine


PODS: Feed[tuple[PodLine, ...]] = Feed(
    "pods", "Kubernetes", 5.0, follow=follow_pods, item=pod_type, namespace_of=lambda pod: str(pod.namespace)
)


def pods_listing(pods: Sequence[PodLine], moment: Moment) -> Listing[PodLine]:
    from maestro_cli.output.renderers.inventory import pods_view

    return pods_view(pods, moment.now, everywhere=not moment.scope.namespace)


def pod_target(pod: PodLine, place: Place) -> Target:
    return Target(place.context, "Pod", pod.uid, str(ref_of("Pod", pod.namespace, pod.name)), pod)


def pod_ref(target: Target) -> ObjectRef:
    return ref_of("Pod", target.item.namespace, target.item.name)


def ending_danger(target: Target) -> Danger:
    """A pod of a controller comes back; a bare one is gone for good."""
    return Danger.DISRUPTIVE if target.item.owner else Danger.DESTRUCTIVE


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
        digit="3",
        opens=logs_place,
        actions=(
            describe_action("pods"),
            yaml_action("pods"),
            logs_action("pods"),
            change_action(
                "pods.delete",
                "delete-pod",
                "End the pod",
                "have it evicted: its controller makes another, a pod without one is gone for good",
                Danger.DISRUPTIVE,
                pod_ref,
                lambda target, answers: ("pod", "delete", target.name),
                is_bulk=True,
                grade=ending_danger,
            ),
        ),
    ),
)
