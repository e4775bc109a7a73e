"""An act that nobody here knows: another process plays it, and opens its seal when the drill is over.

Invariant: before that, this process has the call sheet and a digest. Whatever becomes of the other process,
everything is put back as the baseline had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.chaos.drills.act import CallSheet, Place, Setting
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.defects.everything import LEAVES, everything, put_everything_back
from maestro_cli.chaos.drills.league.seal import Opened
from maestro_cli.chaos.drills.model import Baseline, Breakage, Scenario, Truth
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import ActionFailed, GateNotMet, MaestroError, NoData
from maestro_cli.core.refs import WorkloadRef


class Channel(Protocol):
    """The way to the process that knows."""

    def ask(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its answer to one order. Raises ActionFailed when it is gone."""


class SealedAct:
    """Satisfies chaos.drills.act.Act for scenario and seed, played at the other end of a channel."""

    def __init__(self, channel: Channel, name: str, seed: int) -> None:
        self._channel = channel
        self._name = name
        self.digest = ""
        self.fouls: tuple[str, ...] = ()
        self._opened: Mapping[str, Any] | None = None
        words = said(channel.ask({"do": "cast", "scenario": name, "seed": seed}))
        places = tuple(Place(WorkloadRef(**one["target"]), one["objective"]) for one in words["places"])
        self.sheet = CallSheet(places, words["alert"], words["patience_seconds"])

    def told(self) -> Mapping[str, str]:
        return {"seal": self.digest}

    def prepare(self, settings: Sequence[Setting]) -> tuple[Defect, Mapping[str, Any]]:
        """Every place as it was is told, so that the other process need not say which of them it means."""
        scenes = [one.scene for one in settings]
        left = everything(scenes, [one.baseline for one in settings])
        told = {str(one.scene.target): plain(one.baseline) for one in settings}
        order = {"do": "prepare", "drill": scenes[0].drill, "baselines": told}
        self.digest = str(said(self._channel.ask(order))["digest"])
        return _SealedDefect(self, self._channel, scenes[0], left[LEAVES]), left

    def answer(self, step: str) -> str | None:
        answer: str | None = said(self._channel.ask({"do": "ask", "step": step}))["said"]
        return answer

    def scenario(self) -> Scenario:
        """What was sealed, once the seal was opened. Raises NoData before."""
        if self._opened is None:
            raise NoData("the seal was not opened", why="without it nothing can be scored")
        sealed = self._opened["sealed"]
        target = WorkloadRef(**sealed["target"])
        return Scenario(
            name=self._name, title="", description="", target=target, objective=sealed["objective"],
            true_cause=sealed["true_cause"], right_fix=sealed["right_fix"], defect=Breakage(),
            runbook=sealed["runbook"], alert=self.sheet.alert,
        )  # fmt: skip

    def open(self) -> Truth:
        """Have the seal opened, and check it. Raises NoData where there is no truth."""
        words = self._channel.ask({"do": "open", "by": "the score"})
        if "ok" not in words:
            raise NoData("the seal was not opened", why=str(words))
        self._opened = words["ok"]
        opened = Opened(self._opened["sealed"], self._opened["secret"])
        early = self._opened["asked_early"]
        fouls = ["the truth was asked for before the drill was over"] if early else []
        if opened.digest != self.digest or opened.truth["name"] != self._name:
            fouls.append("what was under the seal is not what was sealed")
        self.fouls = tuple(fouls)
        return _truth(self._opened["truth"])


class _SealedDefect(Defect):
    """Somebody else breaks it; here is how to put everything back."""

    phase = ("sealed", "something may happen")

    def __init__(self, act: SealedAct, channel: Channel, scene: Scene, kept: Mapping[str, Any]) -> None:
        self._act = act
        self._channel = channel
        self._scene = scene
        self._kept = kept

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """The act has prepared it."""
        return {LEAVES: self._kept}

    def inject(self) -> None:
        said(self._channel.ask({"do": "inject"}))

    def mend(self) -> bool:
        """Theirs first, for it knows whether the responders ended it; then everything, whatever it was."""
        is_mended = False
        try:
            is_mended = bool(said(self._channel.ask({"do": "mend"}))["is_mended"])
        except MaestroError:
            is_mended = False  # it is gone, or could not: what follows mends all the same
        put_everything_back(self._scene, self._kept)
        return is_mended

    def truth(self, *, is_mended: bool) -> Truth:
        return self._act.open()


def said(words: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was asked for. Raises NothingDone where it was refused, ActionFailed where it failed."""
    if "refused" in words:
        raise NothingDone(GateNotMet(**words["refused"]))
    if "failed" in words:
        raise ActionFailed(**words["failed"])
    answer: Mapping[str, Any] = words["ok"]
    return answer


def _truth(words: Mapping[str, Any]) -> Truth:
    ended: datetime | None = None if words["ended_at"] is None else from_rfc3339(words["ended_at"])
    return Truth(
        from_rfc3339(words["began"]), words["subject"], words["words"], words["is_mended"], words["revision"],
        ended, words["fix_target"],
    )  # fmt: skip
