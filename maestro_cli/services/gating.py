"""Experiments as the gate of a pipeline: run or read, judged together, told to whoever asks.

Invariant: the evidence is whole whenever the gate dies. It is written before the first run, and as each ends:
what was not over then reads `not run`, and is no pass.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.chaos.ci.decision import WAIVABLE, Decision, decide
from maestro_cli.chaos.ci.journals import is_journal, read_outcome
from maestro_cli.chaos.ci.junit import junit_xml
from maestro_cli.chaos.ci.outcome import Outcome, not_run, outcome_of, refused, unrecorded
from maestro_cli.chaos.ci.summary import summary_markdown
from maestro_cli.chaos.ci.variables import dotenv, shell, variables_of
from maestro_cli.chaos.guard.place import allowing, is_nowhere
from maestro_cli.chaos.running import Wanted
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import (
    ActionFailed,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotFound,
    NotKept,
    PolicyRefused,
    UsageError,
)
from maestro_cli.core.files import unusable
from maestro_cli.core.progress import Progress
from maestro_cli.output.evidence import write_files
from maestro_cli.output.progress import left_alone
from maestro_cli.services.pipeline_hosts import check_host, commit_of_pipeline, tell_host

if TYPE_CHECKING:
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.services.root import Services

# After one of these nothing more is begun: something is still broken, or somebody wants an end.
_LAST = (ExitCode.UNDO_FAILED, ExitCode.STOP_CONDITION, ExitCode.SIGINT, ExitCode.SIGTERM)
_FILES = ("junit.xml", "summary.md", "outputs.env", "gitlab.env", "events.jsonl", "gate.json")


@dataclass(frozen=True, slots=True)
class GateWanted:
    """What is asked for: experiments, journals and runs by reference; how runs are made, as `chaos run`."""

    references: Sequence[str]
    seed: int | None
    yes: bool
    typed_context: str
    variables: Sequence[str]
    variable_files: Sequence[Path]
    timeout: str
    fail_on: frozenset[ExitCode] | None
    folder: Path | None
    host: str


@dataclass(frozen=True, slots=True)
class GateReport:
    """`files` are what was written, by what it is."""

    outcomes: tuple[Outcome, ...]
    decision: Decision
    files: Mapping[str, str]


def codes_of(text: str) -> frozenset[ExitCode] | None:
    """`10,12,13,15`; "" is everything that is no pass. Raises UsageError for what no gate ends with."""
    if not text.strip():
        return None
    known = {str(int(code)): code for code in (*WAIVABLE, ExitCode.UNDO_FAILED)}
    found = [part.strip() for part in text.split(",")]
    for part in found:
        if part not in known:
            fix = f"--fail-on {','.join(sorted(known))}; what is in no such list always fails"
            raise UsageError(f"no verdict of a gate ends with {part[:40]!r}", fix=fix)
    return frozenset(known[part] for part in found)


def run_gate(services: Services, wanted: GateWanted, progress: Progress) -> GateReport:
    """Every file is read before anything is begun. Raises UsageError, NotFound, InvalidFile, ActionFailed.

    What becomes of a run is in its outcome, and raised by nobody.
    """
    check_host(wanted.host, wanted.folder)
    if wanted.folder is not None:
        _prepare(wanted.folder, {Path(one).resolve() for one in wanted.references})
    entries = [_entry(services, one, wanted) for one in wanted.references]
    try:
        _keep_so_far(services, wanted, (), entries)
    except ActionFailed as error:
        why = f"{error.why}; nothing was begun"
        raise GateNotMet(error.what, why=why, fix=error.fix) from error
    outcomes: list[Outcome] = []
    last: Outcome | None = None
    for entry in entries:
        if isinstance(entry, Outcome):
            outcomes.append(entry)
        elif last is not None:
            why = f"{last.title} ended with {int(last.exit_code)}, and nothing more was begun"
            outcomes.append(not_run(entry.experiment, why))
        else:
            outcomes.append(outcome_of_run(services, entry, progress))
            last = outcomes[-1] if is_last(outcomes[-1]) else None
            with suppress(ActionFailed):  # what could not be written now is tried again at the end, and told
                _keep_so_far(services, wanted, outcomes, entries)
    decision = decide(outcomes, wanted.fail_on)
    try:
        files = _told(services, wanted, outcomes, decision)
    except ActionFailed as error:
        runs = ", ".join(one.run for one in outcomes if one.run) or "none"
        why = f"{error.why}; the gate found {decision.verdict.value} ({int(decision.exit_code)})"
        fix = f"make room, then judge again what was run: maestro chaos gate RUN; runs: {runs}"
        raise NotKept(error.what, found=decision.ends_with, why=why, fix=fix) from error
    return GateReport(tuple(outcomes), decision, files)


def _entry(services: Services, reference: str, wanted: GateWanted) -> Outcome | Wanted:
    path = Path(reference)
    if path.suffix == ".json" and is_journal(path):
        return read_outcome(path)
    if reference == "latest" or (reference.startswith("exp-") and not path.exists()):
        run = services.ended_experiment_run(reference)
        try:
            found = outcome_of(run.name, run.file, services.experiment_journal(run.id))
            return found if run.status == "finished" else unrecorded(found, run.status)
        except ValueError as error:
            raise UsageError(f"the journal of {run.id} cannot be judged", why=str(error)) from error
    return services.wanted_experiment(
        reference, seed=wanted.seed, yes=wanted.yes, typed_context=wanted.typed_context,
        variables=wanted.variables, files=wanted.variable_files, timeout=wanted.timeout,
    )  # fmt: skip


def is_last(outcome: Outcome) -> bool:
    """Whether nothing more is begun after it."""
    return outcome.exit_code in _LAST


def outcome_of_run(services: Services, wanted: Wanted, progress: Progress) -> Outcome:
    """Run it where the context allows experiments and somebody agrees; what goes wrong is in the outcome,
    raised by nobody.
    """
    agreed = agreed_run(services, wanted, progress)
    return agreed if isinstance(agreed, Outcome) else outcome_of_agreed(services, agreed, progress)


def agreed_run(services: Services, wanted: Wanted, progress: Progress) -> Wanted | Outcome:
    """With somebody's word, where the context allows experiments; else the outcome of what was not begun."""
    try:
        _check_place(services, wanted.experiment)
        with left_alone(progress):
            return services.agreed_experiment(wanted)
    except MaestroError as error:
        return refused(wanted.experiment, error)
    except KeyboardInterrupt:
        return refused(wanted.experiment, Interrupted())


