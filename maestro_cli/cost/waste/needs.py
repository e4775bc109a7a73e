"""What a workload has replicas for that metered processors and memory do not show.

Autoscalers and disruption budgets want so many at the least, and what a device does shows on that alone.
Invariant: a budget whose selector cannot be read holds for every workload of its namespace, and one whose
figure cannot be read wants all replicas.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.facts.cluster import Autoscaler, DisruptionBudget, Workload
from maestro_cli.core.promql import exported_label
from maestro_cli.core.refs import ref_of
from maestro_cli.core.selectors import selector_matches
from maestro_cli.cost.metering.queries import GPUS


@dataclass(frozen=True, slots=True)
class Needs:
    """`scaler` is the autoscaler that sets the replicas, `least` of which it wants; `device` a resource of a
    device plugin that is not metered. Names are untrusted text."""

    least: int = 0
    scaler: str = ""
    budgets: tuple[DisruptionBudget, ...] = ()
    device: str = ""

    def at_least(self, replicas: int) -> int:
        """The fewest of so many with which one may still be ended, by every budget."""
        return max((self.least, *(_at_least(one.least_available, replicas) for one in self.budgets)))


def needs_of(
    workloads: Iterable[Workload], budgets: Iterable[DisruptionBudget], autoscalers: Iterable[Autoscaler]
) -> dict[str, Needs]:
    """By `str` of the workload's reference; a workload that needs nothing of all this is not in it."""
    found = {
        str(ref_of(one.target_kind, one.namespace, one.target_name)): Needs(one.least, one.name)
        for one in autoscalers
    }
    held = [one for one in budgets if one.least_available is not None]
    for workload in workloads:
        name, covering = str(workload.ref), tuple(_covering(workload, held))
        device = next(_devices(workload), "")
        if covering or device:
            known = found.get(name, Needs())
            found[name] = Needs(known.least, known.scaler, covering, device)
    return found


def _covering(workload: Workload, budgets: Iterable[DisruptionBudget]) -> Iterator[DisruptionBudget]:
    labels = _part(_part(workload.template, "metadata"), "labels")
    texts = {str(key): str(value) for key, value in labels.items()}
    return (
        one for one in budgets
        if one.namespace == workload.ref.namespace and _covers(one.selector, texts)
    )  # fmt: skip


def _covers(selector: str, labels: Mapping[str, str]) -> bool:
    try:
        return selector_matches(selector, dict(labels))
    except ValueError:
        return True


def _devices(workload: Workload) -> Iterator[str]:
    """What is asked of device plugins, which have names with a slash, but for what is metered."""
    for container in _part(workload.template, "spec").get("containers") or ():
        limits = _part(_part(container, "resources"), "limits")
        names = (str(name) for name in limits)
        yield from (name for name in names if "/" in name and exported_label(name) not in GPUS)


def _at_least(least_available: int | str | None, replicas: int) -> int:
    """With n replicas ⌈n · share⌉ stay, so that one may be ended where n · (1 - share) ≥ 1."""
    if least_available is None:
        return 0
    if isinstance(least_available, int):
        return least_available + 1
    percent = least_available.removesuffix("%")
    if percent == least_available or not (percent.isascii() and percent.isdecimal()) or int(percent) >= 100:
        return replicas
    return math.ceil(100 / (100 - int(percent)))


def _part(thing: object, name: str) -> Mapping[str, Any]:
    part = thing.get(name) if isinstance(thing, Mapping) else None
    return part if isinstance(part, Mapping) else {}
