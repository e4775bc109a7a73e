"""Plays the league: every scenario with every seed, each from a healthy baseline.

Invariant: what was played is kept after each scenario, so that a league that was stopped can go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from maestro_cli.chaos.drills.conductor import Conductor
from maestro_cli.chaos.drills.league.judge import judge
from maestro_cli.chaos.drills.league.model import Item, LeagueReport
from maestro_cli.chaos.drills.league.sealed import Channel, SealedAct
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import Interrupted, MaestroError, UndoFailed
from maestro_cli.core.progress import Progress

Opening = Callable[[], AbstractContextManager[Channel]]


class League:
    """`conductor` plays for a seed, `opening` starts a process that knows; `keep` gets each state of it."""

    def __init__(
        self,
        conductor: Callable[[int], Conductor],
        opening: Opening,
        keep: Callable[[LeagueReport], None],
        clock: Clock,
    ) -> None:
        self._conductor = conductor
        self._opening = opening
        self._keep = keep
        self._clock = clock

    def play(
        self, report: LeagueReport, *, keep_platform: bool, progress: Progress, cancellation: Cancellation
    ) -> LeagueReport:
        """Play what is left of it. Raises Interrupted, UndoFailed; any other failure is an item's.

        Where no platform is up, each scenario has one of its own, and the last one's is kept if so asked.
        """
        self._keep(report)
        for place, (name, seed) in enumerate(report.left, 1 + len(report.items)):
            cancellation.raise_if_set()
            progress.note(f"{place} of {len(report.wanted)}: {name}, seed {seed}")
            keep = keep_platform and place == len(report.wanted)
            item = self._one(name, seed, keep, progress, cancellation)
            report = replace(report, items=(*report.items, item))
            self._keep(report)
            progress.note(_told(item))
        return report

    def _one(self, name: str, seed: int, keep: bool, progress: Progress, cancellation: Cancellation) -> Item:
        began = self._clock.monotonic()
        try:
            with self._opening() as channel:
                act = SealedAct(channel, name, seed)
                played = self._conductor(seed).play(
                    act, keep=keep, progress=progress, cancellation=cancellation
                )
                return judge(played, seed, act.digest, act.fouls)
        except (Interrupted, UndoFailed):
            raise
        except MaestroError as error:
            why = f"it could not be played: {error.what}" + (f": {error.why}" if error.why else "")
            progress.note(why)
            return Item(
                name, seed, "not known", None, None, None, None, None, passed=False, cause_is_right=False,
                noticed_rightly=False, misses=(why,), wall_seconds=self._clock.monotonic() - began,
            )  # fmt: skip


def report_of(
    names: Sequence[str], seeds: Sequence[int], clock: Clock, *, cluster: str | None
) -> LeagueReport:
    """A league of which nothing was played yet: every scenario of a seed, then the next seed."""
    wanted = tuple((name, seed) for seed in seeds for name in names)
    return LeagueReport((), wanted, clock.now(), cluster or "")


def _told(item: Item) -> str:
    rank = "no culprit" if item.cause_rank is None else f"true cause at {item.cause_rank}"
    end = "passed" if item.passed else f"failed: {'; '.join(item.misses)}"
    return f"{item.scenario}, seed {item.seed}: {rank}, {end} ({item.wall_seconds:.0f} s)"
