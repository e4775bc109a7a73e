"""The rules of incidents of a context: read, explained, looked over.

Invariant: no endpoint of a context is asked; only the journal is read, where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.rules.explanation import RuleExplanation, explain_signal
from maestro_cli.incidents.intake.rules.lint import lint_rules
from maestro_cli.incidents.intake.rules.model import RuleBook
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.register import known_signals, severity_words, signals_of
from maestro_cli.runbooks.playbooks.lint import PlaybookFinding, lint_file
from maestro_cli.services.runbook_checks import alerts_of

if TYPE_CHECKING:
    from maestro_cli.services.running import RunServices

SHIPPED = "incident-rules.yaml"


class IncidentRules:
    """What there is to know of the rules of one context."""

    def __init__(self, services: RunServices) -> None:
        self._services = services

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that count, the nearest first; the shipped one alone where no context names one."""
        settings = self._services.settings
        context = settings.contexts.get(settings.current_context or "")
        own = (Path(context.incident_rules),) if context is not None and context.incident_rules else ()
        return (*own, shipped("deploy") / SHIPPED)

    @cached_property
    def book(self) -> RuleBook:
        """The rules; raises InvalidFile."""
        return read_rules(self.files)

    @cached_property
    def bindings(self) -> Bindings:
        """What playbooks and rules say of signals; raises InvalidFile for any that is wrong."""
        return Bindings(self._services.playbooks.all(), self.book)

    def explain(
        self, words: Sequence[str], pairs: Sequence[str], incident_ref: str | None
    ) -> tuple[RuleExplanation, ...]:
        """For a signal by its name, labels or fingerprint, or for every signal of an incident.

        Raises UsageError when none is named, or two ways at once, NotFound for an incident there is not.
        """
        journal, now = self._services.journal, self._services.clock.now()
        labels = self._labels(words, pairs)
        if incident_ref is not None:
            if labels:
                fix = "leave out the signal and its labels"
                raise UsageError("an incident has signals of its own", fix=fix)
            incident = self._services.desk.get(incident_ref)
            signals = signals_of(journal, incident.id)
            if not signals:
                raise UsageError(f"incident #{incident.number} has no signal")
            return tuple(explain_signal(self.bindings, journal, one.labels, now) for one in signals)
        if not labels:
            raise UsageError(
                "no signal is named", fix="maestro incident rules explain ALERT -l severity=page"
            )
        return (explain_signal(self.bindings, journal, labels, now),)

    def _labels(self, words: Sequence[str], pairs: Sequence[str]) -> dict[str, str]:
        from maestro_cli.services.running import parse_pairs

        labels = parse_pairs([*(word for word in words if "=" in word), *pairs])
        names = [word for word in words if "=" not in word]
        if len(names) > 1:
            raise UsageError(f"{names[1]!r} is one signal too many", fix="name one alert, or one fingerprint")
        if not names:
            return labels
        known = known_signals(self._services.journal, names)
        if known and not labels:
            every = signals_of(self._services.journal, known[names[0]].incident)
            return dict(next(one.labels for one in every if one.fingerprint == names[0]))
        return {"alertname": names[0], **labels}

    def lint(self, files: Sequence[str], alerts: Sequence[str]) -> tuple[PlaybookFinding, ...]:
        """The findings in these files, or in those of the context; `alerts` are files that define alerts."""
        try:
            book = read_rules([Path(name) for name in files]) if files else self.book
        except InvalidFile as error:
            return (lint_file(error),)
        try:
            words = severity_words(self._services.journal)
        except NotFound:  # no context: nothing has come yet
            words = ()
        return lint_rules(book, alerts_of(alerts), words, judge_names=bool(alerts))
