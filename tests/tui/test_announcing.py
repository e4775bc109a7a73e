"""The bell: rung for what is new, once, and not for what was there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.slo.burning import Burning
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.windows import PROFILES
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.announcing import Announcer, News
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.herald import Herald
from maestro_cli.tui.keys.remembered import Remembered
from maestro_cli.tui.messages import ActionEnded
from maestro_cli.tui.notices import SET_BY, WAYS, notice, way_of
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import announced_feed
from maestro_cli.tui.store.events import FactRead, Rewound
from tests.tui.cases import NOW, StillConsole, run_app, tell, until


def incident(number: int, severity: str = "sev2", *, is_open: bool = True, reopened: int = 0) -> Any:
    return SimpleNamespace(
        id=f"id-{number}", number=number, title="errors [of] fraud", drill=False, reopen_count=reopened,
        severity=SimpleNamespace(value=severity), state=SimpleNamespace(is_open=is_open),
    )  # fmt: skip


def test_what_opens_opens_again_or_becomes_graver_is_news_once() -> None:
    announcer = Announcer()
    assert announcer.heed("prod", [incident(1), incident(2, is_open=False)]) == []
    assert announcer.heed("prod", [incident(1), incident(2, reopened=1), incident(3, "sev3")]) == [
        News("incident #2 sev2 opened again in prod: errors [of] fraud", is_grave=True),
        News("incident #3 sev3 opened in prod: errors [of] fraud", is_grave=False),
    ]
    assert announcer.heed("prod", [incident(1, "sev1"), incident(3, "sev4")]) == [
        News("incident #1 is sev1 now, it was sev2 in prod: errors [of] fraud", is_grave=True)
    ]
    assert announcer.heed("prod", [incident(1, "sev1")]) == []


def test_each_context_has_its_own_first_look() -> None:
    announcer = Announcer()
    announcer.heed("prod", [])
    assert announcer.heed("staging", [incident(1)]) == []


def burning(name: str, rate: float | None) -> Burning:
    objective = Objective(name, "t", "fraud", 0.99, 2592000.0, Counters("all_total", "bad_total"), {})
    return Burning(objective, dict.fromkeys(PROFILES["production"].spans_seconds, rate), 0.5)


def test_a_budget_that_begins_to_burn_critically_is_news_once() -> None:
    announcer = Announcer()
    assert announcer.heed_burn("prod", [burning("answers", 99.0)]) == []
    calm = [burning("answers", 0.1), burning("speed", 0.1)]
    assert announcer.heed_burn("prod", calm) == []
    (news,) = announcer.heed_burn("prod", [burning("answers", 0.1), burning("speed", 99.0)])
    assert news.is_grave
    assert news.words.startswith("speed burns critically in prod: budget gone in ")
    assert announcer.heed_burn("prod", [burning("speed", 99.0)]) == []
    assert announcer.heed_burn("prod", [burning("speed", None)]) == []
    assert announcer.heed_burn("prod", [burning("speed", 99.0)]) == [], "no data between them"
    assert announcer.heed_burn("prod", [burning("speed", 0.1)]) == []
    assert len(announcer.heed_burn("prod", [burning("speed", 99.0)])) == 1


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-256color"}, "bell"),
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "osc9"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "tmux-256color", "VTE_VERSION": "7600"}, "osc777"),
    ],
    ids=["unknown", "kitty", "iterm", "wezterm", "vte-in-tmux"],
)
def test_a_terminal_is_asked_for_what_it_is_known_to_show(environment: dict[str, str], way: str) -> None:
    assert way_of("auto", environment) == way
    assert way_of("off", environment) == "off"
    assert way_of("nonsense", environment) == way


@pytest.mark.parametrize("way", [one for one in WAYS if one.startswith("osc")])
@pytest.mark.parametrize("is_in_tmux", [True, False], ids=["in-tmux", "alone"])
def test_no_text_ends_the_sequence_it_stands_in_or_begins_another(way: str, is_in_tmux: bool) -> None:
    harmless = notice(way, "a", is_in_tmux=is_in_tmux)
    hostile = "4;3;99\x07\x1b\\\x1b]52;c;cm0=\x9c\x9d\x90\u202e\r\n" + 5000 * "x"
    found = notice(way, hostile, is_in_tmux=is_in_tmux)
    controls = [character for character in found if ord(character) < 32 or 127 <= ord(character) < 160]
    assert controls == [character for character in harmless if ord(character) < 32]
    assert found.count(";") == harmless.count(";")
    assert len(found) < 300


def test_off_rings_nothing_and_what_is_not_grave_only_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    spoken, shown = list[str](), list[str]()
    herald = Herald(spoken.append, shown.append, "osc9")
    herald.tell(News("a", is_grave=True))
    herald.tell(News("b", is_grave=False))
    herald.wanted = "off"
    herald.tell(News("c", is_grave=True))
    assert spoken == ["\a\x1b]9;maestro: a\a", "\a"]
    assert shown == ["a", "b", "c"]


def told_of(monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[str, bool]], list[str]]:
    """What is shown, and whether as markup; what is written to the terminal."""
    shown, spoken = list[tuple[str, bool]](), list[str]()
    monkeypatch.setattr(ConsoleApp, "notify", lambda self, text, **how: shown.append((text, how["markup"])))
    monkeypatch.setattr(ConsoleApp, "_speak", lambda self, sequence: spoken.append(sequence))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("TERM_PROGRAM", "LC_TERMINAL", *SET_BY):
        monkeypatch.delenv(name, raising=False)
    return shown, spoken


def test_the_console_rings_and_shows_it_as_text_also_over_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    console, (shown, spoken) = StillConsole(SimpleNamespace()), told_of(monkeypatch)
    key = announced_feed().of("prod")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: key in console.feeds.wanted, "that it is read")
        tell(console, FactRead(key, (), NOW))
        await until(pilot, lambda: console.store.take().fact(key).is_known, "the first look")
        app.draw()
        tell(console, Rewound(NOW, {}), FactRead(key, (SimpleNamespace(incident=incident(4)),), NOW))
        await until(pilot, lambda: bool(shown), "the words")
        assert shown == [("incident #4 sev2 opened in prod: errors [of] fraud", False)]
        assert spoken == ["\a"]

    run_app(console, script, place=Place("pods"))


def test_a_long_action_that_ended_elsewhere_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    console, (shown, spoken) = StillConsole(SimpleNamespace()), told_of(monkeypatch)
    action: Any = SimpleNamespace(title="Roll back", id="workloads.rollback")
    target = Target("prod", "Deployment", "u", "ml/deploy/fraud")

    def ended(place: str, seconds: float) -> ActionEnded:
        return ActionEnded(action, target, "done", is_done=True, place=Place(place), seconds=seconds)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for one in (ended("pods", 60.0), ended("nodes", 1.0), ended("nodes", 60.0)):
            app.post_message(one)
        await until(pilot, lambda: console.feeds.hurried == 3, "all of them")
        assert [words for words, _ in shown] == ["Roll back ml/deploy/fraud: done in prod"]
        assert spoken == ["\a"]

    run_app(console, script, place=Place("pods"))


def test_notify_says_how_it_rings_and_keeps_what_was_chosen() -> None:
    settings = SimpleNamespace(contexts={})
    console = StillConsole(SimpleNamespace(settings=settings))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert app.run_line("notify")
        assert app.status.told.startswith("notify is auto")
        assert app.run_line("notify off")
        assert (app.herald.way, app._to_keep(Remembered()).notify) == ("off", "off")
        assert not app.run_line("notify loud")

    run_app(console, script, place=Place("pods"))
