"""Suspects that are a place: a node, or a zone of several.

Invariant: pure. A zone is one only where several of its nodes share the trouble; else it is the node.
"""

from __future__ import annotations

from maestro_cli.incidents.triage.facts import CaseFacts, Tally, tally_by
from maestro_cli.incidents.triage.making import Making, concentrated, fresh_revisions
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind


def node_suspects(case: CaseFacts) -> list[Suspect]:
    """Nodes that are lost or under pressure, or where nearly all errors are."""
    found = []
    tallies = tally_by(case.split, "node")
    hosting = {pod.node for pod in case.pods if pod.node}
    pressed = case.saturation.pressure
    for node in sorted({*tallies, *pressed, *(item.name for item in case.nodes if not item.ready)}):
        making = Making()
        state = next((item for item in case.nodes if item.name == node), None)
        if state is not None and not state.ready and node in {*hosting, *tallies, *case.nodes_named}:
            making.plus(0.55, f"node {node} is not ready ({state.reason or 'no reason given'})")
        if node in pressed and node in {*hosting, *tallies, *case.nodes_named}:
            making.plus(0.3, f"node {node} is under {pressed[node]}")
        pods = {row.pod for row in case.split if row.node == node and row.tally.requests_since >= 1}
        if concentrated(tallies, node) and (len(pods) >= 2 or making.supported):
            making.plus(0.4, concentration(tallies, node, f"node {node}"))
            explained_by_revision(case, making, "node", node)
        if making.supported:
            fix = SuggestedFix("change", "drain", {"node": node})
            found.append(making.done(SuspectKind.NODE, f"node {node}", fix))
    return found


def zone_suspects(case: CaseFacts) -> list[Suspect]:
    """Zones of which several nodes are lost, or where nearly all errors are, on several nodes."""
    found = []
    tallies = tally_by(case.split, "zone")
    zones = {node.name: node.zone for node in case.nodes if node.zone}
    hosting = {pod.node for pod in case.pods if pod.node}
    for zone in sorted(set(zones.values())):
        making = Making()
        own = {name for name, of in zones.items() if of == zone}
        lost = sorted(node.name for node in case.nodes if node.name in own and not node.ready)
        if len(lost) >= 2 and len(lost) == len(own) and hosting & own:
            making.plus(0.7, f"all {len(lost)} nodes of zone {zone} are not ready")
        failing = {row.node for row in case.split if row.zone == zone and row.tally.errors_since >= 1}
        if concentrated(tallies, zone) and len(failing) >= 2:
            making.plus(0.5, concentration(tallies, zone, f"zone {zone}"))
            explained_by_revision(case, making, "zone", zone)
        if making.supported:
            found.append(making.done(SuspectKind.NODE, f"zone {zone}"))
    return found


def concentration(tallies: dict[str, Tally], name: str, subject: str) -> str:
    """How much of the errors and of the requests are of one of several, in words."""
    every = sum(tallies.values(), Tally())
    own = tallies[name]
    return (
        f"{100 * own.errors_since / every.errors_since:.0f} % of the errors are of {subject}, "
        f"with {100 * own.requests_since / every.requests_since:.0f} % of the requests"
    )


def explained_by_revision(case: CaseFacts, making: Making, dimension: str, name: str) -> None:
    """A first pod of a new revision looks like a bad pod; its revision explains it better."""
    failing = [row for row in case.split if row.value(dimension) == name and row.tally.errors_since >= 1]
    revisions = {row.revision for row in failing if row.revision}
    fresh = fresh_revisions(case)
    if revisions and revisions <= fresh:
        named = ", ".join(sorted(revisions))
        making.minus(0.3, f"its errors are of the new revision {named}, which explains as much")
