"""Plain credentials are read as the `kubernetes` package reads them, and everything else is left to it."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import InvalidFile, Refused
from maestro_cli.local.certificates import ensure_pki
from maestro_cli.sources.kube import access as access_module
from maestro_cli.sources.kube.access import cluster_access, library_access, static_access
from maestro_cli.sources.kube.kubeconfig import read_kubeconfig


def write(
    path: Path, user: Mapping[str, Any], cluster: Mapping[str, Any] | None = None, current: str = "dev"
) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "ml"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    pki = ensure_pki(tmp_path_factory.mktemp("pki"))
    return {"ca": pki.ca, "crt": pki.certificate, "key": pki.key}


def b64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def users(pem: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    return {
        "token": {"token": "abc"},
        "token file": {"tokenFile": "token.txt"},
        "token beats its file": {"token": "abc", "tokenFile": "token.txt"},
        "password": {"username": "bob", "password": "p:ss"},
        "certificate files": {"client-certificate": str(pem["crt"]), "client-key": str(pem["key"])},
        "certificate data": {"client-certificate-data": b64(pem["crt"]), "client-key-data": b64(pem["key"])},
        "nothing": {},
    }


@pytest.mark.parametrize("name", list(users({"crt": Path(__file__), "key": Path(__file__)})))
@pytest.mark.parametrize("trust", ["file", "data", "none"])
def test_the_short_way_equals_the_library(
    name: str, trust: str, pem: Mapping[str, Path], tmp_path: Path
) -> None:
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config

    (tmp_path / "token.txt").write_text("from-file", encoding="utf-8")
    (tmp_path / "ca.crt").write_bytes(pem["ca"].read_bytes())
    trusts: dict[str, dict[str, Any]] = {
        "file": {"certificate-authority": "ca.crt"},
        "data": {"certificate-authority-data": b64(pem["ca"])},
        "none": {"insecure-skip-tls-verify": True},
    }
    path = write(tmp_path / "config", users(pem)[name], trusts[trust])
    ours = static_access(read_kubeconfig([path], None))
    theirs = Configuration()
    load_kube_config(str(path), client_configuration=theirs)
    assert ours.server == theirs.host
    assert ours.headers().get("Authorization") == theirs.get_api_key_with_prefix("BearerToken")
    assert ours.tls is not None
    assert (ours.tls.verify_mode == ssl.CERT_REQUIRED) == theirs.verify_ssl
    if theirs.ssl_ca_cert:
        reference = ssl.create_default_context(cafile=theirs.ssl_ca_cert)
        assert ours.tls.get_ca_certs() == reference.get_ca_certs()
    assert bool(theirs.cert_file) == ("certificate" in name)


def test_plain_credentials_do_not_load_the_library(tmp_path: Path) -> None:
    path = write(tmp_path / "config", {"token": "abc"})
    code = (
        "import sys; from maestro_cli.config.settings import ClusterEndpoint;"
        "from maestro_cli.sources.kube import KubeCluster; "
        f"KubeCluster(ClusterEndpoint({str(path)!r})); sys.exit('kubernetes' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_private_key_is_left_behind(
    pem: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = write(tmp_path / "config", users(pem)["certificate data"])
    static_access(read_kubeconfig([path], None))
    assert list((tmp_path / "tmp").iterdir()) == []


def plugin(tmp_path: Path, script: str) -> Path:
    command = tmp_path / "plugin"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(command), "args": []}}
    return write(tmp_path / "config", user, {"insecure-skip-tls-verify": True})


def test_an_exec_plugin_is_run_by_the_library(tmp_path: Path) -> None:
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                  "status": {"token": "from-plugin"}}  # fmt: skip
    path = plugin(tmp_path, f"echo '{json.dumps(credential)}'")
    access = cluster_access(ClusterEndpoint(str(path)))
    assert access.headers() == {"Authorization": "Bearer from-plugin"}
    assert access.user_name == "u"


def test_a_failing_plugin_is_refused_with_its_reason_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = plugin(tmp_path, "echo 'session expired' >&2; exit 3")
    with pytest.raises(Refused, match="has no credentials") as caught:
        cluster_access(ClusterEndpoint(str(path)))
    assert "session expired" in caught.value.why
    assert capfd.readouterr().err == ""


def test_a_hanging_plugin_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "PLUGIN_SECONDS", 0.3)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    path = plugin(tmp_path, f"read line < {fifo}")
    with pytest.raises(Exception, match="did not answer within") as caught:
        library_access(read_kubeconfig([path], None))
    assert getattr(caught.value, "exit_code", 0) == 4
    with fifo.open("w", encoding="utf-8") as stream:  # let the plugin end
        stream.write("go\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a kubeconfig"),
        ("[1]", "is not a kubeconfig"),
        ("a: [", "is not valid YAML"),
        ("clusters: []", "no context is current"),
        ("current-context: dev\ncontexts: nope", ":2: contexts: expected a list"),
        ("current-context: dve\ncontexts:\n- name: dev\n  context: {}", "there is no context 'dve'"),
        ("current-context: dev\ncontexts:\n- name: dev\n  context: {cluster: x}", "there is no cluster 'x'"),
        (
            "current-context: dev\ncontexts:\n- name: dev\n  context: [1]",
            "context: expected a mapping",
        ),
    ],
)
def test_a_bad_kubeconfig_names_file_line_and_key(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        cluster_access(ClusterEndpoint(str(path)))
    assert words in caught.value.what
    assert str(path) in caught.value.what
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({"token": 5}, {}, "expected text"),
        ({"token": "line\nbreak"}, {}, "cannot be sent as a header"),
        ({"tokenFile": "absent"}, {}, "absent cannot be read"),
        ({"client-certificate-data": "!", "client-key-data": "!"}, {}, "is not base 64"),
        ({"client-certificate-data": "AAAA", "client-key-data": "AAAA"}, {}, "certificates cannot be used"),
        ({}, {"certificate-authority-data": "AAAA"}, "certificates cannot be used"),
        ({}, {"server": "unix:/x"}, "is not an http or https URL"),
        ({"as": "bob", "as-groups": ["g"]}, {}, "cannot impersonate"),
    ],
)
def test_bad_credentials_name_their_key(
    user: dict[str, Any], cluster: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidFile) as caught:
        cluster_access(ClusterEndpoint(str(write(tmp_path / "config", user, cluster))))
    assert words in caught.value.what


def test_a_missing_file_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="cannot be read"):
        cluster_access(ClusterEndpoint(str(tmp_path / "absent")))


def test_several_files_merge_and_the_first_wins(tmp_path: Path) -> None:
    first = write(tmp_path / "one", {"token": "first"})
    second = write(tmp_path / "two", {"token": "second"}, current="other")
    environment = {"KUBECONFIG": os.pathsep.join(["/absent", str(first), str(second)])}
    access = cluster_access(ClusterEndpoint(), environment)
    assert access.headers()["Authorization"] == "Bearer first"
    assert (access.context, access.namespace) == ("dev", "ml")


def test_impersonation_proxy_and_server_name_are_honoured(tmp_path: Path) -> None:
    cluster = {"proxy-url": "http://proxy:3128", "tls-server-name": "kubernetes"}
    access = cluster_access(ClusterEndpoint(str(write(tmp_path / "c", {"token": "t", "as": "bob"}, cluster))))
    assert access.headers() == {"Authorization": "Bearer t", "Impersonate-User": "bob"}
    assert (access.proxy, access.server_name) == ("http://proxy:3128", "kubernetes")
