"""The command lines of the real control plane, one function a program.

Invariant: pure; everything listens on loopback, and nothing is said to who has neither a token nor, for
etcd and the kubelets, a client certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maestro_cli.local.certificates import Pki
from maestro_cli.local.ports import LOOPBACK

_SERVICE_ADDRESSES = "10.96.0.0/16"
_AUDIT_MEGABYTES, _AUDIT_FILES = 20, 3
_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE = 200, 400  # Kubernetes' own limits make a rollout wait


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A control plane in a state folder, of a program that is all four.

    Without `fsync` a crash of the machine can lose what was answered; a lost node is noticed after
    `node_grace_seconds`, and its pods are deleted `evict_after_seconds` later (default: Kubernetes' own).
    """

    state: Path
    program: str
    fsync: bool = True
    node_grace_seconds: float | None = None
    evict_after_seconds: int | None = None
    apiserver_flags: tuple[str, ...] = ()

    @property
    def pki(self) -> Pki:
        return Pki(self.state / "pki")

    @property
    def audit_policy(self) -> Path:
        return self.state / "config" / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        return self.state / "logs" / "audit.log"

    @property
    def authentication(self) -> Path:
        """Who may ask without a token, and for what."""
        return self.state / "config" / "authentication.json"

    def kubeconfig(self, component: str) -> Path:
        """Of `controller-manager` or `scheduler`."""
        return self.pki.folder / f"{component}.kubeconfig"


def etcd_command(plane: ControlPlane, port: int) -> list[str]:
    certificate, key = plane.pki.etcd
    command = [
        plane.program,
        "etcd",
        f"--data-dir={plane.state / 'etcd'}",
        f"--client-url=https://{LOOPBACK}:{port}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={plane.pki.etcd_ca}",
    ]
    return command if plane.fsync else [*command, "--unsafe-no-fsync"]


def apiserver_command(plane: ControlPlane, port: int, etcd_port: int) -> list[str]:
    return [
        plane.program,
        "kube-apiserver",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",  # else it looks for a route, and a laptop may have none
        f"--secure-port={port}",
        f"--cert-dir={plane.pki.folder}",
        f"--tls-cert-file={plane.pki.certificate}",
        f"--tls-private-key-file={plane.pki.key}",
        "--endpoint-reconciler-type=none",  # endpoints in 127.0.0.0/8 are refused
        f"--service-cluster-ip-range={_SERVICE_ADDRESSES}",
        "--allow-privileged",
        "--profiling=false",
        *_etcd_client(plane, etcd_port),
        *_access(plane),
        *_kubelet_client(plane),
        *_audit(plane),
        *_evictions(plane),
        *plane.apiserver_flags,
    ]


def _etcd_client(plane: ControlPlane, port: int) -> list[str]:
    certificate, key = plane.pki.etcd
    return [
        f"--etcd-servers=https://{LOOPBACK}:{port}",
        f"--etcd-cafile={plane.pki.etcd_ca}",
        f"--etcd-certfile={certificate}",
        f"--etcd-keyfile={key}",
    ]


def _access(plane: ControlPlane) -> list[str]:
    """Tokens and RBAC. No pod gets a token that it did not ask for: a process kubelet cannot hide one from
    its neighbours.
    """
    public, private = plane.pki.service_accounts
    return [
        f"--token-auth-file={plane.pki.tokens}",
        f"--authentication-config={plane.authentication}",
        f"--client-ca-file={plane.pki.ca}",  # the other components ask for it
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={public}",
        f"--service-account-signing-key-file={private}",
    ]


def _kubelet_client(plane: ControlPlane) -> list[str]:
    certificate, key = plane.pki.kubelet_client
    return [
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={plane.pki.ca}",
        f"--kubelet-client-certificate={certificate}",
        f"--kubelet-client-key={key}",
    ]


def _audit(plane: ControlPlane) -> list[str]:
    return [
        f"--audit-policy-file={plane.audit_policy}",
        f"--audit-log-path={plane.audit_log}",
        f"--audit-log-maxsize={_AUDIT_MEGABYTES}",
        f"--audit-log-maxbackup={_AUDIT_FILES}",
    ]


def _evictions(plane: ControlPlane) -> list[str]:
    if plane.evict_after_seconds is None:
        return []
    return [
        f"--default-not-ready-toleration-seconds={plane.evict_after_seconds}",
        f"--default-unreachable-toleration-seconds={plane.evict_after_seconds}",
    ]


def controller_manager_command(plane: ControlPlane, port: int) -> list[str]:
    _, private = plane.pki.service_accounts
    command = [
        plane.program,
        "kube-controller-manager",
        *_component(plane, "controller-manager", port),
        "--use-service-account-credentials",  # each controller has its own rights and its name in the audit
        f"--service-account-private-key-file={private}",
        f"--root-ca-file={plane.pki.ca}",
    ]
    if plane.node_grace_seconds is not None:
        command += ["--node-monitor-period=0.5s", f"--node-monitor-grace-period={plane.node_grace_seconds}s"]
    return command


def scheduler_command(plane: ControlPlane, port: int) -> list[str]:
    return [plane.program, "kube-scheduler", *_component(plane, "scheduler", port)]


def _component(plane: ControlPlane, name: str, port: int) -> list[str]:
    kubeconfig = plane.kubeconfig(name)
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={plane.pki.certificate}",
        f"--tls-private-key-file={plane.pki.key}",
        "--leader-elect=false",
        "--profiling=false",
        f"--kube-api-qps={_REQUESTS_PER_SECOND}",
        f"--kube-api-burst={_REQUESTS_AT_ONCE}",
    ]
