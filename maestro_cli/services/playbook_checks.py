"""Playbooks looked at without starting anything: lint, samples, explanations.

Invariant: no endpoint of a context is asked; only an incident is read, from the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog
from maestro_cli.runbooks.playbooks.explanation import Explanation, explain, gravest
from maestro_cli.runbooks.playbooks.lint import PlaybookFinding, lint, lint_file, lint_ties
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.reader import read_playbook
from maestro_cli.runbooks.playbooks.tries import Trial, try_out
from maestro_cli.services.runbook_checks import alerts_of

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Signal
    from maestro_cli.services.running import RunServices


def lint_playbooks(
    services: RunServices, names: Sequence[str], places: Sequence[str]
) -> tuple[PlaybookFinding, ...]:
    """The findings in these playbooks, or in all; raises NotFound for one that is not there."""
    playbooks, found = _readable(services.playbooks, names)
    known = alerts_of(places)
    for one in playbooks:
        found += lint(one, services.runbooks, services.readiness, known)
    return tuple(found + list(lint_ties(playbooks, known)))


def _readable(catalog: PlaybookCatalog, names: Sequence[str]) -> tuple[list[Playbook], list[PlaybookFinding]]:
    """The playbooks that can be read, and a finding for each other; an id that is taken is one too."""
    playbooks: dict[str, Playbook] = {}
    found: list[PlaybookFinding] = []
    if names:
        for name in names:
            try:
                playbook = catalog.get(name)
                playbooks[playbook.file] = playbook
            except InvalidFile as error:
                found.append(lint_file(error))
        return list(playbooks.values()), found
    for folder in catalog.folders():
        own: dict[str, Playbook] = {}
        for path in folder:
            try:
                playbook = read_playbook(path)
                if playbook.id in own:
                    why = f"{own[playbook.id].file} has it"
                    raise InvalidFile("the id is taken", file=str(path), key="id", why=why)
                own[playbook.id] = playbook
            except InvalidFile as error:
                found.append(lint_file(error))
        playbooks = {**own, **playbooks}
    return list(playbooks.values()), found


def try_playbooks(services: RunServices, names: Sequence[str]) -> tuple[Trial, ...]:
    """The samples of these playbooks, or of all, and the rehearsals of what they bind."""
    everyone = services.playbooks.all()
    chosen = [services.playbooks.get(name) for name in names] or everyone
    others = [one for one in everyone if one.id not in {each.id for each in chosen}]
    return tuple(
        trial
        for one in chosen
        for trial in try_out(one, [*others, *chosen], services.runbooks, services.clock)
    )


def explain_alert(
    services: RunServices, alert: str, pairs: Sequence[str], incident_ref: str | None, firing: bool
) -> Explanation:
    """What an alert with these labels would start, or what the signals of an incident would."""
    from maestro_cli.services.running import parse_pairs

    labels = parse_pairs(pairs)
    if incident_ref is not None:
        if alert or labels:
            raise UsageError("an incident has signals of its own", fix="leave out the alert and its labels")
        return _explain_incident(services, incident_ref)
    if alert:
        labels = {"alertname": alert, **labels}
    if not labels:
        raise UsageError("no alert is named", fix="maestro playbook explain ALERT -l severity=page")
    return explain(services.playbooks, services.runbooks, labels, {}, firing=firing)


def _explain_incident(services: RunServices, ref: str) -> Explanation:
    """For the signal that a response would take: of those that fire, the one with the gravest playbook."""
    told = _explained(services, ref, [(one, one.firing) for one in _signals_of(services, ref)])
    firing = [one for one in told if one.firing]
    return _gravest(told) or (firing or told)[0]


def explain_bound(services: RunServices, ref: str, recorded: str) -> Explanation:
    """What is bound to an incident, as its signals fired: those that have cleared bind it still.

    Of several the playbook of the `recorded` id, then the gravest, with the values of the newest signal that
    fires or, where none does, the newest. Raises UsageError for an incident without signals.
    """
    signals = sorted(_signals_of(services, ref), key=lambda one: (not one.firing, -one.starts_at.timestamp()))
    told = _explained(services, ref, [(one, True) for one in signals])
    of_record = [one for one in told if one.match.playbook is not None and one.match.playbook.id == recorded]
    return (of_record[0] if of_record else None) or _gravest(told) or told[0]


def _signals_of(services: RunServices, ref: str) -> tuple[Signal, ...]:
    incident = services.desk.get(ref)
    signals = services.desk.signals(incident.id)
    if not signals:
        raise UsageError(f"incident #{incident.number} has no signal")
    return signals


def _explained(services: RunServices, ref: str, signals: Sequence[tuple[Signal, bool]]) -> list[Explanation]:
    """Each signal, as one that fires or not."""
    from maestro_cli.incidents.response.occasions import facts_of

    more = facts_of(services.desk.get(ref))
    return [
        explain(services.playbooks, services.runbooks, one.labels, one.annotations, firing=firing, more=more)
        for one, firing in signals
    ]


def _gravest(told: Sequence[Explanation]) -> Explanation | None:
    """The one with the gravest playbook; None where none has one."""
    chosen = [(one.match.playbook, place) for place, one in enumerate(told) if one.match.playbook is not None]
    place = gravest(chosen)
    return told[place] if place is not None else None
