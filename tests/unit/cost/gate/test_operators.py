"""Workloads of operators: what they say plainly counts, and what they do not say is unknown."""

from __future__ import annotations

import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Asked, Assumed, Claim, Manifests
from maestro_cli.cost.gate.pricing import compare, monthly
from maestro_cli.cost.prices.model import ALWAYS, HOURS_OF_A_MONTH, PriceVersion, UnitRates

PRICES = PriceVersion(since=ALWAYS, on_demand=UnitRates(cpu=1.0, memory=0.0, gpu=100.0))
CORE = "resources: {requests: {cpu: 1, memory: 1Gi}}"
POD = f"{{containers: [{{name: app, {CORE}}}]}}"
TEMPLATE = f"template: {{spec: {POD}}}"
GPUS = "resources: {limits: {cpu: 1, memory: 1Gi, nvidia.com/gpu: 8}}"


def custom(api: str, kind: str, spec: str) -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: llm, namespace: ml}}\nspec: {spec}\n"


def read(*texts: str, **assumed: object) -> Manifests:
    documents = list(parse_yaml_all("---\n".join(texts), "all.yaml"))
    return read_manifests(documents, Assumed(**assumed))  # type: ignore[arg-type]


def only(*texts: str, **assumed: object) -> Asked:
    (found,) = read(*texts, **assumed).asked.values()
    return found


def cores(*texts: str, **assumed: object) -> tuple[float, float]:
    """From the fewest to the most, of what is known throughout."""
    found = monthly(only(*texts, **assumed), PRICES)
    assert found.unknown == ()
    return found.least / HOURS_OF_A_MONTH, found.most / HOURS_OF_A_MONTH


PREDICTOR = "predictor: {minReplicas: 2, maxReplicas: 20, model: {modelFormat: {name: onnx}, %s}}"
RAY = (
    f"headGroupSpec: {{{TEMPLATE}}}, workerGroupSpecs: "
    f"[{{replicas: 3, minReplicas: 1, maxReplicas: 5, numOfHosts: 2, {TEMPLATE}}}]"
)
JOB_SET = f"{{replicatedJobs: [{{replicas: 3, template: {{spec: {{parallelism: 4, {TEMPLATE}}}}}}}]}}"
TRAINING = f"{{pytorchReplicaSpecs: {{Master: {{{TEMPLATE}}}, Worker: {{replicas: 7, {TEMPLATE}}}}}}}"
KNATIVE = "autoscaling.knative.dev/min-scale: '2', autoscaling.knative.dev/max-scale: '9'"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (custom("argoproj.io/v1alpha1", "Rollout", f"{{replicas: 4, {TEMPLATE}}}"), 4, 4),
        (custom("serving.kserve.io/v1beta1", "InferenceService", f"{{{PREDICTOR % CORE}}}"), 2, 20),
        (
            custom(
                "serving.kserve.io/v1beta1", "InferenceService",
                f"{{{PREDICTOR % CORE}, transformer: {{maxReplicas: 3, containers: [{{name: a, {CORE}}}]}}}}",
            ), 3, 23,
        ),
        (
            custom(
                "serving.knative.dev/v1", "Service",
                f"{{template: {{metadata: {{annotations: {{{KNATIVE}}}}}, spec: {POD}}}}}",
            ), 2, 9,
        ),
        (custom("ray.io/v1", "RayCluster", f"{{{RAY}}}"), 7, 7),
        (custom("ray.io/v1", "RayCluster", f"{{enableInTreeAutoscaling: true, {RAY}}}"), 3, 11),
        (custom("ray.io/v1", "RayService", f"{{rayClusterConfig: {{{RAY}}}}}"), 7, 7),
        (
            custom(
                "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet",
                f"{{replicas: 2, leaderWorkerTemplate: {{size: 4, workerTemplate: {{spec: {POD}}}}}}}",
            ), 8, 8,
        ),
    ],
)  # fmt: skip
def test_what_an_operator_starts_is_counted_where_it_is_told(text: str, least: float, most: float) -> None:
    assert list(cores(text)) == pytest.approx([least, most])


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        (custom("jobset.x-k8s.io/v1alpha2", "JobSet", JOB_SET), 12),
        (custom("kubeflow.org/v1", "PyTorchJob", TRAINING), 8),
        (custom("ray.io/v1", "RayJob", f"{{rayClusterSpec: {{{RAY}}}}}"), 7),
        (custom("keda.sh/v1alpha1", "ScaledJob", f"{{maxReplicaCount: 6, jobTargetRef: {{{TEMPLATE}}}}}"), 6),
    ],
)
def test_jobs_of_operators_cost_the_hours_that_are_assumed(text: str, beside: float) -> None:
    assert cores(text, job_hours=73)[1] == pytest.approx(beside / 10)
    assert monthly(only(text), PRICES).unknown == ("how many hours it runs a month",)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        (
            custom("monitoring.coreos.com/v1", "Prometheus", "{replicas: 20}"),
            "what a Prometheus.monitoring.coreos.com starts is not in its manifest",
        ),
        (
            custom("serving.kserve.io/v1beta1", "InferenceService", "{predictor: {model: {}}}"),
            "container model has no cpu request",
        ),
        (
            custom(
                "serving.kserve.io/v1beta1", "InferenceService", f"{{predictor: {{model: {{{CORE}}}}}}}"
            ),
            "how many replicas it may have at most",
        ),
        (
            custom("serving.knative.dev/v1", "Service", f"{{{TEMPLATE}}}"),
            "how many replicas it may have at most",
        ),
        (custom("example.com/v1", "Widget", f"{{{TEMPLATE}}}"), "how many replicas a Widget.example.com has"),
        (
            custom("example.com/v1", "Widget", f"{{replicas: 1, {TEMPLATE}}}"),
            "what else a Widget.example.com starts",
        ),
        (
            custom("argoproj.io/v1alpha1", "Rollout", "{workloadRef: {kind: Deployment, name: base}}"),
            "ml/deploy/base, whose pods it starts, is not there",
        ),
        (
            custom("kustomize.config.k8s.io/v1beta1", "Kustomization", "{}"),
            "what a Kustomization.kustomize.config.k8s.io starts is not in its manifest",
        ),
        (custom("resource.k8s.io/v1", "ResourceClaim", "{}"), "what a ResourceClaim.resource.k8s.io starts"),
    ],
)  # fmt: skip
def test_what_an_operator_does_not_say_is_unknown(text: str, unknown: str) -> None:
    assert monthly(only(text), PRICES).unknown[0].startswith(unknown)


