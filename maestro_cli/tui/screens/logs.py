"""Logs of a pod, or of all pods of a workload, as they are printed.

Invariant: a filter is the source's: it decides what is read, before anything is kept.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed, Hearer
from maestro_cli.tui.feeds.tail import Tail, TailKeeper
from maestro_cli.tui.screens.model import OwnScreen, Place

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.services.inspecting import WantedLogs
    from maestro_cli.services.root import Services
    from maestro_cli.tui.views.view import View

QUIET_SECONDS = 1.0  # after them a log that told nothing is shown as it is: without a line so far
TAIL_LINES = 1000  # of each container, to begin with


@dataclass(frozen=True, slots=True)
class LogsAsked:
    """Whose logs, and which lines; travels as the argument of the feed."""

    target: str
    filter: str = ""
    is_previous: bool = False

    def __str__(self) -> str:
        return json.dumps([self.target, self.filter, self.is_previous])

    @staticmethod
    def read(argument: str) -> LogsAsked:
        return LogsAsked(*json.loads(argument))

    @property
    def wanted(self) -> WantedLogs:
        """`!text` leaves lines out; anything else picks them. Raises UsageError for a filter of rows."""
        from maestro_cli.services.inspecting import WantedLogs

        refuse_filter_of_rows(self.filter)
        picks, leaves = self.filter, ""
        if picks.startswith("!"):
            picks, leaves = "", picks.removeprefix("!")
        return WantedLogs(
            (self.target,),
            follow=not self.is_previous,
            previous=self.is_previous,
            tail=TAIL_LINES,
            grep=f"(?i){picks}" if picks else "",
            exclude=f"(?i){leaves}" if leaves else "",
        )


def refuse_filter_of_rows(text: str) -> None:
    """Lines have no labels and no context. Raises UsageError for a filter that asks for them, or is none."""
    from maestro_cli.tui.views.filtering import parse_filter

    asked = parse_filter(text)
    if asked.selector or asked.context or text.strip().startswith(("-l", "-f")):
        raise UsageError(
            f"the filter {text.strip()!r} is one of rows",
            why="-l, -f and @context pick rows of a list; a log is picked by what its lines say",
            fix="/error|timeout, or /!debug; [-]f or [@]name for those very letters",
        )


def follow_logs(services: Services, argument: str, hearer: Hearer[Tail], stopped: Cancellation) -> None:
    from maestro_cli.services.inspecting import read_logs

    asked = LogsAsked.read(argument)
    keeper = TailKeeper(hearer)
    quiet = threading.Timer(QUIET_SECONDS, keeper.tell)
    quiet.daemon = True
    quiet.start()
    try:
        for batch in read_logs(services, asked.wanted, stopped):
            keeper.add(batch)
        keeper.end()
    finally:
        quiet.cancel()
        keeper.close()
    while not stopped.wait(3600.0):  # what has ended is not read again: its last words stay
        continue


def has_answered(tail: Tail | None) -> bool:
    """Whether anything was read of a log, or all of it; that a container is read from now on is neither."""
    from maestro_cli.core.facts.logs import Joined

    return tail is not None and (tail.is_over or not all(isinstance(one, Joined) for one in tail.entries))


LOGS: Feed[Tail] = Feed("logs", "Kubernetes", 3.0, follow=follow_logs)


def logs_view(place: Place) -> View:
    from maestro_cli.tui.views.logs_view import LogsView

    return LogsView(SCREEN, place)


SCREEN = OwnScreen(
    id="logs",
    title="Logs",
    help="What a pod, or every pod of a workload, prints; the filter is applied before anything is kept.",
    feeds=(LOGS,),
    view=logs_view,
    panes=("texts", "what is followed"),
    aliases=("log",),
)

SCREENS = (SCREEN,)


def logs_action(screen: str) -> Action:
    """`l` on whatever prints: a pod, or a workload."""
    return Action(
        f"{screen}.logs",
        "Logs",
        "what it prints, as it is printed",
        Danger.OBSERVE,
        lambda target, answers: ("pod", "logs", target.name, "-f"),
        key="l",
        opens=logs_place,
    )


def logs_place(target: Target) -> Place:
    ref = target.item
    return Place("logs", str(ref) if isinstance(ref, WorkloadRef) else target.name, target.context)
