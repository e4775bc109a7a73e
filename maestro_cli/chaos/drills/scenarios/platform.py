"""What goes wrong around the platform: security, cost, certificates, backups."""

from __future__ import annotations

from maestro_cli.chaos.drills.model import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
