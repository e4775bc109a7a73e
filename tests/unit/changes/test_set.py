"""Restart, set-image and set-env: what they write into the template, what they refuse, what they hide."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds.set_env import MAX_VALUE, SetEnv, read_env
from maestro_cli.changes.kinds.set_image import check_image
from maestro_cli.changes.model import State
from maestro_cli.core.errors import ActionFailed, MaestroError, NotFound, UsageError
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, template
from tests.unit.changes.test_recovery import leave_intent

PASSWORD = "hunter2-hunter2"


def two_containers(bench: Bench) -> dict[str, Any]:
    made = copy.deepcopy(template(3, MODEL="a"))
    made["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    made["spec"]["initContainers"] = [{"name": "fetch", "image": "fetch:1"}]
    bench.cluster.ship(made)
    return made


def shown(plan: Any) -> list[tuple[str, str | None, str | None]]:
    return [(line.path, line.before, line.after) for line in plan.diff.lines]


# Images


def test_only_the_named_images_change(bench: Bench) -> None:
    made = two_containers(bench)
    plan = bench.pipeline().plan("set-image", REF, {"images": ["proxy=proxy:2", "fetch=fetch:2"]})
    assert shown(plan) == [
        ("containers[proxy].image", "proxy:1", "proxy:2"),
        ("initContainers[fetch].image", "fetch:1", "fetch:2"),
    ]
    made["spec"]["containers"][1]["image"], made["spec"]["initContainers"][0]["image"] = "proxy:2", "fetch:2"
    assert plan.payload == {"template": made}


def test_one_container_needs_no_name_and_of_several_one_must_be_named(bench: Bench) -> None:
    assert bench.pipeline().plan("set-image", REF, {"images": ["x:2"]}).parameters == {
        "images": ["server=x:2"]
    }
    assert bench.pipeline().plan("set-env", REF, {"env": ["A=1"]}).parameters["container"] == "server"
    two_containers(bench)
    for kind, parameters in (("set-image", {"images": ["x:2"]}), ("set-env", {"env": ["A=1"]})):
        with pytest.raises(UsageError, match="has 3 containers: say which") as raised:
            bench.pipeline().plan(kind, REF, parameters)
        assert raised.value.why == "it has: server, proxy, fetch"


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("set-image", {"images": ["srver=x:2"]}), ("set-env", {"env": ["A=1"], "container": "srver"})],
)
def test_a_container_that_is_not_there_is_not_found(
    bench: Bench, kind: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(NotFound, match="has no container 'srver'") as raised:
        bench.pipeline().plan(kind, REF, parameters)
    assert raised.value.why == "it has: server"


@pytest.mark.parametrize(
    "image",
    ["app", "app:1", "ml/app_x/a-b.c:v1.2_3", "localhost:5000/app", "Registry.Example:443/app:X",
     "registry.example/ml/app@sha256:" + "a" * 64, "[2001:db8::1]:5000/app:1",
     "a/b/c/d:1@sha256:" + "0" * 64],
)  # fmt: skip
def test_references_of_the_distribution_specification_are_images(image: str) -> None:
    assert check_image(image) == image


@pytest.mark.parametrize(
    "image",
    ["", " app", "app ", "App", "app:", "app:1:2", "app@sha256:12", "app@", "http://x/app", "a//b", "/app",
     "app/", "-app", "app:-1", "app:" + "a" * 129, "x" * 256, "app\n", "app;rm", "$(x)", "app\x1b[31m", "äpp",
     "a" * 5000, "a" * 200 + "!", "a-" * 100 + "!", "a." * 100 + "!", "a/" * 100 + "!"],
)  # fmt: skip
def test_anything_else_is_none(bench: Bench, image: str) -> None:
    with pytest.raises(UsageError, match="is not an image") as raised:
        bench.pipeline().plan("set-image", REF, {"images": [f"server={image}"]})
    assert "\x1b" not in raised.value.what


# The environment


def test_what_is_there_keeps_its_place_and_what_is_new_comes_last(bench: Bench) -> None:
    bench.cluster.ship(template(3, A="1", B="2", C="3"))
    plan = bench.pipeline().plan("set-env", REF, {"env": ["B=x", "D=4", "A-", "GONE-"]})
    (container,) = plan.payload["template"]["spec"]["containers"]
    assert [(item["name"], item["value"]) for item in container["env"]] == [
        ("B", "x"),
        ("C", "3"),
        ("D", "4"),
    ]
    assert plan.summary == "set the environment of server in ml/deploy/fraud: B, D, A-, GONE-"


def test_a_value_from_a_secret_object_gives_way_and_comes_back(bench: Bench) -> None:
    made = copy.deepcopy(template(3))
    source = {"secretKeyRef": {"name": "db", "key": "password"}}
    made["spec"]["containers"][0]["env"] = [{"name": "DB", "valueFrom": source}]
    bench.cluster.set(secrets={"db": ["password"]})
    bench.cluster.ship(made)
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-env", REF, {"env": ["DB=x"]})
    assert plan.payload["template"]["spec"]["containers"][0]["env"] == [{"name": "DB", "value": "x"}]
    pipeline.execute(plan, YES)
    assert plan.undo is not None
    pipeline.execute(pipeline.plan(plan.undo.kind, REF, plan.undo.parameters), YES)
    assert bench.cluster.get_workload(REF).template == made


@pytest.mark.parametrize(
    "word", ["", "A", "-", "=x", "1A=x", "A B=x", "A\x1b=x", "..=x", "..A=x", "Ä=x", "A" * 254 + "=x"]
)
def test_what_is_no_assignment_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_env([word])
    assert "\x1b" not in raised.value.what


@pytest.mark.parametrize(
    "words",
    [None, [], "A=1", ["A=1", "A-"], ["A=1", "A=2"], ["A=\0"], ["A=\udcff"], ["A=" + "x" * (MAX_VALUE + 1)]],
)
def test_what_is_no_list_of_them_or_no_text_is_refused_without_repeating_a_value(words: Any) -> None:
    with pytest.raises(UsageError) as raised:
        read_env(words)
    assert "xxx" not in f"{raised.value.what}{raised.value.why}{raised.value.fix}"


@pytest.mark.parametrize("word", [f"DB_PASSWORD={PASSWORD}", f"DATABASE=postgres://ada:{PASSWORD}@db/x"])
def test_a_secret_value_is_in_no_plan_no_record_and_no_history(bench: Bench, word: str) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-env", REF, {"env": [word, "LEVEL=debug"]})
    name = word.partition("=")[0]
    assert plan.parameters["env"] == [f"{name}=«hidden»", "LEVEL=debug"]
    assert shown(plan) == [
        (f"containers[server].env[{name}]", None, "«hidden»"),
        ("containers[server].env[LEVEL]", None, "debug"),
    ]
    assert PASSWORD not in repr(plan)
    change = pipeline.execute(plan, YES)
    assert change.state is State.VERIFIED
    assert PASSWORD not in bench.journal.path.read_bytes().decode("latin-1")
    assert PASSWORD not in str(bench.cluster.get_workload(REF).annotations)
    assert PASSWORD in str(bench.cluster.get_workload(REF).template)


def test_another_secret_value_is_another_plan(bench: Bench) -> None:
    one, other = (
        bench.pipeline().plan("set-env", REF, {"env": [f"DB_PASSWORD={value}"]}) for value in ("aaaa", "bbbb")
    )
    assert one.parameters == other.parameters
    assert one.digest != other.digest


def test_an_error_that_repeats_what_was_sent_is_recorded_without_the_secret(bench: Bench) -> None:
    bench.cluster.faults = ["repeated"]
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-env", REF, {"env": [f"DB_PASSWORD={PASSWORD}"]})
    with pytest.raises(ActionFailed, match="finds it invalid") as raised:
        pipeline.execute(plan, YES)
    assert "DB_PASSWORD" in raised.value.why
    assert PASSWORD not in f"{raised.value.why}{raised.value.fix}{raised.value.args}"
    assert PASSWORD not in bench.journal.path.read_bytes().decode("latin-1")


def test_a_secret_that_was_not_sent_ends_with_nothing_done_and_its_key_free(bench: Bench) -> None:
    """Its value is nowhere, so it cannot be sent again; whoever has it plans again, under the same key."""
    parameters = {"env": [f"DB_PASSWORD={PASSWORD}"]}
    left = leave_intent(bench, "set-env", parameters, key="k")
    with pytest.raises(NotFound, match="cannot be sent again"):
        bench.pipeline().recover(left.id)
    assert get_change(bench.journal, left.id).nothing_done
    assert bench.pipeline().perform("set-env", REF, parameters, YES, key="k").state is State.VERIFIED
    assert len(bench.cluster.marks) == 1


def test_a_secret_that_was_sent_is_verified_by_another_process(bench: Bench) -> None:
    left = leave_intent(bench, "set-env", {"env": [f"DB_PASSWORD={PASSWORD}"]})
    SetEnv().apply(bench.world, left, resource_version=bench.cluster.get_workload(REF).resource_version)
    assert bench.pipeline().recover(left.id).state is State.VERIFIED
    assert bench.cluster.marks == [left.id]


# Restart


def test_a_restart_changes_one_annotation_and_can_be_repeated(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("restart", REF)
    ((path, before, after),) = shown(plan)
    assert (path, before) == ("annotations[kubectl.kubernetes.io/restartedAt]", None)
    assert after is not None
    assert after.startswith("2026-03-01T03:00:00")
    assert plan.blast.replicas_ended == 3
    pipeline.execute(plan, YES)
    assert pipeline.execute(pipeline.plan("restart", REF), YES).state is State.VERIFIED


def test_a_rollback_goes_past_the_restart_of_the_bad_release(bench: Bench) -> None:
    """r1 good, r2 bad, r3 the restart of r2: going back to r2 would be going nowhere."""
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("restart", REF), YES)
    plan = pipeline.plan("rollback", REF)
    assert plan.payload == {"template": template(1)}
    pipeline.execute(plan, YES)
    bench.clock.pass_time(hours=2)
    bench.cluster.ship(template(4), "release 4")
    assert pipeline.plan("rollback", REF).payload == {"template": template(1)}


def test_what_an_image_replaced_can_be_rolled_back_to(bench: Bench) -> None:
    """A change forward does not give up what it replaced, as a rollback does."""
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("set-image", REF, {"images": ["server=x:2"]}), YES)
    assert pipeline.plan("rollback", REF).payload == {"template": template(2)}


def test_an_image_that_did_not_hold_is_not_rolled_back_to(bench: Bench) -> None:
    pipeline = bench.pipeline()

    class Breakage:
        seen = 0

        def phase(self, name: str, text: str) -> None:
            self.seen += name == "verify"
            bench.cluster.set(frozen=self.seen == 1)

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    with pytest.raises(MaestroError, match="was undone by"):
        pipeline.execute(
            pipeline.plan("set-image", REF, {"images": ["server=x:2"]}), YES, progress=Breakage()
        )
    bench.cluster.ship(template(4), "release 4")
    assert pipeline.plan("rollback", REF).payload == {"template": template(2)}
