"""HTTPS and client certificates on the real process."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from maestro_cli.serving.access.keys import KeyEntry, Keys, digest_of, key_text, new_secret, write_keys
from maestro_cli.serving.access.roles import Role
from tests.contract.serving.process import GOOD, MODELS, ROOT, Server

pytestmark = pytest.mark.contract


class Authority:
    """Signs certificates in a folder; `file` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        own = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))

    def sign(self, *names: str) -> tuple[Path, Path]:
        """Certificate and key for these common names, at 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
        builder = self._builder(subject, key.public_key()).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        files = (self._folder / f"{'-'.join(names)}.crt", self._folder / f"{'-'.join(names)}.key")
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


def client(server: Server, trusted: Authority, own: tuple[Path, Path] | None = None) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(trusted.file))
    if own is not None:
        context.load_cert_chain(*own)
    return httpx.Client(
        base_url=f"https://127.0.0.1:{server.port}", verify=context, timeout=60, trust_env=False
    )


def test_https_is_served_and_plain_http_is_not(start: Callable[..., Server], tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.sign("server")
    server = start("--serve", "fraud=1", "--tls-cert", str(certificate), "--tls-key", str(key))
    with client(server, authority) as http:
        assert http.get("/v2/health/ready").status_code == 200
        assert http.post("/v2/models/fraud/infer", json=GOOD).status_code == 200
        assert http.post("/v2/repository/models/fraud/unload").status_code == 401
        assert http.post("/v2/repository/models/fraud/unload", headers=server.http.headers).status_code == 200
    with pytest.raises(httpx.TransportError):
        server.http.get("/v2/health/live")


def test_a_client_is_who_its_certificate_says(start: Callable[..., Server], tmp_path: Path) -> None:
    ours, theirs, secret = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs"), new_secret()
    certificate, key = ours.sign("server")
    entries = (
        KeyEntry("ops", (Role.OPERATOR,), certificate="ops.example"),
        KeyEntry("look", (Role.VIEWER,), sha256=digest_of(secret)),
    )
    keys = tmp_path / "keys.yaml"
    keys.write_text(write_keys(Keys("maestro.keys/1", entries)), encoding="utf-8")
    server = start(
        "--serve", "fraud=1", "--keys", str(keys), "--tls-cert", str(certificate), "--tls-key", str(key),
        "--tls-client-ca", str(ours.file),
    )  # fmt: skip
    load = "/v2/repository/models/fraud/load"
    with client(server, ours, ours.sign("ops.example")) as http:
        assert [http.post(load).status_code for _ in range(2)] == [200, 200]
        named = http.post(load, headers={"x-api-key": key_text("look", secret)})
        assert (named.status_code, "look" in named.json()["error"]) == (403, True)
    for names in (("stranger",), ("ops.example", "other")):
        with client(server, ours, ours.sign(*names)) as http:
            assert http.get("/v2/health/live").status_code == 200
            assert http.get("/v2/models").status_code == 401
    for own in (None, theirs.sign("ops.example")):
        with client(server, ours, own) as http, pytest.raises(httpx.TransportError):
            http.get("/v2/health/live")
    audits = [line["who"] for line in server.lines if line["message"] == "audit"]
    assert audits == ["ops", "ops", "look"]


@pytest.mark.parametrize("broken", ["missing", "other", "text"])
def test_a_certificate_that_cannot_be_used_is_one_line_and_code_3(tmp_path: Path, broken: str) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.sign("server")
    if broken == "missing":
        key.unlink()
    elif broken == "other":
        key.write_bytes(authority.sign("other")[1].read_bytes())
    else:
        certificate.write_text("hello", encoding="ascii")
    ended = subprocess.run(
        [sys.executable, "-m", "maestro_cli.serving", "--port", "0", "--models", str(MODELS), "--lazy",
         "--tls-cert", str(certificate), "--tls-key", str(key)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 3
    [line] = [json.loads(text) for text in ended.stderr.splitlines()]
    assert line["message"] == "cannot start"
    assert "server.crt" in line["error"]
