"""Helm releases: which revision is gone back to, what is shown, and what Helm's records tell afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds, Sent
from maestro_cli.changes.model import Change, Consent, Plan, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    MaestroError,
    NotFound,
    OutcomeUnknown,
    PolicyRefused,
    Refused,
    RolledBack,
    StalePlan,
    Unreachable,
    UsageError,
    WaitingForApproval,
)
from maestro_cli.core.facts.cluster import DisruptionBudget, Workload
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.refs import ObjectRef, WorkloadRef, ref_of
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, template
from tests.unit.changes.some_world import SomeWorld

HELM = ObjectRef("HelmRelease", "ml", "fraud")


def manifest(version: int, token: str = "dG9r") -> str:
    container = template(version)["spec"]["containers"][0]
    return (
        "---\n# Source: fraud/templates/all.yaml\n"
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\ndata: {{token: {token}}}\n"
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: fraud}\n"
        "spec:\n  replicas: 3\n  template:\n    metadata: {labels: {app: fraud}}\n"
        f"    spec: {{containers: [{{name: server, image: i:1, args: {container['args']}}}]}}\n"
    )


def release(
    revision: int, status: str = "superseded", version: int = 0, said: str = "Upgrade complete"
) -> Release:
    text = manifest(version or revision, f"dG9r{revision}")
    return Release(
        HELM, "helm:1", revision, status, said, f"fraud-1.{revision}.0", LONG_AGO, str(revision),
        f"content-{version or revision}", text,
    )  # fmt: skip


class FakeReleases:
    """A FAKE of Helm and its records: a rollback is another revision, `outcome` what becomes of it."""

    def __init__(self, *releases: Release) -> None:
        self.there = list(releases)
        self.outcome = "deployed"
        self.program = True
        self.fault: MaestroError | None = None
        self.asked: list[tuple[int, bool]] = []

    def history(self, ref: ObjectRef) -> Sequence[Release]:
        if ref != HELM or not self.there:
            raise NotFound("there is no such release")
        return tuple(self.there)

    def has_program(self) -> bool:
        return self.program

    def roll_back(self, ref: ObjectRef, revision: int, *, seconds: float, dry_run: bool = False) -> None:
        self.asked.append((revision, dry_run))
        if dry_run:
            return
        fault, self.fault = self.fault, None
        if not isinstance(fault, ActionFailed):
            self.land(revision)
        if fault is not None:
            raise fault

    def land(self, revision: int) -> None:
        goal = next(one for one in self.there if one.revision == revision)
        said = f"Rollback to {revision}" if self.outcome != "failed" else 'Release "fraud" failed: timed out'
        made = replace(goal, revision=self.there[-1].revision + 1, status=self.outcome, description=said)
        self.there.append(made)


@pytest.fixture
def helm() -> FakeReleases:
    """1 and 2 were well, 3 failed."""
    failed = release(3, "failed", said='Upgrade "fraud" failed: context deadline exceeded')
    return FakeReleases(release(1), release(2, "deployed"), failed)


def pipeline(bench: Bench, helm: FakeReleases, **policy: Any) -> ChangePipeline:
    world = SomeWorld(bench.cluster, helm=helm)
    rules = replace(POLICY, **policy)
    return ChangePipeline(bench.journal, world, policy=rules, clock=bench.clock, actor="ada")


def planned(bench: Bench, helm: FakeReleases, **parameters: Any) -> Plan:
    return pipeline(bench, helm).plan("helm-rollback", HELM, parameters)


def goal(bench: Bench, helm: FakeReleases) -> int:
    return int(planned(bench, helm).parameters["to_revision"])


def test_the_last_revision_that_succeeded_is_chosen(bench: Bench, helm: FakeReleases) -> None:
    assert goal(bench, helm) == 2
    helm.there.append(release(4, "deployed"))
    assert goal(bench, helm) == 2
    helm.there[1] = release(2, "superseded", said='Rollback "fraud" failed: no')
    assert goal(bench, helm) == 1


def test_what_is_there_already_under_another_number_is_passed_over(bench: Bench, helm: FakeReleases) -> None:
    helm.there = [release(1), release(2), release(3, "superseded", 2), release(4, "deployed", 2)]
    assert goal(bench, helm) == 1


def test_where_none_succeeded_it_says_why_for_each(bench: Bench, helm: FakeReleases) -> None:
    helm.there = [release(1, "failed"), release(2, "superseded", 3), release(3, "deployed")]
    with pytest.raises(ActionFailed) as raised:
        planned(bench, helm)
    assert raised.value.why == "passed over: 2 is what is there now; 1 failed"
    helm.there = [release(1, "deployed")]
    with pytest.raises(ActionFailed, match="no earlier revision that succeeded"):
        planned(bench, helm)


def test_a_named_revision_is_taken_though_it_failed(bench: Bench, helm: FakeReleases) -> None:
    helm.there.append(release(4, "deployed"))
    plan = planned(bench, helm, to_revision=3)
    assert (plan.parameters["to_revision"], plan.pinned) == (3, True)
    with pytest.raises(NotFound, match="no revision 77") as raised:
        planned(bench, helm, to_revision=77)
    assert raised.value.why == "Helm keeps: 1, 2, 3, 4"


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
@pytest.mark.parametrize("wanted", [{}, {"to_revision": 1}], ids=["chosen", "named"])
def test_while_helm_is_at_work_it_stops_and_says_how_to_get_out(
    bench: Bench, helm: FakeReleases, status: str, wanted: dict[str, int]
) -> None:
    helm.there.append(release(4, status))
    with pytest.raises(GateNotMet) as raised:
        planned(bench, helm, **wanted)
    assert f"revision 4 is {status}" in raised.value.what
    assert "another operation (install/upgrade/rollback) is in progress" in raised.value.why
    assert raised.value.fix.endswith("helm rollback fraud 2 --wait --namespace ml")
    helm.there = [release(1, status)]
    with pytest.raises(GateNotMet) as raised:
        planned(bench, helm)
    assert raised.value.fix.endswith("helm uninstall fraud --namespace ml")


def test_the_plan_shows_what_differs_and_no_secret(bench: Bench, helm: FakeReleases) -> None:
    plan = planned(bench, helm)
    lines = {str(line.path): (str(line.before), str(line.after)) for line in plan.diff.lines}
    assert lines == {
        "ml/deploy/fraud template.spec.containers[server].args[3]": ("fraud=3", "fraud=2"),
        "ml/secret/keys data.token": ("«hidden»", "«hidden»"),
    }
    assert "dG9r" not in repr(plan)
    assert (plan.blast.workloads, plan.blast.replicas_ended, plan.blast.namespace_share) == (1, 3, 1.0)
    assert plan.parameters["verbs"] == {"patch": ["Deployment", "Secret"]}
    asked = [str(one) for one in KINDS["helm-rollback"].needs(plan)]
    assert asked == [
        "list secrets", "update secrets", "create secrets", "patch deployments.apps", "patch secrets",
    ]  # fmt: skip


def test_budgets_and_share_are_those_of_the_namespace_in_which_a_workload_is(
    bench: Bench, helm: FakeReleases, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = ref_of("Deployment", "shop", "fraud")
    assert isinstance(elsewhere, WorkloadRef)
    there = replace(bench.cluster.get_workload(REF), ref=elsewhere)
    moved = "metadata: {name: fraud, namespace: shop}"
    helm.there = [
        replace(one, manifest=one.manifest.replace("metadata: {name: fraud}", moved)) for one in helm.there
    ]
    monkeypatch.setattr(bench.cluster, "get_workload", lambda _: there)
    monkeypatch.setattr(
        bench.cluster, "list_disruption_budgets",
        lambda namespace: [DisruptionBudget(namespace, f"of-{namespace}", "app=fraud", 1, 3, 2, 3)],
    )  # fmt: skip
    pods = list(bench.cluster.list_pods("ml"))
    monkeypatch.setattr(
        bench.cluster, "list_pods", lambda namespace, **_: pods * 10 if namespace == "ml" else pods * 2
    )
    blast = planned(bench, helm).blast
    assert [(one.namespace, one.name) for one in blast.budgets] == [("shop", "of-shop")]
    assert (blast.replicas_ended, blast.namespace_replicas, blast.namespace_share) == (3, 30, 0.5)


def test_hooks_that_helm_would_run_are_shown(bench: Bench, helm: FakeReleases) -> None:
    helm.there[1] = replace(helm.there[1], hooks=("Job/migrate",))
    last = planned(bench, helm).diff.lines[-1]
    assert (last.path, last.after) == ("hook Job/migrate", "run by Helm")


def executed(bench: Bench, helm: FakeReleases, **policy: Any) -> Change:
    changes = pipeline(bench, helm, **policy)
    return changes.execute(changes.plan("helm-rollback", HELM), YES)


def test_helm_is_asked_once_and_its_word_is_the_evidence(bench: Bench, helm: FakeReleases) -> None:
    change = executed(bench, helm)
    assert (change.state, helm.asked) == (State.VERIFIED, [(2, False)])
    observed = bench.journal.events(subject=f"change/{change.id}")[-1].data["observed"]
    assert observed == "revision 4 is deployed: Rollback to 2"


def test_a_second_one_within_the_hour_has_to_say_where_to(bench: Bench, helm: FakeReleases) -> None:
    executed(bench, helm)
    with pytest.raises(GateNotMet, match="rolled back within the hour") as raised:
        executed(bench, helm)
    told = f"the record of each revision: maestro rollback {HELM} --dry-run"  # a plan is of a workload
    assert raised.value.fix.endswith(told)
    bench.clock.pass_time(hours=2)
    assert goal(bench, helm) == 1


def test_its_undo_goes_back_to_the_very_revision(bench: Bench, helm: FakeReleases) -> None:
    change = executed(bench, helm)
    changes = pipeline(bench, helm)
    assert changes.execute(changes.plan_undo(change.id), YES).state is State.VERIFIED
    assert helm.asked == [(2, False), (3, False)]
    assert helm.there[-1].content == "content-3"


def test_a_dry_run_has_helm_rehearse(bench: Bench, helm: FakeReleases) -> None:
    changes = pipeline(bench, helm)
    change = changes.execute(changes.plan("helm-rollback", HELM), Consent(given=False), dry_run=True)
    assert change.decision is not None
    assert (change.decision.allowed, helm.asked) == (True, [(2, True)])


def test_without_the_program_nothing_is_done(bench: Bench, helm: FakeReleases) -> None:
    helm.program = False
    with pytest.raises(Unreachable, match="not on the path") as raised:
        executed(bench, helm)
    assert (helm.asked, "install" in raised.value.fix) == ([], True)
    changes = pipeline(bench, helm)
    shown = changes.execute(changes.plan("helm-rollback", HELM), Consent(given=False), dry_run=True)
    assert shown.decision is not None
    assert [reason.code for reason in shown.decision.reasons] == ["helm"]


def test_what_happened_since_makes_the_plan_stale(bench: Bench, helm: FakeReleases) -> None:
    changes = pipeline(bench, helm)
    plan = changes.plan("helm-rollback", HELM)
    helm.there.append(release(4, "deployed"))
    with pytest.raises(StalePlan, match="changed since the plan"):
        changes.execute(plan, YES)
    assert helm.asked == []


def test_what_the_gate_refuses_has_its_code(bench: Bench, helm: FakeReleases, tmp_path: Path) -> None:
    two = tmp_path / "policy.yaml"
    two.write_text("schema: maestro.policy/1\nrules: [{name: two, two_person: true}]\n")
    with pytest.raises(PolicyRefused) as read_only:
        executed(bench, helm, read_only=True)
    with pytest.raises(WaitingForApproval) as waiting:
        executed(bench, helm, rules=load_policy(two))
    bench.cluster.set(denied=["create secrets"])
    with pytest.raises(Refused, match="you may not create secrets") as denied:
        executed(bench, helm)
    assert [error.value.exit_code for error in (read_only, waiting, denied)] == [20, 17, 5]
    assert helm.asked == []


def test_a_workload_that_may_not_be_seen_passes_no_cap(
    bench: Bench, helm: FakeReleases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> Workload:
        raise Refused("you may not get deployments")

    assert planned(bench, helm).blast.namespace_share is not None
    monkeypatch.setattr(bench.cluster, "get_workload", refuse)
    assert planned(bench, helm).blast.namespace_share is None


def test_what_helm_refuses_is_a_failure_with_nothing_done(bench: Bench, helm: FakeReleases) -> None:
    helm.fault = ActionFailed("helm ended with exit code 1")
    with pytest.raises(ActionFailed, match="exit code 1"):
        executed(bench, helm)


def test_a_lost_answer_is_probed_in_the_records(bench: Bench, helm: FakeReleases) -> None:
    helm.fault = OutcomeUnknown("helm recorded nothing, and has not ended")
    change = executed(bench, helm)
    assert (change.state, helm.asked) == (State.VERIFIED, [(2, False)])
    assert bench.kinds(change.id)[-3:] == ["unknown", "applied", "verified"]


def test_what_does_not_come_up_is_taken_back_where_it_was_up(bench: Bench, helm: FakeReleases) -> None:
    helm.there[2] = release(3, "deployed")
    changes = pipeline(bench, helm)
    plan = changes.plan("helm-rollback", HELM)
    assert plan.was_up
    helm.outcome = "failed"

    class Undone:
        """Lets the undo come up."""

        def phase(self, name: str, text: str) -> None:
            helm.outcome = "deployed" if name == "undo" else helm.outcome

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    with pytest.raises(RolledBack):
        changes.execute(plan, YES, progress=Undone())
    assert get_change(bench.journal, plan.id).verify_failure.endswith(
        'failed: Release "fraud" failed: timed out'
    )
    assert [revision for revision, _ in helm.asked] == [2, 3]


def test_the_records_tell_what_became_of_it(bench: Bench, helm: FakeReleases) -> None:
    kind, world = KINDS["helm-rollback"], SomeWorld(bench.cluster, helm=helm)
    plan = planned(bench, helm)

    def told() -> tuple[Sent, Holds]:
        return kind.probe(world, plan).sent, kind.observe(world, plan, left="").holds

    assert told()[0] is Sent.NOT_APPLIED
    helm.outcome = "pending-rollback"
    helm.land(2)
    assert told() == (Sent.APPLIED, Holds.NOT_YET)
    helm.there[-1] = replace(helm.there[-1], status="failed", description='Rollback "fraud" failed: no')
    assert told() == (Sent.APPLIED, Holds.NEVER)
    helm.there.append(release(5, "deployed"))
    assert told() == (Sent.APPLIED, Holds.SUPERSEDED)
    del helm.there[-2:]
    helm.there.append(release(4, "deployed"))
    assert told() == (Sent.UNKNOWN, Holds.SUPERSEDED)
    helm.there = [replace(release(1, "deployed"), uid="helm:2")]
    assert told()[0] is Sent.GONE
    helm.there = []
    assert told() == (Sent.GONE, Holds.SUPERSEDED)


def test_a_workload_is_no_release(bench: Bench, helm: FakeReleases) -> None:
    with pytest.raises(UsageError, match="not a Helm release"):
        pipeline(bench, helm).plan("helm-rollback", REF)
    with pytest.raises(UsageError, match="not a workload"):
        pipeline(bench, helm).plan("rollback", HELM)
