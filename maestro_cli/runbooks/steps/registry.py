"""Which language is which kind of step. Invariant: a new kind is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.runbooks.steps.ask import AskStep
from maestro_cli.runbooks.steps.change import ChangeStep
from maestro_cli.runbooks.steps.http import HttpStep
from maestro_cli.runbooks.steps.kind import StepKind
from maestro_cli.runbooks.steps.kube import KubeStep
from maestro_cli.runbooks.steps.manual import ManualStep
from maestro_cli.runbooks.steps.notify import NotifyStep
from maestro_cli.runbooks.steps.promql import PromqlStep
from maestro_cli.runbooks.steps.runbook import RunbookStep
from maestro_cli.runbooks.steps.shell import ShellStep

KINDS: Mapping[str, StepKind] = {
    "sh": ShellStep("sh", "-eu", "-c"),
    "bash": ShellStep("bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"),
    "python": ShellStep("", "-P", "-c"),
    "promql": PromqlStep(),
    "http": HttpStep(),
    "kube": KubeStep(),
    "change": ChangeStep(),
    "manual": ManualStep(),
    "ask": AskStep(),
    "runbook": RunbookStep(),
    "notify": NotifyStep(),
}


def kind_of(name: str) -> StepKind:
    """The kind for a fence's language; the reader has refused all others."""
    return KINDS[name]
