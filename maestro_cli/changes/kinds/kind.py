"""What every kind of change answers.

Invariant: a kind knows how to plan, send, probe and judge its own change; consent, order, records and
undo belong to the pipeline.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Protocol

from maestro_cli.changes.model import Change, GateReason, Plan, RecentChange, Target
from maestro_cli.changes.ports import World
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.refs import ObjectRef

CHANGE_ANNOTATION = "maestro.io/change"
CAUSE_ANNOTATION = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True)
class Permission:
    """One verb on one resource, as an access review takes them."""

    verb: str
    resource: str
    group: str = ""
    subresource: str = ""
    named: bool = True  # of the target itself, not of others

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}{'/' + self.subresource if self.subresource else ''}"


@dataclass(frozen=True, slots=True)
class Option:
    """A parameter that people write as text, in a runbook; `read` raises ValueError saying what it is not."""

    read: Callable[[str], Any]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Reversal:
    """What takes a change of a kind back, in words.

    `undo`: its plan names the change that does. `needless`: nothing has to be taken back. `impossible`: it
    stays as it is. `lost_by` are options with which something is gone for good, and what that is.
    """

    word: Literal["undo", "needless", "impossible"]
    text: str
    lost_by: Mapping[str, str] = field(default_factory=dict)

    def missing(self, options: Mapping[str, str]) -> str:
        """What cannot be taken back of a change with these options, in words; empty when nothing."""
        lost = [
            text for name, text in self.lost_by.items() if options.get(name, "no") not in ("", "no", "false")
        ]
        return "; ".join([self.text, *lost] if self.word == "impossible" else lost)


UNDONE = Reversal("undo", "its plan names the change that puts back what was there")


def whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("is not a whole number of 0 or more")
    return int(text)


def seconds_of(text: str) -> float:
    """A length of time, as `90s` or `1h`."""
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise ValueError("is not a duration such as 30m or 1h") from error
    if seconds <= 0:
        raise ValueError("is no time at all")
    return seconds


def share_of_one(text: str) -> float:
    """A share, as `0.1` or `10%`."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)(%?)", text)
    if match is None:
        raise ValueError("is not a share such as 0.1 or 10%")
    return float(match.group(1)) / (100 if match.group(2) else 1)


def yes_or_no(text: str) -> bool:
    if text not in ("yes", "no", "true", "false"):
        raise ValueError("is neither yes nor no")
    return text in ("yes", "true")


def words(text: str) -> tuple[str, ...]:
    """Words as a shell reads them."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"is not words: {error}") from error


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan. `abandoned` says, by digest, which earlier change gave up or could not verify what;
    `written` are digests of what those of the last hour wrote.
    """

    ref: ObjectRef
    parameters: Mapping[str, Any]
    change_id: str
    now: datetime
    timeout_seconds: float
    recent: Sequence[RecentChange] = ()
    actor: str = ""
    abandoned: Mapping[str, str] = field(default_factory=dict)
    written: frozenset[str] = field(default_factory=frozenset)


class Found(Protocol):
    """An object as a kind reads it; `generation` is 0 where objects of its kind have none."""

    @property
    def ref(self) -> ObjectRef: ...

    @property
    def uid(self) -> str: ...

    @property
    def resource_version(self) -> str: ...

    @property
    def generation(self) -> int: ...


class Sent(Enum):
    """What a probe can tell about a write whose answer is missing."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"  # and it never will be: its preconditions no longer hold, or it was not sent
    GONE = "gone"  # the target is no more
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found; `part` is the digest of what the write left, when it was applied."""

    sent: Sent
    evidence: str
    observed: Found | None = None
    part: str = ""


class Holds(Enum):
    YES = "yes"
    NOT_YET = "not_yet"
    NEVER = "never"  # the cluster itself says it gave up
    SUPERSEDED = "superseded"  # somebody changed the target since


@dataclass(frozen=True, slots=True)
class Observation:
    """`in_effect`: what was written has taken effect, and what does not hold is what should come of it."""

    holds: Holds
    text: str
    in_effect: bool = False


class ChangeKind(Protocol):
    """One way to change the world; registered in kinds.KINDS."""

    @property
    def name(self) -> str: ...

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What a change of this kind needs, unless a parameter says otherwise."""

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """What this very change needs."""

    @property
    def options(self) -> Mapping[str, Option]:
        """The parameters that people give, by name."""

    @property
    def reversal(self) -> Reversal:
        """What takes a change of this kind back."""

    def read(self, world: World, ref: ObjectRef) -> Found:
        """The target now; raises NotFound, and UsageError when a target of this kind is something else."""

    def target(self, found: Any) -> Target:
        """It as the target of a plan; see Target.state for what it covers."""

    def is_as_planned(self, found: Any, plan: Plan) -> bool:
        """Whether what people decide about the target is as it was when the plan was made."""

    def plan(self, world: World, request: Request) -> Plan:
        """Resolve the target and everything else.

        Raises UsageError (a wrong parameter), NotFound, ActionFailed (zero targets), GateNotMet (it is so
        already).
        """

    def reload(self, world: World, plan: Plan) -> Plan:
        """The recorded plan with its payload; raises NotFound when it cannot be had again."""

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Found:
        """One write, marked with the change's id; raises what ClusterPort says."""

    def probe(self, world: World, plan: Plan) -> Probe:
        """Whether the write of this change reached the cluster; raises Unreachable and Refused."""

    def part_of(self, found: Any) -> str:
        """Digest of the part of the target that this kind writes, as it is now."""

    def is_left(self, change: Change, undo: Plan) -> bool:
        """Whether what the change left is there still, by the plan of its undo, which was made now."""

    def is_as_left(self, change: Change, later: Change) -> bool:
        """Whether a later change of the target wrote what this one had written."""

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Whether the declared condition holds now; `left` is the digest of what the write left.

        Raises Unreachable and Refused.
        """

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """What is left to do after the write, by uid, as the cluster is now; raises Unreachable, Refused."""

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        """Do one of these; twice is as once."""

    def repetition(self, plan: Plan, before: RecentChange) -> GateReason | None:
        """What speaks against it so soon after another change of this kind on the same target."""
