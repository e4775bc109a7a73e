"""Delivers what waits in the outbox beside other work.

Invariant: nothing is appended while nothing is due; what fails is told once, until it works again; nothing
that a look raises ends the next one.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.progress import Progress
from maestro_cli.journal.messages import Delivery, Standing
from maestro_cli.journal.outbox import Outbox

LOOK_SECONDS = 2.0


class Courier:
    """A thread that lives as long as its context; leaving it waits for the attempt in flight."""

    def __init__(self, outbox: Outbox, progress: Progress, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._outbox, self._progress, self._look_seconds = outbox, progress, look_seconds
        self._stopping = threading.Event()
        self._said: dict[str, str] = {}  # what was last told, by channel
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._look_seconds):
            try:
                for tried in self._outbox.deliver_due():
                    self._tell(tried)
            except MaestroError as error:  # the journal; the next look reads the whole truth
                self._say("", f"no message could be delivered: {error.what}")
            except Exception as error:  # noqa: BLE001 - a defect must not end the paging of people
                self._say("", f"no message could be delivered: internal error: {type(error).__name__}")

    def _tell(self, tried: Delivery) -> None:
        if tried.standing is Standing.DELIVERED:
            self._say(tried.channel, f"{tried.channel}: delivered")
        else:
            self._say(tried.channel, f"{tried.channel}: {tried.standing.value}, {tried.reason}")

    def _say(self, channel: str, text: str) -> None:
        if self._said.get(channel) != text:
            self._progress.note(text)
        self._said[channel] = text
