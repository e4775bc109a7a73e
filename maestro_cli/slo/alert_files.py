"""Alerts in Prometheus rule files, as people write them for production, and the same for a rehearsal.

Invariant: only times are shortened: how long something must hold, the ranges and the offsets of queries.
Thresholds, labels and annotations are as written, so what fires in a drill is the alert that pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.config.strict import Document, read_yaml
from maestro_cli.core.quantities import parse_duration_seconds, prometheus_duration
from maestro_cli.slo.windows import Profile

_FEWEST_SCRAPES = 5  # in a range or a wait: rate() needs two, and some may be late
_TIMES = re.compile(
    r"#[^\n]*"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'(?:[^'\\]|\\.)*'"
    r"|`[^`]*`"
    r"|\[\s*(?P<range>[0-9][0-9a-z]*)\s*(?P<colon>:)?\s*(?P<step>[0-9][0-9a-z]*)?\s*\]"
    r"|(?P<before>\boffset\s+-?\s*)(?P<offset>[0-9][0-9a-z]*)",
    re.DOTALL,
)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule; `pending` is its `for`."""

    expr: str
    alert: str = ""
    record: str = ""
    pending: str = msgspec.field(name="for", default="")
    keep_firing_for: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    rules: list[Rule]
    interval: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: list[Group]


def read_alert_files(folder: Path) -> tuple[Group, ...]:
    """The groups of every rule file in a folder, each named after its file too; none without the folder.

    Raises InvalidFile for what is no rule, and for a time that is none.
    """
    return tuple(group for file in sorted(folder.glob("*.yaml")) for group in _read(file))


def group_document(group: Group, profile: Profile) -> dict[str, Any]:
    """The group for a rule file, its times as the profile wants them. Pure."""
    found: dict[str, Any] = {"name": group.name}
    if profile.is_shortened:
        found["interval"] = prometheus_duration(profile.interval_seconds)
    elif group.interval:
        found["interval"] = group.interval
    return {**found, "rules": [_rule_document(rule, profile) for rule in group.rules]}


def shortened_query(query: str, profile: Profile) -> str:
    """The query with its ranges and offsets as the profile wants them; raises ValueError for a wrong one."""

    def one(match: re.Match[str]) -> str:
        if match["range"]:
            step = _shortened(match["step"], profile, profile.interval_seconds) if match["step"] else ""
            least = _FEWEST_SCRAPES * profile.interval_seconds
            return f"[{_shortened(match['range'], profile, least)}{match['colon'] or ''}{step}]"
        if match["offset"]:
            return match["before"] + _shortened(match["offset"], profile, profile.interval_seconds)
        return match[0]

    return _TIMES.sub(one, query)


def _shortened(time: str, profile: Profile, at_least: float) -> str:
    seconds = parse_duration_seconds(time)
    return prometheus_duration(profile.shortened(seconds, at_least)) if profile.is_shortened else time


def _rule_document(rule: Rule, profile: Profile) -> dict[str, Any]:
    kind = {"alert": rule.alert} if rule.alert else {"record": rule.record}
    found: dict[str, Any] = {**kind, "expr": shortened_query(rule.expr, profile)}
    least = _FEWEST_SCRAPES * profile.interval_seconds  # as long as a scrape or two may be late
    for name, time in (("for", rule.pending), ("keep_firing_for", rule.keep_firing_for)):
        if time:
            found[name] = _shortened(time, profile, least)
    for name, texts in (("labels", rule.labels), ("annotations", rule.annotations)):
        if texts:
            found[name] = dict(texts)
    return found


def _read(file: Path) -> Iterator[Group]:
    document = read_yaml(file)
    for number, group in enumerate(document.decode(_File).groups):
        for index, rule in enumerate(group.rules):
            _check(rule, document, ("groups", number, "rules", index))
        yield Group(f"{file.stem}/{group.name}", group.rules, group.interval)


def _check(rule: Rule, document: Document, path: tuple[str | int, ...]) -> None:
    """Raises InvalidFile."""
    if bool(rule.alert) == bool(rule.record):
        raise document.fail("is neither an alert nor a record", path, fix="name it: alert: NAME")
    for key, time in (("for", rule.pending), ("keep_firing_for", rule.keep_firing_for)):
        try:
            parse_duration_seconds(time or "0")
        except ValueError as error:
            raise document.fail(str(error), (*path, key)) from error
    try:
        for match in _TIMES.finditer(rule.expr):
            for time in filter(None, (match["range"], match["step"], match["offset"])):
                parse_duration_seconds(time)
    except ValueError as error:
        raise document.fail(str(error), (*path, "expr")) from error
