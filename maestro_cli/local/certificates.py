"""The certificate authority, certificates, bearer tokens and kubeconfig files of the embedded cluster.

Invariant: the folder `pki` is complete or absent (made beside, then renamed), a private key or token
is readable by its owner alone, and nothing in it changes once it is there. The keys of the authorities
are not kept: what they signed lasts as long as they do, and nobody can sign more.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import secrets
import shutil
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.files import write_atomically

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

IDENTITIES: dict[str, str] = {
    "admin": "system:masters",
    "oncall": "maestro:oncall",
    "viewer": "maestro:viewers",
    "kubelet": "maestro:kubelets",
    "agent": "maestro:agents",
}
# The components of the real control plane, whose names Kubernetes' own roles are bound to.
COMPONENTS = ("system:kube-controller-manager", "system:kube-scheduler")
CONTEXT = "maestro-local"
_VALID_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Pki:
    """Where the files of one platform's certificates are."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """Of any server on 127.0.0.1 or localhost: the API server, the kubelets."""
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def kubelet_client(self) -> tuple[Path, Path]:
        """Certificate and key that a kubelet asks of whoever wants logs or figures of it."""
        return self.folder / "kubelet-client.crt", self.folder / "kubelet-client.key"

    @property
    def etcd_ca(self) -> Path:
        """The authority of etcd alone: whoever the other one signed for is nobody there, and the reverse."""
        return self.folder / "etcd-ca.crt"

    @property
    def etcd(self) -> tuple[Path, Path]:
        """Certificate and key of etcd, and of its one client."""
        return self.folder / "etcd.crt", self.folder / "etcd.key"

    @property
    def service_accounts(self) -> tuple[Path, Path]:
        """Public and private key of service account tokens."""
        return self.folder / "service-accounts.pub", self.folder / "service-accounts.key"

    @property
    def tokens(self) -> Path:
        """`token,user,uid,"group1,group2"` a line, the format of kube-apiserver's --token-auth-file."""
        return self.folder / "tokens.csv"

    @property
    def secrets(self) -> tuple[Path, ...]:
        """The files to keep out of records: the tokens alone, one a line, and the private keys."""
        return self.folder / "secrets", *sorted(self.folder.glob("*.key"))

    def token(self, identity: str) -> str:
        """The bearer token of one of IDENTITIES or COMPONENTS. Raises KeyError when there is none."""
        with self.tokens.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                if row[1] == identity:
                    return row[0]
        raise KeyError(identity)


def ensure_pki(state: Path) -> Pki:
    """The certificates and tokens under `state/pki`, made now if they are not there.

    Two processes that make them at once end with the same files: the first rename wins.
    """
    folder = state / "pki"
    if not folder.is_dir():
        state.mkdir(parents=True, exist_ok=True)
        beside = state / f"pki.{os.getpid()}.{secrets.token_hex(4)}"
        beside.mkdir(mode=0o700)
        try:
            _make_certificates(beside)
            _make_tokens(beside / "tokens.csv")
            with contextlib.suppress(OSError):  # somebody was faster
                beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return Pki(folder)


def kubelet_tls(pki: Pki) -> ssl.SSLContext:
    """How the kubelets are trusted, with the certificate that they ask for."""
    context = ssl.create_default_context(cafile=pki.ca)
    context.load_cert_chain(*pki.kubelet_client)
    return context


def write_kubeconfigs(state: Path, pki: Pki, server: str) -> None:
    """Write `STATE/<identity>.kubeconfig` for each of IDENTITIES."""
    for identity in IDENTITIES:
        path = state / f"{identity}.kubeconfig"
        write_kubeconfig(path, server=server, ca=pki.ca, token=pki.token(identity), context=CONTEXT)


def write_kubeconfig(path: Path, *, server: str, ca: Path, token: str, context: str) -> None:
    """Write a kubeconfig (JSON is YAML) that needs no other file; mode 0600, whole or not at all."""
    import base64

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca.read_bytes()).decode(),
                },
            }
        ],
        "users": [{"name": context, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    write_atomically(path, json.dumps(config, indent=1), mode=0o600)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _make_tokens(path: Path) -> None:
    users = {identity: f',"{group}"' for identity, group in IDENTITIES.items()}
    users |= dict.fromkeys(COMPONENTS, "")
    tokens = {name: secrets.token_urlsafe(32) for name in users}
    lines = [f"{tokens[name]},{name},{name}{group}\n" for name, group in users.items()]
    _write_private(path, "".join(lines).encode())
    _write_private(path.with_name("secrets"), "\n".join(tokens.values()).encode())


def _make_certificates(folder: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    pem = serialization.Encoding.PEM

    def keep(name: str, key: ec.EllipticCurvePrivateKey) -> None:
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        _write_private(folder / f"{name}.key", private)

    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    # etcd calls itself, with the certificate that it serves with
    signed_by = {
        "ca": {"server": [server], "kubelet-client": [client]},
        "etcd-ca": {"etcd": [server, client]},
    }
    for name, pairs in signed_by.items():
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _sign_authority(f"maestro local {name}", authority_key)
        (folder / f"{name}.crt").write_bytes(authority.public_bytes(pem))
        for pair, usages in pairs.items():
            key = ec.generate_private_key(ec.SECP256R1())
            signed = _sign(authority, authority_key, key.public_key(), f"maestro local {pair}", usages)
            (folder / f"{pair}.crt").write_bytes(signed.public_bytes(pem))
            keep(pair, key)
    accounts = ec.generate_private_key(ec.SECP256R1())
    keep("service-accounts", accounts)
    public = accounts.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "service-accounts.pub").write_bytes(public)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, in PEM."""

    certificate: bytes
    key: bytes


def self_signed(name: str, days: float) -> Pair:
    """A server's certificate that signs itself and ends then."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    signed = (
        _builder(name, None, key.public_key(), ends=datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return Pair(signed.public_bytes(pem), private)


def _builder(
    subject: str,
    issuer: x509.Name | None,
    key: ec.EllipticCurvePublicKey,
    *,
    ends: datetime | None = None,
) -> x509.CertificateBuilder:
    """Without an issuer it is its own; without an end it holds for `_VALID_DAYS`."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.x509.oid import NameOID

    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]), datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(ends or now + timedelta(days=_VALID_DAYS))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign_authority(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    public = key.public_key()
    return (
        _builder(name, None, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _sign(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    subject: str,
    usages: Sequence[x509.ObjectIdentifier],
) -> x509.Certificate:
    """A certificate for 127.0.0.1 and localhost."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(subject, authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
