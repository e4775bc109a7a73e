"""Contrast: every tone can be read on what is behind it, also while something else has the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.command import CommandList
from textual.containers import Vertical
from textual.geometry import Region
from textual.pilot import Pilot
from textual.theme import Theme

from maestro_cli.output.views import Lines, Report
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog, WordsDialog
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.acting.question_dialogs import LineDialog, SeeDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.themes import THEMES
from maestro_cli.tui.widgets.scroll_bar import filtered
from maestro_cli.tui.widgets.tones import TONES, Toned
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import FACTS, PLACES, SITE

LEAST = 4.5
PAIRS = (
    ("foreground", "surface"),
    ("foreground", "panel"),
    ("text-warning", "surface"),
    ("text-warning", "warning-muted"),
    ("text-success", "surface"),
    ("text-success", "panel"),
    ("text-error", "surface"),
    ("text-error", "panel"),
    ("text-primary", "surface"),
    ("text-accent", "surface"),
    ("text-warning", "panel"),
    ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
)
_BLACK, _GREY = (0, 0, 0), (229, 229, 229)
_XTERM = [
    _BLACK, (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), _GREY,
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
    (255, 255, 255),
]  # fmt: skip
_CONSOLE = [
    _BLACK, (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170),
    (170, 170, 170), (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255),
    (255, 85, 255), (85, 255, 255), (255, 255, 255),
]  # fmt: skip
TERMINALS = (  # xterm, and the console of Linux, which has the colours of VGA
    TerminalTheme(_BLACK, _GREY, _XTERM[:8], _XTERM[8:]),
    TerminalTheme(_BLACK, (170, 170, 170), _CONSOLE[:8], _CONSOLE[8:]),
)
LIGHT = {  # what is behind, the text, and bright red and bright magenta
    "xterm": ("#ffffff", "#000000", "#ff0000", "#ff00ff"),
    "gnome": ("#ffffff", "#171421", "#f66151", "#c061cb"),
    "macos": ("#ffffff", "#000000", "#e50000", "#e500e5"),
    "solarized": ("#fdf6e3", "#657b83", "#cb4b16", "#6c71c4"),
}
LEAST_OF_LIGHT = 3.0  # as WCAG asks of what is bold or large; text of Solarized itself has 4.1
OWN = [theme for theme in THEMES if theme.name != "ansi"]  # of which the terminal knows the colours


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it; a component is drawn without transparency."""
    parts = (part / 255 for part in Color.parse(colour).rgb)
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "behind"), PAIRS)
def test_a_text_can_be_read_on_what_is_behind_it(theme: Theme, text: str, behind: str) -> None:
    colours = {**theme.to_color_system().generate(), **theme.variables}
    ratio = contrast(colours[text], colours[behind])
    assert ratio >= LEAST, f"{colours[text]} on {colours[behind]} is {ratio:.1f}:1"


