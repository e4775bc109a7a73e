"""An experiment's own actions ask the cluster of the context, whatever the shell says."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.holder import acquire
from maestro_cli.changes.model import Consent
from maestro_cli.chaos.history import LEASE
from maestro_cli.chaos.running import Wanted, run
from maestro_cli.config.settings import ClusterEndpoint, Context
from maestro_cli.core.errors import ExitCode, InvalidFile, MaestroError
from maestro_cli.services.experiment_environment import (
    KUBECONFIG,
    experiment_environment,
    remove_left_kubeconfigs,
)
from tests.contract.chaos.lab import Lab, data, experiment
from tests.contract.chaos.performed import action, python

pytestmark = pytest.mark.contract
NONE = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}


class Api:
    """A FAKE cluster without pods, at `url`; `asked` are the paths that it was asked for."""

    def __init__(self) -> None:
        asked = self.asked = []  # type: list[str]

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = json.dumps(NONE).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def apis() -> Iterator[tuple[Api, Api]]:
    """That of the context, and another one."""
    pair = Api(), Api()
    yield pair
    for one in pair:
        one.end()


def kubeconfig(path: Path, **servers: str) -> Path:
    """Contexts by name, the first of them current."""
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(servers)),
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
        "users": [{"name": "u", "user": {"token": "very-secret"}}],
    }))  # fmt: skip
    return path


def plain(*own: Any) -> dict[str, Any]:
    given = data()
    del given["extensions"]
    count = action("kill", python("chaosk8s.pod.actions", "delete_pods", name="x", ns="ml"))
    return {**given, "method": [count, *own], "rollbacks": []}


def asking(lab: Lab, context: Context, environment: dict[str, str], given: dict[str, Any]) -> Path:
    """Run it in the context; the folder of the run."""
    own = partial(experiment_environment, "prox", context, environment)
    report = run(replace(lab.means, environment=own), Wanted(experiment(given), 7, Consent(given=True)))
    assert report.journal["run"][0]["status"] == "succeeded", report.journal["run"][0]
    return report.folder


def test_an_action_of_chaosk8s_reaches_the_cluster_of_the_context_and_no_other(
    tmp_path: Path, apis: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ours, other = apis
    two = kubeconfig(tmp_path / "two", other=other.url, ours=ours.url)  # the other one is current
    elsewhere = kubeconfig(tmp_path / "elsewhere", other=other.url)
    import os

    environment = {**os.environ, "KUBECONFIG": str(elsewhere), "KUBERNETES_CONTEXT": "other"}
    context = Context(cluster=ClusterEndpoint(kubeconfig=str(two), kube_context="ours"))
    seen = {"type": "process", "path": "sh", "arguments": ["-c", f"stat -c %a $KUBECONFIG > {tmp_path}/mode"]}
    folder = asking(Lab(tmp_path), context, environment, plain(action("look", seen)))
    assert (tmp_path / "mode").read_text().strip() == "600"
    assert ours.asked
    assert not other.asked
    assert not (folder / KUBECONFIG).exists()


def test_a_private_kubeconfig_has_one_context_and_whole_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = kubeconfig(tmp_path / "two", other="https://a", ours="https://b")
    written = json.loads(path.read_text())
    written["clusters"][1]["cluster"]["certificate-authority"] = "ca.pem"
    written["users"][0]["user"] = {"client-key": "keys/k.pem", "exec": {"command": "./login"}}
    path.write_text(json.dumps(written))
    context = Context(cluster=ClusterEndpoint(kubeconfig=str(path), kube_context="ours"))
    with experiment_environment("prox", context, {}, tmp_path) as found:
        file = Path(found["KUBECONFIG"])
        made = json.loads(file.read_text())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert found["KUBERNETES_CONTEXT"] == made["current-context"] == "ours"
    (cluster,), (user,), (one,) = made["clusters"], made["users"], made["contexts"]
    assert cluster["cluster"] == {"server": "https://b", "certificate-authority": str(tmp_path / "ca.pem")}
    assert user["user"]["client-key"] == str(tmp_path / "keys/k.pem")
    assert user["user"]["exec"]["command"] == str(tmp_path / "login")
    assert one["context"] == {"cluster": "ours", "user": "ours"}


def test_in_a_pod_it_is_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shell = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBECONFIG": str(tmp_path / "gone")}
    with experiment_environment("prox", Context(cluster=ClusterEndpoint()), shell, tmp_path) as found:
        assert found["CHAOSTOOLKIT_IN_POD"] == "true"
        assert Path(found["KUBECONFIG"]).parent == tmp_path.resolve(), "else it would be that of the home"
        assert not Path(found["KUBECONFIG"]).exists()


def test_without_a_cluster_in_the_context_no_action_of_chaosk8s_is_run(tmp_path: Path) -> None:
    lab = Lab(tmp_path, has_cluster=False)
    with pytest.raises(MaestroError, match="has no cluster, and chaosk8s would act") as refused:
        lab.run(experiment(plain()))
    assert refused.value.exit_code is ExitCode.POLICY_REFUSED
    assert lab.kinds() == ["experiment.refused"]


def test_a_kubeconfig_that_cannot_be_read_lets_nothing_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "bad").write_text("clusters: 3\n")
    lab = Lab(tmp_path)
    context = Context(cluster=ClusterEndpoint(kubeconfig=str(tmp_path / "bad")))
    with pytest.raises(InvalidFile):
        asking(lab, context, {}, plain())
    assert lab.kinds() == []


def test_what_killed_runs_left_is_removed_but_not_that_of_the_run_at_work(tmp_path: Path) -> None:
    """Also of one that was killed before it was on record."""
    lab = Lab(tmp_path)
    for run_id in ("exp-killed", "exp-alive"):
        (tmp_path / "runs" / run_id).mkdir(parents=True)
        (tmp_path / "runs" / run_id / KUBECONFIG).write_text("{}")
    living = acquire(lab.journal, LEASE, "exp-alive", 1e6)
    remove_left_kubeconfigs(tmp_path / "runs", lab.journal)
    assert [file.parent.name for file in tmp_path.rglob(KUBECONFIG)] == ["exp-alive"]
    lab.journal.release_lease(living)
    remove_left_kubeconfigs(tmp_path / "runs", lab.journal)
    remove_left_kubeconfigs(tmp_path / "runs", lab.journal)  # twice is as once
    assert not list(tmp_path.rglob(KUBECONFIG))
