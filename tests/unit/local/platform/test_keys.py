"""The keys of the platform's model servers: in files of their own, and nowhere else."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from maestro_cli.local.instance import remove_run_files
from maestro_cli.local.keys import faults_folder, key_file, key_files, keys_file, make_keys, restore_key
from maestro_cli.local.preparation import prepare
from maestro_cli.serving.access.command import run
from maestro_cli.serving.access.keys import digest_of, read_keys
from maestro_cli.slo.windows import PROFILES


def secrets_in(state: Path) -> list[str]:
    return [path.read_text(encoding="ascii").strip() for path in key_files(state)]


def test_each_caller_has_a_key_that_the_servers_know_by_its_hash_alone(tmp_path: Path) -> None:
    make_keys(tmp_path)
    text = keys_file(tmp_path).read_text(encoding="utf-8")
    known = {entry.id: entry for entry in read_keys(text, "keys").keys}
    roles = {name: [str(role) for role in entry.roles] for name, entry in known.items()}
    assert roles == {
        "load": ["predictor"], "prometheus": ["viewer"], "operator": ["operator"], "chaos": ["chaos"],
        "partner": ["predictor"],
    }  # fmt: skip
    for name, entry in known.items():
        key = key_file(tmp_path, name).read_text(encoding="ascii").strip()
        secret = key.removeprefix(f"mk_{name}_")
        assert entry.sha256 == digest_of(secret)
        assert secret not in text


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    make_keys(tmp_path)
    for path in (*key_files(tmp_path), keys_file(tmp_path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (keys_file(tmp_path).parent, faults_folder(tmp_path)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_each_start_makes_others_and_an_end_leaves_none(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = secrets_in(tmp_path)
    make_keys(tmp_path)
    assert not set(before) & set(secrets_in(tmp_path))
    remove_run_files(tmp_path)
    assert not any(path.exists() for path in (*key_files(tmp_path), keys_file(tmp_path)))


def test_a_key_that_was_rotated_or_revoked_holds_again_once_it_is_restored(tmp_path: Path) -> None:
    make_keys(tmp_path)
    file = keys_file(tmp_path)
    before = read_keys(file.read_text(encoding="utf-8"), "keys")
    for away in (["rotate", str(file), "--id", "partner"], ["revoke", str(file), "--id", "partner"]):
        assert run(away) == 0
        assert read_keys(file.read_text(encoding="utf-8"), "keys") != before
        restore_key(tmp_path, "partner")
        assert read_keys(file.read_text(encoding="utf-8"), "keys") == before


def test_the_manifests_name_files_and_hold_no_key(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    text = (tmp_path / "config" / "manifests.json").read_text(encoding="utf-8")
    (workload,) = [one for one in json.loads(text) if one["kind"] == "Deployment"]
    container = workload["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "KEYS_FILE", "value": str(keys_file(tmp_path))} in container["env"]
    assert {"name": "FAULTS_DIR", "value": str(faults_folder(tmp_path))} in container["env"]
    assert "--open" not in container["args"]
    for key in secrets_in(tmp_path):
        assert key not in text
        assert digest_of(key.split("_", 2)[2]) not in text
