"""YAML playbooks: which alert opens which incident, and which runbooks run for it, under which policy.

Format: `maestro: playbook/v1`, matchers as in Alertmanager (`severity=~"page|critical"`; a regular
expression matches the whole value). Invariant: only a firing alert matches (a resolved one must never
start anything), and the answer says why, and for every other playbook why not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.core.untrusted import visible

_MATCHER = re.compile(
    r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]*))\s*"""
)
_LABEL = re.compile(r"\{\{\s*labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")
Mode = Literal["observe", "suggest", "auto"]


class AlertSpec(msgspec.Struct, forbid_unknown_fields=True):
    matchers: list[str]


class TriggerSpec(msgspec.Struct, forbid_unknown_fields=True):
    alert: AlertSpec


class IncidentSpec(msgspec.Struct, forbid_unknown_fields=True):
    severity: Literal["sev1", "sev2", "sev3", "sev4", "sev5"] = "sev3"
    title: str = ""


class PolicySpec(msgspec.Struct, forbid_unknown_fields=True):
    mode: Mode = "suggest"
    max_runs_per_hour: int = 2


class StepSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"values": "with"}):
    runbook: str
    values: dict[str, str | int | float] = {}


class PlaybookSpec(msgspec.Struct, forbid_unknown_fields=True):
    maestro: Literal["playbook/v1"]
    id: str
    trigger: TriggerSpec
    steps: list[StepSpec]
    title: str = ""
    incident: IncidentSpec = msgspec.field(default_factory=IncidentSpec)
    policy: PolicySpec = msgspec.field(default_factory=PolicySpec)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One comparison of a label; a label that is not there is the empty text, as in Prometheus."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        text = labels.get(self.label, "")
        same = text == self.value if self.operator in ("=", "!=") else bool(re.fullmatch(self.value, text))
        return same if self.operator in ("=", "=~") else not same

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value}"'


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One runbook of a playbook; values may hold `{{ labels.NAME }}`."""

    runbook: str
    values: Mapping[str, str]

    def parameters(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What the runbook is given; raises UsageError for a label the alert does not have."""
        return {name: fill(text, labels, strict=True) for name, text in self.values.items()}


@dataclass(frozen=True, slots=True)
class Playbook:
    id: str
    title: str
    file: str
    matchers: tuple[Matcher, ...]
    severity: str
    incident_title: str
    mode: Mode
    max_runs_per_hour: int
    steps: tuple[PlaybookStep, ...]

    def title_for(self, labels: Mapping[str, str]) -> str:
        """The incident's title for this alert; a missing label reads `?`."""
        return fill(self.incident_title or self.title or self.id, labels, strict=False)

    def mismatch(self, labels: Mapping[str, str]) -> str:
        """The first matcher that does not hold, in words; empty when all do."""
        for matcher in self.matchers:
            if not matcher.holds(labels):
                found = labels.get(matcher.label)
                has = "it has no such label" if found is None else f"it is {visible(found, 60)!r}"
                return f"{matcher}: {has}"
        return ""


@dataclass(frozen=True, slots=True)
class PlaybookMatch:
    """The playbook for an alert, why it, and why not each other."""

    playbook: Playbook | None
    why: str
    why_not: Mapping[str, str]


class PlaybookCatalog:
    """Reads `*.yaml` and `*.yml` of the folders when first asked; raises InvalidFile for the first wrong one:
    a playbook that silently does not count could leave an alert unanswered."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._read: dict[str, Playbook] | None = None

    def all(self) -> list[Playbook]:
        return [playbook for _, playbook in sorted(self._playbooks().items())]

    def get(self, name: str) -> Playbook:
        """Raises NotFound with a suggestion."""
        playbooks = self._playbooks()
        if name not in playbooks:
            raise NotFound(
                f"there is no playbook {visible(name, 60)!r}", fix=suggestion(name, list(playbooks))
            )
        return playbooks[name]

    def match(self, labels: Mapping[str, str], *, firing: bool = True) -> PlaybookMatch:
        """The playbook with the most matchers among those that match; the lower id when two tie."""
        everyone = self.all()
        if not firing:
            return PlaybookMatch(
                None, "the alert is resolved", {one.id: "it is not firing" for one in everyone}
            )
        why_not = {one.id: reason for one in everyone if (reason := one.mismatch(labels))}
        fitting = sorted(
            (one for one in everyone if one.id not in why_not), key=lambda one: (-len(one.matchers), one.id)
        )
        if not fitting:
            return PlaybookMatch(None, "no playbook matches", why_not)
        best = fitting[0]
        for other in fitting[1:]:
            why_not[other.id] = f"it matches too; {best.id} has more matchers or comes first"
        return PlaybookMatch(best, f"{best.id}: " + ", ".join(map(str, best.matchers)), why_not)

    def _playbooks(self) -> dict[str, Playbook]:
        if self._read is None:
            found: dict[str, Playbook] = {}
            for folder in self._folders:
                own: dict[str, Playbook] = {}
                for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
                    playbook = read_playbook(path)
                    if playbook.id in own:
                        raise InvalidFile(
                            "the id is taken", file=str(path), key="id", why=f"{own[playbook.id].file} has it"
                        )
                    own[playbook.id] = playbook
                found = {**own, **found}
            self._read = found
        return self._read


def read_playbook(path: Path) -> Playbook:
    """Read one file; raises InvalidFile with file:line and key."""
    document = read_yaml(path)
    spec = document.decode(PlaybookSpec)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", spec.id):
        raise document.fail("is not an id", ("id",), fix="use letters, digits, '-', '_' and '.'")
    if not spec.steps:
        raise document.fail("is empty", ("steps",), fix="add '- runbook: ID'")
    if spec.policy.max_runs_per_hour < 1:
        raise document.fail("must be at least 1", ("policy", "max_runs_per_hour"))
    if not spec.trigger.alert.matchers:
        fix = "a playbook for every alert is none: add 'alertname=\"NAME\"'"
        raise document.fail("is empty", ("trigger", "alert", "matchers"), fix=fix)
    return Playbook(
        id=spec.id,
        title=spec.title,
        file=str(path),
        matchers=tuple(_matcher(text, i, document) for i, text in enumerate(spec.trigger.alert.matchers)),
        severity=spec.incident.severity,
        incident_title=spec.incident.title,
        mode=spec.policy.mode,
        max_runs_per_hour=spec.policy.max_runs_per_hour,
        steps=tuple(
            PlaybookStep(step.runbook, {name: str(value) for name, value in step.values.items()})
            for step in spec.steps
        ),
    )


def fill(text: str, labels: Mapping[str, str], *, strict: bool) -> str:
    """Replace each `{{ labels.NAME }}` once; raises UsageError for a missing label when strict."""

    def one(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in labels and strict:
            raise UsageError(f"the alert has no label {name!r}", why=f"{text!r} asks for it")
        return labels.get(name, "?")

    return _LABEL.sub(one, text)


def _matcher(text: str, index: int, document: Document) -> Matcher:
    path: tuple[Any, ...] = ("trigger", "alert", "matchers", index)
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise document.fail("is not a matcher", path, fix="write 'severity=\"page\"' or 'job=~\"a|b\"'")
    label, operator, quoted, bare = match.groups()
    value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None and operator in ("=", "!=") else quoted
    value = bare if value is None else value
    if operator in ("=~", "!~"):
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise document.fail("is not a regular expression", path, why=str(error)) from error
    return Matcher(label, operator, value)
