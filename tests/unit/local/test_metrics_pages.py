"""Exposition, kube-state-metrics names, discovery, and the nodes' pages."""

from __future__ import annotations

import base64
import time
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from maestro_cli.local.certificates import self_signed
from maestro_cli.local.metrics.discovery import targets
from maestro_cli.local.metrics.labels import sanitized
from maestro_cli.local.metrics.nodes import kept, merged
from maestro_cli.local.metrics.state import Snapshot, describe

OWNER = {"kind": "ReplicaSet", "name": "web-1", "uid": "r", "controller": True}
REPLICA_SET: dict[str, Any] = {
    "metadata": {
        "name": "web-1",
        "namespace": "ml",
        "annotations": {"deployment.kubernetes.io/revision": "7"},
        "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d", "controller": True}],
    },
    "spec": {"replicas": 2},
}


def pod(**annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "web-1-a",
            "namespace": "ml",
            "uid": "u",
            "labels": {"pod-template-hash": "1", "evil": 'a"b\\c\nd'},
            "annotations": annotations,
            "ownerReferences": [OWNER],
        },
        "spec": {"nodeName": "node-a", "containers": [{"name": "c", "ports": [{"containerPort": 8080}]}]},
        "status": {
            "phase": "Running",
            "podIP": "10.244.1.2",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {
                    "name": "c",
                    "restartCount": 3,
                    "ready": True,
                    "lastState": {"terminated": {"reason": "OOMKilled"}},
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                }
            ],
        },
    }


