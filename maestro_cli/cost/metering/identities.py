"""What the things that were metered are: owners, labels, nodes, volumes; by labels of series alone.

Invariant: label values are untrusted text; what nobody told is empty.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from maestro_cli.cost.metering import labels
from maestro_cli.cost.metering.labels import LabelNames
from maestro_cli.cost.metering.model import ContainerRef, NodeRef, VolumeRef
from maestro_cli.cost.metering.queries import CLUSTER_LABELS

Named: TypeAlias = tuple[str, str]  # namespace and name
PodKey: TypeAlias = tuple[str, str, str]  # namespace, name, uid
_OF_REPLICA_SET = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{6,10}$")


@dataclass(slots=True)
class Identities:
    """Filled series by series, the later of two that tell the same thing wins."""

    pods: dict[PodKey, Mapping[str, str]] = field(default_factory=dict)
    pod_labels: dict[PodKey, Mapping[str, str]] = field(default_factory=dict)
    qos: dict[PodKey, str] = field(default_factory=dict)
    owners: dict[tuple[str, str, str], Named] = field(default_factory=dict)  # kind, namespace, name → owner
    namespace_labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    node_labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    provider_ids: dict[str, str] = field(default_factory=dict)
    storage_classes: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Named] = field(default_factory=dict)  # volume → its claim
    claim_spaces: dict[str, str] = field(default_factory=dict)  # volume → namespace of whoever had it last
    clusters: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by their label
    mounts: defaultdict[Named, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, found: Iterable[Mapping[str, str]]) -> None:
        """Take series in, of any of the families of `queries.IDENTITIES`."""
        for series in found:
            name = series.get("__name__", "")
            if name.startswith("kube_pod_"):
                self._take_pod(name, series)
            elif name.startswith("kube_persistentvolume"):
                self._take_volume(name, series)
            else:
                self._take_other(name, series)

    def _take_pod(self, name: str, series: Mapping[str, str]) -> None:
        key = (series.get("namespace", ""), series.get("pod", ""), series.get("uid", ""))
        if name == "kube_pod_info":
            if series.get("node") or key not in self.pods:  # before it has a node, it tells none
                self.pods[key] = series
        elif name == "kube_pod_labels":
            self.pod_labels[key] = labels.of_object(series)
        elif name == "kube_pod_status_qos_class":
            self.qos[key] = series.get("qos_class", "")
        elif claim := series.get("persistentvolumeclaim"):
            self.mounts[key[0], claim].add(key[1])

    def _take_volume(self, name: str, series: Mapping[str, str]) -> None:
        if name == "kube_persistentvolume_info":
            self.storage_classes[series.get("persistentvolume", "")] = series.get("storageclass", "")
        elif name == "kube_persistentvolume_claim_ref":
            self.claim_spaces[series.get("persistentvolume", "")] = series.get("claim_namespace", "")
        elif volume := series.get("volumename"):
            self.claims[volume] = (series.get("namespace", ""), series.get("persistentvolumeclaim", ""))

    def _take_other(self, name: str, series: Mapping[str, str]) -> None:
        namespace, node = series.get("namespace", ""), series.get("node", "")
        if name == "kube_namespace_labels":
            self.namespace_labels[namespace] = labels.of_object(series)
        elif name == "kube_node_labels":
            self.node_labels[node] = labels.of_object(series)
        elif name == "kube_node_info":
            self.provider_ids[node] = series.get("provider_id", "")
            for label in CLUSTER_LABELS:
                if value := series.get(label):
                    self.clusters[label].add(value)
        else:
            kind, label = ("Job", "job_name") if name == "kube_job_owner" else ("ReplicaSet", "replicaset")
            owner = (_told(series.get("owner_kind", "")), _told(series.get("owner_name", "")))
            self.owners[kind, namespace, series.get(label, "")] = owner

    def container(self, pod: PodKey, name: str, node: str, names: LabelNames) -> ContainerRef:
        """A container of a pod; `node` is where its series say that it ran, "" where they do not."""
        info, own = self.pods.get(pod, {}), self.pod_labels.get(pod, {})
        around = self.namespace_labels.get(pod[0], {})
        kind, workload = self._workload(pod[0], info)
        return ContainerRef(
            namespace=pod[0],
            pod=pod[1],
            container=name,
            node=node or info.get("node", ""),
            workload_kind=kind,
            workload=workload,
            labels=own,
            team=labels.first_of(names.team, own, around),
            model=labels.first_of(names.model, own),
            version=labels.first_of(names.version, own),
            qos=self.qos.get(pod, ""),
        )

    def _workload(self, namespace: str, info: Mapping[str, str]) -> Named:
        """The topmost owner; a ReplicaSet that nobody told of is taken for its Deployment's, by its name."""
        kind, name = _told(info.get("created_by_kind", "")), _told(info.get("created_by_name", ""))
        if not name:
            return "", ""
        above = self.owners.get((kind, namespace, name))
        if above is not None and all(above):
            return above
        if above is None and kind == "ReplicaSet" and _OF_REPLICA_SET.search(name):
            return "Deployment", _OF_REPLICA_SET.sub("", name)
        return kind, name

    def node(self, name: str) -> NodeRef:
        told = self.node_labels.get(name, {})
        return NodeRef(
            name=name,
            instance_type=labels.instance_type(told),
            region=labels.region(told),
            zone=labels.zone(told),
            capacity=labels.capacity(told),
            gpu=labels.gpu(told),
            provider_id=self.provider_ids.get(name, ""),
        )

    def volume(self, name: str) -> VolumeRef:
        namespace, claim = self.claims.get(name, (self.claim_spaces.get(name, ""), ""))
        pods = tuple(sorted(self.mounts[namespace, claim])) if claim else ()
        return VolumeRef(name, self.storage_classes.get(name, ""), namespace, claim, pods)


def _told(value: str) -> str:
    """kube-state-metrics writes `<none>` for nobody."""
    return "" if value == "<none>" else value
