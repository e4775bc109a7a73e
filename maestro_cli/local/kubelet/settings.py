"""What can be told to a kubelet. Invariant: every duration is in seconds; defaults are Kubernetes'."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The node's name and place, and its periods."""

    state: Path
    node: str
    zone: str
    index: int
    region: str = "local"
    backoff_initial: float = 10.0
    backoff_max: float = 300.0
    lease_renew: float = 5.0
    lease_duration: int = 40
    volume_refresh: float = 5.0
    shutdown_grace: float = 5.0
    memory_check: float = 0.5
    limits_check: float = 2.0
    log_cap_bytes: int = 10 * 1024 * 1024
    max_pods: int = 110
    capacity_memory: str = ""

    @property
    def backoff_reset(self) -> float:
        """A run this long makes a container's back-off start anew: twice the longest pause."""
        return self.backoff_max * 2
