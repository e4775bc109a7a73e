"""The plan of a game day. Invariant: each step is an experiment, a drill or a break, and somebody leads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from maestro_cli.config.strict import read_yaml
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.verdict import Verdict

Text = Annotated[str, Meta(min_length=1, max_length=500)]


class StepPart(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"pause": "break"}):
    """An `experiment` (a name, or a file beside the plan) or a `drill` (as `drill run` calls it) with what is
    expected of it, or a `break`. `roles` are of this step alone, beside those of the day.
    """

    experiment: str = ""
    drill: str = ""
    expect: Literal["PASS", "FAIL"] = "PASS"
    seed: Annotated[int, Meta(ge=0)] | None = None
    watch: str = ""
    roles: dict[str, Text] = {}
    pause: str = ""


class GameDayFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A game day. `roles` say who does what; `lead` is who decides whether it goes on."""

    maestro: Literal["gameday/v1"]
    title: Text
    roles: dict[str, Text]
    steps: Annotated[list[StepPart], Meta(min_length=1, max_length=100)]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of `experiment`, `drill` and `pause_seconds` is set. `watch`: what people look at meanwhile."""

    experiment: str
    drill: str
    expect: Verdict
    seed: int | None
    watch: str
    roles: tuple[tuple[str, str], ...]
    pause_seconds: float | None


@dataclass(frozen=True, slots=True)
class GameDay:
    title: str
    description: str
    roles: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    file: str


def read_gameday(path: Path) -> GameDay:
    """Raises InvalidFile, which names file, line and key."""
    document = read_yaml(path)
    shape = document.decode(GameDayFile)
    if "lead" not in shape.roles:
        raise document.fail("nobody leads it", ("roles",), fix="roles: {lead: NAME}")
    if not any(one.experiment or one.drill for one in shape.steps):
        raise document.fail("has no experiment and no drill", ("steps",), fix="steps: [{experiment: NAME}]")
    steps = []
    for index, one in enumerate(shape.steps):
        if sum(map(bool, (one.experiment, one.drill, one.pause))) != 1:
            what = "is not one of an experiment, a drill and a break"
            raise document.fail(what, ("steps", index), fix="experiment: NAME, drill: NAME, or break: 10m")
        try:
            seconds = parse_duration_seconds(one.pause) if one.pause else None
        except ValueError as error:
            raise document.fail(str(error), ("steps", index, "break"), fix="break: 10m") from error
        found, roles = _reference(one.experiment, path), tuple(one.roles.items())
        steps.append(Step(found, one.drill, Verdict(one.expect), one.seed, one.watch, roles, seconds))
    return GameDay(shape.title, shape.description, tuple(shape.roles.items()), tuple(steps), str(path))


def _reference(text: str, plan: Path) -> str:
    """A file is looked for beside the plan; a name is one of the experiments there are."""
    return str(plan.parent / text) if "/" in text or text.endswith((".yaml", ".yml", ".json")) else text
