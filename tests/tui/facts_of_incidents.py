"""Incidents of the snapshots: an open one with suspects, and one that is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.clock import Phase, PhaseReading
from maestro_cli.incidents.clock import Standing as Reached
from maestro_cli.incidents.details import Details
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.model import Incident, Severity, Signal, State, Times
from maestro_cli.incidents.overview import Overview
from maestro_cli.incidents.people.model import Standing, Task, TaskKind, TaskState, UpdateClock
from maestro_cli.incidents.report.stats import Sample
from maestro_cli.incidents.timeline import Entry
from maestro_cli.runbooks.model import RunRecord, RunStatus, StepRecord
from maestro_cli.runbooks.model import State as StepState
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.screens.incidents import Row
from tests.tui.cases import NOW
from tests.tui.facts_of_changes import CHANGES
from tests.tui.made import made

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
TITLE = "fraud answers with errors \x1b[31m[b]now[/b]\u202e"


def before(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


OPEN = made(
    Incident, id="inc-2", number=2, key="ml/fraud", title=TITLE, severity=Severity.SEV2,
    state=State.TRIAGING, owner="ann", namespace="ml", workload=FRAUD, opened_by="watch", signals=3, firing=3,
    times=Times(before(8), before(7), acked_at=before(5)), seq=70,
)  # fmt: skip
OVER = made(
    Incident, id="inc-1", number=1, key="shop/search", title="search is slow", severity=Severity.SEV3,
    state=State.RESOLVED, namespace="shop", opened_by="ben", signals=1, drill=True, seq=12,
    times=Times(before(300), before(299), before(290), before(280), before(270), before(240)),
)  # fmt: skip
PEOPLE = Standing({"commander": "ann"}, UpdateClock(before(3), NOW + timedelta(minutes=27)), 1, 0)
INCIDENT_ROWS = (Row(OPEN, PEOPLE), Row(OVER, Standing({}, UpdateClock(None, None), 0, 0)))
SIGHT = Sight((), None, "")


def reading(phase: Phase, standing: Reached, seconds: float | None, budget: float | None) -> PhaseReading:
    return PhaseReading(phase, standing, seconds, budget, seconds)


CLOCK = (
    reading(Phase.DETECT, Reached.MET, 60.0, 300.0), reading(Phase.ACK, Reached.DONE, 120.0, None),
    reading(Phase.TRIAGE, Reached.RUNNING, 420.0, 600.0),
    reading(Phase.MITIGATE, Reached.RUNNING, 480.0, None),
    reading(Phase.RESOLVE, Reached.RUNNING, 480.0, 1800.0),
    reading(Phase.POSTMORTEM, Reached.NOT_REACHED, None, 172800.0),
)  # fmt: skip
TRIAGE: dict[str, Any] = {
    "conclusion": "release: ml/deploy/fraud revision 2", "culprit": "ml/deploy/fraud revision 2",
    "failed": [], "incident": "inc-2", "seconds": 0.5,
    "severity": {"reasons": ["18.7% of the requests fail"], "severity": "sev2", "unsure": False},
    "suspects": [
        {
            "fix": {"kind": "change", "name": "rollback", "parameters": {"to_revision": "1"}},
            "kind": "release", "score": 0.92, "strength": 0.75, "subject": "ml/deploy/fraud revision 2",
            "reasons_for": ["it began 4.0s before the onset", "new log line: \x1b]0;pwned\x07 failed"],
            "reasons_against": ["one replica of it is well"],
        }
    ],
}  # fmt: skip
SIGNAL = made(
    Signal, fingerprint="a093", content="6551", firing=True, name="ErrorBudgetBurn",
    labels={"deployment": "fraud", "severity": "page"}, starts_at=before(8), source="alertmanager",
    incident="inc-2",
)  # fmt: skip
DETAILS = made(
    Details, incident=OPEN, clock=CLOCK, signals=(SIGNAL,), triage=TRIAGE,
    triage_at="2026-11-26T02:58:00.000000Z", sight=SIGHT, detection=Sample(OPEN), people=PEOPLE,
    evidence=(
        {
            "at": "2026-11-26T02:58:00.000000Z", "error": "", "facts": {}, "incident": "inc-2",
            "kind": "alerts", "ok": True, "query": "signals", "seconds": 0.0, "source": "journal",
            "title": "Alerts", "summary": "3 of 3 signals fire: ErrorBudgetBurn",
        },
    ),
)  # fmt: skip
TIMELINE = tuple(
    Entry(60 + n, before(7 - n), f"incident.{kind}", "incident/inc-2", actor, text, {})
    for n, (kind, actor, text) in enumerate(
        [
            ("opened", "watch", "opened as sev2: fraud answers with errors"),
            ("signal", "watch", "signal ErrorBudgetBurn joined"), ("acknowledged", "ann", "acknowledged"),
            ("note", "ann", "customers call \x1b[5m[link=x]here[/link]"),
        ]
    )
)  # fmt: skip
TASKS = (
    made(
        Task, number=1, incident="inc-2", incident_number=2, kind=TaskKind.TASK, text="tell the shop",
        owner="ben", due_at=NOW + timedelta(minutes=20), state=TaskState.OPEN, created_by="ann",
    ),
)  # fmt: skip


def step(path: str, state: StepState, output: str = "") -> StepRecord:
    return made(
        StepRecord, path=path, attempt=1, kind="promql", role="main", state=state, output=output,
        intended_at="2026-11-26T02:57:00.000000Z", finished_at="2026-11-26T02:57:02.000000Z",
    )  # fmt: skip


RUNS = tuple(
    made(
        RunRecord, id=f"run-{n}", runbook="high-error-rate", title="A deployment answers with errors",
        file="runbooks/high-error-rate.md", parameters={"NAMESPACE": "ml", "DEPLOY": "fraud"},
        incident="inc-2", actor="ann", status=status, waiting_for=waiting,
        started_at="2026-11-26T02:57:00.000000Z",
        finished_at="" if waiting else "2026-11-26T02:58:00.000000Z",
        steps=(step("errors", StepState.OK, "0.19 \x1b[1A"), step("rollback", StepState.WAITING)),
    )
    for n, (status, waiting) in enumerate(
        [(RunStatus.WAITING, "rollback"), (RunStatus.SUCCEEDED, ""), (RunStatus.FAILED, "")], 1
    )
)  # fmt: skip
STORY = IncidentStory(
    details=DETAILS, timeline=TIMELINE, runs=RUNS[:1], playbook="", bound=None, steps=(), tasks=TASKS,
    updates=(), changes=CHANGES, hold="3 of 3 signals still fire", missing=(),
)  # fmt: skip
OVERVIEW = made(
    Overview, context="prod", namespace="ml", incidents=(OPEN,), people={"inc-2": PEOPLE}, tasks=TASKS,
    sight=SIGHT, failures=(("Alertmanager", "cannot be reached: \x1b[31mrefused"),),
)  # fmt: skip
