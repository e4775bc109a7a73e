"""The records and the program of Helm: hostile records are bounded, the program gets words and no shell."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import ActionFailed, InvalidFile, NotFound, Unreachable
from maestro_cli.core.refs import ObjectRef, parse_object_ref
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.helm import HelmReleases, program, stored
from tests.patience import PATIENCE_SECONDS
from tests.unit.sources.helm_records import FIRST, packed, record, secret

REF = ObjectRef("HelmRelease", "ml", "fraud")
SECRET = "hunter2-hunter2"


class Objects:
    """A FAKE cluster: the Secrets of a release, and what was asked of it."""

    def __init__(self, *secrets: dict[str, Any]) -> None:
        self.secrets = list(secrets)
        self.asked: list[Any] = []

    def get_object(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        self.asked.append((path, params))
        return {"items": self.secrets}


def releases(*secrets: dict[str, Any], **endpoint: str) -> HelmReleases:
    return HelmReleases(Objects(*secrets), ClusterEndpoint(**endpoint))


def test_a_release_is_named_as_everything_else_is() -> None:
    assert parse_object_ref("ml/helm/fraud") == REF
    assert parse_object_ref("helm/fraud", namespace="ml") == REF
    assert str(REF) == "ml/helm/fraud"


def test_the_history_is_read_from_the_secrets_oldest_first() -> None:
    hook = {"name": "move", "kind": "Job", "manifest": "x", "events": ["pre-rollback", "pre-install"]}
    other = {"name": "seed", "kind": "Job", "manifest": "y", "events": ["post-install"]}
    cluster = Objects(
        record("fraud", 10, "deployed", "b: 1\n", hooks=[hook, other]),
        record("fraud", 9, "superseded", "a: 1\n", "Install complete", config={"token": SECRET}),
    )
    first, last = HelmReleases(cluster, ClusterEndpoint()).history(REF)
    assert cluster.asked == [("/api/v1/namespaces/ml/secrets", {"labelSelector": "owner=helm,name=fraud"})]
    assert (first.revision, last.revision, last.chart, last.status) == (9, 10, "fraud-1.10.0", "deployed")
    assert (first.uid, last.uid) == (f"helm:{FIRST}",) * 2
    assert last.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (last.hooks, first.hooks) == (("Job/move",), ())
    assert first.content != last.content
    assert isinstance(last.manifest, Untrusted)
    assert SECRET not in repr(first)


def test_a_record_without_gzip_is_read_as_helm_reads_it() -> None:
    body = {"version": 1, "info": {"status": "deployed"}, "manifest": "a: 1\n"}
    plain = base64.b64encode(base64.b64encode(json.dumps(body).encode())).decode()
    (found,) = releases(secret("fraud", 1, "deployed", plain)).history(REF)
    assert (found.revision, found.status) == (1, "deployed")


def test_no_record_is_not_found() -> None:
    with pytest.raises(NotFound, match="no Helm release 'fraud' in namespace ml"):
        releases().history(REF)


def bomb(size: int) -> str:
    return packed(b'{"version":1,"info":{},"manifest":"' + b" " * size + b'"}')


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("%%%", "not packed"),
        (base64.b64encode(b"%%%").decode(), "not packed"),
        (base64.b64encode(base64.b64encode(b"\x1f\x8b\x08garbage")).decode(), "not packed"),
        (base64.b64encode(base64.b64encode(gzip.compress(b'{"a":1}', mtime=0)[:-9])).decode(), "cut short"),
        (packed(b"[]"), "not a record"),
        (packed(b'{"version":"x","info":{}}'), "not a record"),
        (packed(b"[" * 100_000), "not a record"),
        (packed(b"\xff\xfe" + SECRET.encode()), "not a record"),
        (None, "holds no record"),
        (7, "holds no record"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_record_is_said_to_be_none_without_its_text(data: Any, what: str) -> None:
    with pytest.raises(InvalidFile, match=what) as raised:
        releases(secret("fraud", 1, "deployed", data)).history(REF)
    assert raised.value.file == "secret ml/sh.helm.release.v1.fraud.v1"
    assert SECRET not in f"{raised.value}{raised.value.why}{raised.value.fix}"


def test_a_record_that_grows_without_end_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_UNPACKED", 1 << 20)
    assert releases(secret("fraud", 1, "deployed", bomb(1 << 19))).history(REF)
    with pytest.raises(InvalidFile, match="larger than 1 MiB when it is unpacked"):
        releases(secret("fraud", 1, "deployed", bomb(1 << 24))).history(REF)


def test_only_the_newest_records_are_unpacked() -> None:
    old = [secret("fraud", number, "superseded", "%%%") for number in range(1, 4)]
    new = [record("fraud", number, "superseded", "") for number in range(4, 36)]
    assert [one.revision for one in releases(*old, *new).history(REF)] == list(range(4, 36))


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A FAKE helm on the path: it keeps its words and runs what the test wrote into `script`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "helm"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" "$HELM_DRIVER" > {tmp_path}/words\n. {tmp_path}/script\n', "utf-8"
    )
    script.chmod(0o755)
    (tmp_path / "script").write_text("exit 0\n", "utf-8")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for limit in ("BEGIN_SECONDS", "REHEARSAL_SECONDS"):
        monkeypatch.setattr(program, limit, PATIENCE_SECONDS)
    return tmp_path


def test_helm_is_told_the_cluster_of_the_context(helm: Path) -> None:
    found = releases(record("fraud", 1, "deployed", ""), kubeconfig="/k; rm -rf x", kube_context="-evil")
    found.roll_back(REF, 1, seconds=59.9, dry_run=True)
    assert (helm / "words").read_text().splitlines() == [
        "rollback", "fraud", "1", "--wait", "--timeout", "59s", "--namespace", "ml",
        "--kubeconfig", "/k; rm -rf x", "--kube-context", "-evil", "--dry-run", "secret",
    ]  # fmt: skip


def test_what_helm_refuses_is_said_in_its_words(helm: Path) -> None:
    (helm / "script").write_text("echo 'Error: release has no 7 version' >&2\nexit 1\n", "utf-8")
    for dry_run in (True, False):
        with pytest.raises(ActionFailed, match="exit code 1") as raised:
            releases(record("fraud", 1, "deployed", "")).roll_back(REF, 7, seconds=60, dry_run=dry_run)
        assert "release has no 7 version" in raised.value.why


def test_helm_is_not_waited_for_once_it_recorded_that_it_began(helm: Path) -> None:
    """It would wait for another file for ever; ended here, so that nothing is left behind."""
    (helm / "script").write_text(
        f"echo $$ > {helm}/pid\nwhile [ ! -e {helm}/stop ]; do sleep 0.1; done\n", "utf-8"
    )
    cluster = Objects(record("fraud", 1, "deployed", "a: 1\n"))
    look = cluster.get_object

    def begun(path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        if (helm / "pid").exists() and len(cluster.secrets) == 1:
            cluster.secrets.append(record("fraud", 2, "pending-rollback", "a: 1\n", "Rollback to 1"))
        return look(path, params)

    cluster.get_object = begun  # type: ignore[method-assign]
    try:
        HelmReleases(cluster, ClusterEndpoint()).roll_back(REF, 1, seconds=60)
        assert not (helm / "stop").exists()
    finally:
        (helm / "stop").touch()


def test_without_the_program_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = releases(record("fraud", 1, "deployed", ""))
    assert not found.has_program()
    with pytest.raises(Unreachable, match="not on the path") as raised:
        found.roll_back(REF, 1, seconds=60)
    assert "helm.sh" in raised.value.fix