def test_what_a_custom_resource_says_otherwise_is_a_change_of_unknown_cost_and_the_same_is_none() -> None:
    small, large = (
        read(custom("monitoring.coreos.com/v1", "Prometheus", f"{{replicas: {n}}}")) for n in (1, 20)
    )
    assert compare(small, small, PRICES).is_known
    assert not compare(small, large, PRICES).is_known
    assert not compare(Manifests({}), small, PRICES).is_known
    assert compare(small, large, PRICES).coverage == 0.0


CLAIM = "spec: {storageClassName: fast, resources: {requests: {storage: 10Gi}}}"


def test_volumes_of_groups_of_pods_are_counted_once_a_pod_and_shared_ones_once() -> None:
    claims = f"volumeClaimTemplates: [{{metadata: {{name: a}}, {CLAIM}}}]"
    group = f"{{replicas: 2, leaderWorkerTemplate: {{size: 4, workerTemplate: {{spec: {POD}}}, {claims}}}}}"
    asked = only(custom("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", group))
    assert [(part.least, part.claims) for part in asked.parts] == [
        (2.0, (Claim("fast", 10.0),)),
        (6.0, (Claim("fast", 10.0),)),
    ]
    shared = f"volumeClaimPolicies: [{{templates: [{{metadata: {{name: a}}, {CLAIM}}}]}}], "
    jobs = custom("jobset.x-k8s.io/v1alpha2", "JobSet", JOB_SET.replace("{", f"{{{shared}", 1))
    assert only(jobs, job_hours=1).own_claims == (Claim("fast", 10.0),)


