"""What the screen of an incident says first: what is wrong, who it hurts, what changed, the safest next key.

Invariant: pure; what is not known is said to be, and colour only underlines a word.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.output.renderers.incident_findings import age_of
from maestro_cli.output.tones import severity_tone
from maestro_cli.tui.screens.incident_tried import is_clearing, mended_steps, rollback_steps, runbook_steps

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.incidents.clock import PhaseReading
    from maestro_cli.tui.feeds.story import IncidentStory

Spans = tuple[tuple[str, str], ...]
Keys = Callable[[str], str]  # the id of a key → that key, as people name it
SEPARATOR = " · "  # a part of a line begins with it


def head_lines(story: IncidentStory, now: datetime, keys: Keys) -> list[Spans]:
    """Six lines, each with its name first; `keys` says which key does what has an id."""
    return [
        what_line(story),
        who_line(story, now),
        suspect_line(story),
        changed_line(story, now),
        clock_line(story, now),
        next_line(story, keys),
    ]


def what_line(story: IncidentStory) -> Spans:
    """`#3 sev2 triaging  fraud answers with errors`."""
    incident = story.incident
    tone = severity_tone(incident.severity.value) if incident.state.is_open else "good"
    drill = "  (drill)" if incident.drill else ""
    state = incident.state.value.upper()
    return (
        (f"#{incident.number} {incident.severity.value} {state}", tone),
        (f"  {incident.title}{drill}", "title"),
    )


def who_line(story: IncidentStory, now: datetime) -> Spans:
    """Where it is, what fires, and whose it is."""
    incident, people = story.incident, story.details.people
    where = str(incident.workload or incident.namespace or "no place is named")
    firing = f"{incident.firing} of {counted(incident.signals, 'signal')} firing"
    names = ", ".join(sorted({signal.name for signal in story.details.signals if signal.firing})[:3])
    roles = dict(people.roles) if people is not None else {}
    owner = incident.owner or "nobody"
    commander = f" · commander {roles['commander']}" if "commander" in roles else ""
    return (
        ("hurts    ", "key"),
        (where, ""),
        (f" · {firing}" + (f" ({names})" if names else ""), "bad" if incident.firing else "good"),
        (f" · owner {owner}{commander}", "warn" if incident.owner is None else ""),
        (unwatched(story, now), "warn"),
    )


def unwatched(story: IncidentStory, now: datetime) -> str:
    """That what fires may be otherwise by now; "" while somebody watches."""
    sight = story.details.sight
    if not story.incident.state.is_open or (sight.watchers and sight.blind_since is None):
        return ""
    if sight.blind_since is not None:
        return f" · the watch is blind since {age_of(sight.blind_since, now)}"
    return " · nobody watches: maestro watch"


def suspect_line(story: IncidentStory) -> Spans:
    """The first suspect with what speaks for it, else what the triage came to, else that there was none."""
    suspect = story.top_suspect
    if suspect is not None:
        reasons = "; ".join(suspect["reasons_for"][:2])
        return (
            ("suspect  ", "key"),
            (f"{suspect['kind']} {suspect['subject']} ({suspect['score']:.2f})", "warn"),
            (f" {reasons}", ""),
        )
    if story.details.triage is not None:
        return (("suspect  ", "key"), (str(story.details.triage["conclusion"]), ""))
    return (("suspect  ", "key"), ("not known yet: nobody has triaged it", "dim"))


def changed_line(story: IncidentStory, now: datetime) -> Spans:
    """The newest change that reached the world before it began, and the newest one since."""
    began = story.incident.times.started_at
    reached = [(one.applied_at, one) for one in story.changes if one.applied_at is not None]
    before = [_change_words(one, now) for at, one in reached if at <= began][:1]
    since = [_change_words(one, now) for at, one in reached if at > began][:1]
    words = [f"before it: {one}" for one in before] + [f"since: {one}" for one in since]
    if not words:
        return (("changed  ", "key"), ("nothing by maestro; the pane Changes has the revisions", "dim"))
    parts = [(f"{SEPARATOR if place else ''}{one}", "") for place, one in enumerate(words)]
    return (("changed  ", "key"), *parts)


def _change_words(change: Change, now: datetime) -> str:
    """Its age is that of the state it is in: of a verified one since it was verified."""
    reached_at = change.finished_at or change.applied_at or change.updated_at
    return f"{change.plan.summary}, {change.state.value} {age_of(reached_at, now)}"


def clock_line(story: IncidentStory, now: datetime) -> Spans:
    """Each phase that runs or overran, with what is left of its budget, in words."""
    incident = story.incident
    over = incident.times.resolved_at if not incident.state.is_open else None
    opened = format_duration(max(seconds_between(incident.times.opened_at, over or now), 0.0))
    behind = max(seconds_between(story.details.now, now), 0.0)  # a clock goes on between two reads
    parts: list[tuple[str, str]] = [("clock    ", "key"), (f"{'was ' if over else ''}open for {opened}", "")]
    for reading in story.details.clock:
        words, tone = phase_words(reading, behind)
        if words:
            parts.append((f" · {words}", tone))
    return tuple(parts)


def phase_words(reading: PhaseReading, behind: float) -> tuple[str, str]:
    """`resolve within 25m48s`, `triage overran by 2m`; nothing for what was met or has no budget."""
    name, standing = reading.phase.value, reading.standing.value
    if standing == "running" and reading.budget_seconds is not None and reading.seconds is not None:
        left = reading.budget_seconds - reading.seconds - behind
        if left > 0:
            return f"{name} within {format_duration(left)}", "warn" if left < 300 else ""
        return f"{name} overran by {format_duration(-left)}", "bad"
    if standing == "running" and name == "ack":
        return "not acknowledged", "warn"
    if standing == "breached":
        over = ""
        if reading.seconds is not None and reading.budget_seconds is not None:
            over = f" by {format_duration(reading.seconds - reading.budget_seconds)}"
        return f"{name} overran{over}", "bad"
    return "", ""


def next_line(story: IncidentStory, keys: Keys) -> Spans:
    """`next: a acknowledge · r run runbook fraud-rollback (dry run first)`."""
    parts: list[tuple[str, str]] = [("next     ", "key")]
    for place, (name, words) in enumerate(next_steps(story)):
        parts += [(SEPARATOR, "dim")] if place else []
        parts += [(keys(name), "title"), (f" {words}", "")] if name else [(words, "")]
    return tuple(parts)


def next_steps(story: IncidentStory) -> list[tuple[str, str]]:
    """The safest things to do now, the first first: each the id of a key, "" for waiting, and its words."""
    incident, run = story.incident, story.open_run
    if not incident.state.is_open:
        return _afterwards(story)
    found: list[tuple[str, str]] = []
    if incident.times.acked_at is None:
        found.append(("incident.ack", "acknowledge"))
    if run is not None and run.status.value == "running":
        found += [("", f"run {run.runbook} is at work"), ("view.menu", "stop it")]
    elif run is not None:
        found.append(("incident.go-on", f"go on with {run.runbook}, which is {run.status.value}"))
    elif not story.hold and _was_heard(story):
        found += [*_mitigation(story), ("incident.resolve", "resolve")]
    elif not story.hold:
        found += _remedies(story)
    elif incident.firing == 0:
        found.append(("", f"wait: {story.hold}"))
    else:
        found += _remedies(story)
    return found


def _was_heard(story: IncidentStory) -> bool:
    """Whether any signal can clear by itself; what people reported is over when they say so."""
    return any(not signal.is_report for signal in story.details.signals)


def _mitigation(story: IncidentStory) -> list[tuple[str, str]]:
    """To say what mitigated it, where a run has ended well and nobody has said so yet."""
    is_said = story.incident.state.value == "monitoring"
    if is_said or not any(run.status.value == "succeeded" for run in story.runs):
        return []
    return [("incident.mitigate", "say what mitigated it")]


def _remedies(story: IncidentStory) -> list[tuple[str, str]]:
    """While something fires or is reported: what may mend it and was not tried in vain; once a run has ended
    well or it was rolled back, that it may be mended."""
    found: list[tuple[str, str]] = []
    rest = ("", f"wait: {story.hold}") if story.hold else ("incident.resolve", "resolve")
    if story.incident.state.value == "monitoring":
        return [rest]
    if mitigation := _mitigation(story):
        return [*mitigation, rest]
    found += mended_steps(story)
    if is_clearing(story):
        return found
    if story.details.triage is None:
        found.append(("incident.triage", "triage"))
    return [*found, *runbook_steps(story), *rollback_steps(story)]


def _afterwards(story: IncidentStory) -> list[tuple[str, str]]:
    state = story.incident.state.value
    if state == "resolved":
        written = any(entry.kind == "incident.postmortem_written" for entry in story.timeline)
        first = [("incident.publish", "publish the post-mortem")] if written else []
        return [
            *first,
            ("incident.postmortem", "write it again" if written else "write the post-mortem"),
            ("incident.reopen", "reopen"),
        ]
    if state == "postmortem":
        return [("incident.close", "close"), ("incident.reopen", "reopen")]
    return [("", f"nothing: it is {state}"), ("incident.note", "note")]
