"""A key of a config map: what is refused, hidden, restarted and put back."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.changes.config_text import text_diff
from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.kinds.set_config import MAX_VALUE
from maestro_cli.changes.model import State
from maestro_cli.changes.references import config_maps_of
from maestro_cli.changes.template import holds_secret
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, Refused, RolledBack, UsageError
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, reading, template
from tests.unit.changes.fake_configs import SETTINGS

DEBUG = {"key": "LEVEL", "value": "debug"}
ROLLOUT = {**DEBUG, "rollout": True}
KIND = KINDS["set-config"]


@pytest.fixture(autouse=True)
def _fraud_reads_it(bench: Bench) -> None:
    bench.cluster.ship(reading(template(2)))


def settings(bench: Bench) -> dict[str, str]:
    return dict(bench.cluster.get_config_map("ml", "settings").data)


def set_settings(bench: Bench, **values: Any) -> None:
    with bench.cluster.state() as state:
        state["configs"]["ml/settings"].update(values)


def test_one_key_changes_and_nothing_restarts_unless_it_is_asked_for(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, DEBUG)
    assert (plan.blast.workloads, plan.blast.replicas_now, plan.blast.replicas_ended) == (1, 3, 0)
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    assert settings(bench) == {"LEVEL": "debug", "other": "x"}
    assert bench.cluster.marks == [plan.id]


def test_a_rollout_restarts_what_reads_it_and_counts_as_ended(bench: Bench) -> None:
    pipeline = bench.pipeline()
    before = bench.cluster.get_workload(REF)
    bench.cluster.set(budgets=[["fraud", "app=fraud", 1, 3, 2, 3]])
    plan = pipeline.plan("set-config", SETTINGS, ROLLOUT)
    assert (plan.blast.replicas_ended, [one.name for one in plan.blast.budgets]) == (3, ["fraud"])
    assert str(REF) in plan.summary
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    after = bench.cluster.get_workload(REF)
    assert after.generation == before.generation + 1
    assert f"({plan.id})" in after.annotations["kubernetes.io/change-cause"]


def test_a_rollout_that_does_not_come_up_is_undone_with_another(bench: Bench) -> None:
    class UndoHolds:
        seen = 0

        def phase(self, name: str, text: str) -> None:
            self.seen += name == "verify"
            bench.cluster.set(frozen=self.seen == 1)

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, ROLLOUT)
    with pytest.raises(RolledBack):
        pipeline.execute(plan, YES, progress=UndoHolds())
    assert settings(bench)["LEVEL"] == "info"
    undo = get_change(bench.journal, plan.id).undone_by
    assert bench.cluster.marks == [plan.id, plan.id, undo, undo]


def test_nobody_reads_it_is_zero_targets(bench: Bench) -> None:
    bench.cluster.ship(template(3))
    with pytest.raises(ActionFailed, match="nothing to restart") as raised:
        bench.pipeline().plan("set-config", SETTINGS, ROLLOUT)
    assert raised.value.exit_code == 12
    assert bench.pipeline().plan("set-config", SETTINGS, DEBUG).blast.workloads == 0


def test_the_workload_is_not_restarted_again_when_somebody_did_it_already(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, ROLLOUT)
    assert list(KIND.pending(bench.world, plan)) == ["uid-1"]
    pipeline.execute(pipeline.plan("restart", REF), YES)
    assert KIND.pending(bench.world, plan) == {}
    assert KIND.observe(bench.world, plan, left=plan.leaves).holds is Holds.YES


def test_an_immutable_config_map_is_refused_with_what_to_do(bench: Bench) -> None:
    set_settings(bench, immutable=True)
    with pytest.raises(GateNotMet, match="is immutable") as raised:
        bench.pipeline().execute(bench.pipeline().plan("set-config", SETTINGS, DEBUG), YES)
    assert "of another name" in raised.value.fix
    assert bench.cluster.marks == []


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"key": "LEVEL"}, "needs a value"),
        ({"key": "LEVEL", "value": "x", "remove": True}, "needs a value"),
        ({"key": "a b", "value": "x"}, "is not a key"),
        ({"key": "..", "value": "x"}, "is not a key"),
        ({"value": "x"}, "is not a key"),
        ({"key": "LEVEL", "value": "x" * 65_537}, "longer than 65536"),
        ({"key": "LEVEL", "value": "a\0b"}, "is not text"),
        ({"key": "LEVEL", "value": "x", "rollout": "yes"}, "true or false"),
        ({"key": "blob", "value": "x"}, "is no text"),
        ({"key": "LEVEL", "value": "-----BEGIN PRIVATE KEY-----"}, "looks like a secret"),
        ({"key": "app.yaml", "value": "db:\n  password: hunter2\n"}, "looks like a secret"),
    ],
)
def test_what_cannot_be_set_is_refused(bench: Bench, parameters: dict[str, Any], what: str) -> None:
    set_settings(bench, binary=["blob"])
    with pytest.raises(UsageError, match=what) as raised:
        bench.pipeline().plan("set-config", SETTINGS, parameters)
    assert "hunter2" not in f"{raised.value.what}{raised.value.why}{raised.value.fix}"


def test_to_restart_is_another_permission_and_it_is_named(bench: Bench) -> None:
    bench.cluster.set(denied=["patch deployments.apps"])
    pipeline = bench.pipeline()
    with pytest.raises(Refused, match=r"you may not patch deployments\.apps"):
        pipeline.execute(pipeline.plan("set-config", SETTINGS, ROLLOUT), YES)
    assert bench.cluster.marks == []
    assert pipeline.execute(pipeline.plan("set-config", SETTINGS, DEBUG), YES).state is State.VERIFIED


def test_another_object_is_no_config_map(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is not a config map"):
        bench.pipeline().plan("set-config", REF, DEBUG)
    with pytest.raises(NotFound):
        bench.pipeline().plan("set-config", ObjectRef("ConfigMap", "ml", "none"), DEBUG)


def test_a_value_under_a_secret_name_is_recorded_nowhere(bench: Bench) -> None:
    pipeline, token = bench.pipeline(), {"key": "api_token", "value": "hunter2-hunter2"}
    bench.cluster.faults = ["repeated"]
    with pytest.raises(ActionFailed) as raised:
        pipeline.execute(pipeline.plan("set-config", SETTINGS, token), YES)
    assert "hunter2" not in f"{raised.value.why}{raised.value.fix}"
    again = pipeline.plan("set-config", SETTINGS, token)
    pipeline.execute(again, YES)
    assert settings(bench)["api_token"] == "hunter2-hunter2"
    assert not any("hunter2" in str(event.data) for event in bench.journal.events())
    with pytest.raises(NotFound, match="cannot be sent again"):
        KIND.reload(bench.world, get_change(bench.journal, again.id).plan)


def test_what_was_secret_cannot_be_put_back(bench: Bench) -> None:
    set_settings(bench, data={"url": "postgres://u:hunter2@db/x"})
    plan = bench.pipeline().plan("set-config", SETTINGS, {"key": "url", "value": "db.example"})
    assert plan.undo is None
    assert "hunter2" not in str(plan.diff)


def test_a_key_that_was_not_there_is_removed_again(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, {"key": "NEW", "value": ""})
    pipeline.execute(plan, YES)
    assert settings(bench)["NEW"] == ""
    pipeline.execute(pipeline.plan_undo(plan.id), YES)
    assert "NEW" not in settings(bench)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("max_tokens: 200", False),
        ("tokenizer: bert", True),  # too careful is better than too bold
        ("password: env:DB_PASSWORD", False),
        ("password: $DB_PASSWORD", False),
        ("use_token: true", False),
        ('  "api_key": "abc"', True),
        ("level: info", False),
        ("url: host=db passphrase=hunter2", True),
        ("args: --max-tokens=512 --log", False),
        ("args: --api-key=$API_KEY", False),
    ],
)
def test_lines_that_name_a_secret_and_give_it(text: str, secret: bool) -> None:
    assert holds_secret("app.yaml", f"a: b\n{text}\n") is secret


@pytest.mark.parametrize("text", ["token", "\n", "eyJ-", "- \n", '"\n', "bearer ", "a_pass-", "x: 1 "])
def test_a_large_text_of_whatever_is_looked_through_and_compared_at_once(text: str) -> None:
    """Each of these took minutes, and the larger ones hours."""
    large = text * (MAX_VALUE // len(text))
    assert not holds_secret("k", large)
    lines = text_diff("k", f"a\n{large}\nc", f"b\n{large}\nd").lines
    assert [(line.before, line.after) for line in lines] == [("a", "b"), ("c", "d")]


def test_a_text_of_lines_is_compared_by_line() -> None:
    lines = text_diff("app.yaml", "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 5\nc: 3\nd: 4\n").lines
    assert [(line.path, line.before, line.after) for line in lines] == [
        ("data[app.yaml]:2", "b: 2", "b: 5"),
        ("data[app.yaml]:4", None, "d: 4"),
    ]
    long = text_diff("k", "\n".join(map(str, range(500))), "\n".join(f"{n}x" for n in range(500)))
    assert len(long.lines) == 201


def test_every_way_to_refer_to_a_config_map_is_seen() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "no"}}],
        "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "b", "key": "k"}}}],
    }
    volumes = [
        {"name": "v", "configMap": {"name": "c"}},
        {"name": "p", "projected": {"sources": [{"configMap": {"name": "d"}}, {"secret": {"name": "no"}}]}},
    ]
    spec = {"containers": [container], "initContainers": [{"envFrom": [{"configMapRef": {"name": "e"}}]}]}
    assert config_maps_of({"spec": {**spec, "volumes": volumes}}) == {"a", "b", "c", "d", "e"}
    assert config_maps_of({"spec": {"volumes": "x", "containers": [3, {"env": [{"valueFrom": 1}]}]}}) == set()


@pytest.mark.parametrize("took_back", ["undo", "take_back"])
@pytest.mark.parametrize("asked", [DEBUG, {"key": "LEVEL", "remove": True}, {"key": "NEW", "value": "x"}])
def test_it_is_taken_back_although_somebody_wrote_another_key_and_that_stays(
    bench: Bench, asked: dict[str, Any], took_back: str
) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, asked)
    pipeline.execute(plan, YES)
    now = settings(bench)
    set_settings(bench, data={**now, "other": "y"}, rv=90)
    if took_back == "undo":
        pipeline.execute(pipeline.plan_undo(plan.id), YES)
    else:
        pipeline.take_back(plan.id, cause="the end")
    assert settings(bench) == {"LEVEL": "info", "other": "y"}


def test_it_is_not_taken_back_where_somebody_wrote_its_key(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, DEBUG)
    pipeline.execute(plan, YES)
    for data in ({"LEVEL": "warn", "other": "x"}, {"other": "x"}):
        set_settings(bench, data=data, rv=90)
        with pytest.raises(GateNotMet, match="somebody changed"):
            pipeline.take_back(plan.id, cause="the end")
        assert settings(bench) == data


def test_it_is_taken_back_although_another_key_was_changed_and_changed_back_since(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, DEBUG)
    pipeline.execute(plan, YES)
    pipeline.perform("set-config", SETTINGS, {"key": "zzz", "value": "1"}, YES, key="a")
    pipeline.perform("set-config", SETTINGS, {"key": "zzz", "remove": True}, YES, key="b")
    pipeline.take_back(plan.id, cause="the end")
    assert settings(bench) == {"LEVEL": "info", "other": "x"}


def test_it_is_not_taken_back_where_its_value_was_wanted_again_beside_another_key(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, DEBUG)
    pipeline.execute(plan, YES)
    pipeline.perform("set-config", SETTINGS, {"key": "zzz", "value": "1"}, YES, key="a")
    pipeline.perform("set-config", SETTINGS, {"key": "LEVEL", "value": "info"}, YES, key="b")
    again = pipeline.perform("set-config", SETTINGS, DEBUG, YES, key="c")
    with pytest.raises(GateNotMet, match=f"changed since by {again.id}"):
        pipeline.take_back(plan.id, cause="the end")
    assert settings(bench) == {"LEVEL": "debug", "other": "x", "zzz": "1"}


def test_another_key_that_is_written_while_it_is_verified_changes_nothing(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-config", SETTINGS, DEBUG)
    pipeline.execute(plan, YES)
    left = get_change(bench.journal, plan.id).left
    set_settings(bench, data={"LEVEL": "debug", "other": "y"}, rv=90)
    assert KIND.observe(bench.world, plan, left=left).holds is Holds.YES
    set_settings(bench, data={"LEVEL": "warn", "other": "y"}, rv=91)
    assert KIND.observe(bench.world, plan, left=left).holds is Holds.SUPERSEDED
