"""Manifests as what they ask for: workloads, their autoscalers, volumes, load balancers, and what is none."""

from __future__ import annotations

import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.refs import ref_of
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Asked, Assumed, Claim, Manifests, Span
from maestro_cli.cost.gate.pricing import compare
from maestro_cli.cost.prices.model import ALWAYS, PriceVersion, UnitRates

POD = "{containers: [{name: app, resources: {requests: {cpu: 1, memory: 1Gi}}}]}"


def workload(kind: str, spec: str, *, name: str = "fraud", api: str = "apps/v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: ml}}\nspec: {spec}\n"


def deployment(replicas: str = "replicas: 3, ") -> str:
    return workload("Deployment", f"{{{replicas}template: {{spec: {POD}}}}}")


def scaler(least: str = "minReplicas: 2, ", target: str = "fraud") -> str:
    spec = f"{{scaleTargetRef: {{kind: Deployment, name: {target}}}, {least}maxReplicas: 8}}"
    return workload("HorizontalPodAutoscaler", spec, api="autoscaling/v2")


def read(*texts: str, **assumed: object) -> Manifests:
    documents = list(parse_yaml_all("---\n".join(texts), "all.yaml"))
    return read_manifests(documents, Assumed(**assumed))  # type: ignore[arg-type]


def only(*texts: str, **assumed: object) -> Asked:
    (found,) = read(*texts, **assumed).asked.values()
    return found


def test_replicas_are_one_where_nobody_says_how_many() -> None:
    assert (only(deployment()).least, only(deployment()).most) == (3.0, 3.0)
    assert only(deployment("")).most == 1.0


def test_an_autoscaler_gives_its_target_a_range_wherever_it_stands() -> None:
    for texts in ((deployment(), scaler()), (scaler(), deployment())):
        assert (only(*texts).least, only(*texts).most) == (2.0, 8.0)
    assert only(deployment(), scaler("")).least == 1.0


def test_an_autoscaler_of_keda_counts_too() -> None:
    keda = workload("ScaledObject", "{scaleTargetRef: {name: fraud}}", api="keda.sh/v1alpha1")
    assert (only(deployment(), keda).least, only(deployment(), keda).most) == (0.0, 100.0)


def test_an_autoscaler_without_its_target_is_unknown() -> None:
    found = only(scaler(target="elsewhere"))
    assert found.unknown == ("ml/deploy/elsewhere, which it scales, is not there",)
    assert found.most == 8.0


def test_claims_of_a_stateful_set_are_of_each_replica() -> None:
    claim = "{metadata: {name: data}, spec: {resources: {requests: {storage: 20Gi}}}}"
    found = only(
        workload(
            "StatefulSet", f"{{replicas: 2, volumeClaimTemplates: [{claim}], template: {{spec: {POD}}}}}"
        )
    )
    assert (found.claims, found.most) == ((Claim("", 20.0),), 2.0)


def test_a_claim_and_a_load_balancer_cost_by_themselves_and_a_service_does_not() -> None:
    claim = workload(
        "PersistentVolumeClaim", "{storageClassName: fast, resources: {requests: {storage: 5Gi}}}", api="v1"
    )
    assert only(claim).own_claims == (Claim("fast", 5.0),)
    assert only(workload("Service", "{type: LoadBalancer}", api="v1")).balancers == 1
    assert read(workload("Service", "{type: ClusterIP}", api="v1")).asked == {}


def test_a_daemon_set_runs_on_as_many_nodes_as_there_are_and_else_nobody_knows() -> None:
    daemon = workload("DaemonSet", f"{{template: {{spec: {POD}}}}}")
    assert only(daemon, nodes=4).most == 4.0
    assert only(daemon).unknown == ("on how many nodes it runs",)


def test_a_daemon_set_that_chooses_other_nodes_is_on_who_knows_how_many() -> None:
    def daemon(chosen: str) -> Manifests:
        pod = POD.replace("{containers", f"{{{chosen}containers", 1)
        return read(workload("DaemonSet", f"{{template: {{spec: {pod}}}}}"), nodes=100)

    few, everywhere = daemon("nodeSelector: {kind: gpu}, "), daemon("")
    prices = PriceVersion(since=ALWAYS, on_demand=UnitRates(0.03, 0.004))
    assert compare(few, everywhere, prices).changed[0].unknown == (
        "on how many nodes it runs, which it chooses otherwise",
    )
    assert not compare(everywhere, daemon("tolerations: [{operator: Exists}], "), prices).is_known
    assert compare(few, few, prices).is_known


def test_a_job_costs_the_hours_that_are_assumed_and_else_nobody_knows() -> None:
    job = f"{{parallelism: 2, template: {{spec: {POD}}}}}"
    cron = workload("CronJob", f"{{schedule: '0 3 * * *', jobTemplate: {{spec: {job}}}}}", api="batch/v1")
    for text in (workload("Job", job, api="batch/v1"), cron):
        assert (only(text, job_hours=30).hours, only(text, job_hours=30).most) == (30, 2.0)
        assert only(text).unknown == ("how many hours it runs a month",)


def test_a_list_is_its_items_and_a_document_without_anything_is_nothing() -> None:
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {POD}}}"
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {pod}\n"
    assert [str(ref) for ref in read(listed, "# nothing\n").asked] == ["default/pod/a"]


