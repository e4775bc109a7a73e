"""Which labels say whose a pod is and what it serves.

Labels are as kube-state-metrics tells them: `app.kubernetes.io/name` is `label_app_kubernetes_io_name`.
Invariant: the first label that has a value says it; a namespace speaks for its pods where they say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.core.promql import exported_label
from maestro_cli.cost.prices.model import Capacity

PREFIX = "label_"
_INSTANCE_TYPES = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")
_REGIONS = ("topology_kubernetes_io_region", "failure_domain_beta_kubernetes_io_region")
_ZONES = ("topology_kubernetes_io_zone", "failure_domain_beta_kubernetes_io_zone")
GPU_LABELS = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
)
# how Karpenter, EKS, GKE, AKS and kops say that a node may be taken away
SPOT_LABELS = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "SPOT",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "cloud.google.com/gke-provisioning": "spot",
    "kubernetes.azure.com/scalesetpriority": "spot",
    "node.kubernetes.io/lifecycle": "spot",
}


@dataclass(frozen=True, slots=True)
class LabelNames:
    """Labels of Kubernetes that name a pod's team, model and version, the most telling first."""

    team: tuple[str, ...] = ("team", "owner", "app.kubernetes.io/part-of")
    model: tuple[str, ...] = ("model", "maestro.dev/model", "serving.kserve.io/inferenceservice")
    version: tuple[str, ...] = (
        "model-version",
        "maestro.dev/version",
        "version",
        "app.kubernetes.io/version",
    )


def of_object(series: Mapping[str, str]) -> dict[str, str]:
    """The labels of an object in a series such as `kube_pod_labels`."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in series.items()
        if name.startswith(PREFIX) and value
    }


def first_of(names: tuple[str, ...], *places: Mapping[str, str]) -> str:
    """The first value: by place, then by name."""
    return next((place[one] for place in places for one in map(exported_label, names) if place.get(one)), "")


def instance_type(labels: Mapping[str, str]) -> str:
    return first_of(_INSTANCE_TYPES, labels)


def region(labels: Mapping[str, str]) -> str:
    return first_of(_REGIONS, labels)


def zone(labels: Mapping[str, str]) -> str:
    return first_of(_ZONES, labels)


def gpu(labels: Mapping[str, str]) -> str:
    return first_of(GPU_LABELS, labels)


def capacity(labels: Mapping[str, str]) -> Capacity:
    """Spot where a label says so, else on demand."""
    is_spot = any(
        labels.get(exported_label(name), "").casefold() == value.casefold()
        for name, value in SPOT_LABELS.items()
    )
    return Capacity.SPOT if is_spot else Capacity.ON_DEMAND
