"""Outcomes as a Markdown summary of a job. Invariant: under LIMIT_BYTES; GitHub drops what is too large.

Whatever an experiment, a probe or a cluster says stands in code spans and fences that it cannot close: there
it is no HTML, no link, no mention, no reference. Tables come first; details as long as there is room.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maestro_cli.chaos.burned import burned_words, foretold_words
from maestro_cli.chaos.ci.cases import State, cases_of, count
from maestro_cli.chaos.ci.decision import Decision
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.core.untrusted import markdown_code, visible

LIMIT_BYTES = 900_000
CELL_LIMIT, DETAIL_LINES = 300, 400
_TICKS = re.compile("`+")
_RUN = re.compile(r"[A-Za-z0-9-]{1,60}")


def summary_markdown(
    outcomes: Sequence[Outcome],
    decision: Decision,
    *,
    notes: Mapping[str, str],
    limit_bytes: int = LIMIT_BYTES,
) -> str:
    """The whole text; `notes` are labelled lines below the verdict (context, commit, evidence)."""
    head = "".join(_head(outcomes, decision, notes))
    text, cut = _within(head, _rows(outcomes), limit_bytes - 400)
    if cut:
        text += f"\n{counted(cut, 'more line')} not shown: the evidence has them all.\n"
    text, cut = _within(text, _details(outcomes), limit_bytes - 200)
    if cut:
        text += f"\nDetails of {counted(cut, 'experiment')} not shown: the evidence has them all.\n"
    return text


def code_span(text: str, limit: int | None = CELL_LIMIT) -> str:
    """Text as code in one line, in a table too: nothing in it is Markdown, HTML, a link or a mention."""
    shown = visible(text, limit)
    if not shown.strip():
        return ""
    ticks = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{space}{shown}{space}{ticks}".replace("|", "\\|")


def _head(outcomes: Sequence[Outcome], decision: Decision, notes: Mapping[str, str]) -> Iterator[str]:
    yield f"## Chaos gate: {decision.verdict.value}\n\n"
    score = "not known" if decision.score is None else f"{decision.score} of 100"
    yield f"Exit code {int(decision.ends_with)}"
    if decision.waived:
        yield f" (not failed on: {', '.join(str(int(code)) for code in decision.waived)})"
    yield f" · resilience score {score} · {counted(len(outcomes), 'experiment')}\n\n"
    for label, value in notes.items():
        if value:
            yield f"- {label}: {code_span(value)}\n"
    yield "\n" if any(notes.values()) else ""


def _rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| experiment | verdict | exit code | cases | took | why |\n|---|---|---|---|---|---|\n"
    for one in outcomes:
        cases = cases_of(one)
        bad = count(cases, State.FAILED) + count(cases, State.ERROR)
        told = f"{count(cases, State.PASSED)} passed, {bad} not, {count(cases, State.SKIPPED)} skipped"
        why = one.against[0].what if one.against else ""
        took = format_duration(one.seconds) if one.seconds else ""
        yield (
            f"| {code_span(one.title)} | {one.verdict.value} | {int(one.exit_code)} | {told} | {took} "
            f"| {code_span(why)} |\n"
        )
    failing = [
        (one, case) for one in outcomes for case in cases_of(one) if case.state in (State.FAILED, State.ERROR)
    ]
    if failing:
        yield "\n### What speaks against it\n\n| experiment | case | | why |\n|---|---|---|---|\n"
    for one, case in failing:
        yield (
            f"| {code_span(one.title)} | {code_span(case.name)} | {case.state.value} "
            f"| {code_span(case.why)} |\n"
        )
    yield from _burned_rows(outcomes)


def _burned_rows(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What each budget lost while an experiment ran, beside what was foretold."""
    found = [(one, burned) for one in outcomes for burned in one.ours.get("actual_burn") or ()]
    if found:
        yield (
            "\n### Error budgets\n\n| experiment | objective | burn foretold at worst | burned while it ran "
            "| left after |\n|---|---|---|---|---|\n"
        )
    for one, burned in found:
        cells = (
            one.title, str(burned["objective"]), foretold_words(burned), burned_words(burned),
            str(burned["words"]),
        )  # fmt: skip
        yield f"| {' | '.join(map(code_span, cells))} |\n"


def _details(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for one in outcomes:
        if one.journal is not None:
            body = markdown_code(json.dumps(_told(one), indent=1, ensure_ascii=False), DETAIL_LINES)
            named = f" {one.run}" if _RUN.fullmatch(one.run) else ""
            head = f"\n<details><summary>Proofs and activities of run{named}</summary>\n\n"
            yield f"{head}{body}\n\n</details>\n"


def _told(outcome: Outcome) -> dict[str, Any]:
    ours, journal = outcome.ours, outcome.journal or {}
    runs = [*(journal.get("run") or ()), *(journal.get("rollbacks") or ())]
    return {
        "experiment": outcome.title,
        "proof_of_effect": ours.get("proof_of_effect"),
        "proof_of_recovery": ours.get("proof_of_recovery"),
        "predicted_burn": ours.get("predicted_burn"),
        "actual_burn": ours.get("actual_burn"),
        "stop": ours.get("stop"),
        "residue": ours.get("residue"),
        "activities": [
            {
                "activity": (run.get("activity") or {}).get("name"), "status": run.get("status"),
                "seconds": run.get("duration"), "output": str(run.get("output"))[:CELL_LIMIT],
            }
            for run in runs
        ],
    }  # fmt: skip


def _within(text: str, parts: Iterator[str], limit_bytes: int) -> tuple[str, int]:
    """The text with as many parts as there is room for, and how many there was none for."""
    size, taken, cut = len(text.encode()), [text], 0
    for part in parts:
        size += len(part.encode())
        if cut or size > limit_bytes:
            cut += 1
        else:
            taken.append(part)
    return "".join(taken), cut
