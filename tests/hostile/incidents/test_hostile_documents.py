"""A post-mortem of hostile text, as a page: only our own tags, nothing that runs, nothing that is fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.markdown_parts import link
from maestro_cli.core.untrusted import markdown_code, markdown_text
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.report.human import PLACEHOLDER, parts, sections_to_fill, without_marks
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.output.document import html_page
from tests.hostile.incidents.test_hostile_alerts import ATTACKS
from tests.unit.incidents.world import T0, Room, alert

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "ul", "ol", "li", "table",
    "thead", "tbody", "tr", "th", "td", "pre", "code", "a", "strong", "em", "mark", "blockquote", "hr", "br",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "id", "href", "rel", "class", "start"}
MORE = {
    **ATTACKS,
    "javascript": "[x](javascript:alert(1)) <javascript:alert(1)>",
    "data": "![x](data:text/html,<script>1</script>)",
    "svg": "<svg/onload=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x="',
    "entity": "&lt;script&gt; &#x3c;script&#x3e;",
    "setext": "x\n===\ny\n---",
    "mark": "<!-- end: summary -->",
    "reference": "[a]: https://evil.example\n[a]",
    "style": "</style><script>alert(1)</script>",
}


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    parser.close()
    return parser


def is_harmless(page: str) -> None:
    found = seen(page)
    assert set(found.tags) <= TAGS
    assert {name for name, _ in found.attributes} <= ATTRIBUTES
    links = [value for name, value in found.attributes if name == "href"]
    assert [one for one in links if not re.match(r"https?://|#[A-Za-z0-9]", one)] == []
    assert all(character == "\n" or character.isprintable() for character in page)


@pytest.mark.parametrize("name", MORE)
def test_an_attack_that_was_escaped_stays_text(name: str) -> None:
    text = MORE[name]
    table = f"| {markdown_text(text)} | b |\n|---|---|\n| {markdown_text(text)} | {markdown_text(text)} |"
    markdown = f"# {markdown_text(text)}\n\n- {markdown_text(text)}\n\n{table}\n\n{markdown_code(text)}\n"
    page = html_page(markdown, {}, title=text)
    is_harmless(page)
    assert seen(page).tags.count("a") == 0
    assert seen(page).tags.count("h1") == 1


@pytest.mark.parametrize("name", MORE)
def test_an_attack_that_a_person_pasted_does_nothing(name: str) -> None:
    is_harmless(html_page(f"# Title\n\n{MORE[name]}\n\n[{MORE[name]}]({MORE[name]})\n", {}, title="x"))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_markdown_gives_a_harmless_page(text: str) -> None:
    page = html_page(text, {}, title=text, placeholder=PLACEHOLDER)
    found = seen(page)
    assert not {"script", "iframe", "object", "embed", "form", "svg", "img", "link"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    page = html_page("# x", {}, title="x")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    expected = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'http-equiv="Content-Security-Policy" content="{expected}"' in page


def test_a_picture_is_one_that_was_given_and_others_are_their_words() -> None:
    markdown = "![Errors](inc.pictures/errors.svg) ![Other](https://evil.example/p.png)"
    page = html_page(markdown, {"errors.svg": "<svg></svg>"}, title="x")
    assert "<svg></svg>" in page
    assert "<img" not in page
    assert "[Other]" in page


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "ftp://x", "//evil", "http://a b", "https://a>b", "", "x"],
)
def test_an_address_that_is_not_plain_http_is_no_link(address: str) -> None:
    assert link("name", address) == "name"
    assert seen(html_page(link("name", address), {}, title="x")).tags.count("a") == 0


def test_an_address_of_http_is_a_link() -> None:
    address = "http://prometheus.example:9090/graph?g0.expr=up%7Bjob%3D%22a%22%7D&g0.tab=1"
    found = seen(html_page(link("up", address), {}, title="x"))
    assert ("href", address) in found.attributes


def test_headings_are_places_that_links_lead_to() -> None:
    page = html_page("### Evidence 12\n\n[evidence 12](#evidence-12)\n", {}, title="x")
    assert ("id", "evidence-12") in seen(page).attributes
    assert ("href", "#evidence-12") in seen(page).attributes


def hostile_incident(room: Room, text: str) -> None:
    """An incident in which everything that comes from outside is one attack."""
    address = f"https://x.example/{text}"
    hostile = replace(alert(alertname=text or "x", pod=text, service=text), generator_url=address)
    room.detector.reconcile([hostile], source="alertmanager-api")
    desk, journal = IncidentDesk(room.journal, room.clock, text or "ana"), room.journal
    incident = desk.ack("latest")
    desk.note("latest", text or "-")
    found = Evidence("errors", text, text, T0, text, text, {"worst": text})
    logs = {"groups": [{"bad": True, "since": 1, "before": 0, "sample": text}]}
    desk.record_evidence("latest", [found, Evidence("logs", text, text, T0, text, text, logs)])
    suspect = {"kind": text, "subject": text, "score": 0.5, "reasons_for": [text], "reasons_against": [text]}
    suspect["fix"] = {"kind": text, "name": text, "parameters": {text: text}}
    onset = {"at": T0, "earliest": T0, "basis": text}
    told = {"onset": onset, "suspects": [suspect], "culprit": text, "conclusion": text, "failed": [text]}
    journal.append("incident.suspects", incident.subject, text, {"incident": incident.id, **told})
    line = {"path": text, "before": text, "after": text}
    plan = {"summary": text, "digest": text, "diff": {"lines": [line]}}
    change, run = "change/chg-0123456789abcd", "run/run-0123456789abcd"
    journal.append("change.planned", change, text, {"plan": plan, "cause": incident.id})
    journal.append("change.applied", change, text, {"evidence": text})
    journal.append("run.started", run, text, {"incident": incident.id, "runbook": text, "answer": text})
    ended = {"step": text, "state": text, "reason": text, "title": text}
    output = f"recovery time (RTO): {text}"
    journal.append("step.finished", run, text, {**ended, "output": output, "incident": incident.id})
    desk.start_triage("latest")
    desk.mitigated("latest", note=text or "-")
    desk.resolve("latest", force=True, reason=text or "-")


@pytest.mark.parametrize("name", MORE)
def test_an_incident_of_nothing_but_attacks_is_a_harmless_document(name: str, tmp_path: Path) -> None:
    room, calm = Room(tmp_path), Room(tmp_path / "calm")
    hostile_incident(room, MORE[name])
    hostile_incident(calm, "calm")
    text = PostMortem(room.journal, room.clock, "ana").render("1")
    usual = PostMortem(calm.journal, calm.clock, "ana").render("1")
    assert list(parts(text) or {}) == list(parts(usual) or {}) != []
    assert sections_to_fill(text) == sections_to_fill(usual)
    page = html_page(without_marks(text), {}, title="x", placeholder=PLACEHOLDER)
    is_harmless(page)
    assert [tag for tag in seen(page).tags if tag in {"h1", "h2", "h3"}] == [
        tag for tag in seen(html_page(without_marks(usual), {}, title="x")).tags if tag in {"h1", "h2", "h3"}
    ]
    room.journal.close()
    calm.journal.close()
