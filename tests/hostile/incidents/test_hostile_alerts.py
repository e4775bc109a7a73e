"""Labels, logs and reports that an attacker wrote: nothing breaks, and everything shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maestro_cli.core.untrusted import markdown_text
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.correlation import capped, incident_key
from maestro_cli.incidents.intake.masking import shape
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.incidents.report.human import sections_to_fill
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.triage.logs import count_shapes
from maestro_cli.journal.verification import verify
from tests.unit.growth import grows_linearly
from tests.unit.incidents.world import Room, alert

ATTACKS = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown": "[click](https://evil.example) ![x](https://evil.example/p.png) **bold** | cell |",
    "autolink": "see https://evil.example and www.evil.example or mailto:a@evil.example",
    "fence": "```\n# not code\n~~~\nTODO(owner)\n````",
    "placeholder": "TODO(owner)",
    "bidi": "abc\u202egnp.exe\u2066x\u2069",
    "zero width": "fr\u200baud\ufeff",
    "ansi": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "newlines": "a\nb\r\nc\u2028d\u0085e",
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "jinja": "{{ 7*7 }}{% raw %}",
    "shell": "$(reboot); `reboot`",
    "sql": "'; DROP TABLE incidents; --",
    "promql": '"} or vector(1) # ',
    "path": "../../etc/passwd",
    "empty": "",
}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    assert verify(made.journal.path, [IncidentProjection()]).intact
    made.journal.close()


def only(room: Room) -> Incident:
    (incident,) = list_incidents(room.journal)
    return incident


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_text_everywhere(room: Room, name: str, tmp_path: Path) -> None:
    text = ATTACKS[name]
    hostile = alert(
        alertname=text or "x",
        severity=text,
        namespace=text,
        deployment=text,
        service=text,
        pod=text,
        annotations={"summary": text, text or "k": text},
    )
    room.detector.reconcile([hostile], source="alertmanager-api")
    incident = only(room)
    assert incident.key.isascii()
    assert incident.key.isprintable()
    assert incident.workload is None
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.note("latest", text or "-")
    written = PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "out" / "pm.md")
    document = written.path.read_text(encoding="utf-8")
    assert all(character == "\n" or character.isprintable() for character in document)
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(document)
    assert "https://evil" not in document, "GitHub would link it"
    for element in ("<script", "<img", "<a ", "onerror=alert(1)>"):
        assert element not in html, element
    assert written.to_fill == sections_to_fill(document)
    assert html.count("<h1>") == 1
    room.clock.advance(5)
    room.detector.reconcile([], source="alertmanager-api")
    assert only(room).firing == 0


def test_the_placeholder_is_counted_only_where_people_must_write(room: Room, tmp_path: Path) -> None:
    room.detector.reconcile([alert()], source="alertmanager-api")
    plain = PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "a.md").to_fill
    desk = IncidentDesk(room.journal, room.clock, "ana")
    for text in ("TODO(owner)", "x\nTODO(owner)", "```\nTODO(owner)"):
        desk.note("latest", text)
    assert PostMortem(room.journal, room.clock, "ana").write("latest", tmp_path / "b.md").to_fill == plain > 0


def test_a_megabyte_label_is_cut(room: Room) -> None:
    huge = "x" * (1 << 20)
    alerts = [alert(pod=f"p{n}", blob=huge, annotations={"summary": huge}) for n in range(20)]
    room.detector.reconcile(alerts, source="alertmanager-api")
    length = room.length
    room.detector.reconcile(alerts, source="alertmanager-api")
    assert room.length == length
    (incident,) = list_incidents(room.journal)
    assert all(len(signal.labels["blob"]) <= 2000 for signal in signals_of(room.journal, incident.id))
    assert room.journal.path.stat().st_size < 1 << 20


def test_a_change_past_the_cut_is_still_a_change(room: Room) -> None:
    room.detector.ingest([alert(blob="x" * 5000, fingerprint="f")], source="alertmanager-api")
    report = room.detector.ingest([alert(blob="x" * 4999 + "y", fingerprint="f")], source="alertmanager-api")
    assert report.changed == 1


def test_thousands_of_labels_are_cut(room: Room) -> None:
    many = {**alert().labels, **{f"l{n}": "v" for n in range(5000)}}
    room.detector.ingest([replace(alert(), labels=many)], source="alertmanager-api")
    (signal,) = signals_of(room.journal, only(room).id)
    assert len(signal.labels) == 100


def test_a_hostile_fingerprint_is_kept_as_data(room: Room) -> None:
    hostile = [alert(fingerprint=text or "?") for text in ATTACKS.values()]
    room.detector.reconcile(hostile, source="alertmanager-api")
    assert only(room).firing == len({one.fingerprint for one in hostile})
    room.clock.advance(5)
    length = room.length
    room.detector.reconcile(hostile, source="alertmanager-api")
    assert room.length == length


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["namespace", "deployment", "pod", "alertname"]), st.text()))
def test_keys_are_short_ascii_and_deterministic(labels: dict[str, str]) -> None:
    key = incident_key(labels)
    assert key.isascii()
    assert key.isprintable()
    assert len(key) < 600
    assert incident_key(dict(labels)) == key
    workload = workload_of(labels)
    assert workload is None or str(workload).isascii()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_a_shape_is_one_line_and_stable(text: str) -> None:
    once = shape(text)
    assert "\n" not in once
    assert shape(once) == once
    capped(text, 10).encode("utf-8")
    assert "\n" not in markdown_text(text)


@pytest.mark.parametrize(
    "part",
    ["[", '{"a":', '"', "a-", "1", "'", "0x", "b2", "1.1.", "-bcdfghjk-bcdf"],
)
def test_a_hostile_log_line_costs_no_more_than_its_length(part: str) -> None:
    """A pattern that backtracks would take 16 times as long for four times the line."""

    def count(length: int) -> None:
        line = part * (length // len(part))
        counts, _ = count_shapes("\n".join([line, line + "x"] * 20))
        assert sum(counts.values()) == 40

    assert grows_linearly(count, 25_000)


def test_a_huge_label_costs_no_more_than_its_length() -> None:
    def take(length: int) -> None:
        with TemporaryDirectory() as folder:
            fresh = Room(Path(folder))
            huge = "x" * length
            alerts = [alert(pod=f"p{n}", blob=huge, annotations={"summary": huge}) for n in range(10)]
            fresh.detector.reconcile(alerts, source="alertmanager-api")
            fresh.journal.close()

    assert grows_linearly(take, 1 << 16)
