"""Finding Prometheus and Alertmanager."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode, Unreachable
from maestro_cli.local.programs import find_programs


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_name_debian_gives_alertmanager_wins_over_the_other(tmp_path: Path) -> None:
    _program(tmp_path, "prometheus")
    _program(tmp_path, "alertmanager")
    _program(tmp_path, "prometheus-alertmanager")
    found = find_programs({"PATH": str(tmp_path)})
    assert found.prometheus == str(tmp_path / "prometheus")
    assert found.alertmanager == str(tmp_path / "prometheus-alertmanager")


def test_the_first_folder_on_the_path_wins_whatever_the_name_is(tmp_path: Path) -> None:
    """As for one who put a newer Alertmanager before that of Debian."""
    for folder, name in (("new", "alertmanager"), ("old", "prometheus-alertmanager")):
        (tmp_path / folder).mkdir()
        _program(tmp_path / folder, name)
        _program(tmp_path / folder, "prometheus")
    found = find_programs({"PATH": f"{tmp_path / 'new'}:{tmp_path / 'old'}"})
    assert found.prometheus == str(tmp_path / "new" / "prometheus")
    assert found.alertmanager == str(tmp_path / "new" / "alertmanager")


def test_variables_win_over_the_path(tmp_path: Path) -> None:
    _program(tmp_path, "prometheus")
    own = _program(tmp_path, "my-prometheus")
    other = _program(tmp_path, "my-alertmanager")
    environment = {
        "PATH": str(tmp_path),
        "MAESTRO_PROMETHEUS": str(own),
        "MAESTRO_ALERTMANAGER": str(other),
    }
    found = find_programs(environment)
    assert (found.prometheus, found.alertmanager) == (str(own), str(other))


def test_what_is_missing_is_named_with_how_to_install_it(tmp_path: Path) -> None:
    _program(tmp_path, "prometheus")
    with pytest.raises(Unreachable) as caught:
        find_programs({"PATH": str(tmp_path)})
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.what == "alertmanager cannot be run on this machine"
    assert "MAESTRO_ALERTMANAGER" in caught.value.why
    assert "MAESTRO_PROMETHEUS" not in caught.value.why
    assert "install" in caught.value.fix


def test_a_variable_that_names_no_program_is_not_forgiven(tmp_path: Path) -> None:
    _program(tmp_path, "prometheus")
    _program(tmp_path, "alertmanager")
    text = tmp_path / "text"
    text.write_text("not a program", encoding="utf-8")
    with pytest.raises(Unreachable, match="prometheus cannot be run"):
        find_programs({"PATH": str(tmp_path), "MAESTRO_PROMETHEUS": str(text)})
