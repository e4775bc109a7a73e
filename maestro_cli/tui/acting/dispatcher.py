"""The one place where the console does anything.

Invariant: an action is refused before anything is asked or read when the console is rewound, or when it would
change the world and the context is not armed. A change goes through `changes`: plan, dialog with the blast
radius and what the gate says, then execution of exactly the plan that was shown. Every attempt is a line of
the command log. Nothing has services that can change the world where the context is not armed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet, MaestroError, StalePlan
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import counted
from maestro_cli.tui.acting.model import Action, Answers, Ask, Doing, Target
from maestro_cli.tui.acting.wording import command_line, failure_words, pressed
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.store.events import CommandLogged, FactRead, FactsForgotten
from maestro_cli.tui.store.store import Store

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change, Plan
    from maestro_cli.changes.offering import Plans
    from maestro_cli.output.views import View
    from maestro_cli.services.root import Services
    from maestro_cli.tui.screens.model import Place
    from maestro_cli.tui.store.model import FactKey


SAID_NO = "you said no; nothing was done"
STOPPED = "it was stopped before; nothing was done"
AGREED = "agreed to: the next line is what was done"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the person at the console said to a plan."""

    typed_context: str = ""
    accepts: frozenset[str] = frozenset()


class Asker(Protocol):
    """The dialogs, called from the thread of the action; each waits for its answer."""

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        """What the action asks for; None for Cancel."""

    def agree(
        self, action: Action, target: Target, plan: Plan, rehearsed: Change, news: str
    ) -> Agreed | None:
        """Yes to exactly this plan, or None; `news` says why it is not the one of before."""

    def see(self, target: Target, title: str, view: View, word: str, name: str) -> Agreed | None:
        """Yes to what is shown, with `word` on its button and `name` typed where it is not ""; or None, also
        where there is no word."""

    def agree_all(self, action: Action, planned: Sequence[Planned], news: str) -> Mapping[str, Agreed] | None:
        """Yes to exactly these plans, by context, or None; `news` as above."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A target with what would be done to it, and what the gate said of that."""

    target: Target
    plan: Plan
    rehearsed: Change

    @property
    def is_forbidden(self) -> bool:
        """Whether the gate refuses it whatever is said: a risk that may be accepted is none of that."""
        decision = self.rehearsed.decision
        return decision is not None and decision.outcome.value == "refused" and not self.plan.risks

    @property
    def not_done(self) -> str:
        """Why it is not carried out, where nobody said yes: the gate's reason, or that one said no."""
        decision = self.rehearsed.decision
        if decision is None or not self.is_forbidden:
            return SAID_NO
        first = decision.reasons[0]
        return f"the gate refused it: {first.what}{f' ({first.why})' if first.why else ''}; nothing was done"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`unarmed`: the context that it holds for only until that is armed; `is_of_past`: it holds for only
    while the console shows the past."""

    why: str
    fix: str = ""
    unarmed: str = ""
    is_of_past: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """`is_stale`: nothing was done, since what was shown is not so any more; `is_declined`: since nobody said
    yes. `action` is what was done last, where the one that was asked for led to another."""

    outcome: str
    is_done: bool
    is_stale: bool = False
    action: Action | None = None
    is_declined: bool = False


class Dispatcher:
    """Carries out actions, each in the thread that calls `perform`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        asker: Asker,
        reading: Callable[[str], Services],
        acting: Callable[[str], Services],
    ) -> None:
        self._store, self._clock, self._asker = store, clock, asker
        self._reading, self._acting = reading, acting
        self._numbers = count(1)
        self.lead: Callable[[Place], None] = lambda place: None  # from the thread that works on it
        self.how: Callable[[str], str] = pressed  # what a person does for what a key with that id does

    def refusal(self, action: Action, targets: Sequence[Target]) -> Refusal | None:
        """Why it is not even begun; None where it may be."""
        snapshot, now = self._store.snapshot, self._clock.now()
        if action.opens is not None:
            return None
        if snapshot.replay_at is not None and not action.is_of_now:
            return Refusal(
                "the console shows the past; nothing is done there",
                f"{self.how('console.back')} to return to now",
                is_of_past=True,
            )
        if not targets:
            return Refusal(
                f"{action.title}: nothing is chosen",
                f"put the cursor on it, or {self.how('table.mark')} to mark some",
            )
        if len(targets) > 1 and not action.is_bulk:
            return Refusal(
                f"{action.title} is about one at a time", f"{self.how('console.back')} to take the marks away"
            )
        for target in targets:
            if why := action.refuses(target):
                return Refusal(f"{action.title} {target.name}: {why}")
        for context in sorted({target.context for target in targets}):
            if action.danger.needs_arming and not snapshot.is_armed(context, now):
                fix = f"{self.how('console.arm')} to arm it for some minutes"
                return Refusal(f"{context} is read-only", fix, context)
        return None

    def perform(
        self, action: Action, targets: Sequence[Target], progress: Progress, cancellation: Cancellation
    ) -> list[tuple[Target, Ending]]:
        """Ask, do, and tell how each target ended; raises nothing."""
        action = action.on(targets)
        asked = self._offering(action, targets)
        said: Answers | None = self._asker.words(asked, targets) if asked.asks else {}
        if said is None:
            return []
        answers = {**{ask.name: ask.default(targets[0]) for ask in action.asks}, **said}
        work = _Work(action, answers, progress, cancellation)
        if action.plans is not None and len(targets) > 1:
            return self._many(work, targets)
        ended = []
        for target in targets:
            if cancellation.is_set:
                break
            ended.append((target, self._logged(work, target, lambda one: self._one(work, one))))
        return ended

    def _offering(self, action: Action, targets: Sequence[Target]) -> Action:
        """The action with what may be chosen; where that cannot be read, a word is typed."""

        def read(ask: Ask) -> Ask:
            if ask.offers is None:
                return ask
            try:
                return replace(ask, offered=ask.offers(self._reading(targets[0].context)))
            except Exception:  # noqa: BLE001 - whatever was read, the word can be typed
                return ask

        asks = (ask for ask in action.asks if any(map(ask.is_asked, targets)))
        return replace(action, asks=tuple(map(read, asks)))

    def _many(self, work: _Work, targets: Sequence[Target]) -> list[tuple[Target, Ending]]:
        """Plan each, ask once for all of them, carry out each as it was planned.

        Those that changed until then are planned and asked about anew.
        """
        ended: list[tuple[Target, Ending]] = []
        news = ""
        while targets:
            planned: list[Planned] = []
            for target in targets:
                try:
                    planned.append(self._planned(work, target))
                except Exception as error:  # noqa: BLE001 - as below: told of the target that it is about
                    ended.append((target, self._logged(work, target, _raising(error))))
            done = self._all_agreed(work, planned, news)
            ended += [(target, ending) for target, ending in done if not ending.is_stale]
            targets = [target for target, ending in done if ending.is_stale]
            news = f"{counted(len(targets), 'target')} changed since; nothing was done there"
        return ended

    def _all_agreed(self, work: _Work, planned: Sequence[Planned], news: str) -> list[tuple[Target, Ending]]:
        """Ask about all of them, and carry out what is agreed to, until it is stopped."""
        agreed = self._asker.agree_all(work.action, planned, news) if planned else None
        ended = []
        for one in planned:
            consent = (agreed or {}).get(one.target.context)
            if consent is None or work.cancellation.is_set:
                why = STOPPED if work.cancellation.is_set else one.not_done
                self._cancelled(one, why)
                ended.append((one.target, Ending(why, False, is_declined=True)))
            else:
                do = partial(self._carried_out, work, one, consent)
                ended.append((one.target, self._logged(work, one.target, do)))
        return ended

    def _logged(self, work: _Work, target: Target, do: Callable[[Target], Ending]) -> Ending:
        """Do it between two lines of the log; every error is an ending.

        Where it led to another action, which has a line of its own, this one has ended with a yes to that.
        """
        action, answers = work.action, work.answers
        line = command_line(action, target, answers)
        began, number = self._clock.now(), next(self._numbers)
        self._store.dispatch(CommandLogged(began, target.context, line, "running", number))
        try:
            ending = do(target)
        except Exception as error:  # noqa: BLE001 - the border of the thread: it is told where it was asked for
            ending = Ending(failure_words(error), False, isinstance(error, StalePlan))
        if work.led_to:
            ending = replace(ending, action=work.led_to.pop())
        outcome = AGREED if ending.action is not None else ending.outcome
        self._store.dispatch(CommandLogged(began, target.context, line, outcome, number))
        return ending

    def _one(self, work: _Work, target: Target) -> Ending:
        """A record at once; a change after its plan was shown."""
        if refusal := self.refusal(work.action, (target,)):  # rewound or disarmed while words were typed
            return Ending(f"refused: {refusal.why}", False)
        if work.action.records is not None:
            return Ending(work.action.records(self._reading(target.context), target, work.answers), True)
        if work.action.performs is not None:
            return Ending(work.action.performs(self._doing(work, target)), True)
        return self._agreed_one(work, target)

    def _agreed_one(self, work: _Work, target: Target) -> Ending:
        """Carry out the plans that were shown, each once the one before is done.

        One that went stale while it was shown is refused, and shown anew; a no ends it where it is.
        """
        from maestro_cli.changes.offering import following

        done: list[str] = []
        stale: StalePlan | None = None
        plans = self._plans(work, target)
        try:
            while (plan := following(plans, stale)) is not None:
                planned = self._rehearsed(target, plan)
                news = "" if stale is None else told(stale).line
                agreed = self._asker.agree(work.action, target, plan, planned.rehearsed, news)
                if agreed is None:
                    self._cancelled(planned, planned.not_done)
                    return Ending("; ".join((*done, planned.not_done)), False)
                stale = None
                try:
                    ending = self._carried_out(work, planned, agreed, target)
                except StalePlan as error:
                    stale = error
                    continue
                done.append(ending.outcome)
                if not ending.is_done:
                    return Ending("; ".join(done), False)
        except MaestroError as error:
            if not done:
                raise
            return Ending("; ".join((*done, failure_words(error))), False)
        return Ending("; ".join(done), True)

    def _plans(self, work: _Work, target: Target) -> Plans:
        from maestro_cli.changes.offering import offered

        action, services = work.action, self._acting(target.context)
        work.progress.phase("plan", f"{action.title} {target.name}")
        if action.plans_in_turn is not None:
            return action.plans_in_turn(services, target, work.answers)
        assert action.plans is not None
        return offered(partial(action.plans, services, target, work.answers))

    def _planned(self, work: _Work, target: Target) -> Planned:
        return self._rehearsed(target, next(self._plans(work, target)))

    def _rehearsed(self, target: Target, plan: Plan) -> Planned:
        return Planned(target, plan, self._acting(target.context).rehearse_change(plan, frozenset()))

    def _cancelled(self, planned: Planned, why: str) -> None:
        """Write down that the plan is not carried out: it does not stay planned for ever."""
        with suppress(MaestroError):  # nothing was to be done, and nothing is
            self._reading(planned.target.context).changes.cancel(planned.plan.id, why)

    def _carried_out(self, work: _Work, planned: Planned, agreed: Agreed, target: Target) -> Ending:
        """Execute exactly the plan that was agreed to."""
        from maestro_cli.changes.model import Consent

        plan = planned.plan
        if refusal := self.refusal(work.action, (target,)):  # disarmed while the dialog was open
            self._cancelled(planned, refusal.why)
            return Ending(f"refused: {refusal.why}", False)
        work.progress.phase(plan.kind, plan.summary)
        consent = Consent(True, plan.digest, agreed.typed_context, agreed.accepts)
        change = self._acting(target.context).changes.execute(
            plan,
            consent,
            cause=work.action.cause(target),
            progress=work.progress,
            cancellation=work.cancellation,
        )
        return Ending(f"{change.state.value}: {change.id}", True)

    def _doing(self, work: _Work, target: Target, typed: str = "") -> Doing:
        """What an action that performs works with; what it goes on with knows what was typed before."""
        agreed = [Agreed(typed)]

        def agree(title: str, view: View, word: str, name: str = "") -> bool:
            said = self._asker.see(target, title, view, word, name)
            if said is None:
                return False
            if refusal := self.refusal(work.action, (target,)):  # rewound or disarmed while it was shown
                raise GateNotMet(refusal.why, fix=refusal.fix)
            agreed.append(said)
            return True

        def tell(key: FactKey, data: Any) -> None:
            self._store.dispatch(FactRead(key, data, self._clock.now()))

        def forget(key: FactKey) -> None:
            self._store.dispatch(FactsForgotten(frozenset({key})))

        def go_on(then: Action, words: Answers) -> str:
            if refusal := self.refusal(then, (target,)):
                return f"refused: {refusal.why}; {refusal.fix}"
            work.led_to[:] = [then]
            onward = replace(work, action=then, answers=words)
            return self._performed(onward, target, agreed[-1].typed_context)

        is_armed = self._store.snapshot.is_armed(target.context, self._clock.now())
        services = self._acting(target.context) if is_armed else self._reading(target.context)
        return Doing(
            services, target, work.answers, work.progress, work.cancellation,
            agree, tell, forget, go_on, typed, self.lead,
        )  # fmt: skip

    def _performed(self, work: _Work, target: Target, typed: str) -> str:
        """Carry out what another action led to, with a line of its own in the log."""
        assert work.action.performs is not None
        line = command_line(work.action, target, work.answers)
        began, number = self._clock.now(), next(self._numbers)
        self._store.dispatch(CommandLogged(began, target.context, line, "running", number))
        outcome = "failed"
        try:
            outcome = work.action.performs(self._doing(work, target, typed))
        except Exception as error:
            outcome = failure_words(error)
            raise
        finally:
            self._store.dispatch(CommandLogged(began, target.context, line, outcome, number))
        return outcome


@dataclass(frozen=True, slots=True)
class _Work:
    """What one asking for an action carries through."""

    action: Action
    answers: Answers
    progress: Progress
    cancellation: Cancellation
    led_to: list[Action] = field(default_factory=list)  # the action that this one went on with, at most one


def _raising(error: Exception) -> Callable[[Target], Ending]:
    def again(target: Target) -> Ending:
        raise error

    return again
