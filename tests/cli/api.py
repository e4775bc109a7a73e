"""An API server of recorded answers, for what the command line makes of them.

Invariant: instants lie in a future where every age is zero, so that output can be pinned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from maestro_cli.config.locations import config_dir

AT = "2999-01-01T00:00:00Z"
EVIL = "\x1b[31m\u202eevil, =1+1 | x"
Answers = dict[str, Any]


def pod(name: str, namespace: str = "ml", **more: Any) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "name": "fraud-5c9", "controller": True}
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "creationTimestamp": AT,
            "labels": {"app": "fraud"}, "ownerReferences": [owner]}  # fmt: skip
    container = {"name": "server", "image": "maestro.local/model-server:1", "args": ["--serve", "fraud=2"]}
    running = {"name": "server", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": AT}}}
    status = {"phase": "Running", "podIP": "10.244.1.2", "containerStatuses": [running],
              "conditions": [{"type": "Ready", "status": "True"}]}  # fmt: skip
    spec = {"nodeName": "node-a", "containers": [container]}
    return {"metadata": meta, "spec": spec, "status": {**status, **more}}


def crashing(name: str) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": AT}}
    container = {"name": "server", "ready": False, "restartCount": 7, "lastState": ended,
                 "state": {"waiting": {"reason": "CrashLoopBackOff", "message": EVIL}}}  # fmt: skip
    ready = {"type": "Ready", "status": "False"}
    return pod(name, containerStatuses=[container], conditions=[ready], podIP="")


def node(name: str, zone: str, **more: Any) -> dict[str, Any]:
    labels = {"topology.kubernetes.io/zone": zone, "node-role.kubernetes.io/worker": ""}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": AT}
    info = {"kubeletVersion": "v1.37.2", "osImage": "Debian", "containerRuntimeVersion": "containerd://2"}
    status = {
        "conditions": [ready],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
        "nodeInfo": info,
    }
    meta = {"name": name, "uid": f"uid-{name}", "creationTimestamp": AT, "labels": labels}
    return {"metadata": meta, "spec": more, "status": status}


def lost_node(name: str) -> dict[str, Any]:
    gone = {"type": "Ready", "status": "Unknown", "lastTransitionTime": AT, "message": EVIL}
    body = node(name, "zone-b", unschedulable=True, taints=[{"key": "node.kubernetes.io/unreachable",
                                                            "effect": "NoExecute"}])  # fmt: skip
    body["status"]["conditions"] = [gone, {"type": "DiskPressure", "status": "True"}]
    return body


def workload(name: str, wanted: int, **status: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "ml", "uid": f"uid-{name}", "generation": 2, "creationTimestamp": AT,
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"deployment.kubernetes.io/revision": "4", "kubernetes.io/change-cause": EVIL,
                            "deprecated.daemonset.template.generation": "3"}}  # fmt: skip
    template = {"spec": {"containers": [{"name": "server", "image": "maestro.local/model-server:1"}]}}
    spec = {"replicas": wanted, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": meta, "spec": spec, "status": {"observedGeneration": 2, **status}}


def listing(*items: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "1"}, "items": list(items)}


def refusal(code: int, reason: str, message: str, **details: Any) -> tuple[int, dict[str, Any]]:
    return code, {"kind": "Status", "reason": reason, "message": message, "code": code, "details": details}


PODS = listing(pod("fraud-5c9-a"), crashing("fraud-5c9-b"), pod("churn-77-c"))
NODES = listing(node("node-a", "zone-a"), lost_node("node-b"))
ANSWERS: Answers = {
    "/api/v1/namespaces/ml/pods": PODS,
    "/api/v1/pods": PODS,
    "/api/v1/namespaces": listing({"metadata": {"name": "ml"}}, {"metadata": {"name": "empty"}}),
    "/api/v1/namespaces/empty": {"metadata": {"name": "empty"}},
    "/api/v1/namespaces/empty/pods": listing(),
    "/api/v1/namespaces/mll/pods": listing(),
    "/api/v1/nodes": NODES,
    "/apis/apps/v1/namespaces/ml/deployments": listing(
        workload("fraud", 3, replicas=3, updatedReplicas=3, readyReplicas=3, availableReplicas=3),
        workload("churn", 2, replicas=3, updatedReplicas=1, readyReplicas=2, availableReplicas=2),
    ),
    "/apis/apps/v1/namespaces/ml/statefulsets": listing(
        workload(
            "store",
            2,
            replicas=2,
            readyReplicas=0,
            updatedReplicas=2,
            currentRevision="store-1",
            updateRevision="store-1",
        )
    ),
}


@contextmanager
def api_server(answers: Answers) -> Iterator[list[str]]:
    """Serve these answers (404 for any other path) and write a context `prod` for it; the paths asked for.

    Bytes are answered as text, such as a log.

    Where it answers `/v2/routing`, it is the context's model server and Prometheus too. What is not a GET
    is answered from `METHOD path`, and kept as that in the paths asked for.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(self.path)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(f"{self.command} {self.path}")

        do_PATCH = do_POST

        def answer(self, question: str) -> None:
            asked.append(question)
            path = question.partition("?")[0]
            found = answers.get(path, refusal(404, "NotFound", f"{path} not found"))
            code, body = found if isinstance(found, tuple) else (200, found)
            is_text = isinstance(body, bytes)
            content = body if is_text else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain" if is_text else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        _configure(f"http://127.0.0.1:{server.server_address[1]}", "/v2/routing" in answers)
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _configure(url: str, has_serving: bool) -> Path:
    folder = config_dir()
    folder.mkdir(parents=True)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "x",
                "clusters": [{"name": "x", "cluster": {"server": url}}],
                "users": [{"name": "x", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x", "namespace": "ml"}}],
            }
        ),
        encoding="utf-8",
    )
    file = folder / "config.yaml"
    both = f", serving: {{url: '{url}'}}, prometheus: {{url: '{url}'}}" if has_serving else ""
    serving = f", alertmanager: {{url: '{url}'}}{both}"
    text = (
        f"current_context: prod\ncontexts: {{prod: {{cluster: {{kubeconfig: '{kubeconfig}'}}{serving}}}}}\n"
    )
    file.write_text(text, encoding="utf-8")
    return file
