"""Drills that are experiments, from the console: what would break and what is expected first, then played.

Invariant: a key leads to a plan and never to a drill. It ends once its context is not armed any more; what it
broke is taken back however it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from maestro_cli.chaos.drills.model import EXPERIMENTS
from maestro_cli.config.settings import LOCAL
from maestro_cli.core.errors import MaestroError
from maestro_cli.output.views import Fields, Heading, Lines
from maestro_cli.tui.acting.changing import whole_number
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Doing, Target
from maestro_cli.tui.screens.experiment_actions import Followed

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.services.root import Services

LOOK_SECONDS = 0.5  # at whether the context is armed still
_USUAL = "1"  # seed, as of `drill run`


def play_after_plan(doing: Doing) -> str:
    """Show what it would do, what is expected, and what the guard says; play exactly that after a yes."""
    from maestro_cli.chaos.drilled import as_drilled
    from maestro_cli.chaos.drills.expected import agreed_drill
    from maestro_cli.chaos.planning import proposal_digest
    from maestro_cli.output.renderers.experiments import plan_view
    from maestro_cli.tui.screens.experiment_actions import danger_of

    services, name = doing.services, drill_of(doing.target)
    seed = int(doing.answers["seed"] or _USUAL)
    scenario = services.experiment_drill(name, seed)
    doing.progress.phase("plan", name)
    wanted = services.wanted_experiment(name.removeprefix(EXPERIMENTS), seed=seed, yes=True)
    proposal, answers = services.plan_experiment(replace(wanted, experiment=as_drilled(wanted.experiment)))
    plan = plan_view(proposal, answers)
    view = replace(plan, blocks=(*_expected(scenario), *plan.blocks))
    refused = services.refusal_of(answers)
    if services.options.is_read_only:
        told = Lines("read-only here: what the guard says of a run is known once the context is armed")
        doing.agree(f"{name}: what it would do", replace(view, blocks=(told, *view.blocks)), "Close")
        return "a plan only; nothing was played"
    if refused is not None:
        doing.agree(f"{name}: the guard refuses it", view, "Close")
        return f"the guard refused it: {refused.what}; nothing was played"
    danger = danger_of(proposal)
    if not doing.agree(f"{name}: to play it is {danger.value}", view, "Play it", name):
        return "a plan only; nothing was played"
    agreed = agreed_drill(scenario, proposal_digest(proposal))
    return doing.go_on(_play_action(agreed, seed, danger), {**doing.answers, "seed": str(seed)})


def _expected(scenario: Scenario) -> tuple[Heading, Fields, Heading]:
    rows: list[tuple[str, object]] = [
        ("alert", scenario.alert),
        ("runbook", scenario.runbook),
        ("true cause", scenario.true_cause or "not scored"),
        ("right fix", scenario.right_fix),
        ("counts", scenario.objective),
    ]
    return Heading("What is expected of the response"), Fields(rows), Heading("What it would do")


def play(scenario: Scenario, seed: int, doing: Doing) -> str:
    """Play it on the platform that is up, which stays so, lead to its run, and say how it was scored."""
    watched = _Watched(doing)
    try:
        with doing.cancellation.child() as cancellation, _while_armed(doing.services, cancellation):
            card = doing.services.conductor(seed, None).run(
                scenario, keep=True, progress=watched, cancellation=cancellation
            )
    finally:
        watched.end()
    how = "; ".join(card.misses) or "cause and fix are right, in time"
    return f"{card.drill} {'PASS' if card.passed else 'FAIL'}: {how}"


class _Watched:
    """The progress of a drill, and beside it that of its run as `run` tells it: satisfies `Progress` and
    `Several`.
    """

    def __init__(self, doing: Doing) -> None:
        self._progress, self._followed, self._is_led = doing.progress, Followed(doing, leads=False), False
        self.update, self.note = doing.progress.update, doing.progress.note

    def phase(self, name: str, text: str) -> None:
        """Of the drill, on the thread of the action: the first one after its run was begun leads to that."""
        if self._followed.runs and not self._is_led:
            self._is_led = True
            self._followed.lead()
        self._progress.phase(name, text)

    def said(self, name: str, text: str) -> None:
        """Where the run is now, on a thread of its own; its first word says that it was begun."""
        with suppress(MaestroError):  # a journal that is held just now ends no run: the next word is told
            if not self._followed.runs:
                self._followed.live.phase(name, "under way")
            self._followed.live.update(text)

    def end(self) -> None:
        self._followed.end()


@contextmanager
def _while_armed(services: Services, cancellation: Cancellation) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            if services.options.why_held():
                cancellation.cancel()
                return

    threading.Thread(target=look, daemon=True, name="armed").start()
    try:
        yield
    finally:
        over.set()


def drill_of(target: Target) -> str:
    """`chaos/NAME`, of an experiment or of a drill."""
    return target.name if target.kind == "Drill" else f"{EXPERIMENTS}{target.name}"


def why_not_played(target: Target) -> str:
    if target.kind == "Drill" and not target.name.startswith(EXPERIMENTS):
        return f"maestro drill run {target.name} plays it, in another terminal"
    if target.kind == "Experiment" and not getattr(target.item, "is_drill", False):
        return "its file says nothing of a response: it is no drill"
    return "" if target.context == LOCAL else f"drills are played in the context {LOCAL} alone"


_SEED = Ask(
    "seed", "the seed that chooses the target", default=lambda target: _USUAL, check=whole_number,
    is_needed=False,
)  # fmt: skip

PLAY = Action(
    "drills.play", "Play as a drill", "What breaks and what is expected of the response; then play it.",
    Danger.OBSERVE,
    lambda target, answers: ("drill", "run", drill_of(target), *_seeded(answers)),
    asks=(_SEED,), performs=play_after_plan, refuses=why_not_played,
)  # fmt: skip


def _seeded(answers: Answers) -> tuple[str, ...]:
    return ("--seed", answers["seed"]) if answers["seed"] else ()


def _play_action(scenario: Scenario, seed: int, danger: Danger) -> Action:
    """Play what a plan has shown."""
    return Action(
        "drills.run", "Play a drill", "Play what the plan has shown.", danger,
        lambda target, answers: ("drill", "run", drill_of(target), *_seeded(answers), "--keep"),
        performs=partial(play, scenario, seed),
    )  # fmt: skip
