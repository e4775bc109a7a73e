"""The shape of an experiment file: Chaos Toolkit's own, and what maestro adds under `extensions`.

Invariant: Chaos Toolkit allows keys that it does not know, so these do too; in what is maestro's own an
unknown key is an error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Scalar = str | int | float | bool


class PythonProvider(msgspec.Struct, frozen=True, tag_field="type", tag="python"):
    module: Text
    func: Text
    arguments: dict[str, Any] = {}
    secrets: list[str] = []


class ProcessProvider(msgspec.Struct, frozen=True, tag_field="type", tag="process"):
    path: Text
    arguments: Any = None
    timeout: int | float | str | list[Any] | None = None
    env: dict[str, Any] = {}


class HttpProvider(msgspec.Struct, frozen=True, tag_field="type", tag="http"):
    url: Text
    method: str = "GET"
    headers: dict[str, Any] = {}
    arguments: Any = None
    timeout: int | float | str | list[Any] | None = None


class Pauses(msgspec.Struct, frozen=True):
    """Seconds, or `${a configuration key}`."""

    before: int | float | str | None = None
    after: int | float | str | None = None


class Activity(msgspec.Struct, frozen=True):
    """A probe or an action, or a `ref` to one by its name."""

    type: Literal["probe", "action"] | None = None
    name: str = ""
    provider: PythonProvider | ProcessProvider | HttpProvider | None = None
    ref: str | None = None
    tolerance: Any = None
    background: bool = False
    pauses: Pauses | None = None
    timeout: int | float | None = None
    controls: list[dict[str, Any]] = []


class Hypothesis(msgspec.Struct, frozen=True):
    title: Text
    probes: list[Activity] | None = None
    controls: list[dict[str, Any]] = []


class Target(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom it may meet: the pods of `workload` (`ml/deploy/fraud`), or those of `selector` in `namespace`.

    `count` of them are chosen: a number, or a share such as `25%`, which is rounded down and at least one.
    """

    workload: str = ""
    namespace: str = ""
    selector: str = ""
    count: int | str = 1


class FaultPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A fault that actions inject by its `name`; `maestro chaos list --faults` says which there are."""

    name: Text
    fault: Text
    parameters: dict[str, Scalar] = {}
    target: Target | None = None


class StopPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The experiment ends when the value of `query` (PromQL, one series) is as `when` says: `> 0.05`.

    Three looks in a row without a value end it too. With `region: other` the region that takes over is asked.
    """

    query: Text
    when: Text
    region: Literal["own", "other"] = "own"


class SteadyPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How often the steady state is looked at during the method, and how much of it may be missed."""

    every: str = "1s"
    misses: str = "0%"
    in_a_row: Annotated[int, Meta(ge=1)] = 3


class ArmsPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What compares pods that a fault meets with those of `control`. `bad` and `all` (PromQL) count
    requests of the pods `pod=~"$PODS"` over `[$WINDOW]`; with more than `most` bad ones an arm is bad.
    """

    bad: Text
    all: Text
    most: str = "5%"


class FailoverPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long callers may be served by nobody when a region is lost (`rto`), and how much may be lost with
    it (`rpo`). A sentinel is written each `every`.
    """

    rto: str = "15m"
    rpo: str = "1h"
    every: str = "1s"


class DrillPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the response to it is to be: with this, `maestro drill run chaos/NAME` performs and scores it.

    `alert` tells of it within `patience`, `runbook` answers, and `right_fix` (a kind of change, or
    `RUNBOOK/STEP`) ends it. `true_cause` is the kind of suspect to name; without it the cause is not scored.
    `duration`: how long the fault may be in force while somebody responds. `objective`: whose requests are
    counted. `answers` are those of the person whom the runbook asks; at the step `repairs` that one ends it.
    """

    alert: Text
    runbook: Text
    right_fix: Text
    true_cause: Literal["pod", "node", "config"] | None = None
    duration: str = ""
    patience: str = "5m"
    objective: str = ""
    answers: dict[str, Text] = {}
    repairs: str = ""


class MaestroPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What bounds an experiment. `duration`: how long its faults may be in force at most.

    `objectives` are those whose budget it may cost. `control`: how many pods are left alone, to compare with.
    `recovery`: how long things may take to be as before. `drill`: what the response to it is to be.
    """

    name: Literal["maestro"]
    duration: str = ""
    target: Target | None = None
    faults: list[FaultPart] = []
    stop: list[StopPart] = []
    objectives: list[str] = []
    control: Annotated[int, Meta(ge=0)] = 0
    steady_state: SteadyPart = SteadyPart()
    recovery: str = "60s"
    arms: ArmsPart | None = None
    failover: FailoverPart = FailoverPart()
    drill: DrillPart | None = None


class ExperimentFile(
    msgspec.Struct, frozen=True, rename={"steady_state_hypothesis": "steady-state-hypothesis"}
):
    """A Chaos Toolkit experiment. One of the `extensions` may be maestro's."""

    title: Text
    description: Text
    method: list[Activity]
    steady_state_hypothesis: Hypothesis | None = None
    rollbacks: list[Activity] = []
    tags: list[Text] = []
    configuration: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    controls: list[dict[str, Any]] = []
    extensions: list[dict[str, Any]] = []
    contributions: dict[str, Literal["high", "medium", "low", "none"]] = {}
    runtime: dict[str, Any] = {}
