"""Themes, sizes, the log of what was done, and files of a session."""

from __future__ import annotations

import html
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.color import Color
from textual.pilot import Pilot

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import UsageError
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.export import session_markdown, write_new
from maestro_cli.tui.keys.help import HelpDialog
from maestro_cli.tui.keys.kubectl import kubectl_line
from maestro_cli.tui.keys.remembered import Remembered, recall, remember, remembered_path
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import CommandLogged, ContextArmed, FactFailed, FactRead
from maestro_cli.tui.store.model import Logged, Scope, Snapshot, Told
from maestro_cli.tui.themes import THEMES
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until
from tests.tui.keys.test_typing import SERVICES, type_in

PODS_PLACE = Place("pods")
LINE = "maestro --context prod restart ml/deployment/fraud"


def contrasts(strips: list[Any]) -> Iterator[tuple[float, str]]:
    """Of each text on the screen with what is behind it, by the formula of WCAG 2."""
    for strip in strips:
        for segment in strip:
            style, text = segment.style, segment.text.strip()
            if any(letter.isalnum() for letter in text) and style.color and style.bgcolor:
                dark, light = sorted((luminance(style.color), luminance(style.bgcolor)))
                yield (light + 0.05) / (dark + 0.05), text


def luminance(color: Color) -> float:
    parts = [one / 255 for one in color.get_truecolor()]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_in_high_contrast_has_seven_to_one() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        pods = tuple(pod(f"fraud-{n}", health=("good", "bad", "warn")[n % 3]) for n in range(9))
        tell(console, FactRead(PODS.of("prod"), pods, NOW), ContextArmed("prod", NOW.replace(hour=4)))
        await until(pilot, lambda: "fraud-8" in screen_text(app), "the rows")
        tell(console, FactFailed(PODS.of("prod"), Told("Kubernetes does not answer"), NOW))
        await until(pilot, lambda: "does not answer" in screen_text(app), "the error")
        await pilot.press("down", "space", "slash")
        await type_in(pilot, "(")
        await until(pilot, lambda: "cannot be read" in screen_text(app), "the fault")
        found = list(contrasts(app.screen._compositor.render_strips()))
        assert len(found) > 15
        assert [one for one in found if one[0] < 7] == []
        await pilot.press("escape", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog), "the help")
        await until(pilot, lambda: "What can be done" in screen_text(app), "its words")
        inside = app.screen.query("Dialog > Vertical").first().region
        strips = app.screen._compositor.render_strips()[inside.y : inside.bottom]
        found = list(contrasts([strip.crop(inside.x, inside.right) for strip in strips]))
        assert len(found) > 15
        assert [one for one in found if one[0] < 7] == []

    run_app(console, script, place=PODS_PLACE, kept=Remembered("high-contrast", has_seen_tour=True))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_each_theme_opens_without_colour_too_and_says_the_same_words(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1", status="CrashLoopBackOff"),), NOW))
        await until(pilot, lambda: "CrashLoopBackOff" in screen_text(app), "the state in words")
        assert app.theme == theme
        assert "prod READ-ONLY" in screen_text(app)
        strips = app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
        assert {(style.color, style.bgcolor) for style in styles} == {(None, None)}
        assert any(style.bold for style in styles)

    run_app(console, script, place=PODS_PLACE, kept=Remembered(theme, has_seen_tour=True))


def test_below_the_smallest_size_it_says_so_and_comes_back() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(70, 20)
        await until(pilot, lambda: "the terminal is 70 × 20" in screen_text(app), "the words")
        assert "READ-ONLY" not in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "READ-ONLY" in screen_text(app), "the console")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_what_was_done_is_listed_and_copied_as_commands() -> None:
    context = SimpleNamespace(cluster=ClusterEndpoint("/etc/prod", "eu"))
    console = StillConsole(SimpleNamespace(**vars(SERVICES), context=context))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "nothing was done yet" in screen_text(app), "that it is empty")
        tell(console, CommandLogged(NOW, "prod", LINE, "running", 1))
        await until(pilot, lambda: "running" in screen_text(app), "that it runs")
        tell(console, CommandLogged(NOW, "prod", LINE, "applied: c-7", 1))
        await until(pilot, lambda: "applied: c-7" in screen_text(app), "how it ended")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == LINE, "the command")
        await pilot.press("Y")
        near = "kubectl --kubeconfig /etc/prod --context eu rollout restart deployment/fraud -n ml"
        await until(pilot, lambda: app.clipboard == near, "the one of kubectl")

    run_app(console, script, place=PODS_PLACE)


