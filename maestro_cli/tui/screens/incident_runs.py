"""Runs of runbooks from the console: rehearse first, agree, then see each step as it comes.

Invariant: a key leads to a dry run and never to a run; what starts or resumes one needs an armed context and
a yes to the plan that was shown, with its runbook typed where a step of it disrupts. What stops one has no
key, and stops the run that it names. Each run is in the journal with its incident, so that it is on the
timeline and outlives the console.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import MaestroError, NotFound, StalePlan, UsageError
from maestro_cli.core.quantities import counted
from maestro_cli.output.tones import RESUMABLE_RUNS
from maestro_cli.output.views import Fields, Heading, Lines, Listing, Report
from maestro_cli.runbooks.substitution import for_reading
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Doing, Target
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.run_danger import danger_of_book, danger_of_run, name_to_type, why_refused
from maestro_cli.tui.store.model import FactKey

if TYPE_CHECKING:
    from maestro_cli.core.clock import Clock
    from maestro_cli.journal.model import Event
    from maestro_cli.runbooks.model import Runbook, RunRecord, RunResult, Step
    from maestro_cli.runbooks.planning import RunPlan
    from maestro_cli.services.root import Services
    from maestro_cli.services.runbook_runs import AskedRun

LIVE = "live-run"
TAIL_LINES = 200
NEWEST_LINES = 15


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that this console works on: its tree of steps, and what was printed last."""

    run: str
    tree: tuple[str, ...]
    printed: tuple[str, ...]


def live_key(context: str, about: str) -> FactKey:
    """`about` is the id of a run, or of the incident that it is for."""
    return FactKey(LIVE, context, about)


def live_blocks(live: LiveRun) -> list[Any]:
    """The run at work: its tree, and the newest of its output, so that both stay on the screen."""
    shown = live.printed[-NEWEST_LINES:]
    above = len(live.printed) - len(shown)
    more = (f"… {counted(above, 'line')} before these",) if above else ()
    return [Heading(f"At work: run {live.run}"), Lines("\n".join((*live.tree, "", *more, *shown)))]


class Live:
    """Tells of a run while it runs: satisfies `Progress` and hears its events, on whichever thread."""

    def __init__(self, clock: Clock, tell: Callable[[LiveRun], None]) -> None:
        from maestro_cli.output.run_tree import RunTree

        self._tree, self._clock, self._tell = RunTree(), clock, tell
        self._printed: deque[str] = deque(maxlen=TAIL_LINES)
        self._newest: tuple[str, ...] = ()  # of what is printed now, told again and again

    def expect(self, book: Runbook, record: RunRecord | None) -> None:
        from maestro_cli.runbooks.prose import walkable

        self._tree.expect(walkable(book), record)

    def told(self, event: Event) -> None:
        self._tree.hear(event, self._clock.monotonic())
        self._show()

    def phase(self, name: str, text: str) -> None:
        self._say(f"{name}: {text}")

    def update(self, text: str) -> None:
        """The end of what a step prints, whole each time: it takes the place of the one before."""
        self._newest = tuple(text.splitlines())
        self._show()

    def note(self, text: str) -> None:
        self._say(text)

    def said(self, name: str, text: str) -> None:
        self._say(*(f"{name}: {line}" for line in text.splitlines()))

    def _say(self, *lines: str) -> None:
        self._printed.extend((*self._newest, *lines))
        self._newest = ()
        self._show()

    def _show(self) -> None:
        tree = tuple(line.text for line in self._tree.lines(self._clock.monotonic(), 200))
        self._tell(LiveRun(self._tree.run, tree, (*self._printed, *self._newest)))


# What a run would do


def values_text(values: Mapping[str, str]) -> str:
    """`NAME=VALUE …`, as the command takes them."""
    return shlex.join(f"{name}={value}" for name, value in values.items())


def pairs_of(text: str) -> tuple[str, ...]:
    """Raises UsageError for what is not NAME=VALUE."""
    from maestro_cli.services.running import parse_pairs

    try:
        pairs = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(
            f"{text!r} cannot be read", why=str(error), fix="NAME=VALUE 'NAME=TWO WORDS'"
        ) from error
    parse_pairs(pairs)
    return pairs


def steps_report(steps: Sequence[Step], values: Mapping[str, str]) -> Report:
    """What is run word for word, with its values filled in."""
    blocks: list[Any] = []
    for step in steps:
        blocks += [Heading(f"{step.path}: {step.kind}"), Lines(for_reading(step.body, values).rstrip())]
    return Report("run-looks/v1", {}, tuple(blocks))


def plan_report(services: Services, plan: RunPlan, book: Runbook) -> Report:
    """The plan, each step with its values filled in, and the blast radius of each change."""
    from maestro_cli.output.renderers.runbooks import plan_view

    blocks: list[Any] = [*plan_view(plan).blocks]
    if services.options.is_read_only:
        blocks += [Lines("read-only here: what the gate asks of a change is known once the context is armed")]
    for step in book.steps:
        blocks += [
            Heading(f"{step.path}: {step.kind}"),
            Lines(for_reading(step.body, plan.parameters).rstrip()),
        ]
        if step.kind == "change":
            blocks += blast_blocks(services, step, plan.parameters)
    return Report("run-plan/v1", {}, tuple(blocks))


