"""What the doctor looks at, and that it goes on when something is broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from maestro_cli.config.locations import cache_dir, config_dir, shipped, state_dir
from tests.cli.program import maestro
from tests.fake_go import make_go


def test_the_doctor_lists_paths_versions_and_endpoints(configured: Path) -> None:
    result = maestro("doctor", "-o", "json")
    body = json.loads(result.out)
    assert body["schema"] == "maestro.dev/doctor/v1"
    assert result.code == 10  # prometheus of this context is silent
    assert body["ok"] is False
    found = {(finding["area"], finding["name"]): finding for finding in body["findings"]}
    assert found[("path", "config")]["detail"] == str(configured.parent)
    assert found[("version", "sqlite")]["ok"] is True
    assert str(configured) in found[("config", "settings")]["detail"]
    assert [(check["system"], check["ok"]) for check in body["endpoints"]] == [("Prometheus", False)]


def test_the_doctor_is_content_where_nothing_is_configured() -> None:
    result = maestro("doctor", "-o", "json")
    assert result.code == 0, result.out
    assert json.loads(result.out)["ok"] is True


def test_the_doctor_names_a_broken_config_and_goes_on() -> None:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("contexs: {}", encoding="utf-8")
    result = maestro("doctor", "-o", "json")
    assert result.code == 10
    finding = next(f for f in json.loads(result.out)["findings"] if f["name"] == "settings")
    assert finding["ok"] is False
    assert f"{file}:1: contexs" in finding["detail"]
    assert finding["fix"] == "did you mean 'contexts'?"


def files_found(arguments: tuple[str, ...] = ("doctor", "-o", "json")) -> list[tuple[str, bool, str]]:
    findings = json.loads(maestro(*arguments).out)["findings"]
    return [(f["name"], f["ok"], f["detail"]) for f in findings if f["area"] == "files"]


def test_the_doctor_reads_every_file_that_the_settings_name() -> None:
    folder = config_dir()
    (folder / "own").mkdir(parents=True)
    (folder / "config.yaml").write_text(
        "runbooks: [own]\nplaybooks: [own, nowhere]\ncontexts: {a: {objectives: [own]}, b: {objectives: [x]}}"
    )
    assert files_found() == [
        ("runbooks", None, f"{folder}/own: 0 files"),
        ("playbooks", None, f"{folder}/own: 0 files"),
        ("playbooks", False, f"{folder}/nowhere: No such file or directory"),
        ("objectives of a", None, f"{folder}/own: 0 files"),
        ("objectives of b", False, f"{folder}/x: No such file or directory"),
    ]


def test_the_doctor_names_each_broken_file_with_its_line() -> None:
    folder = config_dir()
    shutil.copytree(shipped("runbooks"), folder / "good")
    (folder / "bad").mkdir()
    (folder / "config.yaml").write_text("runbooks: [good, bad]\nplaybooks: [bad]")
    (folder / "bad" / "one.md").write_text("---\nmaestro: runbook/v1\nid: one\ntitl: x\n---\n")
    for name in ("two", "three"):
        (folder / "bad" / f"{name}.yaml").write_text("id: x\nnonsense: 1\n")
    found = files_found()
    assert found[0][:2] == ("runbooks", True)
    assert [(name, ok) for name, ok, _ in found[1:]] == [("runbooks", False)] + [("playbooks", False)] * 2
    for (_, _, detail), at in zip(found[1:], ("one.md:4", "three.yaml:2", "two.yaml:2"), strict=True):
        assert detail.startswith(f"{folder}/bad/{at}: "), detail


def test_the_doctor_finds_two_files_with_one_id() -> None:
    folder = config_dir() / "own"
    shutil.copytree(shipped("playbooks"), folder)
    playbook = next(folder.glob("*.yaml"))
    shutil.copy(playbook, folder / "zz-copy.yaml")
    (config_dir() / "config.yaml").write_text("playbooks: [own]")
    assert [(ok, "the id is taken" in detail) for _, ok, detail in files_found()] == [(False, True)]


@pytest.mark.parametrize("name", ["state", "cache"])
@pytest.mark.parametrize("kind", ["a file", "a link to nothing"])
def test_the_doctor_notices_a_folder_that_cannot_be_used(name: str, kind: str) -> None:
    place = {"state": state_dir(), "cache": cache_dir()}[name]
    place.parent.mkdir(parents=True)
    if kind == "a file":
        place.write_text("")
    else:
        place.symlink_to("/nowhere/at/all")
    result = maestro("doctor", "-o", "json")
    finding = next(f for f in json.loads(result.out)["findings"] if (f["area"], f["name"]) == ("path", name))
    assert (result.code, finding["ok"]) == (10, False)
    assert str(place) in finding["detail"]
    assert f"XDG_{name.upper()}_HOME" in finding["fix"]


@pytest.mark.parametrize(("name", "part"), [("state", "journal"), ("cache", "slo")])
def test_the_doctor_notices_a_part_that_cannot_be_used(name: str, part: str) -> None:
    place = {"state": state_dir(), "cache": cache_dir()}[name] / part
    place.parent.mkdir(parents=True)
    place.write_text("")
    found = json.loads(maestro("doctor", "-o", "json").out)["findings"]
    finding = next(one for one in found if (one["area"], one["name"]) == ("path", name))
    assert (finding["ok"], finding["detail"]) == (False, f"{place} is not a folder")


def _program_findings(environment: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for finding in json.loads(maestro("doctor", "-o", "json", env=environment).out)["findings"]:
        found.setdefault(finding["name"], []).append(finding)
    return found


def test_the_doctor_tells_whether_the_control_plane_is_built_and_what_would_build_it(tmp_path: Path) -> None:
    go = make_go(tmp_path / "go")
    found = _program_findings(go.environment)
    assert [(one["ok"], one["fix"]) for one in found["control plane"]] == [(None, "maestro local build")]
    assert found["go"][0]["detail"] == f"1.26.8 at {go.program}"
    assert maestro("local", "build", env=go.environment).code == 0
    (cache_dir() / "kubernetes" / "building-999999").mkdir()
    built, left = _program_findings(go.environment)["control plane"]
    assert built["ok"] is True
    assert str(cache_dir() / "kubernetes") in str(built["detail"])
    assert "building-999999 is left of a build" in str(left["detail"])


def test_the_doctor_names_a_variable_with_a_wrong_control_plane(tmp_path: Path) -> None:
    go = make_go(tmp_path / "go")
    found = _program_findings({**go.environment, "MAESTRO_KUBERNETES_BINARY": "/bin/true"})
    (wrong,) = found["control plane"]
    assert wrong["ok"] is False
    assert "MAESTRO_KUBERNETES_BINARY" in str(wrong["detail"])


def test_an_unreadable_kubeconfig_is_a_finding_and_the_other_endpoints_are_asked(tmp_path: Path) -> None:
    file, broken = config_dir() / "config.yaml", tmp_path / "kubeconfig"
    file.parent.mkdir(parents=True)
    broken.write_text("{", encoding="utf-8")
    file.write_text(
        f'current_context: a\ncontexts: {{a: {{cluster: {{kubeconfig: "{broken}"}}, '
        'prometheus: {url: "http://127.0.0.1:1"}}}',
        encoding="utf-8",
    )
    result = maestro("doctor", "-o", "json")
    checks = {check["system"]: check for check in json.loads(result.out)["endpoints"]}
    assert result.code == 10
    assert checks.keys() == {"Kubernetes", "Prometheus"}
    assert (checks["Kubernetes"]["ok"], checks["Kubernetes"]["url"]) == (False, str(broken))
    assert "is not valid YAML" in checks["Kubernetes"]["error"]
