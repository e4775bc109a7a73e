"""Choosing a context changes one line; secrets are read and never shown; state is private."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.config.choice import choose_context
from maestro_cli.config.locations import (
    cache_dir,
    config_dir,
    local_state_dir,
    make_private,
    shipped,
    state_dir,
)
from maestro_cli.config.secrets import MAX_SECRET_BYTES, NO_VAULT
from maestro_cli.config.settings import load_settings
from maestro_cli.core.errors import ActionFailed, InvalidFile

BEFORE = """# my settings
contexts:   # all of them
  b: {namespace: x}
  a: {}
# the end
"""


def config(text: str) -> Path:
    path = config_dir() / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_choosing_makes_the_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = choose_context("a")
    assert path.read_text(encoding="utf-8") == "current_context: a\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_settings(tmp_path, {}).current_context == "a"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("current_context: b\n" + BEFORE, "current_context: b"),
        (BEFORE + "current_context:   'b'  # here\n", "current_context:   'b'  # here"),
        (BEFORE + "'current_context': b\n", "'current_context': b"),
    ],
)
def test_only_the_one_line_changes(text: str, line: str) -> None:
    path = config(text)
    choose_context("a")
    assert path.read_text(encoding="utf-8") == text.replace(line, "current_context: a")


@pytest.mark.parametrize("head", ["", "---\n", "# first\n\n--- # start\n"])
def test_a_line_that_is_missing_comes_first(head: str) -> None:
    path = config(head + BEFORE)
    choose_context("a")
    assert path.read_text(encoding="utf-8") == f"{head}current_context: a\n{BEFORE}"


@pytest.mark.parametrize("text", ["contexts: {a: {}}\ncurrent_context:\n  b\n", "{contexts: {a: {}}}\n"])
def test_a_layout_that_cannot_be_edited_line_by_line_stays_as_it_is(text: str) -> None:
    path = config(text)
    with pytest.raises((InvalidFile, ActionFailed)):
        choose_context("a")
    assert path.read_text(encoding="utf-8") == text


def test_a_broken_file_is_refused_and_stays() -> None:
    path = config("contexs: {}\n")
    with pytest.raises(InvalidFile, match="contexs"):
        choose_context("a")
    assert path.read_text(encoding="utf-8") == "contexs: {}\n"


def test_a_linked_file_stays_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.yaml"
    real.write_text(BEFORE, encoding="utf-8")
    real.chmod(0o640)
    config_dir().mkdir(parents=True)
    (config_dir() / "config.yaml").symlink_to(real)
    choose_context("a")
    assert (config_dir() / "config.yaml").is_symlink()
    assert real.read_text(encoding="utf-8").startswith("current_context: a\n")
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["dotfiles.yaml"]


def test_a_folder_that_cannot_be_made_is_told() -> None:
    config_dir().parent.mkdir(parents=True)
    config_dir().write_text("", encoding="utf-8")
    with pytest.raises(ActionFailed, match="cannot be written"):
        choose_context("a")


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
def test_any_name_reads_back(tmp_path: Path, name: str) -> None:
    choose_context(name)  # `1`, `on`, `1e3` and `null` are names too
    assert load_settings(tmp_path, {}).current_context == name


def test_a_secret_is_read_where_its_reference_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    (tmp_path / "token").write_text("hunter3\n", encoding="utf-8")
    assert NO_VAULT.resolve("env:TOKEN") == "hunter2"
    assert NO_VAULT.resolve(f"file:{tmp_path / 'token'}") == "hunter3"


@pytest.mark.parametrize("reference", ["hunter2", "", "env:", "file:", "env:NOT_SET", "bao:x#y", "file:/no"])
def test_a_reference_to_nothing_is_refused_without_showing_a_value(reference: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        NO_VAULT.resolve(reference, key="contexts.a.token")
    assert caught.value.key == "contexts.a.token"
    assert "hunter2" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff hunter2", b"hunter2" * MAX_SECRET_BYTES])
def test_a_file_that_holds_no_secret_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(InvalidFile) as caught:
        NO_VAULT.resolve(f"file:{tmp_path / 'token'}")
    assert "hunter2" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"
    assert caught.value.__cause__ is None  # a decoding error carries the bytes


def test_folders_follow_the_environment_at_each_call(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    assert state_dir() == own_home / "state" / "maestro"
    assert local_state_dir() == own_home / "state" / "maestro" / "local"
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, "relative")  # the specification says: ignore it
    assert config_dir() == own_home / ".config" / "maestro"
    assert state_dir() == own_home / ".local" / "state" / "maestro"
    assert cache_dir() == own_home / ".cache" / "maestro"


@pytest.mark.parametrize("kind", ["runbooks", "playbooks", "deploy"])
def test_what_ships_is_found(kind: str) -> None:
    assert shipped(kind).is_dir()


def test_new_folders_of_state_are_private_whatever_the_umask(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    before = os.umask(0)
    try:
        make_private(tmp_path / "shared" / "a" / "b")
        make_private(tmp_path / "shared" / "a" / "b")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("shared", "shared/a", "shared/a/b")]
    assert modes == [0o755, 0o700, 0o700]
