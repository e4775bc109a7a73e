"""What right-sizing takes from the cluster itself and from the objectives, besides the metrics.

Invariant: what cannot be read hides nothing else, and is told; where an objective may be about a workload and
nothing tells whether it is, it stands for one whose budget is not known, which forbids every cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.rightsizing.facts import Autoscaler
from maestro_cli.cost.rightsizing.guards import BudgetLeft
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.owners import PodKey

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Workload
    from maestro_cli.services.costs.root import CostServices
    from maestro_cli.slo.objectives import Objective


class ClusterSeen:
    """The workloads and nodes of the context's cluster, where it has one."""

    def __init__(self, services: CostServices) -> None:
        self._services = services
        self.node_labels: Mapping[str, Mapping[str, str]] = {}
        self.notes: tuple[str, ...] = ()

    @property
    def is_there(self) -> bool:
        """Whether the context has a cluster."""
        return self._services.context.cluster is not None

    @cached_property
    def workloads(self) -> Sequence[Workload] | None:
        """None: their pod templates are not known, and nor are the labels of nodes."""
        if self._services.context.cluster is None:
            return None
        cluster = self._services.cluster
        try:
            found = cluster.list_readable_workloads(None)
            self.node_labels = {one.name: one.labels for one in cluster.list_nodes()}
        except MaestroError as error:
            self.notes = (
                f"pod templates are not known: pods are taken to stay on nodes alike ({error.what})",
            )
            return None
        return found

    def autoscalers(self, workloads: Set[WorkloadId]) -> Mapping[WorkloadId, Autoscaler] | str:
        """Those of the workloads, as the cluster tells them; in words why that is not known."""
        if not self.is_there:
            return "the context has no cluster to ask"
        namespaces = {one.namespace for one in workloads}
        try:
            told = self._services.cluster.list_autoscalers(
                next(iter(namespaces)) if len(namespaces) == 1 else None
            )
        except MaestroError as error:
            return error.what
        found = ((WorkloadId(one.namespace, one.target_kind, one.target_name), one) for one in told)
        return {
            workload: Autoscaler(
                one.name, one.least, one.most, one.shares.get("cpu"), one.shares.get("memory"), one.others,
                is_asked=True,
            )
            for workload, one in found if workload in workloads
        }  # fmt: skip


class Guards:
    """What is left of the error budgets of those objectives that are about a workload; each read once.

    By what was seen: where little was, the history of the workload is too thin as well, and forbids a cut. An
    objective is about a workload by its name, or by that of a Service that has its pods.
    """

    def __init__(self, services: CostServices, owners: Mapping[PodKey, WorkloadId]) -> None:
        self._services, self._owners = services, owners
        self._known = set(owners.values())
        self._left: dict[str, BudgetLeft] = {}
        self._behind: dict[str, Mapping[WorkloadId, set[str]] | str] = {}
        self.notes: tuple[str, ...] = ()
        self._unknown = ""
        self._objectives: Sequence[Objective] = ()
        try:
            self._objectives = [one for one in services.objectives.values() if one.is_watched]
        except MaestroError as error:
            self.notes = (f"objectives are not known: {error.what}",)
            self._unknown = error.what

    def of(self, workload: WorkloadId) -> list[BudgetLeft]:
        """Where objectives cannot be read, one that is not known stands for them: it forbids every cut."""
        if self._unknown:
            return [BudgetLeft("its objectives", None, self._unknown)]
        if not self._objectives:
            return []
        ref = WorkloadRef(workload.kind, workload.namespace, workload.name)
        behind = self._services_of(workload.namespace)
        if isinstance(behind, str):
            untold = (one for one in self._objectives if self._may_be_for(one, ref))
            return [*self._read(ref, ()), *(BudgetLeft(one.name, None, behind) for one in untold)]
        return self._read(ref, behind.get(workload, ()))

    def _read(self, ref: WorkloadRef, names: Sequence[str] | set[str]) -> list[BudgetLeft]:
        return [self._budget(one) for one in self._objectives if one.is_for(ref, names)]

    def _budget(self, one: Objective) -> BudgetLeft:
        if one.name not in self._left:
            left = self._services.budget_left(one)
            self._left[one.name] = BudgetLeft(one.name, left.seen, left.why)
        return self._left[one.name]

    def _services_of(self, namespace: str) -> Mapping[WorkloadId, set[str]] | str:
        """By workload the Services that have pods of it, ready or not; in words why that is not known."""
        if namespace not in self._behind:
            self._behind[namespace] = self._read_services(namespace)
        return self._behind[namespace]

    def _read_services(self, namespace: str) -> Mapping[WorkloadId, set[str]] | str:
        if self._services.context.cluster is None:
            text = "the context has no cluster: objectives are found by names of workloads, not of Services"
            self.notes = tuple(dict.fromkeys((*self.notes, text)))
            return {}
        found: dict[WorkloadId, set[str]] = defaultdict(set)
        try:
            for one in self._services.cluster.list_endpoints(namespace):
                workload = self._owners.get((namespace, one.pod))
                if workload is not None:
                    found[workload].add(one.service)
        except MaestroError as error:
            return f"which pods are behind its Service is not known ({error.what})"
        return found

    def _may_be_for(self, one: Objective, ref: WorkloadRef) -> bool:
        """It names a Service that may have these pods, and no workload at all."""
        if not one.is_for(ref, {one.service}) or one.is_for(ref):
            return False
        namespace = one.labels.get("namespace", ref.namespace)
        return not any((of.namespace, of.name) == (namespace, one.service) for of in self._known)
