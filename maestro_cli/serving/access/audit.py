"""The line that says who changed what. Invariant: every call that could change something has exactly one."""

from __future__ import annotations

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.telemetry.logs import Log

AUDITED = frozenset({Permission.OPERATE, Permission.CHAOS, Permission.ADMIN})


def audit(log: Log, route: Route, call: Call, status: int | None) -> None:
    """Write it; without a status the caller went away before it was answered. No secret is at hand here."""
    if route.permission not in AUDITED:
        return
    client = call.scope.get("client")
    log.info(
        "audit",
        who=call.caller.id if call.caller is not None and call.caller.id is not None else "nobody",
        client=client[0] if client else None,
        permission=str(route.permission),
        what=f"{route.method} {route.path}",
        path=call.path,
        status=status,
        trace_id=call.trace_id,
        **call.audited,
    )
