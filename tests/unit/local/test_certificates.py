"""Certificates, tokens and kubeconfigs: whole, private, and made once."""

from __future__ import annotations

import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maestro_cli.core.redaction import Redactor
from maestro_cli.local.certificates import IDENTITIES, ensure_pki, kubelet_tls, write_kubeconfig


def test_they_are_made_once_even_by_many_at_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(ensure_pki, [state] * 4))
    assert [path.name for path in state.iterdir()] == ["pki"]
    tokens = {one.token("admin") for one in made}
    assert len(tokens) == 1
    assert ensure_pki(state).token("admin") in tokens
    private = [made[0].tokens, *made[0].folder.glob("*.key")]
    assert {path.name for path in private} == {
        "tokens.csv", "server.key", "kubelet-client.key", "etcd.key", "service-accounts.key",
    }, "the keys of the authorities are needed no more"  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert len({made[0].token(identity) for identity in IDENTITIES}) == len(IDENTITIES)
    with pytest.raises(KeyError):
        made[0].token("nobody")


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end of a connection in memory. Raises SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return near


def test_the_server_is_trusted_by_its_authority(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki.certificate, pki.key)
    certificate = _shake_hands(ssl.create_default_context(cafile=str(pki.ca)), server).getpeercert()
    assert certificate is not None
    assert ("DNS", "localhost") in certificate["subjectAltName"]


def _server(ca: Path, pair: tuple[Path, Path]) -> ssl.SSLContext:
    """Serves with the pair, and asks for a certificate of the authority."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*pair)
    server.load_verify_locations(ca)
    server.verify_mode = ssl.CERT_REQUIRED
    return server


def _client(ca: Path, pair: tuple[Path, Path] | None) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=str(ca))
    if pair is not None:
        client.load_cert_chain(*pair)
    return client


def test_a_kubelet_takes_its_clients_certificate_and_no_other(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path)
    kubelet = _server(pki.ca, (pki.certificate, pki.key))
    assert _shake_hands(kubelet_tls(pki), kubelet).getpeercert()
    for stranger in (None, (pki.certificate, pki.key), pki.etcd):  # a server's is none of a client
        with pytest.raises(ssl.SSLError):
            _shake_hands(_client(pki.ca, stranger), kubelet)


def test_etcd_takes_its_own_certificate_and_no_other(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path)
    store = _server(pki.etcd_ca, pki.etcd)
    assert _shake_hands(_client(pki.etcd_ca, pki.etcd), store).getpeercert()
    for stranger in (None, (pki.certificate, pki.key), pki.kubelet_client):
        with pytest.raises(ssl.SSLError):
            _shake_hands(_client(pki.etcd_ca, stranger), store)


def test_a_kubeconfig_needs_no_other_file(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path)
    path = tmp_path / "admin.kubeconfig"
    write_kubeconfig(path, server="https://127.0.0.1:1", ca=pki.ca, token="t", context="local")
    config = json.loads(path.read_text())
    assert config["current-context"] == config["contexts"][0]["name"] == "local"
    assert config["clusters"][0]["cluster"]["certificate-authority-data"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".tmp"] == []


def test_every_token_and_private_key_is_among_the_secrets(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path)
    redactor = Redactor([path.read_text(encoding="utf-8") for path in pki.secrets])
    for identity in IDENTITIES:
        assert pki.token(identity) not in redactor.clean(f"token: {pki.token(identity)}")
    for key in (tmp_path / "pki").glob("*.key"):
        assert "«secret»" in redactor.clean(key.read_text(encoding="utf-8").splitlines()[1])
