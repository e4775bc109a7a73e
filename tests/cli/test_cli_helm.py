"""`maestro rollback` of a Helm release, with a FAKE helm on the path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.api import Answers, api_server, listing
from tests.cli.program import maestro
from tests.unit.sources.helm_records import record

REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def manifest(level: str) -> str:
    return (
        f"---\n# Source: fraud/x.yaml\nkind: ConfigMap\nmetadata: {{name: fraud}}\ndata: {{level: {level}}}\n"
        f"---\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{token: hunter2-{level}}}\n"
    )


def answers(status: str) -> Answers:
    """Revision 1 was well; revision 2 is the newest."""
    return {
        "/api/v1/namespaces/ml/secrets": listing(
            record("fraud", 1, "superseded", manifest("info"), "Install complete"),
            record("fraud", 2, status, manifest("debug"), 'Upgrade "fraud" failed: no'),
        ),
        "/api/v1/namespaces/ml/pods": listing(),
        "/apis/policy/v1/namespaces/ml/poddisruptionbudgets": listing(),
        REVIEW: {"status": {"allowed": True}},
    }


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps the words it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "helm").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/words\n', "utf-8")
    (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return tmp_path


def test_the_plan_is_shown_and_helm_rehearses_it(helm: Path) -> None:
    with api_server(answers("failed")):
        result = maestro("rollback", "ml/helm/fraud", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert "from revision 2 (fraud-1.2.0, failed) to revision 1 (fraud-1.1.0, superseded)" in result.out
    assert "hunter2" not in result.out
    (line,) = (helm / "words").read_text().splitlines()
    assert line.startswith("rollback fraud 1 --wait --timeout ")
    assert line.endswith("--dry-run")


def test_a_dry_run_that_the_gate_refuses_ends_as_the_change(helm: Path) -> None:
    with api_server(answers("failed")):
        dry = maestro("--read-only", "rollback", "ml/helm/fraud", "--dry-run")
        real = maestro("--read-only", "rollback", "ml/helm/fraud", "--yes")
    assert (dry.code, real.code, dry.err.splitlines()[-3:]) == (20, 20, real.err.splitlines()[-3:])
    assert "to revision 1 (fraud-1.1.0, superseded)" in dry.out
    assert not (helm / "words").exists()


def test_without_helm_nothing_is_done_and_it_ends_4(helm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(helm))
    with api_server(answers("failed")):
        result = maestro("rollback", "helm/fraud", "-n", "ml", "--yes")
    assert (result.code, result.out) == (4, "")
    what, why, fix = result.err.splitlines()[-3:]
    assert what.endswith("error: the helm program is not on the path")
    assert "only Helm itself" in why
    assert "install it" in fix


def test_while_a_helm_is_at_work_it_ends_11(helm: Path) -> None:
    with api_server(answers("pending-upgrade")):
        result = maestro("rollback", "ml/helm/fraud", "--yes")
    assert (result.code, result.out) == (11, "")
    assert "another operation (install/upgrade/rollback) is in progress" in result.err
    assert "helm rollback fraud 1 --wait --namespace ml" in result.err
    assert not (helm / "words").exists()


def test_a_release_that_is_not_there_ends_6(helm: Path) -> None:
    with api_server({"/api/v1/namespaces/ml/secrets": listing()}):
        result = maestro("rollback", "ml/helm/fraud", "--yes")
    assert result.code == 6
    assert "there is no Helm release 'fraud' in namespace ml" in result.err
