"""Experiments from the console: planned first, agreed to, then followed; ended and swept.

Invariant: a key leads to a plan and never to a run. What is run is exactly what was shown, in an armed
context, with its name typed where it disrupts. What ends a run needs no arming and asks nothing: it only
takes back; and a run ends by itself once its context is not armed any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import GateNotMet, MaestroError, UndoFailed
from maestro_cli.output.views import Heading, Lines, Report
from maestro_cli.tui.acting.changing import whole_number
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Doing, Target
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.model import FactKey

if TYPE_CHECKING:
    from maestro_cli.chaos.guard.check import Proposal
    from maestro_cli.chaos.history import ExperimentRun
    from maestro_cli.chaos.running import Wanted
    from maestro_cli.services.root import Services

LIVE = "live-experiment"
STEADY = "steady state "  # how progress begins to tell a sample: `steady state during: steady`
MOST_SAMPLES = 2000
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class LiveExperiment:
    """A run that this console works on: each sample as (phase, word), the oldest first, what was said, and
    the figures of both arms, the treated one first, where they are counted.
    """

    run: str
    samples: tuple[tuple[str, str], ...]
    said: tuple[str, ...]
    arms: tuple[str, ...] = ()


def live_key(context: str, run: str) -> FactKey:
    return FactKey(LIVE, context, run)


class Live:
    """Tells of a run while it runs: satisfies `Progress`, on whichever thread."""

    def __init__(self, hear: Callable[[LiveExperiment], None], begun: Callable[[], str]) -> None:
        """`begun` gives the id of the run, once it is in the journal."""
        self._hear, self._begun, self._run = hear, begun, ""
        self._samples: deque[tuple[str, str]] = deque(maxlen=MOST_SAMPLES)
        self._said: deque[str] = deque(maxlen=MOST_LINES)
        self._arms: tuple[str, ...] = ()

    def phase(self, name: str, text: str) -> None:
        if not self._run and name != "guard":
            with suppress(MaestroError):  # a journal that is held ends no experiment: it is asked again
                self._run = self._begun()
        self.note(f"{name}: {text}")

    def update(self, text: str) -> None:
        phase, sample, word = text.removeprefix(STEADY).partition(": ")
        if text.startswith(STEADY) and sample:
            word, *arms = word.split("; ")
            self._samples.append((phase, word))
            self._arms = tuple(arms) or self._arms
            self._show()
        else:
            self.note(text)

    def note(self, text: str) -> None:
        self._said.append(text)
        self._show()

    def _show(self) -> None:
        if self._run:
            self._hear(LiveExperiment(self._run, tuple(self._samples), tuple(self._said), self._arms))


# What it would do


def danger_of(proposal: Proposal) -> Danger:
    """That of the gravest of its changes; of a part that nothing bounds, the gravest there is."""
    from maestro_cli.tui.screens.changes import danger_of_kind

    if not proposal.experiment.acts:
        return Danger.REVERSIBLE
    if proposal.experiment.guarded is None or proposal.experiment.unbound:
        return Danger.DESTRUCTIVE
    kinds = (danger_of_kind(plan.kind, Danger.DISRUPTIVE) for one in proposal.chosen for plan in one.plans)
    return gravest(Danger.DISRUPTIVE, kinds)


def gravest(least: Danger, others: Iterable[Danger]) -> Danger:
    return max((least, *others), key=list(Danger).index)


def wanted_of(services: Services, target: Target, answers: Answers) -> Wanted:
    seed = int(answers["seed"]) if answers["seed"] else None
    return services.wanted_experiment(file_of(target), seed=seed, yes=True)


def file_of(target: Target) -> str:
    """The very file that was shown, where it is known."""
    return str(getattr(getattr(target.item, "found", None), "file", "")) or target.name


def plan_and_run(doing: Doing) -> str:
    """Show the plan and what the guard says; run exactly that when somebody agrees to it."""
    from maestro_cli.chaos.planning import proposal_digest
    from maestro_cli.output.renderers.experiments import plan_view

    services, name = doing.services, doing.target.name
    wanted = wanted_of(services, doing.target, doing.answers)
    doing.progress.phase("plan", name)
    proposal, answers = services.plan_experiment(wanted)
    view, refused = plan_view(proposal, answers), services.refusal_of(answers)
    danger = danger_of(proposal)
    if services.options.is_read_only:
        told = Lines("read-only here: what the guard says of a run is known once the context is armed")
        doing.agree(f"{name}: what it would do", replace(view, blocks=(told, *view.blocks)), "Close")
        return "a plan only; nothing was injected"
    if refused is not None:
        doing.agree(f"{name}: the guard refuses it", view, "Close")
        return f"the guard refused it: {refused.what}; nothing was injected"
    typed = name if danger.needs_typing else ""
    if not doing.agree(f"{name}: its run is {danger.value}", view, "Run it", typed):
        return "a plan only; nothing was injected"
    agreed = replace(wanted, agreed=proposal_digest(proposal))
    return doing.go_on(run_action(agreed, danger), {**doing.answers, "seed": str(wanted.seed)})


class Followed:
    """A run that this console began, told of as it goes; `look` is called with its id at each news of it.

    It leads to the run where `leads`: where its news come on another thread than that of the action, they
    cannot, and whoever is on that thread has to `lead`.
    """

    def __init__(
        self, doing: Doing, look: Callable[[str], None] = lambda run: None, *, leads: bool = True
    ) -> None:
        self._doing, self._look, self._leads = doing, look, leads
        self.runs: list[str] = []
        self.live = Live(self._hear, self._begun)

    def _begun(self) -> str:
        """Its id, and a way to it for who looks on."""
        run_id = under_way(self._doing.services).id
        self.runs.append(run_id)
        if self._leads:
            self.lead()
        return run_id

    def lead(self) -> None:
        """Show it to who looks on."""
        self._doing.open(Place("experiment-run", self.runs[-1], self._doing.target.context))

    def _hear(self, live: LiveExperiment) -> None:
        self._doing.tell(live_key(self._doing.target.context, live.run), live)
        with suppress(MaestroError):  # as in `Live.phase`
            self._look(live.run)

    def end(self) -> None:
        """It is over: nothing more is told of it."""
        for run_id in self.runs:
            self._doing.forget(live_key(self._doing.target.context, run_id))


def run(wanted: Wanted, doing: Doing) -> str:
    """Run what was shown, and tell of it; raises StalePlan when the targets are others by now."""
    services = doing.services

    def look(run_id: str) -> None:
        """It ends once its context is not armed any more."""
        why = services.options.why_held()
        if why and not services.experiment_run(run_id).asked:
            services.abort_experiment(run_id, why)

    followed = Followed(doing, look)
    consent = replace(wanted.consent, given=True, typed_context=doing.typed_context)
    try:
        report = services.run_experiment(replace(wanted, consent=consent), followed.live)
    finally:
        followed.end()
    first = report.judged.reasons[0].what if report.judged.reasons else "nothing speaks against it"
    return f"{report.run} {report.judged.verdict.value} ({int(report.judged.exit_code)}): {first}"


# What ends it


def under_way(services: Services) -> ExperimentRun:
    """The one that is at work in the context. Raises GateNotMet."""
    found = next((one for one in services.experiment_runs("", 20) if one.status == "running"), None)
    if found is None:
        raise GateNotMet("no experiment is under way", fix="Actions › Sweep takes back what a dead one left")
    return found


def abort(services: Services, target: Target, answers: Answers) -> str:
    """Have the run end: its faults are taken back at once, by whichever process works on it."""
    run_id = aborted_run(target) or under_way(services).id
    found, swept = services.abort_experiment(run_id, "")
    if swept:
        raise GateNotMet(f"{found.id} had no process any more", why="what it left was taken back")
    return f"{found.id} was asked to end; its faults are taken back now"


def aborted_run(target: Target) -> str:
    """The id of the run that was shown; "" for whichever is under way in the context."""
    if target.kind == "ExperimentRun":
        return target.id
    shown = getattr(target.item, "last", None)
    return shown.id if shown is not None else ""


def why_not_aborted(target: Target) -> str:
    """What is shown of it, where it is not at work; of a context alone nothing is known."""
    status = "running" if target.item is None else str(target.item.status)
    advice = "; Sweep takes back what it left" if status == "interrupted" else ""
    return "" if status == "running" else f"it is {status}{advice}"


def sweep(doing: Doing) -> str:
    """Show what runs left whose process died; take it back when somebody agrees."""
    from maestro_cli.chaos.history import unfinished_runs
    from maestro_cli.output.renderers.experiment_runs import run_view

    services = doing.services
    blocks: list[Any] = []
    for run_id in unfinished_runs(services.journal):
        found = services.experiment_run(run_id)
        blocks += run_view(found).blocks if found.status != "running" else ()
    about: Any = blocks or [
        Heading("Nothing is known to be left"),
        Lines("Chaos Mesh and drills are looked at too."),
    ]
    if not doing.agree("Take back what experiments left", Report("chaos-left/v1", {}, tuple(about)), "Sweep"):
        return "nothing was swept"
    swept = services.sweep_experiments("", doing.progress)
    if left := [text for one in swept for text in one.residue]:
        raise UndoFailed("something is still there", why="; ".join(left), fix="maestro chaos sweep")
    faults = [name for one in swept for name in one.faults]
    return f"taken back: {', '.join(faults)}" if faults else "there was nothing to take back"


_SEED = Ask(
    "seed", "the seed that chooses targets; without one, one is drawn",
    check=whole_number, is_needed=False,
)  # fmt: skip

PLAN = Action(
    "experiments.plan", "Plan", "Targets, burn at worst, what the guard says; then run it, if you agree.",
    Danger.OBSERVE,
    lambda target, answers: ("chaos", "plan", target.name, *_seeded(answers)),
    key="p", asks=(_SEED,), performs=plan_and_run,
)  # fmt: skip
ABORT = Action(
    "experiments.abort", "Abort", "End the run: its faults are taken back at once.", Danger.RECORD,
    lambda target, answers: ("chaos", "abort", aborted_run(target) or "latest"),
    records=abort, refuses=why_not_aborted, is_of_now=True,
)  # fmt: skip
SWEEP = Action(
    "experiments.sweep", "Sweep", "Take back what runs left whose process died.", Danger.REVERSIBLE,
    lambda target, answers: ("chaos", "sweep"), performs=sweep,
)  # fmt: skip
HISTORY = Action(
    "experiments.history", "History", "Its runs with their verdicts, the newest first.", Danger.OBSERVE,
    lambda target, answers: ("chaos", "history", target.name), key="h",
    opens=lambda target: Place("experiment-runs", target.name, target.context),
)  # fmt: skip


def _seeded(answers: Answers) -> tuple[str, ...]:
    return ("--seed", answers["seed"]) if answers["seed"] else ()


def run_action(wanted: Wanted, danger: Danger) -> Action:
    """Run what a plan has shown."""
    return Action(
        "experiments.run", "Run an experiment", "Run what the plan has shown.", danger,
        lambda target, answers: ("chaos", "run", target.name, *_seeded(answers), "--yes"),
        performs=partial(run, wanted),
    )  # fmt: skip
