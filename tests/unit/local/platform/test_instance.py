"""The record, the lock and the files of a platform."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import write_atomically
from maestro_cli.local.instance import (
    NEEDED_MEBIBYTES,
    Failure,
    PartRecord,
    Record,
    StateLock,
    id_prefix,
    instance_id,
    read_record,
    remove_run_files,
    require_space,
    write_record,
)

RECORD = Record(
    id="local-0",
    supervisor_pid=7,
    state="starting",
    started_at="2026-01-01T00:00:00.000000Z",
    profile="drill",
    cluster="lite",
    load_seed=1,
    endpoints={"prometheus": "http://127.0.0.1:1"},
    parts=(PartRecord("cluster", "ready", 8, None, 2, "killed by SIGKILL", {"port": 1}),),
    failure=Failure("no", "because", "do"),
)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"schema": "other"}',
        '{"schema": "maestro.local.platform/1", "parts": 3}',
        "\x00",
    ],
)
def test_a_record_that_cannot_be_understood_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "platform.json").write_text(text, encoding="utf-8")
    assert read_record(tmp_path) is None


def test_no_record_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "nowhere") is None


def test_ids_of_a_folder_share_a_prefix_that_no_other_folder_has(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    one, two = instance_id(tmp_path, now), instance_id(tmp_path, now)
    assert one != two
    assert one.startswith(id_prefix(tmp_path) + "-")
    assert two.startswith(id_prefix(tmp_path) + "-")
    assert id_prefix(tmp_path) != id_prefix(tmp_path / "other")


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path), StateLock(tmp_path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    second.release()  # once more does no harm


def test_removing_run_files_keeps_logs_and_strangers(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    for name in ("context.json", "admin.kubeconfig", "webhook.token", "run/cluster.json", "pki/server.key"):
        write_atomically(tmp_path / name, "x")
    for name in ("logs/cluster.log", "journal.db"):
        write_atomically(tmp_path / name, "x")
    remove_run_files(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["journal.db", "logs/cluster.log"]
    remove_run_files(tmp_path)  # nothing there: nothing to do


def test_a_disk_that_is_too_full_for_a_platform_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_space(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=(NEEDED_MEBIBYTES << 20) - 1))
    with pytest.raises(ActionFailed, match=f"{NEEDED_MEBIBYTES - 1} MiB are free under {tmp_path}"):
        require_space(tmp_path)
