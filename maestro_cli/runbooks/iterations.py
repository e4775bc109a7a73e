"""A step that is repeated for each item of a list, and the values that steps are given.

Format: the iterations of step `a` are the steps `a[1]`, `a[2]`, … with fences of their own (`a[1]/verify`).
Invariant: a step is given the parameters and what the steps it waits for have captured, never what may or may
not have been captured yet. So a resumed run gives each step what it had, and repeats it for the same items.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.core.errors import UsageError
from maestro_cli.runbooks.graph import Graph
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import Runbook, Step, iteration, parted
from maestro_cli.runbooks.substitution import into_text

MAX_ITEMS = 200


class Scope:
    """The values of each step of one run, as far as it has come."""

    def __init__(self, runbook: Runbook, ledger: Ledger) -> None:
        self.graph = Graph(runbook.steps, runbook.is_by_needs)
        self.ledger = ledger
        self._main = {step.path: step for step in runbook.steps}
        self._capturing = [step for step in runbook.steps if step.capture]

    def values(self, path: str) -> dict[str, str]:
        """What the step, iteration or part of one with this path is given; raises UsageError."""
        main, number = parted(path)
        step = self._main[main]
        values = dict(self.ledger.parameters)
        for other in self._capturing:
            if self.graph.waits_for(step, other.path):
                values.update(self._captured(other))
        if number:
            values[step.item] = self.items(step)[number - 1]
        if step.capture and "/" in path:  # a fence that serves it
            values.update(self.ledger.captured(path.split("/")[0]))
        return values

    def items(self, step: Step) -> list[str]:
        """What a step is repeated for; raises UsageError as `words_of`."""
        return words_of(step, self.values(step.path))

    def iterations(self, step: Step) -> list[Step]:
        """The steps that it is repeated as; the step itself when it is not repeated. Raises UsageError."""
        if not step.for_each:
            return [step]
        return [iteration(step, number) for number in range(1, len(self.items(step)) + 1)]

    def started(self, step: Step) -> list[Step]:
        """Those of them that have started."""
        if not step.for_each:
            return [step] if self.ledger.last(step.path) is not None else []
        return [iteration(step, number) for number in self.ledger.iterations(step.path)]

    def _captured(self, step: Step) -> Mapping[str, str]:
        """What a step captured; of one that was repeated, the words of all its iterations in their order."""
        if not step.for_each:
            return self.ledger.captured(step.path)
        found = [self.ledger.captured(f"{step.path}[{n}]") for n in self.ledger.iterations(step.path)]
        words = [one[step.capture] for one in found if step.capture in one]
        return {step.capture: " ".join(words)} if words else {}


def words_of(step: Step, values: Mapping[str, str]) -> list[str]:
    """The words that a step is repeated for; raises UsageError when there are none, or too many."""
    words = into_text(step.for_each, values).split()
    if not 0 < len(words) <= MAX_ITEMS:
        what = f"{step.path} has {len(words)} words to be repeated for"
        raise UsageError(what, why=f"it needs 1 to {MAX_ITEMS}", fix="skip it with when=…")
    return words
