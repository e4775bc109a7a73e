"""Changes that lease a fault to a pod, and take the lease away: annotations of the pod (core.fault_leases).

Invariant: an annotation is named for its change, so that nobody else's is touched; it ends by itself.
"""

from __future__ import annotations

from maestro_cli.changes.kinds.kind import Permission
from maestro_cli.chaos.faults.server_kinds import EndServerFault, InjectServerFault

LEASE, END = "lease-fault", "end-fault-lease"
_PERMISSIONS = (Permission("get", "pods"), Permission("patch", "pods"))


class LeaseFault(InjectServerFault):
    """Parameters: `order`, with `kind`, `seconds` and `parameters`."""

    name = LEASE
    ended_by = END
    holder = ""
    permissions = _PERMISSIONS


class EndFaultLease(EndServerFault):
    """Parameters: `note`, the id of the change that leased it."""

    name = END
    holder = ""
    permissions = _PERMISSIONS