def contrast(text: str, behind: str) -> float:
    """As WCAG 2.1 defines it: 1 for the same colour, 21 for black on white."""
    dark, light = sorted((luminance(text), luminance(behind)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", LIGHT.values(), ids=LIGHT)
def test_colours_of_the_terminal_can_be_told_from_a_light_ground_too(
    palette: tuple[str, str, str, str],
) -> None:
    (ansi,) = (theme for theme in THEMES if theme.ansi)
    behind, text, red, magenta = palette
    known = {"ansi_default": text, "ansi_bright_red": red, "ansi_bright_magenta": magenta}
    for name, colour in ansi.variables.items():
        if name.startswith("text-") or name == "footer-key-foreground":
            assert contrast(known[colour], behind) >= LEAST_OF_LIGHT, name


def contrast_of(style: Style) -> float:
    """Of what is painted in it; of colours of the terminal with those of the dark terminals that are least
    bright."""
    pairs = [(style.color, True), (style.bgcolor, False)]
    found = []
    for terminal in TERMINALS:
        text, behind = (
            (one or RichColor.default()).get_truecolor(terminal, foreground=is_text).hex
            for one, is_text in pairs
        )
        found.append(contrast(text, behind))
    return min(found)


SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
FOOT = 1  # lines, the last


def unreadable(app: ConsoleApp) -> list[str]:
    """Every tone on the ground of every widget of the screen, as it is painted, and the line of keys."""
    found = [
        f"{tone} on {widget!r}: {segment.style}"
        for widget in app.screen.query(Toned)
        for tone in ("", *TONES)
        for segment in filtered(widget, [widget.painted((("x", tone),), 1)])[0]
        if segment.style is None or contrast_of(segment.style) < LEAST
    ]
    foot = app.screen._compositor.render_strips()[-FOOT]
    return found + [
        f"{segment.text}: {segment.style}"
        for segment in foot
        if segment.text.strip() and (segment.style is None or contrast_of(segment.style) < LEAST)
    ]


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("screen", ["incident", "pods"])
def test_every_tone_can_be_read_as_it_is_painted_wherever_it_stands(theme: Theme, screen: str) -> None:
    console = StillConsole(SERVICES, (SITE,))

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.theme = theme.name
        tell(console, *(FactRead(key, data, NOW) for key, data in FACTS[screen]().items()))
        await until(pilot, lambda: "Actions" in screen_text(app).splitlines()[-FOOT], "the keys")
        is_own = theme.ansi or {widget.rich_style.bgcolor for widget in app.screen.query(Toned)} != {None}
        assert is_own
        assert unreadable(app) == []

    run_app(console, look, place=PLACES.get(screen, Place(screen)))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_the_menu_offers_and_why_not_can_be_read(theme: Theme) -> None:
    console = StillConsole(SERVICES, (SITE,))

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.theme = theme.name
        tell(console, *(FactRead(key, data, NOW) for key, data in FACTS["pods"]().items()))
        await until(pilot, lambda: bool(app.view and app.view.targets()), "the pods")
        await pilot.press("x")
        await until(pilot, lambda: "refused now" in screen_text(app), "the menu")
        bad = [
            f"{segment.text}: {segment.style}"
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if any(word in segment.text for word in ("refused now", "observe", "disruptive"))
            and (segment.style is None or contrast_of(segment.style) < LEAST)
        ]
        assert bad == []

    run_app(console, look, place=Place("pods"))


def painted_in(app: ConsoleApp, regions: Iterable[Region]) -> list[str]:
    """What stands in parts of the screen and cannot be read there; lines of a frame are no text."""
    strips = app.screen._compositor.render_strips()
    segments = (
        segment
        for region in regions
        for strip in strips[region.y : region.bottom]
        for segment in strip.crop(region.x, region.right)
    )
    return [
        f"{segment.text}: {segment.style}"
        for segment in segments
        if any(map(str.isalnum, segment.text))
        and (segment.style is None or contrast_of(segment.style) < LEAST)
    ]


ASKING = Action(
    "pods.say", "Say", "say it", Danger.RECORD, lambda target, answers: ("say",),
    performs=lambda doing: "said",
    asks=(Ask("word", "which word", offered={"one": "the first", "two": "the second"}),),
)  # fmt: skip
DIALOGS: dict[str, Callable[[], Dialog]] = {
    "arm": lambda: ArmDialog("prod", protected=True),
    "quit": lambda: QuitDialog(("a change",)),
    "line": lambda: LineDialog("which namespace?"),
    "see": lambda: SeeDialog("Go on?", Report("a/v1", {}, (Lines("what it does"),)), "Go on"),
    "words": lambda: WordsDialog(ASKING, (Target(SITE, "Pod", "a", "a"),)),
}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", list(DIALOGS))
def test_what_a_dialog_says_can_be_read_whatever_in_it_has_the_focus(theme: Theme, name: str) -> None:
    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.theme = theme.name
        dialog = DIALOGS[name]()
        app.push_screen(dialog)
        await until(pilot, lambda: bool(dialog.query("#cancel")) and "Cancel" in screen_text(app), "it")
        for one in dialog.focus_chain:
            one.focus()
            await until(pilot, partial(one.has_pseudo_class, "focus"), "the focus")
            await pilot.pause()
            assert painted_in(app, [dialog.query_one(Vertical).region]) == [], one

    run_app(StillConsole(SERVICES, (SITE,)), look, place=Place("pods"))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_the_palette_finds_can_be_read_also_where_it_is_chosen(theme: Theme) -> None:
    console = StillConsole(SERVICES, (SITE,))

    async def look(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.theme = theme.name
        tell(console, *(FactRead(key, data, NOW) for key, data in FACTS["pods"]().items()))
        await until(pilot, lambda: bool(app.view and app.view.targets()), "the pods")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "earch for" in screen_text(app) and "observe" in screen_text(app), "it")
        found = app.screen.query_one(CommandList)
        for _ in range(3):
            assert painted_in(app, [app.screen.query_one("#--input").region, found.region]) == []
            await pilot.press("down")
            await pilot.pause()
        assert found.highlighted is not None

    run_app(console, look, place=Place("pods"))
