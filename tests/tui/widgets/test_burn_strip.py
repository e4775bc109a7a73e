"""The burn of all objectives in one line: words, worst first, nothing silently left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from maestro_cli.slo.burn import BurnState
from maestro_cli.tui.text import cells, plain_text
from maestro_cli.tui.widgets.burn_strip import BurnCell, BurnStrip, burn_text
from tests.tui.widgets.stage import painted, play

CELLS = [
    BurnCell("latency", BurnState.OK, "budget gone in 10d10h"),
    BurnCell("errors", BurnState.CRITICAL, "budget gone in 6h00m"),
    BurnCell("freshness", BurnState.NO_DATA, "budget gone in 5.0s"),
    BurnCell("uploads", BurnState.RECOVERING, "budget spent"),
]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (
            130,
            "errors critical, budget gone in 6h00m │ uploads recovering, budget spent │ freshness no data │ "
            "latency ok, budget gone in 10d10h",
        ),
        (
            110,
            "errors critical, budget gone in 6h00m │ uploads recovering, budget spent │ "
            "freshness no data │ 1 ok",
        ),
        (70, "errors critical │ uploads recovering │ freshness no data │ 1 ok"),
        (50, "errors critical │ uploads recovering │ +2 more"),
        (30, "errors critical │ +3 more"),
        (15, "errors crit… +3"),
    ],
    ids=str,
)
def test_what_has_no_room_is_shortened_then_counted(width: int, text: str) -> None:
    assert plain_text(burn_text(CELLS, width)) == text


def test_a_state_has_its_tone_and_what_is_old_says_so() -> None:
    spans = burn_text(CELLS, 200, age_seconds=240.0)
    assert [tone for text, tone in spans if "│" not in text] == ["bad", "warn", "warn", "good", "warn"]
    assert spans[-1][0] == " (4m00s old)"


def test_no_objectives_are_not_well_objectives() -> None:
    assert plain_text(burn_text([], 40)) == "no objectives"


def test_burn_that_is_not_known_is_not_the_lack_of_objectives() -> None:
    assert plain_text(burn_text([], 40, unknown=["prod"])) == "burn not known"
    text = plain_text(burn_text(CELLS[:1], 80, unknown=["dev"]))
    assert text == "latency ok, budget gone in 10d10h │ burn not known: dev"
    assert cells(plain_text(burn_text(CELLS, 60, unknown=["a" * 40, "b" * 40]))) <= 60


@given(
    st.lists(
        st.builds(BurnCell, st.text(), st.sampled_from(BurnState), st.text()),
        min_size=1,
        max_size=8,
    ),
    st.integers(20, 200),
)
def test_any_objectives_fit_and_the_worst_is_named_first(burning: list[BurnCell], width: int) -> None:
    spans = burn_text(burning, width)
    assert cells(plain_text(spans)) <= width
    worst = min(burning, key=lambda cell: [one.value for one in BurnState].index(cell.word)).state
    all_ok = worst is BurnState.OK
    assert spans[0][1] in {"bad", "warn", "dim", "good"}
    assert (spans[0][1] == "good") is all_ok


def test_it_is_one_line_as_wide_as_the_screen() -> None:
    strip = BurnStrip()

    async def scene(pilot: Pilot[None]) -> None:
        strip.show(CELLS)
        await pilot.pause()
        assert painted(strip) == ["errors critical │ uploads recovering │ freshness no data │ 1 ok"]
        strip.show(CELLS, age_seconds=3.0)
        await pilot.pause()
        assert painted(strip)[0].endswith("(3.0s old)")

    play(scene, strip, size=(80, 5))
