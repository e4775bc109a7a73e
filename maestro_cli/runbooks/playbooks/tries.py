"""What the sample alerts in playbooks choose, and whether the rehearsals of their runbooks are green.

Invariant: a sample is put to all playbooks, as a real alert is, and what it chooses must get its values from
it. Nothing is really done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.playbooks.matching import match_alert
from maestro_cli.runbooks.playbooks.model import Playbook, Sample
from maestro_cli.runbooks.rehearsal import rehearsal_file, rehearse

NONE = "none"


@dataclass(frozen=True, slots=True)
class Trial:
    """How one sample or one case of a rehearsal went; `fault` says what was not as expected, or is empty."""

    playbook: str
    what: str  # `sample`, or `rehearsal of RUNBOOK`
    case: str
    file: str
    line: int
    fault: str

    @property
    def is_green(self) -> bool:
        return not self.fault


def try_out(
    playbook: Playbook, everyone: Sequence[Playbook], runbooks: RunbookCatalog, clock: Clock
) -> Iterator[Trial]:
    """Each sample of a playbook, and each case of the rehearsals of its runbooks.

    Raises NotFound for a runbook that is not there, InvalidFile for a rehearsal that cannot be read.
    """
    yield from try_samples(playbook, everyone, runbooks)
    bound = (*playbook.steps, *filter(None, (playbook.on_failure.step,)))
    for name in dict.fromkeys(step.runbook for step in bound if step.inline is None):
        book = runbooks.get(name)
        if rehearsal_file(book).exists():
            for one in rehearse(book, clock):
                yield Trial(playbook.id, f"rehearsal of {book.id}", one.case, one.file, one.line, one.fault)


def try_samples(
    playbook: Playbook, everyone: Sequence[Playbook], runbooks: RunbookCatalog
) -> Iterator[Trial]:
    """Each sample of a playbook, put to everyone."""
    for number, sample in enumerate(playbook.samples):
        line = playbook.line_of(f"tests[{number}]")
        fault = _fault(sample, everyone, runbooks)
        yield Trial(playbook.id, "sample", sample.name, playbook.file, line, fault)


def _fault(sample: Sample, everyone: Sequence[Playbook], runbooks: RunbookCatalog) -> str:
    found = match_alert(everyone, sample.labels, firing=sample.firing).playbook
    chosen = NONE if found is None else found.id
    if chosen != sample.expect:
        return f"it chose {chosen}, expected {visible(sample.expect, 63)}"
    return "" if found is None else _lacking(found, sample, runbooks)


def _lacking(playbook: Playbook, sample: Sample, runbooks: RunbookCatalog) -> str:
    """Why a run for this alert would not get its values, in words; empty when it would."""
    try:
        for step in playbook.steps:
            book = step.inline or runbooks.get(step.runbook)
            resolve_parameters(book, given=step.parameters(sample.labels), labels=sample.labels)
    except MaestroError as error:
        return error.what
    return ""
