"""The real control plane for tests: etcd, kube-apiserver, controller-manager and scheduler in a state folder.

Everything is on loopback and on ports the system chose, etcd does not wait for the disk, and the folder
has the same `pki` and kubeconfigs as that of a light cluster.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from maestro_cli.local.certificates import IDENTITIES, Pki, ensure_pki, write_kubeconfig
from tests.contract.local.running import NODE_GRACE, Platform, until

BINARY = "MAESTRO_KUBERNETES_BINARY"
_CONTROLLERS = (
    "deployment-controller", "replicaset-controller", "job-controller", "disruption-controller",
    "garbage-collector-controller", "namespace-controller", "serviceaccount-controller",
    "pod-garbage-collector-controller", "node-lifecycle-controller", "taint-eviction-controller",
    "endpointslice-controller", "endpoints-controller",
)  # fmt: skip
_READ = ["get", "list", "watch"]
_CHANGE = [*_READ, "create", "update", "patch"]
_NAMESPACED = [
    "pods", "pods/*", "services", "services/*", "endpoints", "events", "configmaps", "serviceaccounts",
    "serviceaccounts/*", "replicationcontrollers", "persistentvolumeclaims", "resourcequotas", "limitranges",
]  # fmt: skip
_GROUPS = ["apps", "batch", "policy", "autoscaling", "discovery.k8s.io", "events.k8s.io",
           "coordination.k8s.io", "networking.k8s.io"]  # fmt: skip


def _rule(verbs: list[str], resources: list[str], groups: list[str] | None = None) -> dict[str, Any]:
    return {"verbs": verbs, "apiGroups": groups or [""], "resources": resources}


_ROLES: dict[str, list[dict[str, Any]]] = {
    "maestro:oncall": [
        _rule(["*"], _NAMESPACED),
        _rule(["*"], ["*"], _GROUPS),
        _rule(_READ, ["secrets"]),
        _rule(_CHANGE, ["namespaces"]),
        _rule([*_READ, "update", "patch"], ["nodes"]),
    ],
    "maestro:viewers": [
        _rule(_READ, [*_NAMESPACED, "namespaces", "nodes"]),
        _rule(_READ, ["*"], [*_GROUPS, "rbac.authorization.k8s.io"]),
    ],
    "maestro:kubelets": [
        _rule(_READ, ["configmaps", "secrets", "services", "endpoints", "namespaces"]),
        _rule(_READ, ["endpointslices"], ["discovery.k8s.io"]),
        _rule(_CHANGE, ["nodes", "nodes/status", "events"]),
        _rule([*_READ, "update", "patch", "delete"], ["pods", "pods/status"]),
        _rule(["*"], ["leases"], ["coordination.k8s.io"]),
    ],
    "maestro:agents": [
        _rule(["*"], [*_NAMESPACED, "namespaces", "namespaces/*", "nodes", "nodes/*"]),
        _rule(["*"], ["*"], _GROUPS),
        _rule([*_READ, "delete", "patch"], ["secrets"]),
    ],
}


def start_control_plane(platform: Platform) -> None:
    """Start all four parts and wait until the API server is ready and the identities have their rights."""
    binary = os.environ.get(BINARY)
    if not binary:
        pytest.skip(f"no binary of the real control plane; {BINARY} names one")
    state, pki = platform.state, ensure_pki(platform.state)
    signer = state / "service-accounts.key"
    signer.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    etcd, peer, secure, manager, scheduler = (_free_port() for _ in range(5))
    etcd_url = f"http://127.0.0.1:{etcd}"
    peer_url = f"http://127.0.0.1:{peer}"
    platform.spawn(
        "etcd", binary, "etcd", "--data-dir", str(state / "etcd"), "--client-url", etcd_url,
        "--peer-url", peer_url,
    )  # fmt: skip
    url = f"https://127.0.0.1:{secure}"
    platform.spawn("cluster", binary, "kube-apiserver", *_api_flags(pki, signer, etcd_url, secure))
    for identity in IDENTITIES:
        path = state / f"{identity}.kubeconfig"
        write_kubeconfig(path, server=url, ca=pki.ca, token=pki.token(identity), context="maestro-local")
    with _admin(pki, url) as admin:
        until(
            lambda: _is_ready(admin) or platform.processes["cluster"].poll() is not None, "the API server", 90
        )
        assert platform.processes["cluster"].poll() is None, platform.log("cluster")[-3000:]
        for group, rules in _ROLES.items():
            _grant(admin, group, rules)
    config = ["--kubeconfig", str(state / "admin.kubeconfig"), "--leader-elect=false",
              "--bind-address=127.0.0.1", "--kube-api-qps=200", "--kube-api-burst=400"]  # fmt: skip
    platform.spawn(
        "controllers", binary, "kube-controller-manager", *config, "--secure-port", str(manager),
        "--service-account-private-key-file", str(signer), "--controllers", ",".join(_CONTROLLERS),
        "--node-monitor-period=0.5s", f"--node-monitor-grace-period={NODE_GRACE}s",
    )  # fmt: skip
    platform.spawn("scheduler", binary, "kube-scheduler", *config, "--secure-port", str(scheduler))
    (state / "run").mkdir(exist_ok=True)
    facts = {"port": secure, "url": url, "etcd": etcd_url}
    (state / "run" / "cluster.json").write_text(json.dumps(facts))


def _api_flags(pki: Pki, signer: Path, etcd_url: str, port: int) -> list[str]:
    return [
        f"--etcd-servers={etcd_url}", f"--cert-dir={pki.folder}", f"--secure-port={port}",
        "--bind-address=127.0.0.1", f"--tls-cert-file={pki.certificate}",
        f"--tls-private-key-file={pki.key}", "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://maestro.local", f"--service-account-key-file={signer}",
        f"--service-account-signing-key-file={signer}", "--authorization-mode=RBAC",
        f"--token-auth-file={pki.tokens}", "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged", "--endpoint-reconciler-type=none",
        "--kubelet-preferred-address-types=InternalIP",
    ]  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _admin(pki: Pki, url: str) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        verify=ssl.create_default_context(cafile=str(pki.ca)),
        headers={"Authorization": f"Bearer {pki.token('admin')}"},
        trust_env=False,
    )


def _is_ready(admin: httpx.Client) -> bool:
    try:
        return admin.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _grant(admin: httpx.Client, group: str, rules: list[dict[str, Any]]) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1"
    role = {"metadata": {"name": group}, "rules": rules}
    binding = {
        "metadata": {"name": group},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": group},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }
    for plural, body in (("clusterroles", role), ("clusterrolebindings", binding)):
        made = admin.post(f"{path}/{plural}", json=body)
        assert made.status_code == 201, made.text
