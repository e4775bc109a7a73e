"""The drills that ship. Invariant: each breaks something real, and names its truth for the score."""

from __future__ import annotations

from maestro_cli.chaos.drills.model import Scenario
from maestro_cli.chaos.drills.scenarios import cluster, platform, serving
from maestro_cli.core.errors import NotFound

SCENARIOS: tuple[Scenario, ...] = (*serving.SCENARIOS, *cluster.SCENARIOS, *platform.SCENARIOS)


def find_scenario(name: str) -> Scenario:
    """The scenario of that name; raises NotFound listing what there is."""
    for scenario in SCENARIOS:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in SCENARIOS)
    raise NotFound(f"there is no drill {name!r}", why=f"known drills: {known}", fix="maestro drill list")
