"""A context whose systems are those that a test puts into it; one it lacks is missed as in a real context."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.changes.ports import ClusterPort


@dataclass(frozen=True)
class SomeWorld:
    cluster: ClusterPort
