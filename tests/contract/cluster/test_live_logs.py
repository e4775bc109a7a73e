"""maestro's own logs: of several containers as one, filtered where they are read, followed as pods come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.facts.logs import Joined, Left, LogLine, LogSeen, LogSource
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.container_log import MAX_LINE_BYTES, LogWanted
from maestro_cli.sources.kube.log_following import ENDED
from maestro_cli.sources.kube.logs import Logs
from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container_status, phase, pod
from tests.contract.cluster.running import Platform, until
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract
# says what it was told to, again whenever a file appears; ends when `end` does
SPEAKER = (
    "import os,time\n"
    "print('begin',flush=True)\n"
    "said=0;over=False\n"
    "while not over:\n"
    " over=os.path.exists('end')\n"
    " while os.path.exists(f'say{said}'): print('said',said,flush=True); said+=1\n"
    " time.sleep(0.02)\n"
)
Follow = Callable[[Cancellation], Iterator[tuple[LogSeen, ...]]]


@pytest.fixture
def logs(cluster: Path) -> Iterator[Logs]:
    source = KubeCluster(ClusterEndpoint(str(cluster / "admin.kubeconfig")))
    yield source.logs
    source.close()


class Followed:
    """Logs followed in a thread, and all that was seen so far."""

    def __init__(self, follow: Follow) -> None:
        self.cancellation, self.seen = Cancellation(), list[LogSeen]()
        self.thread = threading.Thread(target=self._read, args=[follow], daemon=True)
        self.thread.start()

    def _read(self, follow: Follow) -> None:
        for batch in follow(self.cancellation):
            self.seen += batch

    def texts(self, pod: str) -> list[str]:
        return [one.text for one in list(self.seen) if isinstance(one, LogLine) and one.pod == pod]

    def end(self) -> None:
        self.cancellation.cancel()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()


Following = Callable[[Follow], Followed]


@pytest.fixture
def followed() -> Iterator[Following]:
    begun: list[Followed] = []

    def begin(follow: Follow) -> Followed:
        begun.append(Followed(follow))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


def lines(seen: Iterator[tuple[LogSeen, ...]]) -> list[LogLine]:
    return [one for batch in seen for one in batch if isinstance(one, LogLine)]


@behaviour(
    "maestro's logs", "lines of several pods come by their instants, filtered and cut where they are read"
)
def test_lines_of_several_pods_come_in_order_filtered_and_cut(logs: Logs, kubectl: Kubectl) -> None:
    for name in ("one", "two"):
        script = f"print('keep {name}');print('noise');print('keep '+'x'*40000,flush=True)"
        body = pod(name, script, restartPolicy="Never")
        body["metadata"]["labels"] = {"app": "several"}
        kubectl.apply(body)
    until(lambda: {phase(kubectl, name) for name in ("one", "two")} == {"Succeeded"}, "both ends")
    source, over = LogSource(kubectl.namespace, selector="app=several"), Cancellation()
    wanted = LogWanted(keep=lambda text: text.startswith("keep"))
    found = lines(logs.read([source], wanted, over))
    assert [line.at for line in found] == sorted(line.at for line in found)
    short = [(line.pod, line.text) for line in found if len(line.text) < 50]
    assert sorted(short) == [("one", "keep one"), ("two", "keep two")]
    assert not any("noise" in line.text for line in found)
    assert max(len(line.text) for line in found) <= MAX_LINE_BYTES
    one = LogSource(kubectl.namespace, pod="one")
    assert [line.text[:4] for line in lines(logs.read([one], LogWanted(tail_lines=1), over))] in (
        ["keep"],
        ["xxxx"],
    )


@behaviour("maestro's logs", "a previous log is that of the run before; one that is not there is told")
def test_a_previous_log_is_that_of_the_run_before(logs: Logs, kubectl: Kubectl) -> None:
    script = (
        "import os,signal\n"
        "n=len(os.listdir('.'));open(f'run{n}','w').close();print('run',n,flush=True)\n"
        "if n==1: signal.pause()\n"
    )
    kubectl.apply(pod("again", script))
    kubectl.apply(pod("first", "import signal;print('x',flush=True);signal.pause()"))
    until(lambda: container_status(kubectl, "again").get("restartCount") == 1, "a restart")
    until(lambda: "running" in container_status(kubectl, "first").get("state", {}), "a start")
    sources = [LogSource(kubectl.namespace, pod=name) for name in ("again", "first")]
    (batch,) = logs.read(sources, LogWanted(previous=True), Cancellation())
    assert [one.text for one in batch if isinstance(one, LogLine)] == ["run 0"]
    assert [(one.pod, bool(one.why)) for one in batch if isinstance(one, Left)] == [("first", True)]


@behaviour(
    "maestro's logs", "pods that come are joined, what one says is told once, and one that ends is told"
)
def test_pods_that_come_are_joined_and_those_that_end_are_told(
    logs: Logs, kubectl: Kubectl, platform: Platform, http: httpx.Client,
    followed: Following,
) -> None:  # fmt: skip
    def speaker(name: str) -> Path:
        body = pod(name, SPEAKER, restartPolicy="Never")
        body["metadata"]["labels"] = {"app": "live"}
        kubectl.apply(body)
        [work] = until(
            lambda: list(platform.state.glob(f"pods/{kubectl.namespace}_{name}_*/work/c")), "a start"
        )
        return Path(work)

    old = speaker("old")
    source = LogSource(kubectl.namespace, selector="app=live")
    seen = followed(lambda over: logs.follow([source], LogWanted(), over))
    until(lambda: seen.texts("old") == ["begin"], "its first line")
    new = speaker("new")
    until(lambda: seen.texts("new") == ["begin"], "the new pod's first line")
    (new / "say0").touch()
    (old / "say0").touch()
    until(lambda: len(seen.texts("old") + seen.texts("new")) == 4, "both to be heard")
    (old / "say1").touch()
    (old / "end").touch()
    until(lambda: _ends(seen), "the end to be told")
    assert seen.texts("old") == ["begin", "said 0", "said 1"]
    joined = [one.pod for one in seen.seen if isinstance(one, Joined)]  # also after an error
    assert list(dict.fromkeys(joined)) == ["old", "new"]
    (left,) = _ends(seen)
    assert (left.pod, left.container, seen.seen.index(left) > 0) == ("old", "c", True)


def _ends(seen: Followed) -> list[Left]:
    """Not what was told of a read that failed and was made again."""
    return [one for one in list(seen.seen) if isinstance(one, Left) and one.why == ENDED]


@behaviour("maestro's logs", "following one pod goes on through a restart and ends with the pod")
def test_following_one_pod_outlives_a_restart_and_ends_with_it(
    logs: Logs,
    kubectl: Kubectl,
    followed: Following,
) -> None:
    script = (
        "import os,sys,time\n"
        "n=len([f for f in os.listdir('.') if f.startswith('run')]);open(f'run{n}','w').close()\n"
        "print('run',n,flush=True)\n"
        "sys.exit(1 if n<2 else 0)\n"
    )
    kubectl.apply(pod("thrice", script, restartPolicy="OnFailure"))
    until(lambda: container_status(kubectl, "thrice"), "a kubelet")
    source = LogSource(kubectl.namespace, pod="thrice")
    seen = followed(lambda over: logs.follow([source], LogWanted(), over))
    seen.thread.join(PATIENCE_SECONDS)
    assert not seen.thread.is_alive(), "it ends by itself"
    assert seen.texts("thrice")[-1] == "run 2"
    assert len(set(seen.texts("thrice"))) == len(seen.texts("thrice"))
