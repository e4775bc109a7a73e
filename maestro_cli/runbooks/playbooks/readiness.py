"""Whether a playbook may run by itself.

Invariant: `auto` needs a written rate limit and, of every runbook it binds, a rehearsal whose cases are all
green now and, on each step that alters the world, a verify and an undo. A change verifies itself; its kind
tells what takes it back. What is not so is told, and the playbook only suggests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.model import Runbook, Step
from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.rehearsal import rehearsal_file, rehearse
from maestro_cli.runbooks.steps.change import reversal_of
from maestro_cli.runbooks.steps.runbook import name_of

Key = str  # of the playbook's file, such as `steps[0]`


class Readiness:
    """Judges playbooks; a rehearsal is run once for each content of a runbook and its cases."""

    def __init__(self, runbooks: RunbookCatalog, clock: Clock) -> None:
        self._runbooks, self._clock = runbooks, clock
        self._rehearsed: dict[tuple[str, bytes], str] = {}

    def judged(self, playbook: Playbook) -> Playbook:
        """The playbook itself; when its mode is `auto` and it may not be, one that suggests and says why."""
        if playbook.mode != "auto":
            return playbook
        against = [text for _, text in self.against(playbook)]
        return replace(playbook, mode="suggest", held_back="; ".join(against)) if against else playbook

    def against(self, playbook: Playbook) -> tuple[tuple[Key, str], ...]:
        """What speaks against `auto`, each with the key it is about."""
        found = [] if playbook.has_limit else [("policy", "it has no max_runs_per_hour")]
        for number, step in enumerate(playbook.steps):
            found += [(f"steps[{number}]", text) for text in self._against(step)]
        if playbook.on_failure.step is not None:
            found += [("on_failure", text) for text in self._against(playbook.on_failure.step)]
        return tuple(dict.fromkeys(found))

    def _against(self, step: PlaybookStep) -> Iterator[str]:
        if step.inline is not None:
            altering = [one.path for one in step.inline.steps if one.mutates]
            if altering:
                yield f"{altering[0]} alters the world and has no rehearsal: it belongs into a runbook"
            return
        try:
            yield from self._against_runbook(self._runbooks.get(step.runbook), frozenset())
        except MaestroError as error:
            yield error.what

    def _against_runbook(self, book: Runbook, outer: frozenset[str]) -> Iterator[str]:
        fault = self._rehearsal_fault(book)
        if fault:
            yield fault
        for step in book.steps:
            if step.kind == "runbook":
                inner = read_runbook(Path(book.file).with_name(f"{name_of(step, book.file)}.md"))
                if inner.id not in outer:
                    yield from self._against_runbook(inner, outer | {book.id})
            elif step.mutates:
                yield from _against_step(book, step)

    def _rehearsal_fault(self, book: Runbook) -> str:
        file = rehearsal_file(book)
        try:
            content = file.read_bytes()
        except OSError:
            return f"{book.id} has no rehearsal ({file.name})"
        key = (book.digest, content)
        if key not in self._rehearsed:
            self._rehearsed[key] = self._rehearse(book)
        return self._rehearsed[key]

    def _rehearse(self, book: Runbook) -> str:
        try:
            results = rehearse(book, self._clock)
        except MaestroError as error:
            return f"the rehearsal of {book.id} cannot be run: {error.what}"
        red = next((one for one in results if not one.is_green), None)
        return f"the rehearsal of {book.id} is not green: {red.case}: {red.fault}" if red is not None else ""


def _against_step(book: Runbook, step: Step) -> Iterator[str]:
    if step.kind == "change":
        lost = "" if step.undo is not None else reversal_of(step, book.file)
        if lost:
            yield f"{step.path} of {book.id} cannot be taken back: {lost}"
        return
    if not step.verify:
        yield f"{step.path} of {book.id} alters the world and nothing verifies it"
    if step.undo is None:
        yield f"{step.path} of {book.id} alters the world and nothing takes it back"
