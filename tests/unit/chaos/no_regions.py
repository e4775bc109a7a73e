"""For platforms of tests that are one region, without any other."""

from __future__ import annotations

from maestro_cli.chaos.ports import Regions
from maestro_cli.core.errors import NotFound


class NoRegions:
    """What the protocol chaos.ports.Platform has of regions."""

    @property
    def regions(self) -> Regions:
        raise NotFound("the context names no other region that takes over")
