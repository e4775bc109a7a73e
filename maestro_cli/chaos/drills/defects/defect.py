"""What every defect is: something that was well, is broken for a drill, and is mended however that ends.

Invariant: `prepare` says how to undo before anything is broken, as plain data that a later drill can undo by;
what was refused was not broken, and what is there then is left alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.drills.model import Baseline, Truth
from maestro_cli.chaos.drills.ports import Ensemble
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet, MaestroError, NotFound, UndoFailed, Unreachable
from maestro_cli.core.progress import Progress
from maestro_cli.core.refs import WorkloadRef

_TRIES = 5
_PAUSE_SECONDS = 0.2


class NothingDone(Exception):
    """The defect was refused: nothing was broken. `error` says why."""

    def __init__(self, error: MaestroError) -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class Scene:
    """What a defect is performed with: everyone there, on which workload, in the name of which drill."""

    ensemble: Ensemble
    target: WorkloadRef
    drill: str
    clock: Clock


class Defect(ABC):
    """One performance of a scenario's defect."""

    phase: tuple[str, str]

    @abstractmethod
    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """How to undo it, under the key of its family. Raises GateNotMet when the target is not what the
        baseline saw.
        """

    def attend(self, waiting: Cancellation, progress: Progress) -> None:
        """Told before `inject`: what to set when it is over before its time, for who waits for a response to
        it then waits in vain (`why_ended`), and whom to tell. Most defects last.
        """
        del waiting, progress

    @property
    def why_ended(self) -> str:
        """Why it is over before its time, "" when it is not."""
        return ""

    @abstractmethod
    def inject(self) -> None:
        """Break it; raises NothingDone when it was refused. After any other error it may be broken."""

    @abstractmethod
    def mend(self) -> bool:
        """Take it away where it still is; True when the responders had done so. Raises UndoFailed."""

    @property
    def put_back(self) -> str:
        """What became of what was broken, once it was mended: for who ended the drill before its score."""
        return "what the drill broke was put back"

    @abstractmethod
    def truth(self, *, is_mended: bool) -> Truth:
        """What was broken, once it was mended. Raises NoData where nobody recorded it."""

    def let_go(self) -> None:
        """Somebody else took it away, and answers for what is there: what this process does of it ends."""
        return

    def repair(self) -> None:
        """What a person does whom a runbook sends there, one of the responders. Raises UndoFailed."""
        self.mend()


@dataclass(frozen=True, slots=True)
class Family:
    """One way to break things. `make(breakage, scene)` is a performance, `leaves` the key of what `prepare`
    returns, and `clear(scene, value)` undoes what a killed drill left, by the value under that key.
    """

    make: Callable[[Any, Scene], Defect]
    leaves: str
    clear: Callable[[Scene, Any], object]


def is_gone(scene: Scene) -> bool:
    """Whether the cluster says that there is no such workload."""
    try:
        scene.ensemble.cluster.get_workload(scene.target)
    except MaestroError as error:
        return isinstance(error, NotFound)
    return False


def try_again(once: Callable[[], bool], scene: Scene, *, fix: str) -> bool:
    """What `once` returns, for it may move under us or not answer. Raises UndoFailed."""
    last: MaestroError | None = None
    for _ in range(_TRIES):
        try:
            return once()
        except (GateNotMet, Unreachable) as error:  # it moved under us, or did not answer: look again
            last = error
            scene.clock.sleep(_PAUSE_SECONDS)
    raise UndoFailed(f"the defect is still on {scene.target}", why=str(last), fix=fix)
