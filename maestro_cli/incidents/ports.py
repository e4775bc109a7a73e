"""What this room needs from outside. Invariant: every method is synchronous and thread-safe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from maestro_cli.core.facts.alerts import Alert, WebhookMessage
from maestro_cli.core.facts.cluster import ClusterEvent, ConfigMap, Node, Pod, Revision, Workload
from maestro_cli.core.facts.edits import WrittenObjects
from maestro_cli.core.facts.metrics import Instant, Series
from maestro_cli.core.refs import WorkloadRef

LOG_LIMIT_BYTES = 1 << 20


class Alerts(Protocol):
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert the sender holds, silenced and inhibited ones too. Raises MaestroError."""


class Metrics(Protocol):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """An instant query. Raises MaestroError."""

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """A range query. Raises MaestroError."""


class Cluster(Protocol):
    def list_readable_workloads(self, namespace: str) -> tuple[Workload, ...]:
        """Every Deployment of a namespace, and the StatefulSets and DaemonSets that the caller may list.

        Raises MaestroError.
        """

    def list_revisions(self, ref: WorkloadRef) -> tuple[Revision, ...]:
        """The revisions that the cluster still has. Raises MaestroError."""

    def list_pods(self, namespace: str, *, selector: str = "") -> tuple[Pod, ...]:
        """Pods that match a label selector. Raises MaestroError."""

    def list_events(self, namespace: str, *, since: datetime | None = None) -> tuple[ClusterEvent, ...]:
        """Cluster events last seen since an instant. Raises MaestroError."""

    def list_written(self, namespace: str) -> WrittenObjects:
        """Who wrote configuration of a namespace when. Raises MaestroError."""

    def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        """A ConfigMap now. Raises MaestroError."""

    def list_nodes(self) -> tuple[Node, ...]:
        """Every node. Raises MaestroError."""

    def pod_log(
        self,
        namespace: str,
        pod: str,
        *,
        since_seconds: int | None = None,
        tail_lines: int | None = None,
        previous: bool = False,
        limit_bytes: int = LOG_LIMIT_BYTES,
    ) -> str:
        """The log of a pod's first container. Raises MaestroError."""


class WarningsPort(Protocol):
    """A cluster, as far as its warnings are read."""

    def list_warnings(self, namespace: str | None) -> tuple[ClusterEvent, ...]:
        """Events of type Warning, of a namespace or of all (None). Raises MaestroError."""

    def list_pods(self, namespace: str | None, *, selector: str = "") -> tuple[Pod, ...]:
        """Pods of a namespace, or of all (None). Raises MaestroError."""


class WebhookPort(Protocol):
    """A receiver of webhook messages, such as an HTTP server with its own threads."""

    def start(self, deliver: Callable[[WebhookMessage], None]) -> str:
        """Begin to listen and return the address; an error out of `deliver` must be answered with 5xx."""

    def stop(self) -> None:
        """Stop listening; messages that were being delivered are finished first."""


class DutyPort(Protocol):
    """Whoever responds to incidents, on threads of its own; no method waits for a response but `stop`."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """An incident was opened."""

    def stop(self) -> None:
        """Begin nothing more, and wait until what was begun has stopped."""
