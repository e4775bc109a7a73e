"""One object of a cluster looked at closely: its conditions, events, owners, and what it owns.

Invariant: frozen values. Text that users or programs wrote is `Untrusted`; times are aware UTC. What could
not be read is in `missing`, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.facts.cluster import ClusterEvent
from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
from maestro_cli.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class ObjectCondition:
    """What its controller or kubelet says of it; `health` is a word of HEALTH."""

    type: str
    status: str  # True, False, Unknown
    health: str
    reason: str
    message: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnerLink:
    """Who owns it. `state`: there, gone (another object may have its name), or unknown."""

    ref: ObjectRef
    uid: str
    state: str


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """What belongs to it, and what belongs to that."""

    ref: ObjectRef
    uid: str
    health: str
    status: str
    detail: str
    owned: tuple[OwnedObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """An object now. `owners`: its owner first, then that one's; `events`: its own and those of `owned`."""

    ref: ObjectRef
    uid: str
    created_at: datetime
    deleting_since: datetime | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    line: PodLine | NodeLine | WorkloadLine | None  # where it is of such a kind
    conditions: tuple[ObjectCondition, ...] = ()
    owners: tuple[OwnerLink, ...] = ()
    owned: tuple[OwnedObject, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectText:
    """An object as YAML. `hidden`: the dotted keys whose values are not in it."""

    ref: ObjectRef
    text: str
    hidden: tuple[str, ...] = ()