def blast_blocks(services: Services, step: Any, values: Mapping[str, str]) -> list[Any]:
    """What the change of a step would touch, and what the gate says; or why that is not known.

    Nothing is written: the dry run before it has had the cluster check the same change.
    """
    from maestro_cli.changes.model import Consent
    from maestro_cli.output.renderers.changes import plan_view
    from maestro_cli.runbooks.steps.change import request_of
    from maestro_cli.tui.acting.advice import decision_here

    try:
        request = request_of(step, values)
        plan = services.changes.plan(request.kind, request.target, request.options)
        decision = services.changes.decide(plan, Consent(True, typed_context=services.context_name))
    except MaestroError as error:
        return [Lines(f"its blast radius is not known: {error.what}")]
    return [*plan_view(plan, decision_here(decision)).blocks]


# Runs as blocks


def run_blocks(run: RunRecord) -> list[Any]:
    """How a run stands, and each step of it."""
    from maestro_cli.output.renderers.runbooks import run_view

    steps = [block for block in run_view(run).blocks if isinstance(block, Listing)]
    status = run.status.value + (f": {run.reason}" if run.reason else "")
    return [Heading(f"{run.runbook}  {run.id}"), Fields([("status", status)]), *steps]


# Actions


def rehearse(doing: Doing) -> str:
    """Dry run, after a yes where that runs steps; then, when somebody agrees to it, that run and no other.

    A file that changed while it was looked at is shown anew, as it is now.
    """
    from maestro_cli.runbooks.planning import runs_of

    services, answers = doing.services, doing.answers
    about, stale = incident_of(doing.target) or None, ""
    while True:
        asked = services.asked_run(answers["runbook"], pairs_of(answers["values"]), about)
        name, steps = asked.book.id, runs_of(asked.book)
        question = f"{stale}The dry run of {name} runs these steps; the file says that they change nothing"
        if steps and not doing.agree(question, steps_report(steps, asked.values), "Dry run"):
            return "nothing was run"
        plan = services.plan_runbook(asked, doing.progress)
        report = plan_report(services, plan, asked.book)
        if refused := why_refused(plan):
            doing.agree(f"{stale}Dry run of {name}: nothing was changed. Its run is refused now", report, "")
            return f"dry run only; its run is refused now: {refused}"
        danger = danger_of_book(asked.book)
        title = f"{stale}Dry run of {name}: nothing was changed. Its run is {danger.value}"
        if not doing.agree(title, report, "Run it", name_to_type(danger, name)):
            return "dry run only; nothing was changed"
        try:
            return doing.go_on(run_action(asked, danger), {**answers, "values": values_text(asked.values)})
        except StalePlan as error:
            stale = f"{error.what}; this is how it is now. "


def run(asked: AskedRun, doing: Doing) -> str:
    """What the dry run has shown, with the values that it had. Raises StalePlan when its file changed."""

    def start(live: Live) -> RunResult:
        live.expect(asked.book, None)
        return doing.services.run_runbook(asked, doing.typed_context, True, live, live.told)

    return followed(doing, asked.incident, start)


def followed(doing: Doing, incident: str, work: Callable[[Live], RunResult]) -> str:
    """Tell of a run while it is worked on, and how that ended; from then on the journal tells of it.

    One that was not begun from an incident is shown on its own screen as soon as it has an id.
    """
    context, told_of = doing.target.context, set[str]({incident} - {""})

    def tell(live: LiveRun) -> None:
        if live.run and live.run not in told_of:
            told_of.add(live.run)
            if doing.target.kind != "Incident":
                doing.open(Place("run", live.run, context))
        for about in tuple(told_of):
            doing.tell(live_key(context, about), live)

    try:
        return ended(work(Live(doing.services.clock, tell)).run)
    finally:
        for about in told_of:
            doing.forget(live_key(context, about))


def ended(record: RunRecord) -> str:
    """How it ended, and how to go on."""
    from maestro_cli.output.renderers.runbooks import next_command

    words = f"{record.id} {record.status.value}" + (f": {record.reason}" if record.reason else "")
    advice = next_command(record)
    return f"{words} — {advice}" if advice else words


def resumable(services: Services, target: Target) -> RunRecord:
    """The run itself, or the newest of an incident that has not ended. Raises NotFound."""
    if target.kind == "Run":
        return services.run_history.get(target.id)
    for found in services.run_history.list(incident=target.id):
        if found.status.value in RESUMABLE_RUNS:
            return services.run_history.get(found.id)
    raise NotFound(f"no run for {target.name} waits or was interrupted", fix="Dry run begins one")


