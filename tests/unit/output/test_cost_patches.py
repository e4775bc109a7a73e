"""Names from metrics are hostile: what is printed to be run names nothing that no object can be called."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from maestro_cli.cost.rightsizing.advice import Advice
from maestro_cli.cost.rightsizing.amounts import cores, size
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Autoscaler, Facts
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, Size, WorkloadId
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.output.renderers.cost_patches import FORMATS, changes_as, resources_of
from tests.unit.cost.rightsizing.usages import DAY, usage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WIDE = Size(2.0, None, 2048 * MIB, None)
API = WorkloadId("shop", "Deployment", "api")


def report(*names: tuple[str, str, str]) -> Rightsizing:
    """One workload that is cut for each namespace, name and container."""
    items = tuple(
        advice(WorkloadId(namespace, "Deployment", name), container) for namespace, name, container in names
    )
    return Rightsizing("test", NOW, NOW, 7 * DAY, items)


def advice(workload: WorkloadId, container: str, facts: Facts | None = None) -> Advice:
    of = ContainerId(workload, container)
    wide = Facts({of: WIDE}, {workload: 1}, endings=frozenset({of}),
                 alive={workload: ((workload.namespace, "good-1"),)})  # fmt: skip
    known = facts or replace(wide, templates={workload: frozenset({container})})
    names = [of, *(one for one in known.sizes if one != of)]
    measured = [Measured(one, usage(), KrrSeries(), 1.0, 1.0) for one in names]
    return advise(workload, measured, known, (), Looked(14 * DAY))


HOSTILE = [
    ("shop; rm -rf /", "api", "main"),
    ("shop", "api\nkind: Secret", "main"),
    ("shop", "--all", "main"),
    ("shop", "api", 'main"}]}}}\n---\n'),
    ("shop", "$(id)", "main"),
    ("", "api", "main"),
]


@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("names", HOSTILE)
def test_a_name_that_no_object_can_have_is_left_out_and_said_so(
    word: str, names: tuple[str, str, str]
) -> None:
    text = changes_as(word, report(names, ("shop", "good", "main")))
    (first, *rest) = text.splitlines()
    assert first.startswith("# left out, for nothing has such a name: ")
    if word == "resize":
        assert all(line.startswith("#") for line in rest[:2])
        rest = rest[2:]
    assert not any(line.startswith("#") for line in rest)
    assert "good" in text
    if word in ("kubectl", "resize"):
        assert len(rest) == 1
    else:
        assert len(list(yaml.safe_load_all(text))) == 1


def test_a_patch_of_kubectl_is_one_line_that_a_shell_reads_back() -> None:
    words = shlex.split(changes_as("kubectl", report(("shop", "api", "main"))))
    assert words[:6] == ["kubectl", "-n", "shop", "patch", "deployment", "api"]
    assert json.loads(words[-1])["spec"]["template"]["spec"]["containers"][0]["name"] == "main"


def patched(facts: Facts, workload: WorkloadId = API) -> tuple[list[str], dict[str, list[str]]]:
    """The comments, and the names of containers by where they are patched."""
    text = changes_as("kustomize", Rightsizing("test", NOW, NOW, 7 * DAY, (advice(workload, "main", facts),)))
    document = yaml.safe_load(text) or {"spec": {}}
    spec = document["spec"].get("template", {}).get("spec", {})
    comments = [line for line in text.splitlines() if line.startswith("#")]
    return comments, {part: [one["name"] for one in of] for part, of in spec.items()}


def test_a_native_sidecar_is_patched_where_it_is_written_and_what_is_injected_is_left_out_and_named() -> None:
    main, log, proxy = (ContainerId(API, name) for name in ("main", "log", "istio-proxy"))
    facts = Facts(
        {main: WIDE, log: WIDE, proxy: Size()}, {API: 1}, endings=frozenset({main, log, proxy}),
        sidecars=frozenset({log}), templates={API: frozenset({"main", "log"})},
    )  # fmt: skip
    comments, parts = patched(facts)
    assert parts == {"containers": ["main"], "initContainers": ["log"]}
    assert comments == ["# left out, for it is injected and in no template: shop/deploy/api/istio-proxy"]
    comments, _ = patched(replace(facts, templates={}))
    assert comments == ["# pod templates were not read: what is injected into pods may be among it"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("Rollout", "for how a Rollout is written is not known: shop/rollout/api"),
        ("Job", "for the template of a Job that is made cannot be changed"),
    ],
)
def test_what_no_patch_is_for_is_said_by_its_kind(kind: str, why: str) -> None:
    workload = WorkloadId("shop", kind, "api")
    main = ContainerId(workload, "main")
    comments, parts = patched(Facts({main: WIDE}, {workload: 1}, endings=frozenset({main})), workload)
    assert (len(comments), parts) == (1, {})
    assert why in comments[0]


def scaled(**others: object) -> Facts:
    main = ContainerId(API, "main")
    autoscaler = Autoscaler("api", 2, 10, 40.0, full=0.2, **others)  # type: ignore[arg-type]
    return Facts(
        {main: WIDE}, {API: 1}, {API: autoscaler}, endings=frozenset({main}),
        templates={API: frozenset({"main"})}, alive={API: (("shop", "api-1"), ("shop", "api-2"))},
    )  # fmt: skip


def lines(word: str, facts: Facts) -> list[str]:
    return changes_as(
        word, Rightsizing("test", NOW, NOW, 7 * DAY, (advice(API, "main", facts),))
    ).splitlines()


def test_the_target_of_an_autoscaler_is_patched_after_the_workload_where_its_metrics_are_known() -> None:
    told = lines("kubectl", scaled())
    assert told[0] == "# set the CPU target of the autoscaler api to 80 % with it, from 40 %"
    assert shlex.split(told[1])[:6] == ["kubectl", "-n", "shop", "patch", "deployment", "api"]
    words = shlex.split(told[2])
    assert words[:8] == ["kubectl", "-n", "shop", "patch", "hpa", "api", "--type", "json"]
    assert [one["op"] for one in json.loads(words[-1])] == ["test", "test", "replace"]
    assert json.loads(words[-1])[-1]["value"] == 80
    assert not any("patch hpa" in line for line in lines("kubectl", scaled(memory_target=70.0))[:3])
    target = list(yaml.safe_load_all("\n".join(lines("kustomize", scaled()))))[1]
    assert target["kind"] == "HorizontalPodAutoscaler"
    assert target["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    assert len(list(yaml.safe_load_all("\n".join(lines("kustomize", scaled(others=("queue",))))))) == 1


def test_what_is_suggested_of_an_autoscaler_is_a_comment() -> None:
    told = lines("kubectl", scaled())[3:]
    assert told[0].startswith("# suggested: autoscaler api: it wanted all of its 10 replicas in 20%")
    assert shlex.split(told[1].removeprefix("# "))[-1] == '{"spec":{"maxReplicas":13}}'


def test_in_place_is_of_the_pods_that_run_and_says_so() -> None:
    told = lines("resize", replace(scaled(), autoscalers={}))
    assert told[0].startswith("# pods that run now are resized in place (Kubernetes 1.33 and later)")
    words = [shlex.split(line) for line in told[2:]]
    assert [of[:8] for of in words] == [
        ["kubectl", "-n", "shop", "patch", "pod", name, "--subresource", "resize"]
        for name in ("api-1", "api-2")
    ]
    assert json.loads(words[0][-1])["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1"
    assert lines("resize", replace(scaled(), alive={}))[0].startswith("# left out, for no pod of it runs")


def test_amounts_are_exact_quantities() -> None:
    assert [cores(amount) for amount in (2.0, 0.23, 0.001, None)] == ["2", "230m", "1m", None]
    assert [size(amount) for amount in (2**31, 1536 * MIB, 2.5 * MIB, 1001.0, None)] == [
        "2Gi", "1536Mi", "2560Ki", "1001", None,
    ]  # fmt: skip
    assert resources_of(Size(0.5, None, None, 2**20)) == {
        "requests": {"cpu": "500m"},
        "limits": {"memory": "1Mi"},
    }
