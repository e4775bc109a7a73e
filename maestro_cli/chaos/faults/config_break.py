"""Config break: one key of a ConfigMap says something wrong for a while.

Invariant: one key is written, under the resourceVersion that was read; its undo puts back what was there, or
takes it away where nothing was. A value that may not be kept (a secret by its looks) is not replaced: its
undo could not be written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds, Option, yes_or_no
from maestro_cli.changes.kinds.set_config import MAX_VALUE, SetConfig
from maestro_cli.changes.references import config_maps_of
from maestro_cli.changes.template import holds_secret
from maestro_cli.chaos.faults.cluster_fault import ClusterFault
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.identity import the_very
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.faults.workloads import refuse_labels
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.facts.cluster import ConfigMap


class ConfigBreak(ClusterFault):
    """Parameters: `config_map` (a name), `key`, `value`; `restart` (no): restart what reads it."""

    name = "config-break"
    summary = "a key of a ConfigMap says something wrong; then what it said"
    options: ClassVar[Mapping[str, Option]] = {
        "config_map": Option(str, needed=True),
        "key": Option(str, needed=True),
        "value": Option(str, needed=True),
        "restart": Option(yes_or_no),
    }

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """The ConfigMap, which the target's workload has to read where it names one. Raises GateNotMet."""
        refuse_labels(order)
        rule, name, key = order.target, order.parameters["config_map"], order.parameters["key"]
        found = platform.cluster.get_config_map(rule.namespace, name)
        old = found.data.get(key, "")
        if holds_secret(key, old) or len(old) > MAX_VALUE:
            why = "it may not be kept, and nobody could put it back"
            raise GateNotMet(f"{key} of {found.ref} is not to be broken", why=why, fix="name another key")
        if rule.workload is not None:
            template = platform.cluster.get_workload(rule.workload).template
            if name not in config_maps_of(template):
                return []
        return [Candidate(found.ref, found.uid, whole=True)]

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        said = order.parameters
        asked = {"key": said["key"], "value": said["value"], "rollout": said.get("restart", False)}
        return [Step(SetConfig.name, one.ref, asked) for one in targets]

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """The cluster has the wrong value; what it does to its readers, the steady state tells."""
        broken = self._broken(platform, fault)
        text = f"{fault.targets[0].ref} {'says' if broken else 'does not say'} the wrong value"
        return Proof(Holds.YES if broken else Holds.NOT_YET, text)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        left = self.residue(platform, fault)
        if left:
            return Proof(Holds.NOT_YET, left[0])
        if fault.order.target.workload is None:
            return Proof(Holds.YES, "it says what it said")
        return as_many_ready(platform, fault)

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        key = fault.order.parameters["key"]
        return [f"{one.ref} has a wrong {key}" for one in self._broken(platform, fault)]

    def _broken(self, platform: Platform, fault: InForce) -> Sequence[ConfigMap]:
        said, found = fault.order.parameters, []
        for one in fault.targets:
            now = self._config_map(platform, one)
            if now is not None and now.data.get(said["key"]) == said["value"]:
                found.append(now)
        return found

    def _config_map(self, platform: Platform, target: Candidate) -> ConfigMap | None:
        ref = target.ref
        return the_very(target, lambda: platform.cluster.get_config_map(ref.namespace, ref.name))
