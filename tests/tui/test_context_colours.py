"""The colour of a context stands with its name wherever that says what one looks at or acts in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from rich.style import Style
from textual.geometry import Region
from textual.pilot import Pilot
from textual.theme import Theme

from maestro_cli.config.colours import COLOURS, colour_of
from maestro_cli.output.views import Lines, Report
from maestro_cli.tui.acting.bulk import AgreeAllDialog
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dialogs import ArmDialog, WordsDialog
from maestro_cli.tui.acting.dispatcher import Planned
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.acting.question_dialogs import LineDialog, SeeDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed, FactRead
from maestro_cli.tui.store.model import Scope, Snapshot
from maestro_cli.tui.store.store import Store
from maestro_cli.tui.swatches import SWATCH_TONES, swatch_tone
from maestro_cli.tui.themes import THEMES
from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.site_names import swatch_style
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import FACTS, SITE
from tests.tui.test_contrast import LEAST, contrast_of

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
OTHER = "staging"
CHOSEN = {OTHER: "orange"}


def two_contexts() -> StillConsole:
    """One has the colour of its name, the other the one that the settings give it."""
    console = StillConsole(SERVICES, (SITE, OTHER))
    console.store = Store(Scope((SITE, OTHER)), CHOSEN)
    return console


def tell_pods(console: StillConsole) -> None:
    for key, data in FACTS["pods"]().items():
        there = dataclasses.replace(key, context=OTHER)
        tell(console, FactRead(key, data, NOW), FactRead(there, data, NOW))


def wanted(app: ConsoleApp, context: str) -> tuple[object, object]:
    """The colours that its name has to stand in."""
    tone = swatch_tone(colour_of(context, CHOSEN.get(context)))
    style = swatch_style(app.theme_variables, tone)
    assert style.bgcolor is not None
    return style.color, style.bgcolor


def colours_of(app: ConsoleApp, name: str, region: Region) -> set[tuple[object, object]]:
    """In which colours a name stands in a part of the screen."""
    strips = app.screen._compositor.render_strips()[region.y : region.bottom]
    cut = (strip.crop(region.x, region.right) for strip in strips)
    styles: Iterable[Style | None] = (one.style for strip in cut for one in strip if one.text.strip() == name)
    return {(style.color, style.bgcolor) for style in styles if style is not None}


def run_pods(look: Callable[[ConsoleApp, Pilot[None]], object], *, theme: str = "dark") -> StillConsole:
    console = two_contexts()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.theme = theme
        tell_pods(console)
        await until(pilot, lambda: bool(app.view and app.view.targets()), "the pods")
        await until(pilot, lambda: OTHER in screen_text(app).splitlines()[0], "the header")
        await look(app, pilot)  # type: ignore[misc]

    run_app(console, script, place=Place("pods"))
    return console


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_each_colour_can_be_read_and_is_no_other_in_every_theme(theme: Theme) -> None:
    variables = {**theme.to_color_system().generate(), **theme.variables}
    found = [swatch_style(variables, tone) for tone in SWATCH_TONES]
    assert [str(style) for style in found if contrast_of(style) < LEAST] == []
    assert len({style.bgcolor for style in found}) == len(COLOURS)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_names_in_the_header_stand_on_their_colours_also_while_it_is_armed(theme: str) -> None:
    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for is_armed in (False, True):
            if is_armed:
                app.behind.store.dispatch(ContextArmed(OTHER, NOW + timedelta(minutes=9)))
                await until(pilot, lambda: app.header.has_class("armed"), "the armed header")
                await until(pilot, lambda: f"WRITE {OTHER} (9m" in screen_text(app), "its words")
            for name in (SITE, OTHER):
                assert colours_of(app, name, app.header.region) == {wanted(app, name)}
        ground = app.header.styles.background.rich_color
        assert ground not in {wanted(app, name)[1] for name in (SITE, OTHER)}

    run_pods(look, theme=theme)


def test_the_header_has_the_colours_of_another_theme_as_soon_as_that_is_chosen() -> None:
    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        before = wanted(app, OTHER)
        app.theme = "light"
        await until(pilot, lambda: wanted(app, OTHER) != before, "the theme")
        await until(
            pilot, lambda: colours_of(app, OTHER, app.header.region) == {wanted(app, OTHER)}, "its colours"
        )

    run_pods(look)


def test_a_list_of_several_contexts_says_in_colours_too_of_which_a_row_is_also_at_the_cursor() -> None:
    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert app.view is not None
        table = app.view.query_one(FactTable)
        await until(pilot, lambda: table.cursor_key is not None, "the cursor")
        await until(pilot, lambda: bool(colours_of(app, OTHER, table.region)), "the rows")
        for name in (SITE, OTHER):
            assert colours_of(app, name, table.region) == {wanted(app, name)}
        (at,) = (row for row, line in enumerate(screen_text(app).splitlines()) if line.startswith("▸"))
        assert colours_of(app, SITE, Region(0, at, app.size.width, 1)) == {wanted(app, SITE)}

    run_pods(look)


def test_panes_side_by_side_have_the_colour_on_their_frames() -> None:
    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.is_beside = True
        app.rescope(Scope((SITE, OTHER)))
        await until(pilot, lambda: len(app.screen.query(FactTable)) == 2, "the panes")
        await until(pilot, lambda: screen_text(app).count("READ-ONLY") == 4, "their frames")
        for name in (SITE, OTHER):
            assert colours_of(app, name, app.body.region) == {wanted(app, name)}

    run_pods(look)


SAY = Action(
    "pods.say", "Say", "say it", Danger.RECORD, lambda target, answers: ("say",),
    performs=lambda doing: "said",
)  # fmt: skip
TARGETS = tuple(Target(name, "Pod", "a", "ml/pod/a") for name in (SITE, OTHER))
PLAN: Any = SimpleNamespace(summary="say it", cautions=(), risks=(), undo=None, decision=None)
SEEN = Report("a/v1", {}, (Lines("what it does"),))


def planned(target: Target) -> Planned:
    return Planned(target, PLAN, PLAN)


DIALOGS: dict[str, tuple[Callable[[], Dialog], tuple[str, ...]]] = {
    "arm": (lambda: ArmDialog(OTHER, protected=True), (OTHER,)),
    "menu": (lambda: ActionMenu(TARGETS, [(SAY, None)]), (SITE, OTHER)),
    "words": (lambda: WordsDialog(SAY, TARGETS[1:]), (OTHER,)),
    "see": (lambda: SeeDialog("Go on?", SEEN, "Go on", site=OTHER), (OTHER,)),
    "line": (lambda: LineDialog("which?", OTHER), (OTHER,)),
    "all": (lambda: AgreeAllDialog(SAY, [planned(one) for one in TARGETS], ()), (SITE, OTHER)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DIALOGS))
def test_a_dialog_that_acts_names_its_contexts_on_their_colours(name: str) -> None:
    make, sites = DIALOGS[name]

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        dialog = make()
        app.push_screen(dialog)
        await until(pilot, lambda: app.screen is dialog and bool(dialog.children), "it")
        box = dialog.children[0]
        await until(pilot, lambda: box.region.height > 2, "its frame")
        frame = Region(box.region.x, box.region.y, box.region.width, 1)
        for site in sites:
            in_frame = partial(colours_of, app, site, frame)
            await until(pilot, lambda shown=in_frame, at=site: shown() == {wanted(app, at)}, site)  # type: ignore[misc]

    run_pods(look)


def test_colours_that_the_settings_give_are_those_of_the_snapshot() -> None:
    snapshot = Snapshot(Scope(("a",)), colours={"a": "red"})
    assert (snapshot.colour("a"), snapshot.colour("b")) == ("red", colour_of("b", None))


def test_without_colours_the_names_are_there_and_nothing_else_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert colours_of(app, OTHER, app.header.region) == {(None, None)}
        assert f"{OTHER} READ-ONLY" in screen_text(app).splitlines()[0]

    run_pods(look)
