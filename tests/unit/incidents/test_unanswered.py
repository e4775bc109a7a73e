"""What nobody responds to is told: never that all is quiet while something fires or nobody can know."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.blindness import Heartbeat, Sight
from maestro_cli.incidents.intake.correlation import IntakePolicy
from maestro_cli.incidents.register import known_signals
from maestro_cli.incidents.unanswered import Unanswered, alerts_of_concern, unanswered_alerts
from maestro_cli.output.renderers.unanswered import no_incident_words, unanswered_lines, unasked_words
from maestro_cli.services import unanswered
from tests.unit.incidents.world import T0, Room, alert

WATCHED = Sight((Heartbeat("watch", "2026-11-26T04:00:00Z"),), None, "")
ALONE = Sight((), None, "")
BLIND = Sight(WATCHED.watchers, "2026-11-26T02:00:00Z", "connection refused")
PAGES = (alert(severity="page", service="a"), alert(severity="page", service="b"))
FIRING = (*PAGES, alert(severity="ticket"))


def test_an_alert_of_an_open_incident_and_a_silenced_one_are_answered(tmp_path: Path) -> None:
    room = Room(tmp_path)
    seen, other = alert(), alert(service="other")
    room.detector.ingest([seen], source="alertmanager-api")
    silenced, over = alert(service="c", suppressed_by=("s",)), alert(service="d", firing=False, ends_at=T0)
    known = known_signals(room.journal, [seen.fingerprint, other.fingerprint])
    assert unanswered_alerts((seen, other, silenced, over), known) == (other,)


def test_an_alert_that_only_says_it_lives_is_of_no_concern() -> None:
    lives, info, silenced = alert(alertname="Watchdog"), alert(severity="none"), alert(suppressed_by=("s",))
    assert alerts_of_concern((lives, info, silenced, *PAGES), IntakePolicy()) == (silenced, *PAGES)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Unanswered(WATCHED), "no incidents; all quiet"),
        (Unanswered(ALONE, FIRING), "no incidents, but 3 alerts fire"),
        (Unanswered(WATCHED, FIRING[:1]), "no incidents, but 1 alert fires"),
        (Unanswered(WATCHED, (), "no answer"), "no incidents; whether anything fires is not known"),
        (Unanswered(ALONE), "no incidents; nothing fires now, and nobody would see it: maestro watch"),
        (Unanswered(BLIND), "no incidents; nothing fires now, but the watch is blind"),
    ],
    ids=["quiet", "fires", "one fires", "no answer", "nobody watches", "blind"],
)
def test_all_quiet_is_said_of_what_is_seen_to_be_quiet_alone(found: Unanswered, words: str) -> None:
    assert no_incident_words(found) == words


def test_what_the_journal_alone_says_is_never_that_all_is_quiet() -> None:
    assert "nobody watches (maestro watch); maestro status tells what fires" in unasked_words(ALONE)
    assert "the watch is blind; maestro status tells what fires" in unasked_words(BLIND)
    assert unasked_words(WATCHED) == "no incidents; a watch sees the alerts"


def test_each_thing_that_is_wrong_has_a_line_with_what_to_do() -> None:
    assert unanswered_lines(Unanswered(WATCHED), T0) == ()
    fires, nobody = unanswered_lines(Unanswered(ALONE, FIRING), T0)
    assert fires.startswith("3 alerts fire in no open incident: 2 page, 1 ticket (")
    assert ":status shows them" in fires
    assert nobody.startswith("nobody watches — maestro watch opens incidents of what fires")
    (fires,) = unanswered_lines(Unanswered(WATCHED, PAGES), T0)
    assert "maestro incident open" in fires
    unknown, blind = unanswered_lines(Unanswered(BLIND, (), "alertmanager: refused"), T0)
    assert unknown == "whether anything fires is not known: alertmanager: refused"
    assert blind.startswith("the watch is blind since ")


class Source:
    """Alerts as they are given, or none because nobody answers."""

    def __init__(self, *alerts: Alert, is_silent: bool = False) -> None:
        self._alerts, self._is_silent = alerts, is_silent

    def alerts(self) -> tuple[Alert, ...]:
        if self._is_silent:
            raise Unreachable("cannot reach alertmanager", why="connection refused")
        return self._alerts


@pytest.mark.parametrize(
    ("source", "count", "unknown"),
    [
        (Source(*FIRING), 3, ""),
        (Source(is_silent=True), 0, "cannot reach alertmanager: connection refused"),
        (None, 0, unanswered.NO_SOURCE),
    ],
    ids=["it fires", "no answer", "nobody to ask"],
)
def test_a_source_that_does_not_answer_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Source | None, count: int, unknown: str
) -> None:
    journal: Any = Room(tmp_path).journal
    given = None if source is None else SimpleNamespace(alerts=source)
    monkeypatch.setattr(unanswered, "alert_source", lambda services: given)
    monkeypatch.setattr(unanswered, "sight_of", lambda services: ALONE)
    rules = SimpleNamespace(bindings=SimpleNamespace(book=SimpleNamespace(policy=IntakePolicy())))
    services: Any = SimpleNamespace(journal=journal, incident_rules=rules)
    found = unanswered.find_unanswered(services)
    assert (len(found.alerts), found.unknown, found.is_quiet) == (count, unknown, False)
