"""The clusters that the embedded platform can have.

Invariant: everything that is special about one is in its row; nobody else asks which cluster it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.progress import Progress
    from maestro_cli.local.ports import Ports
    from maestro_cli.local.supervisor.model import Part, Plan

LITE = "lite"


@dataclass(frozen=True, slots=True)
class Cluster:
    """How one kind of cluster comes about. `program` finds or builds what must be there first (the path,
    empty when nothing is needed); `prepare` writes into the state folder what its parts read.
    """

    program: Callable[[Mapping[str, str], Progress, Cancellation], str]
    prepare: Callable[[Path], None]
    parts: Callable[[Plan, Ports], tuple[Part, ...]]


def _no_program(environment: Mapping[str, str], progress: Progress, cancellation: Cancellation) -> str:
    return ""


def _nothing(state: Path) -> None:
    """The process of the light cluster makes what it needs."""


def _lite_parts(plan: Plan, ports: Ports) -> tuple[Part, ...]:
    from maestro_cli.local.cluster.parts import lite_parts

    return lite_parts(plan, ports)


def _kubernetes_program(
    environment: Mapping[str, str], progress: Progress, cancellation: Cancellation
) -> str:
    from maestro_cli.local.kubernetes.build import ensure_binary

    return str(ensure_binary(progress, cancellation, environment=environment).path)


def _kubernetes_files(state: Path) -> None:
    from maestro_cli.local.kubernetes.commands import ControlPlane
    from maestro_cli.local.kubernetes.files import write_files

    write_files(ControlPlane(state, program=""))


def _kubernetes_parts(plan: Plan, ports: Ports) -> tuple[Part, ...]:
    from maestro_cli.local.kubernetes.commands import ControlPlane
    from maestro_cli.local.kubernetes.parts import control_plane_parts

    return control_plane_parts(ControlPlane(plan.state, plan.cluster_program), ports)


CLUSTERS: Mapping[str, Cluster] = {
    LITE: Cluster(_no_program, _nothing, _lite_parts),
    "kubernetes": Cluster(_kubernetes_program, _kubernetes_files, _kubernetes_parts),
}
