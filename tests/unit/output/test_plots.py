"""A plot shows what it was given: gaps, marks and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from hypothesis import example, given, settings
from hypothesis import strategies as st

from maestro_cli.output.plots import Mark, Plot, svg

SVG = "{http://www.w3.org/2000/svg}"
PLOT = Plot("Failed requests", "%", [(0, 1.0), (10, 2.0), (20, 4.0)], 0, 60, 25)


def tree(plot: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(svg(plot))


def words(plot: Plot) -> list[str]:
    return [element.text or "" for element in tree(plot).iter(f"{SVG}text")]


def lines(plot: Plot) -> int:
    return len(list(tree(plot).iter(f"{SVG}polyline")))


def test_points_that_are_near_are_one_line_and_a_gap_parts_it() -> None:
    assert lines(PLOT) == 1
    later = [*PLOT.points, (50, 1.0), (60, 1.0)]
    assert lines(replace(PLOT, points=later)) == 2
    assert lines(replace(PLOT, points=[(0, 1.0), (10, 1.0), (15, None), (20, 1.0), (30, 1.0)])) == 2


def test_a_point_alone_is_seen() -> None:
    alone = replace(PLOT, points=[(5, 3.0)])
    assert len(list(tree(alone).iter(f"{SVG}circle"))) == 1


def test_nothing_measured_is_said_and_not_drawn_as_zero() -> None:
    empty = replace(PLOT, points=[(0, None), (10, float("nan"))])
    assert "no data" in words(empty)
    assert lines(empty) == 0


def test_the_scale_holds_every_value_and_names_its_unit() -> None:
    assert {"0 %", "1 %", "2 %", "3 %", "4 %"} <= set(words(PLOT))
    below = words(replace(PLOT, points=[(0, -3.0), (10, 5.0)]))
    assert "-4 %" in below
    assert "6 %" in below


def test_marks_are_numbered_and_named_and_those_outside_are_left_out() -> None:
    marked = replace(PLOT, marks=[Mark(5, "opened"), Mark(20, "resolved"), Mark(900, "later")])
    found = words(marked)
    assert "1 00:00:05 opened" in found
    assert "2 00:00:20 resolved" in found
    assert not any("later" in word for word in found)


def test_hostile_text_is_text() -> None:
    attack = '</text><script>alert(1)</script>" onload="x\u202e\x1b[2J'
    hostile = replace(PLOT, title=attack, unit=attack, marks=[Mark(1, attack)])
    found = {element.tag.removeprefix(SVG) for element in tree(hostile).iter()}
    assert found == {"svg", "title", "rect", "text", "line", "polyline"}
    assert not {name for element in tree(hostile).iter() for name in element.attrib if name.startswith("on")}
    assert "\u202e" not in svg(hostile)
    assert "\x1b" not in svg(hostile)


@settings(max_examples=100, deadline=None)
@example([(0.0, 2e-323)], 0, 1)
@example([(0.0, -1.7e308), (0.5, 1.7e308)], 0, 1)
@example([(0.0, 1e100), (0.5, -1e100)], 0, 1)
@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.one_of(st.none(), st.floats()))),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_any_figures_give_a_small_picture_without_nan(
    points: list[tuple[float, float | None]], start: float, end: float
) -> None:
    plot = replace(PLOT, points=sorted(points, key=lambda one: one[0]), start=start, end=end)
    text = svg(plot)
    assert ElementTree.fromstring(text).tag == f"{SVG}svg"
    assert not re.search(r"\b(nan|inf)\b", text)
    assert len(list(tree(plot).iter(f"{SVG}text"))) < 40
    assert text == svg(plot)