def samples(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """By name, then by labels, as the official parser reads the page."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_pods_are_described_and_hostile_labels_survive_the_format() -> None:
    found = samples(describe(Snapshot([], [REPLICA_SET], [pod()], [], [])).text())
    phases = {dict(labels)["phase"]: value for labels, value in found["kube_pod_status_phase"].items()}
    assert phases == {"Pending": 0, "Succeeded": 0, "Failed": 0, "Unknown": 0, "Running": 1}
    ready = {dict(labels)["condition"]: value for labels, value in found["kube_pod_status_ready"].items()}
    assert ready == {"true": 1, "false": 0, "unknown": 0}
    assert list(found["kube_pod_container_status_restarts_total"].values()) == [3]
    [labels] = found["kube_pod_labels"]
    assert dict(labels)["label_evil"] == 'a"b\\c\nd'
    [waiting] = found["kube_pod_container_status_waiting_reason"]
    assert dict(waiting)["reason"] == "CrashLoopBackOff"
    [last] = found["kube_pod_container_status_last_terminated_reason"]
    assert dict(last)["reason"] == "OOMKilled"
    [owner] = found["kube_replicaset_owner"]
    assert dict(owner)["owner_name"] == "web"


def test_deployments_nodes_and_budgets() -> None:
    deployment = {
        "metadata": {"name": "web", "namespace": "ml", "generation": 4},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 3, "replicas": 4, "updatedReplicas": 1, "unavailableReplicas": 1},
    }
    node = {
        "metadata": {"name": "node-a"},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}], "allocatable": {"memory": "1Ki"}},
    }
    budget = {
        "metadata": {"name": "web", "namespace": "ml"},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3},
    }
    found = samples(describe(Snapshot([deployment], [], [], [node], [budget])).text())

    def only(name: str) -> float:
        [value] = found[name].values()
        return value

    assert only("kube_deployment_spec_replicas") == 3
    assert only("kube_deployment_status_replicas") == 4
    assert only("kube_deployment_status_replicas_available") == 0
    assert only("kube_deployment_metadata_generation") == 4
    assert only("kube_deployment_status_observed_generation") == 3
    assert only("kube_node_spec_unschedulable") == 1
    assert only("kube_node_status_allocatable") == 1024
    assert only("kube_poddisruptionbudget_status_pod_disruptions_allowed") == 1
    ready = {dict(labels)["status"]: value for labels, value in found["kube_node_status_condition"].items()}
    assert ready == {"true": 0, "false": 0, "unknown": 1}


def test_certificates_of_tls_secrets_tell_when_they_end() -> None:
    pem = self_signed("fraud.example", days=5).certificate
    chain = {"tls.crt": base64.b64encode(pem).decode(), "tls.key": "aaaa"}
    meta = {"name": "fraud-tls", "namespace": "ml"}
    good = {"metadata": meta, "type": "kubernetes.io/tls", "data": chain}
    for broken in ({"tls.crt": "%%%"}, {"tls.crt": base64.b64encode(b"no certificate").decode()}, {}):
        assert "x509" not in describe(Snapshot(tls_secrets=[good | {"data": broken}])).text()
    assert "x509" not in describe(Snapshot(tls_secrets=[good | {"type": "Opaque"}])).text()
    found = samples(describe(Snapshot(tls_secrets=[good])).text())
    [(labels, ends)] = found["x509_cert_not_after"].items()
    assert 4.9 * 86400 < ends - time.time() <= 5 * 86400
    assert dict(labels) | {"serial_number": ""} == {
        "secret_namespace": "ml", "secret_name": "fraud-tls", "secret_key": "tls.crt", "serial_number": "",
        "subject_CN": "fraud.example", "issuer_CN": "fraud.example",
    }  # fmt: skip


def test_label_names() -> None:
    assert sanitized({"app.kubernetes.io/name": "x"}) == {"label_app_kubernetes_io_name": "x"}
    assert sanitized({"costCenter": "y"}) == {"label_cost_center": "y"}


def test_only_pods_that_ask_are_discovered() -> None:
    asking = pod(**{"prometheus.io/scrape": "true", "prometheus.io/port": "9100", "prometheus.io/path": "/m"})
    ending = asking | {"status": asking["status"] | {"phase": "Failed"}}
    [group] = targets([asking, pod(), ending], {"ml/web-1": REPLICA_SET}.get)
    assert group["targets"] == ["127.244.1.2:9100"]
    assert group["labels"] == {
        "namespace": "ml", "pod": "web-1-a", "node": "node-a", "deployment": "web", "revision": "7",
        "pod_template_hash": "1", "controller_revision_hash": "", "__metrics_path__": "/m",
    }  # fmt: skip
    plain = pod(**{"prometheus.io/scrape": "true"})
    assert targets([plain], lambda _key: None)[0]["targets"] == ["127.244.1.2:8080"]


def test_the_pages_of_nodes_become_one() -> None:
    page = (
        "# HELP container_cpu_usage_seconds_total x\n# TYPE container_cpu_usage_seconds_total counter\n"
        'container_cpu_usage_seconds_total{container="c",namespace="ml",pod="p"} 1.5 1700000000000\n'
        "# TYPE node_memory_working_set_bytes gauge\n"
        "node_memory_working_set_bytes 7 1700000000000\nnever_declared 0\ngarbage {{{\n"
    )
    found = samples(merged({"node-a": page, "node-b": ""}))
    assert set(found) == {"container_cpu_usage_seconds_total", "node_memory_working_set_bytes"}
    [labels] = found["container_cpu_usage_seconds_total"]
    assert dict(labels) == {"container": "c", "namespace": "ml", "pod": "p", "node": "node-a"}
    assert set(samples(merged({"node-a": kept(page, ("node_",))}))) == {"node_memory_working_set_bytes"}


def values(found: dict[tuple[tuple[str, str], ...], float], label: str) -> dict[str, float]:
    """By one of their labels."""
    return {dict(labels)[label]: value for labels, value in found.items()}


def test_states_reasons_and_times_of_a_pod() -> None:
    made = pod()
    made["metadata"]["creationTimestamp"] = "2026-11-25T10:00:00Z"
    made["spec"]["initContainers"] = [{"name": "i"}]
    made["spec"]["containers"][0]["resources"] = {
        "limits": {"memory": "1Ki", "cpu": "500m", "example.test/gpu": "2"}
    }
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-25T10:00:05Z"}
    made["status"] |= {
        "phase": "Failed",
        "reason": "Evicted",
        "qosClass": "Burstable",
        "startTime": "2026-11-25T10:00:01Z",
        "containerStatuses": [
            {"name": "c", "restartCount": 1, "state": {"terminated": ended}, "lastState": {}}
        ],
        "initContainerStatuses": [{"name": "i", "restartCount": 2, "state": {"terminated": ended}}],
    }
    found = samples(describe(Snapshot(pods=[made])).text())
    assert values(found["kube_pod_status_reason"], "reason") == {
        "Evicted": 1, "NodeAffinity": 0, "NodeLost": 0, "Shutdown": 0, "UnexpectedAdmissionError": 0,
    }  # fmt: skip
    [born], [ended_at] = found["kube_pod_created"].values(), found["kube_pod_completion_time"].values()
    assert ended_at - born == 5
    assert values(found["kube_pod_container_status_terminated_reason"], "reason") == {"OOMKilled": 1}
    assert list(found["kube_pod_container_status_running"].values()) == [0]
    assert "kube_pod_container_status_waiting_reason" not in found
    assert list(found["kube_pod_init_container_status_restarts_total"].values()) == [2]
    assert values(found["kube_pod_container_resource_limits"], "unit") == {
        "byte": 1024, "core": 0.5, "integer": 2,
    }  # fmt: skip
    assert values(found["kube_pod_status_qos_class"], "qos_class") == {"Burstable": 1}


def test_the_exit_code_and_reason_of_the_last_run() -> None:
    made = pod()
    last = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-25T10:00:05Z"}
    made["status"]["containerStatuses"][0]["lastState"] = {"terminated": last}
    found = samples(describe(Snapshot(pods=[made])).text())
    assert list(found["kube_pod_container_status_last_terminated_exitcode"].values()) == [137]
    assert values(found["kube_pod_container_status_last_terminated_reason"], "reason") == {"OOMKilled": 1}
    assert list(found["kube_pod_container_status_waiting"].values()) == [1]


def test_jobs_namespaces_taints_and_the_rolling_update() -> None:
    job = {
        "metadata": {"name": "j", "namespace": "ml"},
        "spec": {"parallelism": 2, "completions": 3},
        "status": {
            "failed": 4,
            "succeeded": 1,
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}],
        },
    }
    deployment = {
        "metadata": {"name": "web", "namespace": "ml"},
        "spec": {"replicas": 10, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}},
        "status": {
            "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]
        },
    }
    node = {
        "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": ""}},
        "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]},
        "status": {"capacity": {"ephemeral-storage": "1Ki", "cpu": "2"}},
    }
    namespace = {"metadata": {"name": "ml"}, "status": {"phase": "Terminating"}}
    snapshot = Snapshot([deployment], nodes=[node], jobs=[job], namespaces=[namespace])
    found = samples(describe(snapshot).text())
    assert values(found["kube_job_failed"], "condition") == {"true": 1, "false": 0, "unknown": 0}
    assert "kube_job_complete" not in found
    assert values(found["kube_job_status_failed"], "reason")["BackoffLimitExceeded"] == 1
    assert list(found["kube_job_spec_completions"].values()) == [3]
    assert values(found["kube_namespace_status_phase"], "phase") == {"Active": 0, "Terminating": 1}
    assert values(found["kube_node_spec_taint"], "effect") == {"NoSchedule": 1}
    assert values(found["kube_node_role"], "role") == {"worker": 1}
    assert values(found["kube_node_status_capacity"], "resource") == {"ephemeral_storage": 1024, "cpu": 2}
    surge = found["kube_deployment_spec_strategy_rollingupdate_max_surge"]
    unavailable = found["kube_deployment_spec_strategy_rollingupdate_max_unavailable"]
    assert (list(surge.values()), list(unavailable.values())) == ([3], [2])
    assert set(values(found["kube_deployment_status_condition"], "reason")) == {"MinimumReplicasAvailable"}


def test_config_maps_tell_their_version_and_never_what_is_in_them() -> None:
    meta = {
        "name": "settings",
        "namespace": "ml",
        "resourceVersion": "41",
        "creationTimestamp": "2026-11-01T00:00:00Z",
    }
    page = describe(Snapshot(config_maps=[{"metadata": meta, "data": {"password": "hunter2"}}])).text()
    found = samples(page)
    [labels] = found["kube_configmap_metadata_resource_version"]
    assert dict(labels) == {"namespace": "ml", "configmap": "settings"}
    assert found["kube_configmap_metadata_resource_version"][labels] == 41
    assert set(found) == {
        "kube_configmap_info",
        "kube_configmap_created",
        "kube_configmap_metadata_resource_version",
    }
    assert "hunter2" not in page
