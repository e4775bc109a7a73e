"""What the cost gate reads of operators' workloads are fields of their own Go types, decoded strictly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.cost.gate.autoscalers import autoscaler_of
from maestro_cli.cost.gate.kinds import is_free, qualified
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Assumed, Span
from maestro_cli.cost.gate.objects import objects_of
from maestro_cli.cost.gate.operators import _KNOWN
from maestro_cli.cost.gate.pricing import monthly
from maestro_cli.cost.prices.model import ALWAYS, HOURS_OF_A_MONTH, PriceVersion, UnitRates
from tests.peers.operators.program import EXAMPLES, OPERATORS

pytestmark = pytest.mark.contract
PROGRAM = OPERATORS.found_program()  # tests have a cache folder of their own
CORES = PriceVersion(since=ALWAYS, on_demand=UnitRates(cpu=1.0, memory=0.0, gpu=0.0))
POD_FIELDS = ("template", "containers", "requests")
RAY_FIELDS = (
    "headGroupSpec", "workerGroupSpecs", "replicas", "minReplicas", "maxReplicas", "numOfHosts", *POD_FIELDS,
)  # fmt: skip
# Of each file: from the fewest to the most cores, and the fields that they are made of.
READ: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "rollout": (4, 4, ("replicas", *POD_FIELDS)),
    "rollout-of-a-deployment": (0, 0, ("replicas", "workloadRef", "kind", "name")),
    "knative-service": (2, 9, ("annotations", *POD_FIELDS)),
    "keda-scaled-job": (
        2, 12,
        ("minReplicaCount", "maxReplicaCount", "jobTargetRef", "parallelism", "completions", *POD_FIELDS),
    ),
    **{
        f"kubeflow-{name}-job": (8, 8, (f"{name}ReplicaSpecs", "replicas", *POD_FIELDS))
        for name in ("mpi", "mx", "paddle", "pytorch", "tf", "xgb")
    },
    "kubeflow-elastic-pytorch-job": (2, 10, ("elasticPolicy", "minReplicas", "maxReplicas", "replicas")),
    "ray-cluster": (7, 7, RAY_FIELDS),
    "ray-cluster-that-scales": (0, 11, ("enableInTreeAutoscaling", "suspend", *RAY_FIELDS)),
    "ray-service": (7, 7, ("rayClusterConfig", *RAY_FIELDS)),
    "ray-job": (8, 8, ("rayClusterSpec", "submitterPodTemplate", *RAY_FIELDS)),
    "ray-job-elsewhere": (1, 1, ("clusterSelector", "submitterPodTemplate", "containers")),
}  # fmt: skip
SCALES = "keda-scaled-object"
SCALING = ("scaleTargetRef", "kind", "idleReplicaCount", "minReplicaCount", "maxReplicaCount")
FIELDS = {name: fields for name, (_, _, fields) in READ.items()} | {SCALES: SCALING}
# Not among the Go modules that can be had: their sources were read instead, see cost/gate/operators.py.
BY_SOURCE = {"CloneSet.apps.kruise.io", "InferenceService.serving.kserve.io", "JobSet.jobset.x-k8s.io",
             "LeaderWorkerSet.leaderworkerset.x-k8s.io"}  # fmt: skip


def text_of(name: str) -> str:
    return (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")


def built() -> Path:
    if PROGRAM is None:
        pytest.skip("the types are not built: python -m tests.peers.operators.program")
    return PROGRAM


def test_each_example_is_the_one_that_was_decoded_by_these_versions() -> None:
    assert OPERATORS.is_current(), "run: python -m tests.peers.operators.program"
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} == FIELDS.keys()


def test_every_kind_that_is_read_has_an_example_or_says_why_not() -> None:
    documents = [one for name in FIELDS for one in parse_yaml_all(text_of(name), name)]
    kinds = {qualified(one.data["apiVersion"], one.data["kind"]) for one in documents}
    assert _KNOWN.keys() - kinds == BY_SOURCE


@pytest.mark.parametrize("name", FIELDS)
def test_an_example_is_decoded_strictly(name: str) -> None:
    assert OPERATORS.decode(built(), text_of(name).encode()) == ""


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name, fields in FIELDS.items() for field in fields if field != "requests"],
)
def test_a_field_that_is_read_is_one_of_the_type(name: str, field: str) -> None:
    """Another of nearly its name is refused; requests are a mapping that takes any name."""
    text = text_of(name)
    wrong = re.sub(rf"(?<![\w.]){field}:", f"{field}Of:", text)
    assert wrong != text
    assert f"{field}Of" in OPERATORS.decode(built(), wrong.encode()) or field == "kind"


@pytest.mark.parametrize("name", READ)
def test_an_example_asks_for_what_its_operator_starts(name: str) -> None:
    (asked,) = read_manifests(
        parse_yaml_all(text_of(name), name), Assumed(job_hours=HOURS_OF_A_MONTH)
    ).asked.values()
    found = monthly(asked, CORES)
    least, most = (amount / HOURS_OF_A_MONTH for amount in (found.least, found.most))
    assert (least, most) == pytest.approx(READ[name][:2])
    assert bool(found.unknown) is (name == "rollout-of-a-deployment")


def test_a_scaled_object_is_idle_below_its_fewest() -> None:
    (one,) = objects_of(parse_yaml_all(text_of(SCALES), SCALES), "ml")
    scaler = autoscaler_of(one)
    assert scaler is not None
    assert (scaler.span, str(scaler.target)) == (Span(0.0, 8.0), "ml/deploy/base")


def test_annotations_and_numbers_that_are_known_by_heart_are_theirs() -> None:
    names = OPERATORS.names(built())
    source = "".join(
        (Path("maestro_cli/cost/gate") / file).read_text() for file in ("operators.py", "autoscalers.py")
    )
    for key in ("knative min", "knative max"):
        assert [f'"{one.rpartition("/")[2]}"' in source for one in names[key]] == [True, True]
    assert all(f'"{one}"' in source for key in ("keda paused", "keda paused at") for one in names[key])
    assert names["keda most replicas"] == names["keda most jobs"] == ["100"]


@pytest.mark.parametrize(
    "kind",
    [
        "ClusterTriggerAuthentication.keda.sh", "TriggerAuthentication.keda.sh",
        *(f"{one}.monitoring.coreos.com" for one in (
            "AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor",
        )),
    ],
)  # fmt: skip
def test_kinds_that_cost_nothing_are_kinds_of_theirs_and_start_no_pod(kind: str) -> None:
    assert is_free(kind)
    fields = OPERATORS.names(built())[f"kind {kind}"]
    assert not {"replicas", "template", "containers", "podTemplate"} & set(fields)
