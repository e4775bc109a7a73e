"""What steps of runbooks find in their environment: the context of the run, whatever is chosen elsewhere."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from maestro_cli.config.settings import ClusterEndpoint, Context, Endpoint
from maestro_cli.services.step_environment import step_environment

ELSEWHERE = {
    "KUBECONFIG": "/elsewhere", "MAESTRO_CONTEXT": "elsewhere", "MAESTRO_BACKUPS": "/elsewhere",
    "MAESTRO_SERVING_URL": "http://elsewhere", "PATH": "/bin", "LANG": "C",
}  # fmt: skip


def test_the_context_of_the_run_takes_the_place_of_what_is_chosen_elsewhere() -> None:
    context = Context(
        cluster=ClusterEndpoint(kubeconfig="/kube"), serving=Endpoint(url="http://models"), backups="/backups"
    )
    found = step_environment("prod", context, ELSEWHERE)
    assert found == {
        "KUBECONFIG": "/kube", "MAESTRO_CONTEXT": "prod", "MAESTRO_BACKUPS": "/backups",
        "MAESTRO_SERVING_URL": "http://models", "LANG": "C",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/bin",
    }  # fmt: skip


def test_what_the_context_does_not_have_is_not_taken_from_elsewhere() -> None:
    found = step_environment("prod", Context(), ELSEWHERE)
    assert found.keys() & {"MAESTRO_BACKUPS", "MAESTRO_SERVING_URL"} == set()
    assert found["KUBECONFIG"] == "/elsewhere"  # kubectl's own choice: the context says nothing of a cluster


def test_a_context_of_a_kubeconfig_is_chosen_by_a_file_that_stands_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for kubeconfig, rest in (("/kube", "/kube"), (None, "/elsewhere")):
        context = Context(cluster=ClusterEndpoint(kubeconfig=kubeconfig, kube_context="eu"))
        first, second = step_environment("prod", context, ELSEWHERE)["KUBECONFIG"].split(os.pathsep)
        assert second == rest
        assert json.loads(Path(first).read_text("utf-8"))["current-context"] == "eu"
        assert stat.S_IMODE(Path(first).stat().st_mode) == 0o600
