"""Nodes that a drill left closed take new pods again: by a change, so that its record says who did it.

Invariant: what a drill left is put back also where no change may be made or written down.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.kinds.kind import CHANGE_ANNOTATION
from maestro_cli.changes.model import Consent
from maestro_cli.changes.sealing import sealed_cause
from maestro_cli.core.errors import MaestroError

if TYPE_CHECKING:
    from maestro_cli.changes.pipeline import ChangePipeline
    from maestro_cli.changes.ports import ClusterPort

_CLOSING = ("cordon", "drain")


def reopen_node(cluster: ClusterPort, pipeline: ChangePipeline, name: str, drill: str) -> bool:
    """False when it took pods already. The change that closed it is taken back; where none is known of, it is
    uncordoned. Raises GateNotMet when it moved meanwhile, Unreachable.
    """
    node = cluster.get_node(name)
    if node.schedulable:
        return False
    cause = sealed_cause(drill, "the end of the drill")
    with suppress(MaestroError):
        closing = (one for one in list_changes(pipeline.journal, target=node.ref) if one.kind in _CLOSING)
        if (change := next(closing, None)) is not None:
            pipeline.take_back(change.id, cause=cause)
    with suppress(MaestroError):
        if not cluster.get_node(name).schedulable:
            plan = pipeline.plan("uncordon", node.ref)
            agreed = Consent(given=True, typed_context=pipeline.policy.context)
            pipeline.execute(plan, agreed, cause=cause)
    node = cluster.get_node(name)
    if not node.schedulable:
        version, unmarked = node.resource_version, {CHANGE_ANNOTATION: None}
        cluster.write_node(
            name, uid=node.uid, resource_version=version, unschedulable=False, annotations=unmarked
        )
    return True
