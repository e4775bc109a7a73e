"""Who breaks things in the league: a process of its own, that alone knows what, until the drill is over.

One JSON object a line comes in, one goes out. Invariant: the truth is nowhere but in this process; it leaves
once, after the defect was mended, and whoever asks earlier is refused and told of when it is opened.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import IO, Any

from maestro_cli.chaos.drills.act import answer_of
from maestro_cli.chaos.drills.defects import defect_of
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.league.draw import draw, draw_delay, sheet_of
from maestro_cli.chaos.drills.league.seal import Opened
from maestro_cli.chaos.drills.model import Baseline, Scenario
from maestro_cli.chaos.drills.ports import Ensemble
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import Clock, from_rfc3339
from maestro_cli.core.errors import ActionFailed, MaestroError

Words = Mapping[str, Any]


class Saboteur:
    """Plays one scenario; `gather` builds what it works with once the platform is up."""

    def __init__(self, gather: Callable[[], Ensemble], clock: Clock) -> None:
        self._gather = gather
        self._clock = clock
        self._scenario: Scenario | None = None
        self._seed = 0
        self._drill = ""
        self._defect: Defect | None = None
        self._secret = secrets.token_hex(32)
        self._is_broken = False
        self._is_over: bool | None = None  # once mended: whether the responders had done so
        self._asked_early: list[str] = []

    def serve(self, orders: Iterable[str], answers: IO[str]) -> None:
        """Do what is ordered until nobody orders any more; then nothing is left broken."""
        try:
            for line in orders:
                answers.write(json.dumps(self.answer(json.loads(line))) + "\n")
                answers.flush()
        finally:
            if self._is_broken and self._is_over is None and self._defect is not None:
                self._defect.mend()

    def answer(self, order: Words) -> Words:
        """What comes of one order: `ok` with what was asked for, else `refused` or `failed` and why."""
        verbs: Mapping[str, Callable[[Words], Words]] = {
            "cast": self._cast, "prepare": self._prepare, "inject": self._inject, "ask": self._ask,
            "mend": self._mend, "open": self._open,
        }  # fmt: skip
        try:
            return {"ok": verbs[order["do"]](order)}
        except NothingDone as refused:
            return {"refused": _told(refused.error)}
        except MaestroError as error:
            return {"failed": _told(error)}

    def _cast(self, order: Words) -> Words:
        self._seed = int(order["seed"])
        self._scenario = draw(str(order["scenario"]), self._seed)
        return dict(plain(sheet_of(self._scenario)))

    def _prepare(self, order: Words) -> Words:
        """Look at the target and seal what will happen to it."""
        scenario = self._played()
        baseline = _baseline(order["baselines"][str(scenario.target)])
        self._drill = str(order["drill"])
        self._defect = defect_of(
            scenario.defect, Scene(self._gather(), scenario.target, self._drill, self._clock)
        )
        self._defect.prepare(baseline)
        return {"digest": Opened(self._sealed(), self._secret).digest}

    def _inject(self, order: Words) -> Words:
        """After a while that was drawn: when it begins is a detail as well."""
        self._clock.sleep(draw_delay(self._played().name, self._seed))
        self._is_broken = True
        try:
            self._prepared().inject()
        except NothingDone:
            self._is_broken = False
            raise
        return {}

    def _ask(self, order: Words) -> Words:
        """What a person says whom a runbook asks."""
        return {"said": answer_of(self._played(), self._defect, str(order["step"]))}

    def _mend(self, order: Words) -> Words:
        self._is_over = self._prepared().mend()
        return {"is_mended": self._is_over}

    def _open(self, order: Words) -> Words:
        if self._is_over is None:
            self._asked_early.append(str(order.get("by", "")))
            raise ActionFailed("the truth is sealed until the drill is over", why="it was asked for early")
        truth = self._prepared().truth(is_mended=self._is_over)
        return {
            "sealed": self._sealed(),
            "secret": self._secret,
            "truth": plain(truth),
            "asked_early": self._asked_early,
        }

    def _sealed(self) -> Words:
        """What was decided before anything broke."""
        scenario = self._played()
        kept = ("name", "target", "objective", "true_cause", "right_fix", "runbook", "alert", "defect")
        return {
            "drill": self._drill,
            "seed": self._seed,
            "delay_seconds": draw_delay(scenario.name, self._seed),
            "breaks": type(scenario.defect).__name__,
            **{name: plain(getattr(scenario, name)) for name in kept},
        }

    def _played(self) -> Scenario:
        if self._scenario is None:
            raise ActionFailed("no scenario was cast")
        return self._scenario

    def _prepared(self) -> Defect:
        if self._defect is None:
            raise ActionFailed("nothing was prepared")
        return self._defect


def _baseline(words: Words) -> Baseline:
    at: datetime = from_rfc3339(words["at"])
    return Baseline(at, words["revision"], words["template"], words["requests"], words["errors"])


def _told(error: MaestroError) -> Words:
    return {"what": error.what, "why": error.why, "fix": error.fix}
