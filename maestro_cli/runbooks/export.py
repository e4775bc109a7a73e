"""A run as one Markdown document: the runbook, with what came of each step below its fence.

Invariant: what a step printed stands in a fence that it cannot close, and is made visible.
"""

from __future__ import annotations

import re

from maestro_cli.core.untrusted import markdown_text, visible, visible_block
from maestro_cli.runbooks.model import Runbook, RunRecord, State, Step, StepRecord, parted, unnumbered


def export_run(run: RunRecord, book: Runbook) -> str:
    """The document; `book` is the file that the run is pinned to."""
    below = {_last_line(step): step for main in book.steps for step in (main, *main.parts)}
    text: list[str] = []
    for number, line in enumerate(book.text.splitlines(), start=1):
        text.append(line)
        if number in below:
            text += _outcome(run, below[number])
    return "\n".join([*text, "", *_head(run)]) + "\n"


def _last_line(step: Step) -> int:
    """The line that closes the fence of a step, or that ends the section of a heading."""
    return step.line + (step.body.count("\n") + 1 if step.body else 0)


def _head(run: RunRecord) -> list[str]:
    reason = f": {markdown_text(run.reason)}" if run.reason else ""
    return [
        "---",
        "",
        f"Run `{run.id}` of `{run.runbook}` by {markdown_text(run.actor)}, from {run.started_at} to "
        f"{run.finished_at or 'now'}: **{run.status.value}**{reason}.",
        *(f"- `{name}` = {markdown_text(value)}" for name, value in run.parameters.items()),
    ]


def _outcome(run: RunRecord, step: Step) -> list[str]:
    attempts = [record for record in run.steps if unnumbered(record.path) == step.path]
    lines = ["", *(line for record in attempts for line in _attempt(record))]
    return lines if attempts else ["", "> not started"]


def _attempt(record: StepRecord) -> list[str]:
    state = "skipped" if record.state is State.SKIPPED else record.state.value
    reason = f": {markdown_text(record.reason)}" if record.reason else ""
    which = f"`{record.path}` " if parted(record.path)[1] else ""
    lines = [f"> {which}**{state}**{reason} ({visible(record.finished_at or record.intended_at)})"]
    if record.output:
        output = visible_block(record.output)
        longest = max((len(found) for found in re.findall(r"`+", output)), default=0)
        fence = "`" * max(3, longest + 1)
        lines += ["", f"{fence}text", *output.splitlines(), fence]
    return lines
