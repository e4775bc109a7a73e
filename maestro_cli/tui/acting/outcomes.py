"""How an action on several targets ended, as one. Invariant: pure; what failed comes first, by name, and no
success is told over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.tui.acting.dispatcher import Ending
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.text import Spans, shown

FAILED = "failed: "  # as an ending begins that has failed


@dataclass(frozen=True, slots=True)
class Outcomes:
    title: str  # of the action
    endings: tuple[tuple[Target, Ending], ...]

    @property
    def _failed(self) -> Sequence[tuple[Target, Ending]]:
        """What was to be done and was not: what somebody said no to did not fail."""
        return [one for one in self.endings if not (one[1].is_done or one[1].is_declined)]

    @property
    def has_failed(self) -> bool:
        return bool(self._failed)

    @property
    def contexts(self) -> str:
        return ", ".join(sorted({target.context for target, _ in self.endings}))

    @property
    def count(self) -> str:
        """`1 of 2 failed`."""
        if not self._failed:
            return f"all {len(self.endings)}"
        word = "failed" if all(one.outcome.startswith(FAILED) for _, one in self._failed) else "not done"
        return f"{len(self._failed)} of {len(self.endings)} {word}"

    @property
    def line(self) -> str:
        """`End the pod: 1 of 2 failed: ml/pod/a: pods "a" not found; ml/pod/b: verified: chg-2`."""
        said = {ending.outcome for _, ending in self.endings}
        if len(said) == 1:
            (words,) = said
            return f"{self.title}, {self.count}: {_one_line(words)}"
        each = (f"{target.name}: {_one_line(one.outcome)}" for target, one in self._worst_first)
        return f"{self.title}: {self.count}: {'; '.join(each)}"

    @property
    def _worst_first(self) -> Sequence[tuple[Target, Ending]]:
        return sorted(self.endings, key=lambda one: one not in self._failed)

    def lines(self) -> Iterator[Spans]:
        """Each target with its outcome whole."""
        yield (shown(f"{self.title}: {self.count}"), "title"), ("   Esc closes it", "dim")
        for target, ending in self._worst_first:
            yield (("", ""),)
            yield (shown(target.name), "key"), ("" if ending.is_done else "  not done", "bad")
            for line in ending.outcome.splitlines():
                yield ((f"  {shown(line)}", ""),)


def _one_line(outcome: str) -> str:
    """That it has failed is said of all that have."""
    return " ".join(outcome.removeprefix(FAILED).split())
