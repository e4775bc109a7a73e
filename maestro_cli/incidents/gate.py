"""Whether a place is free of open incidents, for CI and for scripts that deploy.

Invariant: pure; what is not known never passes. An incident that names no place may be anywhere, so it
counts in each; so does one of a namespace for each of its workloads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import WorkloadRef, checked_namespace
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.model import Incident, Severity


@dataclass(frozen=True, slots=True)
class GateScope:
    """What is asked about: severities from the gravest to `fail_on`; everywhere unless a place is named.

    `needs_watch`: without somebody who watches and sees, the answer is not known.
    """

    fail_on: Severity = Severity.SEV2
    namespace: str | None = None
    workload: WorkloadRef | None = None
    drills: bool = False
    needs_watch: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a namespace that cannot be: it would pass, whatever is open."""
        if self.namespace is not None:
            checked_namespace(self.namespace)

    def takes(self, incident: Incident) -> bool:
        """Whether an incident is asked about, whatever its severity."""
        if incident.drill and not self.drills:
            return False
        namespace = incident.workload.namespace if incident.workload else incident.namespace
        wanted = self.workload.namespace if self.workload else self.namespace
        if wanted and namespace and namespace != wanted:
            return False
        return self.workload is None or incident.workload in (None, self.workload)


@dataclass(frozen=True, slots=True)
class GateReading:
    """The answer; `lesser` counts open incidents in scope that are not grave enough to fail."""

    scope: GateScope
    verdict: Verdict
    reason: str
    blocking: tuple[Incident, ...]
    lesser: int
    sight: Sight


def read_gate(incidents: Sequence[Incident], scope: GateScope, sight: Sight) -> GateReading:
    """FAIL when a grave one is open; else INDETERMINATE where a watch is needed and none sees; else PASS."""
    found = [one for one in incidents if one.state.is_open and scope.takes(one)]
    grave = [one for one in found if one.severity <= scope.fail_on]
    blocking = tuple(sorted(grave, key=lambda one: (one.severity, one.number)))
    lesser = len(found) - len(blocking)
    unseen = _unseen(sight)
    if blocking:
        what = counted(len(blocking), "incident")
        verdict, reason = Verdict.FAIL, f"{what} of {scope.fail_on.value} or graver open"
    elif scope.needs_watch and unseen:
        verdict, reason = Verdict.INDETERMINATE, unseen
    else:
        verdict, reason = Verdict.PASS, f"no incident of {scope.fail_on.value} or graver is open"
    return GateReading(scope, verdict, reason, blocking, lesser, sight)


def _unseen(sight: Sight) -> str:
    """Why an incident may be there that nobody opened; "" when somebody watches and sees."""
    if not sight.watchers:
        return "nobody watches"
    if sight.blind_since is not None:
        return f"the watch has been blind since {sight.blind_since}: {sight.error}"
    if sight.others:
        one = sight.others[0]
        return f"the watch has been blind for {one.source} since {one.since}: {one.error}"
    return ""
