"""A call that hangs holds up no undo but its own; what became of it is found out, and taken back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.chaos.running import RunReport
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode, OutcomeUnknown
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.sources.serving_faults import PodFaults
from tests.contract.chaos.lab import FakeServers, Lab, data, experiment
from tests.patience import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.contract
TWO_OF_THREE = {"workload": "ml/deploy/fraud", "count": 2}


class HangingServers(FakeServers):
    """The second start does not answer until it is let go, and then whether it was done is not known."""

    def __init__(self, path: Path, lands: bool) -> None:
        super().__init__(path)
        self.lands = lands
        self.starts = 0
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def start(self, pod: Pod, order: Mapping[str, Any]) -> None:
        self.starts += 1
        if self.starts == 2:
            self.hangs.set()
            assert self.let_go.wait(PATIENCE_SECONDS)
            if self.lands:
                super().start(pod, order)
            raise OutcomeUnknown("the server did not answer")
        super().start(pod, order)


@pytest.mark.parametrize("lands", [False, True])
@pytest.mark.parametrize("why", ["signal", "stop condition", "blind"])
def test_what_is_in_force_is_taken_back_while_another_call_hangs(
    lands: bool, why: str, tmp_path: Path
) -> None:
    servers = HangingServers(tmp_path / "servers.json", lands)
    lab = Lab(tmp_path, rules=ExperimentRules(["ml"], cap="70%"), serving=lambda path: servers)
    cancellation = Cancellation()
    ended: list[RunReport] = []

    def run() -> None:
        ended.append(lab.run(experiment(data(target=TWO_OF_THREE, hold=60.0)), cancellation=cancellation))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert servers.hangs.wait(PATIENCE_SECONDS)
    if why == "signal":
        cancellation.cancel()
    else:
        servers.say(stop=1.0 if why == "stop condition" else None)
    wait_for(lambda: bool(servers.read()["ends"]), "the undo of the one that is in force")
    assert not servers.let_go.is_set(), "it did not wait for the one that hangs"
    servers.let_go.set()
    thread.join(PATIENCE_SECONDS)
    (report,) = ended
    codes = {"signal": ExitCode.SIGINT, "stop condition": ExitCode.STOP_CONDITION, "blind": ExitCode.NO_DATA}
    assert report.judged.exit_code is codes[why], report.judged
    assert servers.in_force == 0
    assert report.findings.residue == ()
    assert servers.starts == 2, "nothing is sent again after a stop"
    assert all(one.finished for one in list_changes(lab.journal))


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_a_server_that_takes_an_order_and_says_nothing_is_not_waited_for(deaf: int, tmp_path: Path) -> None:
    (pod,) = Lab(tmp_path).cluster.list_pods("ml")[:1]
    servers = PodFaults(lambda pod: f"http://127.0.0.1:{deaf}", lambda: "key")
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        servers.start(pod, {"kind": "latency"})
    assert time.monotonic() - began < 3.0, "far below the time of other calls"
