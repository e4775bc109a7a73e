"""keys.yaml: refused whole, with its line, where it would put a trap under a hand."""

from __future__ import annotations

import asyncio
from string import ascii_lowercase
from types import SimpleNamespace

import pytest

from maestro_cli.config.keys_file import KeysFile
from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.tui.acting.dialogs import ArmDialog
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.keymap import Keymap, checked_keymap
from maestro_cli.tui.keys.names import is_safe_for_harm, normal_key, spoken_key
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.screens.model import Place
from tests.tui.cases import StillConsole, screen_text, until

SERVICES = SimpleNamespace(
    policy=SimpleNamespace(protected=False, read_only=False), settings=SimpleNamespace(contexts={})
)


def keymap_of(text: str) -> Keymap:
    document = parse_yaml(f"maestro: keys/v1\n{text}", "keys.yaml")
    return checked_keymap(document, document.decode(KeysFile))


def test_keys_and_favourites_are_taken_under_the_names_that_the_terminal_has() -> None:
    keymap = keymap_of("keys:\n  console.command: ';'\n  console.filter: '?,ctrl+o'\n  console.help: f1\n"
                       "favourites:\n  1: pods @staging\n")  # fmt: skip
    assert keymap.keys == {
        "console.command": ";",
        "console.filter": "question_mark,ctrl+o",
        "console.help": "f1",
    }
    assert keymap.favourites == {"1": "pods @staging"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "keys:\n  pods.delte: f9\n",
            "keys.yaml:3: keys.pods.delte: is no id of a key; did you mean 'pods.delete'?",
        ),
        ("keys:\n  pods.delete: ctl+g\n", "'ctl+g' is no key; 'ctl' is no modifier: did you mean 'ctrl'?"),
        ("keys:\n  pods.delete: pagedwn\n", "did you mean 'pagedown'?"),
        ("keys:\n  pods.delete: ''\n", "names no key"),
        ("keys:\n  console.filter: ':'\n", "puts two things on :; on the screen"),
        ("keys:\n  console.filter: j\n", "table.down"),
        ("keys:\n  incident.rehearse: j\n", "on the screen incident it is lines.down and incident.rehearse"),
        ("keys:\n  incident.ack: f\n", "on the screen incident it is log.follow and incident.ack"),
        ("keys:\n  logs.previous: w\n", "on the screen logs it is lines.wrap and logs.previous"),
        ("favourites:\n  0: pods\n", "favourites"),
        ("kys: {}\n", "did you mean 'keys'?"),
    ],
    ids=["unknown-id", "unknown-modifier", "unknown-key", "no-key", "same-key", "pane-key",
         "incident-text", "incident-log", "logs", "digit", "typo"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_where_and_what_was_meant(text: str, says: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        keymap_of(text)
    error = refused.value
    assert (
        says
        in f"{error.where}: {error.key}: {error.what.split(': ')[-1]}; {error.why} {error.fix}".replace(
            "; ;", ";"
        ).replace(";  ", "; ")
    )


@pytest.mark.parametrize(
    "key",
    ["d", "X", "9", "!", "enter", "space", "tab", "escape", "delete", "up", "ctrl+enter", "alt+d",
     "alt+D", "alt+f9", "ctrl+alt+d", "alt+shift+d", *(f"ctrl+{letter}" for letter in ascii_lowercase)],
)  # fmt: skip
def test_what_hurts_is_refused_on_keys_of_habit(key: str) -> None:
    assert not is_safe_for_harm(key)
    with pytest.raises(InvalidFile, match="too easily pressed"):
        keymap_of(f"keys:\n  pods.delete: '{key}'\n")


@pytest.mark.parametrize("name", ["changes.undo", "changes.resume"])
def test_what_may_hurt_for_what_is_chosen_is_refused_there_as_well(name: str) -> None:
    with pytest.raises(InvalidFile, match="too easily pressed for what can be destructive"):
        keymap_of(f"keys:\n  {name}: f\n")


@pytest.mark.parametrize("key", ["f9", "shift+f9", "ctrl+shift+k", "super+d"])
def test_what_hurts_may_be_on_a_key_that_is_meant(key: str) -> None:
    assert keymap_of(f"keys:\n  pods.delete: {key}\n").keys == {"pods.delete": key}


@pytest.mark.parametrize(
    ("key", "name", "spoken"),
    [("?", "question_mark", "?"), ("ctrl+/", "ctrl+slash", "ctrl+/"), ("escape", "escape", "Esc")],
    ids=["sign", "with-modifier", "named"],
)  # fmt: skip
def test_a_key_has_one_name_inside_and_one_for_people(key: str, name: str, spoken: str) -> None:
    assert (normal_key(key), spoken_key(name)) == (name, spoken)


def test_a_key_of_ones_own_stands_at_the_foot_where_the_usual_one_stood() -> None:
    def foot(chosen: dict[str, str]) -> str:
        lines: list[str] = []

        async def run() -> None:
            app = ConsoleApp(StillConsole(SERVICES), Place("pods"), keymap=Keymap(chosen))
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: "Actions" in screen_text(app).splitlines()[-1], "the keys")
                lines.append(screen_text(app).splitlines()[-1])

        asyncio.run(run())
        return lines[0]

    usual = foot({})
    assert ": Command" in usual
    assert foot({"console.command": "f5"}) == usual.replace(": Command", "f5 Command").ljust(80)[:80]


def test_what_is_offered_for_what_hurts_is_taken_by_nothing() -> None:
    with pytest.raises(InvalidFile) as caught:
        keymap_of("keys:\n  pods.delete: d\n")
    offered = caught.value.fix.partition("one of ")[2].partition(", or ")[0].split(", ")
    taken = {one for key in every_key() for one in key.keys.split(",")}
    assert len(offered) > 2
    assert not {*offered} & taken
    for one in offered:
        assert keymap_of(f"keys:\n  pods.delete: {one}\n").keys == {"pods.delete": one}


def test_what_is_advised_names_the_chosen_keys() -> None:
    """Not the ones that they come with."""
    chosen = {"console.arm": "f5", "console.back": "f4", "table.mark": "m", "console.quit": "f10"}
    harm = Action(
        "pods.say", "Say", "say it", Danger.REVERSIBLE, lambda target, answers: ("say",),
        performs=lambda doing: "said",
    )  # fmt: skip
    target = Target("prod", "Pod", "a", "a")

    async def run() -> None:
        console = StillConsole(SERVICES)
        app = ConsoleApp(console, Place("pods"), keymap=Keymap(chosen))
        async with app.run_test(size=(80, 24)) as pilot:
            refusals = [app.dispatcher.refusal(harm, chosen) for chosen in ((target,), (), (target, target))]
            assert [one.fix.split(" to ")[0] for one in refusals if one is not None] == [
                "press f5", "put the cursor on it, or press m", "press f4"
            ]  # fmt: skip
            app.arm("prod")
            await until(pilot, lambda: isinstance(app.screen, ArmDialog), "the dialog")
            await pilot.press("escape")
            await until(pilot, lambda: "still read-only: f5, then" in app.status.told, "how it is armed")
            assert "press W" not in screen_text(app)
            app.action_copy_selected()
            assert app.status.told.endswith("f10 leaves the console")
            app.action_to_shell()
            assert app.status.told == "there is no shell to go to here; f10 leaves the console"

    asyncio.run(run())
