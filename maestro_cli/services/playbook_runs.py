"""Playbooks started, and gone on with, by a person.

Invariant: a person's word takes the place of the mode, never of the gate; for an incident, one of its signals
has to fire and to be one that the playbook takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.ids import new_id
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.response.hold import hold_right, right_to_play
from maestro_cli.incidents.response.occasions import defaults_of, facts_of, newest_firing
from maestro_cli.runbooks.parameters import check_value
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.running import At, Occasion
from maestro_cli.runbooks.plays import PlayRecord, get_play

if TYPE_CHECKING:
    from maestro_cli.core.progress import Progress
    from maestro_cli.services.running import RunServices


@dataclass(frozen=True, slots=True)
class PlaybookAsked:
    """What a person typed: values of parameters and labels are `NAME=VALUE`."""

    playbook: str
    values: Sequence[str] = ()
    labels: Sequence[str] = ()
    incident: str | None = None


def run_playbook(
    services: RunServices, asked: PlaybookAsked, typed_context: str, yes: bool, progress: Progress
) -> PlayRecord:
    """Start a playbook; raises UsageError for values that do not fit, GateNotMet when nothing fires."""
    playbook = services.playbooks.get(asked.playbook)
    occasion = _occasion(services, playbook, asked)
    runner = services.playbook_runner(typed_context, given=yes or services.person is not None)
    record, _ = runner.begin(playbook, occasion)
    return _carried_out(services, playbook, record, typed_context, yes, progress)


def resume_playbook(
    services: RunServices, play_id: str, typed_context: str, yes: bool, progress: Progress
) -> PlayRecord:
    """Go on with a run of a playbook; one that has ended is only read.

    Raises NotFound, and GateNotMet when its file is another one now.
    """
    record = get_play(services.journal, play_id)
    if record.status.final:
        return record
    playbook = services.playbooks.get(record.playbook)
    if playbook.digest != record.digest:
        raise GateNotMet(
            f"{playbook.file} changed since {record.id} began",
            fix=f"restore the file, or start another: maestro playbook run {playbook.id}",
        )
    return _carried_out(services, playbook, record, typed_context, yes, progress)


def _carried_out(
    services: RunServices,
    playbook: Playbook,
    record: PlayRecord,
    typed_context: str,
    yes: bool,
    progress: Progress,
) -> PlayRecord:
    runner = services.playbook_runner(typed_context, given=yes or services.person is not None)
    with hold_right(services.journal, right_to_play(record), services.cancellation) as held:
        runner.carry_out(playbook, record, At(progress, held.cancellation, services.ask_step(progress)))
    return get_play(services.journal, record.id)


def _occasion(services: RunServices, playbook: Playbook, asked: PlaybookAsked) -> Occasion:
    from maestro_cli.services.running import parse_pairs

    play = new_id("by", services.clock.now())
    facts: dict[str, Mapping[str, str]] = {
        "params": _values(playbook, parse_pairs(asked.values)),
        "labels": parse_pairs(asked.labels),
    }
    if asked.incident is None:
        if playbook.parameters is None:
            raise UsageError(
                f"playbook {playbook.id} is not for starting by hand",
                why="its trigger has no manual",
                fix=f"maestro playbook run {playbook.id} --incident latest",
            )
        return Occasion(f"manual/{play}", "manual", f"by {services.actor}", facts=facts)
    incident = services.desk.get(asked.incident)
    signal = _signal(playbook, services.desk.signals(incident.id), incident.number)
    facts |= {"labels": {**signal.labels, **facts["labels"]}, **facts_of(incident)}
    return Occasion(
        f"manual/{play}", "manual", f"by {services.actor} for incident #{incident.number}",
        incident=incident.id, facts=facts, annotations=dict(signal.annotations),
    )  # fmt: skip


def _signal(playbook: Playbook, signals: Sequence[Signal], number: int) -> Signal:
    firing = [one for one in signals if one.firing]
    fitting = [one for one in firing if not playbook.alerts or not playbook.mismatch(one.labels)]
    found = newest_firing(fitting)
    if found is None:
        what = f"no signal of incident #{number} " + ("is one for" if firing else "fires, so nothing starts")
        raise GateNotMet(
            f"{what} playbook {playbook.id}",
            why=playbook.mismatch(firing[-1].labels) if firing and playbook.alerts else "",
            fix=f"maestro playbook explain --incident {number}",
        )
    return found


def _values(playbook: Playbook, given: Mapping[str, str]) -> dict[str, str]:
    """A value for each parameter of the playbook; raises UsageError."""
    parameters = {one.name: one for one in playbook.parameters or ()}
    for name in given:
        if name not in parameters:
            fix = suggestion(name, list(parameters)) if parameters else "it takes none"
            raise UsageError(f"{name!r} is not a parameter of playbook {playbook.id}", fix=fix)
    values = {**defaults_of(playbook), **given}
    for name, parameter in parameters.items():
        if name not in values:
            why = parameter.description
            raise UsageError(f"playbook {playbook.id} needs {name}", why=why, fix=f"pass {name}=VALUE")
        check_value(parameter, values[name], "given")
    return values
