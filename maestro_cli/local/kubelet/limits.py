"""What ends a whole pod from the node's side: its deadline, and scratch space beyond its limit.

Invariant: the words are Kubernetes' own; nothing here ends anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.objects import Object, parse_time


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a pod fails; `grace` is how long its processes get, None for as long as the pod says."""

    reason: str
    message: str
    grace: float | None = None

    @property
    def is_eviction(self) -> bool:
        return self.reason == "Evicted"


def judge(pod: Object, volumes: Path, now: datetime) -> Verdict | None:
    """The verdict on a pod whose volumes are below that folder. Reads the disk: for threads."""
    deadline = pod["spec"].get("activeDeadlineSeconds")
    began = parse_time((pod.get("status") or {}).get("startTime"))
    if deadline is not None and began is not None and (now - began).total_seconds() >= deadline:
        return Verdict("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
    for volume in pod["spec"].get("volumes") or ():
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if limit and _used_bytes(volumes / volume["name"]) > parse_quantity(limit):
            words = f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
            return Verdict("Evicted", words, grace=1.0)
    return None


def has_limits(pod: Object) -> bool:
    """Whether there is anything to judge."""
    spec = pod["spec"]
    sized = any((volume.get("emptyDir") or {}).get("sizeLimit") for volume in spec.get("volumes") or ())
    return sized or spec.get("activeDeadlineSeconds") is not None


def _used_bytes(folder: Path) -> int:
    """What the files below a folder take of the disk; links are not followed."""
    total = 0
    for parent, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue
    return total
