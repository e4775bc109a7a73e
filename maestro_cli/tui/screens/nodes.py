"""Nodes: their zone, readiness and what presses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.refs import ObjectRef, node_ref
from maestro_cli.tui.acting.changing import change_action
from maestro_cli.tui.acting.model import Danger, Target
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.watching import gather
from maestro_cli.tui.screens.inspection import describe_action, yaml_action
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.facts.inventory import NodeLine
    from maestro_cli.core.facts.live import Seen
    from maestro_cli.output.views import Listing
    from maestro_cli.services.root import Services


def follow_nodes(
    services: Services, argument: str, hearer: Hearer[tuple[NodeLine, ...]], cancellation: Cancellation
) -> None:
    from maestro_cli.services.inventory import told_without_secrets

    cluster = services.cluster

    def watching(over: Cancellation) -> list[Iterator[Seen[NodeLine]]]:
        return [told_without_secrets(services, cluster.watches.nodes(over))]

    gather(hearer, lambda node: node.name, watching, cancellation, cluster.version)


def node_type() -> Any:
    from maestro_cli.core.facts.inventory import NodeLine

    return NodeLine


NODES: Feed[tuple[NodeLine, ...]] = Feed("nodes", "Kubernetes", 5.0, follow=follow_nodes, item=node_type)


def nodes_listing(nodes: Sequence[NodeLine], moment: Moment) -> Listing[NodeLine]:
    from maestro_cli.output.renderers.inventory import nodes_view

    return nodes_view(nodes, moment.now)


def node_target(node: NodeLine, place: Place) -> Target:
    return Target(place.context, "Node", node.uid, f"node/{node.name}", node)


def ref_of_node(target: Target) -> ObjectRef:
    return node_ref(target.item.name)


SCREENS = (
    TableScreen(
        id="nodes",
        title="Nodes",
        help="Nodes with their zone, how long they have been ready or not, and what presses them.",
        feed=NODES,
        rows=tuple,
        listing=nodes_listing,
        key=lambda node: node.uid,
        target=node_target,
        aliases=("node", "no"),
        digit="4",
        has_namespace=False,
        opens=lambda target: Place("describe", target.name, target.context),
        actions=(
            describe_action("nodes"),
            yaml_action("nodes"),
            change_action(
                "nodes.cordon",
                "cordon",
                "Close",
                "take no new pods; those that run there stay",
                Danger.REVERSIBLE,
                ref_of_node,
                lambda target, answers: ("node", "cordon", target.item.name),
                is_bulk=True,
            ),
            change_action(
                "nodes.uncordon",
                "uncordon",
                "Open",
                "take new pods again",
                Danger.REVERSIBLE,
                ref_of_node,
                lambda target, answers: ("node", "uncordon", target.item.name),
                is_bulk=True,
            ),
            change_action(
                "nodes.drain",
                "drain",
                "Drain",
                "close it, and evict what runs there within disruption budgets",
                Danger.DISRUPTIVE,
                ref_of_node,
                lambda target, answers: ("node", "drain", target.item.name),
            ),
        ),
    ),
)
