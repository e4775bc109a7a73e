"""What would go wrong with an on-call file that can be read: nobody there, nobody told, nothing used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.people.oncall import OnCall
from maestro_cli.incidents.people.schedule import Schedule, gaps, shifts
from maestro_cli.runbooks.lint import Finding

MAX_GAPS = 5  # of one schedule; the others are counted
RULES: Mapping[str, str] = {
    "invalid": "The file cannot be read",
    "gap": "A time in which nobody is on call",
    "silent-person": "A person who may be told and has no channel",
    "past-override": "An override that is over",
    "unused-schedule": "A schedule that no policy tells",
    "no-policy": "A severity that no policy is for",
}


def lint_oncall(oncall: OnCall, now: datetime, days: int) -> tuple[Finding, ...]:
    """Every finding, in the order of the lines; gaps are looked for in the next `days` days."""

    def finding(rule: str, level: str, place: str, text: str) -> Finding:
        at = oncall.places.get(place, 1)
        return Finding(rule, "error" if level == "error" else "warning", oncall.file, at, text)

    told = {target.name for policy in oncall.policies for step in policy.steps for target in step.tell
            if target.kind == "schedule"}  # fmt: skip
    found = [
        finding("silent-person", "error", f"people.{name}", f"{name} may be told, and has no channel")
        for name in sorted(_may_be_told(oncall))
        if not oncall.people[name].channels
    ]
    for name, schedule in oncall.schedules.items():
        place = f"schedules.{name}"
        if name not in told:
            found.append(finding("unused-schedule", "warning", place, f"no policy tells {name}"))
        found += [finding("gap", "warning", place, text) for text in _gaps(schedule, now, days)]
        for number, override in enumerate(schedule.overrides):
            if override.end <= now:
                text = f"the override by {override.person} was over at {to_rfc3339(override.end)}"
                found.append(finding("past-override", "warning", f"{place}.overrides[{number}]", text))
    for severity in Severity:
        if oncall.policy_for(severity.value) is None:
            text = f"nobody is told of a {severity.value} that nobody acknowledges"
            found.append(finding("no-policy", "warning", "policies", text))
    return tuple(sorted(found, key=lambda one: one.line))


def _may_be_told(oncall: OnCall) -> set[str]:
    names = {target.name for policy in oncall.policies for step in policy.steps for target in step.tell
             if target.kind == "person"}  # fmt: skip
    for schedule in oncall.schedules.values():
        names |= {person for layer in schedule.layers for person in layer.people}
        names |= {override.person for override in schedule.overrides}
    return names


def _gaps(schedule: Schedule, now: datetime, days: int) -> Iterator[str]:
    if schedule.pagerduty:
        return
    found = gaps(shifts(schedule, now, now + timedelta(days=days)))
    for gap in found[:MAX_GAPS]:
        yield f"nobody is on call by {schedule.name} from {to_rfc3339(gap.begin)} to {to_rfc3339(gap.end)}"
    if len(found) > MAX_GAPS:
        yield f"nobody is on call by {schedule.name} {len(found) - MAX_GAPS} more times within {days} days"
