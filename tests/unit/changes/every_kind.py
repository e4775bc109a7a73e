"""One example of every kind of change, over the fake cluster's fraud=2 of three replicas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro_cli.changes.kinds import KINDS
from tests.unit.changes.fake_cluster import REF, FakeCluster, template

IMAGE = "registry.example:5000/ml/server:2@sha256:" + "a" * 64


@dataclass(frozen=True)
class Example:
    """`before` is what the cluster is set to first; `written` are the parameters as a runbook writes them."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    written: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.kind

    @property
    def rolls_out(self) -> bool:
        return self.kind not in ("scale", "pause", "resume")

    def prepare(self, cluster: FakeCluster) -> None:
        cluster.set(**self.before)

    def part(self, cluster: FakeCluster) -> str:
        """The part of the workload that this kind writes."""
        return KINDS[self.kind].part_of(cluster.get_workload(REF))


EXAMPLES = (
    Example("rollback"),
    Example("restart"),
    Example("scale", {"replicas": 5}, "replicas: 5"),
    Example("pause"),
    Example("resume", before={"paused": True}),
    Example("set-image", {"images": [f"server={IMAGE}"]}, f"images: server={IMAGE}"),
    Example("set-env", {"env": ["MODEL=b", "NEW=x"]}, "env: MODEL=b 'NEW=x'"),
)
ENVIRONMENT = {"MODEL": "a", "OLD": "x"}


def example_of(kind: str) -> Example:
    return next(example for example in EXAMPLES if example.kind == kind)


def releases(cluster: FakeCluster) -> None:
    """The two releases that every example starts from."""
    cluster.ship(template(1, **ENVIRONMENT), "release 1")
    cluster.ship(template(2, **ENVIRONMENT), "release 2")
