"""One performance of a scenario, as far as those may know it who watch: what breaks is its own affair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maestro_cli.chaos.drills.defects import defect_of
from maestro_cli.chaos.drills.defects.defect import Defect, Scene
from maestro_cli.chaos.drills.model import DETECT_BUDGET_SECONDS, Baseline, Scenario
from maestro_cli.core.refs import WorkloadRef


@dataclass(frozen=True, slots=True)
class Place:
    """A workload around which it may happen, and the objective whose requests are counted there."""

    target: WorkloadRef
    objective: str | None


@dataclass(frozen=True, slots=True)
class CallSheet:
    """Around which workloads it may happen, and what is waited for how long.

    `alert` is the one whose incident is awaited; "" for none: then nothing is to be noticed in that time.
    """

    places: tuple[Place, ...]
    alert: str
    patience_seconds: float = DETECT_BUDGET_SECONDS


@dataclass(frozen=True, slots=True)
class Setting:
    """One of the places as it was before anything broke."""

    scene: Scene
    baseline: Baseline


class Act(Protocol):
    @property
    def sheet(self) -> CallSheet: ...

    def told(self) -> Mapping[str, str]:
        """What the journal may say of it before it is scored; asked once its defect is prepared."""

    def prepare(self, settings: Sequence[Setting]) -> tuple[Defect, Mapping[str, Any]]:
        """What will break in one of the places of the sheet, in their order, and how to undo it."""

    def answer(self, step: str) -> str | None:
        """What a person says whom the runbook asks at that step, who may repair something as well."""

    def scenario(self) -> Scenario:
        """What was played, once the defect is over."""


class OpenAct:
    """A scenario that whoever began the drill knows, by its name."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._defect: Defect | None = None
        self.sheet = sheet_of(scenario)

    def told(self) -> Mapping[str, str]:
        return {"scenario": self._scenario.name}

    def prepare(self, settings: Sequence[Setting]) -> tuple[Defect, Mapping[str, Any]]:
        (setting,) = settings
        self._defect = defect_of(self._scenario.defect, setting.scene)
        return self._defect, self._defect.prepare(setting.baseline)

    def answer(self, step: str) -> str | None:
        return answer_of(self._scenario, self._defect, step)

    def scenario(self) -> Scenario:
        return self._scenario


def sheet_of(scenario: Scenario) -> CallSheet:
    """What of a scenario may be known to all."""
    places = (Place(scenario.target, scenario.objective),)
    return CallSheet(places, scenario.alert, scenario.patience_seconds)


def answer_of(scenario: Scenario, defect: Defect | None, step: str) -> str | None:
    """The scenario's answer; at its step `repairs` that person takes the defect away."""
    said = scenario.answers.get(step)
    if said is not None and step == scenario.repairs and defect is not None:
        defect.repair()
    return said
