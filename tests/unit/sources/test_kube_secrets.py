"""Every credential in a kubeconfig is known, in the spelling it has there, and nothing is run for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.redaction import Redactor
from maestro_cli.sources.kube.secrets import kubeconfig_secrets

KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"


def secrets_of(folder: Path, *users: Any) -> list[str]:
    file = folder / "config"
    named = [{"name": f"u{number}", "user": user} for number, user in enumerate(users)]
    file.write_text(json.dumps({"users": named}), encoding="utf-8")
    return [secret for secret in kubeconfig_secrets(ClusterEndpoint(str(file))) if secret]


def test_what_is_written_in_it(tmp_path: Path) -> None:
    encoded = base64.b64encode(KEY.encode()).decode()
    provider = {"name": "oidc", "config": {"id-token": "the-id-token", "client-id": "public"}}
    found = secrets_of(
        tmp_path,
        {"token": "the-token"},
        {"username": "ana", "password": "the-password"},
        {"client-certificate-data": "public", "client-key-data": encoded},
        {"auth-provider": provider},
    )
    assert found == ["the-token", "the-password", encoded, KEY, "the-id-token"]


def test_what_it_names_is_read_beside_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-of-a-file\n")
    (tmp_path / "key.pem").write_text(KEY)
    found = secrets_of(tmp_path, {"tokenFile": "token"}, {"client-key": "key.pem"})
    assert found == ["token-of-a-file\n", KEY]


def test_no_plugin_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [str(mark)]}
    assert secrets_of(tmp_path, {"exec": plugin}) == []
    assert not mark.exists()


@pytest.mark.parametrize(
    "broken",
    [{"token": 7}, {"client-key-data": "%%"}, {"tokenFile": "nowhere"}, {"auth-provider": []}],
)
def test_what_cannot_be_read_hides_no_other(tmp_path: Path, broken: Any) -> None:
    found = secrets_of(tmp_path, {"token": "before"}, broken)
    assert "before" in found
    after = secrets_of(tmp_path, broken, {"token": "after"})
    assert "after" in after


@pytest.mark.parametrize("content", ["", "x", "users: [1]", "users: {}", "a: &b 1", "\x00"])
def test_a_file_that_is_no_kubeconfig_holds_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config"
    file.write_text(content, encoding="utf-8")
    assert list(kubeconfig_secrets(ClusterEndpoint(str(file)))) == []


def test_every_file_of_the_variable_is_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        users = [{"name": "u", "user": {"token": f"token-{name}"}}]
        (tmp_path / name).write_text(json.dumps({"users": users}), encoding="utf-8")
    variable = {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/b"}
    assert set(kubeconfig_secrets(ClusterEndpoint(), variable)) >= {"token-a", "token-b"}


def test_a_key_is_replaced_in_both_spellings(tmp_path: Path) -> None:
    encoded = base64.b64encode(KEY.encode()).decode()
    redactor = Redactor(secrets_of(tmp_path, {"client-key-data": encoded}))
    for shown in (KEY, encoded, "found MIIEvQIBADANBgkqhkiG9w0BAQEFAASC in it"):
        assert "MIIEvQIBADANBgkqhkiG" not in redactor.clean(shown)
        assert encoded not in redactor.clean(shown)
