"""`maestro serve` becomes the model server: its help, its exit codes, its keys."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import maestro


def test_help_lists_the_servers_options() -> None:
    told = maestro("serve", "--help")
    assert (told.code, told.err) == (0, "")
    assert {"--models", "--keys", "--port"} <= set(told.out.split())


def test_keys_are_made_and_listed(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.yaml")
    made = maestro("serve", "keys", "add", file, "--id", "shop", "--role", "predictor")
    assert (made.code, made.err, made.out.startswith("mk_shop_")) == (0, "", True)
    assert "shop" in maestro("serve", "keys", "list", file).out


def test_an_address_that_others_reach_is_not_listened_at_without_keys(tmp_path: Path) -> None:
    told = maestro("serve", "--models", str(tmp_path), "--lazy", "--host", "0.0.0.0")
    assert (told.code, told.out) == (2, "")
    assert "--keys" in told.err


def test_modules_of_the_folder_it_is_started_in_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise SystemExit(99)\n", encoding="utf-8")
    assert maestro("serve", "--help", cwd=tmp_path).code == 0