def test_lists_within_lists_are_opened() -> None:
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {POD}}}"
    inner = f"{{apiVersion: v1, kind: PodList, items: [{pod}]}}"
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {inner}\n"
    assert [str(ref) for ref in read(listed).asked] == ["default/pod/a"]


@pytest.mark.parametrize("kind", ["ConfigMap", "AccessList", "Namespace"])
def test_whatever_has_items_is_a_list_as_it_is_to_kubectl(kind: str) -> None:
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: slipped}}, spec: {POD}}}"
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: harmless}}\nitems: [{pod}]\n"
    assert [str(ref) for ref in read(text).asked] == ["default/pod/slipped"]


def test_what_the_cluster_is_to_name_is_there_as_often_as_it_is_written() -> None:
    spec = f"{{template: {{spec: {POD}}}}}"
    job = f"apiVersion: batch/v1\nkind: Job\nmetadata: {{generateName: a-}}\nspec: {spec}\n"
    assert [str(ref) for ref in read(job, job, job).asked] == [
        "default/job/a-",
        "default/job/a-#2",
        "default/job/a-#3",
    ]


def test_two_autoscalers_of_one_target_permit_what_either_does() -> None:
    other = scaler().replace("name: fraud, namespace", "name: other, namespace").replace("8", "20")
    for texts in ((scaler(), other), (other, scaler())):
        assert (only(deployment(), *texts).least, only(deployment(), *texts).most) == (2.0, 20.0)


def test_a_vertical_autoscaler_makes_requests_its_own_affair_unless_it_is_off() -> None:
    def vertical(mode: str, least: str = "1") -> str:
        spec = (
            f"{{targetRef: {{apiVersion: apps/v1, kind: Deployment, name: fraud}}, updatePolicy: {{{mode}}}, "
        )
        bounds = f"resourcePolicy: {{containerPolicies: [{{minAllowed: {{cpu: {least}}}}}]}}}}"
        return workload("VerticalPodAutoscaler", spec + bounds, api="autoscaling.k8s.io/v1")

    told = ("a VerticalPodAutoscaler sets what it asks for",)
    assert only(deployment(), vertical("")).unknown == told
    assert only(deployment(), vertical("updateMode: Initial")).unknown == told
    assert only(deployment(), vertical("updateMode: 'Off'")).unknown == ()
    assert only(deployment(), vertical("")) != only(deployment(), vertical("", "64"))
    quiet = read(deployment(), vertical(""), ignored=frozenset({"VerticalPodAutoscaler"}))
    assert [one.unknown for one in quiet.asked.values()] == [()]


def test_a_cron_job_that_is_suspended_costs_nothing_and_another_schedule_is_another_cost() -> None:
    def cron(schedule: str, more: str = "") -> str:
        job = f"{{template: {{spec: {POD}}}}}"
        return workload(
            "CronJob", f"{{schedule: '{schedule}', {more}jobTemplate: {{spec: {job}}}}}", api="batch/v1"
        )

    assert only(cron("0 3 * * *", "suspend: true, "), job_hours=9).most == 0.0
    assert only(cron("0 3 * * *"), job_hours=9) != only(cron("* * * * *"), job_hours=9)


