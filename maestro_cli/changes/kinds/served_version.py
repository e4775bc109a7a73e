"""What loading and unloading one version of a model on every replica have in common.

Invariant: an undo is about the replicas that the change was about (`only`), and the others stay as they are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.changes.kinds.replicas import ReplicaKind, version_named
from maestro_cli.core.facts.inference import ServedReplica

READY = "READY"


class ServedVersionKind(ReplicaKind):
    """Parameters: `model`, `version` (int)."""

    options: ClassVar[Mapping[str, Option]] = {
        "model": Option(str, needed=True),
        "version": Option(whole_number, needed=True),
    }

    @abstractmethod
    def models(self, named: str, there: Mapping[str, str]) -> Mapping[str, str]:
        """The state of each version of a replica afterwards; `named` is the one that this is about."""

    def known_parameters(self) -> frozenset[str]:
        """`only`: the replicas that an undo is about."""
        return frozenset({*self.options, "only"})

    def done(self, plan_id: str, parameters: Mapping[str, Any], replica: ServedReplica) -> ServedReplica:
        if parameters["only"] and replica.id not in parameters["only"]:
            return replica
        return replace(replica, models=self.models(version_named(parameters), replica.models))

    def shown(self, parameters: Mapping[str, Any], replica: ServedReplica) -> str:
        named = version_named(parameters)
        return f"{named} {replica.models.get(named, 'not there')}"
