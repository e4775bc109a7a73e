"""What a step waits for. Pure: the file alone decides.

The rule: a step waits for every step before it. In a runbook that says `order: needs`, one with `needs` waits
for those instead, for the steps that its `when` names and for those whose captures it mentions; and a step
that another one could skip (`goto`) waits for that one, and so does the step it leads to. Adjacent steps
marked `parallel` with the same name are one stage: they run at the same time, and none waits for another.

Invariant: a step waits for earlier ones only, so that one walk in the order of the file meets each step after
everything it waits for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from maestro_cli.runbooks.model import OnFail, Step

_WORD = re.compile(r"[A-Z][A-Z0-9_]*")


class Graph:
    """The steps of a runbook as stages, and what each step waits for."""

    def __init__(self, steps: Sequence[Step], is_by_needs: bool) -> None:
        self.steps = tuple(steps)
        self._is_by_needs = is_by_needs
        self.stages = tuple(stages(steps))
        self._bit = {step.path: 1 << number for number, step in enumerate(steps)}
        self._before: dict[str, int] = {}  # everything it waits for, in the end, as a set of bits
        self._read()

    def _read(self) -> None:
        captured: dict[str, str] = {}
        passed = 0
        jumps: list[tuple[str, int]] = []  # who may go on at a later step, and the bits of those it concerns
        for stage in self.stages:
            for step in stage:
                named = {*(step.when.steps if step.when else ()), *step.needs}
                named |= {captured[name] for name in mentioned(step, captured.keys())}
                named |= {path for path, concerned in jumps if concerned & self._bit[step.path]}
                before = 0 if step.needs and self._is_by_needs else passed
                for path in named:
                    before |= self._bit[path] | self._before[path]
                self._before[step.path] = before
            for step in stage:
                passed |= self._bit[step.path]
                if step.capture:
                    captured[step.capture] = step.path
                if step.on_fail is OnFail.GOTO:
                    jumps.append((step.path, (self._bit[step.goto] << 1) - (self._bit[step.path] << 1)))

    def waits_for(self, step: Step, other: str) -> bool:
        """Whether a step cannot start before the other one, named by its path, has ended."""
        return bool(self._before[step.path] & self._bit[other])

    def is_held(self, step: Step, waiting: Collection[str]) -> bool:
        """Whether it waits for any of these."""
        return any(self.waits_for(step, path) for path in waiting)


def stages(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """The steps in their order, those that run at the same time together."""
    for group, members in groupby(steps, key=lambda step: step.parallel):
        if group:
            yield tuple(members)
        else:
            yield from ((step,) for step in members)


def mentioned(step: Step, names: Collection[str]) -> set[str]:
    """Which of these variables a step, or a fence that serves it, speaks of; a word is enough."""
    if not names:
        return set()
    texts = [step.lock, step.for_each, *(text for one in (step, *step.parts) for text in (one.body, one.cwd))]
    words = {word for text in texts for word in _WORD.findall(text)}
    words |= step.when.names if step.when else set()
    return words & set(names)
