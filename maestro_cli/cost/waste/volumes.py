"""Volumes that are paid for and that no pod mounts, from what was metered.

A volume may be held by a claim of a namespace that nobody watches: kube-state-metrics tells of all volumes,
and of claims and pods in the namespaces that it was given. Such a one is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.cost.metering.model import Metered, VolumeRef
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, PriceVersion
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste
from maestro_cli.cost.waste.window import full_hours, too_little

if TYPE_CHECKING:
    from maestro_cli.cost.metering.model import Matrix


def unattached_volumes(metered: Metered, version: PriceVersion | None) -> Iterator[Waste | NotJudged]:
    """Volumes that were there in each hour and that no pod mounted in any."""
    import numpy as np

    if why := _blind(metered):
        yield NotJudged(Kind.UNATTACHED, why)
        return
    watched = {one.namespace for one in metered.containers}
    watched |= {one.namespace for one in metered.volumes if one.claim}
    unwatched = 0
    for one, all_hours in zip(metered.volumes, metered.volume_gib, strict=True):
        hours = full_hours(all_hours)
        if one.pods or not np.isfinite(hours).all() or not (hours > 0).all():
            continue
        if one.namespace and one.namespace not in watched:
            unwatched += 1
        else:
            yield _unattached(one, hours, version)
    if unwatched:
        why = "of namespaces in which kube-state-metrics tells no pod and no claim"
        yield NotJudged(Kind.UNATTACHED, f"{counted(unwatched, 'volume')} {why}")


def _blind(metered: Metered) -> str:
    """Why nothing can be said of any volume; empty where something can."""
    if not metered.volumes:
        return "kube-state-metrics told of no volume"
    if not any(one.claim for one in metered.volumes):
        return "kube-state-metrics told of no claim"
    if not any(one.pods for one in metered.volumes):
        return "no mount of any volume was told by kube-state-metrics"
    return too_little(metered)


def _unattached(one: VolumeRef, hours: Matrix, version: PriceVersion | None) -> Waste:
    size = float(hours[-1])
    priced = None if version is None else version.storage_class(one.storage_class)
    monthly = None if priced is None else size * priced.per_gib_hour * HOURS_OF_A_MONTH
    if one.claim:
        held = f"its claim {one.claim} is mounted by no pod"
    else:
        held = "no claim holds it" + (" any more" if one.namespace else "")
    over = format_duration(len(hours) * 3600.0)
    evidence = f"{size:.3g} GiB of {one.storage_class or 'no class'}; {held} in {over}"
    return Waste(Kind.UNATTACHED, one.namespace, one.name, evidence, monthly=monthly)
