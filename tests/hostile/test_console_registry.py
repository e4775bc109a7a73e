"""Every widget and dialog of the console is shown hostile texts; one that is missing from the tables fails.

Views are of screens, whose snapshots hold hostile facts (tests/tui/test_snapshots.py).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

import maestro_cli.tui
from maestro_cli.changes.model import Gate
from maestro_cli.tui.acting.agreeing import AgreeDialog
from maestro_cli.tui.acting.bulk import AgreeAllDialog
from maestro_cli.tui.acting.choosing import Chooser
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.acting.dialogs import ArmDialog, QuitDialog, WordsDialog
from maestro_cli.tui.acting.dispatcher import Planned, Refusal
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Action, Ask, Danger, Target
from maestro_cli.tui.acting.naming import NamedDialog
from maestro_cli.tui.acting.question_dialogs import LineDialog, QuestionDialog, SeeDialog
from maestro_cli.tui.acting.refusing import RefusedDialog
from maestro_cli.tui.keys.help import HelpDialog, TourDialog, words_text
from maestro_cli.tui.keys.history import History
from maestro_cli.tui.keys.standing import OrderedScreen
from maestro_cli.tui.painting import FrontScreen
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.model import Fact, Logged, Scope, Snapshot, Told
from maestro_cli.tui.views.incident_panes import PANES
from maestro_cli.tui.views.incident_view import LogsBox, PaneBox
from maestro_cli.tui.views.logs_pane import LogsPane
from maestro_cli.tui.views.side_view import SidePane, SideView
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.burn_strip import BurnStrip
from maestro_cli.tui.widgets.command_log import CommandLog
from maestro_cli.tui.widgets.crumbs import Crumbs
from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.header import Header
from maestro_cli.tui.widgets.key_line import KeyLine
from maestro_cli.tui.widgets.line_view import LineView
from maestro_cli.tui.widgets.log_pane import LogLine, LogPane
from maestro_cli.tui.widgets.plot import LinePlot
from maestro_cli.tui.widgets.prompt import Prompt, PromptInput
from maestro_cli.tui.widgets.report_view import ReportView
from maestro_cli.tui.widgets.scroll_bar import LineScrollBar
from maestro_cli.tui.widgets.status_line import StatusLine
from maestro_cli.tui.widgets.text_view import TextView
from maestro_cli.tui.widgets.tones import Toned
from maestro_cli.tui.widgets.tree_map import Area, TreeMap
from maestro_cli.tui.widgets.typed_line import LONGEST, TypedLine
from maestro_cli.tui.widgets.words import OneLine, SomeLines
from maestro_cli.tui.widgets.yaml_view import YamlView
from tests.hostile.hostile_texts import hostile_texts, is_dangerous
from tests.hostile.test_console_widgets import COLUMNS, burn_of, plot_of, report_of
from tests.tui.cases import NOW
from tests.tui.facts import FACTS, PLACES
from tests.tui.widgets.stage import play

SHOWN_AT_ONCE = 250  # texts of a table; each of them is a row or a line
ONE_LINE = 40  # of what shows one text at a time
BASES = {Toned, LineView, View, Dialog, NamedDialog, FrontScreen, OrderedScreen, OneLine, SomeLines}

Texts = Sequence[str]


def show_header(widget: Any, text: str) -> None:
    widget.show(Snapshot(Scope((text, "b"), text, text)), NOW)


def show_prompt(widget: Any, text: str) -> None:
    widget.open(":", text, lambda typed: ())
    widget.hint(text, is_wrong=True)


# What shows one text after another, and how.
SINGLE: dict[type[Widget], tuple[Callable[[], Widget], Callable[[Any, str], object]]] = {
    Header: (Header, show_header),
    Crumbs: (Crumbs, lambda widget, text: widget.show([Place("pods", text, text, filter=text)])),
    StatusLine: (StatusLine, lambda widget, text: (widget.wait(text), widget.tell(text))),
    StaleLine: (
        StaleLine,
        lambda widget, text: widget.show(text, [(text, Fact(error=Told(text, text)))], NOW),
    ),
    BurnStrip: (BurnStrip, lambda widget, text: widget.show(burn_of([text]), unknown=[text])),
    LinePlot: (LinePlot, lambda widget, text: widget.show(plot_of(text))),
    Prompt: (lambda: Prompt(History()), show_prompt),
    TypedLine: (lambda: Prompt(History()), show_prompt),
    PromptInput: (lambda: Prompt(History()), show_prompt),
    PaneBox: (
        lambda: PaneBox(PANES[0]),
        lambda widget, text: widget.query_one(ReportView).show(report_of([text])),
    ),
    SidePane: (lambda: SidePane(ReportView()), lambda widget, text: widget.entitle(((text, ""),))),  # type: ignore[arg-type]
}
MANY: dict[type[Widget], tuple[Callable[[], Widget], Callable[[Any, Texts], object]]] = {
    FactTable: (FactTable, lambda widget, texts: widget.show(COLUMNS, texts, lambda one: one)),
    LogPane: (LogPane, lambda widget, texts: widget.append([LogLine(text, text[:9]) for text in texts])),
    ReportView: (ReportView, lambda widget, texts: widget.show(report_of(texts))),
    TreeMap: (TreeMap, lambda widget, texts: widget.show(areas_of(texts), texts[0], texts[0])),
    TextView: (
        lambda: TextView(wrap=True),
        lambda widget, texts: widget.show_lines(words_text("", "".join(texts))),
    ),
    YamlView: (YamlView, lambda widget, texts: widget.show("\n".join(texts), "yaml")),
    CommandLog: (lambda: CommandLog(lambda context: ()), lambda widget, texts: show_log(widget, texts)),
}


def areas_of(texts: Texts) -> list[Area]:
    return [Area(text, text, len(texts) - number, (text, text), text) for number, text in enumerate(texts)]


def show_log(widget: CommandLog, texts: Texts) -> None:
    widget.add_class("open")
    widget.show([Logged(NOW, text, text, text, number) for number, text in enumerate(texts)])


def action_of(text: str) -> Action:
    asks = (Ask("word", text, lambda target: text, choices=(text,)), Ask("one", text, offered={text: text}))
    return Action(
        "x.y",
        text,
        text,
        Danger.DISRUPTIVE,
        lambda target, answers: (text,),
        asks=asks,
        performs=lambda doing: text,
    )


def target_of(text: str) -> Target:
    return Target(text, text, text, text)


def planned_of(text: str) -> Any:
    reason = SimpleNamespace(what=text, why=text, fix=text)
    decision = SimpleNamespace(outcome=Gate.REFUSED, reasons=(reason,), warnings=(text,))
    plan = SimpleNamespace(summary=text, risks=(SimpleNamespace(code=text),), undo=None)
    return Planned(target_of(text), plan, SimpleNamespace(decision=decision))  # type: ignore[arg-type]


def question_of(text: str) -> Any:
    return SimpleNamespace(run_id=text, title=text, path=text, form=text, text=text)


# AgreeDialog shows a whole plan, as tests/tui/test_gate_in_dialogs.py; its words are those of the others. The
# logs are parts of two screens, in whose snapshots they have hostile lines. A scroll bar has no text, and the
# line of keys those of the program alone.
DIALOGS: dict[type[Widget], Callable[[str], ModalScreen[Any]]] = {
    WordsDialog: lambda text: WordsDialog(action_of(text), [target_of(text)]),
    Chooser: lambda text: WordsDialog(action_of(text), [target_of(text)]),
    ArmDialog: lambda text: ArmDialog(text, protected=True),
    QuitDialog: lambda text: QuitDialog([text]),
    SeeDialog: lambda text: SeeDialog(text, report_of([text]), "Go on", text, text),
    QuestionDialog: lambda text: QuestionDialog(question_of(text), text),
    LineDialog: LineDialog,
    RefusedDialog: lambda text: RefusedDialog(text, text, text),
    ActionMenu: lambda text: ActionMenu([target_of(text)], [(action_of(text), Refusal(text, text))]),
    AgreeAllDialog: lambda text: AgreeAllDialog(action_of(text), [planned_of(text)], [text], text),
    HelpDialog: lambda text: HelpDialog(words_text(text, text)),
    TourDialog: lambda text: TourDialog(words_text(text, text)),
}
ELSEWHERE: set[type[Widget]] = {AgreeDialog, KeyLine, LineScrollBar, LogsBox, LogsPane}


def of_the_console() -> set[type[Widget]]:
    """Every widget, view and dialog that some module of the console defines."""
    found: set[type[Widget]] = set()
    for info in pkgutil.walk_packages(maestro_cli.tui.__path__, "maestro_cli.tui."):
        if ".web" in info.name:
            continue
        module = importlib.import_module(info.name)
        for one in vars(module).values():
            if inspect.isclass(one) and issubclass(one, Widget) and one.__module__ == info.name:
                found.add(one)
    return found - BASES


def views_of_screens() -> set[type[Widget]]:
    """Those that are drawn with the facts of the snapshots, and the one that holds several of them."""
    assert set(FACTS) == set(every_screen())
    views = [one.view(PLACES.get(name, Place(name))) for name, one in every_screen().items()]
    ours = of_the_console()
    return {next(kind for kind in type(one).__mro__ if kind in ours) for one in views} | {SideView}


def test_no_widget_of_the_console_is_missing_here() -> None:
    known: set[type[Widget]] = {*SINGLE, *MANY, *DIALOGS, *ELSEWHERE, *views_of_screens()}
    assert {one.__name__ for one in of_the_console() - known} == set()
    assert {one.__name__ for one in known - of_the_console()} == set(), "gone"


def check_screen(pilot: Pilot[None]) -> int:
    """What is on the screen is text: no control, no bidi, no link, no action of a text. The lines of it."""
    strips = pilot.app.screen._compositor.render_strips()
    for strip in strips:
        bad = sorted(filter(is_dangerous, set(strip.text)))
        assert not bad, ascii(bad)
        for segment in strip:
            assert not segment.control
            if segment.style is not None:
                assert segment.style.link is None
                assert "app.quit" not in str(segment.style.meta)
    return len(strips)


def spread(count: int) -> list[str]:
    texts = hostile_texts()
    return [text[:2000] for text in texts[:: len(texts) // count]][:count]


@pytest.mark.parametrize("kind", SINGLE, ids=lambda kind: kind.__name__)
def test_what_shows_one_text_shows_it_as_text(kind: type[Widget]) -> None:
    make, show = SINGLE[kind]
    widget = make()

    async def scene(pilot: Pilot[None]) -> None:
        for text in spread(ONE_LINE):
            show(widget, text)
            await pilot.pause()
            assert check_screen(pilot)

    play(scene, widget)


@pytest.mark.parametrize("kind", MANY, ids=lambda kind: kind.__name__)
def test_what_shows_many_texts_shows_them_as_text(kind: type[Widget]) -> None:
    make, show = MANY[kind]
    widget = make()

    async def scene(pilot: Pilot[None]) -> None:
        show(widget, spread(SHOWN_AT_ONCE))
        await pilot.pause()
        for _ in range(20):
            assert check_screen(pilot)
            widget.scroll_page_down(animate=False)
            await pilot.pause()

    play(scene, widget)


@pytest.mark.parametrize("kind", DIALOGS, ids=lambda kind: kind.__name__)
def test_a_dialog_shows_texts_as_text(kind: type[Widget]) -> None:
    stage = Input()

    async def scene(pilot: Pilot[None]) -> None:
        for text in spread(12):
            dialog = DIALOGS[kind](text)
            pilot.app.push_screen(dialog)
            await pilot.pause()
            await pilot.pause()
            assert check_screen(pilot)
            dialog.dismiss(None)
            await pilot.pause()

    play(scene, stage, size=(100, 40))


def test_what_is_pasted_into_a_line_is_text_and_what_is_too_long_is_not_taken() -> None:
    line = TypedLine()

    async def scene(pilot: Pilot[None]) -> None:
        line.post_message(Paste("a\x1b[31m\u202eb"))
        await pilot.pause()
        assert line.value == "a\ufffd[31m\ufffdb"
        line.post_message(Paste("x" * 1_000_000))
        await pilot.pause()
        assert len(line.value) <= LONGEST
        line.value = "y" * 1_000_000
        assert len(line.value) == LONGEST
        assert check_screen(pilot)

    play(scene, line)