def test_a_group_of_workers_has_no_fewer_and_no_more_than_its_bounds() -> None:
    for said, workers in (("replicas: 0, ", 1), ("", 1), ("replicas: 9, ", 5)):
        cluster = custom("ray.io/v1", "RayCluster", f"{{{RAY.replace('replicas: 3, ', said)}}}")
        assert cores(cluster) == pytest.approx((1 + 2 * workers, 1 + 2 * workers))


def test_what_submits_a_job_to_a_cluster_that_is_there_is_unknown_unless_it_is_said() -> None:
    text = custom("ray.io/v1", "RayJob", "{clusterSelector: {ray.io/cluster: shared}}")
    assert only(text).unknown == ("what its submitter asks for",)


def test_rules_and_routes_of_operators_cost_nothing() -> None:
    rules = custom("monitoring.coreos.com/v1", "PrometheusRule", "{groups: []}")
    assert read(rules, custom("networking.istio.io/v1", "VirtualService", "{}")).asked == {}


def test_a_service_of_knative_is_none_of_kubernetes() -> None:
    both = read(
        custom("v1", "Service", "{type: LoadBalancer}"),
        custom("serving.knative.dev/v1", "Service", f"{{{TEMPLATE}}}"),
    )
    assert sorted(map(str, both.asked)) == ["ml/service.serving.knative.dev/llm", "ml/service/llm"]


def test_a_rollout_starts_the_pods_of_the_deployment_that_it_names() -> None:
    deployment = custom("apps/v1", "Deployment", f"{{replicas: 0, {TEMPLATE}}}")
    rollout = custom(
        "argoproj.io/v1alpha1", "Rollout", "{replicas: 5, workloadRef: {kind: Deployment, name: llm}}"
    )
    found = {ref.kind: one.most for ref, one in read(rollout, deployment).asked.items()}
    assert found == {"Deployment": 0.0, "Rollout.argoproj.io": 5.0}


def test_a_resource_without_a_price_is_not_free_and_may_be_given_one_by_its_name() -> None:
    asks = CORE.replace("memory: 1Gi", "memory: 1Gi, google.com/tpu: 8")
    tpu = f"{{replicas: 2, template: {{spec: {{containers: [{{name: a, {asks}}}]}}}}}}"
    asked = only(custom("apps/v1", "Deployment", tpu))
    assert monthly(asked, PRICES).unknown == (
        "no price for google.com/tpu: name it among the gpus of the prices",
    )
    priced = PriceVersion(since=ALWAYS, on_demand=PRICES.on_demand, gpus={"google.com/tpu": 1.5})
    assert monthly(asked, priced).most == pytest.approx(2 * HOURS_OF_A_MONTH * (1 + 8 * 1.5))
    known = only(custom("apps/v1", "Deployment", tpu), ignored=frozenset({"google.com/tpu"}))
    assert monthly(known, PRICES).unknown == ()


def test_huge_pages_are_memory_and_claims_of_devices_are_unknown() -> None:
    huge = "{containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi, hugepages-1Gi: 64Gi}}}]}"
    assert only(custom("v1", "Pod", huge)).memory_gib == 65.0
    claims = POD.replace("{containers", "{resourceClaims: [{name: gpu}], containers", 1)
    assert only(custom("v1", "Pod", claims)).unknown == ("what the resource claim gpu is given costs",)


def test_what_somebody_takes_for_nothing_is_told_and_what_is_known_still_counts() -> None:
    text = custom("example.com/v1", "Widget", f"{{replicas: 3, {TEMPLATE}}}")
    for name in ("Widget", "Widget.example.com"):
        found = only(text, ignored=frozenset({name}))
        assert (found.unknown, found.most) == ((), 3.0)
        assert found.notes == ("taken for nothing, as asked: what else a Widget.example.com starts",)
    assert only(text, ignored=frozenset({"Widget.other.io", "Gadget"})).unknown


def test_gpus_of_a_predictor_break_a_limit_though_nobody_says_how_many_there_may_be() -> None:
    text = custom("serving.kserve.io/v1beta1", "InferenceService", f"{{predictor: {{model: {{{GPUS}}}}}}}")
    found = monthly(only(text), PRICES)
    assert found.most == pytest.approx(HOURS_OF_A_MONTH * 801)
