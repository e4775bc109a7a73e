"""What faults that the cluster's API puts in have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import ChangeKind, Option
from maestro_cli.chaos.faults.pods import lacks_cluster
from maestro_cli.chaos.ports import Platform


class ClusterFault:
    """Made of the kinds of change that there are, in any context that has a cluster; takes no parameters."""

    provider = "cluster"
    options: ClassVar[Mapping[str, Option]] = {}

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return ()

    def lacks(self, platform: Platform) -> str:
        return lacks_cluster(platform)