def outcome_of_agreed(services: Services, agreed: Wanted, progress: Progress) -> Outcome:
    """Run what somebody agreed to; what goes wrong is in the outcome."""
    experiment = agreed.experiment
    try:
        report = services.run_experiment(agreed, progress)
    except MaestroError as error:
        return refused(experiment, error)
    except KeyboardInterrupt:
        return refused(experiment, Interrupted())
    return replace(outcome_of(experiment.name, experiment.file, report.journal), file=experiment.file)


def _check_place(services: Services, experiment: Experiment) -> None:
    """A pipeline breaks nothing in a context that does not say that it may, whatever the file declares."""
    if is_nowhere(experiment, services.context.experiments):
        raise PolicyRefused(
            f"context {services.context_name} allows no experiments",
            why="a gate acts only in a context that says so; nothing was injected",
            fix=allowing(services.context_name),
        )


def _told(
    services: Services, wanted: GateWanted, outcomes: Sequence[Outcome], decision: Decision
) -> dict[str, str]:
    """Write what pipelines read, and tell the host; returns the paths."""
    folder = wanted.folder
    variables = variables_of(outcomes, decision, _paths(folder))
    summary = summary_markdown(outcomes, decision, notes=_known(services))
    if folder is not None:
        _keep(services, folder, outcomes, decision)
    tell_host(wanted.host, summary, variables)
    if folder is None:
        return {}
    others = [*("outputs.env", "gitlab.env"), *_journals(outcomes)]
    return {**_paths(folder), **{name: str(folder / name) for name in others}}


