"""Changes of the snapshots: one that waits to be carried out, one that failed, one that held."""

from __future__ import annotations

from datetime import timedelta

from maestro_cli.changes.candidates.model import Judged, Standing
from maestro_cli.changes.model import (
    BlastRadius,
    BudgetHeadroom,
    Change,
    Condition,
    Diff,
    DiffLine,
    Gate,
    GateDecision,
    Plan,
    RecentChange,
    Risk,
    State,
    Target,
    Undo,
)
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from tests.tui.cases import NOW
from tests.tui.made import made

FRAUD = WorkloadRef("Deployment", "ml", "fraud")


def plan(number: int = 1, *, risks: tuple[Risk, ...] = ()) -> Plan:
    blast = BlastRadius(
        1, 3, 3, 3, 5, 0.6, (BudgetHeadroom("fraud", 1, 3, 2, 3, "ml"),),
        (RecentChange("revision 2", "rollout", "", "seen", NOW - timedelta(minutes=6)),),
    )  # fmt: skip
    return made(
        Plan, id=f"chg-{number}", kind="rollback", target=Target(FRAUD, "uid-fraud", "17", 2, "27e7"),
        summary="roll ml/deploy/fraud back from revision 2 to revision 1",
        diff=Diff((DiffLine(Untrusted("args[7]"), Untrusted("fraud=2"), Untrusted("\x1b[2Jfraud=1")),)),
        blast=blast, undo=Undo("rollback", {"to_revision": 2}, "roll ml/deploy/fraud back to revision 2"),
        verify=Condition("ml/deploy/fraud runs the template of revision 1 on every replica", 300.0),
        considered=(Judged(1, Standing.GOOD, "it answered well for 1h00m"),), risks=risks,
    )  # fmt: skip


def change(number: int, state: State, **said: object) -> Change:
    at = NOW - timedelta(minutes=number)
    return made(
        Change, id=f"chg-{number}", kind="rollback", ref=FRAUD, actor="ann", plan=plan(number), state=state,
        cause="the error ratio is high after a release", created_at=at, updated_at=at,
        decision=GateDecision(Gate.ALLOWED, (), ("changed within the hour: revision 2",)), **said,
    )  # fmt: skip


CHANGES = (
    change(1, State.PLANNED, dry_run=True),
    change(2, State.FAILED, verify_failure="after 5m00s: 1 of 3 updated"),
    change(3, State.VERIFIED, evidence="3 of 3 updated, 110 answers, all of revision 1"),
)
