"""What runs need from outside. Invariant: this room calls nothing beyond these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from maestro_cli.config.secrets import Secrets
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.messages import Delivery, Message
from maestro_cli.journal.store import Transaction


class MetricsPort(Protocol):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """The answer to an instant query; raises Unreachable, Refused or InvalidQuery."""


class WebPort(Protocol):
    def send(self, request: WebRequest) -> WebAnswer:
        """The answer, whatever its status; redirects lead to no other host.

        Raises Unreachable, and OutcomeUnknown for a write that got no answer.
        """


class OutboxPort(Protocol):
    def post(self, message: Message, *, now: bool = False) -> Delivery:
        """Make a message durable, once under its key, and try it; `now` even if its channel is paused."""

    def put(self, transaction: Transaction, message: Message) -> Delivery:
        """Make it durable together with what it tells, and try nothing yet."""


class ClusterPort(Protocol):
    def get_object(self, path: str) -> Mapping[str, Any]:
        """Any object as plain JSON, by its REST path; raises NotFound, Unreachable and Refused."""


class SystemsPort(Protocol):
    """The systems of a context; one that it does not name is missed by the step that asks for it."""

    @property
    def cluster(self) -> ClusterPort: ...

    @property
    def web(self) -> WebPort: ...

    @property
    def outbox(self) -> OutboxPort: ...

    @property
    def secrets(self) -> Secrets: ...


class ChangeState(Enum):
    """What is known about a change: done, surely not done, or not known."""

    DONE = "done"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change a step asks for; `options` are those of its kind, e.g. `to_revision` of `rollback`."""

    kind: str
    target: ObjectRef
    options: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """How a change stands; `change_id` names it in the journal (empty when there is none)."""

    state: ChangeState
    change_id: str
    summary: str


class ChangePort(Protocol):
    """The change pipeline. A key names one change for ever: the same key never changes the world twice."""

    def execute(
        self,
        request: ChangeRequest,
        *,
        key: str,
        incident: str | None,
        progress: Progress,
        cancellation: Cancellation,
    ) -> ChangeOutcome:
        """Plan, gate, apply and verify; DONE, or an error of core.errors that says why not.

        GateNotMet, PolicyRefused: nothing was done. WaitingForApproval: nothing was done yet; the same
        key continues. OutcomeUnknown: it may have been done; `recover` decides.
        """

    def admit(self, what: str) -> None:
        """Let a step start that alters the world and is no change; raises PolicyRefused or GateNotMet."""

    def recover(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        """What became of the change with this key; asks the world when the journal does not say, and
        goes on with one that was applied and not verified."""

    def undo(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        """Undo the change with this key; itself a change with the key `<key>/undo`."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a change would do; `refusal` says why the gate would not let it, and is empty when it would."""

    summary: str
    refusal: str = ""
    exit_code: ExitCode = ExitCode.OK


class ChangeRehearsal(Protocol):
    def rehearse(self, request: ChangeRequest) -> Rehearsed:
        """Plan it, have the cluster check it, ask the gate; nothing changes. Raises as planning does."""