def consider(doing: Doing) -> str:
    """Show where a run stands; then, when somebody agrees, go on with it from there.

    One that moved on while it was looked at is shown anew, as it is now.
    """
    from maestro_cli.output.renderers.runbooks import run_view

    services, stale = doing.services, ""
    while True:
        found = resumable(services, doing.target)
        danger = danger_of_run(found)
        title = f"{stale}{found.runbook} is {found.status.value}; its run is {danger.value}"
        typed = name_to_type(danger, found.runbook)
        if not doing.agree(title, run_view(found), "Go on with it", typed):
            return "left as it is"
        try:
            return doing.go_on(resume_action(found, danger), {**doing.answers, "run": found.id})
        except StalePlan as error:
            if services.run_history.get(found.id) == found:
                raise  # its file is another one: looking at the run again would tell nothing new
            stale = f"{error.what}; this is how it is now. "


def resume(shown: RunRecord, doing: Doing) -> str:
    """Raises StalePlan where the run is no longer as it was shown."""
    services = doing.services
    if services.run_history.get(shown.id) != shown:
        raise StalePlan(f"{shown.id} has moved on since it was shown; nothing was done", fix="look at it")
    decisions, typed = tuple(doing.answers["decide"].split()), doing.typed_context
    return followed(
        doing,
        shown.incident,
        lambda live: services.resume_run(shown.id, decisions, typed, True, live, told=live.told),
    )


def cancel(services: Services, target: Target, answers: Answers) -> str:
    """Ask the run that was named to end; the step in flight is stopped, nothing is undone."""
    chosen = answers["run"]
    return f"{chosen} {services.run_control.cancel(chosen).status.value}, asked to end"


def shown_run(target: Target) -> str:
    """The id of the run that is shown: itself, or the newest of an incident that has not ended."""
    if target.kind == "Run":
        return target.id
    return next((run.id for run in target.item.runs if not run.status.final), "")


def why_no_run(target: Target) -> str:
    """Why there is no run of it to go on with or to stop; "" where there is one."""
    if target.kind == "Run":
        return f"it has ended: {target.item.status.value}" if target.item.status.final else ""
    if any(not run.status.final for run in target.item.runs):
        return ""
    return "no run of it waits or is at work; Dry run begins one"


def incident_of(target: Target) -> str:
    """The id of the incident that a run is for; "" for none."""
    return target.id if target.kind == "Incident" else ""


def default_runbook(target: Target) -> str:
    if target.kind == "Runbook":
        return target.id
    bound = getattr(target.item, "bound", None)
    return bound.runbook if bound is not None else ""


def runbooks_offered(services: Services) -> Mapping[str, str]:
    """Every runbook that can be read, by id, with its title."""
    return {book.id: book.title for book in services.readable_runbooks()}


def default_values(target: Target) -> str:
    bound = getattr(target.item, "bound", None)
    return values_text(bound.values) if bound is not None else ""


def _run_line(word: str) -> Callable[[Target, Answers], tuple[str, ...]]:
    def line(target: Target, answers: Answers) -> tuple[str, ...]:
        about = ("--incident", target.name.removeprefix("#")) if target.kind == "Incident" else ()
        return ("runbook", word, answers["runbook"], *pairs_of(answers["values"]), *about)

    return line


_ASKS = (
    Ask("runbook", "which runbook", default_runbook, offers=runbooks_offered),
    Ask("values", "its values: NAME=VALUE …; what is left out comes from the alert", default_values,
        check=pairs_of, is_needed=False),
)  # fmt: skip
_DECIDE = Ask("decide", "of a step whose outcome is not known: STEP=done or STEP=redo", is_needed=False)

REHEARSE = Action(
    "incident.rehearse", "Dry run", "Tell what its runbook would do; then run it, if you agree.",
    Danger.OBSERVE, _run_line("plan"), key="r", asks=_ASKS, performs=rehearse,
)  # fmt: skip
CONSIDER = Action(
    "incident.go-on", "Go on", "Show where its run stands; then go on with it, if you agree.",
    Danger.OBSERVE, lambda target, answers: ("runbook", "history"), key="e", asks=(_DECIDE,),
    performs=consider, refuses=why_no_run,
)  # fmt: skip
CANCEL = Action(
    "incident.stop-run", "Stop the run", "Have its run end: the step in flight is stopped, nothing undone.",
    Danger.RECORD, lambda target, answers: ("runbook", "cancel", answers["run"]),
    asks=(Ask("run", "which run", shown_run), Ask("word", "type stop to stop it", choices=("stop",))),
    records=cancel, refuses=why_no_run,
)  # fmt: skip


def run_action(asked: AskedRun, danger: Danger) -> Action:
    """Carry out what a dry run has shown."""
    return Action(
        "incident.run", "Run a runbook", "Carry out what the dry run has shown.",
        danger, _run_line("run"), performs=partial(run, asked),
    )  # fmt: skip


def resume_action(shown: RunRecord, danger: Danger) -> Action:
    """Go on with a run as it was shown."""
    return Action(
        "incident.resume", "Resume a run", "Go on with a run that waits, was paused or interrupted.",
        danger, lambda target, answers: ("runbook", "resume", answers["run"]),
        performs=partial(resume, shown),
    )  # fmt: skip
