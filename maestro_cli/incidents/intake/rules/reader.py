"""From YAML files to a `RuleBook`: the context's file, and what is shipped behind it.

Invariant: rules of the context come first, a shipped rule of the same id is replaced, and the last rule takes
every signal. Errors name file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from maestro_cli.config.strict import Document, read_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.incidents.intake.correlation import IntakePolicy, key_part
from maestro_cli.incidents.intake.rules.model import (
    DEFAULT_FLAP_LIMIT,
    EVERY_SIGNAL,
    STORM_PREFIX,
    FlapLimit,
    Rule,
    RuleBook,
)
from maestro_cli.incidents.intake.rules.projection import MAX_FLAPPING_SECONDS
from maestro_cli.incidents.intake.rules.spec import FlappingSpec, RuleSpec, RulesSpec, StormSpec
from maestro_cli.incidents.intake.topology import closure
from maestro_cli.incidents.model import Severity
from maestro_cli.runbooks.playbooks.matchers import Matcher, read_matchers
from maestro_cli.runbooks.playbooks.template import placeholders, unread

MAX_RULES = 200
_MAX_SECONDS = 31 * 86_400.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_WORKLOAD = re.compile(r"[a-z0-9][-a-z0-9.]{0,252}/[a-z0-9][-a-z0-9.]{0,252}")
_Place = tuple[str | int, ...]


def read_rules(files: Sequence[Path]) -> RuleBook:
    """Read files, the nearest first; raises InvalidFile with file:line and key."""
    book = RuleBook(rules=())
    for file in reversed(files):
        document = read_yaml(file)
        book = _Reading(document, document.decode(RulesSpec)).before(book)
    if all(one.matchers for one in book.rules):
        book = replace(book, rules=(*book.rules, replace(EVERY_SIGNAL, flapping=DEFAULT_FLAP_LIMIT)))
    return book


class _Reading:
    """One file being read."""

    def __init__(self, document: Document, spec: RulesSpec) -> None:
        self._document, self._spec = document, spec
        self._fail = document.fail

    def before(self, far: RuleBook) -> RuleBook:
        """What this file and a farther one say together."""
        spec = self._spec
        own = self._rules()
        unused = far.unused_after_seconds
        needs = {**far.dependencies, **self._dependencies()}
        if spec.unused_after:
            unused = self._seconds(spec.unused_after, ("unused_after",), most=366 * 86_400.0)
        return RuleBook(
            rules=(*own.values(), *(one for one in far.rules if one.id not in own)),
            policy=self._policy(far.policy),
            storm=far.storm if spec.storm is None else self._storm(spec.storm),
            unused_after_seconds=unused,
            dependencies=needs,
            needs=closure(needs),
        )

    def _policy(self, far: IntakePolicy) -> IntakePolicy:
        spec = self._spec
        words: dict[str, Severity | None] = dict(far.severities)
        for word, severity in spec.severities.items():
            if not word or word != word.strip().lower():
                raise self._fail("is not a word in small letters", ("severities", word))
            words[word] = None if severity == "none" else Severity(severity)
        for number, name in enumerate(spec.heartbeats):
            if not name:
                raise self._fail("is empty", ("heartbeats", number), fix="name an alert")
        unknown = Severity(spec.unknown_severity) if spec.unknown_severity else far.unknown_severity
        return IntakePolicy(words, unknown, far.heartbeats | set(spec.heartbeats))

    def _dependencies(self) -> dict[str, tuple[str, ...]]:
        for name, needed in self._spec.dependencies.items():
            at: _Place = ("dependencies", name)
            for each, where in ((name, at), *((one, (*at, number)) for number, one in enumerate(needed))):
                if not _WORKLOAD.fullmatch(each):
                    fix = "write namespace/name"
                    raise self._fail(f"{visible(each, 60)!r} is not a workload", where, fix=fix)
            if name in needed:
                raise self._fail("needs itself", at)
        return {name: tuple(needed) for name, needed in self._spec.dependencies.items()}

    def _storm(self, spec: StormSpec | str) -> Rule | None:
        if isinstance(spec, str):
            return None
        at: _Place = ("storm",)
        self._check(spec.group_by, spec.threshold, spec.title, at)
        window = self._seconds(spec.window, (*at, "window"))
        return Rule(
            id="storm",
            group_by=tuple(spec.group_by),
            window_seconds=window,
            threshold=spec.threshold,
            flapping=DEFAULT_FLAP_LIMIT,
            title=spec.title or f"Alert storm: over {spec.threshold} incidents began within {spec.window}",
            prefix=STORM_PREFIX,
            by_labels=True,
            file=self._document.file,
            line=self._document.line_of(at),
        )

    def _check(self, group_by: Sequence[str], threshold: int, title: str, at: _Place) -> None:
        for number, label in enumerate(group_by):
            if not _LABEL.fullmatch(label):
                raise self._fail(f"{visible(label, 60)!r} is not a label", (*at, "group_by", number))
        if not 1 <= threshold <= 1000:
            raise self._fail("must be from 1 to 1000", (*at, "threshold"))
        if wrong := [*unread(title), *(scope for scope, _ in placeholders(title) if scope != "labels")]:
            what = f"{visible(wrong[0], 60)!r} is nothing that a signal has"
            raise self._fail(what, (*at, "title"), fix="write {{ labels.NAME }}")

    def _rules(self) -> dict[str, Rule]:
        if len(self._spec.rules) > MAX_RULES:
            raise self._fail(f"has more than {MAX_RULES}", ("rules",))
        found: dict[str, Rule] = {}
        for number, one in enumerate(self._spec.rules):
            at: _Place = ("rules", number)
            if not _ID.fullmatch(one.id):
                fix = "use letters, digits, '-', '_' and '.'"
                raise self._fail(f"{visible(one.id, 60)!r} is not an id", (*at, "id"), fix=fix)
            if one.id in found:
                raise self._fail("the id is taken", (*at, "id"), why=f"line {found[one.id].line} has it")
            found[one.id] = self._rule(one, at)
        return found

    def _rule(self, spec: RuleSpec, at: _Place) -> Rule:
        if spec.same is not None and spec.group_by is not None:
            raise self._fail("has group_by as well", (*at, "same"), fix="write one of them")
        if spec.same is not None and "workload" not in spec.same:
            raise self._fail("has no workload", (*at, "same"), fix="write [workload, node, dependency]")
        self._check(spec.group_by or (), spec.threshold, spec.title, at)
        return Rule(
            id=spec.id,
            matchers=self._matchers(spec.matchers, (*at, "matchers")),
            group_by=tuple(spec.group_by or ()),
            same=tuple(spec.same or ("workload",)),
            window_seconds=self._seconds(spec.window, (*at, "window")),
            threshold=spec.threshold,
            reopen_window_seconds=self._seconds(spec.reopen_window, (*at, "reopen_window"), least=0.0),
            flapping=self._flapping(spec.flapping, (*at, "flapping")),
            resolve_on=spec.resolve_on,
            title=spec.title,
            prefix=("rule", key_part(spec.id)),
            by_labels=spec.group_by is not None,
            file=self._document.file,
            line=self._document.line_of(at),
        )

    def _flapping(self, spec: FlappingSpec | str, at: _Place) -> FlapLimit | None:
        if isinstance(spec, str):
            return None
        if not 2 <= spec.times <= 100:
            raise self._fail("must be from 2 to 100", (*at, "times"))
        within = self._seconds(spec.within, (*at, "within"), most=MAX_FLAPPING_SECONDS)
        return FlapLimit(spec.times, within)

    def _matchers(self, texts: Sequence[str], at: _Place) -> tuple[Matcher, ...]:
        return read_matchers(texts, partial(self._bad_matcher, at))

    def _bad_matcher(self, at: _Place, number: int, what: str, why: str, fix: str) -> InvalidFile:
        return self._fail(what, (*at, number), why=why, fix=fix)

    def _seconds(self, text: str, at: _Place, *, least: float = 0.001, most: float = _MAX_SECONDS) -> float:
        try:
            seconds = parse_duration_seconds(text)
        except ValueError as error:
            raise self._fail(visible(str(error)), at, fix="write 10m") from error
        if not least <= seconds <= most:
            raise self._fail(f"must be {'from 0' if not least else 'above 0'} to {most / 86_400:.0f}d", at)
        return seconds
