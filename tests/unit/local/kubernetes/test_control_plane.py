"""The command lines and files of the real control plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.local.kubernetes.commands import (
    ControlPlane,
    apiserver_command,
    controller_manager_command,
    etcd_command,
    scheduler_command,
)
from maestro_cli.local.kubernetes.files import audit_policy, write_files

PLANE = ControlPlane(Path("/state"), "/bin/kubernetes")
COMMANDS: list[Callable[[ControlPlane], list[str]]] = [
    lambda plane: etcd_command(plane, 1),
    lambda plane: apiserver_command(plane, 2, 1),
    lambda plane: controller_manager_command(plane, 3),
    lambda plane: scheduler_command(plane, 4),
]


def flags(command: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").partition("=")[::2] for word in command[2:])


@pytest.mark.parametrize("command", COMMANDS)
def test_everything_listens_on_loopback_with_our_certificates(
    command: Callable[[ControlPlane], list[str]],
) -> None:
    words = flags(command(PLANE))
    place = words.get("bind-address") or words["client-url"]
    assert "127.0.0.1" in place
    assert "0.0.0.0" not in str(words)
    assert (words.get("tls-cert-file") or words["cert-file"]).startswith("/state/pki/")


def test_nobody_reads_the_store_without_its_certificate() -> None:
    store, api = flags(etcd_command(PLANE, 7)), flags(apiserver_command(PLANE, 2, 7))
    assert store["trusted-ca-file"] == api["etcd-cafile"] == "/state/pki/etcd-ca.crt"
    assert api["client-ca-file"] == "/state/pki/ca.crt", "another: what the one signs is nobody to the other"
    assert (store["cert-file"], store["key-file"]) == (api["etcd-certfile"], api["etcd-keyfile"])
    assert store["client-url"] == api["etcd-servers"] == "https://127.0.0.1:7"


def test_the_api_server_and_the_kubelets_know_each_other() -> None:
    words = flags(apiserver_command(PLANE, 2, 1))
    assert words["kubelet-certificate-authority"] == "/state/pki/ca.crt"
    assert words["kubelet-client-certificate"] == "/state/pki/kubelet-client.crt"


def test_only_tests_go_without_the_disk_and_with_short_patience() -> None:
    assert "unsafe-no-fsync" not in flags(etcd_command(PLANE, 1))
    assert "node-monitor-grace-period" not in flags(controller_manager_command(PLANE, 1))
    hurried = ControlPlane(PLANE.state, "/bin/k", fsync=False, node_grace_seconds=3, evict_after_seconds=1)
    assert "unsafe-no-fsync" in flags(etcd_command(hurried, 1))
    assert flags(controller_manager_command(hurried, 1))["node-monitor-grace-period"] == "3s"
    assert flags(apiserver_command(hurried, 2, 1))["default-unreachable-toleration-seconds"] == "1"


def test_the_audit_log_never_holds_a_body() -> None:
    levels = [rule["level"] for rule in audit_policy()["rules"]]
    assert set(levels) == {"None", "Metadata"}
    assert audit_policy()["rules"][-1] == {"level": "Metadata"}


def test_what_it_reads_is_there_and_private(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path, "/bin/kubernetes")
    write_files(plane)
    assert json.loads(plane.audit_policy.read_text())["kind"] == "Policy"
    paths = [one["path"] for one in json.loads(plane.authentication.read_text())["anonymous"]["conditions"]]
    assert all(path.startswith(("/livez", "/readyz", "/healthz", "/version")) for path in paths)
    private = [*plane.pki.folder.glob("*.key"), plane.pki.tokens, plane.audit_policy, plane.authentication]
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert plane.pki.token("system:kube-scheduler")
