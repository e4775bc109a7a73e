"""Folders of playbooks and of the runbooks that they bind."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.clock import SystemClock
from maestro_cli.runbooks.alerts import AlertRule
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks.lint import lint
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.reader import read_playbook
from maestro_cli.runbooks.playbooks.readiness import Readiness

HEAD = "maestro: playbook/v1\nid: one\n"
TRIGGER = "trigger: {alert: {matchers: [alertname=Slow]}}\n"
STEPS = "steps: [{runbook: mend, with: {DEPLOY: '{{ labels.deployment }}'}}]\n"
AUTO = "policy: {mode: auto, max_runs_per_hour: 3}\n"
BOOK = "---\nmaestro: runbook/v1\nparams: {DEPLOY: {pattern: '[a-z]+'}}\n---\n"
CHANGE = "```change {id=mend}\nkind: KIND\ntarget: deploy/$DEPLOY\nnamespace: ml\n```\n"
GREEN = """\
maestro: rehearsal/v1
cases:
- {name: works, params: {DEPLOY: fraud}, mocks: {mend: {}}, expect: {status: succeeded, sequence: [mend]}}
"""
CLOCK = SystemClock()


class Shelf:
    """Folders of playbooks and runbooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plays = folder / "playbooks"
        self.plays.mkdir()
        self.book(CHANGE.replace("KIND", "rollback"))
        (folder / "mend.test.yaml").write_text(GREEN)

    def book(self, steps: str, name: str = "mend") -> None:
        (self.folder / f"{name}.md").write_text(BOOK + steps)

    def play(self, text: str, name: str = "one") -> Playbook:
        (self.plays / f"{name}.yaml").write_text(text)
        return read_playbook(self.plays / f"{name}.yaml")

    @property
    def runbooks(self) -> RunbookCatalog:
        return RunbookCatalog([self.folder])

    def findings(self, text: str, known: tuple[AlertRule, ...] = ()) -> list[tuple[str, str, int, str]]:
        found = lint(self.play(text), self.runbooks, Readiness(self.runbooks, CLOCK), known)
        return [(one.rule, one.key, one.line, one.text) for one in found]

    def against(self, text: str) -> str:
        return Readiness(self.runbooks, CLOCK).judged(self.play(text)).held_back
