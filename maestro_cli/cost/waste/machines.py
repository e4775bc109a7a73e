"""Workloads and replicas that are paid for and hardly used, from what was metered.

Invariant: a thing that was not there, or not measured, in each hour of the window is not judged, and neither
is one with GPUs whose use is not known; how many those are is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.core.refs import ref_of
from maestro_cli.cost.metering.model import ContainerRef, Matrix, Metered
from maestro_cli.cost.prices.model import Resource
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste
from maestro_cli.cost.waste.needs import Needs
from maestro_cli.cost.waste.window import full_hours, too_little

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ZOMBIE_SHARE = 0.01  # of what is requested, in the busiest hour
HEADROOM = 1.25  # over the busiest hour
BUSY_SHARE = 0.8  # of its request that a replica may be busy
LEAST_REPLICAS = 2
_NAMED = 3
_NO_MEMORY = "whose memory has no request, or was not measured"
_EVERY_NODE = "DaemonSet"
_SHORT = {"Deployment": "deploy", "StatefulSet": "sts"}
_ENDS = ("Job", "CronJob")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Amounts:
    """Of one resource hour by hour, over a workload; NaN where one container's is not known."""

    requested: NDArray[np.float64]
    used: NDArray[np.float64]

    @property
    def share(self) -> float:
        """Of what is requested, in the busiest hour; NaN where one is not known."""
        import numpy as np

        with np.errstate(divide="ignore", invalid="ignore"):
            return float((self.used / self.requested).max())


@dataclass(frozen=True, slots=True)
class _Hourly:
    """A workload hour by hour; `gpu` is None where it asks for none."""

    cpu: _Amounts
    memory: _Amounts
    gpu: _Amounts | None
    pods: NDArray[np.float64]

    @property
    def why_not(self) -> str:
        """Why nothing can be said of it; empty where something can."""
        import numpy as np

        cpu = self.cpu
        if not (np.isfinite(cpu.requested).all() and (cpu.requested > 0).all() and (self.pods > 0).all()):
            return "not there, or without a CPU request, in some hour"
        if not np.isfinite(cpu.used).all():
            return "not measured in some hour"
        if self.gpu is not None and not math.isfinite(self.gpu.share):
            return "with GPUs whose use was not measured"
        return ""


def idle_machines(
    metered: Metered, monthly: Mapping[str, float], needs: Mapping[str, Needs] | None
) -> Iterator[Waste | NotJudged]:
    """Zombie workloads, and those with far more replicas than their busiest hour needs.

    `monthly` is what a workload costs a month, `needs` what else it has replicas for, both by
    `str(ref_of(kind, namespace, name))`; needs are None where nobody looked: no command is given then. The
    last hour may only have begun and counts for nothing.
    """
    if why := too_little(metered):
        yield from (NotJudged(kind, why) for kind in (Kind.ZOMBIE, Kind.OVER_REPLICATED))
        return
    unjudged: dict[tuple[Kind, str], list[str]] = {}
    for (namespace, kind, name), hourly in sorted(_by_workload(metered).items()):
        one = _Workload(namespace, kind, name, hourly)
        device = (needs or {}).get(one.ref, Needs()).device
        if why := hourly.why_not or (device and f"with {device}, whose use is not metered"):
            unjudged.setdefault((Kind.ZOMBIE, why), []).append(one.ref)
        elif one.is_zombie:
            yield one.zombie(monthly.get(one.ref))
        elif one.may_be_fewer and not math.isfinite(one.need):
            unjudged.setdefault((Kind.OVER_REPLICATED, _NO_MEMORY), []).append(one.ref)
        elif one.may_be_fewer and (found := one.over_replicated(monthly.get(one.ref), needs)) is not None:
            yield found
    for (judged, why), refs in unjudged.items():
        yield NotJudged(judged, f"{counted(len(refs), 'workload')} {why}: {_names(refs)}")


