"""What the page of a served console loads, and what it says."""

from __future__ import annotations

import re

import pytest

from maestro_cli.core.errors import ActionFailed
from maestro_cli.tui.web import page as module
from maestro_cli.tui.web.page import assets, headers, page


def test_the_page_loads_what_the_server_has_and_nothing_else() -> None:
    text = page("maestro prod", "127.0.0.1:4711", 16)
    loaded = set(re.findall(r'(?:href|src)="([^"]+)"', text))
    assert loaded - {"data:,", "/"} == {"/textual.js", "/console.js", "/xterm.css", "/console.css"}
    assert re.findall(r"url\(\"([^\"]+)", assets(aloud=False)["/console.css"].content.decode()) == [
        "/font.ttf"
    ]
    assert set(assets(aloud=False)) - loaded == {"/font.ttf"}


def test_the_page_has_no_script_nor_style_of_its_own_that_the_policy_would_stop() -> None:
    text = page("maestro prod", "127.0.0.1:4711", 16)
    assert re.findall(r"<script[^>]*>[^<]", text) == []
    assert re.findall(r"\son\w+=", text) == []
    assert "'unsafe" not in headers("127.0.0.1:4711")["Content-Security-Policy"].replace(
        "style-src 'self' 'unsafe-inline'", ""
    )


def test_the_page_may_connect_to_the_host_that_it_came_from() -> None:
    assert "connect-src 'self' ws://localhost:4711;" in headers("localhost:4711")["Content-Security-Policy"]
    assert 'data-session-websocket-url="ws://localhost:4711/ws"' in page("x", "localhost:4711", 16)


def test_names_of_contexts_are_text_on_the_page() -> None:
    assert "<title>&lt;/title&gt;&lt;b&gt; &quot;</title>" in page('</title><b> "', "127.0.0.1:4711", 16)


def test_a_terminal_that_is_read_aloud_differs_in_that_alone() -> None:
    silent, aloud = (assets(aloud=one)["/textual.js"].content for one in (False, True))
    assert aloud.replace(b"screenReaderMode:!0,", b"") == silent
    assert len(aloud) == len(silent) + len(b"screenReaderMode:!0,")


def test_a_script_that_is_not_known_is_refused_rather_than_left_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MADE", "of another release")
    with pytest.raises(ActionFailed, match="screen readers"):
        assets(aloud=True)
    assert assets(aloud=False)
