"""What a plan runs, what it only tells, and what it does not claim to know."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import ExitCode, GateNotMet, MaestroError, PolicyRefused
from maestro_cli.runbooks.planning import RunPlan
from maestro_cli.runbooks.ports import ChangeRequest, Rehearsed
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


class DryRuns:
    """Answers rehearsals of changes to order."""

    def __init__(self, answer: Rehearsed | MaestroError) -> None:
        self.answer = answer
        self.asked: list[ChangeRequest] = []

    def rehearse(self, request: ChangeRequest) -> Rehearsed:
        self.asked.append(request)
        if isinstance(self.answer, MaestroError):
            raise self.answer
        return self.answer


ROLLBACK = "kind: rollback\ntarget: ml/deploy/$NAME"


def planned(
    bench: Bench, text: str, answer: Rehearsed | MaestroError | None = None
) -> tuple[RunPlan, DryRuns]:
    dry = DryRuns(answer or Rehearsed("would roll back"))
    return bench.runner().plan(bench.write(FRONT + text), {}, dry), dry


def told(plan: RunPlan) -> list[tuple[str, str]]:
    return [(step.path, step.state) for step in plan.steps]


def test_what_alters_nothing_runs_and_what_does_is_only_told(bench: Bench) -> None:
    text = (
        fence("id=look capture=GOT", "touch looked; echo 7")
        + fence("id=query expect='> 0'", 'up{n="$GOT"}', "promql")
        + fence("id=alter mutates", "touch altered")
        + fence("verify=alter", "touch verified")
        + fence("undo=alter", "touch undone")
        + fence("id=post", "POST https://x/$NAME/$GOT", "http")
        + fence("id=back approve=ic", ROLLBACK, "change")
        + fence("id=tell to=env:CHAT", "done", "notify")
        + fence("id=hand", "turn the key", "manual")
    )
    plan, dry = planned(bench, text)
    assert told(plan) == [
        ("look", "ran"), ("query", "ran"), ("alter", "would"), ("alter/verify", "would"), ("post", "would"),
        ("back", "would"), ("tell", "would"), ("hand", "asks"),
    ]  # fmt: skip
    texts = {step.path: step.text for step in plan.steps}
    assert texts["post"] == "sends POST https://x/fraud/7; it has no undo"
    assert texts["back"] == "asks ic first; would roll back"
    assert texts["tell"] == "posts to env:CHAT"
    assert [str(request.target) for request in dry.asked] == ["ml/deploy/fraud"]
    assert (bench.answers.queries, plan.exit_code) == (['up{n="7"}'], ExitCode.OK)
    assert (bench.folder / "looked").exists()
    assert not any((bench.folder / name).exists() for name in ("altered", "verified", "undone"))
    assert (bench.systems.requests, bench.changes.world, bench.journal.events()) == ([], [], [])


def test_it_stops_where_the_run_would(bench: Bench) -> None:
    bench.answers.values = [(0.0,)]
    text = fence("id=a expect='> 1'", "up", "promql") + fence("id=b", ROLLBACK, "change")
    plan, dry = planned(bench, text)
    assert (told(plan), plan.exit_code) == (
        [("a", "stops"), ("b", "not reached")],
        ExitCode.CONDITION_NOT_MET,
    )
    assert dry.asked == []
    going_on, _ = planned(bench, text.replace("id=a", "id=a on_fail=continue") + fence("id=c when=a.failed"))
    assert told(going_on) == [("a", "ran"), ("b", "would"), ("c", "ran")]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Rehearsed("would", "it is frozen", ExitCode.POLICY_REFUSED), ExitCode.POLICY_REFUSED),
        (GateNotMet("nothing to change"), ExitCode.GATE_NOT_MET),
        (PolicyRefused("no"), ExitCode.POLICY_REFUSED),
    ],
)
def test_a_change_that_the_gate_refuses_ends_the_plan_with_its_code(
    bench: Bench, answer: Rehearsed | MaestroError, code: ExitCode
) -> None:
    plan, _ = planned(bench, fence("id=a", ROLLBACK, "change") + fence("id=b", "touch ran"), answer)
    assert (told(plan), plan.exit_code) == ([("a", "refused"), ("b", "not reached")], code)
    assert not (bench.folder / "ran").exists()


def test_what_only_the_run_can_know_is_unknown(bench: Bench) -> None:
    text = (
        fence("id=keep capture=KEEP", "Keep it?", "ask")
        + fence("id=a when='$KEEP == \"no\"'", "touch ran")
        + fence("id=b", 'touch ran; echo "$KEEP"')
        + fence("id=c needs=a", "touch ran")
        + fence("id=d when=a.ok", "touch ran")
        + fence("id=e mutates", 'echo "$KEEP"')
        + fence("id=f when='$NAME == \"x\"'")
        + fence("id=g needs=f")
    )
    plan, _ = planned(bench, text)
    assert told(plan) == [
        ("keep", "asks"), ("a", "unknown"), ("b", "unknown"), ("c", "unknown"), ("d", "unknown"),
        ("e", "would"), ("f", "skipped"), ("g", "skipped"),
    ]  # fmt: skip
    assert not (bench.folder / "ran").exists()


def test_each_repetition_is_told_and_what_only_the_run_knows_is_not_repeated(bench: Bench) -> None:
    text = (
        fence("id=look for_each='x y' as=POD capture=SEEN", 'echo "$POD"')
        + fence("id=back for_each=$SEEN as=POD", "kind: rollback\ntarget: ml/deploy/$POD", "change")
        + fence("id=make mutates capture=MADE", "echo z")
        + fence("id=use for_each=$MADE as=POD", 'echo "$POD"')
    )
    plan, dry = planned(bench, text)
    assert told(plan) == [
        ("look[1]", "ran"),
        ("look[2]", "ran"),
        ("back[1]", "would"),
        ("back[2]", "would"),
        ("make", "would"),
        ("use", "unknown"),
    ]
    assert [str(request.target) for request in dry.asked] == ["ml/deploy/x", "ml/deploy/y"]
