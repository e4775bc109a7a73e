"""The rules of incidents of a context: read, explained, looked over.

Invariant: no endpoint of a context is asked; only the journal is read, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, MaestroError, NotFound, UsageError
from maestro_cli.core.quantities import counted
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.explanation import RuleExplanation, explain_signal
from maestro_cli.incidents.intake.rules.lint import lint_rules
from maestro_cli.incidents.intake.rules.model import RuleBook, shipped_rules
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.rules.resolving import RuleResolver
from maestro_cli.incidents.intake.rules.usage import Usage, note_rules, unused_rules, usage_of_rules
from maestro_cli.incidents.register import known_signals, severity_words, signals_of
from maestro_cli.output.renderers.contexts import Finding
from maestro_cli.runbooks.playbooks.lint import PlaybookFinding, lint_file
from maestro_cli.services.built_once import built_once
from maestro_cli.services.runbook_checks import alerts_of

if TYPE_CHECKING:
    from maestro_cli.journal.store import Journal
    from maestro_cli.services.running import RunServices


class IncidentRules:
    """What there is to know of the rules of one context."""

    def __init__(self, services: RunServices) -> None:
        self._services = services
        self.building = services.building

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that count, the nearest first; the shipped one alone where no context names one."""
        settings = self._services.settings
        context = settings.contexts.get(settings.current_context or "")
        own = (Path(context.incident_rules),) if context is not None and context.incident_rules else ()
        return (*own, shipped_rules())

    @built_once
    def book(self) -> RuleBook:
        """The rules; raises InvalidFile."""
        return read_rules(self.files)

    @built_once
    def bindings(self) -> Bindings:
        """What playbooks and rules say of signals; raises InvalidFile for any that is wrong."""
        return Bindings(self._services.playbooks.all(), self.book)

    def watched_by(self, detector: Detector) -> RuleResolver:
        """Record that a watch knows the rules; returns what resolves the incidents that they leave to it."""
        journal, clock = self._services.journal, self._services.clock
        note_rules(journal, detector.actor, self.book)
        settle = self._services.settle_seconds
        return RuleResolver(journal, clock, detector.actor, self.bindings, settle_seconds=settle)

    @property
    def usage(self) -> Mapping[str, Usage]:
        """By rule; nothing where nothing is recorded yet."""
        journal = self._recorded
        return usage_of_rules(journal) if journal is not None else {}

    @property
    def _recorded(self) -> Journal | None:
        """The journal, where there is one: who only looks makes none."""
        try:
            return self._services.journal if self._services.journal_path.exists() else None
        except NotFound:  # no context
            return None

    @property
    def unused(self) -> Mapping[str, float]:
        """Of rules that matched nothing for too long: for how many seconds by now."""
        return unused_rules(self.book, self.usage, self._services.clock.now())

    def finding(self) -> Finding:
        """What the doctor says of them."""
        try:
            unused, count = self.unused, len(self.book.rules)
        except MaestroError as error:
            return Finding("rules", "incidents", False, error.what, error.fix)
        told = f"{counted(count, 'rule')}, {len(unused)} of them unused"
        fix = "maestro incident rules lint" if unused else ""
        return Finding("rules", "incidents", None if unused else True, told, fix)

    def explain(
        self, words: Sequence[str], pairs: Sequence[str], incident_ref: str | None
    ) -> tuple[RuleExplanation, ...]:
        """For a signal by its name, labels or fingerprint, or for every signal of an incident.

        Raises UsageError when none is named, or two ways at once, NotFound for an incident there is not.
        """
        journal, now = self._services.journal, self._services.clock.now()
        labels, fingerprint = self._labels(words, pairs)
        if incident_ref is not None:
            if labels:
                fix = "leave out the signal and its labels"
                raise UsageError("an incident has signals of its own", fix=fix)
            incident = self._services.desk.get(incident_ref)
            signals = signals_of(journal, incident.id)
            if not signals:
                raise UsageError(f"incident #{incident.number} has no signal")
            return tuple(
                explain_signal(self.bindings, journal, one.labels, now, one.fingerprint) for one in signals
            )
        if not labels:
            raise UsageError(
                "no signal is named", fix="maestro incident rules explain ALERT -l severity=page"
            )
        return (explain_signal(self.bindings, journal, labels, now, fingerprint),)

    def _labels(self, words: Sequence[str], pairs: Sequence[str]) -> tuple[dict[str, str], str]:
        """The labels of the one that is meant, and its fingerprint where that is what was said."""
        from maestro_cli.services.running import parse_pairs

        labels = parse_pairs([*(word for word in words if "=" in word), *pairs])
        names = [word for word in words if "=" not in word]
        if len(names) > 1:
            raise UsageError(f"{names[1]!r} is one signal too many", fix="name one alert, or one fingerprint")
        if not names:
            return labels, ""
        known = known_signals(self._services.journal, names)
        if known and not labels:
            every = signals_of(self._services.journal, known[names[0]].incident)
            return dict(next(one.labels for one in every if one.fingerprint == names[0])), names[0]
        return {"alertname": names[0], **labels}, ""

    def lint(self, files: Sequence[str], alerts: Sequence[str]) -> tuple[PlaybookFinding, ...]:
        """The findings in these files, or in those of the context; `alerts` are files that define alerts."""
        try:
            book = read_rules([Path(name) for name in files]) if files else self.book
        except InvalidFile as error:
            return (lint_file(error),)
        words = severity_words(self._recorded) if self._recorded is not None else ()
        unused = unused_rules(book, self.usage, self._services.clock.now())
        return lint_rules(book, alerts_of(alerts), words, unused, judge_names=bool(alerts))