@pytest.mark.parametrize(
    ("line", "near"),
    [
        (
            "maestro --context e scale ml/deployment/f --replicas 3",
            "kubectl --context eu scale deployment/f -n ml --replicas=3",
        ),
        (
            "maestro --context e rollback ml/deployment/f",
            "kubectl --context eu rollout undo deployment/f -n ml",
        ),
        (
            "maestro --context e rollback ml/deployment/f --to-revision 4",
            "kubectl --context eu rollout undo deployment/f -n ml --to-revision=4",
        ),
        ("maestro --context e pod delete ml/pod/a", "kubectl --context eu delete pod/a -n ml"),
        ("maestro --context e node drain n1", "kubectl --context eu drain n1 --ignore-daemonsets"),
        ("maestro --context e incident ack 12", ""),
        ("maestro --context e scale", ""),
        ("maestro 'broken", ""),
    ],
    ids=["scale", "undo", "undo-to", "pod", "drain", "none", "no-target", "broken"],
)
def test_a_line_has_its_nearest_of_kubectl_or_none(line: str, near: str) -> None:
    assert kubectl_line(line, lambda context: ("--context", f"{context}u") if context == "e" else ()) == near


def test_a_line_whose_cluster_is_not_known_is_not_written_for_kubectl() -> None:
    assert kubectl_line("maestro --context p pod delete ml/pod/a", lambda context: ()) == ""
    assert kubectl_line("maestro pod delete ml/pod/a", lambda context: ("--context", "eu")) == ""


def test_a_session_is_markdown_that_nothing_in_it_can_break() -> None:
    log = (Logged(NOW, "prod", "maestro note '```' [x](http://evil)", "failed: <img src=x>", 1),)
    text = session_markdown(
        Snapshot(Scope(("prod",)), log=log), (Place("pods", "a|b\x1b[2J"),), NOW, lambda one: ()
    )
    assert "\\<img src=x\\>" in text
    assert "````text\nmaestro note '```'" in text
    assert "\x1b" not in text


def test_no_file_is_written_over_unasked(tmp_path: Path) -> None:
    path = write_new(str(tmp_path / "a.md"), "x.md", "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="is there already"):
        write_new(str(path), "x.md", "two")
    assert path.read_text() == "one"
    write_new(f"!{path}", "x.md", "two")
    assert path.read_text() == "two"
    assert write_new(str(tmp_path), "x.md", "in it") == tmp_path / "x.md"
    with pytest.raises(UsageError, match="cannot be written"):
        write_new(str(path / "below"), "x.md", "no")


def test_a_file_that_came_since_it_was_looked_for_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.md"
    path.write_text("of somebody else")
    monkeypatch.setattr(Path, "exists", lambda self: self != path)
    with pytest.raises(UsageError, match="is there already"):
        write_new(str(path), "x.md", "two")
    monkeypatch.undo()
    assert path.read_text() == "of somebody else"


@pytest.mark.parametrize("name", ["~nobody-of-this-name/a.md", "a" * 300, "b" * 300 + "/a.md"], ids=len)
def test_a_path_that_the_system_refuses_is_told_and_the_console_stays(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_new(name, "x.md", "no")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert not app.run_line(f"export {name}")
        assert "cannot be written" in app.status.told
        app.status.tell("")
        app.run_line(f"screenshot {name}")
        await until(pilot, lambda: "cannot be written" in app.status.told, "why")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def test_a_path_that_may_not_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", denied)
    with pytest.raises(UsageError, match="cannot be written") as told:
        write_new(str(tmp_path / "a.md"), "x.md", "no")
    assert told.value.why == "Permission denied"


def test_a_picture_says_where_it_is(tmp_path: Path) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.run_line(f"screenshot {tmp_path / 'a.svg'}")
        await until(pilot, lambda: "written: " in app.status.told, "where")
        assert (tmp_path / "a.svg").read_text().startswith("<svg")

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE)


def keys_told(app: ConsoleApp) -> str:
    return "".join(screen_text(app).splitlines()[-1].split())


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["small", "large"])
def test_a_picture_is_of_what_was_looked_at_and_its_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    """Not of the line in which it was asked for, nor of the keys that work there."""

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        line = f"screenshot {tmp_path / 'a.svg'}"
        await pilot.press("colon")
        await type_in(pilot, line)
        await until(pilot, lambda: app.prompt.is_open and app.key_line.is_of_now, "the line")
        before = keys_told(app)
        await pilot.press("enter")
        await until(pilot, lambda: "written: " in app.status.told, "where")
        picture = html.unescape(re.sub("<[^>]*>", "", (tmp_path / "a.svg").read_text()))
        assert keys_told(app) != before
        assert keys_told(app) in "".join(picture.split())
        assert "screenshot" not in picture

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, size=size)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 3}', "\xff", "[" * 20_000], ids=str.__len__)
def test_a_broken_memory_costs_the_memory_alone(text: str) -> None:
    remembered_path().parent.mkdir(parents=True, exist_ok=True)
    remembered_path().write_bytes(text.encode("latin-1"))
    assert recall() == Remembered()


def test_what_is_remembered_of_a_later_version_is_used_as_far_as_it_is_known() -> None:
    remembered_path().parent.mkdir(parents=True, exist_ok=True)
    remembered_path().write_text('{"theme": "light", "new": 1}')
    assert recall() == Remembered("light")


def test_that_the_tour_was_seen_is_kept_at_once_for_a_console_that_is_killed() -> None:
    remember(Remembered("light"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: recall().has_seen_tour, "kept while it is open")
        assert recall().theme == "light"

    run_app(StillConsole(SERVICES), script, place=PODS_PLACE, kept=recall())
