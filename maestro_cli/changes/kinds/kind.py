"""What every kind of change answers.

Invariant: a kind knows how to plan, send, probe and judge its own change; consent, order, records and
undo belong to the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from maestro_cli.changes.model import Plan, RecentChange
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef

CHANGE_ANNOTATION = "maestro.io/change"
CAUSE_ANNOTATION = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True)
class Permission:
    """One verb on one resource, as an access review takes them."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}{'/' + self.subresource if self.subresource else ''}"


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan. `abandoned` are payload digests that earlier changes left or could not verify."""

    ref: WorkloadRef
    parameters: Mapping[str, Any]
    change_id: str
    now: datetime
    timeout_seconds: float
    recent: Sequence[RecentChange] = ()
    abandoned: frozenset[str] = field(default_factory=frozenset)


class Sent(Enum):
    """What a probe can tell about a write whose answer is missing."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"  # and it never will be: its preconditions no longer hold, or it was not sent
    GONE = "gone"  # the target is no more
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found; `template` is the digest that the write left, when it was applied."""

    sent: Sent
    evidence: str
    observed: Workload | None = None
    template: str = ""


class Holds(Enum):
    YES = "yes"
    NOT_YET = "not_yet"
    NEVER = "never"  # the cluster itself says it gave up
    SUPERSEDED = "superseded"  # somebody changed the target since


@dataclass(frozen=True, slots=True)
class Observation:
    holds: Holds
    text: str


class ChangeKind(Protocol):
    """One way to change the world; registered in kinds.KINDS."""

    @property
    def name(self) -> str: ...

    @property
    def permissions(self) -> tuple[Permission, ...]: ...

    def plan(self, cluster: ClusterPort, request: Request) -> Plan:
        """Resolve the target and everything else; raises NotFound, ActionFailed (zero targets)."""

    def reload(self, cluster: ClusterPort, plan: Plan) -> Plan:
        """The recorded plan with its payload; raises NotFound when the cluster no longer has it."""

    def apply(
        self, cluster: ClusterPort, plan: Plan, *, resource_version: str, dry_run: bool = False
    ) -> Workload:
        """One write, marked with the change's id; raises what ClusterPort says."""

    def probe(self, cluster: ClusterPort, plan: Plan) -> Probe:
        """Whether the write of this change reached the cluster; raises Unreachable and Refused."""

    def observe(self, workload: Workload, plan: Plan, *, applied_template: str) -> Observation:
        """Whether the declared condition holds now."""

    def is_pinned(self, parameters: Mapping[str, Any]) -> bool:
        """Whether the caller named the exact goal, rather than leave the choice to maestro."""
