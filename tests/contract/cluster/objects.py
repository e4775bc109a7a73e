"""Objects that tests put into a cluster, and how to read what became of them."""

from __future__ import annotations

import base64
from typing import Any

from tests.contract.cluster.kubectl import Kubectl

SERVE = (
    "import http.server,os,signal,sys;"
    "signal.signal(signal.SIGTERM,lambda *_:sys.exit(0));"
    "S=http.server.ThreadingHTTPServer;S.daemon_threads=True;"
    "H=type('H',(http.server.BaseHTTPRequestHandler,),{'protocol_version':'HTTP/1.1',"
    "'log_message':lambda *a:None,"
    "'do_GET':lambda s:(lambda b:(s.send_response(int(os.path.exists('broken')) and 500 or 200),"
    "s.send_header('Content-Length',str(len(b))),s.end_headers(),s.wfile.write(b)))"
    "(os.environ['HOSTNAME'].encode())});"
    "print('serving',flush=True);"
    "S((os.environ['POD_IP'],8080),H).serve_forever()"
)


def container(script: str = SERVE, **more: Any) -> dict[str, Any]:
    """A container that runs this Python."""
    made = {"name": "c", "image": "example.test/app:1", "command": ["python", "-u", "-S", "-c", script]}
    return made | more


def pod(
    name: str, script: str = SERVE, *, container_fields: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A bare pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container(script, **(container_fields or {}))], **spec},
    }


def deployment(
    name: str, replicas: int = 3, *, container_fields: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Deployment of servers with a readiness probe."""
    fields = {
        "ports": [{"name": "http", "containerPort": 8080}],
        # who is ready stays ready when the machine is busy
        "readinessProbe": {
            "httpGet": {"path": "/", "port": "http"},
            "periodSeconds": 1,
            "timeoutSeconds": 10,
        },
    }
    template_spec = {
        "containers": [container(**(fields | (container_fields or {})))],
        "terminationGracePeriodSeconds": 2,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template_spec},
            **spec,
        },
    }


def conditions(thing: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Condition types with (status, reason)."""
    found = thing.get("status", {}).get("conditions", [])
    return {entry["type"]: (entry["status"], entry.get("reason", "")) for entry in found}


def phase(kubectl: Kubectl, name: str) -> str:
    return str(kubectl.get("pod", name)["status"].get("phase"))


def container_status(kubectl: Kubectl, name: str) -> dict[str, Any]:
    statuses = kubectl.get("pod", name)["status"].get("containerStatuses") or [{}]
    return dict(statuses[0])


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def service(name: str, **port: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http", **port}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def budget(name: str, **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": selector, **spec},
    }


# No scheduler answers to this name: what asks for it stays pending, and nobody but the test writes to it.
_NOBODY = "nobody"


def idle_pod(name: str, **labels: str) -> dict[str, Any]:
    """A pod that nobody schedules."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "x:1"}], "schedulerName": _NOBODY},
    }


def idle_deployment() -> dict[str, Any]:
    """A Deployment `web` of three whose pods nobody schedules."""
    made = {"name": "server", "image": "x:1", "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [made], "schedulerName": _NOBODY},
            },
        },
    }
