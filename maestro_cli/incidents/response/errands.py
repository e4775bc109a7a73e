"""Runs playbooks that a schedule or something that happened to an incident starts.

Invariant: an occasion is taken in the journal before anything is done for it, once, whichever of several
watchers sees it first. A run that was begun is gone on with under its lease by any watcher, also when the one
that began it was killed. Only `auto` runs anything; the others are recorded and told. Nothing here waits in
the detector's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, Interrupted, MaestroError
from maestro_cli.core.progress import Among, Progress
from maestro_cli.incidents.register import find_incident
from maestro_cli.incidents.response.hold import hold_right, right_to_play
from maestro_cli.incidents.response.lookout import Lookout
from maestro_cli.incidents.response.occasions import Due, due_events, due_ticks, is_quiet
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.history import RunHistory
from maestro_cli.runbooks.model import RunStatus, nobody
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.running import At, PlaybookRunner
from maestro_cli.runbooks.plays import PlayRecord, PlayStatus, get_play, play_of_key, unfinished_plays

MAX_RUNS = 4
RETRY_SECONDS = 30.0
STALE_SECONDS = 600.0  # watchers that are replaced one after the other have different files meanwhile
_TRIGGERS = ("incident", "schedule")
_PEOPLES = (RunStatus.WAITING, RunStatus.PAUSED, RunStatus.UNKNOWN)


class Errands(Lookout):
    """Looks for occasions, and runs a few playbooks at a time, until stopped."""

    def __init__(
        self,
        journal: Journal,
        playbooks: Sequence[Playbook],
        plays: PlaybookRunner,
        *,
        judged: Callable[[Playbook], Playbook],
        clock: Clock,
        cancellation: Cancellation,
        progress: Progress,
        drilling: Callable[[], bool] = lambda: False,
    ) -> None:
        """`judged` is what a playbook comes to that says auto; while `drilling`, nothing is begun."""
        complaint = "no playbook could be started"  # the journal
        super().__init__("errands", complaint, MAX_RUNS, cancellation=cancellation, progress=progress)
        self._journal, self._plays, self._clock = journal, plays, clock
        self._playbooks = {one.id: one for one in playbooks if one.events or one.schedules}
        self._judged, self._drilling = judged, drilling
        self._not_before: dict[str, float] = {}  # monotonic, by run of a playbook
        self._stale_since: dict[str, float] = {}  # the same, of those whose file is another one here

    def look(self) -> None:
        """Take what is due, and go on with what was begun."""
        if not self._drilling():
            now = self._clock.now()
            everyone = list(self._playbooks.values())
            for due in (*due_ticks(everyone, now), *due_events(everyone, self._journal, now)):
                self._take(due)
        for record in unfinished_plays(self._journal, _TRIGGERS):
            self._go_on(record)

    def _take(self, due: Due) -> None:
        if play_of_key(self._journal, due[1].key) is not None:
            return
        playbook, occasion = self._judged(due[0]), due[1]
        at = self._at(playbook, self._cancellation)
        if playbook.mode == "auto":
            _, is_new = self._plays.begin(playbook, occasion)
        else:
            is_new = self._plays.suggest(playbook, occasion, at)
        if is_new:
            at.progress.note(f"{occasion.words}: {playbook.why_not_auto or 'begun'}")

    def _go_on(self, record: PlayRecord) -> None:
        """Carry it out on a thread of its own, unless there are enough or it waits for a person."""
        later = self._not_before.get(record.id, 0.0) > self._clock.monotonic()
        if later or (record.status is PlayStatus.WAITING and self._waits(record)):
            return
        told = Among(self._progress, f"playbook {record.playbook}")
        work, put_off = partial(self._work, record, told), partial(self._put_off, record, told)
        self.begin(record.id, f"errand-{record.id}", work, put_off)

    def _waits(self, record: PlayRecord) -> bool:
        """Whether one of its runs still waits for a person, or was paused by one."""
        history = RunHistory(self._journal)
        playbook = self._playbooks.get(record.playbook)
        steps = len(playbook.steps) if playbook is not None else 0
        runs = [history.by_key(f"{record.key}/{number}") for number in range(1, steps + 1)]
        return any(run is not None and (run.asked != "" or run.status in _PEOPLES) for run in runs)

    def _work(self, record: PlayRecord, told: Progress) -> None:
        try:
            with hold_right(self._journal, right_to_play(record), self._cancellation) as held:
                now = get_play(self._journal, record.id)
                if not now.status.final:
                    crash_point("errand.held")
                    self._carry_out(now, At(told, held.cancellation, nobody))
        except Interrupted:
            told.note("stopped; any watcher goes on with it")

    def _put_off(self, record: PlayRecord, told: Progress, error: MaestroError) -> None:
        if not isinstance(error, Busy):
            told.note(f"{error.what}; {error.fix}".strip("; "))
        self._not_before[record.id] = self._clock.monotonic() + RETRY_SECONDS

    def _carry_out(self, record: PlayRecord, at: At) -> None:
        playbook = self._playbooks.get(record.playbook)
        if playbook is None or playbook.digest != record.digest:
            self._leave(record, playbook, at)
            return
        if RunHistory(self._journal).by_key(f"{record.key}/1") is None:
            if record.incident and is_quiet(find_incident(self._journal, record.incident)):
                self._plays.give_up(record, "every signal cleared before a runbook was run", at)
                return
            judged = self._judged(playbook)
            if judged.mode != "auto":
                self._plays.hold_back(judged, record, at)
                at.progress.note(f"not begun: {judged.why_not_auto}")
                return
        results = self._plays.carry_out(playbook, record, at)
        last = results[-1]
        at.progress.note(f"run {last.id} {last.status.value}" + (f": {last.reason}" if last.reason else ""))
        if last.status is RunStatus.INTERRUPTED:  # a step's lock, or the run itself, is held by another
            self._not_before[record.id] = self._clock.monotonic() + RETRY_SECONDS

    def _leave(self, record: PlayRecord, playbook: Playbook | None, at: At) -> None:
        """Leave it to a watcher that has the file it began with; when none sees to it, give it up."""
        now = self._clock.monotonic()
        is_news = record.id not in self._stale_since
        since = self._stale_since.setdefault(record.id, now)
        reason = "its file is another one now, or gone"
        if now - since >= STALE_SECONDS:
            self._plays.give_up(record, reason, at, playbook)
            at.progress.note(f"given up, tell whoever is on call: {reason}")
            return
        self._not_before[record.id] = now + RETRY_SECONDS
        if is_news:
            at.progress.note(f"{reason}; left for {STALE_SECONDS:g}s to a watcher that has it as it was")

    def _at(self, playbook: Playbook, cancellation: Cancellation) -> At:
        return At(Among(self._progress, f"playbook {playbook.id}"), cancellation, nobody)