def test_a_pod_of_a_hook_runs_for_the_hours_of_a_job() -> None:
    meta = "{name: a, annotations: {helm.sh/hook: test}}"
    hook = f"apiVersion: v1\nkind: Pod\nmetadata: {meta}\nspec: {POD}\n"
    assert only(hook, job_hours=2).hours == 2
    assert only(hook).unknown == ("how many hours it runs a month",)


def test_a_limit_range_gives_requests_to_containers_of_its_namespace_that_have_none() -> None:
    bare = workload("Deployment", "{replicas: 2, template: {spec: {containers: [{name: app}]}}}")
    limits = "{limits: [{type: Container, default: {cpu: 2, memory: 4Gi}, defaultRequest: {cpu: 500m}}]}"
    found = read(bare, workload("LimitRange", limits, name="all", api="v1"))
    fraud = next(one for ref, one in found.asked.items() if ref.kind == "Deployment")
    assert (fraud.cpu, fraud.memory_gib, fraud.unknown) == (0.5, 4.0, ())
    elsewhere = workload("LimitRange", limits, name="all", api="v1").replace("namespace: ml", "namespace: b")
    assert any(one.unknown for one in read(bare, elsewhere).asked.values())


def test_a_class_of_runtimes_adds_its_overhead_and_one_that_is_not_there_is_told() -> None:
    pod = POD.replace("{containers", "{runtimeClassName: kata, containers", 1)
    kata = workload("Deployment", f"{{replicas: 2, template: {{spec: {pod}}}}}")
    meta = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata}\nhandler: k\n"
    found = read(kata, meta + "overhead: {podFixed: {cpu: 250m, memory: 1Gi}}\n").asked
    (with_it,) = (one for ref, one in found.items() if ref.kind == "Deployment")
    assert (with_it.cpu, with_it.memory_gib, with_it.notes) == (1.25, 2.0, ())
    assert only(kata).notes == ("the overhead of runtime class kata is not counted",)
    assert only(kata) != only(deployment("replicas: 2, "))  # that it changes is told


@pytest.mark.parametrize(
    ("api", "kind", "told"),
    [
        ("networking.k8s.io/v1", "Ingress", "may have a load balancer started"),
        ("storage.k8s.io/v1", "StorageClass", "prices have the class of that name"),
        ("v1", "PersistentVolume", "its disk is not counted"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "may change what pods ask for"),
    ],
)
def test_what_changes_what_others_cost_is_told_when_it_changes(api: str, kind: str, told: str) -> None:
    old, new = (read(workload(kind, f"{{a: {n}}}", api=api)) for n in (1, 2))
    prices = PriceVersion(since=ALWAYS)
    (note,) = compare(old, new, prices).notes
    assert told in note
    assert compare(old, old, prices).notes == ()


def test_replicas_that_are_left_out_are_those_that_run() -> None:
    ref = ref_of("Deployment", "ml", "fraud")
    documents = list(parse_yaml_all(deployment(""), "all.yaml"))
    (found,) = read_manifests(documents, Assumed(), standing={ref: Span(10.0, 10.0)}).asked.values()
    assert (found.least, found.most, found.notes) == (10.0, 10.0, ())
    assert only(deployment("")).notes == ("says no replicas and is counted as 1: more may run",)
    assert only(deployment(""), scaler()).notes == ()


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        (deployment("replicas: many, "), "spec.replicas", 4),
        (deployment("replicas: -1, "), "spec.replicas", 4),
        (deployment("replicas: true, "), "spec.replicas", 4),
        (workload("Deployment", "{template: {spec: {}}}"), "spec.template.spec.containers", 4),
        (workload("Deployment", "{template: []}"), "spec.template", 4),
        (scaler("minReplicas: 9, "), "spec.maxReplicas", 4),
        ("kind: Pod\n", "", 1),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "metadata.name", 3),
        ("- a\n", "", 1),
        (deployment().replace("kind: D", "kind: d"), "kind", 2),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "items", 3),
        ("apiVersion: v1\nkind: Pod\nmetadata: &m {name: a}\nspec: {<<: *m}\n", "", 3),
        (deployment() + "---\n" + deployment(), "", 6),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(text: str, key: str, line: int) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(text)
    assert (refused.value.file, refused.value.key, refused.value.line) == ("all.yaml", key, line)