def _names(refs: Sequence[str]) -> str:
    rest = len(refs) - _NAMED
    return ", ".join(refs[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


@dataclass(frozen=True, slots=True)
class _Workload:
    """One that was there and measured in each hour."""

    namespace: str
    kind: str
    name: str
    hourly: _Hourly

    @property
    def ref(self) -> str:
        return str(ref_of(self.kind, self.namespace, self.name))

    @property
    def over(self) -> str:
        return format_duration(len(self.hourly.pods) * 3600.0)

    @property
    def _fewest(self) -> int:
        """The hour with the fewest pods, the last of them: a rollout has more than there are replicas."""
        pods = self.hourly.pods
        return int(len(pods) - 1 - pods[::-1].argmin())

    @property
    def replicas(self) -> int:
        return int(self.hourly.pods[self._fewest])

    @property
    def cores(self) -> float:
        """That one replica asks for."""
        return float(self.hourly.cpu.requested[self._fewest]) / self.replicas

    @property
    def is_zombie(self) -> bool:
        """By its processors, and by its GPUs where it has some."""
        cpu, gpu = self.hourly.cpu, self.hourly.gpu
        is_idle = float(cpu.used.max()) < ZOMBIE_SHARE * float(cpu.requested.min())
        return is_idle and (gpu is None or gpu.share < ZOMBIE_SHARE)

    @property
    def may_be_fewer(self) -> bool:
        return self.kind != _EVERY_NODE and self.replicas >= LEAST_REPLICAS + 2

    @property
    def need(self) -> float:
        """How many replicas its busiest hour kept fully busy, by what was busiest; NaN where not known."""
        cpu, memory, gpu = self.hourly.cpu, self.hourly.memory, self.hourly.gpu
        by_cpu = float(cpu.used.max()) / self.cores
        shares = (memory.share, 0.0 if gpu is None else gpu.share)
        if not all(map(math.isfinite, shares)):
            return math.nan
        return max(by_cpu, *(share * self.replicas for share in shares))

    def zombie(self, monthly: float | None) -> Waste:
        cpu, gpu = self.hourly.cpu, self.hourly.gpu
        evidence = (
            f"used {float(cpu.used.max()):.2g} cores at most in an hour of {self.over}, of "
            f"{float(cpu.requested.min()):.3g} that it asks for; holds {self._memory()}"
        )
        if gpu is not None:
            evidence += f" and {float(gpu.requested[-1]):g} GPUs, busy to {gpu.share:.1%} at most"
        return Waste(Kind.ZOMBIE, self.namespace, f"{self.kind}/{self.name}", evidence, monthly=monthly)

    def _memory(self) -> str:
        asked, used = float(self.hourly.memory.requested[-1]), float(self.hourly.memory.used[-1])
        if math.isfinite(asked):
            return f"{asked:.3g} GiB of memory"
        return f"{used:.3g} GiB of memory, unasked" if math.isfinite(used) else "memory that was not measured"

    def over_replicated(self, monthly: float | None, needs: Mapping[str, Needs] | None) -> Waste | None:
        held = (needs or {}).get(self.ref, Needs())
        by_use = max(math.ceil(self.need * HEADROOM / BUSY_SHARE), LEAST_REPLICAS)
        needed = max(by_use, held.at_least(self.replicas))
        if self.replicas < needed + 2:
            return None
        cpu, memory = self.hourly.cpu, self.hourly.memory
        evidence = (
            f"{self.replicas} replicas; its busiest hour of {self.over} used {float(cpu.used.max()):.3g} "
            f"cores and {memory.share:.0%} of its memory, for which {needed} with "
            f"{self.cores:.3g} each are enough"
        )
        saved = None if monthly is None else monthly * (self.replicas - needed) / self.replicas
        short = _SHORT.get(self.kind)
        remedy = ""
        if needs is None:
            evidence += "; what its autoscaler and disruption budgets want was not looked at"
        elif held.scaler:
            evidence += f"; its autoscaler {held.scaler} sets them: maestro cost rightsize weighs that"
        elif short:
            target = quote(f"{self.namespace}/{short}/{self.name}")
            remedy = f"maestro scale {target} --replicas {needed}"
        name = f"{self.kind}/{self.name}"
        return Waste(Kind.OVER_REPLICATED, self.namespace, name, evidence, monthly=saved, remedy=remedy)


def _by_workload(metered: Metered) -> dict[Key, _Hourly]:
    rows: dict[Key, list[int]] = {}
    for index, one in enumerate(metered.containers):
        if one.workload and one.workload_kind not in _ENDS:
            rows.setdefault((one.namespace, one.workload_kind, one.workload), []).append(index)
    return {key: _hourly(metered, found) for key, found in rows.items()}


def _hourly(metered: Metered, rows: list[int]) -> _Hourly:
    import numpy as np

    asked = full_hours(metered.requested[Resource.CPU])[rows]
    used = _matrix(metered.used, Resource.CPU, rows)
    memory = _matrix(metered.requested, Resource.MEMORY, rows), _matrix(metered.used, Resource.MEMORY, rows)
    # also one that asks for nothing
    there: NDArray[np.bool_] = np.logical_or.reduce([np.isfinite(one) for one in (asked, used, *memory)])
    pods = [_pods(metered.containers[row] for row, is_there in zip(rows, hour, strict=True) if is_there)
            for hour in there.T]  # fmt: skip
    gpu = _matrix(metered.requested, Resource.GPU, rows)
    gpu_used = _matrix(metered.used, Resource.GPU, rows)
    has_gpu = (np.nan_to_num(gpu) > 0) | (np.nan_to_num(gpu_used) > 0)  # parts of one (MIG) are used unasked
    return _Hourly(
        _amounts(asked, used, there),
        _amounts(*memory, there),
        _amounts(gpu, gpu_used, has_gpu) if has_gpu.any() else None,
        np.array(pods, dtype=np.float64),
    )  # fmt: skip


def _matrix(matrices: Mapping[Resource, Matrix], resource: Resource, rows: list[int]) -> Matrix:
    """Those rows without the last hour; NaN where nothing is known of the resource."""
    import numpy as np

    known = matrices.get(resource)
    shape = len(rows), matrices[Resource.CPU].shape[1] - 1
    return np.full(shape, math.nan) if known is None else full_hours(known)[rows]


def _amounts(requested: Matrix, used: Matrix, there: NDArray[np.bool_]) -> _Amounts:
    """Sums over the containers that were there; NaN in an hour without any, or with one that is not known."""
    import numpy as np

    def summed(amounts: Matrix) -> NDArray[np.float64]:
        return np.where(there.any(axis=0), np.where(there, amounts, 0.0).sum(axis=0), math.nan)

    return _Amounts(summed(requested), summed(used))


def _pods(containers: Iterable[ContainerRef]) -> int:
    return len({one.pod for one in containers})
