"""Whatever it is shown, a widget of the console paints text: nothing is obeyed, nothing breaks the screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from maestro_cli.output.plots import Mark, Plot
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.slo.burn import BurnState
from maestro_cli.tui.text import Spans, cell_strip, fit, shown
from maestro_cli.tui.widgets.burn_strip import BurnCell, BurnStrip, burn_text
from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.log_pane import Gap, LogLine, LogPane, line_spans
from maestro_cli.tui.widgets.plot import LinePlot, plot_lines
from maestro_cli.tui.widgets.report_view import ReportView, report_lines
from maestro_cli.tui.widgets.source_colours import source_lines
from maestro_cli.tui.widgets.yaml_view import KINDS, YamlView
from tests.hostile.hostile_texts import COUNT, hostile_texts, is_dangerous
from tests.tui.widgets.stage import play

COLUMNS = (
    Column[str]("name \x1b[2J", lambda text: text, tone=lambda text: text[:20]),
    Column[str]("[@click=app.quit]x[/]", lambda text: text[::-1], right=True),
    Column[str]("size", len, wide=True),
)


def batches(texts: Sequence[str], size: int) -> Iterable[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, size)):
        yield batch


NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
BAD, PLAIN = Style(bold=True), Style()


def plain(tone: str) -> Style:
    return BAD if tone == "bad" else PLAIN


def check(strip: Strip, width: int | None = None) -> None:
    """Text alone, of the width that it says: no control, no action, no link."""
    assert not any(map(is_dangerous, set(strip.text))), ascii(strip.text)[:300]
    assert strip.cell_length == sum(cell_len(segment.text) for segment in strip)
    if width is not None:
        assert strip.cell_length == width
    for segment in strip:
        assert not segment.control
        if segment.style is not None:
            assert set(segment.style.meta) <= {"offset"}
            assert segment.style.link is None


@pytest.mark.parametrize(
    "strip",
    [
        Strip([Segment("\x1b[31m")]),
        Strip([Segment("\u202e")]),
        Strip([Segment("x", Style.from_meta({"@click": "app.quit"}))]),
        Strip([Segment("x", Style(link="http://evil.example"))]),
        Strip([Segment("日")], 1),
    ],
    ids=["escape", "bidi", "action", "link", "width"],
)
def test_the_judge_notices_what_must_not_be(strip: Strip) -> None:
    with pytest.raises(AssertionError):
        check(strip)


def report_of(texts: Sequence[str]) -> Report:
    half = len(texts) // 2
    return Report(
        "x/v1",
        {},
        (
            Heading("".join(texts[:1])),
            Fields([(text[:40], text) for text in texts[:half]]),
            Lines("\n".join(texts[half:])),
            Listing("y/v1", COLUMNS, texts[:half]),
            Listing("y/v1", COLUMNS, [], empty="".join(texts[-1:])),
        ),
    )


def burn_of(texts: Sequence[str]) -> list[BurnCell]:
    states = list(BurnState)
    return [BurnCell(text, states[n % len(states)], text) for n, text in enumerate(texts)]


def plot_of(text: str) -> Plot:
    return Plot(text, text[:30], [(0.0, 1.0), (9.0, None), (50.0, 2.0)], 0.0, 60.0, 60.0, (Mark(5.0, text),))


PURE: dict[str, Callable[[list[str]], Iterable[Spans]]] = {
    "cells": lambda texts: (((fit(shown(text), 17), text),) for text in texts),
    "log": lambda texts: (line_spans(LogLine(text, text[:10]), as_written=True) for text in texts),
    "log words": lambda texts: (
        line_spans(LogLine(line, text[:10], text[:5], NOW), as_written=False)
        for text in texts
        for line in (text, json.dumps({"level": text[:9], "message": text, text: [text]}))
    ),
    "report": lambda texts: report_lines(report_of(texts)),
    "burn": lambda texts: (burn_text(burn_of(three), 60) for three in batches(texts, 3)),
    "plot": lambda texts: (line for text in texts[::5] for line in plot_lines(plot_of(text), 40, 7, UTC)),
    **{
        kind: (lambda texts, kind=kind: source_lines("\n".join(texts), kind))  # type: ignore[misc]
        for kind in KINDS
    },
}


@pytest.mark.parametrize("render", PURE.values(), ids=list(PURE))
def test_no_pure_render_lets_a_text_be_more_than_text(render: Callable[[list[str]], Iterable[Spans]]) -> None:
    seen = 0
    for batch in batches(hostile_texts(), 500):
        for spans in render(batch):
            check(cell_strip(spans, plain))
            seen += 1
    assert seen >= COUNT / 5


def check_pages(widget: Widget, width: int) -> int:
    """Every page of a widget, from its first line to its last; answers how many lines it painted."""
    height = widget.size.height
    lines = 0
    for top in range(0, int(widget.max_scroll_y) + height, height):
        widget.scroll_to(y=top, animate=False, force=True)
        for y in range(height):
            check(widget.render_line(y), width)
            lines += 1
    return lines


def test_mounted_widgets_paint_ten_thousand_texts_and_obey_none() -> None:
    texts = hostile_texts()
    table, log, wrapped = FactTable(), LogPane(), LogPane(wrap=True)
    report, source = ReportView(), YamlView()
    strip, plot = BurnStrip(), LinePlot()
    widgets: tuple[Widget, ...] = (table, log, wrapped, report, source, strip, plot)
    lines = [Gap(7, text) if n % 50 == 0 else LogLine(text, text[:9]) for n, text in enumerate(texts)]

    async def scene(pilot: Pilot[None]) -> None:
        named = list(enumerate(texts))
        columns = [Column[tuple[int, str]](c.title, lambda one, c=c: c.cell(one[1])) for c in COLUMNS]  # type: ignore[misc]
        table.show(columns, named, lambda one: str(one[0]), stale=lambda one: one[0] % 3 == 0)
        log.append(lines)
        wrapped.append(lines[-1000:])
        report.show(report_of(texts[:1000]))
        source.show("\n".join(texts[1000:2000]), "markdown")
        strip.show(burn_of(texts[:7]))
        plot.show(plot_of(texts[8]))
        await pilot.pause()
        for needle in texts[5:8]:
            log.search(needle)
        for widget in widgets:
            assert check_pages(widget, widget.scrollable_content_region.width) > 0
        await pilot.pause()  # painted by the screen too
        assert pilot.app.is_running
        await pilot.press("c")
        log.action_copy()
        assert not any(map(is_dangerous, set(pilot.app.clipboard) - {"\n"}))

    play(scene, *widgets, size=(100, 60))
