"""Pictures of costs say what the tables say: in letters without colour, in colours with the same letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.untrusted import Untrusted
from maestro_cli.cost.allocation.allocate import Hourly
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.packing import Packed
from maestro_cli.cost.rightsizing.saving import Claim, Realised, Saving
from maestro_cli.output.renderers.cost_pictures import KINDS, pictures_of, saving_picture
from maestro_cli.output.series import LOOKS
from maestro_cli.output.tables import text_width
from maestro_cli.output.views import Picture

START = datetime(2026, 11, 2, tzinfo=UTC)
SGR = re.compile(r"\x1b\[[0-9;]*m")
DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HOSTILE = "\x1b[2J\u202e<script>alert(1)</script>&\u200b日本\u0301"


def hourly(
    spenders: dict[str, float], others: dict[RowKind, float] | None = None, unseen: tuple[int, ...] = ()
) -> Hourly:
    """Of six hours, each with a sixth of it; nothing was measured in those that are `unseen`."""
    kinds = others or {}
    rows = [
        Row((Untrusted(name),), RowKind.SPENDER, {Component.CPU: one}, {}, {})
        for name, one in spenders.items()
    ]
    rows += [Row(("",), kind, {Component.CPU: amount}, {}, {}) for kind, amount in kinds.items()]
    amounts = [*spenders.values(), *kinds.values()]
    coverage = np.array([0.0 if hour in unseen else 1.0 for hour in range(6)])
    bill = {Component.CPU: sum(amounts)}
    allocation = Allocation(
        "c", "EUR", Hours(START, 6), ("team",), tuple(rows), bill, float(coverage.mean()), ("network",)
    )
    return Hourly(allocation, np.array([[amount / 6] * 6 for amount in amounts]) * (coverage > 0), coverage)


def drawn(found: Hourly, kind: str, width: int = 80, colour: bool = False) -> list[str]:
    (picture,) = pictures_of(found, shown=kind, kinds=(kind,))
    assert picture.lines is not None
    return list(picture.lines(width, colour))


def saving(claims: dict[str, float | None], realised: float | None, anyway: float = 0.0) -> Saving:
    found = {name: WorkloadId("ml", "Deployment", name) for name in claims}
    packed = Packed((), (), 0)
    return Saving(
        "EUR",
        {found[name]: Claim(found[name], amount) for name, amount in claims.items()},
        Realised(3, packed, packed, realised, anyway, 100.0),
        unpriced=("node n9",),
    )


def test_an_area_is_an_amount() -> None:
    lines = drawn(hourly({"risk": 50.0, "shop": 25.0}, {RowKind.IDLE: 25.0}), "treemap")
    cells = Counter("".join(lines[: lines.index("")]))
    total = cells.total()
    assert cells["a"] / total == pytest.approx(0.5, abs=0.08)
    assert cells["b"] / total == pytest.approx(0.25, abs=0.08)
    assert cells["."] / total == pytest.approx(0.25, abs=0.08)
    assert "a risk: 50.00, 50.0%" in "\n".join(lines)


def test_what_has_no_area_is_told() -> None:
    found = hourly(
        {f"team-{index:02}": 100.0 - index for index in range(40)}, {RowKind.OVERCOMMIT: -3.0}, (5,)
    )
    for lines in (drawn(found, "treemap"), drawn(found, "bars", 100)):
        text = "\n".join(lines)
        assert "not drawn, being below zero: (over-commit) -3.00" in text
        assert "83.3% of the window was measured" in text
        assert "no price, and not in it: network" in text
        assert re.search(r"\d\d others", text)


@pytest.mark.parametrize("kind", ["bars", "trend"])
def test_what_was_not_measured_is_not_cheap(kind: str) -> None:
    lines = drawn(hourly({"risk": 6.0}, unseen=(2, 3)), kind)
    if kind == "bars":
        assert [("not measured" in line, "a" in line.split("not")[0]) for line in lines[1:4]] == [
            (False, True), (True, False), (True, False)
        ]  # fmt: skip
    else:
        assert lines[0].startswith("risk  ██  ██")


def test_a_day_of_which_half_was_measured_is_as_dear_an_hour_as_one_that_was_whole() -> None:
    whole = hourly({"risk": 72.0})
    hours = Hours(START, 72)
    coverage = np.array([1.0] * 24 + [0.0] * 12 + [1.0] * 36)
    found = replace(
        whole,
        allocation=replace(whole.allocation, hours=hours),
        costs=np.ones((1, 72)) * (coverage > 0),
        coverage=coverage,
    )
    assert drawn(found, "trend")[0].endswith("  ███  1.00 to 1.00")
    assert "50.0% measured" in drawn(found, "bars")[1]


def test_a_figure_is_whole_or_not_in_its_tile() -> None:
    (picture,) = pictures_of(hourly({"risk": 9000.0, "shop": 123.45}), kinds=("treemap",))
    texts = [str(one.text) for one in checked_svg(picture).iter() if one.tag.endswith("text")]
    assert not any(re.search(r"\d…", text) for text in texts)


def test_a_path_that_has_no_room_is_its_last_part_and_whole_below() -> None:
    lines = drawn(hourly({"a/deploy/large": 80.0, "monitoring/deploy/prometheus": 20.0}), "treemap")
    tiles = lines[: lines.index("")]
    assert any("b prometheus b" in line for line in tiles)
    assert "b monitoring/deploy/prometheus: 20.00, 20.0%" in lines


def test_a_bar_is_as_long_as_its_amount_and_its_figure_is_the_whole_sum() -> None:
    found = hourly({"risk": 6.0, "shop": 3.0}, {RowKind.OVERCOMMIT: -1.5})
    found.costs[0, 1] = 2.0
    lines = drawn(found, "bars")
    counts = [Counter(line.split(" ", 2)[2]) for line in lines[:2]]
    assert counts[1]["a"] == pytest.approx(2 * counts[0]["a"], abs=1)
    assert counts[0]["a"] == pytest.approx(2 * counts[0]["b"], abs=1)
    assert lines[0].endswith(" 1.25")
    assert lines[1].endswith(" 2.25")


@settings(max_examples=40)
@given(
    st.dictionaries(st.text(min_size=1, max_size=40), st.floats(0.01, 1e6), max_size=25),
    st.dictionaries(st.sampled_from(list(RowKind)[1:]), st.floats(-50, 50)),
    st.integers(60, 100),
)
def test_no_name_and_no_amount_breaks_a_picture(
    spenders: dict[str, float], others: dict[RowKind, float], width: int
) -> None:
    found = hourly({HOSTILE: 7.0, **spenders}, others, (0,))
    found = replace(found, allocation=replace(found.allocation, unpriced=(f"no price {HOSTILE}",)))
    for kind in KINDS:
        for colour in (False, True):
            for line in drawn(found, kind, width, colour):
                text = SGR.sub("", line) if colour else line
                assert not {unicodedata.category(one) for one in text} & DANGEROUS
                if not re.search("others|:|below|no price", text):
                    assert text_width(text) <= width
    for picture in pictures_of(found):
        checked_svg(picture)


def checked_svg(picture: Picture) -> ElementTree.Element:
    text = picture.svg()
    assert text == picture.svg()
    assert not set(text) & {"\x1b", "\u202e", "\u200b"}
    root = ElementTree.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "rect", "text", "line", "polyline", "circle"}
    assert not any(name.startswith("on") or "href" in name for one in root.iter() for name in one.attrib)
    return root


@pytest.mark.parametrize("kind", ["treemap", "bars"])
def test_in_colour_the_letters_stand_too(kind: str) -> None:
    text = "\n".join(drawn(hourly({"risk": 5.0, "shop": 5.0}), kind, colour=True))
    for look in LOOKS[:2]:
        assert re.search(rf"\x1b\[38;5;16;48;5;{look.code}m ?{look.letter} ", text)
    assert "risk" in SGR.sub("", text)


def test_tiles_of_svg_have_the_areas_of_their_amounts() -> None:
    found = hourly({"risk": 60.0, "shop": 30.0}, {RowKind.IDLE: 10.0})
    (picture,) = pictures_of(found, kinds=("treemap",))
    areas = {}
    for element in checked_svg(picture).iter():
        told = element.find("{http://www.w3.org/2000/svg}title")
        if told is not None and element.tag.endswith("rect"):
            areas[str(told.text)] = float(element.attrib["width"]) * float(element.attrib["height"])
    whole = sum(areas.values())
    assert {name: round(area / whole, 2) for name, area in areas.items()} == {
        "risk: 60.00, 60.0%": 0.6,
        "shop: 30.00, 30.0%": 0.3,
        "(idle): 10.00, 10.0%": 0.1,
    }


def test_a_saving_falls_from_what_is_claimed_to_what_is_realised() -> None:
    picture = saving_picture(saving({"fraud": 40.0, "price": 25.0, "rank": -5.0}, 45.0))
    assert picture is not None
    assert picture.lines is not None
    lines = list(picture.lines(80, False))
    assert [re.split(r"\s{2,}|\s(?=[█▓░])", line)[0].strip() for line in lines[:6]] == [
        "ml/deploy/fraud", "ml/deploy/price", "ml/deploy/rank", "claimable, of requests",
        "on nodes that stay", "realisable, of the bill",
    ]  # fmt: skip
    assert [line.split()[-1] for line in lines[:6]] == [
        "+40.00",
        "+25.00",
        "-5.00",
        "60.00",
        "-15.00",
        "45.00",
    ]
    bars = [line.rstrip("+-.0123456789")[24:] for line in lines[:6]]
    assert bars[1].index("▓") == len(bars[0].rstrip())
    assert bars[3].count("█") == pytest.approx(bars[0].count("▓") * 1.5, abs=1)
    assert bars[5].index("█") == 0
    assert lines[6] == "without a price, and not in it: node n9"
    checked_svg(picture)


def test_what_goes_anyway_is_told_apart() -> None:
    picture = saving_picture(saving({"fraud": 40.0}, 30.0, anyway=20.0))
    assert picture is not None
    assert picture.lines is not None
    lines = list(picture.lines(80, False))
    assert [line.split()[-1] for line in lines[2:6]] == ["-10.00", "30.00", "+20.00", "50.00"]
    assert [line[:22].strip() for line in lines[3:6]] == [
        "realisable, of the bil", "nodes that go anyway", "off the bill, in all",
    ]  # fmt: skip


def test_many_savings_are_few_steps_and_add_up() -> None:
    picture = saving_picture(saving({HOSTILE + str(index): float(index) for index in range(1, 31)}, 500.0))
    assert picture is not None
    assert picture.lines is not None
    lines = list(picture.lines(60, False))
    assert sum(line.startswith("22 others") for line in lines) == 1
    assert "whole nodes that go" in lines[10]
    assert all(line.isprintable() for line in lines)
    checked_svg(picture)


@pytest.mark.parametrize("found", [saving({"fraud": None}, 45.0), saving({"fraud": 1.0}, None)])
def test_a_saving_that_nobody_knows_is_no_picture(found: Saving) -> None:
    assert saving_picture(found) is None
