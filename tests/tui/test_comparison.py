"""Now against then: what is new, gone or changed, by key and cell; that it only became older is no news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.facts.inspection import ObjectText
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.refs import ref_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.rewind.comparison import difference_columns, differences, text_difference
from maestro_cli.tui.screens.inspection import YAML
from maestro_cli.tui.screens.model import Moment, Place
from maestro_cli.tui.screens.pods import PODS, pods_listing
from maestro_cli.tui.screens.services import BURNING
from maestro_cli.tui.store.events import Compared, FactRead, Resumed, Rewound
from maestro_cli.tui.store.model import Fact, Scope, Told
from maestro_cli.tui.store.store import Store
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

THEN = NOW - timedelta(minutes=10)
KEY, MOMENT = PODS.of("prod"), Moment(NOW, Scope(("prod",)), "prod")
POLICY = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False), settings=SimpleNamespace(contexts={})
)


def uid(one: PodLine) -> str:
    return one.uid


def found(then: tuple[PodLine, ...], now: tuple[PodLine, ...]) -> list[Any]:
    return differences(pods_listing(then, MOMENT), pods_listing(now, MOMENT), uid)


def test_rows_are_known_by_their_key_and_told_gone_then_new_then_changed() -> None:
    was, stays = pod("a", status="Running"), pod("same")
    crashed = replace(was, status="CrashLoopBackOff", restarts=4)
    every = found((was, stays, pod("old")), (pod("young"), stays, crashed))
    assert [(one.what, one.item.name) for one in every] == [
        ("gone", "old"),
        ("new", "young"),
        ("changed", "a"),
    ]
    assert every[2].cells["status"] == "Running → CrashLoopBackOff"
    assert every[2].changed == {"status", "restarts"}


def test_a_row_that_only_became_older_does_not_differ() -> None:
    row = replace(pod("a"), created_at=THEN)
    assert found((row,), (replace(row, uid=row.uid),)) == []


def test_where_there_is_little_room_what_changed_stays_longest() -> None:
    was = pod("a")
    then, now = (pods_listing((one,), MOMENT) for one in (was, replace(was, restarts=4)))
    columns = difference_columns(now.columns, differences(then, now, uid))
    by_title = {one.title: one.priority for one in columns}
    assert [by_title[title] for title in ("namespace", "name", "restarts", "node")] == [0, 1, 1, 3]


def test_columns_that_are_drawings_are_not_compared() -> None:
    was = pod("a")
    now = replace(was, status="Pending")
    view = pods_listing((was,), MOMENT), pods_listing((now,), MOMENT)
    assert differences(*view, uid, left_out=("status",)) == []


def test_a_text_differs_by_its_lines() -> None:
    assert text_difference(["a", "b"], ["a", "b"]) == ""
    assert text_difference(["a", "b"], ["a", "c"]).splitlines()[-2:] == ["-b", "+c"]


def test_what_is_read_meanwhile_is_compared_with_and_the_past_stays() -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(Compared(True))
    assert store.snapshot.against is None
    store.dispatch(Rewound(THEN, {KEY: Fact(("then",), THEN)}, True), FactRead(KEY, ("now",), NOW))
    shown = store.snapshot
    assert shown.against is not None
    assert (shown.fact(KEY).data, shown.against[KEY].data) == (("then",), ("now",))
    store.dispatch(Rewound(THEN, {}))
    assert store.snapshot.against is not None
    store.dispatch(Resumed())
    assert (store.snapshot.against, store.snapshot.fact(KEY).data) == (None, ("now",))


def test_ages_count_from_the_instant_that_is_shown() -> None:
    store = Store(Scope(("prod",)))
    assert store.snapshot.shown_at(NOW) == NOW
    store.dispatch(Rewound(THEN, {}))
    assert store.snapshot.shown_at(NOW) == THEN
    store.dispatch(Compared(True))
    assert store.snapshot.shown_at(NOW) == NOW


def test_a_pod_of_the_past_is_as_old_as_it_was_then() -> None:
    console = StillConsole(POLICY)
    row = replace(pod("young"), created_at=THEN - timedelta(minutes=2))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, (row,), NOW))
        await until(pilot, lambda: " 12m" in screen_text(app), "its age now")
        tell(console, Rewound(THEN, {KEY: Fact((row,), THEN)}))
        await until(pilot, lambda: " 2m" in screen_text(app), "its age then")
        assert "12m" not in screen_text(app)

    run_app(console, script, place=Place("pods"))


def test_burn_of_the_past_is_as_old_as_it_was_then() -> None:
    console = StillConsole(POLICY)
    stale = Fact((), THEN - timedelta(minutes=3), Told("no answer"), THEN)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, Rewound(THEN, {BURNING.of("prod"): stale}))
        await until(pilot, lambda: "3m" in screen_text(app), "how old it was then")
        assert "13m" not in screen_text(app)

    run_app(console, script, place=Place("pods"))


def test_a_table_shows_the_rows_that_differ_and_nothing_is_done_there() -> None:
    console = StillConsole(POLICY)
    was, stays = pod("fraud-0"), pod("stays")
    then, now = (was, stays, pod("ended")), (replace(was, status="CrashLoopBackOff"), stays, pod("begun"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, now, NOW), Rewound(THEN, {KEY: Fact(then, THEN)}))
        await until(pilot, lambda: "ended" in screen_text(app), "the past")
        await pilot.press("equals_sign")
        await until(pilot, lambda: "Running → CrashLoopBackOff" in screen_text(app), "what differs")
        text = screen_text(app)
        assert "NOW AGAINST" in text
        assert "nothing can be done" in text
        assert [word in text for word in ("gone", "new", "changed", "stays")] == [True, True, True, False]
        assert app.view is not None
        (delete,) = (one for one in app.view.spec.actions if one.id == "pods.delete")
        refusal = app.dispatcher.refusal(delete, app.view.targets())
        assert refusal is not None
        assert "past" in refusal.why
        app.view.set_filter("begun")
        await until(pilot, lambda: "ended" not in screen_text(app), "the filter")
        app.view.set_filter("")
        tell(console, FactRead(KEY, then, NOW))
        await until(pilot, lambda: "nothing differs" in screen_text(app), "that it is as it was")
        await pilot.press("equals_sign")
        await until(pilot, lambda: "stays" in screen_text(app), "the past again")

    run_app(console, script, place=Place("pods"))


def test_rows_of_several_contexts_differ_each_in_their_own() -> None:
    console = StillConsole(POLICY, contexts=("prod", "dev"))
    keys = PODS.of("prod"), PODS.of("dev")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, *(FactRead(key, (pod("fraud-0"),), NOW) for key in keys))
        tell(console, Rewound(THEN, {keys[0]: Fact((), THEN), keys[1]: Fact((pod("fraud-0"),), THEN)}, True))
        await until(
            pilot, lambda: "NOW AGAINST" in screen_text(app) and " new " in screen_text(app), "the row"
        )
        assert app.view is not None
        assert [one.context for one in app.view.targets()] == ["prod"]
        tell(console, Rewound(THEN, {keys[0]: Fact((), THEN)}))
        await until(pilot, lambda: "dev: not recorded then" in screen_text(app), "what is not known")

    run_app(console, script, place=Place("pods"))


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "not-known-now"])
def test_a_text_is_compared_by_its_lines(is_known: bool) -> None:
    console = StillConsole(POLICY)
    ref = ref_of("Pod", "ml", "fraud-1")
    key = YAML.of("prod", str(ref))
    then, now = (ObjectText(ref, Untrusted(f"kind: Pod\nimage: {image}\n")) for image in ("one", "two"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, Rewound(THEN, {key: Fact(then, THEN)}, True))
        if is_known:
            tell(console, FactRead(key, now, NOW))
            await until(pilot, lambda: "+image: two" in screen_text(app), "the line of now")
            assert "-image: one" in screen_text(app)
        else:
            await until(pilot, lambda: "what it is now is not known" in screen_text(app), "that")
        tell(console, Compared(False))
        await until(
            pilot, lambda: "kind: Pod" in screen_text(app) and "-image" not in screen_text(app), "then"
        )

    run_app(console, script, place=Place("yaml", str(ref), "prod"))


def test_where_nothing_can_be_compared_that_is_said_and_the_past_is_shown() -> None:
    console = StillConsole(POLICY)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("equals_sign")
        await until(pilot, lambda: "this is now" in app.status.told, "that there is no past")
        tell(console, Rewound(THEN, {}, True))
        await until(pilot, lambda: "REPLAY" in screen_text(app), "the past")
        await pilot.press("equals_sign")
        await until(pilot, lambda: "shows the past" in app.status.told, "that it is not compared")
        assert not app.run_line("diff 10m")

    run_app(console, script, place=Place("service", "fraud", "prod"))
