"""A watch that is told to stop waits for no source that does not answer."""

from __future__ import annotations

import threading
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.watch import Eye, Watch
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import alert


class Held:
    """A source that answers once it is let go: an alert, or that it cannot."""

    def __init__(self, *answer: Alert) -> None:
        self.answer = answer
        self.asked, self.goes_on = threading.Event(), threading.Event()

    def alerts(self) -> tuple[Alert, ...]:
        self.asked.set()
        self.goes_on.wait(240)
        if not self.answer:
            raise Unreachable("Prometheus does not answer")
        return self.answer


def test_it_ends_while_sources_do_not_answer_and_takes_nothing_that_they_say_later(tmp_path: Path) -> None:
    clock, cancellation = SystemClock(), Cancellation()
    journal = Journal(tmp_path / "j.db", projections=[IncidentProjection()], clock=clock)
    held = (Held(alert()), Held())
    watch = Watch(
        Detector(journal, clock, "watch"), None, poll_seconds=0.05, webhook=None, clock=clock,
        cancellation=cancellation,
        others=(Eye("kubernetes", held[0], 60), Eye("anomalies", held[1], 60)),
    )  # fmt: skip
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    assert all(one.asked.wait(120) for one in held)
    cancellation.cancel()
    thread.join(60)  # both are held for longer
    ended = not thread.is_alive()
    length = journal.head().seq
    readers = [one for one in threading.enumerate() if one.name in ("watch-kubernetes", "watch-anomalies")]
    for one in held:
        one.goes_on.set()
    for reader in readers:
        reader.join(120)
    assert ended
    assert len(readers) == 2
    assert journal.head().seq == length
    journal.close()
