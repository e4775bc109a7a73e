"""A maestro.yaml that somebody else could have written is refused; one's own is not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from maestro_cli.config import trust
from maestro_cli.config.locations import config_dir
from maestro_cli.config.settings import load_settings
from maestro_cli.core.errors import InvalidFile, PolicyRefused

NEAR = "current_context: near\ncontexts: {near: {}, both: {}}\n"


@pytest.fixture
def near(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "maestro.yaml").write_text(NEAR)
    return folder / "maestro.yaml"


def state(path: Path, *, uid: int | None = None) -> os.stat_result:
    found = list(path.stat())
    found[stat.ST_UID] = found[stat.ST_UID] if uid is None else uid
    return os.stat_result(found)


@pytest.mark.parametrize("mode", [0o602, 0o646, 0o666, 0o777])
def test_a_file_that_anybody_may_write_is_refused(near: Path, mode: int) -> None:
    near.chmod(mode)
    with pytest.raises(PolicyRefused, match="is not trusted") as refused:
        load_settings(near.parent, {})
    assert refused.value.exit_code == 20
    assert refused.value.fix.endswith(f"chmod go-w {near}")
    near.chmod(0o644)
    assert load_settings(near.parent, {}).current_context == "near"


@pytest.mark.parametrize(("is_own_group", "refused"), [(True, False), (False, True)])
def test_a_group_may_write_it_only_when_it_is_ours_alone(
    near: Path, monkeypatch: pytest.MonkeyPatch, is_own_group: bool, refused: bool
) -> None:
    near.chmod(0o664)
    monkeypatch.setattr(trust, "_is_own_group", lambda gid: is_own_group)
    if refused:
        with pytest.raises(PolicyRefused, match="is not trusted"):
            load_settings(near.parent, {})
    else:
        assert load_settings(near.parent, {}).current_context == "near"


def test_a_file_of_another_user_is_refused_by_name(near: Path) -> None:
    stranger = os.geteuid() + 54_321
    with pytest.raises(PolicyRefused, match="is not trusted") as refused:
        trust.require_trusted(near, state(near, uid=stranger), [])
    assert f"user {stranger}" in refused.value.why
    assert f"trust: [{near.parent}]" in refused.value.fix


def test_what_root_owns_is_trusted_and_so_is_what_sudo_came_from(
    near: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust.require_trusted(near, state(near, uid=0), [])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "54321")
    trust.require_trusted(near, state(near, uid=54_321), [])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PolicyRefused):
        trust.require_trusted(near, state(near, uid=54_321), [])


def test_the_file_that_was_opened_is_judged_and_the_link_to_it(
    near: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = near.with_name("planted")
    planted.symlink_to(near)
    monkeypatch.setattr(Path, "lstat", lambda path: state(near, uid=54_321))
    with pytest.raises(PolicyRefused):
        trust.require_trusted(planted, state(near), [])


def test_config_yaml_can_trust_a_folder_and_only_it_can(near: Path) -> None:
    near.chmod(0o666)
    config_dir().mkdir(parents=True)
    (config_dir() / "config.yaml").write_text(f"trust: [{near.parent}]")
    assert load_settings(near.parent, {}).current_context == "near"
    near.write_text("trust: [.]\n")
    with pytest.raises(InvalidFile, match=r"maestro.yaml:1: trust: only config.yaml"):
        load_settings(near.parent, {})


def test_the_folder_says_which_context_it_chose_or_defined(near: Path) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "config.yaml").write_text("contexts: {far: {}, both: {}}")
    settings = load_settings(near.parent, {})
    assert settings.told_by_folder("near") == f"chosen and defined by {near}"
    assert settings.told_by_folder("both") == f"defined by {near}"
    assert settings.told_by_folder("far") == ""
    near.write_text("current_context: far\n")
    assert load_settings(near.parent, {}).told_by_folder("far") == f"chosen by {near}"
    assert load_settings(near.parent, {}, flag_context="far").told_by_folder("far") == ""
