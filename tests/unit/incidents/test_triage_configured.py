"""Edits of configuration and other versions that answer, as suspects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.model import Change
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.facts.cluster import ConfigMap
from maestro_cli.core.facts.edits import FieldWrite, WrittenObject
from maestro_cli.core.refs import ObjectRef
from maestro_cli.incidents.triage.configuration import ConfigEdit, Use, edits_of
from maestro_cli.incidents.triage.model import Evidence, SuspectKind, TriageReport
from maestro_cli.incidents.triage.past import changes_since_known
from tests.unit.incidents.platform import FRAUD, NOTHING, Recorded, at, steady, workload
from tests.unit.incidents.triage_cases import (
    NODES,
    PODS,
    bad_release,
    failing_without_release,
    first,
    investigate,
    quiet,
)
from tests.unit.incidents.world import Room, alert

ROUTING = "schema: maestro.routing/1\nroutes:\n  fraud: {to: {model: fraud, version: %d}}\n"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def template(**volumes: str) -> Mapping[str, Any]:
    """Pods that mount config maps (as files) and read one as environment, `env`."""
    env = volumes.pop("env", "")
    mounted = [{"name": name, "configMap": {"name": config}} for name, config in volumes.items()]
    container = {"name": "server", "args": ["--serve", "fraud=1"]}
    read = {"envFrom": [{"configMapRef": {"name": env}}]} if env else {}
    return {
        "metadata": {"labels": {"app": "fraud"}},
        "spec": {"volumes": mounted, "containers": [container | read]},
    }


def written(
    name: str, seconds: float, *, kind: str = "ConfigMap", key: str = "data.settings"
) -> WrittenObject:
    write = FieldWrite("kubectl-edit", at(seconds), (key,))
    return WrittenObject(ObjectRef(kind, "ml", name), "7", at(-86400), (write,))


def config(name: str, **data: str) -> ConfigMap:
    return ConfigMap("ml", name, "u", "7", {key.replace("_", "."): text for key, text in data.items()})


def edited(seconds: float, case: Recorded | None = None, **volumes: str) -> Recorded:
    """Every pod fails from -30 s on, and `fraud-settings` was edited at that second."""
    volumes = volumes or {"settings": "fraud-settings"}
    return (case or failing_without_release()).but(
        workloads=(workload(template=template(**volumes)),),
        written=(written("fraud-settings", seconds),),
        configs=(config("fraud-settings", settings="timeout: 1"),),
    )


def of_kind(report: TriageReport, kind: SuspectKind) -> list[str]:
    return [one.subject for one in report.suspects if one.kind is kind]


def evidence(report: TriageReport, kind: str) -> Evidence:
    return next(one for one in report.evidence if one.kind == kind)


def test_an_edit_of_what_the_pods_mount_is_blamed_for_what_began_after_it(room: Room) -> None:
    report = investigate(room, edited(-40))
    suspect = first(report)
    assert (suspect.kind, suspect.subject) == (SuspectKind.CONFIG, "configmap ml/fraud-settings")
    words = " ".join(suspect.reasons_for)
    assert "edited by kubectl-edit" in words
    assert "ml/deploy/fraud mounts it" in words
    assert suspect.fix is not None
    assert dict(suspect.fix.parameters) == {"target": "ml/configmap/fraud-settings"}
    assert "1 edit, the last of configmap ml/fraud-settings" in evidence(report, "config").summary


@pytest.mark.parametrize("seconds", [-4000.0, 10.0])
def test_an_edit_long_before_or_after_the_onset_is_not_blamed(room: Room, seconds: float) -> None:
    assert of_kind(investigate(room, edited(seconds)), SuspectKind.CONFIG) == []


def test_an_edit_of_what_the_workload_does_not_use_is_not_blamed(room: Room) -> None:
    case = edited(-40, settings="another")
    assert of_kind(investigate(room, case), SuspectKind.CONFIG) == []


def test_an_edit_while_nothing_began_is_not_blamed(room: Room) -> None:
    report = investigate(room, edited(-40, quiet()))
    assert report.culprit is None
    assert report.suspects == ()


def test_pods_that_did_not_start_since_do_not_see_an_edit_of_their_environment(room: Room) -> None:
    report = investigate(room, edited(-40, env="fraud-settings"))
    suspect = next(one for one in report.suspects if one.kind is SuspectKind.CONFIG)
    assert "no pod has started since" in " ".join(suspect.reasons_against)
    assert suspect.score < first(investigate(room, edited(-40))).score


def test_one_pod_that_fails_is_not_explained_by_what_all_of_them_read(room: Room) -> None:
    case = quiet()
    key = (PODS["old"][1], "node-b", "1", "1")
    case = case.but(series={**case.series, key: (steady(14), steady(6, start=-30))})
    assert first(investigate(room, edited(-40, case))).kind is SuspectKind.POD


def test_a_release_that_fails_beside_an_edit_comes_first(room: Room) -> None:
    report = investigate(room, edited(-30, bad_release()).but(workloads=(workload(revision=2, template=template(settings="fraud-settings")),)))  # noqa: E501  # fmt: skip
    assert first(report).kind is SuspectKind.RELEASE
    against = next(one for one in report.suspects if one.kind is SuspectKind.CONFIG).reasons_against
    assert "a release happened as well" in against


def test_without_managed_fields_the_metrics_date_an_edit(room: Room) -> None:
    case = edited(-40).but(
        written=(), versions={"fraud-settings": [(-120.0, 7.0), (-60.0, 7.0), (-40.0, 8.0), (0.0, 8.0)]}
    )
    report = investigate(room, case)
    assert first(report).subject == "configmap ml/fraud-settings"
    edit = evidence(report, "config").facts["edits"][0]
    assert (edit["told_by"], edit["fields"]) == ("prometheus", [])


def test_two_accounts_of_one_edit_are_one_edit(room: Room) -> None:
    case = edited(-40).but(versions={"fraud-settings": [(-60.0, 7.0), (-39.0, 8.0), (0.0, 8.0)]})
    edits = evidence(investigate(room, case), "config").facts["edits"]
    assert [edit["told_by"] for edit in edits] == ["managedFields and prometheus"]


def test_an_edit_of_somebody_else_right_after_is_one_of_its_own() -> None:
    """The cluster and the journal tell of the first, the cluster alone of the second."""
    ref = ObjectRef("ConfigMap", "ml", "fraud-settings")
    writes = tuple(
        FieldWrite(who, at(when), ("data.settings",)) for who, when in (("maestro", -40), ("sed", -37))
    )
    journaled = ConfigEdit(
        "configmap ml/fraud-settings", at(-40), at(-41), "ana", "journal", "", change="c-1"
    )
    found = edits_of(
        [Use(ref, "mounts it")], [WrittenObject(ref, "7", at(-86400), writes)], {}, [journaled], at(-600)
    )
    assert [(edit.by, edit.change) for edit in found] == [("sed", ""), ("ana", "c-1")]
    assert found[1].told_by == "journal and managedFields"


@pytest.mark.parametrize("key", ["routing.yaml", "b.yaml"])
def test_what_maestro_wrote_last_is_compared_with_the_key_that_it_writes(key: str) -> None:
    plan = SimpleNamespace(parameters={"text": ROUTING % 1})
    change = SimpleNamespace(ref=ObjectRef("ConfigMap", "ml", "fraud-routing"), plan=plan)
    held = ConfigMap("ml", "fraud-routing", "u", "7", {"a.yaml": "mode: 1\n", key: ROUTING % 2})
    assert changes_since_known(held, (cast("Change", change),)) == (
        f"{key}: - fraud: {{to: {{model: fraud, version: 1}}}}",
        f"{key}: + fraud: {{to: {{model: fraud, version: 2}}}}",
    )


def test_an_edited_service_and_autoscaler_are_dated_and_a_secret_has_no_content(room: Room) -> None:
    service = WrittenObject(
        ObjectRef("Service", "ml", "front"), "7", at(-86400),
        (FieldWrite("kubectl-patch", at(-40), ("spec.ports",)),), selector={"app": "fraud"},
    )  # fmt: skip
    scaler = WrittenObject(
        ObjectRef("HorizontalPodAutoscaler", "ml", "fraud"), "7", at(-86400),
        (FieldWrite("kubectl-patch", at(-41), ("spec.maxReplicas",)),), target="Deployment/fraud",
    )  # fmt: skip
    secret = written("fraud-key", -42, kind="Secret", key="data.key")
    mounts = {**template()}
    mounts["spec"]["volumes"] = [{"name": "k", "secret": {"secretName": "fraud-key"}}]
    case = failing_without_release().but(
        workloads=(workload(template=mounts),), written=(service, scaler, secret)
    )
    report = investigate(room, case)
    assert set(of_kind(report, SuspectKind.CONFIG)) == {
        "service ml/front",
        "hpa ml/fraud",
        "secret ml/fraud-key",
    }
    assert "get_config_map" not in case.asked


def other_version(*, edit: bool, seconds: float = -30.0) -> Recorded:
    """From then on version 2 answers, from the same pods, and fails a third of its requests."""
    case = quiet()
    series = {
        (name, node, "1", "1"): (steady(20, end=seconds), NOTHING)
        for name, node in zip(PODS["old"], NODES, strict=True)
    }
    series |= {
        (name, node, "1", "2"): (steady(14, start=seconds), steady(6, start=seconds))
        for name, node in zip(PODS["old"], NODES, strict=True)
    }
    return case.but(
        series=dict(series),
        workloads=(workload(template=template(routing="fraud-routing")),),
        written=(written("fraud-routing", seconds - 2, key="data.routing.yaml"),) if edit else (),
        configs=(config("fraud-routing", routing_yaml=ROUTING % (2 if edit else 1)),),
    )


def test_a_routing_that_makes_another_version_answer_is_blamed(room: Room) -> None:
    report = investigate(room, other_version(edit=True))
    suspect = first(report)
    assert (suspect.kind, suspect.subject) == (SuspectKind.TRAFFIC, "configmap ml/fraud-routing")
    words = " ".join(suspect.reasons_for)
    assert "version 2 answers 100% of the requests, 0% before the onset" in words
    assert "ml/deploy/fraud declares version 1, not 2" in words
    assert of_kind(report, SuspectKind.CONFIG) == []


def test_another_version_that_answers_is_found_without_an_edit(room: Room) -> None:
    suspect = first(investigate(room, other_version(edit=False)))
    assert (suspect.kind, suspect.subject) == (SuspectKind.TRAFFIC, f"routing of {FRAUD}")
    assert suspect.reasons_against == ("no edit of a routing document is known",)


def test_a_version_that_came_with_a_release_is_the_release(room: Room) -> None:
    report = investigate(room, bad_release())
    assert of_kind(report, SuspectKind.TRAFFIC) == []


def test_hostile_content_of_a_config_map_is_text_and_bounded(room: Room) -> None:
    nasty = "\x1b[2J[bold]`rm -rf /`" * 100_000
    last = '{"data": {"settings": "timeout: 2\\npassword: hunter2", "more": "' + "x" * 50_000 + '"}}'
    held = ConfigMap(
        "ml", "fraud-settings", "u", "7", {"settings": "timeout: 1\npassword: other", "nasty": nasty},
        {"kubectl.kubernetes.io/last-applied-configuration": last},
    )  # fmt: skip
    report = investigate(room, edited(-40).but(configs=(held,)))
    changes = evidence(report, "config").facts["edits"][0]["changes"]
    assert len(changes) <= 20
    assert all(len(line) < 400 for line in changes)
    assert "settings: - timeout: 2" in changes
    assert "hunter2" not in str(report)


@pytest.mark.parametrize(("seconds", "told"), [(-10, 1), (-60, 0)])
def test_an_edit_from_before_the_object_was_there_was_of_another_one(seconds: float, told: int) -> None:
    """As in a cluster that was made anew while the journal is kept."""
    ref = ObjectRef("ConfigMap", "ml", "fraud-settings")
    edit = ConfigEdit("configmap ml/fraud-settings", at(seconds), at(seconds), "me", "journal", "")
    now_there = WrittenObject(ref, "7", at(-30))
    found = edits_of([Use(ref, "mounts it")], [now_there], {}, [edit], at(-600))
    assert len(found) == told


def put_back() -> Recorded:
    """Version 2 answered for a while; then the routing was put back, and one pod fails now."""
    series = {
        (name, node, "1", "2"): (steady(20, end=-90), NOTHING)
        for name, node in zip(PODS["old"], NODES, strict=True)
    }
    series |= {
        (name, node, "1", "1"): (steady(20, start=-90), NOTHING)
        for name, node in zip(PODS["old"], NODES, strict=True)
    }
    series[PODS["old"][1], "node-b", "1", "1"] = (steady(14, start=-90), steady(6, start=-10))
    return other_version(edit=True, seconds=-90).but(series=dict(series))


def test_a_routing_that_was_put_back_to_the_declared_version_is_not_blamed(room: Room) -> None:
    report = investigate(room, put_back())
    assert first(report).kind is SuspectKind.POD
    calm = put_back().but(series={key: (good, NOTHING) for key, (good, _) in put_back().series.items()})
    assert investigate(room, calm).culprit is None


def test_an_edit_that_changes_nothing_of_what_answers_is_doubted(room: Room) -> None:
    case = failing_without_release().but(
        workloads=(workload(template=template(routing="fraud-routing")),),
        written=(written("fraud-routing", -35, key="data.routing.yaml"),),
        configs=(config("fraud-routing", routing_yaml=ROUTING % 1),),
    )
    suspect = next(one for one in investigate(room, case).suspects if one.kind is SuspectKind.TRAFFIC)
    assert "the same versions answer as before" in suspect.reasons_against


def test_an_edit_that_was_long_in_force_is_doubted(room: Room) -> None:
    suspect = next(one for one in investigate(room, edited(-600)).suspects if one.kind is SuspectKind.CONFIG)
    assert "it was in force for" in " ".join(suspect.reasons_against)
    assert suspect.score < first(investigate(room, edited(-40))).score


def test_an_edit_that_was_edited_again_before_the_alert_does_not_explain_it(room: Room) -> None:
    once = edited(-40)
    again = FieldWrite("kubectl-edit", at(-5), ("data.settings",))
    [item] = once.written
    twice = once.but(written=(replace(item, writes=(*item.writes, again)),))
    assert first(investigate(room, once)).kind is SuspectKind.CONFIG
    report = investigate(room, twice)
    assert report.culprit is None
    [doubted] = [one for one in report.suspects if one.kind is SuspectKind.CONFIG]
    assert "it was edited again before the first alert began" in doubted.reasons_against
