"""The tail of a log follows its end, keeps a bounded number of lines, and says what is missing."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from maestro_cli.tui.widgets.log_pane import Gap, LogLine, LogPane, head_text
from tests.tui.widgets.stage import painted, play, resize

SIZE = (40, 8)


def lines(first: int, count: int) -> list[LogLine | Gap]:
    return [LogLine(f"line {number}") for number in range(first, first + count)]


def test_it_follows_its_end_until_somebody_scrolls_up_and_again_from_the_end() -> None:
    pane = LogPane()

    async def scene(pilot: Pilot[None]) -> None:
        pane.append(lines(0, 50))
        await pilot.pause()
        assert painted(pane) == ["following", *(f"line {n}" for n in range(43, 50))]
        await pilot.press("pageup")
        seen = painted(pane)
        assert seen[0] == "paused"
        pane.append(lines(50, 50))
        await pilot.pause()
        assert painted(pane) == seen
        await pilot.press("G")
        pane.append(lines(100, 1))
        await pilot.pause()
        assert painted(pane)[0] == "following"
        assert painted(pane)[-1] == "line 100"

    told = [one for one in play(scene, pane, size=SIZE) if isinstance(one, LogPane.FollowChanged)]
    assert [one.is_following for one in told] == [False, True]


def test_a_key_pauses_and_follows() -> None:
    pane = LogPane()

    async def scene(pilot: Pilot[None]) -> None:
        pane.append(lines(0, 50))
        await pilot.press("f")
        pane.append(lines(50, 50))
        await pilot.pause()
        assert painted(pane)[-1] == "line 49"
        await pilot.press("f")
        assert painted(pane)[-1] == "line 99"

    play(scene, pane, size=SIZE)


@pytest.mark.parametrize("wrap", [False, True], ids=["cut", "wrapped"])
def test_old_lines_go_are_counted_and_what_one_reads_stays(wrap: bool) -> None:
    pane = LogPane(limit=100, wrap=wrap)

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine(f"line {n} " + "x" * (n % 3) * 30) for n in range(100)])
        await pilot.pause()
        await pilot.press("up")
        pane.scroll_to(y=pane.max_scroll_y - 30, animate=False)
        await pilot.pause()
        before = painted(pane)[1:]
        pane.append(lines(100, 30))
        await pilot.pause()
        assert painted(pane)[1:] == before
        assert len(pane._lines) == 100
        assert "30 older lines not kept" in painted(pane)[0]

    play(scene, pane, size=(60, 8))


def test_a_batch_longer_than_the_limit_leaves_its_end() -> None:
    pane = LogPane(limit=10)

    async def scene(pilot: Pilot[None]) -> None:
        pane.append(lines(0, 35))
        await pilot.pause()
        assert painted(pane)[0] == "following · 25 older lines not kept"
        assert painted(pane)[-1] == "line 34"
        pane.show(lines(0, 12))
        await pilot.pause()
        assert painted(pane)[0] == "following · 2 older lines not kept"

    play(scene, pane, size=SIZE)


def test_dropped_lines_and_the_filter_are_said() -> None:
    pane = LogPane()

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine("a", "pod-1"), Gap(300), Gap(1, "not read")], counts=(1204, 17))
        await pilot.pause()
        assert painted(pane)[:4] == [
            "following · filtered 1,204 → 17", "pod-1 │ a", "… 300 lines dropped", "… 1 line not read"
        ]  # fmt: skip

    play(scene, pane, size=SIZE)


def test_the_head_says_everything_in_words() -> None:
    assert head_text(is_following=False, counts=(5, 1), older=1, matches="match 1 of 2", is_wrapped=True) == (
        "paused · filtered 5 → 1 · 1 older line not kept · match 1 of 2 · wrapped, as written"
    )


def test_long_lines_are_cut_with_a_sign_scrolled_or_wrapped() -> None:
    pane = LogPane()

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine("0123456789" * 5), LogLine("日本" * 12)])
        await pilot.pause()
        assert painted(pane)[1:3] == ["0123456789" * 3 + "01234567…", "日本" * 9 + "日…"]
        await pilot.press(*["right"] * 5)
        assert painted(pane)[1].startswith("56789")
        await pilot.press("w")
        assert painted(pane)[1:6] == [
            "0123456789" * 3 + "012345678", "90123456789", "日本" * 9 + "日", "本日本日本", ""
        ]  # fmt: skip

    play(scene, pane, size=SIZE)


def test_a_search_is_highlighted_counted_and_walked() -> None:
    pane = LogPane()

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine(f"Pod-{n} {'needle' if n % 20 == 3 else 'hay'}") for n in range(100)])
        assert pane.search("NEEDLE") == 0
        assert pane.search("needle") == 5
        await pilot.press("n")
        assert "match 1 of 5" in painted(pane)[0]
        await pilot.press("N")
        assert "match 5 of 5" in painted(pane)[0]
        hit = next(one for y in range(8) for one in pane.render_line(y) if one.text == "needle")
        assert hit.style is not None
        assert hit.style.reverse
        pane.append([LogLine("a needle more")])
        assert pane.match_text() == "match 5 of 6"
        assert pane.search("") == 0
        assert pane.match_text() == ""

    play(scene, pane, size=SIZE)


def test_what_is_selected_is_copied_as_it_is_seen_and_wrapped_lines_are_whole() -> None:
    pane = LogPane(wrap=True)

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine("one\x1b[31m " + "long " * 12), LogLine("two\u202e")])
        await pilot.pause()
        pane.screen.selections = {pane: Selection(Offset(4, 0), Offset(3, 1))}
        await pilot.press("c")
        assert pilot.app.clipboard == "[31m " + "long " * 12 + "\ntwo"
        pane.screen.selections = {}
        await pilot.press("c")
        assert pilot.app.clipboard.endswith("\ntwo<U+202E>")

    play(scene, pane, size=SIZE)


def test_a_smaller_terminal_keeps_the_end_in_sight() -> None:
    pane = LogPane(wrap=True)

    async def scene(pilot: Pilot[None]) -> None:
        pane.append([LogLine("word " * 20 + str(n)) for n in range(30)])
        await pilot.pause()
        await resize(pilot, 20, 6, pane)
        await pilot.pause()
        assert painted(pane)[-1].endswith("29")

    play(scene, pane, size=SIZE)