def _paths(folder: Path | None) -> dict[str, str]:
    names = {"junit": "junit.xml", "summary": "summary.md", "report": "gate.json", "events": "events.jsonl"}
    return {} if folder is None else {what: str(folder / name) for what, name in names.items()}


def _keep_so_far(
    services: Services, wanted: GateWanted, outcomes: Sequence[Outcome], entries: Sequence[Outcome | Wanted]
) -> None:
    """The evidence that is left where the gate dies now. Raises ActionFailed."""
    if wanted.folder is None:
        return
    rest = [
        one if isinstance(one, Outcome) else not_run(one.experiment, "the gate ended before this was over")
        for one in entries[len(outcomes) :]
    ]
    whole = [*outcomes, *rest]
    _keep(services, wanted.folder, whole, decide(whole))  # that it did not end is waived by nobody


def _keep(services: Services, folder: Path, outcomes: Sequence[Outcome], decision: Decision) -> None:
    """Write the evidence. Raises ActionFailed."""
    known = _known(services)
    variables = variables_of(outcomes, decision, _paths(folder))
    write_files(
        folder,
        {
            "junit.xml": junit_xml(outcomes, properties=known, hostname=socket.gethostname()),
            "summary.md": summary_markdown(outcomes, decision, notes=known),
            "outputs.env": shell(variables),
            "gitlab.env": dotenv(variables),
            "events.jsonl": _events(services, outcomes) if known["context"] else "",
            **_journals(outcomes),
            "gate.json": json.dumps(gate_document(outcomes, decision), indent=1) + "\n",
        },
    )


def _known(services: Services) -> dict[str, str]:
    return {"context": _context_of(services), "commit": commit_of_pipeline()}


def _context_of(services: Services) -> str:
    """Its name; "" where none is chosen, since journals that are files are judged without."""
    try:
        return services.context_name
    except NotFound:
        return ""


def _prepare(folder: Path, asked: Collection[Path]) -> None:
    """Before anything is broken: what cannot be kept is not worth breaking for. Raises GateNotMet."""
    try:
        _clear(folder, asked)
        write_files(folder, {"gate.json": "{}\n"})
    except (ActionFailed, OSError) as error:
        why = error.why if isinstance(error, ActionFailed) else unusable(folder, error)
        what = f"evidence cannot be written to {folder}; nothing was injected"
        raise GateNotMet(what, why=why, fix="make room, or --out another folder") from error


def _clear(folder: Path, asked: Collection[Path]) -> None:
    """Take away what an earlier gate wrote there, but for what this one is asked about: whatever ends it,
    nobody takes the old evidence for its own.
    """
    for path in (*(folder / name for name in _FILES), *folder.glob("journal-[0-9][0-9]*.json")):
        if path.resolve() not in asked:
            path.unlink(missing_ok=True)


def _journals(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Each journal under a name of its own that no experiment can choose."""
    return {
        f"journal-{number:02d}.json": json.dumps(one.journal, indent=1)
        for number, one in enumerate(outcomes, 1)
        if one.journal is not None
    }


def _events(services: Services, outcomes: Sequence[Outcome]) -> str:
    """What maestro's own journal has of the runs that were made here, one event a line."""
    events = [event for one in outcomes if one.run for event in services.experiment_events(one.run)]
    return "".join(json.dumps(plain(event), ensure_ascii=True) + "\n" for event in events)


def gate_document(outcomes: Sequence[Outcome], decision: Decision) -> dict[str, Any]:
    """The whole of it as data, with the cases."""
    from maestro_cli.output.renderers.chaos_gate import gate_body

    return {"schema": "maestro.dev/chaos-gate/v1", **gate_body(outcomes, decision)}
