"""Pictures of durations and of periods: what is said in colour is said in words, and nothing leads out."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from maestro_cli.output.density import Density, density_svg, level_of
from maestro_cli.output.histogram import Bar, Histogram, histogram_svg, percentage
from maestro_cli.output.whiskers import Period, Whiskers, whiskers_svg

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


def _histogram() -> str:
    return histogram_svg(Histogram(HOSTILE, [Bar("100 ms", 90, False), Bar(HOSTILE, 10, True)], HOSTILE))


def _density() -> str:
    columns = [("Mon 01", (0.9, 0.1)), (HOSTILE, None)]
    return density_svg(Density(HOSTILE, ["100 ms", HOSTILE], columns, 1, HOSTILE))


def _whiskers() -> str:
    periods = [
        Period("2026-10", 1.5, 1.4, 1.6, "FAIL, 150.0% spent"),
        Period(HOSTILE, None, None, None, HOSTILE),
    ]
    return whiskers_svg(Whiskers(HOSTILE, periods, HOSTILE))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (_histogram, ("up to 100 ms: 90 events, 90.000%", "10.0 %", "100 events")),
        (_density, ("Mon 01, up to 100 ms: 90.0 %", ": not known")),
        (_whiskers, ("2026-10: FAIL, 150.0% spent",)),
    ],
)
def test_a_picture_is_xml_that_says_its_figures_and_leads_nowhere(
    draw: Callable[[], str], words: tuple[str, ...]
) -> None:
    picture = draw()
    ElementTree.fromstring(picture)
    assert all(word in picture for word in words)
    assert "<script" not in picture
    assert "\x1b" not in picture
    assert "\u202e" not in picture
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|href|url\(", picture) == []
    assert draw() == picture


def test_nothing_is_drawn_of_nothing() -> None:
    assert "no data" in histogram_svg(Histogram("t", [Bar("1 s", 0, False)], "b"))
    assert "no data" in histogram_svg(Histogram("t", [], "b"))
    assert whiskers_svg(Whiskers("t", [Period("p", None, None, None, "not known")], "l")).count("<rect") == 1
    assert density_svg(Density("t", ["1 s"], [("d", (0.0,))], 1, "b")).count("<title>d,") == 0


@pytest.mark.parametrize(("share", "level"), [(0.0, None), (0.0005, 0), (0.01, 1), (0.3, 4), (1.0, 5)])
def test_a_colour_is_by_the_share_of_a_day(share: float, level: int | None) -> None:
    assert level_of(share) == level


def test_little_is_told_from_nothing() -> None:
    assert [percentage(share) for share in (0.5, 0.0005, 0.0000001, 0.0)] == [
        "50.0 %", "0.050 %", "<0.001 %", "0 %",
    ]  # fmt: skip
