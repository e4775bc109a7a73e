"""The dispatcher: what is not allowed is not begun, what was shown is what is done, and it is logged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.model import Gate, GateDecision, GateReason
from maestro_cli.changes.offering import offered
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode, GateNotMet, StalePlan
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.acting.dispatcher import SAID_NO, Agreed, Dispatcher, Refusal
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed, Rewound
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.tui.cases import NOW, StillClock

TARGET = Target("prod", "Pod", "uid-1", "ml/pod/fraud-1")
PLAN = SimpleNamespace(id="chg-1", kind="delete-pod", summary="evict ml/pod/fraud-1", digest="d1", risks=())


class Desk:
    """Services and dialogs in one: keeps what was asked and done."""

    def __init__(self, agreed: Agreed | None = Agreed(), error: Exception | None = None) -> None:
        self.agreed, self.error = agreed, error
        self.shown: list[Any] = []
        self.executed: list[Any] = []
        self.news: list[str] = []
        self.stale: list[Any] = []  # plans that went stale while they were looked at
        self.cancelled: list[tuple[str, str]] = []
        self.changes = self

    def cancel(self, change_id: str, why: str) -> None:
        self.cancelled.append((change_id, why))

    def words(self, action: Action, targets: Any) -> Any:
        return {"note": "seen"}

    def agree(self, action: Action, target: Target, plan: Any, rehearsed: Any, news: str) -> Agreed | None:
        self.news.append(news)
        self.shown.append(plan)
        return self.agreed

    def see(self, target: Target, title: str, view: Any, word: str, name: str) -> Agreed | None:
        self.shown.append(view)
        return self.agreed

    def agree_all(self, action: Action, planned: Any, news: str) -> Any:
        self.news.append(news)
        self.shown.append([one.target.name for one in planned])
        return None if self.agreed is None else {"prod": self.agreed}

    def rehearse_change(self, plan: Any, accepts: Any) -> Any:
        return SimpleNamespace(decision=None)

    def execute(self, plan: Any, consent: Any, **how: Any) -> Any:
        if self.error is not None:
            raise self.error
        if plan in self.stale:
            raise StalePlan("it changed", why="its generation went from 1 to 2")
        self.executed.append((plan, consent.digest, consent.given))
        return SimpleNamespace(state=SimpleNamespace(value="verified"), id="chg-1")


def delete(**how: Any) -> Action:
    return Action(
        "pods.delete", "End the pod", "have it end", Danger.DISRUPTIVE,
        lambda target, answers: ("pod", "delete", target.name), plans=lambda *asked: PLAN, **how,  # type: ignore[arg-type]
    )  # fmt: skip


NOTE = Action(
    "incident.note", "Note", "write down", Danger.RECORD,
    lambda target, answers: ("incident", "note", target.name, answers["note"]),
    asks=(Ask("note", "what"),), records=lambda services, target, answers: "noted",
)  # fmt: skip


@pytest.fixture
def store() -> Store:
    return Store(Scope(("prod",)))


def dispatcher(store: Store, desk: Desk) -> Dispatcher:
    services: Any = lambda context: desk  # noqa: E731
    return Dispatcher(store, StillClock(), desk, services, services)


def arm(store: Store) -> None:
    store.dispatch(ContextArmed("prod", NOW + timedelta(minutes=5)))


def test_a_change_is_refused_until_its_context_is_armed(store: Store) -> None:
    acting = dispatcher(store, Desk())
    assert acting.refusal(delete(), (TARGET,)) == Refusal(
        "prod is read-only", "press W to arm it for some minutes", unarmed="prod"
    )
    arm(store)
    assert acting.refusal(delete(), (TARGET,)) is None
    elsewhere = Target("staging", "Pod", "u", "ml/pod/b")
    refused = acting.refusal(delete(is_bulk=True), (TARGET, elsewhere))
    assert refused is not None
    assert refused.why == "staging is read-only"


def test_a_record_needs_no_arming_but_is_refused_in_the_past(store: Store) -> None:
    acting = dispatcher(store, Desk())
    assert acting.refusal(NOTE, (TARGET,)) is None
    store.dispatch(Rewound(NOW - timedelta(hours=1), {}))
    refused = acting.refusal(NOTE, (TARGET,))
    assert refused is not None
    assert "the past" in refused.why


def test_nothing_chosen_is_refused_and_so_are_several_where_one_is_meant(store: Store) -> None:
    arm(store)
    acting = dispatcher(store, Desk())
    nothing, several = acting.refusal(delete(), ()), acting.refusal(delete(), (TARGET, TARGET))
    assert nothing is not None
    assert several is not None
    assert "nothing is chosen" in nothing.why
    assert "one at a time" in several.why


def test_exactly_the_plan_that_was_shown_is_carried_out(store: Store) -> None:
    arm(store)
    desk = Desk()
    ended = dispatcher(store, desk).perform(delete(), (TARGET,), Quiet(), Cancellation())
    assert desk.shown == [PLAN]
    assert desk.executed == [(PLAN, "d1", True)]
    assert [(target, ending.is_done) for target, ending in ended] == [(TARGET, True)]
    line = store.snapshot.log[-1]
    assert line.line == "maestro --context prod pod delete ml/pod/fraud-1"
    assert line.outcome == "verified: chg-1"


def test_a_plan_that_went_stale_is_refused_and_shown_anew_and_never_carried_out_unseen(store: Store) -> None:
    arm(store)
    old, new = (SimpleNamespace(kind="delete-pod", summary=word, digest=word) for word in ("old", "new"))
    plans, desk = iter([old, new]), Desk()
    desk.stale = [old]
    action = delete()
    object.__setattr__(action, "plans", lambda *asked: next(plans))
    ended = dispatcher(store, desk).perform(action, (TARGET,), Quiet(), Cancellation())
    assert desk.shown == [old, new]
    assert desk.news == ["", "it changed: its generation went from 1 to 2"]
    assert desk.executed == [(new, "new", True)]
    assert [ending.is_done for _, ending in ended] == [True]


def test_no_is_no_and_is_written_down(store: Store) -> None:
    arm(store)
    desk = Desk(agreed=None)
    dispatcher(store, desk).perform(delete(), (TARGET,), Quiet(), Cancellation())
    assert desk.executed == []
    assert desk.cancelled == [("chg-1", "you said no; nothing was done")]
    assert store.snapshot.log[-1].outcome == "you said no; nothing was done"


def test_what_the_gate_refused_is_told_as_refused_by_it_and_why(store: Store) -> None:
    arm(store)

    class Strict(Desk):
        def rehearse_change(self, plan: Any, accepts: Any) -> Any:
            reason = GateReason("frozen", ExitCode.POLICY_REFUSED, "prod is frozen", why="until Monday")
            return SimpleNamespace(decision=GateDecision(Gate.REFUSED, (reason,)))

    desk = Strict(agreed=None)
    why = "the gate refused it: prod is frozen (until Monday); nothing was done"
    ended = dispatcher(store, desk).perform(delete(), (TARGET,), Quiet(), Cancellation())
    assert [one.outcome for _, one in ended] == [why]
    assert desk.cancelled == [("chg-1", why)]
    several = dispatcher(store, desk).perform(delete(is_bulk=True), (TARGET, TARGET), Quiet(), Cancellation())
    assert {one.outcome for _, one in several} == {why}


def test_what_was_disarmed_while_the_dialog_was_open_is_not_done(store: Store) -> None:
    arm(store)

    class Slow(Desk):
        def agree(self, *shown: object) -> Agreed | None:
            store.dispatch(ContextDisarmed("prod"))
            return Agreed()

    desk = Slow()
    dispatcher(store, desk).perform(delete(), (TARGET,), Quiet(), Cancellation())
    assert desk.executed == []
    assert store.snapshot.log[-1].outcome == "refused: prod is read-only"


def test_what_was_disarmed_while_a_yes_was_given_is_not_gone_on_with(store: Store) -> None:
    arm(store)
    did: list[str] = []

    class Slow(Desk):
        def see(self, *shown: object) -> Agreed | None:
            store.dispatch(ContextDisarmed("prod"))
            return Agreed()

    def performs(doing: Any) -> str:
        if doing.agree("carry it out?", None, "Carry out"):
            did.append("it")
        return "done"

    go = Action("t.go", "Go", "t", Danger.REVERSIBLE, lambda *asked: ("change",), performs=performs)
    dispatcher(store, Slow()).perform(go, (TARGET,), Quiet(), Cancellation())
    assert did == []
    assert store.snapshot.log[-1].outcome == (
        "failed: prod is read-only — press W to arm it for some minutes"
    )


def test_what_was_begun_now_is_refused_when_the_past_came_under_its_words(store: Store) -> None:
    written: list[str] = []

    class Slow(Desk):
        def words(self, action: Action, targets: Any) -> Any:
            store.dispatch(Rewound(NOW - timedelta(hours=1), {}))
            return {"note": "seen"}

    def records(*asked: object) -> str:
        written.append("it")
        return "noted"

    note = replace(NOTE, records=records)
    dispatcher(store, Slow()).perform(note, (TARGET,), Quiet(), Cancellation())
    assert written == []
    assert store.snapshot.log[-1].outcome == "refused: the console shows the past; nothing is done there"


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("odd")], ids=["a-file", "a-defect"])
def test_where_what_may_be_chosen_cannot_be_read_the_word_is_typed(store: Store, error: Exception) -> None:
    def offers(services: Any) -> Any:
        raise error

    note = replace(NOTE, asks=(Ask("note", "what", offers=offers),))
    ((_, ending),) = dispatcher(store, Desk()).perform(note, (TARGET,), Quiet(), Cancellation())
    assert ending.outcome == "noted"


def test_an_error_is_told_with_its_fix_and_ends_nothing_else(store: Store) -> None:
    arm(store)
    desk = Desk(error=GateNotMet("the budget has no headroom", fix="wait"))
    both = (TARGET, Target("prod", "Pod", "uid-2", "ml/pod/fraud-2"))
    ended = dispatcher(store, desk).perform(delete(is_bulk=True), both, Quiet(), Cancellation())
    assert [ending.outcome for _, ending in ended] == ["failed: the budget has no headroom — wait"] * 2


def test_the_line_of_the_log_can_be_pasted_whatever_a_name_holds(store: Store) -> None:
    odd = Target("prod", "Incident", "12", "$(rm -rf /) 'x'")
    dispatcher(store, Desk()).perform(NOTE, (odd,), Quiet(), Cancellation())
    assert store.snapshot.log[-1].line.endswith("""note '$(rm -rf /) '"'"'x'"'"'' seen""")


@pytest.mark.parametrize("is_armed", [False, True], ids=["read-only", "armed"])
def test_what_performs_has_services_that_can_change_the_world_only_while_armed(
    store: Store, is_armed: bool
) -> None:
    given: list[str] = []

    def performs(doing: Any) -> str:
        given.append(doing.services)
        return "done"

    look = Action("t.look", "Look", "t", Danger.OBSERVE, lambda *asked: ("status",), performs=performs)
    reading: Any = lambda context: "reading"  # noqa: E731
    acting: Any = lambda context: "acting"  # noqa: E731
    if is_armed:
        arm(store)
    Dispatcher(store, StillClock(), Desk(), reading, acting).perform(look, (TARGET,), Quiet(), Cancellation())
    assert given == ["acting" if is_armed else "reading"]


def test_what_makes_no_sense_for_a_target_is_not_asked_and_has_its_default(store: Store) -> None:
    force = Ask(
        "force", "they fire; all the same", lambda _: "no", ("yes", "no"), is_asked=lambda target: False
    )
    asked: list[tuple[str, ...]] = []
    answered: list[dict[str, str]] = []

    class Answering(Desk):
        def words(self, action: Action, targets: Any) -> Any:
            asked.append(tuple(ask.name for ask in action.asks))
            return {"reason": "well"}

    def record(services: Any, target: Target, answers: Any) -> str:
        answered.append(dict(answers))
        return "done"

    action = replace(
        NOTE, asks=(force, Ask("reason", "why")), records=record, line=lambda target, answers: ()
    )
    dispatcher(store, Answering()).perform(action, (TARGET,), Quiet(), Cancellation())
    assert (asked, answered) == ([("reason",)], [{"force": "no", "reason": "well"}])


def in_turn(*names: str) -> Action:
    """Plans of these names, each made once the one before is done."""

    def plans(desk: Any, *asked: Any) -> Any:
        for name in names:
            yield from offered(partial(plan_of, desk, name))

    def plan_of(desk: Any, name: str) -> Any:
        news = " anew" if (name, len(desk.executed)) in desk.planned else ""
        desk.planned.append((name, len(desk.executed)))
        return SimpleNamespace(id="1", kind=name, summary=name, digest=f"{name}{news}", risks=())

    action = delete()
    object.__setattr__(action, "plans", None)
    object.__setattr__(action, "plans_in_turn", plans)
    return action


class InTurn(Desk):
    """Says yes to what is named and no to the rest; `stale` is the kind that goes stale once."""

    def __init__(self, *yes: str, stale: str = "") -> None:
        super().__init__()
        self.yes, self.stale_kind, self.planned = yes, stale, list[Any]()

    def agree(self, action: Action, target: Target, plan: Any, rehearsed: Any, news: str) -> Agreed | None:
        super().agree(action, target, plan, rehearsed, news)
        return Agreed() if plan.kind in self.yes else None

    def execute(self, plan: Any, consent: Any, **how: Any) -> Any:
        if plan.kind == self.stale_kind and plan.digest == plan.kind:
            raise StalePlan("it changed")
        return super().execute(plan, consent, **how)


def test_plans_in_turn_are_each_made_shown_and_agreed_to_once_the_one_before_is_done(store: Store) -> None:
    arm(store)
    desk = InTurn("size", "target")
    ((_, ending),) = dispatcher(store, desk).perform(
        in_turn("size", "target"), (TARGET,), Quiet(), Cancellation()
    )
    assert desk.planned == [("size", 0), ("target", 1)]
    assert [one.kind for one in desk.shown] == ["size", "target"]
    assert [plan.kind for plan, *_ in desk.executed] == ["size", "target"]
    assert (ending.outcome, ending.is_done) == ("verified: chg-1; verified: chg-1", True)
    assert len(store.snapshot.log) == 1


def test_a_no_to_the_second_of_two_says_what_was_done_before_it(store: Store) -> None:
    arm(store)
    desk = InTurn("size")
    desk.cancel = lambda change_id, why: None  # type: ignore[method-assign]
    action = in_turn("size", "target")
    ((_, ending),) = dispatcher(store, desk).perform(action, (TARGET,), Quiet(), Cancellation())
    assert [plan.kind for plan, *_ in desk.executed] == ["size"]
    assert (ending.outcome, ending.is_done) == (f"verified: chg-1; {SAID_NO}", False)


def test_the_second_that_went_stale_is_planned_anew_by_itself_and_the_first_is_not_done_again(
    store: Store,
) -> None:
    arm(store)
    desk = InTurn("size", "target", stale="target")
    action = in_turn("size", "target")
    ((_, ending),) = dispatcher(store, desk).perform(action, (TARGET,), Quiet(), Cancellation())
    assert [one.kind for one in desk.shown] == ["size", "target", "target"]
    assert desk.news == ["", "", "it changed"]
    assert [plan.digest for plan, *_ in desk.executed] == ["size", "target anew"]
    assert ending.is_done


def test_a_second_that_cannot_be_planned_says_what_was_done_before_it(store: Store) -> None:
    arm(store)
    desk = InTurn("size", "target")
    action = in_turn("size")
    plans = action.plans_in_turn
    assert plans is not None

    def first_alone(*asked: Any) -> Any:
        yield from plans(*asked)
        raise GateNotMet("its target is another by now")

    object.__setattr__(action, "plans_in_turn", first_alone)
    ((_, ending),) = dispatcher(store, desk).perform(action, (TARGET,), Quiet(), Cancellation())
    assert ending.outcome.startswith("verified: chg-1; ")
    assert "its target is another by now" in ending.outcome
    assert not ending.is_done
