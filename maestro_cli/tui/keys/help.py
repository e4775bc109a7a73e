"""The help of the place one is in. Invariant: made of the bindings that work there now, under the keys that
they have now, and of every action of the screen with its danger in a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from maestro_cli.core.errors import MaestroError
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.keys.commands import VERBS
from maestro_cli.tui.keys.names import spoken_key
from maestro_cli.tui.screens.model import Screen
from maestro_cli.tui.text import Spans, fit, shown
from maestro_cli.tui.views.view import NO_KEY
from maestro_cli.tui.widgets.text_view import TextView

KEY_CELLS = 16
TITLE_CELLS = 20


@dataclass(frozen=True, slots=True)
class HelpLine:
    keys: str
    title: str
    words: str


def lines_of(bindings: Iterable[tuple[str, Binding]]) -> dict[str, HelpLine]:
    """By id, from each key with its binding; several keys of one binding make one line."""
    found: dict[str, HelpLine] = {}
    for key, binding in bindings:
        if binding.id is None or key.startswith(NO_KEY):
            continue
        before = found.get(binding.id)
        keys = spoken_key(key) if before is None else f"{before.keys} {spoken_key(key)}"
        found[binding.id] = HelpLine(keys, binding.description, binding.tooltip or binding.description)
    return found


def help_sections(spec: Screen, active: dict[str, HelpLine]) -> list[tuple[str, list[HelpLine]]]:
    """The actions of the screen first, then its panes, then what works everywhere, then the command line."""
    actions = {action.id: action for action in spec.actions}
    menus = (active[name].keys for name in ("view.menu", "console.palette") if name in active)
    elsewhere = ", ".join(menus)
    own = [
        HelpLine(
            active[one.id].keys if one.id in active else elsewhere,
            one.title,
            f"{one.danger.value}: {one.tooltip}",
        )
        for one in actions.values()
    ]
    panes = [line for name, line in active.items() if name not in actions and not _is_everywhere(name)]
    everywhere = [line for name, line in active.items() if name not in actions and _is_everywhere(name)]
    verbs = [HelpLine(verb.usage, "", verb.help) for verb in VERBS]
    sections = [
        (f"What can be done on {spec.title}", own),
        ("On what is shown", panes),
        ("Everywhere", everywhere),
        ("After :", [HelpLine(":SCREEN", "", "Go there: [ARGUMENT] [@CONTEXT] [A=B] [/FILTER]"), *verbs]),
    ]  # fmt: skip
    return [(title, lines) for title, lines in sections if lines]


def _is_everywhere(name: str) -> bool:
    return name.startswith(("console.", "view."))


def help_text(spec: Screen, active: dict[str, HelpLine]) -> list[Spans]:
    """The whole page, as lines."""
    lines: list[Spans] = [((shown(spec.title), "title"), (f"  {shown(spec.help)}", "")), (("", ""),)]
    for title, section in help_sections(spec, active):
        lines.append(((shown(title), "title"),))
        for one in section:
            keys = fit(shown(one.keys), KEY_CELLS)
            is_said = one.title in ("", one.words)
            middle = "" if is_said else f" {fit(shown(one.title), TITLE_CELLS)}"
            lines.append(((f"  {keys}", "key"), (middle, ""), (f" {shown(one.words)}", "dim")))
        lines.append((("", ""),))
    return lines


def words_text(title: str, words: str) -> list[Spans]:
    """What is too long for one line, whole."""
    return [((shown(title), "title"), ("   Esc closes it", "dim")), (("", ""),), ((shown(words), ""),)]


def error_line(error: MaestroError) -> str:
    return " — ".join(one for one in (error.what, error.why, error.fix) if one)


def error_text(title: str, error: MaestroError) -> list[Spans]:
    """An error whole: what, why, and how it is mended."""
    lines: list[Spans] = [((shown(title), "title"), ("   Esc closes it", "dim")), (("", ""),)]
    for name, words in (("what", error.what), ("why", error.why), ("fix", error.fix)):
        if words:
            lines.append(((f"  {name:<6}", "key"), (shown(words), "")))
    return lines


class HelpDialog(Dialog):
    """Lines to read; Escape or the key that opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [("question_mark,f1,q", "cancel", "Close")]
    DEFAULT_CSS = """
    HelpDialog > Vertical { height: 90%; }
    HelpDialog TextView { height: 1fr; }
    """

    def __init__(self, lines: Sequence[Spans]) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self._view = TextView(wrap=True)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._view

    def on_mount(self) -> None:
        self._view.show_lines(self._lines)
        self._view.focus()


class TourDialog(HelpDialog):
    """The tour, over which somebody may type already: `:` leaves it and is the first of what is typed."""

    is_typed_over = True
