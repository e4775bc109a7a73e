"""What a rollback brings with its template, crosses, and whom it meets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.candidates.listing import list_candidates
from maestro_cli.changes.candidates.owners import owner_notes
from maestro_cli.changes.kinds.rolling import seen
from maestro_cli.changes.model import Consent, Gate, State
from maestro_cli.changes.references import Reference, needed_by
from maestro_cli.changes.template import release_digest
from maestro_cli.core.errors import GateNotMet, WaitingForApproval
from maestro_cli.core.facts.cluster import Revision
from maestro_cli.core.untrusted import Untrusted
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF, template

ACCEPTED = Consent(given=True, accepts=frozenset({"irreversible-migration"}))
MARK = "maestro.io/irreversible-migration"


def referring(version: int, **refers: Any) -> dict[str, Any]:
    made = template(version)
    made["spec"]["containers"][0].update(refers)
    return made


def mounted(version: int, config: str) -> dict[str, Any]:
    made = template(version)
    made["spec"]["volumes"] = [{"name": "config", "configMap": {"name": config}}]
    return made


def marked(version: int, name: str) -> dict[str, Any]:
    made = template(version)
    made["metadata"]["annotations"] = {MARK: name}
    return made


def config(bench: Bench, name: str, **data: str) -> None:
    with bench.cluster.state() as state:
        state["configs"][f"ml/{name}"] = {"uid": name, "rv": 1, "data": data, "annotations": {}}


def test_every_place_that_can_refer_is_looked_at() -> None:
    spec = {
        "initContainers": [{"envFrom": [{"secretRef": {"name": "a"}}]}],
        "containers": [
            {
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "b", "key": "x"}}},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "c", "key": "y", "optional": True}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "envFrom": [
                    {"configMapRef": {"name": "d"}},
                    {"configMapRef": {"name": "e", "optional": True}},
                ],
            }
        ],
        "volumes": [
            {"name": "f", "configMap": {"name": "f", "items": [{"key": "k", "path": "p"}]}},
            {"name": "g", "secret": {"secretName": "g"}},
            {
                "name": "h",
                "projected": {"sources": [{"secret": {"name": "h"}}, {"configMap": {"name": "i"}}]},
            },
            {"name": "j", "emptyDir": {}},
        ],
    }
    assert needed_by({"spec": spec}) == {
        Reference("Secret", "a"), Reference("ConfigMap", "b", "x"), Reference("ConfigMap", "d"),
        Reference("ConfigMap", "f"), Reference("Secret", "g"), Reference("Secret", "h"),
        Reference("ConfigMap", "i"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "hostile", [None, [], "text", {"containers": "x"}, {"containers": [{"envFrom": [7]}]}]
)
def test_a_template_of_another_shape_refers_to_nothing(hostile: Any) -> None:
    assert needed_by({"spec": hostile}) == frozenset()


def test_what_the_goal_needs_and_is_gone_is_refused(bench: Bench) -> None:
    bench.cluster.ship(mounted(3, "settings-3"))
    bench.cluster.ship(template(4))
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF, {"to_revision": 3})
    with pytest.raises(GateNotMet, match="revision 3 needs config map settings-3, which no longer exists"):
        pipeline.execute(plan, YES)
    config(bench, "settings-3", mode="fast")
    assert pipeline.execute(pipeline.plan("rollback", REF, {"to_revision": 3}), YES).state is State.VERIFIED


def test_a_key_that_is_gone_is_missing_too(bench: Bench) -> None:
    env = [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}]
    bench.cluster.ship(referring(3, env=env))
    bench.cluster.ship(template(4))
    config(bench, "settings", other="x")
    plan = bench.pipeline().plan("rollback", REF, {"to_revision": 3})
    assert [reason.what for reason in plan.objections] == [
        "revision 3 needs config map settings, which no longer has the key mode"
    ]


def test_the_diff_has_the_content_of_what_is_referred_to_and_of_secrets_the_keys(bench: Bench) -> None:
    old = mounted(3, "settings-3")
    old["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "login"}}]
    bench.cluster.ship(old)
    bench.cluster.ship(mounted(4, "settings-4"))
    config(bench, "settings-3", mode="fast", api_key="abc")
    config(bench, "settings-4", mode="slow")
    bench.cluster.set(secrets={"login": ["password"]})
    plan = bench.pipeline().plan("rollback", REF, {"to_revision": 3})
    found = {str(line.path): (line.before, line.after) for line in plan.diff.lines}
    assert found["configmap[settings-4].mode"] == ("slow", None)
    assert found["configmap[settings-3].mode"] == (None, "fast")
    assert found["configmap[settings-3].api_key"] == (None, "«hidden»")
    assert found["secret[login].password"] == (None, "«hidden»")
    assert plan.objections == ()


def test_what_both_refer_to_stays_and_is_said_so(bench: Bench) -> None:
    config(bench, "shared", mode="fast")
    bench.cluster.ship(mounted(3, "shared"))
    bench.cluster.ship(mounted(4, "shared"))
    plan = bench.pipeline().plan("rollback", REF, {"to_revision": 3})
    (note,) = [note for note in plan.notes if note.startswith("stays as it is now")]
    assert "config map shared" in note


def test_what_may_not_be_read_is_not_taken_for_missing(bench: Bench) -> None:
    bench.cluster.ship(referring(3, envFrom=[{"secretRef": {"name": "login"}}]))
    bench.cluster.ship(template(4))
    bench.cluster.set(denied=["secrets"])
    plan = bench.pipeline().plan("rollback", REF, {"to_revision": 3})
    assert plan.objections == ()
    assert "secret login: whether it is still there is not known" in plan.blast.blind


def test_an_autoscaler_and_who_may_not_see_one(bench: Bench) -> None:
    bench.cluster.set(
        autoscalers=[["fraud", "Deployment", "fraud", 2, 9], ["x", "Deployment", "other", 1, 2]]
    )
    plan = bench.pipeline().plan("rollback", REF, {"to_revision": 1})
    assert [note for note in plan.notes if "autoscaler" in note] == [
        "autoscaler fraud goes on to set 2 to 9 replicas"
    ]
    bench.cluster.set(denied=["autoscalers"])
    assert "not known: you may not" in bench.pipeline().plan("rollback", REF, {"to_revision": 1}).notes[-1]


@pytest.mark.parametrize(
    ("labels", "annotations", "says"),
    [
        ({}, {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:ml/fraud"}, "argocd app set shop "),
        ({"argocd.argoproj.io/instance": "shop"}, {}, "Argo CD application shop owns it"),
        (
            {
                "kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
            {},
            "flux suspend kustomization apps -n flux-system",
        ),
        ({"helm.toolkit.fluxcd.io/name": "fraud"}, {}, "flux suspend helmrelease fraud -n NAMESPACE"),
        (
            {"app.kubernetes.io/managed-by": "Helm"},
            {"meta.helm.sh/release-name": "fraud", "meta.helm.sh/release-namespace": "ml"},
            "helm rollback fraud N -n ml",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["rollback", "scale"])
def test_an_owner_that_will_revert_it_is_said_in_every_plan(
    bench: Bench, labels: dict[str, str], annotations: dict[str, str], says: str, kind: str
) -> None:
    bench.cluster.set(labels=labels, annotations=annotations)
    parameters = {"replicas": 5} if kind == "scale" else {"to_revision": 1}
    note = bench.pipeline().plan(kind, REF, parameters).notes[0]
    assert says in note
    assert "revert this change" in note


def test_a_hostile_name_is_in_no_line_to_be_copied(bench: Bench) -> None:
    evil = Untrusted("x; rm -rf / #")
    bench.cluster.set(labels={"argocd.argoproj.io/instance": evil, "helm.toolkit.fluxcd.io/name": evil})
    notes = owner_notes(bench.cluster.get_workload(REF))
    assert len(notes) == 2
    assert all("rm -rf" not in note for note in notes)


def test_nobody_owns_what_only_has_a_mark_of_helm(bench: Bench) -> None:
    bench.cluster.set(labels={"app.kubernetes.io/managed-by": "Helm"})
    assert owner_notes(bench.cluster.get_workload(REF)) == ()


@pytest.mark.parametrize("gone_back_to", [1, 2])
def test_a_migration_is_neither_left_nor_skipped_without_the_word_and_a_second_person(
    bench: Bench, gone_back_to: int
) -> None:
    bench.cluster.ship(marked(3, "add-column"))
    if gone_back_to == 1:
        bench.cluster.ship(template(4))
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF, {"to_revision": gone_back_to})
    with pytest.raises(GateNotMet, match="crosses a migration that cannot be undone") as refused:
        pipeline.execute(plan, YES)
    assert refused.value.fix == "if that is meant: --accept irreversible-migration"
    assert "revision 3 (add-column)" in refused.value.why
    with pytest.raises(WaitingForApproval) as waiting:
        pipeline.execute(pipeline.plan("rollback", REF, {"to_revision": gone_back_to}), ACCEPTED)
    assert waiting.value.exit_code == 17
    assert len(bench.cluster.marks) == 0


def test_with_both_it_is_crossed(bench: Bench) -> None:
    bench.cluster.ship(marked(3, "add-column"))
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF, {"to_revision": 2})
    with pytest.raises(WaitingForApproval):
        pipeline.execute(plan, ACCEPTED)
    second = Approvals(bench.journal, bench.world, policy=POLICY, clock=bench.clock, actor="bob")
    second.approve(second.check(plan.id))
    assert pipeline.recover(plan.id).state is State.VERIFIED


def test_who_has_been_through_the_migration_crosses_nothing(bench: Bench) -> None:
    """The annotation is inherited by later releases; so is the migration."""
    bench.cluster.ship(marked(3, "add-column"))
    bench.cluster.ship(marked(4, "add-column"))
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF, {"to_revision": 3})
    assert plan.risks == ()
    assert pipeline.decide(plan, YES).outcome is Gate.ALLOWED


def test_going_forward_again_to_the_migration_crosses_nothing(bench: Bench) -> None:
    bench.cluster.ship(marked(3, "add-column"))
    bench.cluster.ship(template(2))
    assert bench.pipeline().plan("rollback", REF, {"to_revision": 3}).risks == ()


def test_rollouts_of_others_within_the_hour_are_shown_and_those_of_the_journal_once() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def revision(number: int, minutes: int, cause: str) -> Revision:
        made = now - timedelta(minutes=minutes)
        return Revision(number, f"fraud-{number}", made, 0, 0, ("i:1",), cause, template(number))

    revisions = [
        revision(1, 61, "long ago"),
        revision(2, 8, "maestro set env A (chg-1)"),
        revision(3, 7, "maestro restart (chg-2)"),  # by a colleague, whose journal is elsewhere
        revision(4, 6, "maestro set env A (chg-1)"),  # by kubectl, which left the cause as it was
        revision(5, 5, ""),
    ]
    mine = {release_digest(template(2))}
    assert [one.id for one in seen(revisions, now, mine)] == ["revision 3", "revision 4", "revision 5"]


def test_a_cause_that_names_a_change_which_wrote_something_else_is_not_told(bench: Bench) -> None:
    """A rollback takes the mark from the revision that it was copied from: the copy is the only one left."""
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("set-env", REF, {"env": ["A=1"]}), YES)
    own = bench.cluster.list_revisions(REF)[-1]
    bench.cluster.ship(template(9), own.change_cause)
    told = {
        one.judged.revision: one.change_cause
        for one in list_candidates(bench.world, bench.journal, REF, bench.clock.now())
    }
    assert told[own.number] == own.change_cause == f"maestro set env A ({change.id})"
    assert told[own.number + 1] == ""
